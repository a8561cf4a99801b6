"""Which records of a source are cleaned: those that changed since it was staged last.

What belongs here: what a record's cleaning depends on, and whether that is as it
was. All records are cleaned where settings, columns, rules or habits of the
source are others, or its last snapshot is gone; the result is the same. What
the checks of all records need of those that are not cleaned is read from the
warehouse.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors import comparing, snapshot
from connectors.comparing import Compared
from connectors.source import SourceConfig
from onefold.keys import Keys
from pipelines import fingerprint
from pipelines.stages.deployment import Deployment
from rules import habits, suites
from rules.cleaning import Cleaning, Some, fed_by
from rules.habits import Habits
from rules.repairs import Repairs
from rules.slices import SLICE, Slices, of_table
from rules.suite_rules import AGING
from rules.suites import Check, Part, Standing
from warehouse import quarantine, staged_records, sync_runs
from warehouse import repairs as mending
from warehouse import staged as staging

_MOST = 0.5
"""Where a larger share of the records is to be cleaned, all are: that takes no longer."""


@dataclass
class Restaging:
    """How a source is staged again.

    Attributes:
        rows: records that are cleaned.
        rest: what is known of the others; None: there are none.
        checks: of all its records; known when it is written.
    """

    deployment: Deployment
    config: SourceConfig
    manifest: snapshot.Manifest
    path: Path
    repairs: pa.Table
    settings: str
    cleaning: Cleaning
    some: Some | None = None
    rest: staging.Rest | None = None
    standing_uses: frozenset[str] = frozenset()
    checks: list[Check] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.manifest.rows if self.some is None else len(self.some.numbers)

    def parts(self) -> Iterator[Part]:
        """The cleaned records, slice by slice.

        Raises:
            SourceLayout: a mapped column is not there.
            ConfigError: an expectation in the source's YAML is wrong or cannot be computed.
        """
        if self.some is None:
            return self.cleaning.all_parts(
                partial(snapshot.slices, self.path, SLICE, keys=self.deployment.keys)
            )
        return self.cleaning.some_parts(self.some)

    def told(self, standing: Standing) -> dict[str, Any]:
        """What sync_run keeps: the checks, and all that the next staging must compare."""
        fed = fed_by(self.config, self.manifest.columns)
        self.checks = suites.checks(self.config, fed, standing, self.cleaning.own)
        overtaken = set(self.cleaning.repairs.overtaken) - self.standing_uses
        return {
            "checks": [asdict(check) for check in self.checks],
            "settings": self.settings,
            "cleaned": _depends_on(self.cleaning.habits),
            "repairs": {
                "fingerprint": repairs_fingerprint(self.repairs),
                "last": max(self.repairs["repair_id"].to_pylist(), default=""),
                "overtaken": sorted(overtaken),
            },
        }


def kept(source: str) -> str:
    """Name under which a deployment keeps how a source's snapshot differs from the one before."""
    return f"what changed in {source}"


def repairs_fingerprint(repairs: pa.Table) -> str:
    """Of the repairs in force for a source: another one means that it must be staged again."""
    return fingerprint.of(repairs.to_pylist())


def plan(
    deployment: Deployment,
    config: SourceConfig,
    manifest: snapshot.Manifest,
    repairs: pa.Table,
    settings: str,
    good: sync_runs.SyncRun | None,
) -> Restaging:
    """Look what changed since the source was staged last.

    Args:
        deployment: the opened home.
        config: the source.
        manifest: of the snapshot to stage.
        repairs: those in force.
        settings: fingerprint of the settings that say what its records become.
        good: its last good sync.

    Raises:
        SourceLayout: a mapped column is not there.
    """
    path = snapshot.path_of(deployment.lake, manifest)
    country = config.country or deployment.settings.country
    known = Repairs(repairs)
    found = habits.of(
        partial(snapshot.slices, path, SLICE, keys=deployment.keys),
        config,
        country,
        known,
        unique=True,
    )
    cleaning = Cleaning(config, country, found, known, path.parent)
    all_of = Restaging(deployment, config, manifest, path, repairs, settings, cleaning)
    last = (good and good.manifest) or {}
    before = deployment.lake / good.snapshot if good and good.snapshot else None
    if (
        good is None
        or before is None
        or not before.is_file()
        or last.get("cleaned") != _depends_on(found)
        or last.get("settings") != settings
        or last.get("columns") != list(manifest.columns)
    ):
        return all_of
    earlier = _repairs_then(deployment, config.name, good)
    if earlier is None:
        return all_of
    made = partial(comparing.compare, before, path)
    compared = deployment.once(kept(config.name), (before, path), made)
    deployment.drop(kept(config.name))
    again = _changed_repairs(earlier, repairs) | _unsure(deployment, config)
    places = np.flatnonzero(np.asarray(pc.is_in(compared.keys, value_set=_texts(sorted(again)))))
    numbers = np.union1d(compared.changed, places)
    if len(numbers) > manifest.rows * _MOST:
        return all_of
    all_of.some = Some(
        numbers=numbers,
        rows=manifest.rows,
        slices=partial(_slices, path, deployment.keys, compared),
        standing=partial(_standing, deployment, config.name, compared),
    )
    all_of.rest = staging.Rest(
        gone=_ids(config.name, compared.gone),
        stays=_but(compared, numbers),
    )
    cleaned = {*compared.keys.take(pa.array(numbers)).to_pylist(), *compared.gone.to_pylist()}
    overtaken = set(last["repairs"]["overtaken"])
    all_of.standing_uses = frozenset(
        str(row["repair_id"])
        for row in earlier.to_pylist()
        if row["repair_id"] not in overtaken and row["source_key"] not in cleaned
    )
    return all_of


def _but(compared: Compared, numbers: np.ndarray) -> pa.Table:
    """Where the records stand that did not change, without those that are cleaned all the same."""
    if len(numbers) == len(compared.changed) or not compared.stays.num_rows:
        return compared.stays
    same, stays = (np.ones(len(compared.keys), dtype=bool) for _ in range(2))
    same[compared.changed] = False
    stays[numbers] = False
    return compared.stays.filter(pa.array(stays[same]))


def _depends_on(found: Habits) -> dict[str, Any]:
    """What the cleaning of every record depends on besides its source's settings."""
    return {
        "code": fingerprint.of_code("connectors", "rules"),
        "day_first": dict(found.day_first),
        "earliest": found.earliest.isoformat(),
        "usual_type": found.usual_type,
    }


def _repairs_then(deployment: Deployment, source: str, good: sync_runs.SyncRun) -> pa.Table | None:
    """The repairs that a sync was staged with; None if that cannot be told any more."""
    told: Mapping[str, Any] = (good.manifest or {}).get("repairs", {})
    then = mending.in_force_then(
        deployment.warehouse, source, last=told.get("last", ""), moment=good.started_at
    )
    return then if repairs_fingerprint(then) == told.get("fingerprint") else None


def _changed_repairs(earlier: pa.Table, now: pa.Table) -> set[str]:
    """Keys of the records whose repairs are not what they were."""
    before, after = ({tuple(row.items()) for row in table.to_pylist()} for table in (earlier, now))
    return {str(dict(row)["source_key"]) for row in before ^ after}


def _unsure(deployment: Deployment, config: SourceConfig) -> set[str]:
    """Keys of unchanged records that may become something else, or are needed as they were read.

    A date of the future passes one day. Expectations of the YAML look at values before any
    is taken out, so that records that lost one are read again.
    """
    asked = set(AGING)
    if config.expectations:
        asked |= suites.judging(config)
    return set(
        quarantine.source_keys(
            deployment.warehouse, config.name, asked, kept_out=bool(config.expectations)
        )
    )


def _slices(path: Path, keys: Keys, compared: Compared, numbers: np.ndarray) -> Slices:
    known = compared.rows
    if known is not None and np.isin(numbers, compared.changed).all():
        some = np.searchsorted(compared.changed, numbers)
        return of_table(known.take(pa.array(some)).combine_chunks())

    def slices(columns: Sequence[str] | None) -> Iterator[pa.Table]:
        return comparing.chosen(path, numbers, SLICE, columns, keys=keys)

    return slices


def _standing(
    deployment: Deployment,
    source: str,
    compared: Compared,
    names: Sequence[str],
    numbers: np.ndarray,
) -> pa.Table:
    """Staged columns of all records but some, in the order of the source."""
    stays = np.ones(len(compared.keys), dtype=bool)
    stays[numbers] = False
    stored = staged_records.columns(deployment.warehouse, source, ["source_key", *names])
    keys = compared.keys.filter(pa.array(stays))
    return stored.select(names).take(pc.index_in(keys, value_set=stored["source_key"]))


def _texts(values: Sequence[str]) -> pa.Array:
    return pa.array(values, pa.string())


def _ids(source: str, keys: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(pa.scalar(source), keys, ":")

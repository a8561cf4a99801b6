"""An opened home: settings, sources, lake and warehouse, under the home's lock."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import pyarrow as pa
import pyarrow.compute as pc

from connectors.source import SourceConfig
from dedupe import survivorship
from dedupe.model import MatchingSettings
from onefold import settings as settings_module
from onefold.errors import ConfigError
from onefold.keys import Keys
from onefold.settings import Settings
from pipelines import lake
from pipelines.lock import exclusive
from pipelines.report import Synced
from pipelines.stages import protecting
from rules.customer import STAGED_SCHEMA
from rules.protection import declared
from warehouse import engine, gate_policy, quality_policy, staged_records, sync_runs
from warehouse.engine import Warehouse
from warehouse.gate_policy import GatePolicy
from warehouse.quality_policy import QualityPolicy

_Made = TypeVar("_Made")
_FEW = 50_000
"""Records that are kept at most, where not all are: some 50 MB."""


@dataclass(frozen=True)
class Deployment:
    """An opened home: what every stage works on.

    Attributes:
        settings: the home's settings.
        sources: its sources by name, as far as they are declared rightly.
        broken: what is wrong with the others, by name.
        warehouse: the open warehouse, its tables up to date.
        lake: the lake's folder.
        matching: section ``matching`` of onefold.yml.
        policy: section ``survivorship`` of onefold.yml.
        quality: section ``quality`` of onefold.yml.
        gate: section ``gate`` of onefold.yml.
        kept: what was worked out since the home was opened, by :meth:`once`.
        keys: the home's keys (section ``privacy``).
        read_now: sources that could be read since the home was opened.
        synced: how reading each source went since the home was opened.
        seen: names the state of each source's files before it was read.
        written: staged state → the one before it, and the records that may differ between the two.
    """

    settings: Settings
    sources: dict[str, SourceConfig]
    broken: dict[str, ConfigError]
    warehouse: Warehouse
    lake: Path
    matching: MatchingSettings
    policy: survivorship.Policy
    quality: QualityPolicy
    gate: GatePolicy
    keys: Keys
    kept: dict[str, tuple[Hashable, Any]] = field(default_factory=dict, repr=False)
    _staged: dict[str, pa.Table] = field(default_factory=dict, repr=False)
    _some: dict[str, pa.Table] = field(default_factory=dict, repr=False)
    read_now: set[str] = field(default_factory=set, repr=False)
    synced: dict[str, Synced] = field(default_factory=dict, repr=False)
    seen: dict[str, str] = field(default_factory=dict, repr=False)
    written: dict[str, tuple[str, pa.Array]] = field(default_factory=dict, repr=False)

    def once(self, what: str, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """What ``make`` gives, made again only where the key is another than last time."""
        known = self.kept.get(what)
        if known is None or known[0] != key:
            self.kept.pop(what, None)
            known = self.kept[what] = (key, make())
        return cast(_Made, known[1])

    def known(self, what: str, key: Hashable) -> Any:
        """What :meth:`once` keeps under a name for this key; None if it keeps nothing."""
        kept = self.kept.get(what)
        return kept[1] if kept is not None and kept[0] == key else None

    def drop(self, *names: str) -> None:
        """Forget what :meth:`once` keeps under these names: it is large, and was used last."""
        for name in names:
            self.kept.pop(name, None)

    def staged(self) -> pa.Table:
        """Every live record; read once, and again when a sync changed one."""
        name = sync_runs.content_fingerprint(self.warehouse)
        if name not in self._staged:
            self._staged.clear()
            self._staged[name] = staged_records.read(self.warehouse)
        return self._staged[name]

    def records(self, ids: pa.Array) -> pa.Table:
        """Some of the live records, sorted by record_id; a few are kept until a sync changed one.

        Matching asks for the changed ones, publishing for these and those of their customers.
        """
        name = sync_runs.content_fingerprint(self.warehouse)
        if name in self._staged:
            staged = self.staged()
            return staged.filter(pc.is_in(staged["record_id"], value_set=ids))
        known = self._some.pop(name, STAGED_SCHEMA.empty_table())
        self._some.clear()
        others = ids.filter(pc.invert(pc.is_in(ids, value_set=known["record_id"])))
        read = staged_records.read(self.warehouse, others.to_pylist())
        own = known.filter(pc.is_in(known["record_id"], value_set=ids))
        if known.num_rows + read.num_rows <= _FEW:
            self._some[name] = pa.concat_tables([known, read])
        return pa.concat_tables([own, read]).sort_by("record_id") if own.num_rows else read


def check_settings(
    settings: Settings,
) -> tuple[MatchingSettings, survivorship.Policy, QualityPolicy, GatePolicy]:
    """The behavior sections of onefold.yml, validated.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """
    matching_settings = MatchingSettings.read(settings.sections.get("matching"))
    survival = survivorship.load_policy(settings.sections.get("survivorship"))
    return (
        matching_settings,
        survival,
        quality_policy.load(settings.sections.get("quality")),
        gate_policy.load(settings.sections.get("gate")),
    )


@contextmanager
def opened(home: Path) -> Iterator[Deployment]:
    """Lock and open a home, bring its tables up to date, clean up after killed runs.

    Raises:
        ConfigError: the home is wrong.
        WarehouseError: a database cannot be reached or refuses.
    """
    settings = settings_module.load(home)
    behavior = check_settings(settings)
    keys = Keys.of(settings)
    found = declared(settings.home, keys)
    folder = lake.folder(settings)
    with exclusive(settings.home):
        warehouse = engine.connect_migrated(settings)
        try:
            lake.clean(folder, settings.models_dir)
            lake.clean_others(folder)
            lake.clean_trial(folder)
            protecting.require(keys, warehouse, folder)
            yield Deployment(
                settings, found.sources, found.broken, warehouse, folder, *behavior, keys
            )
        finally:
            warehouse.close()

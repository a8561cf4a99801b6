"""What other settings or models would make of the golden table, without publishing.

The candidate is made as a publish makes it and rolled back, so that its figures
are those that the publish would have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from connectors import snapshot
from connectors.source import SourceConfig, load_sources
from onefold.errors import ConfigError
from onefold.settings import Settings
from pipelines import lake
from pipelines.stages import publishing, sources
from pipelines.stages.deployment import Deployment, check_settings
from pipelines.stages.erasing import opened
from warehouse import gate, restatement, sync_runs, trial
from warehouse.engine import Warehouse
from warehouse.gate import Excess
from warehouse.publish import Published
from warehouse.restatement import MERGED, RESTORED, SPLIT, Restatement
from warehouse.tables import crosswalk, golden_customer, staged_customer

EXAMPLES = 10


@dataclass(frozen=True)
class Side:
    """One of two customers that would become one, or of one that would become two.

    Attributes:
        golden_id: its id.
        name: its name, as its first record has it.
        records: its records.
    """

    golden_id: str
    name: str | None
    records: tuple[str, ...]


@dataclass(frozen=True)
class Rehearsal:
    """What would change.

    Attributes:
        made: the restatement.
        changed: customers that stay with other values.
        opened, closed: merge suggestions.
        over: budgets that it exceeds.
        merges: examples of customers that would become one.
        splits: examples of customers that would become two.
    """

    made: Restatement
    changed: int
    opened: int
    closed: int
    over: tuple[Excess, ...]
    merges: tuple[tuple[Side, Side], ...]
    splits: tuple[tuple[Side, Side], ...]


class _Seen(Exception):
    """Breaks the publish's transaction off with what was seen in it."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        super().__init__("seen")
        self.rehearsal = rehearsal


@contextmanager
def varied(home: Path, settings: Settings, rules: Path | None = None) -> Iterator[Deployment]:
    """A home opened with the behavior of other settings; whatever is made in it is taken back.

    Args:
        home: the home.
        settings: other settings or models.
        rules: a folder whose ``sources/*.yml`` take the place of the home's; its newest
            snapshots are staged again with them.

    Raises:
        ConfigError: a section of the settings or a source is wrong, or a source cannot be staged.
    """
    matching, policy, quality, gate_policy = check_settings(settings)
    with (
        opened(home) as deployment,
        lake.tried(deployment.lake) as folder,
        trial.tried(deployment.warehouse) as warehouse,
    ):
        other = replace(
            deployment,
            settings=settings,
            warehouse=warehouse,
            lake=folder,
            matching=matching,
            policy=policy,
            quality=quality,
            gate=gate_policy,
            kept={},
        )
        if rules is not None:
            other = replace(other, sources=_sources(deployment, rules))
            _restage(other)
        yield other


def _sources(deployment: Deployment, rules: Path) -> dict[str, SourceConfig]:
    """The home's sources, with those of another folder in their place.

    Raises:
        ConfigError: a source there is wrong, or the home has none of its name.
    """
    found = load_sources(rules)
    strange = sorted(found.keys() - deployment.sources.keys() - deployment.broken.keys())
    if strange or not found:
        raise ConfigError(
            f"--rules {rules}",
            "its sources must be sources of the home: their records are cleaned anew",
            found=", ".join(strange) or "no sources/*.yml",
            do=f"The home has {', '.join(sorted(deployment.sources)) or 'none'}.",
        )
    return {**deployment.sources, **found}


def _restage(deployment: Deployment) -> None:
    """Stage the newest snapshot of every source that was staged before.

    Raises:
        ConfigError: one cannot be staged with these rules.
    """
    for name in sorted(deployment.sources):
        manifest = snapshot.latest(deployment.lake, name)
        if manifest is None or sync_runs.last_sync(deployment.warehouse, name) is None:
            continue
        done = sources.stage(deployment, name, manifest)
        if not done.good:
            raise ConfigError(f"source {name}", done.message, do="Mend its YAML of --rules.")


def rehearse(deployment: Deployment) -> Rehearsal | None:
    """What a publish would change now; None: nothing.

    Raises:
        DecisionConflict: stewards' decisions in force contradict each other.
        PublishError: the result would lose a record or misuse an id.
    """
    wh = deployment.warehouse

    def look(connection: sa.Connection, published: Published, made: Restatement) -> None:
        changed = published.count("golden_customer", "changed")
        opened_now = published.count("merge_suggestion", "added")
        raise _Seen(
            Rehearsal(
                made=restatement.inside(connection, made.since, made.until),
                changed=changed,
                opened=opened_now,
                closed=published.count("merge_suggestion", "deleted"),
                over=gate.exceeded(made, changed, opened_now, deployment.gate),
                merges=(),
                splits=tuple(_examples(connection, made, (SPLIT, RESTORED))),
            )
        )

    try:
        publishing.rehearse(deployment, look)
    except _Seen as seen:
        return replace(seen.rehearsal, merges=tuple(_merges(wh, seen.rehearsal.made)))
    return None


def _merges(wh: Warehouse, made: Restatement) -> Iterator[tuple[Side, Side]]:
    """As published now, where both still are."""
    with wh.read() as connection:
        yield from _examples(connection, made, (MERGED,))


def _examples(
    connection: sa.Connection, made: Restatement, causes: tuple[str, ...]
) -> Iterator[tuple[Side, Side]]:
    """Pairs of customers as the connection sees them, the first ones by id."""
    found = 0
    for one in made.moved:
        if one.cause in causes and one.other_golden_id is not None:
            sides = [_side(connection, name) for name in (one.other_golden_id, one.golden_id)]
            if all(side.records for side in sides):
                yield sides[0], sides[1]
                found += 1
        if found == EXAMPLES:
            return


def _side(connection: sa.Connection, golden_id: str) -> Side:
    held = sa.select(crosswalk.c.record_id).where(crosswalk.c.golden_id == golden_id)
    records = sorted(connection.execute(held).scalars())
    name = connection.execute(
        sa.select(golden_customer.c.name).where(golden_customer.c.golden_id == golden_id)
    ).scalar()
    if name is None and records:
        of_record = sa.select(staged_customer.c.name).where(
            staged_customer.c.record_id == records[0]
        )
        name = connection.execute(of_record).scalar()
    return Side(golden_id, name, tuple(records))

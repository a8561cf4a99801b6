"""Everything held on one person, for the person: by store, source and snapshot.

What belongs here: gathering, from the same list and by the same search as erasure
(held.py), so that what is shown is what would be erased. Columns that may tell of other
people are left out; how many rows of them there are is said.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.reading import POSITION, SOURCE_KEY
from onefold.errors import NotThere
from pipelines.stages import held
from pipelines.stages.deployment import Deployment
from pipelines.stages.held import Whom
from warehouse import customers, export_places
from warehouse import erasing as tables
from warehouse.moments import now


@dataclass(frozen=True)
class Value:
    """A golden value and where it came from.

    Attributes:
        field: its column.
        value: as published.
        source, source_key: the record it came from; None: nobody holds it (a steward's value).
        rule: the survivorship rule that chose it.
    """

    field: str
    value: Any
    source: str | None
    source_key: str | None
    rule: str


@dataclass(frozen=True)
class Raw:
    """A record exactly as its source had it.

    Attributes:
        source, source_key, position: which, and where it stood.
        sync_id: the snapshot; the first of those that hold it so.
        snapshots: how many snapshots hold it so.
        values: column → value, the filled ones.
    """

    source: str
    source_key: str
    position: str
    sync_id: str
    snapshots: int
    values: dict[str, str]


@dataclass(frozen=True)
class Subject:
    """What is held on one person.

    Attributes:
        golden_id: the customer; None: a record that is in none.
        at: when this was gathered, UTC.
        golden: golden values, each with its origin.
        raw: records as read, in every form that a snapshot holds.
        tables: table → rows about the person.
        sources: source → what it is and who owns it.
        exports: where golden customers were exported to.
    """

    golden_id: str | None
    at: datetime
    golden: tuple[Value, ...]
    raw: tuple[Raw, ...]
    tables: dict[str, list[dict[str, Any]]]
    sources: dict[str, dict[str, str]]
    exports: tuple[str, ...]


def gather(deployment: Deployment, whom: Whom) -> Subject:
    """Everything held on a person; reads only.

    Raises:
        NotThere: nothing is held.
    """
    (looked,) = held.look(deployment, [whom])
    wh, target = deployment.warehouse, looked.target
    raw = _raw(looked)
    names = sorted(
        {one.source for one in raw} | {one.partition(":")[0] for one in target.record_ids}
    )
    return Subject(
        target.golden_id,
        now(),
        _golden(deployment, target.golden_id),
        raw,
        tables.held(wh, target),
        {
            name: {"description": config.description or "", "owner": config.owner or ""}
            for name in names
            if (config := deployment.sources.get(name)) is not None
        },
        tuple(f"{one.kind} {one.where}" for one in export_places.listed(deployment.settings.home)),
    )


def _golden(deployment: Deployment, golden_id: str | None) -> tuple[Value, ...]:
    if golden_id is None:
        return ()
    try:
        found = customers.get(deployment.warehouse, golden_id)
    except NotThere:
        return ()
    if isinstance(found, customers.Ended):
        return ()
    values = []
    for field, value in found.values.items():
        if value in (None, [], {}):
            continue
        items = value if isinstance(value, list) else [value]
        origins = {one.item: one for one in found.origins.get(field, ())}
        for place, item in enumerate(items):
            of = origins.get(place) or origins.get(0)
            values.append(
                Value(
                    field,
                    item,
                    of.source if of else None,
                    of.source_key if of else None,
                    of.rule if of else "",
                )
            )
    return tuple(values)


def _raw(looked: held.Looked) -> tuple[Raw, ...]:
    """Each record once for every form that it had."""
    found: dict[tuple[str, str, str], Raw] = {}
    for one in looked.raw:
        source = one.manifest.source
        for row, content in zip(one.rows.to_pylist(), one.content, strict=True):
            name = (source, row[SOURCE_KEY], content)
            known = found.get(name)
            if known is not None:
                found[name] = Raw(**{**vars(known), "snapshots": known.snapshots + 1})
                continue
            values = {
                column: row[column] for column in one.manifest.columns if row[column] is not None
            }
            found[name] = Raw(
                source, row[SOURCE_KEY], row[POSITION] or "", one.manifest.sync_id, 1, values
            )
    return tuple(found[name] for name in sorted(found))

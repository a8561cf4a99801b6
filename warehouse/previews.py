"""What a judgement or its undoing would change, worked out without writing.

The groups are what decisions enforce, so they come true with the next run as
long as nothing else joins or leaves; ids follow from dedupe.identity.assign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from dedupe.identity import CROSSWALK_SCHEMA, FORMER_SCHEMA, assign
from onefold.errors import CaseTaken
from warehouse import judgements
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.tables import crosswalk, former_member

_AT_ONCE = 400
CLUSTERS_SCHEMA = pa.schema([("record_id", pa.string()), ("cluster_id", pa.string())])


@dataclass(frozen=True)
class Outcome:
    """A golden customer as it would be.

    Attributes:
        golden_id: its id; None for one that would be new.
        record_ids: its records, sorted.
        was: the customers that its records are in now.
        restored: whether the id was retired and would come back.
    """

    golden_id: str | None
    record_ids: tuple[str, ...]
    was: tuple[str, ...]
    restored: bool


@dataclass(frozen=True)
class Preview:
    """What would change.

    Attributes:
        outcomes: the customers concerned, as they would be, largest first.
        joined: ids that would be absorbed by another.
        restored: retired ids that would come back.
        created: customers that would get a new id.
    """

    outcomes: tuple[Outcome, ...]
    joined: tuple[str, ...]
    restored: tuple[str, ...]
    created: int

    @property
    def changes(self) -> bool:
        """Whether any customer would have other records."""
        return bool(self.joined or self.restored or self.created)


def of_judgement(
    wh: Warehouse, case_id: str, kind: str, groups: judgements.Groups | None = None
) -> Preview:
    """What judging a case would change.

    Raises:
        CaseTaken: a run settled the case.
        DecisionConflict: the groups are not its records, each once.
    """
    case = judgements.shown(wh, [case_id]).get(case_id)
    if case is None:
        raise CaseTaken(case_id, "settled", None, None)
    records = [one for group in case.groups.values() for one in group]
    if kind == "link":
        parts = [sorted(records)]
    elif kind == "groups":
        parts = judgements.partition(f"case {case_id}", groups or [], records)
    else:
        parts = list(case.groups.values())
    return _preview(wh, parts)


def of_unmerge(wh: Warehouse, golden_id: str, groups: judgements.Groups) -> Preview:
    """What parting a golden customer would change.

    Raises:
        DecisionConflict: the groups are not its records, each once.
    """
    records = judgements.records_of(wh, golden_id)
    return _preview(wh, judgements.partition(f"unmerge {golden_id}", groups, records))


def of_undo(wh: Warehouse, judgement_id: str) -> Preview:
    """What undoing a judgement would change, if matching groups the records as it did before.

    Raises:
        WarehouseError: there is no such judgement.
    """
    with wh.read(REVIEW) as connection:
        row = judgements.read(connection, judgement_id)
    before = (row.evidence or {}).get("before") or {}
    return _preview(wh, list(before.values()) if row.kind != "no_link" else [])


def _preview(wh: Warehouse, parts: Sequence[Sequence[str]]) -> Preview:
    wanted = [one for part in parts for one in part]
    with wh.read() as connection:
        touched = _golden_ids(connection, wanted)
        now = _records(connection, crosswalk, sorted(set(touched.values())))
        former = _former(connection, [record for record, _ in now])
        live = {golden_id for _, golden_id in now}
    golden_of = dict(now)
    group_of = {one: min(part) for part in parts for one in part if one in golden_of}
    rest = {golden_id: min(one for one, at in now if at == golden_id) for golden_id in live}
    clusters = [(one, group_of.get(one, f"\0{rest[at]}")) for one, at in now]
    found = assign(
        pa.Table.from_pylist(
            [{"record_id": a, "cluster_id": b} for a, b in clusters], schema=CLUSTERS_SCHEMA
        ),
        pa.Table.from_pylist(
            [{"record_id": a, "golden_id": b} for a, b in now], schema=CROSSWALK_SCHEMA
        ),
        sorted(live),
        1,
        former,
    )
    events = {row["golden_id"]: row["event"] for row in found.events.to_pylist()}
    held: dict[str, list[str]] = {}
    for row in found.crosswalk.to_pylist():
        held.setdefault(row["golden_id"], []).append(row["record_id"])
    outcomes = [
        Outcome(
            None if events.get(golden_id) in ("split", "created") else golden_id,
            tuple(sorted(ids)),
            tuple(sorted({golden_of[one] for one in ids})),
            events.get(golden_id) == "restored",
        )
        for golden_id, ids in held.items()
    ]
    outcomes.sort(key=lambda one: (-len(one.record_ids), one.record_ids))
    return Preview(
        tuple(outcomes),
        tuple(sorted(golden_id for golden_id in live if golden_id not in held)),
        tuple(sorted(one.golden_id for one in outcomes if one.restored and one.golden_id)),
        sum(one.golden_id is None for one in outcomes),
    )


def _golden_ids(connection: sa.Connection, records: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(records), _AT_ONCE):
        some = [one.split(":", 1) for one in records[start : start + _AT_ONCE]]
        keys = sa.tuple_(crosswalk.c.source, crosswalk.c.source_key)
        query = sa.select(crosswalk.c.record_id, crosswalk.c.golden_id)
        for row in connection.execute(query.where(keys.in_([tuple(key) for key in some]))):
            found[row.record_id] = row.golden_id
    return found


def _records(
    connection: sa.Connection, table: sa.Table, golden_ids: Sequence[str]
) -> list[tuple[str, str]]:
    """Record and golden id of some customers, sorted."""
    found: list[tuple[str, str]] = []
    for start in range(0, len(golden_ids), _AT_ONCE):
        some = golden_ids[start : start + _AT_ONCE]
        query = sa.select(table.c.record_id, table.c.golden_id)
        rows: Any = connection.execute(query.where(table.c.golden_id.in_(some)))
        found += [(row.record_id, row.golden_id) for row in rows]
    return sorted(found)


def _former(connection: sa.Connection, records: Sequence[str]) -> pa.Table:
    """The retired ids that any of the records had, with all records that they had."""
    ids: set[str] = set()
    for start in range(0, len(records), _AT_ONCE):
        query = sa.select(former_member.c.golden_id).where(
            former_member.c.record_id.in_(records[start : start + _AT_ONCE])
        )
        ids |= set(connection.execute(query).scalars())
    rows = _records(connection, former_member, sorted(ids))
    return pa.Table.from_pylist(
        [{"golden_id": b, "record_id": a} for a, b in rows], schema=FORMER_SCHEMA
    )

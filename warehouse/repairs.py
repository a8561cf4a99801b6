"""What stewards mend or let pass: a value to use, or that a finding is all right.

What belongs here: the table ``repair`` of the review store. A repair is made
for one finding, and holds for the record's key and the value as it was read: it
is put in each time the source is staged (rules/repairs.py), for as long as the
source keeps its own value. Nothing is deleted; a repair can be taken back.

Ids are ``R000007-0000001``: of the act, and of the finding within it. One act
that accepts many findings is taken back at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa

from onefold.errors import DecisionConflict, NotThere
from rules.repairs import REPAIRS_SCHEMA, raw_hash
from warehouse import audit, findings, sync_runs
from warehouse.columns import REVIEW
from warehouse.engine import BOTH, Warehouse
from warehouse.findings import Filter, Finding
from warehouse.moments import now, utc
from warehouse.review_tables import repair
from warehouse.tables import quarantine

Kind = Literal["value", "accept"]
LONGEST = 2000
"""Characters of a value at most; the rules take no longer one."""
_AT_ONCE = 5000


@dataclass(frozen=True)
class Repair:
    """A repair.

    Attributes:
        repair_id … undone_at: columns of repair.
        state: ``waiting`` (its source was not staged since), ``used``, ``overtaken`` (the source
            has another value or no such record any more), or ``undone``.
    """

    repair_id: str
    quarantine_id: str | None
    source: str
    source_key: str
    field: str | None
    rule: str
    kind: str
    value: str | None
    reason: str
    repaired_by: str
    repaired_at: datetime
    undone_by: str | None
    undone_at: datetime | None
    state: str

    @property
    def act(self) -> str:
        """The act it is part of."""
        return self.repair_id.partition("-")[0]


def in_force(wh: Warehouse, source: str, source_key: str | None = None) -> pa.Table:
    """The repairs in force for a source as REPAIRS_SCHEMA, in the order in which they were made.

    Args:
        wh: the warehouse.
        source: the source.
        source_key: only those of the record with this key.
    """
    query = (
        sa.select(*(repair.c[name] for name in REPAIRS_SCHEMA.names))
        .where(repair.c.source == source, repair.c.undone_at.is_(None))
        .order_by(repair.c.repair_id)
    )
    if source_key is not None:
        query = query.where(repair.c.source_key == source_key)
    return _table(wh, query)


def in_force_then(wh: Warehouse, source: str, last: str, moment: datetime) -> pa.Table:
    """The repairs that were in force for a source at a moment, as :func:`in_force` gave them.

    Clocks may differ: compare the result with what is known of that moment.

    Args:
        wh: the warehouse.
        source: the source.
        last: the greatest id among them.
        moment: then.
    """
    stood = sa.or_(repair.c.undone_at.is_(None), repair.c.undone_at > moment)
    query = (
        sa.select(*(repair.c[name] for name in REPAIRS_SCHEMA.names))
        .where(repair.c.source == source, repair.c.repair_id <= last, stood)
        .order_by(repair.c.repair_id)
    )
    return _table(wh, query)


def _table(wh: Warehouse, query: sa.Select[Any]) -> pa.Table:
    with wh.read(REVIEW) as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    return pa.Table.from_pylist(rows, schema=REPAIRS_SCHEMA)


def add(
    wh: Warehouse,
    quarantine_id: str,
    kind: Kind,
    login: str,
    *,
    value: str | None = None,
    reason: str = "",
) -> str:
    """Mend the value of a finding, or accept the finding.

    Args:
        wh: the warehouse.
        quarantine_id: the finding; it must still be found.
        kind: value or accept.
        login: who.
        value: what to read in place of the source's value (value); empty: nothing.
        reason: why, in the steward's words; may be empty.

    Returns:
        the repair's id.

    Raises:
        NotThere: there is no such finding.
        DecisionConflict: a repair is in force for it, it is no longer found, or a
            value was given for a whole record.
    """
    found = findings.get(wh, quarantine_id)
    where = f"finding {quarantine_id}"
    if kind == "value" and found.field is None:
        raise DecisionConflict(where, "it is about the whole record, which can be accepted only")
    if kind == "value" and len(value or "") > LONGEST:
        raise DecisionConflict(
            where, "the value is too long", found=f"more than {LONGEST} characters"
        )
    if found.state == "repaired":
        raise DecisionConflict(where, "it is not found any more")
    with wh.write(REVIEW) as connection:
        earlier = connection.execute(
            sa.select(repair.c.repaired_by).where(
                repair.c.quarantine_id == quarantine_id, repair.c.undone_at.is_(None)
            )
        ).scalar()
        if earlier is not None:
            raise DecisionConflict(
                where, "it was dealt with already", found=earlier, do="Undo that first."
            )
        act = _next_act(connection)
        mended = (value or "").strip() if kind == "value" else None
        rows = _rows(act, [found], kind, mended, login, reason)
        connection.execute(sa.insert(repair), rows)
        audit.append(
            connection,
            login,
            "repair_value" if kind == "value" else "accept_finding",
            "finding",
            quarantine_id,
            {"repair_id": rows[0]["repair_id"], "rule": found.rule, "field": found.field},
        )
        return str(rows[0]["repair_id"])


def accept_all(
    wh: Warehouse, wanted: Filter, login: str, expected: int, *, reason: str = ""
) -> tuple[str, int]:
    """Accept every open finding of a filter, if they are still as many as was said.

    Args:
        wh: the warehouse.
        wanted: which findings; of these the open ones.
        login: who.
        expected: how many the steward was told.
        reason: why, in the steward's words.

    Returns:
        the act's id and how many were accepted.

    Raises:
        DecisionConflict: there are none, or more or fewer than was said.
    """
    asked = Filter(**{**wanted.plain(), "state": "open"})
    with wh.write(REVIEW) as connection:  # alone among those who repair
        found = list(_open(wh, asked))
        if len(found) != expected or not found:
            raise DecisionConflict(
                "accepting many findings",
                "they are not as many as you were told",
                found=f"{len(found)} now, {expected} then",
                do="Look at the list again.",
            )
        act = _next_act(connection)
        rows = iter(_rows(act, found, "accept", None, login, reason))
        while some := list(islice(rows, _AT_ONCE)):
            connection.execute(sa.insert(repair), some)
        detail = {"findings": len(found), **asked.plain()}
        audit.append(connection, login, "accept_findings", "repair", act, detail)
    return act, len(found)


_TAKEN = ("quarantine_id", "source", "source_key", "field", "rule", "raw_value")


def _open(wh: Warehouse, asked: Filter) -> list[sa.Row[Any]]:
    made = (quarantine.c.quarantine_id == repair.c.quarantine_id) & repair.c.undone_at.is_(None)
    query = (
        sa.select(*(quarantine.c[name] for name in _TAKEN))
        .select_from(quarantine.outerjoin(repair, made))
        .where(*findings.conditions(asked))
        .order_by(quarantine.c.quarantine_id)
    )
    with wh.read(BOTH) as connection:
        return list(connection.execute(query))


def _next_act(connection: sa.Connection) -> str:
    last = connection.execute(sa.select(sa.func.max(repair.c.repair_id))).scalar()
    return f"R{int(last[1:].partition('-')[0]) + 1 if last else 1:06d}"


def _rows(
    act: str,
    found: Sequence[Finding | sa.Row[Any]],
    kind: Kind,
    value: str | None,
    login: str,
    reason: str,
) -> list[dict[str, Any]]:
    at = now()
    return [
        {
            "repair_id": f"{act}-{number:07d}",
            "quarantine_id": one.quarantine_id,
            "source": one.source,
            "source_key": one.source_key,
            "field": one.field,
            "rule": one.rule,
            "kind": kind,
            "value": value,
            "raw_hash": raw_hash(one.raw_value),
            "reason": reason.strip(),
            "repaired_by": login,
            "repaired_at": at,
        }
        for number, one in enumerate(found, 1)
    ]


def undo(wh: Warehouse, repair_id: str, login: str) -> int:
    """Take a repair back, or all of an act; the next staging reads the source's own values.

    Args:
        wh: the warehouse.
        repair_id: of one repair, or of an act (``R000007``).
        login: who.

    Returns:
        how many repairs were taken back.

    Raises:
        NotThere: there is no such repair.
        DecisionConflict: it was taken back already.
    """
    whole = "-" not in repair_id
    these = (
        repair.c.repair_id.between(f"{repair_id}-", f"{repair_id}.")
        if whole
        else repair.c.repair_id == repair_id
    )
    with wh.write(REVIEW) as connection:
        if connection.execute(sa.select(repair.c.repair_id).where(these).limit(1)).first() is None:
            raise NotThere(f"repair {repair_id}", "there is no such repair")
        standing = these & repair.c.undone_at.is_(None)
        taken = connection.execute(
            sa.update(repair).where(standing).values(undone_by=login, undone_at=now())
        ).rowcount
        if not taken:
            raise DecisionConflict(f"repair {repair_id}", "it was undone already")
        audit.append(connection, login, "undo_repair", "repair", repair_id, {"repairs": taken})
    return taken


def listed(
    wh: Warehouse,
    *,
    source: str | None = None,
    source_key: str | None = None,
    quarantine_id: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> list[Repair]:
    """Repairs, newest first, those taken back and overtaken too.

    Args:
        wh: the warehouse.
        source: only of this source.
        source_key: only of the record with this key.
        quarantine_id: only of this finding.
        after: only those made before this repair (the next page).
        limit: at most so many.
    """
    query = sa.select(repair).order_by(repair.c.repair_id.desc()).limit(limit)
    for column, wanted in (
        (repair.c.source, source),
        (repair.c.source_key, source_key),
        (repair.c.quarantine_id, quarantine_id),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if after:
        query = query.where(repair.c.repair_id < after)
    with wh.read(REVIEW) as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    known = {one: _staged_with(wh, one) for one in {row["source"] for row in rows}}
    found = []
    for row in rows:
        del row["raw_hash"]
        last, overtaken = known[row["source"]]
        row["repaired_at"] = utc(row["repaired_at"])
        row["undone_at"] = row["undone_at"] and utc(row["undone_at"])
        if row["undone_at"]:
            state = "undone"
        elif row["repair_id"] in overtaken:
            state = "overtaken"
        else:
            state = "used" if row["repair_id"] <= last else "waiting"
        found.append(Repair(**row, state=state))
    return found


def _staged_with(wh: Warehouse, source: str) -> tuple[str, frozenset[str]]:
    """The last repair that the source was staged with, and those that found nothing."""
    run = sync_runs.last_sync(wh, source)
    said = ((run.manifest if run is not None else None) or {}).get("repairs", {})
    return said.get("last", ""), frozenset(said.get("overtaken", ()))

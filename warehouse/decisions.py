"""What stewards said: link, no-link, field override.

What belongs here: the table ``decision`` of the review store. A decision is
never deleted; it can be revoked. One that contradicts others in force is
refused with their names: the steward revokes one side, nothing is resolved in
silence.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa

from onefold.errors import DecisionConflict, WarehouseError
from rules.customer import GOLDEN_FIELDS
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.review_tables import decision

Kind = Literal["link", "no_link", "override"]

DECISIONS_SCHEMA = pa.schema(
    [
        pa.field("decision_id", pa.string()),
        pa.field("kind", pa.string()),
        pa.field("left_id", pa.string()),
        pa.field("right_id", pa.string()),
        pa.field("golden_id", pa.string()),
        pa.field("field", pa.string()),
        pa.field("value", pa.string()),
        pa.field("decided_by", pa.string()),
        pa.field("decided_at", pa.timestamp("us", tz="UTC")),
        pa.field("reason", pa.string()),
    ]
)
_FIELDS = frozenset(field.name for field in GOLDEN_FIELDS)


def read(wh: Warehouse) -> pa.Table:
    """The decisions in force as DECISIONS_SCHEMA, in the order in which they were made."""
    with wh.read(REVIEW) as connection:
        found = [dict(row._mapping) for row in _in_force(connection)]
    for row in found:
        row["decided_at"] = _utc(row["decided_at"])
    return pa.Table.from_pylist(found, schema=DECISIONS_SCHEMA)


def _in_force(connection: sa.Connection) -> list[sa.Row[Any]]:
    query = (
        sa.select(*(decision.c[name] for name in DECISIONS_SCHEMA.names))
        .where(decision.c.revoked_at.is_(None))
        .order_by(sa.func.length(decision.c.decision_id), decision.c.decision_id)
    )
    return list(connection.execute(query))


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def add(
    wh: Warehouse,
    kind: Kind,
    *,
    reason: str,
    decided_by: str,
    left_id: str | None = None,
    right_id: str | None = None,
    golden_id: str | None = None,
    field: str | None = None,
    value: str | None = None,
    decided_at: datetime | None = None,
    evidence: dict[str, Any] | None = None,
) -> str:
    """Note a decision and put it in force.

    Args:
        wh: the warehouse.
        kind: link and no_link take left_id and right_id (in any order);
            override takes golden_id, field and value (None: empty on purpose).
        reason: why; required.
        decided_by: who; required.
        left_id: a record.
        right_id: another record.
        golden_id: a golden customer.
        field: one of its fields.
        value: the field's value as text; a list as JSON.
        decided_at: when, UTC; now if not given.
        evidence: what the steward saw, as plain values.

    Returns:
        The decision's id; the id of the one in force if it says the same.

    Raises:
        DecisionConflict: it contradicts decisions in force, which are named; or
            it is incomplete.
        WarehouseError: the database refuses.
    """
    _require(kind, left_id, right_id, golden_id, field, reason, decided_by)
    if kind == "override":
        left_id = right_id = None
    else:
        left_id, right_id = sorted([str(left_id), str(right_id)])
        golden_id = field = value = None
    with wh.write(REVIEW) as connection:
        existing = _in_force(connection)
        same = (kind, left_id, right_id, golden_id, field)
        for row in existing:
            if same == (row.kind, row.left_id, row.right_id, row.golden_id, row.field):
                if kind != "override" or row.value == value:
                    return str(row.decision_id)
                raise DecisionConflict(
                    f"override of {field} of {golden_id}",
                    "another value was decided",
                    found=f"decision {row.decision_id}",
                    do=f"Revoke {row.decision_id} first if it no longer holds.",
                )
        if kind != "override":
            _check(kind, str(left_id), str(right_id), existing)
        number = connection.execute(sa.select(sa.func.count()).select_from(decision)).scalar_one()
        decision_id = f"D{number + 1:06d}"  # rows are never deleted, so the count names the next
        connection.execute(
            sa.insert(decision).values(
                decision_id=decision_id,
                kind=kind,
                left_id=left_id,
                right_id=right_id,
                golden_id=golden_id,
                field=field,
                value=value,
                reason=reason.strip(),
                decided_by=decided_by.strip(),
                decided_at=_utc(decided_at or datetime.now(UTC)),
                evidence=evidence,
            )
        )
    return decision_id


def _require(
    kind: str,
    left_id: str | None,
    right_id: str | None,
    golden_id: str | None,
    field: str | None,
    reason: str,
    decided_by: str,
) -> None:
    where = f"decision {kind}"
    if kind not in {"link", "no_link", "override"}:
        raise DecisionConflict(where, "there is no such kind", do="Say link, no_link or override.")
    if not reason.strip() or not decided_by.strip():
        missing = "reason" if not reason.strip() else "decided_by"
        raise DecisionConflict(where, f"it has no {missing}", do="Say who decided and why.")
    if kind == "override":
        if not golden_id or not field:
            raise DecisionConflict(where, "it names no golden customer and field")
        if field not in _FIELDS:
            raise DecisionConflict(
                where, "a golden customer has no such field", found=field, do="See golden_customer."
            )
    elif not left_id or not right_id or left_id == right_id:
        raise DecisionConflict(where, "it does not name two different records")


def _check(kind: str, left: str, right: str, existing: Iterable[sa.Row[Any]]) -> None:
    """Refuse a pair decision that the ones in force exclude.

    A no_link contradicts a chain of links between its records; a link does so
    when the records it would join, through chains, include a no_link pair.
    """
    links: dict[str, list[tuple[str, str]]] = defaultdict(list)
    no_links = []
    for row in existing:
        if row.kind == "link":
            links[row.left_id].append((row.right_id, row.decision_id))
            links[row.right_id].append((row.left_id, row.decision_id))
        elif row.kind == "no_link":
            no_links.append(row)
    from_left = _reach(links, left)
    if kind == "no_link":
        if right in from_left:
            _refuse(kind, _path(from_left, right))
        return
    from_right = _reach(links, right)
    for row in no_links:
        for one, other in ((row.left_id, row.right_id), (row.right_id, row.left_id)):
            if one in from_left and other in from_right:
                path = [*_path(from_left, one), row.decision_id, *_path(from_right, other)]
                _refuse(kind, path)


def _reach(
    links: dict[str, list[tuple[str, str]]], start: str
) -> dict[str, tuple[str, str] | None]:
    """Records linked to ``start``: each with the step before it and that step's decision."""
    found: dict[str, tuple[str, str] | None] = {start: None}
    queue = deque([start])
    while queue:
        record = queue.popleft()
        for other, decision_id in links.get(record, ()):
            if other not in found:
                found[other] = (record, decision_id)
                queue.append(other)
    return found


def _path(reached: dict[str, tuple[str, str] | None], end: str) -> list[str]:
    path = []
    step = reached[end]
    while step is not None:
        path.append(step[1])
        step = reached[step[0]]
    return path[::-1]


def _refuse(kind: str, decisions: list[str]) -> None:
    named = ", ".join(dict.fromkeys(decisions))
    raise DecisionConflict(
        f"decision {kind}",
        "it contradicts decisions in force",
        found=named,
        do="Revoke one of them first if it no longer holds.",
    )


def revoke(
    wh: Warehouse,
    decision_id: str,
    *,
    revoked_by: str,
    reason: str,
    revoked_at: datetime | None = None,
) -> None:
    """Take a decision back; it stays on record.

    Raises:
        DecisionConflict: it is revoked already, or who or why is missing.
        WarehouseError: there is no such decision; the database refuses.
    """
    if not revoked_by.strip() or not reason.strip():
        missing = "reason" if not reason.strip() else "revoked_by"
        raise DecisionConflict(
            f"revoking {decision_id}", f"it has no {missing}", do="Say who revokes it and why."
        )
    this = decision.c.decision_id == decision_id
    with wh.write(REVIEW) as connection:
        row = connection.execute(sa.select(decision.c.revoked_at).where(this)).first()
        if row is None:
            raise WarehouseError(f"decision {decision_id}", "there is no such decision")
        if row.revoked_at is not None:
            raise DecisionConflict(f"decision {decision_id}", "it is revoked already")
        connection.execute(
            sa.update(decision)
            .where(this)
            .values(
                revoked_at=_utc(revoked_at or datetime.now(UTC)),
                revoked_by=revoked_by.strip(),
                revoked_reason=reason.strip(),
            )
        )

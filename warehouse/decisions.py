"""What stewards said: link, no-link, field override.

What belongs here: the table ``decision`` of the review store. A decision is
never deleted; it can be revoked. One that contradicts others in force is
refused with their names: the steward revokes one side, nothing is resolved in
silence.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa

from dedupe import survivorship
from onefold.errors import DecisionConflict, EarlierDecision, NotThere
from rules.customer import BY_NAME, GOLDEN_FIELDS
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now, utc
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
        row["decided_at"] = utc(row["decided_at"])
    return pa.Table.from_pylist(found, schema=DECISIONS_SCHEMA)


def _in_force(connection: sa.Connection) -> list[sa.Row[Any]]:
    query = (
        sa.select(*(decision.c[name] for name in DECISIONS_SCHEMA.names))
        .where(decision.c.revoked_at.is_(None))
        .order_by(sa.func.length(decision.c.decision_id), decision.c.decision_id)
    )
    return list(connection.execute(query))


def ever_overridden(wh: Warehouse) -> set[str]:
    """Golden ids for which a value was ever pinned, in force or not."""
    query = sa.select(decision.c.golden_id).where(decision.c.kind == "override").distinct()
    with wh.read(REVIEW) as connection:
        return set(connection.execute(query).scalars())


_TOLD = ("decision_id", "kind", "left_id", "right_id", "decided_by", "decided_at", "reason")
_AT_ONCE = 400
"""Records named in one query."""


@dataclass(frozen=True)
class Known:
    """A pair decision: one in force, or one about to be.

    Attributes:
        decision_id, kind, left_id, right_id: as in the table.
        earlier: all of it where it is in force already, else None.
    """

    decision_id: str
    kind: str
    left_id: str
    right_id: str
    earlier: EarlierDecision | None = None


def bearing_on(connection: sa.Connection, record_ids: Iterable[str]) -> list[Known]:
    """The pair decisions in force that bear on records: on them, or on records linked to them."""
    reached: set[str] = set()
    found: dict[str, Known] = {}
    frontier = set(record_ids)
    while frontier:
        reached |= frontier
        joined: set[str] = set()
        for row in _touching(connection, sorted(frontier)):
            found[row.decision_id] = _known(row)
            if row.kind == "link":
                joined |= {row.left_id, row.right_id}
        frontier = joined - reached
    return [found[one] for one in sorted(found, key=lambda one: (len(one), one))]


def _touching(connection: sa.Connection, record_ids: Sequence[str]) -> Iterator[sa.Row[Any]]:
    columns = (*(decision.c[name] for name in _TOLD), decision.c.judgement_id)
    for start in range(0, len(record_ids), _AT_ONCE):
        some = record_ids[start : start + _AT_ONCE]
        for side in (decision.c.left_id, decision.c.right_id):
            yield from connection.execute(
                sa.select(*columns).where(
                    side.in_(some),
                    decision.c.revoked_at.is_(None),
                    decision.c.kind.in_(("link", "no_link")),
                )
            )


def _known(row: sa.Row[Any]) -> Known:
    earlier = earlier_of(row)
    return Known(row.decision_id, row.kind, row.left_id, row.right_id, earlier)


def earlier_of(row: sa.Row[Any]) -> EarlierDecision:
    """A stored decision as errors and pages tell of it."""
    values = {name: getattr(row, name) for name in (*_TOLD, "judgement_id")}
    return EarlierDecision(**{**values, "decided_at": utc(values["decided_at"])})


def next_number(connection: sa.Connection) -> int:
    """The number of the next decision, within a write transaction."""
    number = connection.execute(sa.select(sa.func.count()).select_from(decision)).scalar_one()
    return int(number) + 1  # rows are never deleted, so the count names the next


def named(number: int) -> str:
    """The id of the decision with this number.

    >>> named(7)
    'D000007'
    """
    return f"D{number:06d}"


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
    require(kind, left_id, right_id, golden_id, field, reason, decided_by, value)
    if kind == "override":
        left_id = right_id = None
    else:
        left_id, right_id = sorted([str(left_id), str(right_id)])
        golden_id = field = value = None
    with wh.write(REVIEW) as connection:
        if kind == "override":
            standing = overriding(connection, str(golden_id), str(field))
            if standing is not None:
                if standing.value == value:
                    return str(standing.decision_id)
                raise override_conflict(standing)
        else:
            existing = bearing_on(connection, [str(left_id), str(right_id)])
            for one in existing:
                if (one.kind, one.left_id, one.right_id) == (kind, left_id, right_id):
                    return one.decision_id
            check(kind, str(left_id), str(right_id), existing)
        decision_id = named(next_number(connection))
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
                decided_at=utc(decided_at or now()),
                evidence=evidence,
            )
        )
    return decision_id


def require(
    kind: str,
    left_id: str | None,
    right_id: str | None,
    golden_id: str | None,
    field: str | None,
    reason: str,
    decided_by: str,
    value: str | None = None,
) -> None:
    """Refuse a decision that lacks something, or whose value does not fit its field.

    Raises:
        DecisionConflict: it says what.
    """
    where = f"decision {kind}"
    if kind not in {"link", "no_link", "override"}:
        raise DecisionConflict(where, "there is no such kind", do="Say link, no_link or override.")
    if not reason.strip():
        raise DecisionConflict(where, "it has no reason", do="Say why.")
    if not decided_by.strip():
        raise DecisionConflict(where, "nobody decided it", do="Say who decides.")
    if kind == "override":
        if not golden_id or not field:
            raise DecisionConflict(where, "it names no golden customer and field")
        if field not in _FIELDS:
            raise DecisionConflict(
                where, "a golden customer has no such field", found=field, do="See golden_customer."
            )
        try:
            survivorship.parsed(value, BY_NAME[field].kind)
        except (ValueError, KeyError):
            raise DecisionConflict(
                f"override of {field}",
                "the value does not fit the field",
                found=f"no {BY_NAME[field].kind}",
                do="Give it in the form of the field.",
            ) from None
    elif not left_id or not right_id or left_id == right_id:
        raise DecisionConflict(where, "it does not name two different records")


def overriding(connection: sa.Connection, golden_id: str, field: str) -> sa.Row[Any] | None:
    """The override in force of a customer's field."""
    return connection.execute(
        sa.select(decision).where(
            decision.c.kind == "override",
            decision.c.golden_id == golden_id,
            decision.c.field == field,
            decision.c.revoked_at.is_(None),
        )
    ).first()


def override_conflict(standing: sa.Row[Any]) -> DecisionConflict:
    """That another value is in force for a customer's field."""
    error = DecisionConflict(
        f"override of {standing.field} of {standing.golden_id}",
        "another value was decided",
        found=f"decision {standing.decision_id}",
        do="Revoke it first if it no longer holds.",
    )
    error.chain = (earlier_of(standing),)
    return error


def check(kind: str, left: str, right: str, existing: Iterable[Known]) -> None:
    """Refuse a pair decision that others exclude.

    A no_link contradicts a chain of links between its records; a link does so
    when the records it would join, through chains, include a no_link pair.

    Args:
        kind: link or no_link.
        left: a record.
        right: another record.
        existing: at least all of :func:`bearing_on` the two.

    Raises:
        DecisionConflict: with the chain of decisions that exclude it.
    """
    links: dict[str, list[tuple[str, Known]]] = defaultdict(list)
    no_links = []
    for one in existing:
        if one.kind == "link":
            links[one.left_id].append((one.right_id, one))
            links[one.right_id].append((one.left_id, one))
        elif one.kind == "no_link":
            no_links.append(one)
    from_left = _reach(links, left)
    if kind == "no_link":
        if right in from_left:
            _refuse(kind, _path(from_left, right))
        return
    from_right = _reach(links, right)
    for one in no_links:
        for near, far in ((one.left_id, one.right_id), (one.right_id, one.left_id)):
            if near in from_left and far in from_right:
                _refuse(kind, [*_path(from_left, near), one, *_path(from_right, far)[::-1]])


def _reach(
    links: dict[str, list[tuple[str, Known]]], start: str
) -> dict[str, tuple[str, Known] | None]:
    """Records linked to ``start``: each with the step before it and that step's decision."""
    found: dict[str, tuple[str, Known] | None] = {start: None}
    queue = deque([start])
    while queue:
        record = queue.popleft()
        for other, by in links.get(record, ()):
            if other not in found:
                found[other] = (record, by)
                queue.append(other)
    return found


def _path(reached: dict[str, tuple[str, Known] | None], end: str) -> list[Known]:
    path = []
    step = reached[end]
    while step is not None:
        path.append(step[1])
        step = reached[step[0]]
    return path[::-1]


def _refuse(kind: str, chain: Sequence[Known]) -> None:
    told = {one.decision_id: one.earlier for one in chain if one.earlier is not None}
    error = DecisionConflict(
        f"decision {kind}",
        "it contradicts decisions in force",
        found=", ".join(told),
        do="Revoke one of them first if it no longer holds.",
    )
    error.chain = tuple(told.values())
    raise error


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
        NotThere: there is no such decision.
        WarehouseError: the database refuses.
    """
    where = f"revoking {decision_id}"
    if not reason.strip():
        raise DecisionConflict(where, "it has no reason", do="Say why.")
    if not revoked_by.strip():
        raise DecisionConflict(where, "nobody revokes it", do="Say who.")
    this = decision.c.decision_id == decision_id
    with wh.write(REVIEW) as connection:
        row = connection.execute(sa.select(decision.c.revoked_at).where(this)).first()
        if row is None:
            raise NotThere(f"decision {decision_id}", "there is no such decision")
        if row.revoked_at is not None:
            raise DecisionConflict(f"decision {decision_id}", "it is revoked already")
        end(connection, decision_id, revoked_by, reason, revoked_at)


def end(
    connection: sa.Connection,
    decision_id: str,
    revoked_by: str,
    reason: str,
    revoked_at: datetime | None = None,
) -> None:
    """Revoke a decision that is in force, within a write transaction."""
    connection.execute(
        sa.update(decision)
        .where(decision.c.decision_id == decision_id)
        .values(
            revoked_at=utc(revoked_at or now()),
            revoked_by=revoked_by.strip(),
            revoked_reason=reason.strip(),
        )
    )

"""Whom an erasure is about: a customer, its earlier ids, its records and its cases."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from onefold.errors import NotThere
from warehouse.engine import Warehouse
from warehouse.erasures import Target
from warehouse.tables import (
    case_member,
    crosswalk,
    earlier_member,
    former_member,
    golden_customer_history,
    lineage_event,
    redirect,
)

_AT_ONCE = 400
_Value = TypeVar("_Value")


def customer(wh: Warehouse, golden_id: str) -> Target:
    """All that names a customer; a retired id stands for the customer it became.

    Raises:
        NotThere: the id was never published, or the customer was erased.
    """
    with wh.read() as connection:
        successor = connection.execute(
            sa.select(redirect.c.successor).where(redirect.c.golden_id == golden_id)
        ).first()
        if successor is not None and successor[0] is not None:
            golden_id = successor[0]
        known = connection.execute(
            sa.select(golden_customer_history.c.golden_id)
            .where(golden_customer_history.c.golden_id == golden_id)
            .limit(1)
        ).first()
        if known is None:
            raise NotThere(f"customer {golden_id}", "this id was never published")
        if golden_id in erased(connection, [golden_id]):
            raise NotThere(f"customer {golden_id}", "it was erased already")
        led = connection.execute(
            sa.select(redirect.c.golden_id).where(redirect.c.successor == golden_id)
        ).scalars()
        return _target(connection, golden_id, sorted({golden_id, *led}), [])


def record(wh: Warehouse, source: str, source_key: str) -> Target:
    """All that names the customer whom a record belongs to.

    If it is in none: the record, and the ended customers it was.
    """
    record_id = f"{source}:{source_key}"
    with wh.read() as connection:
        found = connection.execute(
            sa.select(crosswalk.c.golden_id).where(
                crosswalk.c.source == source, crosswalk.c.source_key == source_key
            )
        ).scalar()
    if found is None:
        return with_records(wh, Target(None, (), ()), [record_id])
    return customer(wh, found)


def with_records(wh: Warehouse, target: Target, record_ids: Iterable[str]) -> Target:
    """A target with further records that are nobody's now, and the ended customers they were."""
    every = sorted({*target.record_ids, *record_ids})
    ids = set(target.golden_ids)
    with wh.read() as connection:
        last = {one for ids in _last(connection, record_ids).values() for one in ids}
        for some in pieces(sorted(last)):
            query = sa.select(redirect.c.golden_id).where(
                redirect.c.golden_id.in_(some), redirect.c.successor.is_(None)
            )
            ids |= set(connection.execute(query).scalars())
        ids -= erased(connection, sorted(ids))
        return _target(connection, target.golden_id, sorted(ids), every)


def _target(
    connection: sa.Connection, golden_id: str | None, golden_ids: list[str], records: list[str]
) -> Target:
    mine = sa.select(crosswalk.c.record_id).where(crosswalk.c.golden_id.in_(golden_ids))
    live = {*records, *connection.execute(mine).scalars()}
    named = set(live)
    for table in (former_member, earlier_member):
        chosen = sa.select(table.c.record_id).where(table.c.golden_id.in_(golden_ids))
        named |= set(connection.execute(chosen).scalars())
    # A record that left this customer and is another one's now is that one's.
    others = sa.select(crosswalk.c.record_id).where(
        crosswalk.c.golden_id.not_in(golden_ids or [""])
    )
    for some in pieces(sorted(named)):
        named -= set(connection.execute(others.where(crosswalk.c.record_id.in_(some))).scalars())
    # So is one that moved to another customer before both were gone.
    named -= {
        one for one, last in _last(connection, named - live).items() if not last & set(golden_ids)
    }
    cases: set[str] = set()
    for column, ids in ((case_member.c.record_id, named), (case_member.c.golden_id, golden_ids)):
        for some in pieces(sorted(ids)):
            query = sa.select(case_member.c.case_id).where(column.in_(some))
            cases |= set(connection.execute(query).scalars())
    return Target(golden_id, tuple(golden_ids), tuple(sorted(named)), tuple(sorted(cases)))


def _last(connection: sa.Connection, record_ids: Iterable[str]) -> dict[str, set[str]]:
    """Record that left a customer → the customer that it left last: it was nobody else's since."""
    found: dict[str, set[str]] = {}
    when: dict[str, Any] = {}
    for some in pieces(sorted(set(record_ids))):
        former = former_member.c.record_id.in_(some)
        for row in connection.execute(sa.select(former_member).where(former)):
            found.setdefault(row.record_id, set()).add(row.golden_id)
        left = earlier_member.c.record_id.in_(some)
        order = earlier_member.c.left_at
        for row in connection.execute(sa.select(earlier_member).where(left).order_by(order)):
            if when.get(row.record_id) != row.left_at:  # later than all before
                found[row.record_id] = set()
            when[row.record_id] = row.left_at
            found[row.record_id].add(row.golden_id)
    return found


def erased(connection: sa.Connection, golden_ids: Sequence[str]) -> set[str]:
    """Which of these customers were erased."""
    found: set[str] = set()
    for some in pieces(golden_ids):
        query = sa.select(lineage_event.c.golden_id).where(
            lineage_event.c.golden_id.in_(some), lineage_event.c.event == "erased"
        )
        found |= set(connection.execute(query).scalars())
    return found


def pieces(values: Iterable[_Value]) -> Iterator[list[_Value]]:
    """Values in lists that are short enough for a statement."""
    every = list(values)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]

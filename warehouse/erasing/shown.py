"""What old versions of other customers show of a person: values of records once merged by mistake.

What belongs here: taking them out, while the record's rows still say who once had it. The current
version of such a customer was made without the record, and is not touched. Which old versions of
a customer were equal stays known (``blanked_version``), so that restatements of the past count
as they did.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from rules.customer import BY_NAME, GOLDEN_FIELDS, GROUPS, PERSONAL
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.erasing.held import Named
from warehouse.erasing.whom import pieces
from warehouse.erasures import Target
from warehouse.golden_tables import GOLDEN
from warehouse.holdings import KEPT_OF_HISTORY
from warehouse.review_tables import decision
from warehouse.tables import (
    blanked_version,
    crosswalk,
    earlier_member,
    former_member,
    golden_customer_history,
    staged_customer,
)

_GROUPED = {name: names for names in GROUPS.values() for name in names}
_FIELDS = tuple(
    each.name
    for each in GOLDEN_FIELDS
    if each.name not in _GROUPED
    and (each.name in PERSONAL or each.name in {"org_code", "license_no"})
)
"""Fields that are looked at one by one; of a group its first one is."""
HEADS = (*_FIELDS, *(names[0] for names in GROUPS.values() if names[0] in PERSONAL | {"tax_id"}))
"""Fields by which a value is known to be a person's."""


def once_with(wh: Warehouse, target: Target) -> list[str]:
    """Other customers that once had one of the records; by id."""
    with wh.read() as connection:
        return _once_with(connection, target)


def _once_with(connection: sa.Connection, target: Target) -> list[str]:
    found: set[str] = set()
    for table in (earlier_member, former_member):
        for some in pieces(target.record_ids):
            query = sa.select(table.c.golden_id).where(table.c.record_id.in_(some))
            found |= set(connection.execute(query).scalars())
    return sorted(found - set(target.golden_ids))


def said(
    wh: Warehouse, target: Target, records: Iterable[Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    """Field → what a customer's records say in it, and what stewards ever pinned for it.

    Args:
        wh: the warehouse.
        target: the customer.
        records: its records in every form that was read, cleaned.
    """
    found = _said_by(records)
    with wh.read(REVIEW) as connection:
        for some in pieces(target.golden_ids):
            query = sa.select(decision.c.field, decision.c.value).where(
                decision.c.golden_id.in_(some),
                decision.c.value.is_not(None),
                decision.c.field.in_(HEADS),
            )
            for name, value in connection.execute(query):
                is_text = BY_NAME[name].kind in {"text", "date"}
                pinned = _items(value if is_text else json.loads(value))
                found.setdefault(name, set()).update(pinned)
    return {name: tuple(sorted(texts)) for name, texts in found.items()}


def _said_by(rows: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """What records, or versions of customers, say."""
    found: dict[str, set[str]] = {name: set() for name in HEADS}
    for row in rows:
        for name in HEADS:
            value = row[name]
            if isinstance(value, str) and BY_NAME[name].kind == "json":
                value = json.loads(value)
            found[name] |= _items(value)
    return {name: texts for name, texts in found.items() if texts}


def _items(value: Any) -> set[str]:
    """The texts of a cell: none where it is empty."""
    if value is None:
        return set()
    if isinstance(value, str):
        return {value}
    if isinstance(value, (date, datetime)):
        return {value.isoformat()}
    if isinstance(value, Mapping):
        return {_item(key, one) for key, one in value.items()}
    return {one for one in value if one}


def _item(key: str, value: Any) -> str:
    return json.dumps([key, value], ensure_ascii=False)


def blank(connection: sa.Connection, targets: Collection[Target], records: Collection[str]) -> int:
    """Take persons' values out of old versions of customers that once had a record of theirs.

    Call it before the rows that say so are deleted.

    Args:
        connection: of the warehouse store, writing.
        targets: whom is erased.
        records: all their records.

    Returns:
        versions that lost a value.
    """
    own = {one for target in targets for one in target.golden_ids}
    count = 0
    for target in targets:
        for golden_id in _once_with(connection, target):
            if golden_id not in own:
                count += _blank(connection, golden_id, target, set(records))
    return count


def _blank(connection: sa.Connection, golden_id: str, target: Target, records: set[str]) -> int:
    of = golden_customer_history.c
    query = sa.select(*of).where(of.golden_id == golden_id)
    versions = [dict(row) for row in connection.execute(query).mappings()]
    theirs = _said_by(one for one in versions if one["is_current"])
    for name, texts in _said_by(_others(connection, golden_id, records)).items():
        theirs.setdefault(name, set()).update(texts)
    named = Named([target])

    def goes(name: str, text: str) -> bool:
        known = text in target.said.get(name, ()) or named.says(text)
        return known and text not in theirs.get(name, ())

    changes = [(one, _changes(one, goes)) for one in versions if not one["is_current"]]
    lost = [(one, change) for one, change in changes if change]
    note_equal(connection, golden_id, [one["valid_from"] for one, _ in lost])
    for one, change in lost:
        this = (of.golden_id == golden_id) & (of.valid_from == one["valid_from"])
        connection.execute(sa.update(golden_customer_history).where(this).values(change))
    return len(lost)


def _others(
    connection: sa.Connection, golden_id: str, records: set[str]
) -> Iterable[Mapping[str, Any]]:
    """The staged records that a customer has or had, without some."""
    ids: set[str] = set()
    for table in (crosswalk, earlier_member, former_member):
        query = sa.select(table.c.record_id).where(table.c.golden_id == golden_id)
        ids |= set(connection.execute(query).scalars())
    columns = [staged_customer.c[name] for name in HEADS]
    for some in pieces(sorted(ids - records)):
        query = sa.select(*columns).where(staged_customer.c.record_id.in_(some))
        yield from map(dict, connection.execute(query).mappings())


def _changes(version: Mapping[str, Any], goes: Callable[[str, str], bool]) -> dict[str, Any]:
    """What is to stand in the cells of a version that hold something of what goes."""
    found: dict[str, Any] = {}
    for name in HEADS:
        value = version[name]
        if not any(goes(name, one) for one in _items(value)):
            continue
        group = [one for one in _GROUPED.get(name, (name,)) if one not in KEPT_OF_HISTORY]
        if isinstance(value, Mapping):
            left = {key: one for key, one in value.items() if not goes(name, _item(key, one))}
            found[name] = left or None
        elif isinstance(value, list):
            stay = [place for place, one in enumerate(value) if not one or not goes(name, one)]
            for each in group:  # the lists of a group go together
                held = version[each]
                found[each] = None if held is None else [held[place] for place in stay]
        else:
            found |= dict.fromkeys(group)
    return {name: sa.null() if value is None else value for name, value in found.items()}


def note_equal(
    connection: sa.Connection, golden_id: str, moments: Collection[Any] | None = None
) -> None:
    """Note of versions that lose values which of the customer's were equal until now.

    Args:
        connection: of the warehouse store, writing.
        golden_id: the customer.
        moments: when the versions began that lose values; None: all of them.
    """
    of, known = golden_customer_history.c, blanked_version.c
    query = (
        sa.select(of.valid_from, known.same_as, *(of[name] for name in GOLDEN))
        .select_from(
            golden_customer_history.outerjoin(
                blanked_version,
                (known.golden_id == of.golden_id) & (known.valid_from == of.valid_from),
            )
        )
        .where(of.golden_id == golden_id)
        .order_by(of.valid_from)
    )
    first: dict[str, Any] = {}
    same_as = {}
    for valid_from, before, *values in connection.execute(query):
        same_as[valid_from] = first.setdefault(str([before, *values]), valid_from)
    rows = [
        {"golden_id": golden_id, "valid_from": at, "same_as": first_at}
        for at, first_at in same_as.items()
        if moments is None or at in moments
    ]
    if rows:
        this = known.golden_id == golden_id
        for some in pieces([row["valid_from"] for row in rows]):
            connection.execute(sa.delete(blanked_version).where(this, known.valid_from.in_(some)))
        connection.execute(sa.insert(blanked_version), rows)

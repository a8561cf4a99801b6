"""Golden customers found by what somebody types: name, reading, number, address, id.

What belongs here: the table ``customer_search``, written within the
transaction of a publish for the customers that changed, and its queries. What
the keys are stands in dedupe/search_keys.py.
"""

import functools
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dedupe import search_keys
from warehouse import bulk, rows, text_form
from warehouse.engine import Warehouse
from warehouse.sealing import Sealer, sealer_of
from warehouse.tables import customer_search, golden_customer, redirect

_KEYS = search_keys.SCHEMA.names
_AT_ONCE = 50_000
"""Customers whose keys are made at once."""
_WRITTEN_AT_ONCE = 500_000
"""Keys that are written at once."""
_IDENTIFIERS = ("national_id", "tax_id", "org_code", "license_no")
READ = ["golden_id", "name", "org_brand", "other_names", "phones", "emails", *_IDENTIFIERS]
_SAID = [name for name in READ[1:] if name != "org_brand"]
_LISTS = {"other_names", "phones", "emails"}
_TYPES = pa.schema(
    [(name, pa.list_(pa.string()) if name in _LISTS else pa.string()) for name in READ]
)
_HASHED = "#"
"""What keyed hashes begin with; no folded text does."""
_AFTER_ALL = "\U0010ffff"
_LOOKED_AT = 40
"""Rows read per customer asked for: a customer may have many keys with one beginning."""
_ONE_BY_ONE = 10_000
"""Keys whose customers are looked up one by one; of more, sets of customers are compared."""


@dataclass(frozen=True)
class Found:
    """A customer that a search found.

    Attributes:
        golden_id: the live id.
        kind: which kind of key was found: golden_id, name, reading, phone, email,
            identifier or source_key.
        exact: whether the whole key was typed.
        retired_id: the id that was typed, where it leads to this one.
    """

    golden_id: str
    kind: str
    exact: bool
    retired_id: str | None = None


def write(
    connection: sa.Connection, golden: pa.Table, crosswalk: pa.Table, touched: Iterable[str] | None
) -> dict[str, int]:
    """Make the keys of customers what they should be.

    Args:
        connection: of the publish's transaction.
        golden: the golden customers as a text table.
        crosswalk: source, source_key, golden_id.
        touched: customers that are new, changed, ended or hold other records;
            None: all of them.

    Returns:
        Rows added, changed, deleted.
    """
    if touched is not None:
        wanted = pa.array(sorted(touched), pa.string())
        golden = golden.filter(pc.is_in(golden["golden_id"], value_set=wanted))
        crosswalk = crosswalk.filter(pc.is_in(crosswalk["golden_id"], value_set=wanted))
    sealer = sealer_of(connection.dialect)
    empty = bulk.is_empty(connection, customer_search)
    if empty and connection.dialect.name == "sqlite":
        return _fill(connection, golden, crosswalk, sealer)
    counts = {"added": 0, "changed": 0, "deleted": 0}
    ids = _every(connection, golden) if touched is None else wanted
    records = crosswalk.select(["source", "source_key", "golden_id"])
    with bulk.indexes_last(connection, customer_search):
        for some, own, held in zip(
            _parts(ids), _of_parts(golden, ids), _of_parts(records, ids), strict=True
        ):
            known = [] if empty else some.to_pylist()
            stored = rows.read_of(connection, customer_search, _KEYS, "golden_id", known)
            change = rows.difference(stored, _sorted(_keys(own, held, sealer), some), _KEYS, [])
            rows.delete(connection, customer_search, change.deleted, _KEYS)
            rows.insert(connection, customer_search, change.added)
            for what, count in change.counts.items():
                counts[what] += count
    return counts


def _parts(ids: pa.Array) -> Iterator[pa.Array]:
    """The ids, _AT_ONCE at a time."""
    return (ids.slice(start, _AT_ONCE) for start in range(0, len(ids), _AT_ONCE))


def _of_parts(table: pa.Table, ids: pa.Array) -> Iterator[pa.Table]:
    """The rows of each of the :func:`_parts` of ids; every row's golden_id is one of these."""
    part = np.asarray(pc.index_in(table["golden_id"], ids)) // _AT_ONCE
    if (np.diff(part) < 0).any():
        order = np.argsort(part, kind="stable")
        table, part = table.take(pa.array(order)), part[order]
    ends = np.searchsorted(part, np.arange(-(-len(ids) // _AT_ONCE)), side="right")
    for start, end in pairwise([0, *ends.tolist()]):
        yield table.slice(start, end - start)


def _every(connection: sa.Connection, golden: pa.Table) -> pa.Array:
    """The ids of the customers that have keys or are to have some, each once."""
    stored = rows.read(connection, customer_search, ["golden_id"])["golden_id"].unique()
    return pc.unique(pa.concat_arrays([stored, golden["golden_id"].combine_chunks()]))


def _fill(
    connection: sa.Connection, golden: pa.Table, crosswalk: pa.Table, sealer: Sealer | None
) -> dict[str, int]:
    """Write all keys into the empty table of SQLite, which keeps its rows in the key's order.

    In another order every row would change another page.
    """
    made = _keys(golden, crosswalk, sealer).combine_chunks()
    order = pc.sort_indices(made, [(name, "ascending") for name in _KEYS])
    added = 0
    with bulk.indexes_last(connection, customer_search):
        for start in range(0, len(order), _WRITTEN_AT_ONCE):
            before = min(start, 1)  # the row before tells whether the first one is another
            some = order.slice(start - before, _WRITTEN_AT_ONCE + before)
            new = _once(made.take(some)).slice(before)
            rows.insert(connection, customer_search, new)
            added += new.num_rows
    return {"added": added, "changed": 0, "deleted": 0}


def _keys(golden: pa.Table, crosswalk: pa.Table, sealer: Sealer | None) -> pa.Table:
    """_KEYS of these customers, in no particular order; a row may be there several times."""
    hidden = sealer.columns if sealer else frozenset()
    clear = [name for name in _SAID if name not in hidden]
    secret = [name for name in _SAID if name in hidden]
    parts = [search_keys.of_records(crosswalk)]
    for start in range(0, golden.num_rows, _AT_ONCE):
        some = text_form.decode(golden.slice(start, _AT_ONCE).select(READ), _TYPES)
        parts.append(_of(some, clear))
        if sealer and secret:
            parts.append(_hidden(_of(some, secret), sealer))
    return pa.concat_tables(parts)


def _sorted(keys: pa.Table, ids: pa.Array) -> pa.Table:
    """Keys of these customers, each once, in the order of ``ids``, then of keys.

    So the index of customers is made of sorted rows, the key of some that are sorted in parts, and
    a customer's keys stand on one page.
    """
    keys = keys.combine_chunks()
    places = keys.set_column(2, "golden_id", pc.index_in(keys["golden_id"], ids))
    names = ("golden_id", "key", "kind")
    order = pc.sort_indices(places, [(name, "ascending") for name in names])
    return _once(keys.take(order))


def _of(customers: pa.Table, columns: Sequence[str]) -> pa.Table:
    """The keys of some columns of customers."""
    for place, field in enumerate(customers.schema):
        if field.name in _SAID and field.name not in columns:
            nothing = pa.nulls(customers.num_rows, field.type)
            customers = customers.set_column(place, field, nothing)
    return search_keys.of_customers(customers, [one for one in _IDENTIFIERS if one in columns])


def _hidden(keys: pa.Table, sealer: Sealer) -> pa.Table:
    """Keys of values that are kept encrypted, hashed."""
    hashed = sealer.keys.change_column(keys["key"], lambda key: _hashed(key, sealer))
    return keys.set_column(keys.schema.get_field_index("key"), "key", hashed)


def _hashed(key: str, sealer: Sealer) -> str:
    """A key of a value that is kept encrypted: only the whole key finds it."""
    made = hmac.new(sealer.lookup_key, key[: search_keys.LONGEST].encode(), hashlib.sha256)
    return f"{_HASHED}{made.hexdigest()[:32]}"


def _once(table: pa.Table) -> pa.Table:
    """A sorted table without rows that are equal to the one before."""
    if table.num_rows < 2:
        return table
    same = [pc.equal(table[name][1:], table[name][:-1]) for name in table.column_names]
    repeated = functools.reduce(pc.and_, same)
    new = pa.concat_arrays([pa.array([True]), *pc.invert(repeated).chunks])
    return table.filter(new)


def find(wh: Warehouse, typed: str, limit: int = 50) -> list[Found]:
    """Customers that fit what was typed, whole keys first, then by key.

    A golden id is found by itself; a retired one leads to its successor.

    Args:
        wh: the warehouse.
        typed: anything; folded here.
        limit: customers at most.
    """
    found: dict[str, Found] = {}
    with wh.read() as connection:
        for one in _by_id(connection, typed.strip().upper()):
            found.setdefault(one.golden_id, one)
        if wh.sealer.columns:
            for keys in search_keys.wholes(typed):
                hashed = [_hashed(one, wh.sealer) for one in keys]
                for row in _rows(connection, hashed, limit):
                    found.setdefault(row.golden_id, Found(row.golden_id, row.kind, True))
        for alternative in search_keys.beginnings(typed):
            if len(found) >= limit:
                break
            for row in _rows(connection, alternative, limit):
                whole = len(alternative) > 1 or row.key == alternative[0]
                found.setdefault(row.golden_id, Found(row.golden_id, row.kind, whole))
    ordered = sorted(found.values(), key=lambda one: not one.exact)
    return ordered[:limit]


def by_whole(wh: Warehouse) -> tuple[str, ...]:
    """The columns whose values are found by whole keys only, as they are kept encrypted."""
    return tuple(name for name in _SAID if name in wh.sealer.columns)


def _by_id(connection: sa.Connection, typed: str) -> list[Found]:
    live = sa.select(golden_customer.c.golden_id).where(golden_customer.c.golden_id == typed)
    if connection.execute(live).first() is not None:
        return [Found(typed, "golden_id", True)]
    retired = sa.select(redirect.c.successor).where(redirect.c.golden_id == typed)
    row = connection.execute(retired).first()
    return [Found(row.successor, "golden_id", True, typed)] if row and row.successor else []


def ended(wh: Warehouse, typed: str) -> str | None:
    """The id that was typed, if its customer ended and none came after it."""
    query = sa.select(redirect.c.golden_id).where(
        redirect.c.golden_id == typed.strip().upper(), redirect.c.successor.is_(None)
    )
    with wh.read() as connection:
        found: str | None = connection.execute(query).scalar()
    return found


def _rows(connection: sa.Connection, alternative: list[str], limit: int) -> list[sa.Row[Any]]:
    """Rows of one beginning whose customers have a key of every other one too.

    With few keys of one of them, their customers are looked at one by one; else the customers of
    the two rarest are compared at once.
    """
    table = customer_search
    counted = {one: _keys_of(connection, one) for one in alternative} if alternative[1:] else {}
    first, *others = sorted(alternative, key=lambda one: (counted.get(one, 0), -len(one), one))
    query = sa.select(table.c.key, table.c.kind, table.c.golden_id).where(
        _begins(table.c.key, first)
    )
    if others and counted[first] > _ONE_BY_ONE:
        sets = (
            sa.select(table.c.golden_id).where(_begins(table.c.key, one))
            for one in (first, others.pop(0))
        )
        query = query.where(table.c.golden_id.in_(sa.intersect(*sets)))
    for other in others:
        same = table.alias()
        has = sa.select(sa.literal(1)).where(
            same.c.golden_id == table.c.golden_id, _begins(same.c.key, other)
        )
        query = query.where(has.exists())
    query = query.order_by(table.c.key, table.c.kind, table.c.golden_id)
    return list(connection.execute(query.limit(limit * _LOOKED_AT)))


def _keys_of(connection: sa.Connection, beginning: str) -> int:
    """How many keys begin so; counted no further than it matters."""
    some = sa.select(sa.literal(1)).where(_begins(customer_search.c.key, beginning))
    counted = sa.select(sa.func.count()).select_from(some.limit(_ONE_BY_ONE + 1).subquery())
    return int(connection.execute(counted).scalar_one())


def _begins(column: sa.ColumnElement[str], beginning: str) -> sa.ColumnElement[bool]:
    return sa.and_(column >= beginning, column < beginning + _AFTER_ALL)

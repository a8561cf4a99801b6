"""Text tables in and out of database tables, within one transaction.

What belongs here: the difference of stored and new rows, bulk reading and
writing. A *text table* is the form of warehouse/text_form.py. Which rows to
write is decided elsewhere.

PostgreSQL is written and read by COPY on the transaction's own connection.
SQLite is written and read by the standard library's driver: another copy of
SQLite in the same process (ADBC's, DuckDB's) would drop this one's file locks
when it closes the file, see "How To Corrupt An SQLite Database File", 2.2.1.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from pyarrow import csv

from warehouse import bulk, sealing
from warehouse.text_form import key

_BATCH = 20_000
NAMED = 50_000
"""Up to so many rows are read by name, without a look at how many the table has."""
_NAMED_SHARE = 0.3
"""Beyond, the whole table is read if more than this share of its rows is asked for. Measured with
SQLite on 100,000 records: by their key, 20 % of the staged records take .16 of what reading all
takes (56 columns) or .68 (2 columns), 40 % take .38 and .99; 20 % of the golden ids .41 (3
columns), 40 % 1.22."""
_AT_ONCE = 1000
_FEW = 1000
"""Up to so many rows SQLite updates one by one; beyond, out of a temporary table, which takes two
thirds of that."""
_RARE = 10
"""Rows of which the same columns change, for a statement of their own to pay."""
_TOGETHER, _PARAMETERS = 100, 32_766
"""Rows that one statement inserts into SQLite, and values that it may have."""
_loads = count(1)


@dataclass(frozen=True)
class Difference:
    """What to do to make stored rows equal to new ones.

    Attributes:
        added: rows of the new table whose key is not stored.
        changed: rows of the new table whose key is stored with other values.
        deleted: rows of the stored table whose key is not in the new one.
    """

    added: pa.Table
    changed: pa.Table
    deleted: pa.Table

    @property
    def counts(self) -> dict[str, int]:
        """Rows added, changed, deleted."""
        return {
            "added": self.added.num_rows,
            "changed": self.changed.num_rows,
            "deleted": self.deleted.num_rows,
        }

    def __bool__(self) -> bool:
        return any(self.counts.values())

    def named(self, column: str) -> set[str]:
        """What stands in a column of all these rows."""
        tables = (self.added, self.changed, self.deleted)
        return {value for table in tables for value in table[column].to_pylist()}


def difference(
    stored: pa.Table, new: pa.Table, keys: Sequence[str], compared: Sequence[str]
) -> Difference:
    """Compare two text tables by key.

    Args:
        stored: the key and compared columns, as read; each key once.
        new: at least the same columns; each key once.
        keys: columns that name a row.
        compared: columns whose values make a row differ.
    """
    if not stored.num_rows:  # as in a first publish: nothing to look up
        return Difference(added=new, changed=new.slice(0, 0), deleted=stored)
    found = compare(stored, new, keys, compared)
    return Difference(
        added=new.filter(pa.array(found.added)),
        changed=new.filter(pa.array(found.changed)),
        deleted=stored.filter(pa.array(found.deleted)),
    )


@dataclass(frozen=True)
class Marks:
    """Which rows differ: a boolean for every row of the new table, or of the stored one (deleted).

    The rows are those of :class:`Difference`.
    """

    added: np.ndarray
    changed: np.ndarray
    deleted: np.ndarray


def compare(stored: pa.Table, new: pa.Table, keys: Sequence[str], compared: Sequence[str]) -> Marks:
    """As :func:`difference`, for tables whose other columns are elsewhere."""
    new_key, stored_key = key(new, keys), key(stored, keys)
    at = pc.index_in(new_key, value_set=stored_key)
    known, places = np.asarray(at.is_valid()), np.asarray(at.drop_null())
    both, before = new.filter(pa.array(known)), stored.take(pa.array(places))
    differs = np.zeros(both.num_rows, dtype=bool)
    for name in compared:
        differs |= _unlike(both.column(name), before.column(name))
    changed = np.zeros(new.num_rows, dtype=bool)
    changed[np.flatnonzero(known)[differs]] = True
    deleted = np.ones(stored.num_rows, dtype=bool)
    deleted[places] = False
    return Marks(~known, changed, deleted)


# ------------------------------------------------------------------ bulk reading and writing
def _quoted(name: str) -> str:
    return f'"{name}"'


def sql_name(connection: sa.Connection, table: sa.Table) -> str:
    """The table's name in SQL text: with its schema on PostgreSQL."""
    if connection.dialect.name == "postgresql":
        return f"{_quoted(str(table.schema))}.{_quoted(table.name)}"
    return _quoted(table.name)


def read(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], where: str = ""
) -> pa.Table:
    """Columns of a database table as a text table, in clear, in no particular order.

    Args:
        connection: within a transaction.
        table: the database table.
        columns: which of its columns.
        where: condition in SQL that both databases read; no outside text in it.
    """
    return sealing.opened(connection.dialect, table, stored(connection, table, columns, where))


def stored(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], where: str = ""
) -> pa.Table:
    """As :func:`read`, but encrypted values stay so."""
    postgresql = connection.dialect.name == "postgresql"
    terms = [_term(table.columns[name], postgresql) for name in columns]
    sql = f"SELECT {', '.join(terms)} FROM {sql_name(connection, table)}"
    if where:
        sql += f" WHERE {where}"
    reader = _read_postgresql if postgresql else _read_sqlite
    return reader(connection, sql, columns)


def read_of(
    connection: sa.Connection,
    table: sa.Table,
    columns: Sequence[str],
    column: str,
    values: Sequence[str],
    where: str = "",
) -> pa.Table:
    """As :func:`read`, the rows whose text column has one of these values.

    Args:
        connection, table, columns: as for read; ``column`` is one of the columns.
        values: any text, each once. Few of the table's rows are asked for by name; for many,
            the whole table is read.
        where: what else holds of the rows, as for read.
    """
    if not values:
        return _schema(columns).empty_table()
    if len(values) > NAMED and len(values) > _NAMED_SHARE * _size(connection, table):
        found = read(connection, table, columns, where)
        return found.filter(pc.is_in(found[column], value_set=pa.array(values, pa.string())))
    values = sorted(values)  # neighbors stand on the same pages
    starts = range(0, len(values), _AT_ONCE)
    some = (one_of(column, values[start : start + _AT_ONCE]) for start in starts)
    also = f" AND {where}" if where else ""
    return pa.concat_tables([read(connection, table, columns, one + also) for one in some])


def _size(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _term(column: sa.Column, postgresql: bool) -> str:
    """A column in SQL, such that it comes out in its text form."""
    name = _quoted(column.name)
    if postgresql and isinstance(column.type, sa.Boolean):
        return f"{name}::int"
    if postgresql and isinstance(column.type, sa.DateTime):
        return f"{name}::timestamp"
    if not postgresql and isinstance(column.type, sa.Boolean | sa.Integer | sa.Float):
        return f"CAST({name} AS TEXT)"
    return name


def one_of(column: str, values: Sequence[str]) -> str:
    """The SQL condition that a text column has one of these values."""
    listed = ", ".join("'" + value.replace("'", "''") + "'" for value in values)
    return f"{_quoted(column)} IN ({listed})"


def _cursor(connection: sa.Connection) -> Any:
    """A cursor of the driver itself, in the same transaction."""
    driver: Any = connection.connection.driver_connection
    return driver.cursor()


def _schema(columns: Sequence[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in columns])


def _read_sqlite(connection: sa.Connection, sql: str, columns: Sequence[str]) -> pa.Table:
    cursor = _cursor(connection)
    batches = []
    try:
        cursor.execute(sql)
        while found := cursor.fetchmany(_BATCH):
            arrays = [pa.array(values, pa.string()) for values in zip(*found, strict=True)]
            batches.append(pa.RecordBatch.from_arrays(arrays, schema=_schema(columns)))
    finally:
        cursor.close()
    return pa.Table.from_batches(batches, _schema(columns))


def _read_postgresql(connection: sa.Connection, sql: str, columns: Sequence[str]) -> pa.Table:
    sink = pa.BufferOutputStream()
    with (
        _cursor(connection) as cursor,
        cursor.copy(f"COPY ({sql}) TO STDOUT (FORMAT csv)") as copy,
    ):
        for data in copy:
            sink.write(data)
    data = sink.getvalue()
    if data.size == 0:
        return _schema(columns).empty_table()
    return csv.read_csv(
        pa.BufferReader(data),
        # A row must fit a block, and a cell may be 10 MB and more.
        read_options=csv.ReadOptions(column_names=list(columns), block_size=64 << 20),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=_schema(columns),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _copy(connection: sa.Connection, target: str, text: pa.Table) -> None:
    names = ", ".join(map(_quoted, text.column_names))
    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    with (
        _cursor(connection) as cursor,
        cursor.copy(f"COPY {target} ({names}) FROM STDIN (FORMAT csv)") as copy,
    ):
        for batch in text.to_batches(max_chunksize=_BATCH):
            sink = pa.BufferOutputStream()
            csv.write_csv(batch, sink, options)
            copy.write(memoryview(sink.getvalue()))


def _tuples(text: pa.Table) -> Iterator[tuple[str | None, ...]]:
    for batch in text.to_batches(max_chunksize=_BATCH):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _many(connection: sa.Connection, sql: str, text: pa.Table) -> int:
    """Do the same with every row of a text table; how many stored rows that was."""
    cursor = _cursor(connection)
    try:
        cursor.executemany(sql, _tuples(text))
        return int(cursor.rowcount)
    finally:
        cursor.close()


def _insert_many(connection: sa.Connection, start: str, text: pa.Table) -> None:
    """Insert the rows of a text table, _TOGETHER by one statement: half the work of one by one.

    Args:
        start: the statement up to its VALUES.
    """
    marks = f"({', '.join('?' * text.num_columns)})"
    together = max(1, min(_TOGETHER, _PARAMETERS // text.num_columns))
    cursor = _cursor(connection)
    try:
        rest: list[tuple[str | None, ...]] = []
        for batch in text.to_batches(max_chunksize=_BATCH):
            found = [*rest, *zip(*(column.to_pylist() for column in batch.columns), strict=True)]
            whole = len(found) - len(found) % together
            some = (found[at : at + together] for at in range(0, whole, together))
            sql = f"{start} VALUES {', '.join([marks] * together)}"
            cursor.executemany(sql, (tuple(chain.from_iterable(one)) for one in some))
            rest = found[whole:]
        cursor.executemany(f"{start} VALUES {marks}", rest)
    finally:
        cursor.close()


def _temporary(connection: sa.Connection, table: sa.Table, text: pa.Table) -> str:
    """Load a text table into a temporary table, on PostgreSQL typed like ``table``."""
    name = f"load_{next(_loads)}"
    columns = ", ".join(map(_quoted, text.column_names))
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS"
            f" SELECT {columns} FROM {sql_name(connection, table)} WITH NO DATA"
        )
        _copy(connection, name, text)
        connection.exec_driver_sql(f"ANALYZE {name}")
        return name
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {name} ({columns})")
    _insert_many(connection, f"INSERT INTO temp.{name} ({columns})", text)
    return name


@contextmanager
def loaded(connection: sa.Connection, table: sa.Table, text: pa.Table) -> Iterator[str]:
    """A text table as a temporary table for the length of a block: its name in SQL.

    On PostgreSQL its columns are typed like those of ``table``.
    """
    load = _temporary(connection, table, text)
    yield load
    if connection.dialect.name != "postgresql":  # there it goes with the transaction
        connection.exec_driver_sql(f"DROP TABLE temp.{load}")


def insert(connection: sa.Connection, table: sa.Table, text: pa.Table) -> None:
    """Insert the rows of a text table; columns by name."""
    if text.num_rows == 0:
        return
    text = sealing.sealed(connection.dialect, table, text)
    target = sql_name(connection, table)
    if connection.dialect.name == "postgresql":
        _copy(connection, target, text)
        return
    names = ", ".join(map(_quoted, text.column_names))
    _insert_many(connection, f"INSERT INTO {target} ({names})", text)


def update(
    connection: sa.Connection,
    table: sa.Table,
    text: pa.Table,
    keys: Sequence[str],
    before: pa.Table | None = None,
) -> int:
    """Set the other columns of a text table in the rows that have its keys.

    Args:
        before: as the rows are stored, as far as that was read: SQLite takes as long for every
            value that is set as for finding a row, so it sets what is another only.

    Returns:
        how many stored rows have them.
    """
    if text.num_rows == 0:
        return 0
    if before is not None and connection.dialect.name != "postgresql":
        parts = _alike(text, keys, before)
        return sum(_update_one_by_one(connection, table, one, keys) for one in parts)
    if connection.dialect.name != "postgresql" and text.num_rows <= _FEW:
        return _update_one_by_one(connection, table, text, keys)
    text = sealing.sealed(connection.dialect, table, text)
    target = sql_name(connection, table)
    others = [name for name in text.column_names if name not in keys]
    with loaded(connection, table, text) as load:
        sets = ", ".join(f"{_quoted(name)} = {load}.{_quoted(name)}" for name in others)
        match = " AND ".join(f"t.{_quoted(name)} = {load}.{_quoted(name)}" for name in keys)
        done = connection.exec_driver_sql(
            f"UPDATE {target} AS t SET {sets} FROM {load} WHERE {match}"
        )
        return int(done.rowcount)


def _update_one_by_one(
    connection: sa.Connection, table: sa.Table, text: pa.Table, keys: Sequence[str]
) -> int:
    others = [name for name in text.column_names if name not in keys]
    sets = ", ".join(f"{_quoted(name)} = ?" for name in others)
    match = " AND ".join(f"{_quoted(name)} = ?" for name in keys)
    ordered = sealing.sealed(connection.dialect, table, text).select([*others, *keys])
    sql = f"UPDATE {sql_name(connection, table)} SET {sets} WHERE {match}"
    return _many(connection, sql, ordered)


def _alike(text: pa.Table, keys: Sequence[str], before: pa.Table) -> Iterator[pa.Table]:
    """Rows in which the same columns are others, each with these; rare ones with all columns.

    Args:
        before: the same rows, in any order; columns that it has not are others.
    """
    at = pc.index_in(key(text, keys), value_set=key(before, keys))
    stored = before.take(at)
    known = [name for name in text.column_names if name in before.column_names]
    known = [name for name in known if name not in keys]
    differs = np.column_stack([_unlike(text[name], stored[name]) for name in known])
    differs[~np.asarray(at.is_valid())] = True
    packed = np.packbits(differs, axis=1)
    kind = pa.binary(packed.shape[1])
    sets = pa.Array.from_buffers(kind, len(packed), [None, pa.py_buffer(packed)])
    of = sets.dictionary_encode().indices.to_numpy()
    first = np.unique(of, return_index=True)[1]
    often = np.bincount(of)
    rare = often[of] < _RARE
    for number in np.flatnonzero(often >= _RARE).tolist():
        same = set(np.array(known)[~differs[first[number]]].tolist())
        names = [name for name in text.column_names if name not in same]
        yield text.filter(pa.array(of == number)).select(names)
    if rare.any():
        yield text.filter(pa.array(rare))


def _unlike(one: pa.ChunkedArray, other: pa.ChunkedArray) -> np.ndarray:
    """Which values are not equal; nulls are."""
    same = pc.if_else(
        pc.and_(one.is_valid(), other.is_valid()),
        pc.fill_null(pc.equal(one, other), False),
        pc.equal(one.is_valid(), other.is_valid()),
    )
    return ~np.asarray(same)


def put(connection: sa.Connection, table: sa.Table, text: pa.Table, keys: Sequence[str]) -> None:
    """Insert the rows of a text table; the ones that are there get its other columns."""
    if text.num_rows == 0:
        return
    text = sealing.sealed(connection.dialect, table, text)
    names, target = ", ".join(map(_quoted, text.column_names)), sql_name(connection, table)
    if connection.dialect.name != "postgresql":
        _insert_many(connection, f"INSERT OR REPLACE INTO {target} ({names})", text)
        return
    others = [name for name in text.column_names if name not in keys]
    sets = ", ".join(f"{_quoted(name)} = EXCLUDED.{_quoted(name)}" for name in others)
    with loaded(connection, table, text) as load:
        connection.exec_driver_sql(
            f"INSERT INTO {target} ({names}) SELECT {names} FROM {load}"
            f" ON CONFLICT ({', '.join(map(_quoted, keys))}) DO UPDATE SET {sets}"
        )


def delete(connection: sa.Connection, table: sa.Table, text: pa.Table, keys: Sequence[str]) -> int:
    """Delete the rows that have the keys of a text table.

    Returns:
        how many stored rows had them.
    """
    if text.num_rows == 0 or bulk.is_empty(connection, table):
        return 0
    target, named = sql_name(connection, table), text.select(list(keys))
    if connection.dialect.name == "postgresql":
        load = _temporary(connection, table, named)
        match = " AND ".join(f"t.{_quoted(name)} = {load}.{_quoted(name)}" for name in keys)
        return int(
            connection.exec_driver_sql(
                f"DELETE FROM {target} t USING {load} WHERE {match}"
            ).rowcount
        )
    match = " AND ".join(f"{_quoted(name)} = ?" for name in keys)
    return _many(connection, f"DELETE FROM {target} WHERE {match}", named)

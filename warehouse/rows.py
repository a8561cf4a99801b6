"""Arrow tables in and out of database tables, within one transaction.

What belongs here: the text form of a column, hashes, the difference of two
tables, bulk reading and writing. Which rows to write is decided elsewhere.

A *text table* has every column as text or null, in the form in which SQLite
keeps it and PostgreSQL reads it: dates and UTC times in ISO form, lists as
JSON, booleans 0 and 1. Hashes are taken of it, so they are the same on both.

PostgreSQL is written and read by COPY on the transaction's own connection.
SQLite is written and read by the standard library's driver: another copy of
SQLite in the same process (ADBC's, DuckDB's) would drop this one's file locks
when it closes the file, see "How To Corrupt An SQLite Database File", 2.2.1.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from pyarrow import csv

_BATCH = 20_000
_NUL = "\x00"  # PostgreSQL refuses it in text, so it can part the columns of a key or row
_SPECIAL = r'[\x00-\x1f"\\]'  # what JSON writes as an escape
_NOT_PLAIN = r"\\|(\[|, )null(, |\])"  # JSON lists that cannot be parted at the quotes
_loads = count(1)


# ------------------------------------------------------------------ text form
def encode(table: pa.Table) -> pa.Table:
    """The text table of a table of text, lists of text, dates, times, booleans, numbers."""
    return pa.table(
        [
            pa.chunked_array([_encode(chunk) for chunk in column.chunks], pa.string())
            for column in table.columns
        ],
        names=table.column_names,
    )


def _encode(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _encode_lists(array)
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:  # Arrow keeps such times in UTC
            array = array.cast(pa.timestamp("us", tz="UTC")).view(pa.int64())
            return array.view(pa.timestamp("us")).cast(pa.string())
        return array.cast(pa.timestamp("us")).cast(pa.string())
    if pa.types.is_boolean(kind):
        return array.cast(pa.int8()).cast(pa.string())
    array = array.cast(pa.string())
    if pc.any(pc.match_substring(array, _NUL)).as_py():
        return pc.replace_substring(array, _NUL, "")
    return array


def _encode_lists(array: pa.Array) -> pa.Array:
    """Lists as JSON, by columns; only texts that need escapes go through Python."""
    values = _encode(array.flatten())
    quoted = pc.binary_join_element_wise('"', values, '"', "")
    special = pc.fill_null(pc.match_substring_regex(values, _SPECIAL), False)
    if pc.any(special).as_py():
        escaped = [
            json.dumps(value, ensure_ascii=False) for value in values.filter(special).to_pylist()
        ]
        quoted = pc.replace_with_mask(quoted, special, pa.array(escaped, pa.string()))
    quoted = pc.fill_null(quoted, "null")
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths.to_numpy())]), pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, quoted), ", ")
    wrapped = pc.binary_join_element_wise("[", joined, "]", "")
    return pc.if_else(array.is_valid(), wrapped, pa.scalar(None, pa.string()))


def decode(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A text table with the types of a schema; columns by name, in the schema's order."""
    return pa.table(
        [_decode(table.column(field.name), field.type) for field in schema], schema=schema
    )


def _decode(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_list(kind):
        return pa.chunked_array([_decode_lists(chunk) for chunk in column.chunks], kind)
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(kind)
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us")).cast(pa.int64()).cast(kind)
    return column.cast(kind)


def _decode_lists(array: pa.Array) -> pa.Array:
    plain = pc.fill_null(pc.invert(pc.match_substring_regex(array, _NOT_PLAIN)), True)
    if pc.all(plain).as_py() is False:
        return pa.array(
            [None if text is None else json.loads(text) for text in array.to_pylist()],
            pa.list_(pa.string()),
        )
    lists = pc.split_pattern(pc.utf8_slice_codeunits(array, 2, -2), '", "')
    empty = pc.equal(array, "[]")
    return pc.if_else(empty, pa.scalar([], lists.type), lists)


# ------------------------------------------------------------------ hashes, keys
def hashes(text: pa.Table) -> pa.Array:
    """A 128-bit hash of every row of a text table, as hexadecimal text.

    Two rows with equal hashes have equal values, null apart from empty.
    """
    found: list[str] = []
    for batch in text.to_batches(max_chunksize=_BATCH):
        nulls = np.packbits(
            np.column_stack([column.is_null().to_numpy(zero_copy_only=False) for column in batch]),
            axis=1,
        )
        joined = pc.binary_join_element_wise(
            *batch.columns, _NUL, null_handling="replace", null_replacement=""
        )
        found += [
            hashlib.blake2b(mask.tobytes() + value.encode(), digest_size=16).hexdigest()
            for mask, value in zip(nulls, joined.to_pylist(), strict=True)
        ]
    return pa.array(found, pa.string())


def grouped_hashes(text: pa.Table, by: str) -> dict[str, str]:
    """A 128-bit hash of the rows of every group, whatever the order of rows.

    Args:
        text: a text table.
        by: the column that names the group.
    """
    names = [by, *(name for name in text.column_names if name != by)]
    large = pa.schema([(name, pa.large_string()) for name in names])  # may pass 2 GB
    lines = key(text.select(names).cast(large), names).combine_chunks()
    groups = text.column(by).combine_chunks()
    if len(lines) > 1 and not pc.all(pc.less_equal(lines[:-1], lines[1:])).as_py():
        order = pc.sort_indices(lines)
        lines, groups = lines.take(order), groups.take(order)
    runs = pc.run_end_encode(groups, run_end_type=pa.int64())
    offsets = pa.array(np.concatenate([[0], runs.run_ends.to_numpy()]), pa.int64())
    joined = pc.binary_join(
        pa.LargeListArray.from_arrays(offsets, lines), pa.scalar(_NUL * 2, pa.large_string())
    )
    return {
        group: hashlib.blake2b(value.encode(), digest_size=16).hexdigest()
        for group, value in zip(runs.values.to_pylist(), joined.to_pylist(), strict=True)
    }


def digest(text: pa.Table) -> str:
    """One hash of all rows of a text table, whatever their order."""
    return hashlib.blake2b(
        "".join(sorted(hashes(text).to_pylist())).encode(), digest_size=16
    ).hexdigest()


def key(text: pa.Table, columns: Sequence[str]) -> pa.ChunkedArray:
    """The columns of a text table as one text per row; null as empty."""
    if len(columns) == 1:
        return text.column(columns[0])
    return pc.binary_join_element_wise(
        *(text.column(name) for name in columns),
        pa.scalar(_NUL, text.schema.field(columns[0]).type),
        null_handling="replace",
        null_replacement="",
    )


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
    new_key, stored_key = key(new, keys), key(stored, keys)
    at = pc.index_in(new_key, value_set=stored_key)
    known = pc.is_valid(at)
    both, before = new.filter(known), stored.take(at.drop_null())
    differs = np.zeros(both.num_rows, dtype=bool)
    for name in compared:
        left, right = both.column(name), before.column(name)
        same = pc.if_else(
            pc.and_(left.is_valid(), right.is_valid()),
            pc.fill_null(pc.equal(left, right), False),
            pc.equal(left.is_valid(), right.is_valid()),
        )
        differs |= ~np.asarray(same)
    return Difference(
        added=new.filter(pc.invert(known)),
        changed=both.filter(pa.array(differs)),
        deleted=stored.filter(pc.invert(pc.is_in(stored_key, value_set=new_key))),
    )


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
    """Columns of a database table as a text table, in no particular order.

    Args:
        connection: within a transaction.
        table: the database table.
        columns: which of its columns.
        where: condition in SQL that both databases read; no outside text in it.
    """
    postgresql = connection.dialect.name == "postgresql"
    terms = [_term(table.columns[name], postgresql) for name in columns]
    sql = f"SELECT {', '.join(terms)} FROM {sql_name(connection, table)}"
    if where:
        sql += f" WHERE {where}"
    return (
        _read_postgresql(connection, sql, columns)
        if postgresql
        else _read_sqlite(connection, sql, columns)
    )


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


def _many(connection: sa.Connection, sql: str, text: pa.Table) -> None:
    cursor = _cursor(connection)
    try:
        cursor.executemany(sql, _tuples(text))
    finally:
        cursor.close()


def _temporary(connection: sa.Connection, table: sa.Table, text: pa.Table) -> str:
    """Load a text table into a temporary table of PostgreSQL, typed like ``table``."""
    name = f"load_{next(_loads)}"
    columns = ", ".join(map(_quoted, text.column_names))
    connection.exec_driver_sql(
        f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS"
        f" SELECT {columns} FROM {sql_name(connection, table)} WITH NO DATA"
    )
    _copy(connection, name, text)
    connection.exec_driver_sql(f"ANALYZE {name}")
    return name


def insert(connection: sa.Connection, table: sa.Table, text: pa.Table) -> None:
    """Insert the rows of a text table; columns by name."""
    if text.num_rows == 0:
        return
    target = sql_name(connection, table)
    if connection.dialect.name == "postgresql":
        _copy(connection, target, text)
        return
    names = ", ".join(map(_quoted, text.column_names))
    marks = ", ".join("?" * text.num_columns)
    _many(connection, f"INSERT INTO {target} ({names}) VALUES ({marks})", text)


def update(connection: sa.Connection, table: sa.Table, text: pa.Table, keys: Sequence[str]) -> None:
    """Set the other columns of a text table in the rows that have its keys."""
    if text.num_rows == 0:
        return
    target = sql_name(connection, table)
    others = [name for name in text.column_names if name not in keys]
    if connection.dialect.name == "postgresql":
        load = _temporary(connection, table, text)
        sets = ", ".join(f"{_quoted(name)} = {load}.{_quoted(name)}" for name in others)
        match = " AND ".join(f"t.{_quoted(name)} = {load}.{_quoted(name)}" for name in keys)
        connection.exec_driver_sql(f"UPDATE {target} t SET {sets} FROM {load} WHERE {match}")
        return
    sets = ", ".join(f"{_quoted(name)} = ?" for name in others)
    match = " AND ".join(f"{_quoted(name)} = ?" for name in keys)
    ordered = text.select([*others, *keys])
    _many(connection, f"UPDATE {target} SET {sets} WHERE {match}", ordered)


def delete(connection: sa.Connection, table: sa.Table, text: pa.Table, keys: Sequence[str]) -> None:
    """Delete the rows that have the keys of a text table."""
    if text.num_rows == 0:
        return
    target, named = sql_name(connection, table), text.select(list(keys))
    if connection.dialect.name == "postgresql":
        load = _temporary(connection, table, named)
        match = " AND ".join(f"t.{_quoted(name)} = {load}.{_quoted(name)}" for name in keys)
        connection.exec_driver_sql(f"DELETE FROM {target} t USING {load} WHERE {match}")
        return
    match = " AND ".join(f"{_quoted(name)} = ?" for name in keys)
    _many(connection, f"DELETE FROM {target} WHERE {match}", named)


def with_constant(text: pa.Table, **values: str) -> pa.Table:
    """A text table with more columns, each of one value."""
    for name, value in values.items():
        text = text.append_column(name, pa.repeat(pa.scalar(value, pa.string()), text.num_rows))
    return text

"""What a SELECT gives in PostgreSQL, as whole Arrow columns: COPY in place of a cursor.

What belongs here: asking for COPY, and its CSV to text. PostgreSQL quotes an empty
text and leaves null bare, so that both stay what they are; every message holds one
record whole, whatever lines and quotes stand in it.

Source: PostgreSQL documentation, COPY, "CSV Format"; protocol, 54.2.6.
"""

import codecs
from collections.abc import Iterator
from typing import Any

import psycopg
import pyarrow as pa
import sqlalchemy as sa
from pyarrow import csv
from sqlalchemy import exc

from connectors.silence import Watch

_BLOCK = 4 << 20
"""Bytes from which on records are parsed together."""


def read(
    connection: sa.Connection, select: sa.Select[Any], watch: Watch
) -> Iterator[list[pa.Array]]:
    """Stream what a SELECT of texts gives, some ten thousand records at a time.

    Args:
        connection: through psycopg, its transaction begun.
        watch: is told of every record that comes.

    Raises:
        sqlalchemy.exc.DBAPIError: as if the SELECT had been executed.
    """
    options = {"render_postcompile": True}
    compiled = select.compile(dialect=connection.dialect, compile_kwargs=options)
    driver: Any = connection.connection.driver_connection
    width = len(select.selected_columns)
    # SQL_ASCII says nothing of the text, which then is what SQLite's may be.
    codec = codecs.lookup(driver.info.encoding).name
    try:
        watch.listen()
        statement = f"COPY ({compiled}) TO STDOUT (FORMAT csv)"
        with driver.cursor() as cursor, cursor.copy(statement, compiled.params) as copy:
            for block in _blocks(copy, watch):
                with watch.resting():
                    yield [_text(column, codec) for column in _parsed(block, width)]
        watch.rest()
    except psycopg.Error as error:
        lost = driver.closed or driver.broken
        raise exc.DBAPIError.instance(
            None,
            None,
            error,
            psycopg.Error,
            connection_invalidated=lost,
            dialect=connection.dialect,
        ) from error


def _blocks(copy: Any, watch: Watch) -> Iterator[bytes]:
    read, some = copy.read, bytearray()
    while record := read():
        watch.beats += 1
        some += record
        if len(some) >= _BLOCK:
            yield bytes(some)
            some = bytearray()
    if some:
        yield bytes(some)


def _parsed(block: bytes, width: int) -> list[pa.Array]:
    names = [str(i) for i in range(width)]
    table = csv.read_csv(
        pa.py_buffer(block),
        csv.ReadOptions(column_names=names, block_size=len(block) + 1, use_threads=False),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.binary()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return [column.combine_chunks() for column in table.columns]


def _text(column: pa.Array, codec: str) -> pa.Array:
    if codec in ("utf-8", "ascii"):
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:
            codec = "utf-8"
    return pa.array([value and decoded(value, codec) for value in column.to_pylist()], pa.string())


def decoded(value: bytes, codec: str = "utf-8") -> str:
    """Text, else what old programs wrote, never an exception."""
    try:
        return value.decode(codec)
    except UnicodeDecodeError:
        try:
            return value.decode("gb18030")
        except UnicodeDecodeError:
            return value.decode(codec, "replace")

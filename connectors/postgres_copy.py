"""What a SELECT gives in PostgreSQL, as whole Arrow columns: COPY in place of a cursor.

What belongs here: asking for COPY, and its CSV to text. PostgreSQL quotes an empty
text and leaves null bare, so that both stay what they are; every message holds one
record whole, whatever lines and quotes stand in it.

Source: PostgreSQL documentation, COPY, "CSV Format"; protocol, 54.2.6.
"""

import codecs
import selectors
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import psycopg
import psycopg.errors
import pyarrow as pa
import sqlalchemy as sa
from psycopg import pq
from pyarrow import csv
from sqlalchemy import exc

from connectors.silence import Watch

_BLOCK = 4 << 20
"""Bytes from which on records are parsed together."""
_INTERRUPTED = 1.0
"""Seconds after which Ctrl+C is heard."""


def read(
    connection: sa.Connection, select: sa.Select[Any], watch: Watch
) -> Generator[list[pa.Array]]:
    """Stream what a SELECT of texts gives, some ten thousand records at a time.

    The next records are received and parsed while somebody works on these.

    Args:
        connection: through psycopg, its transaction begun.
        watch: is told of every record that comes.

    Raises:
        sqlalchemy.exc.DBAPIError: as if the SELECT had been executed.
    """
    parts = _read(connection, select, watch)
    with ThreadPoolExecutor(1, "onefold-copy") as thread:
        coming = thread.submit(next, parts, None)
        try:
            while (part := coming.result()) is not None:
                coming = thread.submit(next, parts, None)
                yield part
        finally:
            if not coming.done():  # nobody wants it any more
                watch.cut()
            wait([coming])
            parts.close()


def _read(
    connection: sa.Connection, select: sa.Select[Any], watch: Watch
) -> Generator[list[pa.Array]]:
    driver: Any = connection.connection.driver_connection
    codec = codecs.lookup(driver.info.encoding).name
    statement = f"COPY ({written(connection, select)}) TO STDOUT (FORMAT csv)"
    width, over = len(select.selected_columns), False
    try:
        watch.listen()
        # A database without encoding holds any bytes, which the server would not send as text.
        plain = driver.info.parameter_status("server_encoding") == "SQL_ASCII"
        if plain:
            _set(driver, "SQL_ASCII")
        _begin(driver, statement)
        for block in _blocks(driver.pgconn, watch):
            with watch.resting():
                yield [as_texts(column, codec) for column in _parsed(block, width)]
        _end(driver)
        if plain:
            _set(driver, "UTF8")
        over = True
    except psycopg.Error as error:
        raise exc.DBAPIError.instance(
            None, None, error, psycopg.Error, dialect=connection.dialect
        ) from error
    finally:
        watch.rest()
        if not over:  # what is still to come would stand before every other answer
            connection.invalidate()


def written(connection: sa.Connection, select: sa.Select[Any]) -> str:
    """A SELECT with its values in it, as psycopg writes them."""
    options = {"render_postcompile": True}
    compiled = select.compile(dialect=connection.dialect, compile_kwargs=options)
    driver: Any = connection.connection.driver_connection
    return psycopg.ClientCursor(driver).mogrify(str(compiled), compiled.params)


def _set(driver: Any, encoding: str) -> None:
    driver.pgconn.exec_(f"SET LOCAL client_encoding TO '{encoding}'".encode())


def _begin(driver: Any, statement: str) -> None:
    result = driver.pgconn.exec_(statement.encode(driver.info.encoding))
    if result.status != pq.ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(result, driver.info.encoding)


def _end(driver: Any) -> None:
    """Take the server's last word: COPY may break off after any record."""
    while result := driver.pgconn.get_result():
        if result.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result, driver.info.encoding)


def _blocks(server: Any, watch: Watch) -> Iterator[bytes]:
    """The records that come, many at once."""
    take, some = server.get_copy_data, bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(server.socket, selectors.EVENT_READ)
        while True:
            size, record = take(1)
            if size > 0:
                some += record
                if len(some) >= _BLOCK:
                    yield bytes(some)
                    some = bytearray()
            elif size == 0:
                while not selector.select(_INTERRUPTED):
                    continue
                server.consume_input()
                watch.beats += 1
            else:
                break
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


def as_texts(column: pa.Array, codec: str) -> pa.Array:
    """Bytes as text, in a codec or what old programs wrote."""
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

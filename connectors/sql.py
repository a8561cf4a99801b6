"""SQL databases: a table or a query, every column cast to text by the server.

What belongs here: SQLite, PostgreSQL, MariaDB and MySQL through SQLAlchemy.
Casting in SQL keeps what typed drivers stumble over: zero dates, dates before
Christ, numbers wider than a double. The transaction is read-only and sees one
moment; rows are streamed.
"""

import difflib
import functools
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from connectors import mapping
from connectors.config import SourceConfig
from connectors.queries import Query, written
from connectors.reading import Reading, Report, Row, Since
from connectors.sql_changes import Database
from connectors.templates import load, statement
from onefold.errors import (
    SourceEncoding,
    SourceError,
    SourceLayout,
    SourceMissing,
    SourceUnreachable,
)

_BATCH = 5_000
_TIMEOUT_SECONDS = 10
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_REFUSED = re.compile(
    r"password|authentication|access denied|role .* does not exist|no pg_hba", re.IGNORECASE
)
_NO_DATABASE = re.compile(r"database .* does not exist|unknown database", re.IGNORECASE)


@contextmanager
def read(
    config: SourceConfig, since: Since | None = None, limit: int | None = None
) -> Iterator[Reading]:
    """Open a database and stream its table or query.

    Args:
        limit: rows of a table to ask for at most, so that no driver sends the rest when the
            connection is closed; None: all.

    Raises:
        SourceUnreachable: the server does not answer, or stops answering.
        SourceMissing: no such database file, database or table.
        SourceLayout: the query is wrong.
        SourceError: the URL is wrong, or the server refuses the user.
    """
    report = Report()
    with opened(config) as connection:
        url = _url(config)
        query = _query(config, connection)
        origin, names = f"{_place(config)} in {_shown(url)}", list(query.columns)
        rows = functools.partial(_rows, config, connection, url)
        if limit is not None:
            yield Reading(names, rows(query.select().limit(limit)), report, origin)
            return
        select, mark, changes = query.select(), "", None
        if config.mode != "snapshot":
            table = _change_query(config, connection)
            database = Database(config, connection, query, table, rows, report)
            mark = database.mark()
            found = database.changed(since) if since and mark else None
            if found is not None:
                select, changes = found
        yield Reading(names, rows(select), report, origin, mark=mark, changes=changes)


@contextmanager
def opened(config: SourceConfig) -> Iterator[sa.Connection]:
    """A connection to a source's database, for reading only.

    Raises:
        SourceError: as :func:`read`.
    """
    url = _url(config)
    engine = _engine(config, url)
    try:
        with _said_in_words(config, url), engine.connect() as connection:
            yield _read_only(connection)
    finally:
        engine.dispose()


def database_files(config: SourceConfig) -> list[Path]:
    """The file of a SQLite source and its journal; nothing for a server."""
    url = _url(config)
    if url.get_backend_name() != "sqlite" or not url.database:
        return []
    path = Path(url.database)
    return [path, path.with_name(path.name + "-wal")]


def database_of(config: SourceConfig) -> str:
    """Which database a source is read from, whoever reads it."""
    url = _url(config)
    return f"{url.get_backend_name()} {url.host} {url.port} {url.database}"


def _url(config: SourceConfig) -> sa.URL:
    try:
        url = sa.make_url(config.url or "")
    except (exc.ArgumentError, ValueError):
        raise SourceError(
            f"{config.file}, url",
            "this is no database URL",
            do="Write it as postgresql://USER:${PASSWORD}@HOST:PORT/DATABASE; "
            "special characters in the password as %XX.",
        ) from None
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def _engine(config: SourceConfig, url: sa.URL) -> sa.Engine:
    backend, options = url.get_backend_name(), dict[str, int]()
    if backend == "sqlite":
        path = Path(url.database or "")
        if not path.is_file():
            raise SourceMissing(
                config.name,
                "the database file is not there",
                found=f"no {path}",
                do=f"Put it there, or mend 'url' in {config.file}.",
            )
        return sa.create_engine(
            "sqlite://", creator=functools.partial(_open_file, path), poolclass=sa.NullPool
        )
    if backend in ("postgresql", "mysql", "mariadb"):
        options = {"connect_timeout": _TIMEOUT_SECONDS}
    try:
        return sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)
    except (exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise SourceError(
            f"{config.file}, url",
            "there is no driver for this kind of database",
            found=url.drivername,
            do="Use sqlite, postgresql, mysql or mariadb, or install the driver.",
        ) from error


def _open_file(path: Path) -> sqlite3.Connection:
    """Open a SQLite file that must be there, for reading only."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_TIMEOUT_SECONDS
    )
    connection.text_factory = _decoded
    return connection


def _read_only(connection: sa.Connection) -> sa.Connection:
    backend = connection.dialect.name
    if backend == "postgresql":
        return connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    if backend in ("mysql", "mariadb"):
        connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        connection.exec_driver_sql("SET SESSION group_concat_max_len = 1000000")
        connection.commit()
    elif backend == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
    return connection


def _decoded(value: bytes) -> str:
    """Text of a SQLite file: UTF-8, else what old programs wrote, never an exception."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return value.decode("gb18030")
        except UnicodeDecodeError:
            return value.decode("utf-8", "replace")


# -- the statement


def _query(config: SourceConfig, connection: sa.Connection) -> Query:
    """The records that a source declares, without those that it keeps as deleted."""
    query = _declared(config, connection)
    if config.deleted is None:
        return query
    column = mapping.find_column(list(query.columns), config.deleted.column)
    if column is None:
        raise mapping.missing_column(
            config, config.deleted.column, list(query.columns), "deleted.column"
        )
    return query.without(column, config.deleted.values)


def _change_query(config: SourceConfig, connection: sa.Connection) -> Query | None:
    """The change table of a source."""
    if config.changes is None:
        return None
    place = {"table": config.changes.table, "query": config.changes.query, "template": None}
    return _declared(config.model_copy(update=place), connection)


def _declared(config: SourceConfig, connection: sa.Connection) -> Query:
    """The records of a query, of a template's tables, or of a table."""
    if config.query:
        origin = written(config.query)
        names = _query_columns(config, connection, origin)
        return Query({name: sa.column(name) for name in names}, origin)
    if not config.table:
        return statement.build(config, sa.inspect(connection), connection.dialect)
    table = _table(config, connection)
    return Query({column.name: column for column in table.c}, table)


def _place(config: SourceConfig) -> str:
    """Where the rows of a source stand, which is also the position of each."""
    if config.table or config.query:
        return config.table or "query"
    return load(config.template or "").main


def _table(config: SourceConfig, connection: sa.Connection) -> sa.TableClause:
    schema, dot, table = (config.table or "").rpartition(".")
    inspector = sa.inspect(connection)
    attempts = [(config.table or "", None)] + ([(table, schema)] if dot else [])
    for name, place in attempts:
        try:
            columns = inspector.get_columns(name, schema=place)
        except exc.NoSuchTableError:
            continue
        if columns:
            typed = [sa.column(str(column["name"]), column["type"]) for column in columns]
            return sa.table(name, *typed, schema=place)
    try:
        others = inspector.get_table_names(schema=schema or None) + inspector.get_view_names(
            schema=schema or None
        )
    except exc.SQLAlchemyError:
        others = []
    near = difflib.get_close_matches(table, others, n=5, cutoff=0.3) or others[:5]
    raise SourceMissing(
        config.name,
        f"no table '{config.table}'",
        found=", ".join(near) if near else "no tables",
        do=f"Mend 'table' in {config.file}, or give the user the right to read it.",
    )


def _query_columns(
    config: SourceConfig, connection: sa.Connection, origin: sa.TextClause
) -> list[str]:
    nothing = sa.select(sa.text("*")).select_from(origin).where(sa.text("1 = 0"))
    try:
        result = connection.execute(nothing)
        names = [str(name) for name in result.keys()]  # noqa: SIM118
        result.close()
    except (exc.ProgrammingError, exc.OperationalError) as error:
        if error.connection_invalidated:
            raise
        raise SourceLayout(
            config.name,
            "the query is not accepted",
            found=str(error.orig).splitlines()[0],
            do=f"Mend 'query' in {config.file}; every column needs a name of its own.",
        ) from error
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise SourceLayout(
            config.name,
            "the query gives two columns one name",
            found=", ".join(sorted(repeated)),
            do=f"Rename one with AS in {config.file}.",
        )
    return names


def _rows(
    config: SourceConfig, connection: sa.Connection, url: sa.URL, select: sa.Select[Any]
) -> Iterator[Row]:
    position = _place(config)
    with _said_in_words(config, url):
        streaming = connection.execution_options(stream_results=True, max_row_buffer=_BATCH)
        result = streaming.execute(select)
        for batch in result.partitions(_BATCH):
            for values in batch:
                yield Row(position, [_text(value) for value in values])


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return (
        _decoded(bytes(value)) if isinstance(value, bytes | bytearray | memoryview) else str(value)
    )


# -- errors


@contextmanager
def _said_in_words(config: SourceConfig, url: sa.URL) -> Iterator[None]:
    """Turn the driver's errors into ours. Messages carry neither password nor values."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _in_words(config, url, error) from error
    except UnicodeDecodeError as error:
        raise SourceEncoding(
            config.name,
            "the database sends text that is not in its encoding",
            do="Set the encoding in the URL (client_encoding or charset).",
        ) from error


def _in_words(config: SourceConfig, url: sa.URL, error: exc.DBAPIError) -> SourceError:
    message, where = str(error.orig), _shown(url)
    if _NO_DATABASE.search(message):
        return SourceMissing(
            config.name, "the server has no such database", found=where, do=f"Mend {config.file}."
        )
    if _REFUSED.search(message):
        return SourceError(
            config.name,
            "the server refuses the user",
            found=where,
            do="Check user name, password and rights.",
        )
    if "not a database" in message or "malformed" in message:
        return SourceLayout(
            config.name, "the file is no SQLite database, or damaged", found=where, do="Replace it."
        )
    if isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated:
        return SourceUnreachable(
            config.name,
            "the database does not answer",
            found=where,
            do="Check that it runs and can be reached from here.",
        )
    code = getattr(error.orig, "sqlstate", None) or type(error.orig).__name__
    return SourceError(
        config.name,
        "the database breaks off",
        found=f"error {code} from {where}",
        do="Ask its admin.",
    )


def _shown(url: sa.URL) -> str:
    """The database without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or str(url.query.get("host", "a local socket"))
    return f"{url.get_backend_name()} database {url.database or ''} on {host}" + (
        f":{url.port}" if url.port else ""
    )

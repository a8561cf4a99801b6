"""SQL databases: a table or a query, every column cast to text by the server.

What belongs here: SQLite, PostgreSQL, MariaDB and MySQL through SQLAlchemy.
Casting in SQL keeps what typed drivers stumble over: zero dates, dates before
Christ, numbers wider than a double. The transaction is read-only and sees one
moment; rows are streamed.
"""

import difflib
import functools
import logging
import math
import sqlite3
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from pymysql.constants import FIELD_TYPE
from sqlalchemy import exc
from sqlalchemy.dialects import mysql

from connectors import fast, mapping, postgres_copy, publications, replication
from connectors.config import SourceConfig
from connectors.database_errors import kind_of, said_in_words, shown
from connectors.dialects import family
from connectors.postgres_copy import decoded
from connectors.queries import Query, written
from connectors.reading import Reading, Report, Since, batch, text
from connectors.silence import Watch
from connectors.sql_changes import Database
from connectors.templates import load, statement
from onefold.errors import SourceError, SourceLayout, SourceMissing

_LOG = logging.getLogger("onefold.refresh")
_BATCH = 10_000
_TIMEOUT_SECONDS = 10
_LOCK_SHARE = 0.7
"""Of the time that a server may be silent, how long it may wait for a lock, so that it says so."""
_WATCH = "onefold_watch"
_BYTES = (bytes, bytearray, memoryview)
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mssql": "mssql+pyodbc",
    "oracle": "oracle+oracledb",
}
_POSTGRESQL = (
    "SET LOCAL timezone = 'UTC'",  # else the same moment is another text for each server
    "SET LOCAL datestyle = 'ISO, YMD'",
    "SET LOCAL intervalstyle = 'iso_8601'",
    "SET LOCAL bytea_output = 'hex'",
)
_MARIADB = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION TRANSACTION READ ONLY",
    "SET SESSION group_concat_max_len = 1000000",
    "SET SESSION net_write_timeout = 3600",  # while what came is written
    "SET SESSION time_zone = '+00:00'",
)


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
    report, url = Report(), _url(config)
    if config.fast:
        fast.check(config, url)
    log = _logged(config, since, asking=limit is None)
    with opened(config) as connection, ExitStack() as asked:
        query = _query(config, connection)
        origin, names = f"{_place(config)} in {shown(url)}", list(query.columns)

        def rows(select: sa.Select[Any]) -> Iterator[pa.RecordBatch]:
            return asked.enter_context(closing(_rows(config, connection, url, select)))

        if limit is not None:
            yield Reading(names, rows(query.select().limit(limit)), report, origin)
            return
        select, mark, changes = query.select(), "", None
        if config.mode != "snapshot":
            table = _change_query(config, connection)
            database = Database(config, connection, query, table, log, rows, report)
            mark = database.mark()
            found = database.changed(since, mark) if since and mark else None
            if found is not None:
                select, changes = found
        types = {name: family(column.type) for name, column in query.columns.items()}
        if config.fast and changes is None:
            given = _fast_rows(config, connection, url, select)
            found_rows: Iterator[pa.RecordBatch] = asked.enter_context(closing(given))
        else:
            found_rows = rows(select)
        reading = Reading(
            names, found_rows, report, origin, types=types, mark=mark, changes=changes
        )
        with _releasing(config, log, reading):
            yield reading


def _logged(config: SourceConfig, since: Since | None, *, asking: bool) -> replication.Log | None:
    """What the server's log says, for a source that goes by it.

    Args:
        asking: False: only look whether it could be asked.
    """
    if config.changes is None or not config.changes.slot:
        return None
    with _connected(config) as server:
        server = server.execution_options(isolation_level="AUTOCOMMIT")
        settings = (
            one.replace("LOCAL", "SESSION") for one in _settings("postgresql", config.timeout)
        )
        server.exec_driver_sql("; ".join((*settings, "SET client_encoding = 'UTF8'")))
        if asking:
            return replication.ask(config, server, since)
        publications.followed(config, server)
        return None


@contextmanager
def _releasing(
    config: SourceConfig, log: replication.Log | None, reading: Reading
) -> Iterator[None]:
    """While a reading is open: move its slot on when it is kept, and leave none that nobody uses.

    Where the server cannot be told, the next sync tells it.
    """
    if log is None:
        yield
        return
    kept = False

    def release() -> None:
        nonlocal kept
        kept = True
        _tell(config, lambda server: replication.release(server, log.slot, reading.mark))

    if log.why:
        reading.report.note(f"everything was read: {log.why}")
    reading.release = release
    try:
        yield
    finally:
        if log.made and not kept:
            _tell(config, lambda server: replication.drop(server, log.slot))


def _tell(config: SourceConfig, do: Callable[[sa.Connection], None]) -> None:
    try:
        with _connected(config) as server:
            do(server.execution_options(isolation_level="AUTOCOMMIT"))
    except SourceError as error:
        _LOG.warning("%s: the replication slot stays as it is. %s", config.name, error)


@contextmanager
def opened(config: SourceConfig) -> Iterator[sa.Connection]:
    """A connection to a source's database, for reading only.

    Raises:
        SourceError: as :func:`read`.
    """
    with _connected(config) as connection:
        yield _read_only(connection, config.timeout)


@contextmanager
def _connected(config: SourceConfig) -> Iterator[sa.Connection]:
    """A connection on which nothing was said yet, watched."""
    url = _url(config)
    engine = _engine(config, url)
    watch = Watch(config.timeout)
    if engine.driver == "psycopg":
        watch.over(engine)
    try:
        with said_in_words(config, url, watch), watch, engine.connect() as connection:
            watch.rest()
            connection.info[_WATCH] = watch
            yield connection
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
    backend, options = url.get_backend_name(), dict[str, float | str]()
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
        options = {"connect_timeout": min(_TIMEOUT_SECONDS, math.ceil(config.timeout))}
    if url.drivername == "mysql+pymysql":
        options |= {"read_timeout": config.timeout, "write_timeout": config.timeout}
    elif url.drivername == "postgresql+psycopg":
        options |= {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
        if "client_encoding" not in url.query:
            options["client_encoding"] = "UTF8"
    try:
        return sa.create_engine(url, poolclass=sa.NullPool, connect_args=options)
    except (exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise SourceError(
            f"{config.file}, url",
            "there is no driver for this kind of database",
            found=url.drivername,
            do="Use sqlite, postgresql, mysql or mariadb, or install the driver: "
            "pip install 'onefold[mssql]', [oracle], [hana] or [db2].",
        ) from error


def _open_file(path: Path) -> sqlite3.Connection:
    """Open a SQLite file that must be there, for reading only."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_TIMEOUT_SECONDS
    )
    connection.text_factory = decoded
    return connection


def _read_only(connection: sa.Connection, timeout: float) -> sa.Connection:
    """The connection, in a transaction that only reads and sees one moment."""
    backend = connection.dialect.name
    if backend == "postgresql":
        connection = connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        connection.exec_driver_sql("; ".join(_settings(backend, timeout)))
    elif backend in ("mysql", "mariadb"):
        for statement in _settings(backend, timeout):
            connection.exec_driver_sql(statement)
        connection.commit()
    elif backend == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
    return connection


def _settings(backend: str, timeout: float) -> tuple[str, ...]:
    """What every session of a server is told before it is asked anything."""
    if backend == "postgresql":
        return (*_POSTGRESQL, f"SET LOCAL lock_timeout = {round(_LOCK_SHARE * timeout * 1000)}")
    wait = max(1, round(_LOCK_SHARE * timeout))
    return (*_MARIADB, f"SET SESSION lock_wait_timeout = {wait}")


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
    if config.changes is None or config.changes.slot:
        return None
    place = {"table": config.changes.table, "query": config.changes.query, "template": None}
    return _declared(config.model_copy(update=place), connection)


def _declared(config: SourceConfig, connection: sa.Connection) -> Query:
    """The records of a query, of a template's tables, or of a table."""
    if config.query:
        origin = written(config.query)
        return Query(_query_columns(config, connection, origin), origin)
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
) -> dict[str, sa.ColumnElement[Any]]:
    nothing = sa.select(sa.text("*")).select_from(origin).where(sa.text("1 = 0"))
    try:
        result = connection.execute(nothing)
        names = [str(name) for name in result.keys()]  # noqa: SIM118
        moments = [_is_moment(connection, told[1]) for told in result.cursor.description]
        result.close()
    except (exc.ProgrammingError, exc.OperationalError) as error:
        if error.connection_invalidated or kind_of(error) not in ("", "gone"):
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
    return {
        name: sa.column(name, mysql.TIMESTAMP() if moment else None)
        for name, moment in zip(names, moments, strict=True)
    }


def _is_moment(connection: sa.Connection, kind: Any) -> bool:
    """Whether a column of a result is a TIMESTAMP of MariaDB or MySQL."""
    return connection.dialect.driver == "pymysql" and kind == FIELD_TYPE.TIMESTAMP


def _rows(
    config: SourceConfig, connection: sa.Connection, url: sa.URL, select: sa.Select[Any]
) -> Generator[pa.RecordBatch]:
    position, watch = _place(config), connection.info[_WATCH]
    with said_in_words(config, url, watch):
        if connection.dialect.driver == "psycopg":
            with closing(postgres_copy.read(connection, select, watch)) as parts:
                for columns in parts:
                    yield batch(position, columns)
            return
        streaming = connection.execution_options(stream_results=True, max_row_buffer=_BATCH)
        for some in streaming.execute(select).partitions(_BATCH):
            yield batch(position, [_column(values) for values in zip(*some, strict=True)])


def _fast_rows(
    config: SourceConfig, connection: sa.Connection, url: sa.URL, select: sa.Select[Any]
) -> Generator[pa.RecordBatch]:
    """The same through connectorx; of PostgreSQL what the transaction of our own sees."""
    with said_in_words(config, url, connection.info[_WATCH]):
        driver: Any = connection.connection.driver_connection
        before = list(_settings(connection.dialect.name, config.timeout))
        encrypted = False
        if connection.dialect.driver == "psycopg":
            encrypted = bool(driver.pgconn.ssl_in_use)
            query = postgres_copy.written(connection, select)
            seen = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
            before[:0] = [
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                f"SET TRANSACTION SNAPSHOT '{seen}'",
            ]
        else:
            options = {"render_postcompile": True}
            compiled = select.compile(dialect=connection.dialect, compile_kwargs=options)
            query = driver.cursor().mogrify(str(compiled), compiled.params)
    address = fast.address(url, encrypted=encrypted)
    with closing(fast.read(config, address, query, before)) as parts:
        for columns in parts:
            yield batch(_place(config), columns)


def _column(values: tuple[Any, ...]) -> pa.Array:
    if set(map(type, values)) <= {str, type(None)}:
        return text(values)
    return text(map(_text, values))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return decoded(bytes(value)) if isinstance(value, _BYTES) else str(value)

"""Connections to the databases of sources: for reading only, watched, all told the same.

What belongs here: URLs, engines, and what every session is told first. What is asked stands in
connectors/sql.py.
"""

import functools
import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc

from connectors.config import SourceConfig
from connectors.database_errors import said_in_words
from connectors.postgres_copy import decoded
from connectors.silence import Watch
from onefold.errors import SourceError, SourceMissing

_TIMEOUT_SECONDS = 10
_LOCK_SHARE = 0.7
"""Of the time that a server may be silent, how long it may wait for a lock, so that it says so."""
WATCH = "onefold_watch"
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
def opened(config: SourceConfig) -> Iterator[sa.Connection]:
    """A connection to a source's database, for reading only.

    Raises:
        SourceError: as :func:`read`.
    """
    with connected(config) as connection:
        yield _read_only(connection, config.timeout)


@contextmanager
def connected(config: SourceConfig) -> Iterator[sa.Connection]:
    """A connection on which nothing was said yet, watched."""
    url = url_of(config)
    engine = _engine(config, url)
    watch = Watch(config.timeout)
    if engine.driver == "psycopg":
        watch.over(engine)
    try:
        with said_in_words(config, url, watch), watch, engine.connect() as connection:
            watch.rest()
            connection.info[WATCH] = watch
            yield connection
    finally:
        engine.dispose()


def database_files(config: SourceConfig) -> list[Path]:
    """The file of a SQLite source and its journal; nothing for a server."""
    url = url_of(config)
    if url.get_backend_name() != "sqlite" or not url.database:
        return []
    path = Path(url.database)
    return [path, path.with_name(path.name + "-wal")]


def database_of(config: SourceConfig) -> str:
    """Which database a source is read from, whoever reads it."""
    url = url_of(config)
    return f"{url.get_backend_name()} {url.host} {url.port} {url.database}"


def url_of(config: SourceConfig) -> sa.URL:
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
        connection.exec_driver_sql("; ".join(session_settings(backend, timeout)))
    elif backend in ("mysql", "mariadb"):
        for statement in session_settings(backend, timeout):
            connection.exec_driver_sql(statement)
        connection.commit()
    elif backend == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
    return connection


def session_settings(backend: str, timeout: float) -> tuple[str, ...]:
    """What every session of a server is told before it is asked anything."""
    if backend == "postgresql":
        return (*_POSTGRESQL, f"SET LOCAL lock_timeout = {round(_LOCK_SHARE * timeout * 1000)}")
    wait = max(1, round(_LOCK_SHARE * timeout))
    return (*_MARIADB, f"SET SESSION lock_wait_timeout = {wait}")

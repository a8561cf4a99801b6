"""Connections to both stores, their transactions and their migrations.

What belongs here: engines, who may write when, and turning what a driver says
into a WarehouseError. A message names the database, never a password, and no
value of a customer (drivers quote rows in theirs).
"""

import functools
import logging
import sqlite3
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from onefold.errors import OnefoldError, WarehouseError
from onefold.keys import Keys
from onefold.settings import Settings
from warehouse import sealing
from warehouse.bi import install
from warehouse.columns import REVIEW, STORES, WAREHOUSE
from warehouse.sealing import Sealer

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger("onefold.warehouse")

BOTH = "both"
"""For :meth:`Warehouse.read`: the tables of both stores on one connection, for joins."""

BUSY_SECONDS = 300
"""How long a writer waits for another one before it gives up."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATE = "Run 'onefold migrate'."


@dataclass(frozen=True)
class Warehouse:
    """An open deployment: where its tables are and how to reach them.

    Attributes:
        settings: the deployment.
        engines: by store, ``warehouse`` and ``review``, and BOTH, which only reads.
        kept: what follows from the last publish; see warehouse/kept.py, which holds ``lock``.
    """

    settings: Settings
    engines: dict[str, sa.Engine]
    kept: dict[tuple[str, Hashable], Any] = field(default_factory=dict, compare=False, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    @property
    def is_postgresql(self) -> bool:
        """Whether the stores are schemas of a PostgreSQL database (else SQLite files)."""
        return self.engines[WAREHOUSE].dialect.name == "postgresql"

    @property
    def sealer(self) -> Sealer:
        """What is kept encrypted in the stores."""
        found = sealing.sealer_of(self.engines[WAREHOUSE].dialect)
        assert found is not None
        return found

    @property
    def keys(self) -> Keys:
        """The home's keys."""
        return self.sealer.keys

    @contextmanager
    def read(self, store: str = WAREHOUSE) -> Iterator[sa.Connection]:
        """A connection on which all statements see one and the same state.

        Raises:
            WarehouseError: the database cannot be reached or refuses.
        """
        engine = self.engines[store]
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with translated(engine.url), engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, store: str = WAREHOUSE) -> Iterator[sa.Connection]:
        """A transaction, alone among writers of the store; readers go on meanwhile.

        Raises:
            WarehouseError: the database cannot be reached, is held too long, or refuses.
        """
        engine = self.engines[store].execution_options(onefold_write=True)
        with translated(engine.url), engine.begin() as connection:
            if self.is_postgresql:
                connection.execute(_LOCK, {"name": f"onefold.{store}"})
            yield connection

    def close(self) -> None:
        """Close every connection."""
        for engine in self.engines.values():
            engine.dispose()


_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def place(url: sa.URL) -> str:
    """The database in words, without user, password or parameters.

    >>> place(sa.make_url("postgresql+psycopg://me:secret@db.example:5433/crm?password=x"))
    'PostgreSQL database crm on db.example:5433'
    """
    if url.get_backend_name() == "sqlite":
        return f"SQLite database {url.database}"
    host = url.host or url.query.get("host") or "this machine"
    return f"PostgreSQL database {url.database} on {host}:{url.port or 5432}"


@contextmanager
def translated(url: sa.URL) -> Iterator[None]:
    """Turn a driver's exception into a WarehouseError without customer values.

    The cause is cut off on purpose: drivers quote the row they refuse.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _refusal(url, error.orig) from None
    except _driver_errors() as error:
        raise _refusal(url, error) from None


def _driver_errors() -> tuple[type[Exception], ...]:
    """What drivers raise by themselves; looked up when something was raised."""
    import psycopg  # slow to load

    return sqlite3.Error, psycopg.Error


def _held(where: str) -> WarehouseError:
    return WarehouseError(
        where,
        f"another program held the database for {BUSY_SECONDS} s",
        do="Wait for it to end, then run again.",
    )


def _refusal(url: sa.URL, error: BaseException | None) -> WarehouseError:
    where = place(url)
    if isinstance(error, sqlite3.Error):
        said = str(error)  # names tables and columns, never values
        if "locked" in said:
            return _held(where)
        if "unable to open" in said:
            return WarehouseError(where, "the file cannot be opened", do="Check folder and rights.")
        if "readonly" in said:
            return WarehouseError(
                where, "the file may not be written", do="Mend the rights of file and folder."
            )
        if "no such table" in said or "no such column" in said:
            return WarehouseError(where, "the database is not up to date", found=said, do=_MIGRATE)
        return WarehouseError(where, "the database refuses", found=said)
    import psycopg

    if isinstance(error, psycopg.errors.LockNotAvailable):
        return _held(where)
    state = getattr(error, "sqlstate", None)
    if isinstance(error, psycopg.OperationalError) and (
        state is None or state[:2] in {"08", "28", "3D", "53", "57"}
    ):
        found = {"28": "refused user or password", "3D": "no such database"}.get((state or "")[:2])
        # Before a session exists psycopg gives text only; its wording tells these apart.
        text = str(error)
        if found is None and ("password" in text or "authentication" in text):
            found = "refused user or password"
        elif found is None and "does not exist" in text:
            found = "no such database or user"
        return WarehouseError(
            where,
            "the database cannot be reached",
            found=found or "no answer",
            do="Check that it runs, and the address in ONEFOLD_DATABASE_URL or onefold.yml.",
        )
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return WarehouseError(where, "the database is not up to date", do=_MIGRATE)
    kind = type(error).__name__
    return WarehouseError(where, "the database refuses", found=f"{kind} {state or ''}".strip())


def _engine(url: str, store: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(
            parsed,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={
                "options": f"-c timezone=utc -c lock_timeout={int(BUSY_SECONDS * 1000)}",
                "connect_timeout": 10,
                "application_name": f"onefold {store}",
            },
        )
    engine = sa.create_engine(
        parsed, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS}
    ).execution_options(schema_translate_map={WAREHOUSE: None, REVIEW: None})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


_CACHE_MB = {False: 64, True: 256}
"""Pages of SQLite in memory, for one who reads and one who writes: a publish changes pages all
over the file. What does not fit is written to the log and read from it again (1 % of a million
records changed: 1.4 million calls of the system instead of .7)."""


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL (readers go on while one writes); transactions begun by us, not by the driver.

    What a statement would take back is kept in memory, not in a file.
    """
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Writers queue at BEGIN: a read that turns into a write later cannot wait its turn."""
    writes = bool(connection.get_execution_options().get("onefold_write", False))
    connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_MB[writes] << 10}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _engines(settings: Settings) -> dict[str, sa.Engine]:
    engines = {
        WAREHOUSE: _engine(settings.database_url, WAREHOUSE),
        REVIEW: _engine(settings.review_url, REVIEW),
    }
    engines[BOTH] = _both(settings, engines)
    sealer = Sealer.of(Keys.of(settings))
    for engine in engines.values():
        sealing.attach(engine, sealer)
    return engines


def _both(settings: Settings, engines: dict[str, sa.Engine]) -> sa.Engine:
    """On PostgreSQL one database has both; SQLite opens the second file beside the first."""
    if engines[WAREHOUSE].dialect.name == "postgresql":
        return engines[WAREHOUSE]
    both = _engine(settings.database_url, WAREHOUSE)
    other = str(engines[REVIEW].url.database)

    def attach(connection: Any, _record: Any) -> None:
        connection.execute(f"ATTACH DATABASE ? AS {REVIEW}", (other,)).close()
        connection.execute("PRAGMA query_only=ON").close()

    sa.event.listen(both, "connect", attach)
    return both.execution_options(schema_translate_map={WAREHOUSE: None, REVIEW: REVIEW})


def _configured(connection: sa.Connection, store: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes.update(connection=connection, store=store)
    return config


def migration_options(connection: sa.Connection, store: str) -> dict[str, Any]:
    """Alembic's options for a store: its own version, and its own schema on PostgreSQL."""
    postgresql = connection.dialect.name == "postgresql"

    def ours(name: str | None, kind: str, _parents: Any) -> bool:
        return kind != "schema" or name == (store if postgresql else None)

    return {
        "version_table": "alembic_version",
        "version_table_schema": store if postgresql else None,
        "include_schemas": postgresql,
        "include_name": ours,
        "compare_type": True,
    }


def _revision(connection: sa.Connection, store: str) -> str | None:
    """The version that a store's tables have; None before the first migration."""
    options = migration_options(connection, store)
    name, schema = options["version_table"], options["version_table_schema"]
    if not sa.inspect(connection).has_table(name, schema):
        return None
    versions = sa.table(name, sa.column("version_num", sa.Text), schema=schema)
    return connection.execute(sa.select(versions.c.version_num)).scalar()


@functools.cache
def _versions() -> tuple[str, frozenset[str]]:
    """The newest version of the tables and all there are, from the names of their modules.

    (Alembic, which is slow to load, is asked only where tables are made or changed.)
    """
    known = {path.name[:4] for path in (_MIGRATIONS / "versions").glob("[0-9][0-9][0-9][0-9]_*.py")}
    return max(known), frozenset(known)


def connect(settings: Settings) -> Warehouse:
    """Open both stores.

    Raises:
        WarehouseError: a store is missing, cannot be reached, was not migrated,
            or was migrated by a newer Onefold.
    """
    head, known = _versions()
    wh = Warehouse(settings, _engines(settings))
    try:
        wh.keys.check()
        for store in STORES:
            url = wh.engines[store].url
            where = place(url)
            if not wh.is_postgresql and not Path(str(url.database)).is_file():
                raise WarehouseError(where, "there is no such file", do=_MIGRATE)
            with wh.read(store) as connection:
                current = _revision(connection, store)
            if current is None:
                raise WarehouseError(where, f"it has no {store} tables yet", do=_MIGRATE)
            if current not in known:
                raise WarehouseError(
                    where,
                    "it was made by a newer Onefold",
                    found=f"version {current}, this one knows {head}",
                    do="Install that version, or point to another database.",
                )
            if current != head:
                raise WarehouseError(
                    where,
                    f"its {store} tables are of an older Onefold",
                    found=f"version {current}, this one needs {head}",
                    do=_MIGRATE,
                )
    except OnefoldError:
        wh.close()
        raise
    return wh


def migrate(settings: Settings) -> None:
    """Make or update the tables of both stores and the views; nothing where they are up to date.

    Each store is migrated in one transaction.

    Raises:
        WarehouseError: a store cannot be reached, refuses, or is of a newer Onefold.
    """
    _migrated(settings).close()


def connect_migrated(settings: Settings) -> Warehouse:
    """What :func:`migrate` and then :func:`connect` do, on the same connections.

    Raises:
        WarehouseError: a store cannot be reached, refuses, or is of a newer Onefold.
    """
    wh = _migrated(settings)
    try:
        wh.keys.check()
    except OnefoldError:
        wh.close()
        raise
    return wh


def _migrated(settings: Settings) -> Warehouse:
    wh = Warehouse(settings, _engines(settings))
    head, known = _versions()
    try:
        for store in STORES:
            url = wh.engines[store].url
            if not wh.is_postgresql:
                Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
            with wh.read(store) as connection:
                up_to_date = _revision(connection, store) == head
                if up_to_date and (store != WAREHOUSE or install.stands(connection)):
                    continue  # without waiting for whoever writes
            with wh.write(store) as connection:
                if wh.is_postgresql:
                    connection.execute(sa.schema.CreateSchema(store, if_not_exists=True))
                current = _revision(connection, store)
                if current is not None and current not in known:
                    raise WarehouseError(
                        place(url),
                        "it was made by a newer Onefold",
                        found=f"version {current}",
                        do="Install that version, or point to another database.",
                    )
                if current != head:
                    install.make_way(connection)
                    from alembic import command

                    command.upgrade(_configured(connection, store), "head")
                    log.info("migrated store %s of %s", store, place(url))
                if store == WAREHOUSE:
                    install.install(connection)
    except BaseException:
        wh.close()
        raise
    return wh

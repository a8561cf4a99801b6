"""Dagster's run history in SQLite files, with one engine instead of one per statement.

Dagster's own storage makes an engine of SQLAlchemy for every statement, which compiles the
statement anew: more than a third of the CPU time of a refresh in which nothing changed. It also
opens and closes the file each time, and SQLite waits for the disk whenever a file is closed: 1,100
times in a refresh. The files and what stands in them are the same, so that a home may go from one
to the other at any time. ``dagster.yaml`` names :class:`History`.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite_storage import (
    DagsterSqliteStorage,
    _event_logs_directory,
    _runs_directory,
    _schedule_directory,
)
from dagster._serdes import ConfigurableClassData

BUSY_SECONDS = 60
"""How long a statement waits for another process that writes."""

_file: ContextVar[str] = ContextVar("file")
"""The file that a new connection opens: every run has one of its own."""


def _open() -> sqlite3.Connection:
    """As durable as the stores (:mod:`warehouse.engine`): a killed process loses nothing."""
    connection = sqlite3.connect(_file.get(), timeout=BUSY_SECONDS, check_same_thread=False)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


def _identity(file: str) -> tuple[int, int] | None:
    """Which file stands there; None is none."""
    try:
        found = Path(file).stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


class _Pool(sa.Pool):
    """Keeps a connection to each of the files that were used last."""

    _KEPT = 8
    """Twice what a run uses: its events, the index of all events, runs and schedules."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kept: dict[str, sa.pool.ConnectionPoolEntry] = {}
        self._lock = threading.Lock()

    def _do_get(self) -> sa.pool.ConnectionPoolEntry:
        file = _file.get()
        with self._lock:
            entry = self._kept.pop(file, None)
        if entry is not None and entry.info["identity"] != _identity(file):
            entry.close()  # the file was deleted, or another one put in its place
            entry = None
        if entry is None:
            entry = self._create_connection()
            entry.info["file"] = file
        return entry

    def _do_return_conn(self, record: sa.pool.ConnectionPoolEntry) -> None:
        if "file" not in record.info:  # the connection broke and was closed
            return
        file = record.info["file"]
        record.info["identity"] = _identity(file)
        with self._lock:
            left = [self._kept.pop(file)] if file in self._kept else []
            self._kept[file] = record
            while len(self._kept) > self._KEPT:
                left.append(self._kept.pop(next(iter(self._kept))))
        for entry in left:
            entry.close()

    def forget(self, folder: Path) -> None:
        """Close the connections to the files of a folder."""
        with self._lock:
            files = [file for file in self._kept if Path(file).parent == folder]
            left = [self._kept.pop(file) for file in files]
        for entry in left:
            entry.close()


_POOL = _Pool(_open)
_ENGINE = sa.create_engine("sqlite://", pool=_POOL)
"""Keeps compiled statements for all files."""


@contextmanager
def _at(file: str) -> Iterator[None]:
    """What connects in the block connects to the file."""
    token = _file.set(file)
    try:
        yield
    finally:
        _file.reset(token)


@contextmanager
def _begin(file: str) -> Iterator[sa.Connection]:
    """A transaction on the file."""
    with _at(file):
        opened = _ENGINE.connect()
    with opened as connection, connection.begin():
        yield connection


def _path(url: str) -> str:
    return str(sa.make_url(url).database)


class _Events(SqliteEventLogStorage):
    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        file = self.path_for_shard(shard)
        with self._db_lock:
            if shard not in self._initialized_dbs:
                with _at(file):
                    self._initdb(_ENGINE)
                self._initialized_dbs.add(shard)
            with _begin(file) as connection:
                yield connection

    def dispose(self) -> None:
        super().dispose()
        _POOL.forget(Path(self._base_dir))


class _Runs(SqliteRunStorage):
    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        with _begin(_path(self._conn_string)) as connection:
            yield connection

    def dispose(self) -> None:
        super().dispose()
        _POOL.forget(Path(_path(self._conn_string)).parent)


class _Schedules(SqliteScheduleStorage):
    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        with _begin(_path(self._conn_string)) as connection:
            yield connection


class History(DagsterSqliteStorage):
    """Runs, events and schedules of a home.

    Args:
        base_dir: the home; the same folders below it as Dagster's own storage has.
        inst_data: where the configuration stands, as Dagster hands it over.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        DagsterStorage.__init__(self)  # type: ignore[arg-type]  # its own type variable
        self.base_dir = base_dir
        self._run_storage = _Runs.from_local(_runs_directory(base_dir))
        self._event_log_storage = _Events(_event_logs_directory(base_dir))
        self._schedule_storage = _Schedules.from_local(_schedule_directory(base_dir))
        self._inst_data = inst_data

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Made by Dagster from ``storage: custom:`` of dagster.yaml."""
        return cls.from_local(inst_data=inst_data, **config_value)

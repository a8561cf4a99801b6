"""Dagster's run history in SQLite files, with one engine instead of one per statement.

Dagster's own storage makes an engine of SQLAlchemy for every statement, which compiles the
statement anew: more than a third of the CPU time of a refresh in which nothing changed. The files
and what stands in them are the same, so that a home may go from one to the other at any time.
``dagster.yaml`` names :class:`History`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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
_ENGINE = sa.create_engine(
    "sqlite://",
    poolclass=sa.NullPool,
    creator=lambda: sqlite3.connect(_file.get(), timeout=BUSY_SECONDS),
)
"""Keeps compiled statements for all files, and no connection open."""


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


class _Runs(SqliteRunStorage):
    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        with _begin(_path(self._conn_string)) as connection:
            yield connection


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

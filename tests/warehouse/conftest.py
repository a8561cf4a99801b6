"""A migrated warehouse on each database, and small invented customers to put in."""

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from dedupe import cases
from dedupe.identity import assign
from dedupe.relations import SCHEMA as RELATIONS
from dedupe.suggestions import SUGGESTIONS_SCHEMA
from dedupe.survivorship import Policy, consolidate
from onefold.settings import Settings
from rules.customer import STAGED_SCHEMA
from rules.quarantine import QUARANTINE_SCHEMA
from warehouse import engine, overrides, publish, staged
from warehouse.stores import METADATA

Rows = list[tuple[Any, ...]]


def sqlite_settings(folder: Path) -> Settings:
    """A deployment on SQLite files in a folder."""
    return Settings(
        home=folder,
        database_url=f"sqlite:///{folder / 'warehouse.db'}",
        review_url=f"sqlite:///{folder / 'review.db'}",
        lake=str(folder / "lake"),
    )


def postgresql_settings(folder: Path, url: str) -> Settings:
    """A deployment on a PostgreSQL database."""
    return Settings(home=folder, database_url=url, review_url=url, lake=str(folder / "lake"))


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a database that has nothing in it yet."""
    if request.param == "sqlite":
        return sqlite_settings(tmp_path)
    return postgresql_settings(tmp_path, request.getfixturevalue("postgres_database"))


@pytest.fixture(scope="session")
def migrated_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a migrated, empty SQLite deployment."""
    folder = tmp_path_factory.mktemp("migrated")
    engine.migrate(sqlite_settings(folder))
    return folder


@contextmanager
def _server(url: str) -> Iterator[sa.Connection]:
    """A connection for statements that no transaction may hold."""
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with server.connect() as connection:
        yield connection


@contextmanager
def _database(postgres_url: str, of: str = "") -> Iterator[str]:
    """The URL of a new database, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with _server(postgres_url) as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} {of}"))
    yield sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    with _server(postgres_url) as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def migrated_url(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A migrated PostgreSQL database, emptied before each test that uses it."""
    if "DATABASE_URL" not in os.environ:  # our own server: waiting for the disk tests nothing
        with _server(postgres_url) as connection:
            connection.execute(sa.text("ALTER SYSTEM SET fsync = off"))
            connection.execute(sa.text("SELECT pg_reload_conf()"))
    with _database(postgres_url) as url:
        engine.migrate(postgresql_settings(tmp_path_factory.getbasetemp(), url))
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a migrated, empty database that the test may spoil."""
    if request.param == "sqlite":
        for file in request.getfixturevalue("migrated_files").iterdir():
            shutil.copy(file, tmp_path)
        yield sqlite_settings(tmp_path)
        return
    url = request.getfixturevalue("migrated_url")
    of = f"TEMPLATE {sa.make_url(url).database}"
    with _database(request.getfixturevalue("postgres_url"), of) as copy:
        settings = postgresql_settings(tmp_path, copy)
        wh = engine.connect(settings)
        World(wh).clear()  # of what an earlier test left in the template
        wh.close()
        yield settings


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[engine.Warehouse]:
    """A migrated, empty, open warehouse."""
    if request.param == "sqlite":
        for file in request.getfixturevalue("migrated_files").iterdir():
            shutil.copy(file, tmp_path)
        settings = sqlite_settings(tmp_path)
    else:
        settings = postgresql_settings(tmp_path, request.getfixturevalue("migrated_url"))
    wh = engine.connect(settings)
    World(wh).clear()
    yield wh
    wh.close()


class World:
    """A warehouse and short ways to fill it through its public functions."""

    def __init__(self, wh: engine.Warehouse) -> None:
        self.wh = wh
        self._numbers = count(1)

    @staticmethod
    def records(source: str, names: Mapping[str, str | None], **columns: Any) -> pa.Table:
        """Staged records of a source: key to name; ``columns`` are the same for all."""
        rows = [
            {
                "record_id": f"{source}:{key}",
                "source": source,
                "source_key": key,
                "position": f"{source}.csv|{number + 2}",
                "row_hash": f"{name}",
                "customer_type": "person",
                "name": name,
                "phones": ["+8613800138000"],
                "phone_kinds": ["mobile"],
                "phone_extensions": [""],
                "birth_date": date(1980, 1, 2),
                "created_at": datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
                "attributes": '{"tier": "gold"}',
                "do_not_contact": number % 2 == 0,
                **columns,
            }
            for number, (key, name) in enumerate(names.items())
        ]
        return pa.Table.from_pylist(rows, schema=STAGED_SCHEMA)

    @staticmethod
    def findings(source: str, *found: dict[str, Any]) -> pa.Table:
        """Quarantine rows; what a finding does not say is filled in."""
        rows = [
            {
                "record_id": f"{source}:{one.get('source_key', '1')}",
                "source": source,
                "source_key": "1",
                "position": f"{source}.csv|2",
                "field": "phones",
                "rule": "phone_too_short",
                "severity": "error",
                "reason": "Too short for a number. Ask for it.",
                "raw_value": "123",
                "whole_record": False,
                **one,
            }
            for one in found
        ]
        return pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA)

    def sync(self, rows_read: int = 0, sync_id: str | None = None) -> staged.Sync:
        """What is known of a sync."""
        return staged.Sync(
            sync_id=sync_id or f"s{next(self._numbers)}",
            started_at=datetime.now(UTC),
            rows_read=rows_read,
            snapshot="raw/x.parquet",
            content_hash="c",
            manifest={"files": ["x.csv"]},
        )

    def put(
        self, source: str, names: Mapping[str, str | None], *found: dict[str, Any], **columns: Any
    ) -> staged.Changes:
        """Sync a source: its records, and findings on them."""
        return staged.replace(
            self.wh,
            source,
            self.records(source, names, **columns),
            self.findings(source, *found),
            self.sync(len(names)),
        )

    def publish(
        self,
        groups: Sequence[Sequence[str]],
        fingerprint: str | None = None,
        suggestions: Sequence[Mapping[str, Any]] = (),
        relations: Sequence[Mapping[str, Any]] = (),
    ) -> publish.Published:
        """Publish the staged records, clustered as told; a new fingerprint unless given."""
        base = publish.read_identity(self.wh)
        members = [(record, min(group)) for group in groups for record in group]
        clusters = pa.table(
            {
                "record_id": pa.array([record for record, _ in members], pa.string()),
                "cluster_id": pa.array([cluster for _, cluster in members], pa.string()),
            }
        )
        identity = assign(clusters, base.crosswalk, base.live, base.next_number, base.former)
        consolidated = consolidate(staged.read(self.wh), identity.crosswalk, Policy())
        doubts = pa.Table.from_pylist([dict(one) for one in suggestions], schema=SUGGESTIONS_SCHEMA)
        moved = overrides.changed(self.wh, staged.read(self.wh), identity.crosswalk, {})
        pinned, told = overrides.as_cases(moved, consolidated.golden)
        found = cases.make(doubts, identity.crosswalk, consolidated.golden)
        return publish.publish(
            self.wh,
            identity,
            consolidated,
            doubts,
            fingerprint or f"f{next(self._numbers)}",
            relations=pa.Table.from_pylist([dict(one) for one in relations], schema=RELATIONS),
            cases=cases.joined(found, pinned),
            evidence=told,
            base=base,
        )

    def dump(self) -> dict[str, Rows]:
        """Every row of every table of both stores, sorted."""
        found: dict[str, Rows] = {}
        for store, metadata in METADATA.items():
            with self.wh.read(store) as connection:
                for table in metadata.sorted_tables:
                    rows = [tuple(row) for row in connection.execute(sa.select(table))]
                    found[table.name] = sorted(rows, key=repr)
        return found

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """The rows of a table, in no particular order."""
        store = str(table.schema)
        with self.wh.read(store) as connection:
            return [dict(row._mapping) for row in connection.execute(sa.select(table))]

    def clear(self) -> None:
        """Delete every row of both stores."""
        for store, metadata in METADATA.items():
            with self.wh.write(store) as connection:
                for table in reversed(metadata.sorted_tables):
                    connection.execute(sa.delete(table))


@pytest.fixture
def world(warehouse: engine.Warehouse) -> World:
    """A migrated, empty warehouse with short ways to fill it."""
    return World(warehouse)


@pytest.fixture
def sqlite_world(migrated_files: Path, tmp_path: Path) -> Iterator[World]:
    """The same on SQLite only, where the database the warehouse is in does not matter."""
    folder = tmp_path / "warehouse"
    shutil.copytree(migrated_files, folder)
    wh = engine.connect(sqlite_settings(folder))
    yield World(wh)
    wh.close()

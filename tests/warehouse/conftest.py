"""A migrated warehouse on each database, and small invented customers to put in."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
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
from dedupe.survivorship import GOLDEN_SCHEMA, Policy, in_parts
from onefold.settings import Settings
from rules.customer import STAGED_SCHEMA
from rules.quarantine import QUARANTINE_SCHEMA
from warehouse import engine, overrides, publish, staged, staged_records, sync_runs
from warehouse.stores import METADATA

Rows = list[tuple[Any, ...]]
NewDatabase = Callable[..., AbstractContextManager[str]]


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


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated(
    request: pytest.FixtureRequest, migrated_files: Path, tmp_path: Path
) -> Iterator[Settings]:
    """Settings of a migrated, empty database that the test may spoil."""
    if request.param == "sqlite":
        shutil.copytree(migrated_files, tmp_path, dirs_exist_ok=True)
        yield sqlite_settings(tmp_path)
        return
    new_database = request.getfixturevalue("new_database")
    with new_database(request.getfixturevalue("migrated_url")) as url:
        yield postgresql_settings(tmp_path, url)


@pytest.fixture(scope="session")
def _used_url(new_database: NewDatabase, migrated_url: str) -> Iterator[str]:
    """A migrated PostgreSQL database, emptied before each test that uses it."""
    with new_database(migrated_url) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def warehouse(
    request: pytest.FixtureRequest, migrated_files: Path, tmp_path: Path
) -> Iterator[engine.Warehouse]:
    """A migrated, empty, open warehouse."""
    if request.param == "sqlite":
        shutil.copytree(migrated_files, tmp_path, dirs_exist_ok=True)
        wh = engine.connect(sqlite_settings(tmp_path))
    else:
        wh = engine.connect(postgresql_settings(tmp_path, request.getfixturevalue("_used_url")))
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

    def sync(self, rows_read: int = 0, sync_id: str | None = None) -> sync_runs.Sync:
        """What is known of a sync."""
        return sync_runs.Sync(
            sync_id=sync_id or f"s{next(self._numbers)}",
            started_at=datetime.now(UTC),
            rows_read=rows_read,
            snapshot="raw/x.parquet",
            content_hash="c",
            manifest={"files": ["x.csv"]},
        )

    def put(
        self, source: str, names: Mapping[str, str | None], *found: dict[str, Any], **columns: Any
    ) -> sync_runs.Changes:
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
        records = staged_records.read(self.wh)
        some = max(2, len(groups) // 3)  # several parts, whatever there is to publish
        parts = list(in_parts(records, identity.crosswalk, Policy(), size=some))
        golden = pa.concat_tables([GOLDEN_SCHEMA.empty_table(), *(each.golden for each in parts)])
        doubts = pa.Table.from_pylist([dict(one) for one in suggestions], schema=SUGGESTIONS_SCHEMA)
        moved = overrides.changed(self.wh, records, identity.crosswalk, {})
        pinned, told = overrides.as_cases(moved, golden)
        found = cases.make(doubts, identity.crosswalk, golden)
        return publish.publish(
            self.wh,
            identity,
            parts,
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
            prefix = f"{store}." if self.wh.is_postgresql else ""
            statements = [
                f"DELETE FROM {prefix}{table.name}" for table in reversed(metadata.sorted_tables)
            ]
            with self.wh.write(store) as connection:
                if self.wh.is_postgresql:  # takes all of them in one go
                    statements = ["; ".join(statements)]
                for statement in statements:
                    connection.exec_driver_sql(statement)


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

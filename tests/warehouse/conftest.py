"""A migrated warehouse on each database, and small invented customers to put in."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from onefold.settings import Settings
from warehouse import engine

Make = Callable[[], engine.Warehouse]


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


@pytest.fixture
def warehouse(settings: Settings) -> Iterator[Any]:
    """A migrated, empty, open warehouse."""
    engine.migrate(settings)
    wh = engine.connect(settings)
    yield wh
    wh.close()

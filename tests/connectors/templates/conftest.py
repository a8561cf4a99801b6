"""Databases with the tables of known systems, and their records through raw to staged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors import snapshot
from rules.standardize import Standardized, standardize

SCHEMAS = Path(__file__).with_name("schemas")
Staged = dict[str, dict[str, Any]]


@pytest.fixture
def schema_text() -> Callable[[str], str]:
    """What the file ``schemas/NAME.sql`` holds."""
    return lambda name: (SCHEMAS / f"{name}.sql").read_text(encoding="utf-8")


@pytest.fixture
def run_sql(schema_text) -> Callable[..., None]:
    """Run statements, or the file ``schemas/NAME.sql``, on a database."""

    def run(url: str, *statements: str, schema: str = "") -> None:
        written = list(statements)
        if schema:
            written[:0] = [part for part in schema_text(schema).split(";\n") if part.strip()]
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for statement in written:
                connection.execution_options(no_parameters=True).exec_driver_sql(statement)
        engine.dispose()

    return run


@pytest.fixture
def standardized(home) -> Callable[..., Standardized]:
    """Declare a source, read it into the lake, standardize what is there."""

    def read(country: str = "CN", **settings: Any) -> Standardized:
        config = home.config(**settings)
        raw = snapshot.read(home.sync_path(config))
        return standardize(raw, config, country)

    return read


@pytest.fixture
def staged(standardized) -> Callable[..., Staged]:
    """The staged records of a source by their key, with what is filled only."""

    def read(country: str = "CN", **settings: Any) -> Staged:
        rows = standardized(country, **settings).staged.to_pylist()
        return {
            row["source_key"]: {name: value for name, value in row.items() if value is not None}
            for row in rows
        }

    return read

"""Databases with the tables of known systems, and their records through raw to staged."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

SCHEMAS = Path(__file__).with_name("schemas")


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

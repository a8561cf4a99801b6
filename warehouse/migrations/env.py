"""Alembic's environment: the store and its connection come from warehouse.engine."""

from typing import Any

from alembic import context

from warehouse.engine import version_options
from warehouse.tables import METADATA

store: str = context.config.attributes["store"]
connection = context.config.attributes["connection"]


def _ours(name: str | None, type_: str, _parents: Any) -> bool:
    """On PostgreSQL look at the store's schema only."""
    return type_ != "schema" or name == store


context.configure(
    connection=connection,
    target_metadata=METADATA[store],
    include_schemas=connection.dialect.name == "postgresql",
    include_name=_ours,
    compare_type=True,
    **version_options(connection, store),
)
with context.begin_transaction():
    context.run_migrations()

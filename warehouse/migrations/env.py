"""Alembic's environment: the store and its connection come from warehouse.engine."""

from alembic import context

from warehouse.engine import migration_options
from warehouse.stores import METADATA

store: str = context.config.attributes["store"]
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA[store],
    **migration_options(connection, store),
)
with context.begin_transaction():
    context.run_migrations()

"""Birth dates as text, so that they can be kept encrypted; the views show dates as before.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import context, op

from warehouse.bi import install

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLES = ("staged_customer", "golden_customer", "golden_customer_history")
_COLUMN = "birth_date"


def upgrade() -> None:
    """Change the columns of the warehouse store's tables."""
    if context.config.attributes["store"] != "warehouse":
        return
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        for table in _TABLES:
            _made_anew(bind, table)
        return
    install.put_away(bind)  # PostgreSQL changes no type that a view shows
    for table in _TABLES:
        op.alter_column(
            table,
            _COLUMN,
            type_=sa.Text(),
            postgresql_using=f"to_char({_COLUMN}, 'YYYY-MM-DD')",
            schema="warehouse",
        )


def _made_anew(bind: sa.Connection, table: str) -> None:
    """SQLite changes no type: the table is made as it was, but for the column, and filled."""
    query = sa.text("SELECT type, name, sql FROM sqlite_master WHERE tbl_name = :t AND sql <> ''")
    parts = bind.execute(query, {"t": table}).all()
    (made,) = (one.sql for one in parts if one.type == "table")
    indexes = [one for one in parts if one.type == "index"]
    for one in indexes:
        bind.exec_driver_sql(f'DROP INDEX "{one.name}"')
    bind.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_before")
    bind.exec_driver_sql(made.replace(f"{_COLUMN} DATE", f"{_COLUMN} TEXT", 1))
    bind.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {table}_before")
    bind.exec_driver_sql(f"DROP TABLE {table}_before")
    for one in indexes:
        bind.exec_driver_sql(one.sql)

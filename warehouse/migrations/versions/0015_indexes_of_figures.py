"""Indexes for figures of quality: the newest records of a source, and its numbers.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the warehouse store's indexes."""
    if context.config.attributes["store"] != "warehouse":
        return
    table = "staged_customer"
    op.drop_index(op.f("ix_staged_customer_source"), table, schema="warehouse")
    op.create_index(
        op.f("ix_staged_customer_source_updated_at"),
        table,
        ["source", "updated_at"],
        schema="warehouse",
    )
    for name in ("national_id", "tax_id"):
        filled = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            op.f(f"ix_staged_customer_source_{name}"),
            table,
            ["source", name],
            schema="warehouse",
            sqlite_where=filled,
            postgresql_where=filled,
        )

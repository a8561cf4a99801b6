"""How many cases a batch has, without reading them; indexes of the audit log's filters.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the review store's tables."""
    if context.config.attributes["store"] != "review":
        return
    connection = op.get_bind()
    # Only sa.Table follows the translation of schemas: SQLite's file has none.
    schema = "review" if connection.dialect.name == "postgresql" else None
    op.add_column(
        "batch",
        sa.Column(
            "case_count",
            sa.Integer(),
            nullable=False,
            server_default="0",
            comment="How many these are.",
        ),
        schema=schema,
    )
    named = sa.table(
        "batch",
        sa.column("batch_id"),
        sa.column("case_ids", sa.JSON()),
        sa.column("case_count"),
        schema=schema,
    )
    for row in connection.execute(sa.select(named.c.batch_id, named.c.case_ids)).all():
        connection.execute(
            sa.update(named)
            .where(named.c.batch_id == row.batch_id)
            .values(case_count=len(row.case_ids or ()))
        )
    for column in ("login", "action"):
        op.create_index(
            op.f(f"ix_audit_event_{column}_number"),
            "audit_event",
            [column, "number"],
            schema="review",
        )

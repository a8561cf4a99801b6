"""What repairs need: the finding each was made for, and findings listed by status and rule.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make each store's new column or index."""
    if context.config.attributes["store"] == "warehouse":
        op.create_index(
            op.f("ix_quarantine_status"),
            "quarantine",
            ["status", "source", "rule", "severity", "field"],
            schema="warehouse",
        )
        return
    # ALTER TABLE does not follow the translation of schemas: SQLite's file has none.
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.add_column(
        "repair",
        sa.Column("quarantine_id", sa.Text(), nullable=True, comment="The finding."),
        schema="review" if postgresql else None,
    )
    op.create_index(op.f("ix_repair_quarantine_id"), "repair", ["quarantine_id"], schema="review")

"""An index in the order of the quarantine's pages.

Revision ID: 0008
Revises: 0007
"""

from alembic import context, op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the warehouse store's new index."""
    if context.config.attributes["store"] != "warehouse":
        return
    columns = ["status", "severity", "quarantine_id"]
    op.create_index(op.f("ix_quarantine_page"), "quarantine", columns, schema="warehouse")

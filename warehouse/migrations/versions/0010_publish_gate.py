"""Publishes that were held because they change too much.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the warehouse store's new table."""
    if context.config.attributes["store"] != "warehouse":
        return
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "publish_hold",
        sa.Column("hold_id", sa.Text(), comment="H and a number."),
        sa.Column("at", moment, nullable=False, comment="When it was held first, UTC."),
        sa.Column(
            "fingerprint",
            sa.Text(),
            nullable=False,
            comment="Of all that the held golden table depends on.",
        ),
        sa.Column(
            "report",
            sa.JSON(),
            comment="What would change, which budgets it exceeds, and why.",
        ),
        sa.Column("accepted_by", sa.Text(), comment="Who accepted it; null: nobody yet."),
        sa.Column("accepted_at", moment, comment="When, UTC."),
        sa.Column("reason", sa.Text(), comment="Why, in their words."),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_publish_hold")),
        comment="Publishes that changed more than their budgets allow, and who accepted them.",
        schema="warehouse",
    )

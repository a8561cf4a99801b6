"""Which versions lost values of an erased person, and which of those were equal.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; versions of customers that were erased before are held to differ."""
    if context.config.attributes["store"] != "warehouse":
        return
    op.create_table(
        "blanked_version",
        sa.Column("golden_id", sa.Text(), nullable=False, comment="The customer."),
        sa.Column(
            "valid_from",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="From when the version held, UTC.",
        ),
        sa.Column(
            "same_as",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the customer's first version began that had the same values, UTC.",
        ),
        sa.PrimaryKeyConstraint("golden_id", "valid_from", name=op.f("pk_blanked_version")),
        schema="warehouse",
        comment="Versions that lost values of an erased person, and which of them were equal.",
        sqlite_with_rowid=False,
    )
    prefix = "warehouse." if op.get_bind().dialect.name == "postgresql" else ""
    op.execute(
        f"INSERT INTO {prefix}blanked_version (golden_id, valid_from, same_as)"
        f" SELECT golden_id, valid_from, valid_from FROM {prefix}golden_customer_history"
        f" WHERE golden_id IN (SELECT golden_id FROM {prefix}lineage_event"
        " WHERE event = 'erased')"
    )

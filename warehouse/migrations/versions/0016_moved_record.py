"""Where records stand that only moved in their source.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    if context.config.attributes["store"] != "warehouse":
        return
    op.create_table(
        "moved_record",
        sa.Column("record_id", sa.Text(), nullable=False, comment="A record of staged_customer."),
        sa.Column(
            "position",
            sa.Text(),
            nullable=True,
            comment="Where it stood when its source was last read.",
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_moved_record")),
        schema="warehouse",
        comment="Records that only moved in their source since staged_customer got them.",
        sqlite_with_rowid=False,
    )

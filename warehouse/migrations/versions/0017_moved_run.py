"""Where records stand that moved together in their source.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    if context.config.attributes["store"] != "warehouse":
        return
    op.create_table(
        "moved_run",
        sa.Column("source", sa.Text(), nullable=False, comment="Whose positions they are."),
        sa.Column(
            "head",
            sa.Text(),
            nullable=False,
            comment="What stands before the number of a position of staged_customer.",
        ),
        sa.Column(
            "first_number",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="The number of the first.",
        ),
        sa.Column(
            "last_number", sa.BigInteger(), nullable=False, comment="The number of the last."
        ),
        sa.Column(
            "now_head",
            sa.Text(),
            nullable=False,
            comment="What stands before the number now.",
        ),
        sa.Column(
            "now_number",
            sa.BigInteger(),
            nullable=False,
            comment="The number of the first now.",
        ),
        sa.PrimaryKeyConstraint("source", "head", "first_number", name=op.f("pk_moved_run")),
        schema="warehouse",
        comment="Positions that moved by the same number since staged_customer got them.",
    )

"""What undoing needs: records of retired golden ids, and decisions found by record.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make each store's new table or indexes."""
    if context.config.attributes["store"] == "warehouse":
        op.create_table(
            "former_member",
            sa.Column("golden_id", sa.Text(), nullable=False, comment="An id that was retired."),
            sa.Column(
                "record_id", sa.Text(), nullable=False, comment="A record that it had then."
            ),
            sa.PrimaryKeyConstraint("golden_id", "record_id", name=op.f("pk_former_member")),
            schema="warehouse",
            comment="Records of retired golden ids: a merge that is undone gives the id back.",
            sqlite_with_rowid=False,
        )
        op.create_index(
            op.f("ix_former_member_record_id"), "former_member", ["record_id"], schema="warehouse"
        )
        return
    for column in ("left_id", "right_id", "golden_id"):
        op.create_index(op.f(f"ix_decision_{column}"), "decision", [column], schema="review")

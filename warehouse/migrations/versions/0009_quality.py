"""How good the sources are, day by day.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the warehouse store's new tables."""
    if context.config.attributes["store"] != "warehouse":
        return
    op.create_table(
        "quality_measure",
        sa.Column("day", sa.Date(), comment="The day of the deployment's time zone."),
        sa.Column("source", sa.Text(), comment="The source."),
        sa.Column(
            "field",
            sa.Text(),
            comment="The column of a customer; empty: the records as a whole.",
        ),
        sa.Column(
            "measure", sa.Text(), comment="What is measured; see warehouse/quality.py."
        ),
        sa.Column(
            "good",
            sa.Integer(),
            nullable=False,
            comment="Records or values that are as they should be.",
        ),
        sa.Column(
            "counted",
            sa.Integer(),
            nullable=False,
            comment="Records or values that were looked at.",
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was measured last that day, UTC.",
        ),
        sa.PrimaryKeyConstraint(
            "day", "source", "field", "measure", name=op.f("pk_quality_measure")
        ),
        comment=(
            "How good the sources are: the last measure of each day on which something changed."
        ),
        schema="warehouse",
    )
    op.create_index(
        op.f("ix_quality_measure_source_measure_field_day"),
        "quality_measure",
        ["source", "measure", "field", "day"],
        schema="warehouse",
    )
    op.create_table(
        "quality_state",
        sa.Column("name", sa.Text(), comment="quality."),
        sa.Column(
            "fingerprint",
            sa.Text(),
            nullable=False,
            comment="Of all that was measured last.",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_quality_state")),
        comment="What the measures of quality stand on, so that nothing is measured twice.",
        schema="warehouse",
    )

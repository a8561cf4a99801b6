"""Indexes that the review pages count and look up by, on large warehouses.

Revision ID: 0006
Revises: 0005
"""

from alembic import context, op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTED = ["band", "kind", "customer_type", "reason", "case_id", "probability"]


def upgrade() -> None:
    """Change the warehouse store's indexes."""
    if context.config.attributes["store"] != "warehouse":
        return
    op.drop_index(op.f("ix_review_case_band"), "review_case", schema="warehouse")
    for name, table, columns in (
        ("ix_review_case_counts", "review_case", _COUNTED),
        ("ix_review_case_kind_queue", "review_case", ["kind", "expected_cost", "case_id"]),
        ("ix_review_case_band_queue", "review_case", ["band", "expected_cost", "case_id"]),
        ("ix_review_case_since_case_id", "review_case", ["since", "case_id"]),
        ("ix_lineage_event_other_golden_id", "lineage_event", ["other_golden_id"]),
        ("ix_quarantine_record_id", "quarantine", ["record_id"]),
    ):
        op.create_index(op.f(name), table, columns, schema="warehouse")

"""When consent was said, by source and in the golden table, and what sources have verified.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = ("staged_customer", "golden_customer", "golden_customer_history")
_VERIFIED = "Fields in which the source has verified what the record says: emails, phones, ..."


def upgrade() -> None:
    """Add the columns to the warehouse store's tables."""
    if context.config.attributes["store"] != "warehouse":
        return
    # ALTER TABLE does not follow the translation of schemas: SQLite's file has none.
    schema = "warehouse" if op.get_bind().dialect.name == "postgresql" else None
    for table in _TABLES:
        for name in ("consent_marketing_at", "do_not_contact_at"):
            column = sa.Column(
                name, sa.DateTime(timezone=True), nullable=True, comment="When that was said, UTC."
            )
            op.add_column(table, column, schema=schema)
    verified = sa.Column("verified", sa.JSON(), nullable=True, comment=_VERIFIED)
    op.add_column("staged_customer", verified, schema=schema)

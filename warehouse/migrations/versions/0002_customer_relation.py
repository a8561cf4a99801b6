"""Links between persons and organizations.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table in the warehouse; the review store has nothing new."""
    if context.config.attributes["store"] == "warehouse":
        _warehouse()


def _warehouse() -> None:
    op.create_table('customer_relation',
    sa.Column('person_id', sa.Text(), nullable=False, comment='Golden id of the person.'),
    sa.Column('organization_id', sa.Text(), nullable=False, comment='Golden id of the organization.'),
    sa.Column('kind', sa.Text(), nullable=False, comment='works_at or owner_of.'),
    sa.Column('basis', sa.Text(), nullable=False, comment='employer, contact, legal_representative or named_after.'),
    sa.Column('person_record_id', sa.Text(), nullable=False, comment='Record of the person that shows it.'),
    sa.Column('organization_record_id', sa.Text(), nullable=False, comment='Record of the organization that shows it.'),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False, comment='Since when, UTC.'),
    sa.CheckConstraint("kind IN ('works_at', 'owner_of')", name=op.f('ck_customer_relation_kind')),
    sa.CheckConstraint("basis IN ('employer', 'contact', 'legal_representative', 'named_after')", name=op.f('ck_customer_relation_basis')),
    sa.PrimaryKeyConstraint('person_id', 'organization_id', 'kind', name=op.f('pk_customer_relation')),
    schema='warehouse',
    comment='Who works at or owns which organization; never one customer.'
    )
    op.create_index(op.f('ix_customer_relation_organization_id'), 'customer_relation', ['organization_id'], unique=False, schema='warehouse')

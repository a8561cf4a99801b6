"""${message}.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}
"""

import sqlalchemy as sa
from alembic import context, op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables of the store that is migrated."""
    {"warehouse": _warehouse, "review": _review}[context.config.attributes["store"]]()


def _warehouse() -> None:
    schema = "warehouse"
    ${upgrades if upgrades else "pass"}


def _review() -> None:
    schema = "review"
    pass

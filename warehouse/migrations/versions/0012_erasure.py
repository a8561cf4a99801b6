"""Erasures: their proof, what syncs leave out, and records that left a customer.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import context, op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_EVENTS = ("created", "absorbed", "split", "retired", "restored", "erased")


def upgrade() -> None:
    """Make each store's new tables; let an event say that a customer was erased."""
    if context.config.attributes["store"] == "warehouse":
        _warehouse()
    else:
        _review()


def _warehouse() -> None:
    op.create_table(
        "earlier_member",
        sa.Column("golden_id", sa.Text(), nullable=False, comment="A customer."),
        sa.Column(
            "record_id",
            sa.Text(),
            nullable=False,
            comment="A record that it had and that left it.",
        ),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False, comment="When, UTC."),
        sa.PrimaryKeyConstraint("golden_id", "record_id", name=op.f("pk_earlier_member")),
        schema="warehouse",
        comment="Records that left a customer: gone from their source, or moved.",
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_earlier_member_record_id"), "earlier_member", ["record_id"], schema="warehouse"
    )
    listed = ", ".join(f"'{event}'" for event in _EVENTS)
    said = "created, absorbed, split, retired, restored or erased."
    name = op.f("ck_lineage_event_event")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(name, "lineage_event", schema="warehouse")
        op.create_check_constraint(
            name, "lineage_event", f"event IN ({listed})", schema="warehouse"
        )
        op.alter_column("lineage_event", "event", comment=said, schema="warehouse")
        return
    op.execute("ALTER TABLE lineage_event RENAME TO lineage_event_before")
    for column in ("golden_id", "other_golden_id"):
        op.drop_index(op.f(f"ix_lineage_event_{column}"), "lineage_event_before")
    op.create_table(
        "lineage_event",
        sa.Column("publish_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("golden_id", sa.Text(), nullable=False),
        sa.Column("other_golden_id", sa.Text()),
        sa.Column("record_count", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.CheckConstraint(f"event IN ({listed})", name=name),
        sa.PrimaryKeyConstraint("publish_id", "number", name=op.f("pk_lineage_event")),
        schema="warehouse",
    )
    op.execute("INSERT INTO lineage_event SELECT * FROM lineage_event_before")
    op.execute("DROP TABLE lineage_event_before")
    for column in ("golden_id", "other_golden_id"):
        op.create_index(
            op.f(f"ix_lineage_event_{column}"), "lineage_event", [column], schema="warehouse"
        )


def _review() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "erasure",
        sa.Column(
            "erasure_id",
            sa.Text(),
            nullable=False,
            comment="E and a number: the proof that a customer was erased.",
        ),
        sa.Column(
            "golden_id",
            sa.Text(),
            comment="The golden customer; null where one record was in none.",
        ),
        sa.Column("requested_by", sa.Text(), nullable=False, comment="Who asked for it."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, without personal data."),
        sa.Column("requested_at", moment, nullable=False, comment="When it began, UTC."),
        sa.Column(
            "finished_at", moment, comment="When nothing was left, UTC; null: it is under way."
        ),
        sa.Column(
            "counts", sa.JSON(), comment="What was removed: store and table or file kind → rows."
        ),
        sa.Column(
            "remaining",
            sa.JSON(),
            comment="What is left to do, while it is under way; holds personal data.",
        ),
        sa.Column("lifted_by", sa.Text(), comment="Who let the person in again; null: nobody."),
        sa.Column("lifted_at", moment, comment="When, UTC."),
        sa.Column("lifted_reason", sa.Text(), comment="Why."),
        sa.PrimaryKeyConstraint("erasure_id", name=op.f("pk_erasure")),
        schema="review",
        comment="Proof of erasures: who, when, why and how much, without personal data.",
    )
    op.create_table(
        "suppression",
        sa.Column("erasure_id", sa.Text(), nullable=False, comment="The erasure."),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="What was hashed; see rules/recognizing.py.",
        ),
        sa.Column(
            "hash",
            sa.Text(),
            nullable=False,
            comment="Keyed hash; without the key it says nothing.",
        ),
        sa.Column("source", sa.Text(), comment="The source it holds for; null: for all."),
        sa.ForeignKeyConstraint(
            ["erasure_id"],
            ["review.erasure.erasure_id"],
            name=op.f("fk_suppression_erasure_id"),
        ),
        sa.PrimaryKeyConstraint("erasure_id", "kind", "hash", name=op.f("pk_suppression")),
        schema="review",
        comment="Keyed hashes by which syncs leave out records of customers who were erased.",
    )

"""Every table of both stores, once, as SQLAlchemy metadata.

What belongs here: names, types, keys, comments. The columns of a staged and of
a golden customer follow from rules/customer.py. Migrations (migrations/) make
the tables; a test holds the two together.

``warehouse`` is written by the pipeline, ``review`` by stewards. On PostgreSQL
they are two schemas of one database, on SQLite two files, so that a steward's
click never waits for a bulk publish.

Lists and objects are JSON: text in SQLite; in PostgreSQL ``json``, which keeps
the text as written, and in the golden tables ``jsonb``, which can be compared,
grouped and indexed. Times are UTC.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, Date, DateTime, Float, Integer, Text
from sqlalchemy.dialects import postgresql

from rules.customer import ALL, GOLDEN_FIELDS, Field
from rules.quarantine import QUARANTINE_SCHEMA

WAREHOUSE, REVIEW = "warehouse", "review"
STORES = (WAREHOUSE, REVIEW)

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
warehouse = sa.MetaData(schema=WAREHOUSE, naming_convention=_NAMES)
review = sa.MetaData(schema=REVIEW, naming_convention=_NAMES)
METADATA = {WAREHOUSE: warehouse, REVIEW: review}

Json = sa.JSON(none_as_null=True)
Jsonb = Json.with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Time = DateTime(timezone=True)
_KINDS: dict[str, sa.types.TypeEngine] = {
    "text": Text(),
    "date": Date(),
    "timestamp": Time,
    "boolean": Boolean(),
}


def _columns(
    fields: Iterable[Field], key: str = "", json: sa.types.TypeEngine = Json
) -> list[Column]:
    return [
        Column(
            field.name,
            json if field.kind in {"list", "json"} else _KINDS[field.kind],
            primary_key=field.name == key,
            nullable=field.name not in {key, "source", "source_key"},
            comment=field.doc,
        )
        for field in fields
    ]


def _text(name: str, comment: str, *, key: bool = False, null: bool = True) -> Column:
    return Column(name, Text(), primary_key=key, nullable=null and not key, comment=comment)


def _count(name: str, comment: str) -> Column:
    return Column(name, Integer(), nullable=False, comment=comment)


def _at(name: str, comment: str, *, key: bool = False, null: bool = False) -> Column:
    return Column(name, Time, primary_key=key, nullable=null and not key, comment=comment)


def _golden_counts() -> list[Column]:
    return [
        _count("record_count", "Source records held to be this customer."),
        _count("source_count", "Sources that hold it."),
        Column("sources", Jsonb, comment="Names of the sources that hold it."),
    ]


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


_CONTENT_HASH = "Hash of the other columns; equal hash, equal row."

# ------------------------------------------------------------------ synced sources
staged_customer = sa.Table(
    "staged_customer",
    warehouse,
    *_columns(ALL, key="record_id"),
    Column("content_hash", Text(), nullable=False, comment=_CONTENT_HASH + " Without position."),
    sa.Index(None, "source"),
    comment="Every live source record, cleaned and typed.",
)

_QUARANTINE_DOCS = {
    "record_id": "source and source_key joined by a colon.",
    "source": "The source that holds the record.",
    "source_key": "The record's key in its source.",
    "position": "Where it stood when last read.",
    "field": "The column that fails; null when the record itself does.",
    "rule": "Name of the rule.",
    "severity": "error (value not used) or warning (used).",
    "reason": "What is wrong and what to do.",
    "raw_value": "The value as read.",
    "whole_record": "Whether the record was kept out of staged_customer.",
}
quarantine = sa.Table(
    "quarantine",
    warehouse,
    _text("quarantine_id", "Follows from the finding: same finding, same id.", key=True),
    *(
        Column(
            name,
            Boolean() if name == "whole_record" else Text(),
            nullable=name in {"position", "field", "raw_value"},
            comment=_QUARANTINE_DOCS[name],
        )
        for name in QUARANTINE_SCHEMA.names
    ),
    _text("first_seen", "sync_id that found it first.", null=False),
    _text("last_seen", "sync_id after which it was not found any more; null while open."),
    _text("status", "open, repaired (no longer found) or accepted (by a steward).", null=False),
    _one_of("status", "open", "repaired", "accepted"),
    _one_of("severity", "error", "warning"),
    sa.Index(None, "source", "status"),
    comment="Rejected values and records, with rule and reason.",
)

sync_run = sa.Table(
    "sync_run",
    warehouse,
    _text("source", "The source that was synced.", key=True),
    _text("sync_id", "The sync; also the name of its snapshot.", key=True),
    _text("status", "synced, unchanged (staged stayed as it was), failed or held.", null=False),
    _at("started_at", "When it began, UTC."),
    _at("finished_at", "When staged_customer had it, UTC."),
    _count("rows_read", "Records in the snapshot."),
    _count("rows_staged", "Records in staged_customer after it."),
    _count("rows_quarantined", "Records kept out whole."),
    _count("rows_added", "Records that were new."),
    _count("rows_changed", "Records whose content changed."),
    _count("rows_deleted", "Records that were gone."),
    _count("findings", "Open quarantine rows after it."),
    _text("snapshot", "Path of the Parquet snapshot in the lake."),
    _text("content_hash", "Hash of the snapshot's records, whatever their order."),
    _text("key_basis", "columns, or content where the source has no key."),
    _text("fingerprint", "Of all that staged depends on: snapshot, YAML and rules."),
    _text("staged_hash", "Hash of the source's staged records."),
    Column("manifest", Json, comment="What the connector reported."),
    _text("message", "Why it failed or was held."),
    _one_of("status", "synced", "unchanged", "failed", "held"),
    sa.Index(None, "source", "finished_at"),
    comment="Every sync that wrote something or failed.",
)

# ------------------------------------------------------------------ golden customers
golden_customer = sa.Table(
    "golden_customer",
    warehouse,
    _text("golden_id", "Lasting id; never reused.", key=True),
    *_columns(GOLDEN_FIELDS, json=Jsonb),
    *_golden_counts(),
    _text("content_hash", "Hash of the golden values and counts.", null=False),
    _text("provenance_hash", "Hash of its golden_field rows.", null=False),
    _at("first_published_at", "When the id was published first, UTC."),
    _at("published_at", "When this version was published, UTC."),
    _text("publish_id", "The publish that wrote this version.", null=False),
    comment="One row per customer: the table to read.",
)

golden_customer_history = sa.Table(
    "golden_customer_history",
    warehouse,
    _text("golden_id", "Lasting id.", key=True),
    _at("valid_from", "From when this version held, UTC, inclusive.", key=True),
    _at("valid_to", "Until when, UTC, exclusive; null: still holds.", null=True),
    Column("is_current", Boolean(), nullable=False, comment="Whether it is in golden_customer."),
    _text("change", "How the version came: created, changed or restored.", null=False),
    _text("publish_id", "The publish that wrote it.", null=False),
    *_columns(GOLDEN_FIELDS, json=Jsonb),
    *_golden_counts(),
    _one_of("change", "created", "changed", "restored"),
    sa.Index(
        "uq_golden_customer_history_current",
        "golden_id",
        unique=True,
        sqlite_where=sa.text("is_current"),
        postgresql_where=sa.text("is_current"),
    ),
    comment="Every version of every golden customer (SCD2).",
)

golden_field = sa.Table(
    "golden_field",
    warehouse,
    _text("golden_id", "The golden customer.", key=True),
    _text("field", "Its column.", key=True),
    Column("item", Integer(), primary_key=True, comment="Place in a list from 0, else 0."),
    _text("source", "The source the value came from."),
    _text("source_key", "The record it came from."),
    _text("rule", "The survivorship rule that chose it.", null=False),
    sqlite_with_rowid=False,
    comment="Where every golden value came from.",
)

crosswalk = sa.Table(
    "crosswalk",
    warehouse,
    _text("source", "The source.", key=True),
    _text("source_key", "The record's key in it.", key=True),
    _text("record_id", "Both joined by a colon.", null=False),
    _text("golden_id", "The customer it is.", null=False),
    _at("since", "Since when, UTC."),
    sa.Index(None, "golden_id"),
    sqlite_with_rowid=False,
    comment="Source record to golden customer.",
)

redirect = sa.Table(
    "redirect",
    warehouse,
    _text("golden_id", "An id that was published once and is not live.", key=True),
    _text("successor", "The live id to use instead; null: the customer ended."),
    _at("retired_at", "When it went, UTC."),
    _text("publish_id", "The publish that retired it.", null=False),
    sa.Index(None, "successor"),
    comment="Retired golden id to the live one, in one step.",
)

lineage_event = sa.Table(
    "lineage_event",
    warehouse,
    _text("publish_id", "The publish.", key=True),
    Column("number", Integer(), primary_key=True, comment="From 1 within the publish."),
    _at("at", "When, UTC."),
    _text("event", "created, absorbed, split, retired or restored.", null=False),
    _text("golden_id", "The id it happened to.", null=False),
    _text("other_golden_id", "Where its records went or came from."),
    _count("record_count", "Records that moved or began."),
    _text("reason", "Why, in words."),
    _one_of("event", "created", "absorbed", "split", "retired", "restored"),
    sa.Index(None, "golden_id"),
    comment="What became of golden ids.",
)

merge_suggestion = sa.Table(
    "merge_suggestion",
    warehouse,
    _text("suggestion_id", "Follows from kind and pair: same doubt, same id.", key=True),
    _text("kind", "merge (may be one customer) or split (may be two).", null=False),
    _text("left_id", "Record of the pair it rests on.", null=False),
    _text("right_id", "The other record.", null=False),
    _text("left_golden_id", "Customer of left_id.", null=False),
    _text("right_golden_id", "Customer of right_id.", null=False),
    Column("probability", Float(53), comment="That they are one customer, 0 to 1."),
    _text("reason", "Why it is in doubt."),
    _text("content_hash", _CONTENT_HASH, null=False),
    _at("since", "When it was suggested first, UTC."),
    _text("publish_id", "The publish that wrote this version.", null=False),
    _one_of("kind", "merge", "split"),
    sa.Index(None, "left_golden_id"),
    sa.Index(None, "right_golden_id"),
    comment="Doubtful merges and splits, waiting for a steward.",
)

customer_relation = sa.Table(
    "customer_relation",
    warehouse,
    _text("person_id", "Golden id of the person.", key=True),
    _text("organization_id", "Golden id of the organization.", key=True),
    _text("kind", "works_at or owner_of.", key=True),
    _text("basis", "employer, contact, legal_representative or named_after.", null=False),
    _text("person_record_id", "Record of the person that shows it.", null=False),
    _text("organization_record_id", "Record of the organization that shows it.", null=False),
    _at("since", "Since when, UTC."),
    _one_of("kind", "works_at", "owner_of"),
    _one_of("basis", "employer", "contact", "legal_representative", "named_after"),
    sa.Index(None, "organization_id"),
    comment="Who works at or owns which organization; never one customer.",
)

publish_run = sa.Table(
    "publish_run",
    warehouse,
    _text("publish_id", "The publish.", key=True),
    _at("at", "When, UTC."),
    _text("fingerprint", "Of all that the golden table depends on.", null=False),
    Column("counts", Json, comment="Rows added, changed, deleted, by table."),
    sa.Index(None, "at"),
    comment="Every publish that wrote something.",
)

id_sequence = sa.Table(
    "id_sequence",
    warehouse,
    _text("name", "golden_id.", key=True),
    Column("next_number", sa.BigInteger(), nullable=False, comment="Never given out yet."),
    comment="Numbers for ids that are never reused.",
)

# ------------------------------------------------------------------ review store
decision = sa.Table(
    "decision",
    review,
    _text("decision_id", "The decision.", key=True),
    _text("kind", "link, no_link or override.", null=False),
    _text("left_id", "Record (link, no_link); the smaller id."),
    _text("right_id", "The other record."),
    _text("golden_id", "Golden customer (override)."),
    _text("field", "Golden field (override)."),
    _text("value", "Its value (override); null: empty on purpose."),
    _text("reason", "Why, in the steward's words.", null=False),
    _text("decided_by", "Who.", null=False),
    _at("decided_at", "When, UTC."),
    Column("evidence", Json, comment="What the steward saw."),
    _at("revoked_at", "When it was taken back, UTC; null: in force.", null=True),
    _text("revoked_by", "Who took it back."),
    _text("revoked_reason", "Why it was taken back."),
    _one_of("kind", "link", "no_link", "override"),
    comment="What stewards said; never deleted.",
)

suggestion_state = sa.Table(
    "suggestion_state",
    review,
    _text("suggestion_id", "The merge_suggestion.", key=True),
    _text("state", "open, skipped or decided.", null=False),
    _text("decision_id", "The decision it led to."),
    _text("changed_by", "Who.", null=False),
    _at("changed_at", "When, UTC."),
    _one_of("state", "open", "skipped", "decided"),
    sa.ForeignKeyConstraint(["decision_id"], ["review.decision.decision_id"]),
    comment="What stewards did with suggestions.",
)

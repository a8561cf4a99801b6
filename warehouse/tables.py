"""Every table of the warehouse store, once, as SQLAlchemy metadata; the pipeline writes them.

What belongs here: names, types, keys, comments. The columns of a staged and of
a golden customer follow from rules/customer.py. What stewards write stands in
review_tables.py. Migrations (migrations/) make the tables; a test holds the
two together.
"""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Integer, Text
from sqlalchemy.dialects import postgresql

from rules.customer import ALL, GOLDEN_FIELDS
from rules.quarantine import QUARANTINE_SCHEMA
from warehouse.columns import (
    WAREHOUSE,
    Json,
    Jsonb,
    at,
    columns,
    count,
    golden_counts,
    metadata,
    number,
    one_of,
    sealed_json,
    text,
)
from warehouse.sealing import SealedText

warehouse = metadata(WAREHOUSE)

_CONTENT_HASH = "Hash of the other columns; equal hash, equal row."

# ------------------------------------------------------------------ synced sources
staged_customer = sa.Table(
    "staged_customer",
    warehouse,
    *columns(ALL, key="record_id"),
    Column("content_hash", Text(), nullable=False, comment=_CONTENT_HASH + " Without position."),
    sa.Index(None, "source", "updated_at"),
    *(
        sa.Index(
            None,
            "source",
            name,
            sqlite_where=sa.text(f"{name} IS NOT NULL"),
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )
        for name in ("national_id", "tax_id")
    ),
    comment="Every live source record, cleaned and typed.",
)

moved_record = sa.Table(
    "moved_record",
    warehouse,
    text("record_id", "A record of staged_customer.", key=True),
    text("position", "Where it stood when its source was last read."),
    sqlite_with_rowid=False,
    comment="Records that only moved in their source since staged_customer got them.",
)

moved_run = sa.Table(
    "moved_run",
    warehouse,
    text("source", "Whose positions they are.", key=True),
    text("head", "What stands before the number of a position of staged_customer.", key=True),
    Column("first_number", BigInteger(), primary_key=True, comment="The number of the first."),
    Column("last_number", BigInteger(), nullable=False, comment="The number of the last."),
    text("now_head", "What stands before the number now.", null=False),
    Column("now_number", BigInteger(), nullable=False, comment="The number of the first now."),
    comment="Positions that moved by the same number since staged_customer got them.",
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
_FINDING_KINDS = {"whole_record": Boolean(), "raw_value": SealedText()}
quarantine = sa.Table(
    "quarantine",
    warehouse,
    text("quarantine_id", "Follows from the finding: same finding, same id.", key=True),
    *(
        Column(
            name,
            _FINDING_KINDS.get(name, Text()),
            nullable=name in {"position", "field", "raw_value"},
            comment=_QUARANTINE_DOCS[name],
        )
        for name in QUARANTINE_SCHEMA.names
    ),
    text("first_seen", "sync_id that found it first.", null=False),
    text("last_seen", "sync_id after which it was not found any more; null while open."),
    text("status", "open, repaired (no longer found) or accepted (by a steward).", null=False),
    one_of("status", "open", "repaired", "accepted"),
    one_of("severity", "error", "warning"),
    sa.Index(None, "source", "status"),
    sa.Index("ix_quarantine_status", "status", "source", "rule", "severity", "field"),
    sa.Index("ix_quarantine_page", "status", "severity", "quarantine_id"),
    sa.Index(None, "record_id"),
    comment="Rejected values and records, with rule and reason.",
)

sync_run = sa.Table(
    "sync_run",
    warehouse,
    text("source", "The source that was synced.", key=True),
    text("sync_id", "The sync; also the name of its snapshot.", key=True),
    text("status", "synced, unchanged (staged stayed as it was), failed or held.", null=False),
    at("started_at", "When it began, UTC."),
    at("finished_at", "When staged_customer had it, UTC."),
    count("rows_read", "Records in the snapshot."),
    count("rows_staged", "Records in staged_customer after it."),
    count("rows_quarantined", "Records kept out whole."),
    count("rows_added", "Records that were new."),
    count("rows_changed", "Records whose content changed."),
    count("rows_deleted", "Records that were gone."),
    count("findings", "Open quarantine rows after it."),
    text("snapshot", "Path of the Parquet snapshot in the lake."),
    text("content_hash", "Hash of the snapshot's records, whatever their order."),
    text("key_basis", "columns, or content where the source has no key."),
    text("fingerprint", "Of all that staged depends on: snapshot, YAML and rules."),
    text("staged_hash", "Hash of the source's staged records."),
    Column("manifest", Json, comment="What the connector reported."),
    text("message", "Why it failed or was held."),
    one_of("status", "synced", "unchanged", "failed", "held"),
    sa.Index(None, "source", "finished_at"),
    comment="Every sync that wrote something or failed.",
)

# ------------------------------------------------------------------ golden customers
golden_customer = sa.Table(
    "golden_customer",
    warehouse,
    text("golden_id", "Lasting id; never reused.", key=True),
    *columns(GOLDEN_FIELDS, golden=True),
    *golden_counts(),
    text("content_hash", "Hash of the golden values and counts.", null=False),
    text("provenance_hash", "Hash of its golden_field rows.", null=False),
    at("first_published_at", "When the id was published first, UTC."),
    at("published_at", "When this version was published, UTC."),
    text("publish_id", "The publish that wrote this version.", null=False),
    comment="One row per customer: the table to read.",
)

golden_customer_history = sa.Table(
    "golden_customer_history",
    warehouse,
    text("golden_id", "Lasting id.", key=True),
    at("valid_from", "From when this version held, UTC, inclusive.", key=True),
    at("valid_to", "Until when, UTC, exclusive; null: still holds.", null=True),
    Column("is_current", Boolean(), nullable=False, comment="Whether it is in golden_customer."),
    text("change", "How the version came: created, changed or restored.", null=False),
    text("publish_id", "The publish that wrote it.", null=False),
    *columns(GOLDEN_FIELDS, golden=True),
    *golden_counts(),
    one_of("change", "created", "changed", "restored"),
    sa.Index(
        "uq_golden_customer_history_current",
        "golden_id",
        unique=True,
        sqlite_where=sa.text("is_current"),
        postgresql_where=sa.text("is_current"),
    ),
    comment="Every version of every golden customer (SCD2).",
)

blanked_version = sa.Table(
    "blanked_version",
    warehouse,
    text("golden_id", "The customer.", key=True),
    at("valid_from", "From when the version held, UTC.", key=True),
    at("same_as", "When the customer's first version began that had the same values, UTC."),
    sqlite_with_rowid=False,
    comment="Versions that lost values of an erased person, and which of them were equal.",
)

golden_field = sa.Table(
    "golden_field",
    warehouse,
    text("golden_id", "The golden customer.", key=True),
    text("field", "Its column.", key=True),
    Column("item", Integer(), primary_key=True, comment="Place in a list from 0, else 0."),
    text("source", "The source the value came from."),
    text("source_key", "The record it came from."),
    text("rule", "The survivorship rule that chose it.", null=False),
    sqlite_with_rowid=False,
    comment="Where every golden value came from.",
)

crosswalk = sa.Table(
    "crosswalk",
    warehouse,
    text("source", "The source.", key=True),
    text("source_key", "The record's key in it.", key=True),
    text("record_id", "Both joined by a colon.", null=False),
    text("golden_id", "The customer it is.", null=False),
    at("since", "Since when, UTC."),
    sa.Index(None, "golden_id"),
    sqlite_with_rowid=False,
    comment="Source record to golden customer.",
)

redirect = sa.Table(
    "redirect",
    warehouse,
    text("golden_id", "An id that was published once and is not live.", key=True),
    text("successor", "The live id to use instead; null: the customer ended."),
    at("retired_at", "When it went, UTC."),
    text("publish_id", "The publish that retired it.", null=False),
    sa.Index(None, "successor"),
    comment="Retired golden id to the live one, in one step.",
)

former_member = sa.Table(
    "former_member",
    warehouse,
    text("golden_id", "An id that was retired.", key=True),
    text("record_id", "A record that it had then.", key=True),
    sa.Index(None, "record_id"),
    sqlite_with_rowid=False,
    comment="Records of retired golden ids: a merge that is undone gives the id back.",
)

earlier_member = sa.Table(
    "earlier_member",
    warehouse,
    text("golden_id", "A customer.", key=True),
    text("record_id", "A record that it had and that left it.", key=True),
    at("left_at", "When, UTC."),
    sa.Index(None, "record_id"),
    sqlite_with_rowid=False,
    comment="Records that left a customer: gone from their source, or moved.",
)

lineage_event = sa.Table(
    "lineage_event",
    warehouse,
    text("publish_id", "The publish.", key=True),
    Column("number", Integer(), primary_key=True, comment="From 1 within the publish."),
    at("at", "When, UTC."),
    text("event", "created, absorbed, split, retired, restored or erased.", null=False),
    text("golden_id", "The id it happened to.", null=False),
    text("other_golden_id", "Where its records went or came from."),
    count("record_count", "Records that moved or began."),
    text("reason", "Why, in words."),
    one_of("event", "created", "absorbed", "split", "retired", "restored", "erased"),
    sa.Index(None, "golden_id"),
    sa.Index(None, "other_golden_id"),
    comment="What became of golden ids.",
)

merge_suggestion = sa.Table(
    "merge_suggestion",
    warehouse,
    text("suggestion_id", "Follows from kind and pair: same doubt, same id.", key=True),
    text("kind", "merge (may be one customer) or split (may be two).", null=False),
    text("left_id", "Record of the pair it rests on.", null=False),
    text("right_id", "The other record.", null=False),
    text("left_golden_id", "Customer of left_id.", null=False),
    text("right_golden_id", "Customer of right_id.", null=False),
    number("probability", "That they are one customer, 0 to 1."),
    text("reason", "Why it is in doubt."),
    text("content_hash", _CONTENT_HASH, null=False),
    at("since", "When it was suggested first, UTC."),
    text("publish_id", "The publish that wrote this version.", null=False),
    one_of("kind", "merge", "split"),
    sa.Index(None, "left_golden_id"),
    sa.Index(None, "right_golden_id"),
    comment="Doubtful merges and splits, waiting for a steward.",
)

customer_relation = sa.Table(
    "customer_relation",
    warehouse,
    text("person_id", "Golden id of the person.", key=True),
    text("organization_id", "Golden id of the organization.", key=True),
    text("kind", "works_at or owner_of.", key=True),
    text("basis", "employer, contact, legal_representative or named_after.", null=False),
    text("person_record_id", "Record of the person that shows it.", null=False),
    text("organization_record_id", "Record of the organization that shows it.", null=False),
    at("since", "Since when, UTC."),
    one_of("kind", "works_at", "owner_of"),
    one_of("basis", "employer", "contact", "legal_representative", "named_after"),
    sa.Index(None, "organization_id"),
    comment="Who works at or owns which organization; never one customer.",
)

# ------------------------------------------------------------------ what stewards look at
review_case = sa.Table(
    "review_case",
    warehouse,
    text("case_id", "Follows from kind, records and how they are grouped.", key=True),
    text("kind", "merge, split, or override (its evidence changed).", null=False),
    text("customer_type", "person or organization.", null=False),
    Column(
        "title",
        SealedText("name"),
        nullable=False,
        comment="Name of its largest customer, as shown.",
    ),
    Column("golden_ids", Jsonb, nullable=False, comment="Customers as published, largest first."),
    Column("sources", Jsonb, nullable=False, comment="Sources that hold its records."),
    count("record_count", "Records in it."),
    count("customer_count", "Golden customers it is now."),
    count("source_count", "Sources that hold its records."),
    number("probability", "That its customers are one (merge) or stay one (split), 0 to 1."),
    count("band", "Tenth of the probability, 0 to 9; override cases have 0."),
    number("expected_cost", "What a wrong answer costs: the order of the queue.", null=False),
    text("reason", "Name of the reason for the doubt; see dedupe/suggestions.py.", null=False),
    text("strongest", "The comparison that speaks most for it; null where none does."),
    text("weakest", "The comparison that speaks most against it; null where none does."),
    text("content_hash", _CONTENT_HASH, null=False),
    at("since", "When it was a case first, UTC."),
    text("publish_id", "The publish that wrote this version.", null=False),
    one_of("kind", "merge", "split", "override"),
    one_of("customer_type", "person", "organization"),
    sa.Index("ix_review_case_queue", "expected_cost", "case_id"),
    sa.Index("ix_review_case_kind_queue", "kind", "expected_cost", "case_id"),
    sa.Index("ix_review_case_band_queue", "band", "expected_cost", "case_id"),
    sa.Index(
        "ix_review_case_counts",
        *("band", "kind", "customer_type", "reason", "case_id", "probability"),
    ),
    sa.Index(None, "since", "case_id"),
    comment="Cases: doubtful merges and splits, one row per group of customers.",
)

case_member = sa.Table(
    "case_member",
    warehouse,
    text("case_id", "The case.", key=True),
    text("record_id", "A record in it.", key=True),
    text("golden_id", "Its golden customer as published.", null=False),
    text("source", "Its source.", null=False),
    sa.Index(None, "golden_id"),
    sa.Index(None, "record_id"),
    sa.Index(None, "source", "case_id"),
    sqlite_with_rowid=False,
    comment="Records of cases.",
)

case_evidence = sa.Table(
    "case_evidence",
    warehouse,
    text("case_id", "The case.", key=True),
    sealed_json("evidence", "Pairs with weights and reasons, as facts.", null=False),
    text("content_hash", "Hash of what the evidence was made from.", null=False),
    comment="What speaks for and against each case, as the pages say it.",
)

customer_search = sa.Table(
    "customer_search",
    warehouse,
    Column(
        "key",
        Text().with_variant(postgresql.TEXT(collation="C"), "postgresql"),
        primary_key=True,
        comment="Folded name, reading, number, address or id; see warehouse/search.py.",
    ),
    text("kind", "name, reading, phone, email, identifier or source_key.", key=True),
    text("golden_id", "The customer to find by it.", key=True),
    sa.Index(None, "golden_id"),
    sqlite_with_rowid=False,
    comment="Keys by which golden customers are found.",
)

publish_run = sa.Table(
    "publish_run",
    warehouse,
    text("publish_id", "The publish.", key=True),
    at("at", "When, UTC."),
    text("fingerprint", "Of all that the golden table depends on.", null=False),
    Column("counts", Json, comment="Rows added, changed, deleted, by table."),
    sa.Index(None, "at"),
    comment="Every publish that wrote something.",
)

publish_hold = sa.Table(
    "publish_hold",
    warehouse,
    text("hold_id", "H and a number.", key=True),
    at("at", "When it was held first, UTC."),
    text("fingerprint", "Of all that the held golden table depends on.", null=False),
    Column("report", Json, comment="What would change, which budgets it exceeds, and why."),
    text("accepted_by", "Who accepted it; null: nobody yet."),
    at("accepted_at", "When, UTC.", null=True),
    text("reason", "Why, in their words."),
    comment="Publishes that changed more than their budgets allow, and who accepted them.",
)

quality_measure = sa.Table(
    "quality_measure",
    warehouse,
    Column("day", sa.Date(), primary_key=True, comment="The day of the deployment's time zone."),
    text("source", "The source.", key=True),
    text("field", "The column of a customer; empty: the records as a whole.", key=True),
    text("measure", "What is measured; see warehouse/quality.py.", key=True),
    count("good", "Records or values that are as they should be."),
    count("counted", "Records or values that were looked at."),
    at("at", "When it was measured last that day, UTC."),
    sa.Index(None, "source", "measure", "field", "day"),
    comment="How good the sources are: the last measure of each day on which something changed.",
)

quality_state = sa.Table(
    "quality_state",
    warehouse,
    text("name", "quality.", key=True),
    text("fingerprint", "Of all that was measured last.", null=False),
    comment="What the measures of quality stand on, so that nothing is measured twice.",
)

id_sequence = sa.Table(
    "id_sequence",
    warehouse,
    text("name", "golden_id.", key=True),
    Column("next_number", sa.BigInteger(), nullable=False, comment="Never given out yet."),
    comment="Numbers for ids that are never reused.",
)

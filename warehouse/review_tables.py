"""Every table of the review store, once, as SQLAlchemy metadata; the web app writes them.

What belongs here: what stewards decide and say, who may do what, and who did
what. Nothing here is deleted but sessions and login attempts that are over.
"""

import sqlalchemy as sa
from sqlalchemy import Column

from warehouse.columns import (
    REVIEW,
    at,
    count,
    flag,
    json,
    metadata,
    number,
    one_of,
    sealed,
    sealed_json,
    text,
)

review = metadata(REVIEW)

# ------------------------------------------------------------------ decisions
decision = sa.Table(
    "decision",
    review,
    text("decision_id", "The decision.", key=True),
    text("kind", "link, no_link or override.", null=False),
    text("left_id", "Record (link, no_link); the smaller id."),
    text("right_id", "The other record."),
    text("golden_id", "Golden customer (override)."),
    text("field", "Golden field (override)."),
    sealed("value", "Its value (override); null: empty on purpose."),
    sealed("reason", "Why, in the steward's words.", null=False),
    text("decided_by", "Who.", null=False),
    at("decided_at", "When, UTC."),
    sealed_json("evidence", "What the steward saw."),
    at("revoked_at", "When it was taken back, UTC; null: in force.", null=True),
    text("revoked_by", "Who took it back."),
    sealed("revoked_reason", "Why it was taken back."),
    text("judgement_id", "The judgement it is part of; null: made on the command line."),
    sealed("evidence_hash", "Of the records' values of the field (override): it holds for these."),
    one_of("kind", "link", "no_link", "override"),
    sa.Index(None, "judgement_id"),
    sa.Index(None, "left_id"),
    sa.Index(None, "right_id"),
    sa.Index(None, "golden_id"),
    comment="What stewards said; never deleted.",
)

judgement = sa.Table(
    "judgement",
    review,
    text("judgement_id", "The judgement.", key=True),
    text("case_id", "The case; null where it began at a golden customer."),
    text("kind", "link, no_link, groups, override or unmerge.", null=False),
    json("groups", "Record ids of each customer as judged."),
    sealed("reason", "Why, in the steward's words.", null=False),
    text("state", "in_force, waiting (for a second person), refused or undone.", null=False),
    sealed_json("evidence", "What the steward saw."),
    number("expected_cost", "Of the case when it was judged."),
    text("judged_by", "Who: a login.", null=False),
    at("judged_at", "When, UTC."),
    text("approved_by", "Second person, where one was asked: a login."),
    at("approved_at", "When the second person answered, UTC.", null=True),
    text("undone_by", "Who took it back: a login."),
    at("undone_at", "When it was taken back, UTC.", null=True),
    text("batch_id", "The batch it belongs to."),
    one_of("kind", "link", "no_link", "groups", "override", "unmerge"),
    one_of("state", "in_force", "waiting", "refused", "undone"),
    sa.ForeignKeyConstraint(["batch_id"], ["review.batch.batch_id"]),
    sa.Index(None, "case_id"),
    sa.Index(None, "judged_at"),
    sa.Index(None, "batch_id"),
    comment="One act of a steward; its pair decisions and overrides are in decision.",
)

case_state = sa.Table(
    "case_state",
    review,
    text("case_id", "The case.", key=True),
    text("state", "open, skipped, unsure, waiting or decided.", null=False),
    text("assignee", "Who should look at it: a login."),
    text("judgement_id", "The judgement that decided it."),
    text("changed_by", "Who: a login.", null=False),
    at("changed_at", "When, UTC."),
    count("version", "Counts changes: a writer names the one it saw."),
    one_of("state", "open", "skipped", "unsure", "waiting", "decided"),
    sa.ForeignKeyConstraint(["judgement_id"], ["review.judgement.judgement_id"]),
    sa.Index(None, "assignee"),
    sa.Index(None, "state"),
    comment="What stewards did with cases; a case without a row is open.",
)

case_comment = sa.Table(
    "case_comment",
    review,
    text("comment_id", "The comment.", key=True),
    text("case_id", "The case.", null=False),
    sealed("said", "The words.", null=False),
    text("said_by", "Who: a login.", null=False),
    at("said_at", "When, UTC."),
    sa.Index(None, "case_id"),
    comment="What stewards say to each other about cases.",
)

second_review = sa.Table(
    "second_review",
    review,
    text("judgement_id", "The judgement that is looked at again.", key=True),
    text("case_id", "Its case.", null=False),
    at("drawn_at", "When it was drawn, UTC."),
    text("answer", "link, no_link or groups; null: not answered yet."),
    json("groups", "Record ids of each customer as the second person sees it."),
    text("answered_by", "Who: another login than the first."),
    at("answered_at", "When, UTC.", null=True),
    Column("agrees", sa.Boolean(), comment="Whether both grouped the records alike."),
    one_of("answer", "link", "no_link", "groups"),
    sa.ForeignKeyConstraint(["judgement_id"], ["review.judgement.judgement_id"]),
    comment="A sample of judgements, judged again by somebody who does not see the first answer.",
)

batch = sa.Table(
    "batch",
    review,
    text("batch_id", "The batch.", key=True),
    text("kind", "link or no_link: what is to be said of every case.", null=False),
    json("filter", "Which cases."),
    json("case_ids", "The cases when the sample was drawn."),
    count("case_count", "How many these are."),
    json("sample", "Ids of the cases that are judged by hand first."),
    text("state", "sampling, applied, undone or dropped.", null=False),
    count("sample_right", "Cases of the sample whose judgement is what the batch would say."),
    count("sample_judged", "Cases of the sample that were judged."),
    number("low", "Lower end of the interval of the share that is right, 0 to 1."),
    number("high", "Upper end."),
    text("started_by", "Who: a login.", null=False),
    at("started_at", "When, UTC."),
    text("applied_by", "Who said yes to it: a login."),
    at("applied_at", "When, UTC.", null=True),
    one_of("kind", "link", "no_link"),
    one_of("state", "sampling", "applied", "undone", "dropped"),
    comment="One answer for many cases, after a sample was judged by hand.",
)

repair = sa.Table(
    "repair",
    review,
    text("repair_id", "The repair.", key=True),
    text("source", "The source.", null=False),
    text("source_key", "The record's key in it.", null=False),
    text("field", "The column; null: the record as a whole."),
    text("rule", "The rule that failed.", null=False),
    text("kind", "value (use this one) or accept (use it as it is).", null=False),
    sealed("value", "The value to use (value)."),
    sealed("raw_hash", "Hash of the raw value it was made for: another one ends it.", null=False),
    sealed("reason", "Why, in the steward's words.", null=False),
    text("repaired_by", "Who: a login.", null=False),
    at("repaired_at", "When, UTC."),
    text("undone_by", "Who took it back: a login."),
    at("undone_at", "When it was taken back, UTC; null: in force.", null=True),
    text("quarantine_id", "The finding."),
    one_of("kind", "value", "accept"),
    sa.Index(None, "source", "source_key"),
    sa.Index(None, "quarantine_id"),
    comment="Values that stewards mended or let pass, for as long as the source keeps its own.",
)

# ------------------------------------------------------------------ erasure
erasure = sa.Table(
    "erasure",
    review,
    text("erasure_id", "E and a number: the proof that a customer was erased.", key=True),
    text("golden_id", "The golden customer; null where one record was in none."),
    text("requested_by", "Who asked for it.", null=False),
    text("reason", "Why, without personal data.", null=False),
    at("requested_at", "When it began, UTC."),
    at("finished_at", "When nothing was left, UTC; null: it is under way.", null=True),
    json("counts", "What was removed: store and table or file kind → rows."),
    sealed_json("remaining", "What is left to do, while it is under way; holds personal data."),
    text("lifted_by", "Who let the person in again; null: nobody."),
    at("lifted_at", "When, UTC.", null=True),
    text("lifted_reason", "Why."),
    comment="Proof of erasures: who, when, why and how much, without personal data.",
)

suppression = sa.Table(
    "suppression",
    review,
    text("erasure_id", "The erasure.", key=True),
    text("kind", "What was hashed; see rules/recognizing.py.", key=True),
    text("hash", "Keyed hash; without the key it says nothing.", key=True),
    text("source", "The source it holds for; null: for all."),
    sa.ForeignKeyConstraint(["erasure_id"], ["review.erasure.erasure_id"]),
    comment="Keyed hashes by which syncs leave out records of customers who were erased.",
)

# ------------------------------------------------------------------ people
account = sa.Table(
    "account",
    review,
    text("login", "Name to log in with, lower case.", key=True),
    text("full_name", "Name to show.", null=False),
    text("role", "viewer, steward or admin.", null=False),
    text("password_hash", "argon2; null: logs in through OpenID Connect only."),
    text("subject", "Issuer and subject at the OpenID provider."),
    text("language", "zh or en; null: as the browser asks."),
    flag("must_change_password", "Whether the password was given by somebody else."),
    flag("is_active", "Whether the account may log in."),
    text("created_by", "Who: a login, or onefold.", null=False),
    at("created_at", "When, UTC."),
    at("last_login_at", "When it logged in last, UTC.", null=True),
    one_of("role", "viewer", "steward", "admin"),
    sa.UniqueConstraint("subject"),
    comment="Who may use the review pages.",
)

session = sa.Table(
    "session",
    review,
    text("session_hash", "Hash of the cookie's token.", key=True),
    text("login", "Whose.", null=False),
    text("csrf_token", "What every write must bring.", null=False),
    at("created_at", "When it began, UTC."),
    at("seen_at", "When it was used last, UTC; to the minute."),
    at("expires_at", "When it ends at the latest, UTC."),
    sa.ForeignKeyConstraint(["login"], ["review.account.login"]),
    sa.Index(None, "login"),
    comment="Who is logged in.",
)

login_attempt = sa.Table(
    "login_attempt",
    review,
    text("attempt_id", "The attempt.", key=True),
    text("login", "The name that was given, as a keyed hash.", null=False),
    text("address", "Where it came from, as a keyed hash.", null=False),
    at("at", "When, UTC."),
    sa.Index(None, "login", "at"),
    sa.Index(None, "address", "at"),
    comment="Failed logins of the last day, to slow down guessing.",
)

audit_event = sa.Table(
    "audit_event",
    review,
    Column("number", sa.Integer(), primary_key=True, autoincrement=False, comment="From 1."),
    at("at", "When, UTC."),
    text("login", "Who; - before anybody is logged in.", null=False),
    text("action", "What: login, view_customer, judge, ...; see review/actions.py.", null=False),
    text("object_kind", "case, customer, judgement, account, ..."),
    text("object_id", "Which."),
    json("detail", "More, without customer values."),
    text("previous_hash", "hash of the event before; empty for the first.", null=False),
    text("hash", "Of this row and previous_hash.", null=False),
    sa.Index(None, "at"),
    sa.Index(None, "object_kind", "object_id"),
    sa.Index(None, "login", "number"),
    sa.Index(None, "action", "number"),
    comment="Who saw and changed what; each row carries the hash of the one before.",
)

"""What the review pages need: cases, evidence, search; judgements, people, audit.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make each store's new tables."""
    if context.config.attributes["store"] == "warehouse":
        _warehouse()
    else:
        _review()


def _warehouse() -> None:
    op.create_table('review_case',
    sa.Column('case_id', sa.Text(), nullable=False, comment='Follows from kind, records and how they are grouped.'),
    sa.Column('kind', sa.Text(), nullable=False, comment='merge, split, or override (its evidence changed).'),
    sa.Column('customer_type', sa.Text(), nullable=False, comment='person or organization.'),
    sa.Column('title', sa.Text(), nullable=False, comment='Name of its largest customer, as shown.'),
    sa.Column('golden_ids', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False, comment='Customers as published, largest first.'),
    sa.Column('sources', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False, comment='Sources that hold its records.'),
    sa.Column('record_count', sa.Integer(), nullable=False, comment='Records in it.'),
    sa.Column('customer_count', sa.Integer(), nullable=False, comment='Golden customers it is now.'),
    sa.Column('source_count', sa.Integer(), nullable=False, comment='Sources that hold its records.'),
    sa.Column('probability', sa.Float(precision=53), nullable=True, comment='That its customers are one (merge) or stay one (split), 0 to 1.'),
    sa.Column('band', sa.Integer(), nullable=False, comment='Tenth of the probability, 0 to 9; override cases have 0.'),
    sa.Column('expected_cost', sa.Float(precision=53), nullable=False, comment='What a wrong answer costs: the order of the queue.'),
    sa.Column('reason', sa.Text(), nullable=False, comment='Name of the reason for the doubt; see dedupe/suggestions.py.'),
    sa.Column('strongest', sa.Text(), nullable=True, comment='The comparison that speaks most for it; null where none does.'),
    sa.Column('weakest', sa.Text(), nullable=True, comment='The comparison that speaks most against it; null where none does.'),
    sa.Column('content_hash', sa.Text(), nullable=False, comment='Hash of the other columns; equal hash, equal row.'),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False, comment='When it was a case first, UTC.'),
    sa.Column('publish_id', sa.Text(), nullable=False, comment='The publish that wrote this version.'),
    sa.CheckConstraint("customer_type IN ('person', 'organization')", name=op.f('ck_review_case_customer_type')),
    sa.CheckConstraint("kind IN ('merge', 'split', 'override')", name=op.f('ck_review_case_kind')),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_review_case')),
    schema='warehouse',
    comment='Cases: doubtful merges and splits, one row per group of customers.'
    )
    op.create_index(op.f('ix_review_case_band'), 'review_case', ['band'], unique=False, schema='warehouse')
    op.create_index('ix_review_case_queue', 'review_case', ['expected_cost', 'case_id'], unique=False, schema='warehouse')
    op.create_table('case_member',
    sa.Column('case_id', sa.Text(), nullable=False, comment='The case.'),
    sa.Column('record_id', sa.Text(), nullable=False, comment='A record in it.'),
    sa.Column('golden_id', sa.Text(), nullable=False, comment='Its golden customer as published.'),
    sa.Column('source', sa.Text(), nullable=False, comment='Its source.'),
    sa.PrimaryKeyConstraint('case_id', 'record_id', name=op.f('pk_case_member')),
    schema='warehouse',
    comment='Records of cases.',
    sqlite_with_rowid=False
    )
    op.create_index(op.f('ix_case_member_golden_id'), 'case_member', ['golden_id'], unique=False, schema='warehouse')
    op.create_index(op.f('ix_case_member_record_id'), 'case_member', ['record_id'], unique=False, schema='warehouse')
    op.create_index(op.f('ix_case_member_source_case_id'), 'case_member', ['source', 'case_id'], unique=False, schema='warehouse')
    op.create_table('case_evidence',
    sa.Column('case_id', sa.Text(), nullable=False, comment='The case.'),
    sa.Column('evidence', sa.JSON(none_as_null=True), nullable=False, comment='Pairs with weights and reasons, as facts.'),
    sa.Column('content_hash', sa.Text(), nullable=False, comment='Hash of what the evidence was made from.'),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_case_evidence')),
    schema='warehouse',
    comment='What speaks for and against each case, as the pages say it.'
    )
    op.create_table('customer_search',
    sa.Column('key', sa.Text().with_variant(sa.TEXT(collation='C'), 'postgresql'), nullable=False, comment='Folded name, reading, number, address or id; see warehouse/search.py.'),
    sa.Column('kind', sa.Text(), nullable=False, comment='name, reading, phone, email, identifier or source_key.'),
    sa.Column('golden_id', sa.Text(), nullable=False, comment='The customer to find by it.'),
    sa.PrimaryKeyConstraint('key', 'kind', 'golden_id', name=op.f('pk_customer_search')),
    schema='warehouse',
    comment='Keys by which golden customers are found.',
    sqlite_with_rowid=False
    )
    op.create_index(op.f('ix_customer_search_golden_id'), 'customer_search', ['golden_id'], unique=False, schema='warehouse')


def _review() -> None:
    op.drop_table("suggestion_state", schema="review")
    op.create_table('account',
    sa.Column('login', sa.Text(), nullable=False, comment='Name to log in with, lower case.'),
    sa.Column('full_name', sa.Text(), nullable=False, comment='Name to show.'),
    sa.Column('role', sa.Text(), nullable=False, comment='viewer, steward or admin.'),
    sa.Column('password_hash', sa.Text(), nullable=True, comment='argon2; null: logs in through OpenID Connect only.'),
    sa.Column('subject', sa.Text(), nullable=True, comment='Issuer and subject at the OpenID provider.'),
    sa.Column('language', sa.Text(), nullable=True, comment='zh or en; null: as the browser asks.'),
    sa.Column('must_change_password', sa.Boolean(), nullable=False, comment='Whether the password was given by somebody else.'),
    sa.Column('is_active', sa.Boolean(), nullable=False, comment='Whether the account may log in.'),
    sa.Column('created_by', sa.Text(), nullable=False, comment='Who: a login, or onefold.'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False, comment='When, UTC.'),
    sa.Column('last_login_at', sa.DateTime(timezone=True), nullable=True, comment='When it logged in last, UTC.'),
    sa.CheckConstraint("role IN ('viewer', 'steward', 'admin')", name=op.f('ck_account_role')),
    sa.PrimaryKeyConstraint('login', name=op.f('pk_account')),
    sa.UniqueConstraint('subject', name=op.f('uq_account_subject')),
    schema='review',
    comment='Who may use the review pages.'
    )
    op.create_table('audit_event',
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False, comment='From 1.'),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False, comment='When, UTC.'),
    sa.Column('login', sa.Text(), nullable=False, comment='Who; - before anybody is logged in.'),
    sa.Column('action', sa.Text(), nullable=False, comment='What: login, view_customer, judge, ...; see review/actions.py.'),
    sa.Column('object_kind', sa.Text(), nullable=True, comment='case, customer, judgement, account, ...'),
    sa.Column('object_id', sa.Text(), nullable=True, comment='Which.'),
    sa.Column('detail', sa.JSON(none_as_null=True), nullable=True, comment='More, without customer values.'),
    sa.Column('previous_hash', sa.Text(), nullable=False, comment='hash of the event before; empty for the first.'),
    sa.Column('hash', sa.Text(), nullable=False, comment='Of this row and previous_hash.'),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_audit_event')),
    schema='review',
    comment='Who saw and changed what; each row carries the hash of the one before.'
    )
    op.create_index(op.f('ix_audit_event_at'), 'audit_event', ['at'], unique=False, schema='review')
    op.create_index(op.f('ix_audit_event_object_kind_object_id'), 'audit_event', ['object_kind', 'object_id'], unique=False, schema='review')
    op.create_table('batch',
    sa.Column('batch_id', sa.Text(), nullable=False, comment='The batch.'),
    sa.Column('kind', sa.Text(), nullable=False, comment='link or no_link: what is to be said of every case.'),
    sa.Column('filter', sa.JSON(none_as_null=True), nullable=True, comment='Which cases.'),
    sa.Column('case_ids', sa.JSON(none_as_null=True), nullable=True, comment='The cases when the sample was drawn.'),
    sa.Column('sample', sa.JSON(none_as_null=True), nullable=True, comment='Ids of the cases that are judged by hand first.'),
    sa.Column('state', sa.Text(), nullable=False, comment='sampling, applied, undone or dropped.'),
    sa.Column('sample_right', sa.Integer(), nullable=False, comment='Cases of the sample whose judgement is what the batch would say.'),
    sa.Column('sample_judged', sa.Integer(), nullable=False, comment='Cases of the sample that were judged.'),
    sa.Column('low', sa.Float(precision=53), nullable=True, comment='Lower end of the interval of the share that is right, 0 to 1.'),
    sa.Column('high', sa.Float(precision=53), nullable=True, comment='Upper end.'),
    sa.Column('started_by', sa.Text(), nullable=False, comment='Who: a login.'),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False, comment='When, UTC.'),
    sa.Column('applied_by', sa.Text(), nullable=True, comment='Who said yes to it: a login.'),
    sa.Column('applied_at', sa.DateTime(timezone=True), nullable=True, comment='When, UTC.'),
    sa.CheckConstraint("kind IN ('link', 'no_link')", name=op.f('ck_batch_kind')),
    sa.CheckConstraint("state IN ('sampling', 'applied', 'undone', 'dropped')", name=op.f('ck_batch_state')),
    sa.PrimaryKeyConstraint('batch_id', name=op.f('pk_batch')),
    schema='review',
    comment='One answer for many cases, after a sample was judged by hand.'
    )
    op.create_table('case_comment',
    sa.Column('comment_id', sa.Text(), nullable=False, comment='The comment.'),
    sa.Column('case_id', sa.Text(), nullable=False, comment='The case.'),
    sa.Column('said', sa.Text(), nullable=False, comment='The words.'),
    sa.Column('said_by', sa.Text(), nullable=False, comment='Who: a login.'),
    sa.Column('said_at', sa.DateTime(timezone=True), nullable=False, comment='When, UTC.'),
    sa.PrimaryKeyConstraint('comment_id', name=op.f('pk_case_comment')),
    schema='review',
    comment='What stewards say to each other about cases.'
    )
    op.create_index(op.f('ix_case_comment_case_id'), 'case_comment', ['case_id'], unique=False, schema='review')
    op.create_table('login_attempt',
    sa.Column('attempt_id', sa.Text(), nullable=False, comment='The attempt.'),
    sa.Column('login', sa.Text(), nullable=False, comment='The name that was given, as a keyed hash.'),
    sa.Column('address', sa.Text(), nullable=False, comment='Where it came from, as a keyed hash.'),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False, comment='When, UTC.'),
    sa.PrimaryKeyConstraint('attempt_id', name=op.f('pk_login_attempt')),
    schema='review',
    comment='Failed logins of the last day, to slow down guessing.'
    )
    op.create_index(op.f('ix_login_attempt_address_at'), 'login_attempt', ['address', 'at'], unique=False, schema='review')
    op.create_index(op.f('ix_login_attempt_login_at'), 'login_attempt', ['login', 'at'], unique=False, schema='review')
    op.create_table('repair',
    sa.Column('repair_id', sa.Text(), nullable=False, comment='The repair.'),
    sa.Column('source', sa.Text(), nullable=False, comment='The source.'),
    sa.Column('source_key', sa.Text(), nullable=False, comment="The record's key in it."),
    sa.Column('field', sa.Text(), nullable=True, comment='The column; null: the record as a whole.'),
    sa.Column('rule', sa.Text(), nullable=False, comment='The rule that failed.'),
    sa.Column('kind', sa.Text(), nullable=False, comment='value (use this one) or accept (use it as it is).'),
    sa.Column('value', sa.Text(), nullable=True, comment='The value to use (value).'),
    sa.Column('raw_hash', sa.Text(), nullable=False, comment='Hash of the raw value it was made for: another one ends it.'),
    sa.Column('reason', sa.Text(), nullable=False, comment="Why, in the steward's words."),
    sa.Column('repaired_by', sa.Text(), nullable=False, comment='Who: a login.'),
    sa.Column('repaired_at', sa.DateTime(timezone=True), nullable=False, comment='When, UTC.'),
    sa.Column('undone_by', sa.Text(), nullable=True, comment='Who took it back: a login.'),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True, comment='When it was taken back, UTC; null: in force.'),
    sa.CheckConstraint("kind IN ('value', 'accept')", name=op.f('ck_repair_kind')),
    sa.PrimaryKeyConstraint('repair_id', name=op.f('pk_repair')),
    schema='review',
    comment='Values that stewards mended or let pass, for as long as the source keeps its own.'
    )
    op.create_index(op.f('ix_repair_source_source_key'), 'repair', ['source', 'source_key'], unique=False, schema='review')
    op.create_table('judgement',
    sa.Column('judgement_id', sa.Text(), nullable=False, comment='The judgement.'),
    sa.Column('case_id', sa.Text(), nullable=True, comment='The case; null where it began at a golden customer.'),
    sa.Column('kind', sa.Text(), nullable=False, comment='link, no_link, groups, override or unmerge.'),
    sa.Column('groups', sa.JSON(none_as_null=True), nullable=True, comment='Record ids of each customer as judged.'),
    sa.Column('reason', sa.Text(), nullable=False, comment="Why, in the steward's words."),
    sa.Column('state', sa.Text(), nullable=False, comment='in_force, waiting (for a second person), refused or undone.'),
    sa.Column('evidence', sa.JSON(none_as_null=True), nullable=True, comment='What the steward saw.'),
    sa.Column('expected_cost', sa.Float(precision=53), nullable=True, comment='Of the case when it was judged.'),
    sa.Column('judged_by', sa.Text(), nullable=False, comment='Who: a login.'),
    sa.Column('judged_at', sa.DateTime(timezone=True), nullable=False, comment='When, UTC.'),
    sa.Column('approved_by', sa.Text(), nullable=True, comment='Second person, where one was asked: a login.'),
    sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True, comment='When the second person answered, UTC.'),
    sa.Column('undone_by', sa.Text(), nullable=True, comment='Who took it back: a login.'),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True, comment='When it was taken back, UTC.'),
    sa.Column('batch_id', sa.Text(), nullable=True, comment='The batch it belongs to.'),
    sa.CheckConstraint("kind IN ('link', 'no_link', 'groups', 'override', 'unmerge')", name=op.f('ck_judgement_kind')),
    sa.CheckConstraint("state IN ('in_force', 'waiting', 'refused', 'undone')", name=op.f('ck_judgement_state')),
    sa.ForeignKeyConstraint(['batch_id'], ['review.batch.batch_id'], name=op.f('fk_judgement_batch_id')),
    sa.PrimaryKeyConstraint('judgement_id', name=op.f('pk_judgement')),
    schema='review',
    comment='One act of a steward; its pair decisions and overrides are in decision.'
    )
    op.create_index(op.f('ix_judgement_batch_id'), 'judgement', ['batch_id'], unique=False, schema='review')
    op.create_index(op.f('ix_judgement_case_id'), 'judgement', ['case_id'], unique=False, schema='review')
    op.create_index(op.f('ix_judgement_judged_at'), 'judgement', ['judged_at'], unique=False, schema='review')
    op.create_table('session',
    sa.Column('session_hash', sa.Text(), nullable=False, comment="Hash of the cookie's token."),
    sa.Column('login', sa.Text(), nullable=False, comment='Whose.'),
    sa.Column('csrf_token', sa.Text(), nullable=False, comment='What every write must bring.'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False, comment='When it began, UTC.'),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False, comment='When it was used last, UTC; to the minute.'),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False, comment='When it ends at the latest, UTC.'),
    sa.ForeignKeyConstraint(['login'], ['review.account.login'], name=op.f('fk_session_login')),
    sa.PrimaryKeyConstraint('session_hash', name=op.f('pk_session')),
    schema='review',
    comment='Who is logged in.'
    )
    op.create_index(op.f('ix_session_login'), 'session', ['login'], unique=False, schema='review')
    op.create_table('case_state',
    sa.Column('case_id', sa.Text(), nullable=False, comment='The case.'),
    sa.Column('state', sa.Text(), nullable=False, comment='open, skipped, unsure, waiting or decided.'),
    sa.Column('assignee', sa.Text(), nullable=True, comment='Who should look at it: a login.'),
    sa.Column('judgement_id', sa.Text(), nullable=True, comment='The judgement that decided it.'),
    sa.Column('changed_by', sa.Text(), nullable=False, comment='Who: a login.'),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False, comment='When, UTC.'),
    sa.Column('version', sa.Integer(), nullable=False, comment='Counts changes: a writer names the one it saw.'),
    sa.CheckConstraint("state IN ('open', 'skipped', 'unsure', 'waiting', 'decided')", name=op.f('ck_case_state_state')),
    sa.ForeignKeyConstraint(['judgement_id'], ['review.judgement.judgement_id'], name=op.f('fk_case_state_judgement_id')),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_case_state')),
    schema='review',
    comment='What stewards did with cases; a case without a row is open.'
    )
    op.create_index(op.f('ix_case_state_assignee'), 'case_state', ['assignee'], unique=False, schema='review')
    op.create_index(op.f('ix_case_state_state'), 'case_state', ['state'], unique=False, schema='review')
    op.create_table('second_review',
    sa.Column('judgement_id', sa.Text(), nullable=False, comment='The judgement that is looked at again.'),
    sa.Column('case_id', sa.Text(), nullable=False, comment='Its case.'),
    sa.Column('drawn_at', sa.DateTime(timezone=True), nullable=False, comment='When it was drawn, UTC.'),
    sa.Column('answer', sa.Text(), nullable=True, comment='link, no_link or groups; null: not answered yet.'),
    sa.Column('groups', sa.JSON(none_as_null=True), nullable=True, comment='Record ids of each customer as the second person sees it.'),
    sa.Column('answered_by', sa.Text(), nullable=True, comment='Who: another login than the first.'),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True, comment='When, UTC.'),
    sa.Column('agrees', sa.Boolean(), nullable=True, comment='Whether both grouped the records alike.'),
    sa.CheckConstraint("answer IN ('link', 'no_link', 'groups')", name=op.f('ck_second_review_answer')),
    sa.ForeignKeyConstraint(['judgement_id'], ['review.judgement.judgement_id'], name=op.f('fk_second_review_judgement_id')),
    sa.PrimaryKeyConstraint('judgement_id', name=op.f('pk_second_review')),
    schema='review',
    comment='A sample of judgements, judged again by somebody who does not see the first answer.'
    )
    # Alembic's ALTER does not follow the translation of schemas that SQLite needs.
    schema = "review" if op.get_context().dialect.name == "postgresql" else None
    op.add_column("decision", sa.Column("judgement_id", sa.Text(), nullable=True, comment="The judgement it is part of; null: made on the command line."), schema=schema)
    op.add_column("decision", sa.Column("evidence_hash", sa.Text(), nullable=True, comment="Of the records' values of the field (override): it holds for these."), schema=schema)
    op.create_index("ix_decision_judgement_id", "decision", ["judgement_id"], unique=False, schema="review")

"""Where personal data stands: every table of both stores, every kind of file, and its way out.

What belongs here: the one list that erasure and subject access work from. A table or a kind
of file that is not named here fails a test; docs/privacy.md shows the list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from rules.customer import GOLDEN_FIELDS
from warehouse import review_tables as of_review
from warehouse import tables as of_warehouse

By = Literal["records", "customers", "cases", "judgements"]
"""What a column names: records, golden customers, cases or judgements of an erased customer."""
ERASED = "[erased]"
"""What stands where text was that may have told of an erased customer."""
KEPT_OF_HISTORY = frozenset({"customer_type", "region"})
"""Golden fields that stay in the history, without anybody's: restatements count by them."""


@dataclass(frozen=True)
class Holding:
    """A table, and what becomes of its rows.

    Attributes:
        table: the table.
        what: what it holds of a person.
        how: what erasure does, in words.
        by: column → what it names; a row of an erased customer is found by any of them.
        becomes: column → its value in such a row; None: such rows are deleted.
        texts: columns of free text, in any row, from which the customer's values go.
        others: columns that may tell of other people, too: left out of subject access.
    """

    table: sa.Table
    what: str
    how: str
    by: Mapping[str, By] = field(default_factory=dict)
    becomes: Mapping[str, Any] | None = None
    texts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def store(self) -> str:
        """The store of the table: warehouse or review."""
        return str(self.table.schema)


_GONE = "rows deleted"
_NOTHING = "nothing of a person"
_BLANK_HISTORY = {each.name: None for each in GOLDEN_FIELDS if each.name not in KEPT_OF_HISTORY}


def _none(table: sa.Table, what: str = _NOTHING, how: str = "stays", **more: Any) -> Holding:
    return Holding(table, what, how, **more, becomes={})


HOLDINGS: tuple[Holding, ...] = (
    Holding(of_warehouse.staged_customer, "cleaned records", _GONE, {"record_id": "records"}),
    Holding(of_warehouse.moved_record, "keys in the sources", _GONE, {"record_id": "records"}),
    _none(of_warehouse.moved_run),
    Holding(
        of_warehouse.quarantine,
        "rejected values and records, mended ones too",
        _GONE,
        {"record_id": "records"},
    ),
    _none(
        of_warehouse.sync_run,
        "counts, hashes, messages",
        "counts and hashes of the last sync become those without the records",
        texts=("message",),
    ),
    Holding(of_warehouse.golden_customer, "golden values", _GONE, {"golden_id": "customers"}),
    Holding(
        of_warehouse.golden_customer_history,
        "every version of golden values",
        "values become null, also in old versions of another customer that once had a record of it;"
        " type, region, sources and the moments stay, which restatements count",
        {"golden_id": "customers"},
        _BLANK_HISTORY,
    ),
    _none(of_warehouse.blanked_version),
    Holding(of_warehouse.golden_field, "origin of values", _GONE, {"golden_id": "customers"}),
    Holding(
        of_warehouse.crosswalk,
        "keys in the sources",
        _GONE,
        {"record_id": "records", "golden_id": "customers"},
    ),
    _none(
        of_warehouse.redirect,
        how="the id ends, as do those that led to it: they resolve to 'erased'",
    ),
    Holding(
        of_warehouse.former_member,
        "keys in the sources, of retired ids",
        _GONE,
        {"record_id": "records", "golden_id": "customers"},
    ),
    Holding(
        of_warehouse.earlier_member,
        "keys in the sources, of records that left",
        _GONE,
        {"record_id": "records", "golden_id": "customers"},
    ),
    _none(of_warehouse.lineage_event, how="stays, with an event 'erased'"),
    Holding(
        of_warehouse.merge_suggestion,
        "keys in the sources",
        _GONE,
        {
            "left_id": "records",
            "right_id": "records",
            "left_golden_id": "customers",
            "right_golden_id": "customers",
        },
    ),
    Holding(
        of_warehouse.customer_relation,
        "who works where; keys in the sources",
        _GONE,
        {
            "person_id": "customers",
            "organization_id": "customers",
            "person_record_id": "records",
            "organization_record_id": "records",
        },
    ),
    Holding(
        of_warehouse.review_case,
        "names, as titles",
        _GONE,
        {"case_id": "cases"},
        others=("title", "golden_ids"),
    ),
    Holding(
        of_warehouse.case_member,
        "keys in the sources",
        _GONE,
        {"case_id": "cases", "record_id": "records", "golden_id": "customers"},
        others=("record_id", "golden_id"),
    ),
    Holding(
        of_warehouse.case_evidence,
        "values side by side",
        _GONE,
        {"case_id": "cases"},
        others=("evidence",),
    ),
    Holding(of_warehouse.customer_search, "search keys", _GONE, {"golden_id": "customers"}),
    _none(of_warehouse.publish_run),
    _none(of_warehouse.publish_hold, "reasons of people", "values taken out", texts=("reason",)),
    _none(of_warehouse.quality_measure),
    _none(of_warehouse.quality_state),
    _none(of_warehouse.id_sequence),
    Holding(
        of_review.decision,
        "keys in the sources, pinned values, evidence, reasons",
        "values, keys, evidence and reason taken out, and revoked; the row stays",
        {
            "left_id": "records",
            "right_id": "records",
            "golden_id": "customers",
        },
        {
            "left_id": None,
            "right_id": None,
            "value": None,
            "evidence": None,
            "evidence_hash": None,
            "reason": ERASED,
            "revoked_reason": None,
        },
        texts=("reason", "revoked_reason", "value"),
        others=("evidence",),
    ),
    Holding(
        of_review.judgement,
        "keys in the sources, evidence, reasons",
        "the customer's keys, the evidence and the reason taken out; the row stays",
        {"judgement_id": "judgements"},
        {"reason": ERASED},
        texts=("reason",),
        others=("evidence", "groups"),
    ),
    _none(of_review.case_state),
    Holding(
        of_review.case_comment,
        "what stewards said",
        "words about the customer's cases taken out; the row stays",
        {"case_id": "cases"},
        {"said": ERASED},
        texts=("said",),
    ),
    _none(of_review.second_review, "keys in the sources", "the customer's keys taken out"),
    _none(of_review.batch),
    Holding(
        of_review.repair,
        "keys in the sources, mended values",
        "key, value and reason taken out; the row stays",
        {"source_key": "records"},
        {
            "source_key": ERASED,
            "value": None,
            "raw_hash": "",
            "reason": "",
            "quarantine_id": None,
        },
        texts=("reason", "value"),
    ),
    _none(of_review.erasure, "keys and values while under way", "taken out at its end"),
    _none(of_review.suppression, "keyed hashes", "stays: it keeps the person out"),
    _none(of_review.account, "stewards, no customers"),
    _none(of_review.session, "stewards, no customers"),
    _none(of_review.login_attempt, "stewards, no customers"),
    _none(of_review.audit_event, "ids of customers and cases, no values", "stays, sealed"),
)
"""Every table of both stores."""

_LEFT = "written anew without their rows"

FILES: Mapping[str, tuple[str, str]] = {
    "lake/raw": ("records exactly as read", "every kept snapshot written anew without them"),
    "lake/canonical_checks": (_NOTHING, "removed, and made again"),
    "lake/records": ("keys in the sources", _LEFT),
    "lake/kin": ("names and keys for matching", _LEFT),
    "lake/features": ("names, numbers and addresses for matching", _LEFT),
    "lake/keys": ("hashes of names, numbers and addresses", "removed, and made again"),
    "lake/candidates": ("keys in the sources", _LEFT),
    "lake/scored_pairs": ("keys in the sources", _LEFT),
    "lake/clusters": ("keys in the sources", _LEFT),
    "lake/suggestions": ("keys in the sources", _LEFT),
    "lake/decided": ("keys in the sources", _LEFT),
    "lake/kinships": ("keys in the sources, names of employers", _LEFT),
    "lake/crosswalk": ("keys in the sources", "removed, and made again"),
    "models": (
        "how many records have a name, address or number, of those that three or more have",
        "values that no other record has are taken out; no weight changes",
    ),
    "labels": ("keys in the sources", "pairs with the customer's records taken out"),
    "operations": (_NOTHING, "stays: counts, states, messages without values"),
    "privacy.json": ("the secret of the keyed hashes, encrypted", "stays"),
    "exports": (
        "golden values, keys",
        "files, folders and databases that 'onefold export' wrote: rows taken out",
    ),
    "history, storage, schedules, logs": ("Dagster's: counts, ids, states", "stays"),
    "review.key": (_NOTHING, "stays"),
}
"""Every kind of file that a home or its exports have: what it holds, what erasure does."""


def text() -> str:
    """The list as docs/privacy.md shows it."""
    lines = ["| where | what of a person | what erasure does |", "|---|---|---|"]
    for one in HOLDINGS:
        lines.append(f"| `{one.store}.{one.table.name}` | {one.what} | {one.how} |")
    for name, (what, how) in FILES.items():
        lines.append(f"| {name if name == 'exports' else f'`{name}`'} | {what} | {how} |")
    return "\n".join(lines) + "\n"

"""What is held on a person as an HTML page to hand out, in Chinese or English."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from onefold.cli import html_file
from pipelines.stages.subjects import Raw, Subject, Value
from review.language import N_, translations
from review.language.formats import Formats
from review.presenters.fields import LABELS, in_words, lines

_COLUMNS: Mapping[str, str] = {
    "address_key": N_("Address, for comparing"),
    "approved_at": N_("Approved"),
    "approved_by": N_("Approved by"),
    "band": N_("How sure"),
    "basis": N_("Seen by"),
    "batch_id": N_("Batch"),
    "case_id": N_("Case"),
    "change": N_("Change"),
    "column": N_("Column"),
    "comment_id": N_("Comment"),
    "customer_count": N_("Number of customers"),
    "decided_at": N_("Decided"),
    "decided_by": N_("Decided by"),
    "decision_id": N_("Decision"),
    "expected_cost": N_("Cost of an error"),
    "field": N_("Field"),
    "first_published_at": N_("First published"),
    "first_seen": N_("First seen"),
    "golden_id": N_("Customer"),
    "id_keys": N_("Numbers, for comparing"),
    "is_current": N_("Current"),
    "item": N_("Place in the list"),
    "judged_at": N_("Judged"),
    "judged_by": N_("Judged by"),
    "judgement_id": N_("Judgement"),
    "key": N_("Search key"),
    "kind": N_("Kind"),
    "last_seen": N_("Last seen"),
    "left_at": N_("Left"),
    "left_golden_id": N_("One customer"),
    "left_id": N_("One record"),
    "name_key": N_("Name, for comparing"),
    "name_readings": N_("Name as pronounced"),
    "organization_id": N_("Organization"),
    "organization_record_id": N_("Record of the organization"),
    "person_id": N_("Person"),
    "person_record_id": N_("Record of the person"),
    "phone_keys": N_("Phones, for comparing"),
    "position": N_("Where in the source"),
    "probability": N_("Probability"),
    "published_at": N_("Published"),
    "quarantine_id": N_("Finding"),
    "raw_value": N_("Value at the source"),
    "reason": N_("Reason"),
    "record_count": N_("Number of records"),
    "record_id": N_("Record"),
    "repair_id": N_("Repair"),
    "repaired_at": N_("Mended"),
    "repaired_by": N_("Mended by"),
    "revoked_at": N_("Undone"),
    "revoked_by": N_("Undone by"),
    "revoked_reason": N_("Why undone"),
    "right_golden_id": N_("Other customer"),
    "right_id": N_("Other record"),
    "rule": N_("Rule"),
    "said": N_("Said"),
    "said_at": N_("Said on"),
    "said_by": N_("Said by"),
    "severity": N_("Severity"),
    "since": N_("Since"),
    "snapshots": N_("Copies kept"),
    "source": N_("Source"),
    "source_count": N_("Number of sources"),
    "source_key": N_("Key in the source"),
    "sources": N_("Sources"),
    "state": N_("State"),
    "strongest": N_("Strongest evidence"),
    "suggestion_id": N_("Suggestion"),
    "type_basis": N_("Type seen by"),
    "undone_at": N_("Undone"),
    "undone_by": N_("Undone by"),
    "valid_from": N_("From"),
    "valid_to": N_("Until"),
    "value": N_("Value"),
    "verified": N_("Verified"),
    "weakest": N_("Weakest link"),
    "whole_record": N_("Whole record"),
}
"""Columns that are no fields of a customer: name → what it is called."""
TITLES: Mapping[str, str] = {
    "warehouse.staged_customer": N_("Records, cleaned"),
    "warehouse.moved_record": N_("Where records stand that moved in their source"),
    "warehouse.quarantine": N_("Values that were rejected or are doubtful"),
    "warehouse.golden_customer": N_("The customer as published, every column"),
    "warehouse.golden_customer_history": N_("Every version of the customer"),
    "warehouse.golden_field": N_("Which record each value came from"),
    "warehouse.crosswalk": N_("Which records are the customer"),
    "warehouse.former_member": N_("Records of ids that ended"),
    "warehouse.earlier_member": N_("Records that were the customer's once"),
    "warehouse.merge_suggestion": N_("Suggested merges"),
    "warehouse.customer_relation": N_("Who works at or owns an organization"),
    "warehouse.review_case": N_("Cases to review"),
    "warehouse.case_member": N_("Records of cases to review"),
    "warehouse.case_evidence": N_("Evidence of cases to review"),
    "warehouse.customer_search": N_("By what the customer is found"),
    "review.decision": N_("Decisions"),
    "review.judgement": N_("Judgements of stewards"),
    "review.case_comment": N_("Comments of stewards"),
    "review.repair": N_("Values mended by stewards"),
}
"""Table → what stands in it of a person."""


@dataclass(frozen=True)
class Table:
    """Rows of cells, the first of each a heading; without ``head``, of two columns."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Part:
    """A section of the page."""

    title: str
    note: str
    tables: Sequence[Table]


def write(found: Subject, path: Path, lang: str, zone: ZoneInfo) -> None:
    """Write the page; a whole file or none.

    Args:
        lang: zh or en.
        zone: whose time moments are told in.
    """
    page = _Page(lang, zone)
    html_file.write(
        path,
        "subject.html",
        lang="zh-CN" if lang == "zh" else lang,
        title=page.title(found),
        words=page.words(found),
        parts=[part for part in page.parts(found) if part.tables],
    )


class _Page:
    """The parts of the page in one language."""

    def __init__(self, lang: str, zone: ZoneInfo) -> None:
        self._say = translations(lang).gettext
        self._formats = Formats(lang, zone)

    def title(self, found: Subject) -> str:
        if found.golden_id is None:
            return self._say(N_("What is held on one record"))
        return self._say(N_("What is held on %(customer)s")) % {"customer": found.golden_id}

    def words(self, found: Subject) -> str:
        said = N_(
            "All that was held on one person on %(moment)s. Where a table also told of other"
            " people, those columns are left out."
        )
        return self._say(said) % {"moment": self._formats.moment(found.at)}

    def parts(self, found: Subject) -> Iterable[Part]:
        yield Part(self._say(N_("The customer as published")), "", self._golden(found.golden))
        yield Part(
            self._say(N_("Records as the sources had them")),
            "",
            [self._raw(one) for one in found.raw],
        )
        for name, rows in found.tables.items():
            yield Part(self._say(TITLES[name]), name, self._rows(rows))
        sources = [{"source": name, **one} for name, one in found.sources.items()]
        yield Part(self._say(N_("Sources")), "", self._rows(sources))
        exports = [Table((), [[one] for one in found.exports])] if found.exports else []
        yield Part(self._say(N_("Golden customers were exported to")), "", exports)

    def _golden(self, golden: Sequence[Value]) -> list[Table]:
        head = [self._name(one) for one in ("field", "value", "source", "source_key")]
        rows = [
            [self._name(one.field), text, one.source or "–", one.source_key or "–"]
            for one in golden
            if (text := self._text(one.field, one.value))
        ]  # fmt: skip
        return [Table(head, rows)] if rows else []

    def _raw(self, one: Raw) -> Table:
        rows = [
            [self._name(name), str(getattr(one, name))]
            for name in ("source", "source_key", "position", "snapshots")
        ]
        return Table((), rows + [list(pair) for pair in one.values.items()])

    def _rows(self, rows: Sequence[Mapping[str, Any]]) -> list[Table]:
        """Long tables as they are; of wide ones each row as a table of its own."""
        names = list(dict.fromkeys(name for row in rows for name in row))
        told = [{name: self._text(name, row.get(name)) for name in names} for row in rows]
        filled = [name for name in names if any(row[name] for row in told)]
        if len(filled) <= _NARROW:
            cells = [[row[name] for name in filled] for row in told]
            return [Table([self._name(name) for name in filled], cells)] if cells else []
        return [
            Table((), [[self._name(name), row[name]] for name in filled if row[name]])
            for row in told
        ]

    def _name(self, column: str) -> str:
        known = LABELS.get(column) or _COLUMNS.get(column)
        return self._say(known) if known else column

    def _text(self, column: str, value: Any) -> str:
        if column == "field":
            return self._name(value)
        word = in_words(column, value)
        if word is not None:
            return self._say(word)
        if isinstance(value, datetime):
            return self._formats.moment(value)
        if isinstance(value, bool):
            return self._say(N_("yes") if value else N_("no"))
        return "\n".join(lines(column, value))


_NARROW = 7
"""Columns that fit a page side by side."""

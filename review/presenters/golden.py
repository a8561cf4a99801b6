"""A golden customer as pages show it: each field with the record and rule that chose it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dedupe import survivorship
from dedupe.survivorship import Policy
from review.language import N_
from review.presenters.differences import Piece, nearest, pieces
from review.presenters.fields import LABELS, PARTS, in_words, lines
from review.presenters.masking import seen
from rules.customer import STAGED_SCHEMA

CRITERIA: Mapping[str, str] = {
    "native_script": N_("in the customer's own script"),
    "complete": N_("the most complete"),
    "majority": N_("what most records say"),
    "trusted": N_("from the most trusted source"),
    "recent": N_("the most recent"),
    "longest": N_("the longest"),
    "earliest": N_("the earliest"),
    "latest": N_("the latest"),
    "union": N_("all that there are"),
    "restrictive": N_("the most restrictive"),
    "only value": N_("the only one"),
    "override": N_("set by a steward"),
}
"""Rules of survivorship in words; several are asked in turn."""

_NEVER = frozenset({"phone_kinds", "phone_extensions"})
MERGED = "merged"
"""Stands for the id that the customer would get."""


@dataclass(frozen=True)
class Chosen:
    """One field of a golden customer.

    Attributes:
        field, label: the column, and what it is called (marked).
        values: each value as pieces, compared with the value before.
        word: the marked text, where the value is a word of ours.
        record_ids: where the values came from.
        rules: marked texts, the most important first.
        changed: whether it differs from the value before.
        before: lines of the value before, where it differs.
        part: whether it repeats a piece of another field.
        plain: the value as text, for editing.
    """

    field: str
    label: str
    values: list[list[Piece]]
    word: str | None
    record_ids: list[str]
    rules: list[str]
    changed: bool
    before: list[str]
    part: bool
    plain: str


def preview(
    members: Sequence[Mapping[str, Any]],
    policy: Policy,
    before: Mapping[str, Any] | None,
    *,
    may_see_all: bool,
) -> list[Chosen]:
    """The golden customer that records would be together.

    Args:
        members: staged columns of the records, as values.
        policy: section ``survivorship`` of onefold.yml.
        before: golden values of the customer it is compared with; None: no comparison.
        may_see_all: whether personal values are shown in full.

    Returns:
        its fields; none where the records left their sources and that is not published yet.
    """
    if not members:
        return []
    staged = pa.Table.from_pylist(list(members), schema=STAGED_SCHEMA)
    crosswalk = pa.table(
        {
            "record_id": staged["record_id"],
            "golden_id": pa.array([MERGED] * staged.num_rows, pa.string()),
        }
    )
    found = survivorship.consolidate(staged, crosswalk, policy)
    origins: dict[str, list[tuple[str, str]]] = {}
    for row in found.provenance.to_pylist():
        record = f"{row['source']}:{row['source_key']}"
        origins.setdefault(row["field"], []).append((record, row["rule"]))
    return chosen(found.golden.to_pylist()[0], origins, before, may_see_all=may_see_all)


def chosen(
    values: Mapping[str, Any],
    origins: Mapping[str, Iterable[tuple[str, str]]],
    before: Mapping[str, Any] | None = None,
    *,
    may_see_all: bool,
) -> list[Chosen]:
    """The fields of a golden customer that say something, in the order of pages.

    Args:
        values: golden field → value.
        origins: golden field → record id and rule of each value.
        before: values to compare with; None: no comparison.
        may_see_all: whether personal values are shown in full.
    """
    found = []
    for field, label in LABELS.items():
        if field in _NEVER:
            continue
        value = values.get(field)
        was = before.get(field) if before is not None else value
        shown = lines(field, seen(field, value, may_see_all))
        shown_before = lines(field, seen(field, was, may_see_all))
        if not shown and not shown_before:
            continue
        changed = lines(field, value) != lines(field, was)
        trail = list(origins.get(field, ()))
        rules = trail[0][1].split(" > ") if trail else []
        found.append(
            Chosen(
                field=field,
                label=label,
                values=[
                    pieces(nearest(shown_before, one), one) if changed else [Piece(one, False)]
                    for one in shown
                ],
                word=in_words(field, value),
                record_ids=list(dict.fromkeys(record for record, _ in trail)),
                rules=[CRITERIA.get(rule, rule) for rule in rules],
                changed=changed,
                before=shown_before if changed else [],
                part=field in PARTS,
                plain="\n".join(lines(field, value)) if may_see_all else "",
            )
        )
    return found

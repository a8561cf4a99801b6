"""A golden customer as pages show it: each field with the record and rule that chose it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from dedupe import survivorship
from dedupe.explaining.messages import say
from dedupe.survivorship import Policy
from review.language import N_
from review.presenters.differences import Piece, nearest, pieces
from review.presenters.fields import LABELS, PARTS, in_words, lines
from review.presenters.masking import seen
from rules.customer import STAGED_SCHEMA
from warehouse import choosing
from warehouse.customers import Customer

CRITERIA: Mapping[str, str] = {
    "verified": N_("verified by the source"),
    "backed": N_("what the most trusted sources say"),
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
class Loser:
    """A record that says something else than the golden value.

    Attributes:
        record_id: its id.
        lines: what it says.
        word: the marked text, where that is a word of ours.
        why: why it does not count, in the reader's language.
        updated_at: when its source last changed it, UTC; None if it does not say.
    """

    record_id: str
    lines: list[str]
    word: str | None
    why: str
    updated_at: datetime | None


@dataclass(frozen=True)
class Reason:
    """Why a golden value is what it is.

    Attributes:
        sentence: in the reader's language.
        losers: the best one first.
        stands: whether it is of the published value; else of the one that comes next.
    """

    sentence: str
    losers: list[Loser]
    stands: bool


def reasons(
    customer: Customer, policy: Policy, language: str, *, may_see_all: bool
) -> dict[str, Reason]:
    """Why a published customer's values are what they are: first field that shows → reason.

    Args:
        customer: of ``warehouse.customers.get``.
        policy: section ``survivorship`` of onefold.yml.
        language: the reader's.
        may_see_all: whether personal values are shown in full.
    """
    found = {}
    for one in choosing.of(customer, policy):
        shown = [name for name, value in customer.values.items() if name in one.values and value]
        field = next((name for name in LABELS if name in shown), one.head)
        losers = []
        for lost in one.lost:
            said = next((n for n in LABELS if lost.claim.values.get(n) not in (None, [])), one.head)
            value = seen(said, lost.claim.values.get(said), may_see_all)
            losers.append(
                Loser(
                    lost.claim.record_id,
                    lines(said, value),
                    in_words(said, value),
                    say(lost.why, language),
                    lost.claim.updated_at,
                )
            )
        stands = choosing.stands(one, customer)
        found[field] = Reason(say(one.sentence, language), losers, stands)
    return found


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
        reason: why it is this one; None where it is not asked.
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
    reason: Reason | None = None


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
    told: Mapping[str, Reason] | None = None,
    *,
    may_see_all: bool,
) -> list[Chosen]:
    """The fields of a golden customer that say something, in the order of pages.

    Args:
        values: golden field → value.
        origins: golden field → record id and rule of each value.
        before: values to compare with; None: no comparison.
        told: of :func:`reasons`; None: not asked.
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
        rules = trail[0][1].split(" > ") if trail and not told else []
        found.append(
            Chosen(
                field=field,
                label=label,
                values=[
                    pieces(nearest(shown_before, one), one) if changed else [Piece(one, False)]
                    for one in shown
                ],
                word=in_words(field, seen(field, value, may_see_all)),
                record_ids=list(dict.fromkeys(record for record, _ in trail)),
                rules=[CRITERIA.get(rule, rule) for rule in rules],
                changed=changed,
                before=shown_before if changed else [],
                part=field in PARTS,
                plain="\n".join(lines(field, value)) if may_see_all else "",
                reason=(told or {}).get(field),
            )
        )
    return found

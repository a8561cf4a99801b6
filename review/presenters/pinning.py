"""Values that stewards set: the control to type one, what was typed, and what changed under it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from review.errors import Refused
from review.language import N_
from review.presenters.differences import Piece, nearest, pieces
from review.presenters.fields import EDITABLE, LABELS, VALUES, in_words, lines
from review.presenters.masking import seen
from rules import email, phone
from rules.customer import BY_NAME

_CHOICES: Mapping[str, tuple[str, ...]] = {"sex": ("M", "F"), "status": ("active", "closed")}
_LONGEST = 4000


@dataclass(frozen=True)
class Control:
    """How a field is typed.

    Attributes:
        kind: lines (one value per line), date, choice or text.
        options: value and marked text of each (choice).
    """

    kind: str
    options: Sequence[tuple[str, str]] = ()


def control(field: str) -> Control:
    """How the golden value of a field is typed."""
    kind = BY_NAME[field].kind
    if kind == "list":
        return Control("lines")
    if kind == "date":
        return Control("date")
    names = ("true", "false") if kind == "boolean" else _CHOICES.get(field, ())
    if names:
        return Control("choice", [(name, VALUES[name]) for name in names])
    return Control("text")


CONTROLS: Mapping[str, Control] = {field: control(field) for field in EDITABLE}
"""Of every field that may be set."""


def typed(field: str, said: str, country: str) -> str | None:
    """What somebody typed, as a decision holds it: text, a list as JSON; None for nothing.

    Telephone numbers and e-mail addresses are brought into the form of the golden table.

    Raises:
        Refused: the field may not be set, or the value does not fit it.

    >>> typed("phones", "138 0013 8001\\n", "CN"), typed("name", "  Anna  Lee ", "CN")
    ('["+8613800138001"]', 'Anna Lee')
    >>> typed("contact_name", " ", "CN") is None
    True
    """
    if field not in CONTROLS:
        raise Refused(422, N_("This field cannot be set."))
    each = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
    if len(said) > _LONGEST:
        raise Refused(422, N_("The value is too long."))
    wanted = CONTROLS[field]
    if wanted.kind == "lines":
        found = [_clean(field, one, country) for one in each]
        return json.dumps(list(dict.fromkeys(found)), ensure_ascii=False) if found else None
    value = " ".join(each)
    if not value:
        return None
    if wanted.kind == "date" and not _is_date(value):
        raise Refused(422, N_("A date is written as 1980-12-31."))
    if wanted.kind == "choice" and value not in dict(wanted.options):
        raise Refused(422, N_("There is no such answer."))
    return value


def _clean(field: str, value: str, country: str) -> str:
    if field == "phones":
        numbers = phone.parse(value, country=country).numbers
        if len(numbers) != 1:
            raise Refused(422, N_("This is no telephone number that can exist: check it."))
        return numbers[0].e164
    if field == "emails":
        addresses = email.parse(value).addresses
        if len(addresses) != 1:
            raise Refused(422, N_("This is no e-mail address that can exist: check it."))
        return addresses[0]
    return value


def _is_date(value: str) -> bool:
    try:
        return bool(date.fromisoformat(value))
    except ValueError:
        return False


@dataclass(frozen=True)
class Pin:
    """A value that a steward set.

    Attributes:
        decision_id, judgement_id, reason, who, at: of the decision.
        shown: the value's lines.
        word: the marked text, where the value is a word of ours.
    """

    decision_id: str
    judgement_id: str | None
    reason: str
    who: str
    at: datetime
    shown: list[str]
    word: str | None


def pins(decisions: Sequence[Mapping[str, Any]], *, may_see_all: bool) -> dict[str, Pin]:
    """The overrides among a customer's decisions in force, by field; the latest one each.

    Args:
        decisions: rows of ``decision``.
        may_see_all: whether personal values are shown in full.
    """
    found: dict[str, Pin] = {}
    for one in decisions:
        if one["kind"] == "override" and one["field"] not in found:
            found[one["field"]] = Pin(
                one["decision_id"],
                one["judgement_id"],
                one["reason"],
                one["decided_by"],
                one["decided_at"],
                seen(one["field"], told(one["field"], one["value"]), may_see_all),
                in_words(one["field"], seen(one["field"], one["value"], may_see_all)),
            )
    return found


def told(field: str, value: str | None) -> list[str]:
    """A stored value's lines."""
    if value and BY_NAME[field].kind == "list":
        return lines(field, json.loads(value))
    return lines(field, value)


@dataclass(frozen=True)
class Moved:
    """A pinned value whose records say something else than when it was pinned.

    Attributes:
        decision_id, golden_id, field: of the decision.
        label: the field's name, marked.
        value: the pinned value's lines.
        who, at: who pinned it, and when, UTC.
        rows: record id, what it said then, what it says now in pieces, and whether that differs.
    """

    decision_id: str
    golden_id: str
    field: str
    label: str
    value: list[str]
    who: str
    at: datetime
    rows: list[tuple[str, list[str], list[list[Piece]], bool]]


def moved(facts: Mapping[str, Any]) -> Moved:
    """The evidence of a case of kind override, as warehouse.overrides stored it."""
    field, before, now = facts["field"], facts["before"], facts["now"]
    rows = []
    for record in sorted({*before, *now}):
        was, value = told(field, before.get(record)), told(field, now.get(record))
        marked = [
            [Piece(one, False)] if one in was else pieces(nearest(was, one), one) for one in value
        ]
        rows.append((record, was, marked, was != value))
    return Moved(
        facts["decision_id"],
        facts["golden_id"],
        field,
        LABELS.get(field, field),
        told(field, facts["value"]),
        facts["decided_by"],
        datetime.fromisoformat(facts["decided_at"]),
        sorted(rows, key=lambda one: (not one[3], one[0])),
    )

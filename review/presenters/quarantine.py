"""The quarantine's filters in addresses, and findings in words."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from review.language import DEFAULT, N_, translations
from review.presenters import fields
from review.presenters.queue import Choice
from review.presenters.rule_words import rule_words
from review.records import Cell, Tried
from rules.text import has_han
from warehouse.findings import STATES, Count, Filter, Finding

STATE_NAMES: Mapping[str, str] = {
    "open": N_("open"),
    "waiting": N_("waits for the next sync"),
    "accepted": N_("accepted"),
    "repaired": N_("no longer found"),
}
SEVERITIES: Mapping[str, str] = {
    "error": N_("error: not used"),
    "warning": N_("warning: used"),
}
REPAIR_STATES: Mapping[str, str] = {
    "waiting": N_("waits for the next sync"),
    "used": N_("in use"),
    "overtaken": N_("overtaken: the source has another value"),
    "undone": N_("undone"),
}
_DAMAGED = N_("The record could not be read as a whole; mend it in the source, or accept it.")
_WHOLE: Mapping[str, str] = {
    "record_damaged": _DAMAGED,
    "empty_key": N_("The record has no key; give it one in the source, or accept it."),
    "duplicate_key": N_("Another record of the source has the same key; give each one of its own."),
}
"""Rule on whole records → what to say where the reader of the source says more, in English."""
_PATTERNS: Mapping[str, str] = {
    r"The text is longer than \d+ characters;.*": N_(
        "The text is longer than any value of a customer; mend it in the source."
    ),
    r"The source requires .+, and the record has none that can be used\.": N_(
        "The source requires this value, and the record has none that can be used."
    ),
    r"The value is not .+; correct it in the source\.": N_(
        "The value does not have its field's form; correct it."
    ),
    r"The source's YAML expects otherwise: .+\.": N_(
        "The source's YAML expects otherwise of this value."
    ),
}
"""Reasons that name what differs → what to say in other languages."""


def reason(text: str, rule: str, field: str | None, language: str) -> str:
    """What is wrong and what to do, as a sentence in the reader's language.

    A reason that a source's YAML gives is shown as it stands there.

    >>> reason("The value is not a postal code; correct it in the source.", "", "city", "zh")
    '该值不符合字段应有的格式，请更正。'
    >>> reason("VIPs live in Ulm.", "vip", "city", "zh")
    'VIPs live in Ulm.'
    """
    say = translations(language).gettext
    known = say(text)
    if known != text or language == DEFAULT:
        return known
    if field is None and rule in _WHOLE:
        return say(_WHOLE[rule])
    found = (words for pattern, words in _PATTERNS.items() if re.fullmatch(pattern, text))
    return say(next(found, text))


def value_seen(finding: Finding, may_see_all: bool) -> str:
    """The value as read, as somebody may see it."""
    return text_seen(finding.field, finding.raw_value or "", may_see_all)


def text_seen(field: str | None, text: str, may_see_all: bool) -> str:
    """A text as a source wrote it, or as a steward did in its place.

    A text that was rejected may hold anything, a phone in the city's cell too. Who may not see
    all sees its form: what letters, digits and Chinese characters it has, but not which.

    Args:
        field: the staged field it feeds; None: of no field, or a whole record.
        text: the text.
        may_see_all: whether personal data is for the reader.

    >>> text_seen("phones", "138 0013 8000", False), text_seen("city", "Ulm", True)
    ('000 0000 0000', 'Ulm')
    >>> text_seen("emails", "anna@@example.com", False), text_seen("name", "张三·A", False)
    ('xxxx@@xxxxxxx.xxx', '＊＊·x')
    >>> text_seen(None, '{"name": "Ann"}', False)
    '…'
    """
    if may_see_all or not text:
        return text
    return "…" if field is None else "".join(map(_form, text))


def _form(character: str) -> str:
    if character.isdecimal():
        return "0"
    if not character.isalnum():
        return character
    return "x" if character.isascii() or not has_han(character) else "＊"


def cells_seen(cells: Sequence[Cell], may_see_all: bool) -> list[Cell]:
    """The cells of a record as somebody may see them."""
    return [
        Cell(one.column, text_seen(one.field, one.text, may_see_all), one.field) for one in cells
    ]


def at_fault(cells: Sequence[Cell], one: Finding) -> set[str]:
    """Columns of a record whose cells a finding is about, as far as it tells.

    Args:
        cells: unmasked.
        one: the finding.
    """
    own = [cell for cell in cells if cell.field == one.field and one.field is not None]
    exact = {cell.column for cell in cells if cell.text == one.raw_value}
    return {cell.column for cell in own if cell.column in exact} or {cell.column for cell in own}


def lines(field: str | None, value: Any) -> list[str]:
    """A staged value as lines."""
    return fields.lines(field, value) if field else []


def gained(field: str | None, tried: Tried) -> list[str]:
    """What a record's field would hold with a repair that it does not hold without."""
    before = lines(field, tried.before)
    return [one for one in lines(field, tried.value) if one not in before]


@dataclass(frozen=True)
class Asked:
    """What an address of the quarantine asks for."""

    filter: Filter

    def query(self, **changes: object) -> str:
        """The query of an address that asks for the same, but for the changes."""
        wanted: dict[str, object] = {
            "source": self.filter.source,
            "rule": self.filter.rule,
            "severity": self.filter.severity,
            "state": {"open": None, None: "any"}.get(self.filter.state, self.filter.state),
            **changes,
        }
        said = {name: value for name, value in wanted.items() if value not in (None, "")}
        return f"?{urlencode(said)}" if said else ""

    @property
    def narrowed(self) -> bool:
        """Whether it asks for anything but all open findings."""
        return bool(self.query())


def asked(source: str = "", rule: str = "", severity: str = "", state: str = "") -> Asked:
    """The query of an address as a filter; what is not known is not asked.

    >>> asked(source="erp", state="accepted").query(), asked(severity="x", state="y").query()
    ('?source=erp&state=accepted', '')
    """
    return Asked(
        Filter(
            source=source or None,
            rule=rule or None,
            severity=severity if severity in SEVERITIES else None,
            state=None if state == "any" else state if state in STATES else "open",
        )
    )


def choices(
    asked: Asked, sources: Sequence[str], counted: Sequence[Count], language: str
) -> list[Choice]:
    """The filter's fields, in a language; rules are those that have findings."""
    say = translations(language).gettext
    anything = [("", say(N_("any")))]
    wanted = asked.filter
    rules = sorted({one.rule for one in counted} | ({wanted.rule} if wanted.rule else set()))
    return [
        Choice("source", say(N_("Source")), anything + _same(sources), wanted.source or ""),
        Choice("rule", say(N_("Rule")), anything + _called(rules, language), wanted.rule or ""),
        Choice(
            "severity",
            say(N_("Severity")),
            anything + _said(SEVERITIES, say),
            wanted.severity or "",
        ),
        Choice(
            "state",
            say(N_("State")),
            [*_said(STATE_NAMES, say), ("any", say(N_("any")))],
            wanted.state or "any",
        ),
    ]


def _said(names: Mapping[str, str], say: Callable[[str], str]) -> list[tuple[str, str]]:
    return [(name, say(text)) for name, text in names.items()]


def _same(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


def _called(rules: Sequence[str], language: str) -> list[tuple[str, str]]:
    """Rules in words, those that are alike told apart by their names."""
    return [
        (rule, f"{words} ({rule})" if (words := rule_words(rule, language)) else rule)
        for rule in rules
    ]

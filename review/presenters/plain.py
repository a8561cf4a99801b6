"""Records and customers as programs read them: values as JSON has them, masked where need be."""

from collections.abc import Mapping, Sequence
from typing import Any

from review.language import translations
from review.presenters.fields import LABELS
from review.presenters.golden import Chosen
from review.presenters.masking import HIDDEN, seen, words
from review.presenters.timeline import Told
from warehouse.customers import plain

_EMPTY: tuple[Any, ...] = (None, "", [], {})


def values(row: Mapping[str, Any], may_see_all: bool) -> dict[str, Any]:
    """The customer columns of a row that say something, in the order of pages."""
    found = {}
    for field in LABELS:
        value = row.get(field)
        if value in _EMPTY:
            continue
        found[field] = plain(seen(field, value, may_see_all))
    return found


def record(row: Mapping[str, Any], may_see_all: bool) -> dict[str, Any]:
    """A source record: its columns of identity, and what it says."""
    return {
        **{name: row.get(name) for name in ("record_id", "source", "source_key", "golden_id")},
        "position": row.get("position"),
        "values": values(row, may_see_all),
    }


def decided(row: Mapping[str, Any], may_see_all: bool) -> dict[str, Any]:
    """A decision; a viewer does not see a value that was set for a personal column."""
    value = None if row["field"] in HIDDEN and not may_see_all else row["value"]
    return {**row, "value": value, "reason": words(row["reason"], may_see_all)}


def chosen(found: Sequence[Chosen], language: str) -> list[dict[str, Any]]:
    """The fields of a golden customer as :mod:`review.presenters.golden` chose them."""
    say = translations(language).gettext
    return [
        {
            "field": one.field,
            "label": say(one.label),
            "values": ["".join(piece.text for piece in value) for value in one.values],
            "record_ids": one.record_ids,
            "rules": [say(rule) for rule in one.rules],
            "changed": one.changed,
            "before": one.before,
        }
        for one in found
    ]


def events(found: Sequence[Told], language: str) -> list[dict[str, Any]]:
    """A timeline, latest first, in a language."""
    say = translations(language).gettext
    return [
        {
            "at": one.at,
            "kind": one.kind,
            "says": say(one.text) % {**one.values, "field": say(one.field) if one.field else ""},
            "who": one.who or None,
            "why": one.why or None,
            "changes": [
                {"field": say(label), "before": before, "after": after}
                for label, before, after in one.changes
            ],
            "judgement_id": one.link.rpartition("/")[2] or None,
        }
        for one in found
    ]

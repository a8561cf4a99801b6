"""What a record says about each compared field, as an explanation shows it.

Staged values where there are any, since a key is no shown form; where cleaning
kept only a key (a number without its area code, a damaged identity number),
what is left of it. Telephone and identity numbers lose their middle.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from dedupe.comparing.identifiers import telling_year
from dedupe.explaining.masking import SHOWN_FIRST, SHOWN_LAST, masked, national
from dedupe.levels import TEXT, is_text

Row = Mapping[str, Any]
_ID_COLUMNS = ("national_id", "tax_id", "org_code", "license_no")


def values(staged: Row, features: Row) -> dict[str, str]:
    """Compared field → its value; fields without one are left out.

    Args:
        staged: columns of STAGED_SCHEMA; may be empty.
        features: columns of features.build.
    """
    found = {name: make(staged, features) for name, make in _FIELDS.items()}
    attributes = json.loads(staged.get("attributes") or "{}")
    for name in features:
        if is_text(name):
            found[name] = str(attributes.get(name.removeprefix(TEXT), ""))
    return {name: value for name, value in found.items() if value}


def compared(left: Row, right: Row) -> tuple[dict[str, str], dict[str, str]]:
    """What two records say where the other one matters.

    Identity and telephone numbers, masked so that a slip can be seen, and, in place of a
    birth date that is missing, the e-mail address whose year is compared with the other's.

    Args:
        left, right: columns of features.build.
    """
    sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for field, numbers in (("phone", phones), ("id", identifiers)):
        own, other = numbers(left), numbers(right)
        for side, mine, theirs in ((sides[0], own, other), (sides[1], other, own)):
            side[field] = _joined([masked(n, _nearest(n, theirs)) for n in mine])
    told = [[] if row["birth_date"] else telling_year(row["emails"] or []) for row in (left, right)]
    if all(mails or row["birth_date"] for mails, row in zip(told, (left, right), strict=True)):
        for side, mails in zip(sides, told, strict=True):
            side["birth_date"] = _joined(mails)
    return sides


def _nearest(number: str, others: list[str]) -> str:
    """The other number that differs least, if only in one or two characters."""
    near = [
        (sum(a != b for a, b in zip(number, other, strict=True)), other)
        for other in others
        if len(other) == len(number)
    ]
    differs, other = min(near, default=(0, ""))
    return other if differs in (1, 2) else ""


def phones(features: Row) -> list[str]:
    """Telephone numbers as their owner dials them; local and damaged ones as far as known."""
    numbers = [national(n, features.get("country")) for n in features.get("phones") or []]
    for key in features.get("phone_keys") or []:
        kind, _, digits = key.rpartition(":")
        if kind and not any(number.endswith(digits) for number in numbers):
            numbers.append(digits)
    return list(dict.fromkeys(numbers))


def identifiers(features: Row) -> list[str]:
    """Identity and registration numbers, the longest form of each."""
    found: list[str] = []
    keys = [key.partition(":")[2] for key in features.get("id_keys") or []]
    for number in sorted(dict.fromkeys(keys), key=lambda n: (-len(n), n)):
        if not any(number in longer for longer in found):
            found.append(number)
    return found


def key_text(column: str, key: str, country: str | None = None) -> str:
    """A key of features, without the middle of a number."""
    if column == "phone":
        return f"…{key[-SHOWN_LAST:]}"
    if column == "phone_keys":
        kind, _, digits = key.rpartition(":")
        return masked(digits if kind else national(key, country))
    kind, _, number = key.partition(":")
    if column == "id_part":
        side, half = number[:1], number[1:]
        return f"{kind} {half[:SHOWN_FIRST]}…" if side == "<" else f"{kind} …{half[-SHOWN_LAST:]}"
    if column in ("id", "id_keys"):
        return f"{kind} {masked(number)}" if number else masked(kind)
    return key


def _joined(texts: list[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _first(*columns: str) -> Callable[[Row, Row], str]:
    return lambda staged, _: next((str(staged[c]) for c in columns if staged.get(c)), "")


def _every(*columns: str) -> Callable[[Row, Row], str]:
    def texts(staged: Row, _: Row) -> str:
        found = [staged.get(column) for column in columns]
        return _joined(
            [t for one in found if one for t in (one if isinstance(one, list) else [one])]
        )

    return texts


def _address(staged: Row) -> str:
    """The address line, and the city and postal code that it leaves out."""
    line = str(staged.get("address_line") or "")
    rest = [staged.get(column) for column in ("city", "region", "postal_code")]
    return ", ".join([*filter(None, [line]), *(one for one in rest if one and one not in line)])


_FIELDS: dict[str, Callable[[Row, Row], str]] = {
    "name": _every("name", "other_names"),
    "id": lambda _, features: _joined([masked(n) for n in identifiers(features)]),
    "birth_date": _first("birth_date"),
    "phone": lambda _, features: _joined([masked(n) for n in phones(features)]),
    "email": _every("emails"),
    "address": lambda staged, _: _address(staged),
    "employer": _first("employer_name"),
    "contact": _every("contact_name", "legal_representative"),
    "branch": _first("org_branch"),
    "source": lambda _, features: str(features.get("source") or ""),
}

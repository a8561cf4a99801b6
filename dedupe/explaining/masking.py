"""Numbers as an explanation shows them: the ends, and what differs, but not the whole.

>>> masked("13800000017")
'138…0017'
>>> masked("13800000017", "13800900017")
'138…0…0017'
>>> masked("078051120")
'07…20'
"""

import re

import phonenumbers

SHOWN_FIRST, SHOWN_LAST = 3, 4
SHORT = 9
"""Digits up to which fewer are shown, so that something stays hidden."""


def masked(number: str, other: str = "") -> str:
    """A number without its middle.

    Args:
        number: letters and digits.
        other: a number it is compared with: of the middle, characters stay that
            differ from one of the same length.
    """
    first, last = (SHOWN_FIRST, SHOWN_LAST) if len(number) > SHORT else (2, 2)
    if len(number) <= first + last:
        return number[:1] + "…" if number else ""
    middle = number[first:-last]
    if len(other) == len(number) and other != number:
        pairs = zip(middle, other[first:-last], strict=True)
        middle = "".join(a if a != b else "…" for a, b in pairs)
    else:
        middle = "…"
    return number[:first] + re.sub("…+", "…", middle) + number[-last:]


def national(phone: str, country: str | None) -> str:
    """A number in E.164 as its owner writes it; another country's keeps its calling code.

    >>> national("+8613800000017", "CN"), national("+447700900123", "CN")
    ('13800000017', '+447700900123')
    """
    code = phonenumbers.country_code_for_region(country or "ZZ")
    return phone.removeprefix(f"+{code}") if code else phone

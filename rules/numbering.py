"""Numbering plans: whether digits are a full number of mainland China or of any country.

What belongs here: plans and their data. How people write numbers into a cell
stands in rules/phone.py.

Validity of other countries' numbers is libphonenumber's. Asking it takes a
fifth of a millisecond, so the answer for the leading digits is kept and used for all
numbers that start alike; a number refused that way is asked about in full.
Hong Kong opens ranges of its mobile numbers faster than libphonenumber follows: all of 5, 6
and 9 count (numbering plan of its Communications Authority), but for 999.

Source: resources/area_codes.tsv; phonenumberslite (Google's libphonenumber).

>>> landline("057187654321"), landline("05717654321")
(('571', '87654321'), None)
>>> read("(020) 7946 0018", "GB")
Number(e164='+442079460018', kind='fixed', fault='')
>>> read("020 7946 001", "GB").fault, read("07123 456789", "US").fault
('unassigned', 'length')
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType

from rules.area_codes import lengths


class Number(NamedTuple):
    """A number of any country.

    ``fault`` is empty if it can exist, else ``length``, ``unassigned`` or
    ``unreadable`` (then ``e164`` is empty).
    """

    e164: str
    kind: str
    fault: str


_KINDS = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.PAGER: "mobile",
    PhoneNumberType.TOLL_FREE: "service",
    PhoneNumberType.PREMIUM_RATE: "service",
    PhoneNumberType.SHARED_COST: "service",
    PhoneNumberType.UAN: "service",
    PhoneNumberType.VOIP: "fixed",
}
# calling code: trunk prefix, possible lengths of the national number, leading digits that decide
_PLANS = {
    "1": ("1", (10,), 3),
    "44": ("0", (9, 10), 5),
    "852": ("", (8,), 4),
    "853": ("", (8,), 4),
    "886": ("0", (8, 9), 4),
}
_NOT_DIGITS = re.compile(r"\D")
_CALLING = {"US": "1", "CA": "1", "GB": "44", "HK": "852", "MO": "853", "TW": "886"}


def ascii_digits(text: str) -> str:
    """The text with decimal digits of any script as 0-9.

    >>> ascii_digits("٠١٢ 𝟎")
    '012 0'
    """
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def landline(digits: str, international: bool = False) -> tuple[str, str] | None:
    """Area code (without 0) and local number of a mainland landline; None if not a full one.

    Args:
        digits: with the leading 0, or without if there are at least ten of them.
        international: whether +86 stood before them.
    """
    if digits.startswith("0"):
        digits = digits[1:]
    elif not international and len(digits) < 10:
        return None
    plan = lengths()
    for size in (2, 3):
        area, local = digits[:size], digits[size:]
        if area in plan and len(local) in plan[area] and local[:1] in "2345678":
            return area, local
    return None


def has_area_code(digits: str) -> bool:
    """Whether digits without the leading 0 start with an area code of mainland China."""
    return digits[:2] in lengths() or digits[:3] in lengths()


def kind(code: str, national: str) -> str:
    """Kind of a national number by its calling code; empty if it is not known to exist.

    >>> kind("1", "2125550123"), kind("44", "2079460018")
    ('unknown', 'fixed')
    """
    return _leading(code, national[: _PLANS[code][2]], len(national))


def read(text: str, country: str) -> Number:
    """Read one number as dialed in a country, or with + in full."""
    quick = _quick(text, country)
    return quick or _full(text, country)


def _quick(text: str, country: str) -> Number | None:
    digits = _NOT_DIGITS.sub("", text)
    if text.lstrip().startswith("+"):
        for size in (1, 2, 3):
            if digits[:size] in _PLANS:
                code, national = digits[:size], digits[size:]
                break
        else:
            return None
        trunk, sizes, leading = _PLANS[code]
        national = national.removeprefix("0") if trunk == "0" else national  # +44 (0)20
    elif country in _CALLING:
        code = _CALLING[country]
        trunk, sizes, leading = _PLANS[code]
        if trunk == "0" and not digits.startswith("0"):
            return None
        if trunk == "0" or (trunk and len(digits) == 11):
            national = digits.removeprefix(trunk)
        else:
            national = digits
    else:
        return None
    if len(national) not in sizes:
        return None
    if code == "1" and not (national[0] in "23456789" and national[3] in "23456789"):
        return None
    found = _leading(code, national[:leading], len(national))
    return Number(f"+{code}{national}", found, "") if found else None


@lru_cache(maxsize=32768)
def _leading(code: str, start: str, size: int) -> str:
    """Kind of the numbers that start so; empty if they are not known to exist."""
    national = f"{start}{'2345678901'[: size - len(start)]}"
    if start[0] == "0":  # a trunk prefix, perhaps: left to libphonenumber
        sample = phonenumbers.parse(f"+{code}{national}")
    else:
        sample = PhoneNumber(country_code=int(code), national_number=int(national))
    kind = phonenumbers.number_type(sample)
    if kind == PhoneNumberType.UNKNOWN and not phonenumbers.is_valid_number(sample):
        is_mobile = code == "852" and start[0] in "569" and not start.startswith("999")
        return "mobile" if is_mobile else ""
    return _KINDS.get(kind, "unknown")


@lru_cache(maxsize=65536)
def _full(text: str, country: str) -> Number:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return Number("", "unknown", "unreadable")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(number):
        return Number(e164, _KINDS.get(phonenumbers.number_type(number), "unknown"), "")
    fault = "unassigned" if phonenumbers.is_possible_number(number) else "length"
    return Number(e164, "unknown", fault)

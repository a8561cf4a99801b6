"""The country a record belongs to, when no column says it.

What belongs here: which hints in a record outweigh the source's default
country. What a country is called stands in rules/codes.py.

>>> from_identifier("hk_id"), from_identifier("eu_vat")
('HK', None)
>>> from_postal_code("SW1A 1AA", "US"), from_postal_code("75001", "US")
('GB', None)
>>> from_phones(["+85251234567"], "CN"), from_phones(["+12125550123"], "CA")
('HK', None)
"""

import re
from collections.abc import Iterable
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from rules import text

HAN_COUNTRIES = frozenset({"CN", "HK", "MO", "TW", "SG"})
"""Where addresses are written in Chinese."""

_KINDS = {"cn": "CN", "hk": "HK", "mo": "MO", "tw": "TW", "us": "US", "gb": "GB"}
_GB_POSTCODE = re.compile(r"\s*[A-Z]{1,2}\d[A-Z\d]?\s*\d[ABD-HJLNP-UW-Z]{2}\s*", re.I)
_TRADITIONAL_PLACES = (
    ("TW", re.compile(r"[臺台](?:灣|湾|北|中|南|東|东)[市縣县省]|新北市|桃園市|高雄市")),
    ("HK", re.compile(r"香港|九龍|九龙|新界")),
    ("MO", re.compile(r"澳門|澳门")),
)


def from_identifier(kind: str | None) -> str | None:
    """The country that gives out that kind of number; None if the kind does not tell."""
    return _KINDS.get((kind or "").split("_")[0])


def from_postal_code(postal_code: str | None, default: str) -> str | None:
    """GB for a code of its form, unless the default already has such codes."""
    if postal_code and default not in ("GB", "CA", "NL") and _GB_POSTCODE.fullmatch(postal_code):
        return "GB"
    return None


def from_address(address: str, default: str) -> str | None:
    """Where a Chinese address must lie if the default country writes no Chinese."""
    if default in HAN_COUNTRIES - {"SG"} or not text.has_han(address):
        return None
    return next((code for code, place in _TRADITIONAL_PLACES if place.search(address)), "CN")


def from_phones(numbers: Iterable[str], default: str) -> str | None:
    """The one other country that all numbers belong to; None if one is the default's.

    Args:
        numbers: telephone numbers in E.164.
        default: ISO 3166 code.
    """
    found = {regions for number in numbers if (regions := _regions(number[:4]))}
    if len(found) != 1:
        return None
    (regions,) = found
    return None if default in regions else regions[0]


@cache
def _regions(prefix: str) -> tuple[str, ...]:
    """Countries of a calling code, the main one first; ``prefix`` is + and three digits."""
    for length in (1, 2, 3):
        code = int(prefix[1 : 1 + length])
        if code in COUNTRY_CODE_TO_REGION_CODE:
            return tuple(COUNTRY_CODE_TO_REGION_CODE[code])
    return ()

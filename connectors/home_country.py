"""Where the records of some tables are from that do not say so, by what stands in their columns.

What belongs here: which evidence counts, in which order. What one value looks like stands in
content.py.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS

from connectors import content
from connectors.column_reading import Profile

_NAMED = ("name", "organization_name", "given_name", "family_name", "address", "city")
_PHONES = ("mobile", "phone", "fax")
_ABROAD = re.compile(r"\s*(?:\+|00)\s*([1-9]\d{0,2})")
_END_OF_MAIL = re.compile(r"@\S+\.([A-Za-z]{2})\s*$")
_FOR_ANYBODY = frozenset({"ai", "cc", "co", "fm", "gg", "io", "ly", "me", "sh", "to", "tv", "ws"})
"""Ends of addresses that belong to a country and are sold to everybody."""
_OTHERWISE = "US"


def guess(profiles: Mapping[str, Profile]) -> tuple[str, str]:
    """ISO 3166 code of the country, and what it follows from.

    Args:
        profiles: input field → what is known about its column.
    """
    han = [profiles[field].shares["han"] for field in _NAMED if field in profiles]
    if max(han, default=0.0) > 0.2:
        return "CN", "names or addresses are Chinese"
    if "mobile" in profiles and profiles["mobile"].shares["mobile"] > 0.5:
        return "CN", "mobile numbers are Chinese"
    for fields, find, words in (
        (("postal_code",), content.postal_country, "by the form of the postal codes"),
        (("region",), content.region_country, "by the provinces or states"),
        (_PHONES, calling_country, "by the codes that telephone numbers begin with"),
        (("email",), mail_country, "by what e-mail addresses end in"),
    ):
        values = [
            value for field in fields if field in profiles for value in profiles[field].sample
        ]
        if found := find(values):
            return found, words
    return _OTHERWISE, "nothing says otherwise"


def calling_country(values: Sequence[str]) -> str | None:
    """The country whose code telephone numbers begin with.

    Where few begin with one, they may be those abroad: then the others have to be numbers of that
    country rather than of the one that is taken otherwise.

    >>> calling_country(["0171 5550100", "+49 171 5550101", "0049 30 5550102", "+41 44 6681800"])
    'DE'
    >>> calling_country(["(212) 736-5000"] * 9 + ["+44 20 7946 0958"])
    >>> calling_country(["0171 5550100", "030 5550101"])
    """
    begun = Counter(
        COUNTRY_CODE_TO_REGION_CODE[code][0]
        for value in values
        if (code := _calling_code(value)) in COUNTRY_CODE_TO_REGION_CODE
    )
    found = _most(begun, 0.05 * len(values))
    if found is None or begun.total() > len(values) / 3:
        return found
    others = [value for value in values if _calling_code(value) is None]
    return found if _fitting(others, found) > _fitting(others, _OTHERWISE) else None


def mail_country(values: Sequence[str]) -> str | None:
    """The country whose end a fifth of the e-mail addresses has, and most that have one.

    >>> mail_country(["ann@example.nl", "jan@example.com", "piet@voorbeeld.nl", "x@example.io"])
    'NL'
    """
    ends = (found[1].lower() for value in values if (found := _END_OF_MAIL.search(value)))
    regions = ("GB" if end == "uk" else end.upper() for end in ends if end not in _FOR_ANYBODY)
    return _most(Counter(one for one in regions if one in SUPPORTED_REGIONS), 0.2 * len(values))


def _most(counts: Counter[str], least: float) -> str | None:
    """The most frequent one, if it is more than half of them, and so many."""
    for found, count in counts.most_common(1):
        if count > counts.total() / 2 and count >= least:
            return found
    return None


def _calling_code(value: str) -> int | None:
    """The calling code that a number begins with; no code begins with another one."""
    found = _ABROAD.match(value)
    codes = (int(found[1][:size]) for size in (1, 2, 3)) if found else ()
    return next((code for code in codes if code in COUNTRY_CODE_TO_REGION_CODE), None)


def _fitting(values: Sequence[str], country: str) -> int:
    """How many are telephone numbers of a country."""
    count = 0
    for value in values:
        try:
            count += phonenumbers.is_valid_number(phonenumbers.parse(value, country))
        except phonenumbers.NumberParseException:
            continue
    return count

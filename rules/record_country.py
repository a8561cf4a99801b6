"""The country of a record: what its column says, else what its other values say.

What belongs here: which hints outweigh the source's default country, and in
which order. What a country is called stands in rules/codes.py.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

import numpy as np
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from rules import codes, identifier, phone, romanization, text
from rules.address import Address
from rules.cells import Cells
from rules.quarantine import Problem
from rules.record_reach import Plain
from rules.whole.texts import Bytes, Ints, Mask, ascii_only

HAN_COUNTRIES = frozenset({"CN", "HK", "MO", "TW"})
"""Where addresses are written in Chinese."""

_COUNTRY_UNKNOWN = Problem(
    "country_unknown",
    "The country is not known; add it to 'values' in the source's YAML or correct it.",
)
_KINDS = {
    "cn_ric": "CN",
    "cn_uscc": "CN",
    "cn_tax_old": "CN",
    "hk_id": "HK",
    "tw_id": "TW",
    "gb_nino": "GB",
}
_GB_POSTCODE = re.compile(r"\s*[A-Z]{1,2}\d[A-Z\d]?\s*\d[ABD-HJLNP-UW-Z]{2}\s*", re.I)
_PLACES = (
    (
        "TW",
        re.compile(r"^(?:中[国國])?[臺台](?:[灣湾]|[北中南東东][市縣县])|[(（][臺台][灣湾][)）]"),
    ),
    ("HK", re.compile(r"^(?:中[国國])?(?:香港|九[龍龙](?!坡)|新界)|[(（]香港[)）]")),
    ("MO", re.compile(r"^(?:中[国國])?澳[門门]|[(（]澳[門门][)）]")),
)
_CN_MOBILE = re.compile(r"\s*1[3-9]\d{9}(?:\.0)?\s*")
_NAMES = ("name", "organization_name", "family_name", "given_name")
_NUMBERS = ("national_id", "tax_id", "identifier")


def stated(cells: Cells) -> list[str | None]:
    """The country that each record's own column says."""
    return cells.code("country", codes.country, _COUNTRY_UNKNOWN)


def infer(cells: Cells, rows: Ints, default: str, places: Sequence[Address | None]) -> list[str]:
    """The countries of records without a country column, each by its first hint below.

    Args:
        rows: which records.
        default: ISO 3166 code of a record that gives no hint.
        places: the address of every record of the table, read as one of the default country.
    """
    numbers = _together(cells, _NUMBERS, rows)
    phones = _together(cells, ("mobile", "phone"), rows)
    named = [cells.first(field, rows) for field in _NAMES if cells.has(field)]
    names = zip(*named, strict=True) if named else [()] * len(rows)
    codes_ = cells.first("postal_code", rows)
    elsewhere = {code for code in set(codes_) if from_postal_code(code, default)}
    found = []
    for row, own_numbers, own_phones, cells_, written, code in zip(
        rows.tolist(), numbers, phones, names, cells.first("address", rows), codes_, strict=True
    ):
        place, address = places[row], written or ""
        own_names = [cell for cell in cells_ if cell]
        if (
            not own_numbers
            and code not in elsewhere
            and _is_home(own_phones, own_names, address, default, place)
        ):
            found.append(default)
        else:
            found.append(_infer(own_numbers, own_phones, own_names, address, code, default, place))
    return found


def at_home(cells: Cells, found: Plain) -> Mask:
    """The records that whole columns tell to be of the country they are taken to be of.

    No hint of :func:`_infer` can speak for another one: their addresses and phones are plain,
    and nothing else of them says a country.

    Args:
        found: read for that country.
    """
    home = found.is_addressed & found.is_surely_phoned
    for field in _NUMBERS:
        home &= cells.only(field)[1] == 0
    for field in _NAMES:
        home &= ascii_only(cells.column(field))
    own = Bytes(cells.column("postal_code"))
    lettered = np.zeros(cells.rows, dtype=bool)  # others are no code of another country
    lettered[own.rows_with(own.data >= ord("A"))] = True
    rows = np.flatnonzero(home & lettered)
    told = [from_postal_code(code, found.country) for code in cells.first("postal_code", rows)]
    home[rows] = [country is None for country in told]
    return home


def _together(cells: Cells, fields: Sequence[str], rows: Ints) -> list[tuple[str, ...]]:
    """The filled cells of some fields, of some rows."""
    columns = [cells.every(field, rows) for field in fields if cells.has(field)]
    if len(columns) == 1:
        return columns[0]
    return [sum(row, ()) for row in zip(*columns, strict=True)] if columns else [()] * len(rows)


def _is_home(
    phones: tuple[str, ...], names: list[str], address: str, default: str, place: Address | None
) -> bool:
    """Whether no hint of :func:`_infer` can speak for another country; False may mean either.

    (Identifiers and postal codes aside.)
    """
    if place is not None:
        if place.country != default:
            return False
        if text.has_han(place.region or place.city or ""):
            return True  # the address says so
    if not address.isascii() and text.has_han(address):
        return False
    for name in names:
        if not name.isascii() and text.has_han(name):
            return False
    return not phones or all(phone.is_plainly_of(default, cell) for cell in phones)


def _infer(
    numbers: tuple[str, ...],
    phones: tuple[str, ...],
    names: list[str],
    address: str,
    postal_code: str | None,
    default: str,
    place: Address | None,
) -> str:
    return (
        from_identifiers(identifier.parse(number, country=default) for number in numbers)
        or from_postal_code(postal_code, default)
        or from_address(place, default)
        or next(filter(None, (from_text(written, default) for written in (address, *names))), None)
        or from_phones(phones, default)
        or from_fit(" ".join(names) or address, phones, numbers, default)
        or (place.country if place is not None else None)
        or default
    )


def from_identifiers(found: Iterable[identifier.Identifier]) -> str | None:
    """The country of a checked number of a kind that says its country by its own form."""
    return next((_KINDS[i.kind] for i in found if i.value and i.kind in _KINDS), None)


def from_postal_code(postal_code: str | None, default: str) -> str | None:
    """GB for a code of its form, unless the default's codes may look so.

    >>> from_postal_code("SW1A 1AA", "US"), from_postal_code("75001", "US")
    ('GB', None)
    """
    if postal_code and default not in ("GB", "CA", "NL") and _GB_POSTCODE.fullmatch(postal_code):
        return "GB"
    return None


def from_address(place: Address | None, default: str) -> str | None:
    """The country of an address in Chinese or in a division whose country is another one.

    An address in Latin letters alone says little: streets are called alike everywhere.
    """
    if place is None or not place.country:
        return None
    division = place.region or place.city or ""
    if text.has_han(division) or (division and place.country != default):
        return place.country
    return None


def from_text(written: str, default: str) -> str | None:
    """Which Chinese-writing country a name or address in Chinese says, if not the default.

    >>> from_text("香港晨光有限公司", "CN"), from_text("上海晨光有限公司", "US")
    ('HK', 'CN')
    >>> from_text("上海晨光有限公司", "CN"), from_text("Harbor Tools", "US")
    (None, None)
    """
    if not text.has_han(written):
        return None
    place = next((code for code, pattern in _PLACES if pattern.search(written)), None)
    return place or (None if default in HAN_COUNTRIES else "CN")


def from_phones(phones: Sequence[str], default: str) -> str | None:
    """The one other country that all numbers belong to; None if one is the default's.

    >>> from_phones(["+852 5123 4567"], "CN"), from_phones(["(212) 555-0123"], "US")
    ('HK', None)

    Args:
        phones: telephone numbers as written.
        default: ISO 3166 code.
    """
    found = set()
    for cell in phones:
        for number in phone.parse(cell, country=default).numbers:
            if regions := _regions(number.e164[:4]):
                if default in regions:
                    return None
                found.add(regions)
    return found.pop()[0] if len(found) == 1 else None


@cache
def _regions(prefix: str) -> tuple[str, ...]:
    """Countries of a calling code, the main one first; ``prefix`` is + and three digits."""
    for length in (1, 2, 3):
        code = int(prefix[1 : 1 + length])
        if code in COUNTRY_CODE_TO_REGION_CODE:
            return tuple(COUNTRY_CODE_TO_REGION_CODE[code])
    return ()


def from_fit(
    written: str, phones: Sequence[str], numbers: Sequence[str], default: str
) -> str | None:
    """Of the countries that the script of the names suggests, the one that fits best.

    >>> from_fit("Ann Lee", ["(602) 510-3143"], [], "CN"), from_fit("Ann Lee", [], [], "CN")
    ('US', None)
    """
    candidates = _candidates(written, default)
    if len(candidates) == 1 or not (phones or numbers):
        return None
    if default == "CN" and any(_CN_MOBILE.fullmatch(cell) for cell in phones):
        return default
    best = candidates[0]
    own, is_sure = _fit_of_phones(tuple(phones), best)
    others = _fit_of_numbers(tuple(numbers), best)
    if is_sure and others == len(numbers):
        return best  # no country fits better than all
    for country in candidates[1:]:
        fit = _fit_of_numbers(tuple(numbers), country)
        if is_sure and fit <= others:
            continue  # no more phones than all can fit
        further, sure = _fit_of_phones(tuple(phones), country)
        if further + fit > own + others:
            best, own, others, is_sure = country, further, fit, sure
    return best


def _candidates(written: str, default: str) -> list[str]:
    """Countries that the script suggests, the likeliest first.

    Chinese in traditional characters may be from Hong Kong, Taiwan or Macao. Text
    in Latin letters among Chinese customers is foreign, unless it is pinyin.
    """
    western = [country for country in ("US", "GB") if country != default]
    if text.has_han(written):
        is_traditional = text.to_simplified(written) != written
        others = [country for country in ("HK", "TW", "MO") if country != default]
        return [default, *others] if is_traditional else [default]
    if default in HAN_COUNTRIES and not _is_romanized(written):
        return [*western, default]
    return [default, *western]


@lru_cache(maxsize=4096)
def _is_romanized(written: str) -> bool:
    """Whether all words can be Chinese in Latin letters."""
    words = re.findall("[a-z]+", text.fold_words(written))
    return bool(words) and all(
        romanization.segment(word) or romanization.surname_weight(word) for word in words
    )


def _fit_of_phones(phones: tuple[str, ...], country: str) -> tuple[int, bool]:
    """How many phones are right under a country, less those that are not; whether all are."""
    fit, is_sure = 0, True
    for cell in phones:
        read = phone.parse(cell, country=country)
        own = sum(country in _regions(number.e164[:4]) for number in read.numbers)
        fit += own - len(read.problems)
        is_sure = is_sure and own == len(read.numbers) > 0 and not read.problems
    return fit, is_sure


def _fit_of_numbers(numbers: tuple[str, ...], country: str) -> int:
    """How many identifiers are of a kind known under a country, less those that are not."""
    fit = 0
    for cell in numbers:
        found = identifier.parse(cell, country=country)
        known = found.value is not None and found.kind != "other"
        # A number that zeros had to fill up to a form is no sign of that form.
        is_filled = (found.value or "").startswith("0") and not cell.strip().startswith("0")
        fit += 1 if known and not is_filled else -1
    return fit

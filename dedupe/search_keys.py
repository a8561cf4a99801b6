"""Keys by which people look for a customer: names, readings, numbers, addresses, source keys.

What belongs here: the keys of a golden customer, and how what somebody typed
becomes beginnings of keys. A key is folded (simplified, lower case, no blanks
or marks); a beginning of it finds the customer. The table is
warehouse/search.py.

>>> sorted(key for kind, key in keys("张伟", ["+8613800138000"]) if kind == "reading")
['zhangwei', 'zw']
>>> beginnings("zhang wei")
[['zhangwei'], ['zhang', 'wei'], ['zhang wei']]
>>> beginnings("+86 138-0013-8000")
[['8613800138000']]
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from rules import text

VERSION = 1
"""Counts changes of what the keys are: another one makes every key anew."""

LONGEST = 200
"""Characters of a key; what is longer is cut."""
PER_RECORD = 2
"""Keys that every record has."""
_READINGS = 4
_NUMBER = re.compile(r"[\d\s()+./-]+")
_BLANKS = re.compile(r"[\s,;，、；·]+")


def keys(
    name: str | None,
    phones: Sequence[str] = (),
    emails: Sequence[str] = (),
    *,
    other_names: Sequence[str] = (),
    brand: str | None = None,
    identifiers: Iterable[str | None] = (),
) -> set[tuple[str, str]]:
    """Every key of a golden customer's values, as (kind, key).

    Args:
        name: as shown.
        phones: in E.164.
        emails: in lower case.
        other_names: as shown.
        brand: the distinctive part of an organization's name.
        identifiers: identity, tax and license numbers.
    """
    found: set[tuple[str, str]] = set()
    for each in (name, *other_names):
        if each:
            found.update(_of_name(each, brand or ""))
    for phone in phones:
        if phone:
            found.update([("phone", digits) for digits in _of_phone(phone) if digits])
    found.update([("email", email.casefold()[:LONGEST]) for email in emails if email])
    found.update([("identifier", text.fold(each)[:LONGEST]) for each in identifiers if each])
    found.discard(("identifier", ""))
    return found


def of_record(source: str, source_key: str) -> tuple[str, str]:
    """The keys of a record: its key in its source, alone and with the source."""
    return source_key.casefold()[:LONGEST], f"{source}:{source_key}".casefold()[:LONGEST]


@lru_cache(maxsize=1 << 16)
def _of_name(name: str, brand: str) -> tuple[tuple[str, str], ...]:
    folded = text.fold(name)
    found = [("name", folded)]
    start = folded.find(text.fold(brand)) if brand else 0
    if start > 0:  # 上海华东科技有限公司 is looked for as 华东科技
        found.append(("name", folded[start:]))
    if text.has_han(name):
        shown = [folded, folded[start:]] if start > 0 else [folded]
        for each in shown:
            found += [("reading", reading) for reading in text.readings(each)[:_READINGS]]
            found.append(("reading", "".join(map(_initial, each))))
    found += [("name", word) for word in _words(name)]
    return tuple((kind, key[:LONGEST]) for kind, key in found if key)


def _words(name: str) -> Iterator[str]:
    """Words of Latin letters, folded; names without blanks have none of their own."""
    pieces = _BLANKS.split(name)
    if len(pieces) > 1:
        for piece in pieces:
            word = text.fold(piece)
            if len(word) > 1 and not text.has_han(word):
                yield word


@lru_cache(maxsize=1 << 16)
def _initial(character: str) -> str:
    """First letter of a character's usual reading."""
    return (text.syllables(character) or (character,))[0][:1]


def _of_phone(e164: str) -> Iterator[str]:
    """The digits with and without the country's."""
    digits = e164.removeprefix("+")
    yield digits
    for length in (1, 2, 3):
        if int(digits[:length] or 0) in COUNTRY_CODE_TO_REGION_CODE:
            yield digits[length:]
            return


def beginnings(typed: str) -> list[list[str]]:
    """What somebody typed, as alternatives: beginnings that one customer's keys must all have.

    Longest first within an alternative: it leaves the fewest customers to look at.
    """
    shown = text.clean(typed).strip()
    if not shown:
        return []
    if "@" in shown:
        return [[shown.casefold()]]
    if _NUMBER.fullmatch(shown) and any(character.isdigit() for character in shown):
        digits = re.sub(r"\D", "", shown)
        national = digits.lstrip("0")  # an area code is dialed with a zero that no key has
        return [[each] for each in dict.fromkeys((digits, national)) if each]
    found = [[text.fold(shown)]] if text.fold(shown) else []
    words = [word for word in (text.fold(piece) for piece in _BLANKS.split(shown)) if word]
    if len(words) > 1:
        found.append(sorted(dict.fromkeys(words), key=lambda word: (-len(word), word)))
    if shown.casefold() not in {one[0] for one in found}:
        found.append([shown.casefold()])  # a source's key is kept as written
    return found

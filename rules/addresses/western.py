"""Western addresses: number, street, unit; state and postal code at the end of a line.

What belongs here: addresses of countries that write the number before the
street (US, GB and others) or behind it (much of continental Europe).

Source: USPS Publication 28 for street types, directions and unit words
(resources/street_types.tsv, states.tsv).

>>> parts = read("1048 BUSH GDNS #173", "US")
>>> parts.number, parts.street, parts.unit, parts.key
('1048', 'Bush Gardens', '173', 'bush gardens 1048')
>>> parts = read("Flat 3, 12 St. John's Rd, London SW1A 1AA", "GB")
>>> parts.street, parts.unit, parts.city, parts.postal_code, parts.key
("St. John's Road", '3', 'London', 'SW1A 1AA', 'st johns road 12')
>>> read("123 N Main St Apt 4B, Springfield, IL 62704-1234", "US").region
'IL'
>>> read("Hauptstraße 12a, 10115 Berlin", "DE")[:5]
('12A', 'Hauptstraße', '', 'Berlin', '')
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from rules import tables, text
from rules.addresses import postal


class Western(NamedTuple):
    """Parts of an address; empty where there is none; ``key`` is street and number folded."""

    number: str
    street: str
    unit: str
    city: str
    region: str
    postal_code: str
    key: str


_UNIT_WORD = (
    r"apartment|apt|appt|suite|ste|unit|room|rm|flat|office|ofc|space|spc|lot|trailer|trlr"
    r"|penthouse|ph"
)
_UNIT_WORDS = frozenset(f"{_UNIT_WORD}|floor|fl|building|bldg|block|blk|tower|no|box".split("|"))
_UNIT_NO = r"([a-z]?-?\d+[a-z]?(?:-\d+)?|[a-z])"
_UNIT = re.compile(
    rf"(?i)[\s,]+(?:(?:{_UNIT_WORD})\b\.?\s*(?:no\.?\s*)?#?\s*{_UNIT_NO}|#\s*{_UNIT_NO})\s*$"
)
_UNIT_FIRST = re.compile(
    rf"(?i)^(?:{_UNIT_WORD})\b\.?\s*(?:no\.?\s*)?#?\s*([a-z]?-?\d+[a-z]?|[a-z])\s*[,\s]\s*(?=\S)"
)
_FLOOR = re.compile(
    r"(?i)[\s,]+(?:(\d{1,3})(?:st|nd|rd|th)\s*(?:floor|fl)|(?:floor|fl)\.?\s*(\d{1,3}))\b\.?\s*$"
)
_BUILDING = re.compile(
    r"(?i)[\s,]+(?:building|bldg|block|blk|tower)\b\.?\s*([a-z]?\d+[a-z]?|[a-z])\s*$"
)
_NUMBER_FIRST = re.compile(
    r"(?i)^(?:no\.?\s*|#\s*)?(\d+(?:[a-z](?=[\s,])|\s[a-d](?=[\s,]))?(?:\s?[-/–]\s?\d+[a-z]?)?(?:\s+1/2)?)[\s,]+(?=\D|\d+(?:st|nd|rd|th)\b)(.+)$"
)
_NUMBER_LAST = re.compile(
    r"(?i)^(\D{3,}?)[\s,]+(?:n[°ºo.]*\s*)?(\d+(?:\s?[a-z]\b)?(?:\s?[-/]\s?\d+[a-z]?)?)$"
)
_UNIT_LED_BY = r",? (?:(?i:apartment|apt|suite|ste|unit)\.? #?|#)"
_PLAIN = re.compile(  # 1048 Bush Gdns #173
    r"([0-9]+) ((?:[A-Za-z][A-Za-z']+\.?|[e-zE-Z]\.?|[0-9]+(?:st|nd|rd|th))(?: [A-Za-z']+\.?)*?)"
    rf"(?:{_UNIT_LED_BY}([A-Za-z]?[0-9]{{1,4}}[A-Za-z]?))?"
)
UNIT_WORD_AT_END = f"{_UNIT_LED_BY}$"
"""What leads to a unit's number, behind a street."""
NO_CODE_OF_FOUR = frozenset({"US", "GB", "CA"})
"""Countries in which a number at the end of a line is no postal code unless it has five digits."""
_BOX = re.compile(r"(?i)^(?:p\.?\s*o\.?\s*box|post(?:al)? office box|postfach|box)\s*#?\s*(\d+)")
_DIRECTIONS = {
    "north": "N", "n": "N", "south": "S", "s": "S", "east": "E", "e": "E", "west": "W", "w": "W",
    "northeast": "NE", "ne": "NE", "northwest": "NW", "nw": "NW",
    "southeast": "SE", "se": "SE", "southwest": "SW", "sw": "SW",
}  # fmt: skip
_ORDINALS = {
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th",
    "sixth": "6th", "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip
_MARKS = re.compile(r"[\W_]+")
_SMALL = frozenset("of|the|and|de|la|le|du|des|da|do|von|der|den|am|an|in|upon|on|under".split("|"))  # noqa: SIM905


@cache
def _types() -> dict[str, str]:
    """Lower-case spelling → the full word."""
    return {
        s: full for full, spellings in tables.rows("street_types") for s in spellings.split("|")
    }


@cache
def _states() -> dict[tuple[str, str], str]:
    found = {}
    for country, code, name, more in tables.rows("states"):
        for spelling in (code, name, *more.split("|")):
            if key := re.sub("[^a-z]", "", spelling.casefold()):
                found[country, key] = code
    return found


@lru_cache(maxsize=8192)
def state(name: str, country: str) -> str:
    """The code of a state or province if the country has it, else the name in its usual case.

    >>> state("Illinois", "US"), state("n.y.", "US"), state("GREATER LONDON", "GB")
    ('IL', 'NY', 'Greater London')
    """
    key = re.sub("[^a-z]", "", name.casefold())
    return _states().get((country, key)) or title(name)


@lru_cache(maxsize=8192)
def is_state(name: str, country: str) -> bool:
    """Whether it is the code or name of one of the country's states.

    >>> is_state("N.Y.", "US"), is_state("#8", "US"), is_state("Apt 5 CA", "US")
    (True, False, False)
    """
    if any(c.isdigit() for c in name):
        return False
    return (country, re.sub("[^a-z]", "", name.casefold())) in _states()


@lru_cache(maxsize=16384)
def title(words: str) -> str:
    """A name in its usual case, if it is all capitals or all small; else as it is.

    >>> title("SAN JOSE"), title("mcLean"), title("stoke-on-trent")
    ('San Jose', 'mcLean', 'Stoke-on-Trent')
    """
    words = re.sub(r"\s+", " ", words).strip(" ,.")
    if not (words.isupper() or words.islower()) or len(words) < 3:
        return words

    def capital(match: "re.Match[str]") -> str:
        word = match[0].lower()
        return word if match.start() and word in _SMALL else word.capitalize()

    return re.sub(r"[^\W\d_](?:[^\W_]|['’](?=\w))*", capital, words)


def plain(line: str, country: str) -> tuple[str, str, str | None, str] | None:
    """Number, street, unit and key of a line of a usual form; None if it is no such line.

    >>> plain("1048 Bush Gdns #173", "US"), plain("12 Main St Floor 3", "US")
    (('1048', 'Bush Gardens', '173', 'bush gardens 1048'), None)
    """
    if (match := _PLAIN.fullmatch(line)) is None:
        return None
    number, street, unit = match.groups()
    if unit and country not in NO_CODE_OF_FOUR:
        return None
    if (found := _plain_street(street, country)) is None or not all(found):
        return None
    street, key = found
    return number, street, unit.upper() if unit else None, f"{key} {number}"


@lru_cache(maxsize=32768)
def read(line: str, country: str) -> Western:
    """Read a cleaned line; city, region and postal code only if they stand in it."""
    if found := plain(line, country):
        number, street, unit, key = found
        return Western(number, street, unit or "", "", "", "", key)
    line = " ".join(line.replace("\n", ", ").split()).strip(" ,;")
    street, city, region, code = _split_tail(line, country)
    unit = ""
    for pattern in () if _ends_in_a_word(street) else (_UNIT, _FLOOR, _BUILDING, _UNIT):
        if match := pattern.search(street):
            value = next(g for g in match.groups() if g).upper().lstrip("-")
            value = value + "F" if pattern is _FLOOR else value
            unit = f"{value}-{unit}" if unit else value
            street = street[: match.start()].rstrip(" ,")
    if match := _UNIT_FIRST.match(street):
        unit = f"{match[1].upper()}-{unit}" if unit else match[1].upper()
        street = street[match.end() :].lstrip(" ,")
    number = ""
    if match := _BOX.match(street):
        return Western(match[1], "PO Box", unit, city, region, code, f"po box {match[1]}")
    if front := _first_number(street):
        number, street = front
    elif match := _NUMBER_LAST.match(street):
        street, number = match[1], match[2]
    number = "".join(number.split()).upper() if "1/2" not in number else number
    street, key = _street(street.strip(" ,"), country)
    key = f"{key} {number.lower()}".strip()
    return Western(number, street, unit, city, region, code, key)


@lru_cache(maxsize=32768)
def _plain_street(street: str, country: str) -> tuple[str, str] | None:
    """As :func:`_street`, for words behind a number; None if they have to be looked at closely."""
    words = street.lower().replace(".", "").split(" ")
    if not _ends_in_a_word(street.rstrip(".")) or not _UNIT_WORDS.isdisjoint(words):
        return None
    return _street(street, country)


def _ends_in_a_word(street: str) -> bool:
    """Whether it ends in a word of letters, so that no unit, floor or building stands there."""
    end = street[-5:].lower()
    return (
        end[-2:].isascii()
        and end[-2:].isalpha()
        and end[-3:-1] != "no"  # Apt NoB
        and not end.endswith(("fl", "floor"))
    )


def _first_number(street: str) -> tuple[str, str] | None:
    """The number and the street behind it; a building's name before it is left out."""
    if match := _NUMBER_FIRST.match(street):
        return match[1], match[2]
    pieces = [piece.strip() for piece in street.split(",")]
    for piece in pieces[1:]:
        if match := _NUMBER_FIRST.match(piece):
            return match[1], match[2]
    return None


def _split_tail(line: str, country: str) -> tuple[str, str, str, str]:
    """Street part, city, state and postal code of a line that may end with them."""
    pieces = [piece.strip() for piece in line.split(",") if piece.strip()]
    region = code = city = ""
    if not pieces:
        return "", "", "", ""
    found = postal.at_end(pieces[-1], country)
    if found and (len(pieces) > 1 or len(found[0].split()) > 2):
        pieces[-1], code = found
        if not pieces[-1]:
            pieces.pop()
    if pieces and len(pieces) > 1 and (front := postal.at_start(pieces[-1], country)):
        code, pieces[-1] = front
        city = title(pieces.pop())
        return ", ".join(pieces), city, region, code
    if len(pieces) > 1 and is_state(pieces[-1], country):
        region = state(pieces.pop(), country)
    elif code and pieces and (words := pieces[-1].rsplit(" ", 1)) and is_state(words[-1], country):
        region = state(words[-1], country)
        pieces[-1] = words[0] if len(words) > 1 else ""
        pieces = [piece for piece in pieces if piece]
    if (region or code) and len(pieces) > 1 and not re.search(r"\d", pieces[-1]):
        city = title(pieces.pop())
    return ", ".join(pieces), city, region, code


def _street(street: str, country: str) -> tuple[str, str]:
    """The street with its type in full, and its key."""
    first = street.split(",")[0].strip()
    if not first:
        return "", ""
    words = first.split(" ")
    shown, folded = [], []
    type_at = _type_position(words)
    for position, word in enumerate(words):
        plain = word.strip(".").casefold()
        edge = position == 0 or position >= len(words) - 1 or position == type_at + 1
        if position == type_at:
            word = _types()[plain]
        elif edge and plain in _DIRECTIONS and len(words) > 2:
            word = _DIRECTIONS[plain]
        elif plain in _ORDINALS and country in ("US", "CA"):
            word = _ORDINALS[plain]
        shown.append(word)
        is_plain = word.isascii() and word.isalnum()
        folded.append(word.lower() if is_plain else _MARKS.sub("", text.fold_words(word)))
    if first.isupper() or first.islower():
        shown = _recase(shown, type_at)
    return " ".join(shown), " ".join(word for word in folded if word)


def _recase(words: list[str], type_at: int) -> list[str]:
    kept = {type_at} | {i for i, word in enumerate(words) if word in _DIRECTIONS.values()}
    return [
        word if i in kept else title(word) if len(word) > 2 else word.capitalize()
        for i, word in enumerate(words)
    ]


def _type_position(words: list[str]) -> int:
    """Where the street type stands: the last one, not first, with at most a direction behind it."""
    for position in range(len(words) - 1, 0, -1):
        plain = words[position].strip(".").casefold()
        if plain in _types():
            return position
        if plain not in _DIRECTIONS:
            break
    return -2

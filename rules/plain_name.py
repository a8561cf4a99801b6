"""Plain western names: two or three words, each of which is looked at once.

What belongs here: a short way for the names that most people in Latin letters
have. None of their words is a title, suffix, particle or Chinese surname, so
that only one question is left: which one is the family name. Every answer is
that of rules/latin_name.py, whose weights count here; all other names are left
to it.

>>> read("Ann Marie Harper", "", "")[:3]
('Harper', 'Ann', 'Marie')
>>> read("", "SMITH", "BILL").readings[:2]
['smith bill', 'smith robert']
>>> read("Wei Zhang", "", ""), read("Ann Lee Jr", "", "")
(None, None)
"""

import re
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from rules import latin_name, notes, romanization, tables
from rules.placeholder import placeholder_words
from rules.text import READINGS_LIMIT

_FULL = re.compile(r"([A-Za-z]+) (?:([A-Za-z]+)\.? )?([A-Za-z]+)")
_COMMA = re.compile(r"([A-Za-z]+), (([A-Za-z]+)(?: ([A-Za-z]+)\.?)?)")
_FAMILY = re.compile("[A-Za-z]+")
_GIVEN = re.compile(r"([A-Za-z]+)(?: ([A-Za-z]+)\.?)?")


class PlainName(NamedTuple):
    """Parts in shown form; ``readings`` family first, the likeliest first."""

    family: str
    given: str
    middle: str
    readings: list[str]


class _Word(NamedTuple):
    """What is known of a word: its logarithmic shares, and how it is shown and compared."""

    given: float
    family: float
    shown: str
    spelling: str
    formal: tuple[str, ...]
    capitals: bool | None  # None: an initial


def read(full: str, family: str, given: str) -> PlainName | None:
    """Read a cell, or a family and a given cell; None if they have to be looked at closely.

    Beside a whole name the other cells say which of its words are which.
    """
    swapped = latin_name.SWAPPED
    if full:
        if full.lower() in _nobodies():
            return None
        match = _FULL.fullmatch(full)
        if family and given:
            middle = _beyond(match, family, given) if match else ""
            if middle == "":
                return None
            first, last, full = given, family, ""
        elif match:
            first, middle, last = match.groups()
        elif match := _COMMA.fullmatch(full):
            last, rest, first, middle = match.groups()
            swapped = 1.5 * swapped
            if middle is not None and (notes.is_remark(rest) or notes.former_name(rest)):
                return None
            full = ""
        else:
            return None
    elif (match := _GIVEN.fullmatch(given)) and _FAMILY.fullmatch(family):
        first, middle = match.groups()
        last = family
        nobodies = _nobodies()
        if given.lower().rstrip(".") in nobodies or family.lower() in nobodies:
            return None
    else:
        return None
    front, behind = _word(first), _word(last)
    if front is None or behind is None or _only_one_in_capitals(front, behind):
        return None
    between = None
    if middle is not None:
        between = _word(middle)
        if between is None or _only_one_in_capitals(between, front):
            return None
        if _only_one_in_capitals(between, behind):
            return None
    best = front.given + behind.family + 0.0
    if full:  # or the family name first
        other = (between or behind).given + front.family
        other += latin_name.REVERSED + _order_shown(front, between, behind)
        if other > best:
            close = best >= other - latin_name.CLOSE and (behind, front)
            if between is None:
                return _named(front, behind, None, close)
            return _named(front, between, behind, close)
        close = other >= best - latin_name.CLOSE and (front, between or behind)
    else:  # or the cells in each other's place
        other = behind.given + (between or front).family + swapped
        if between is not None and other >= best - latin_name.CLOSE:
            return None
        if other > best:
            close = best >= other - latin_name.CLOSE and (behind, front)
            return _named(front, behind, None, close)
        close = other >= best - latin_name.CLOSE and (front, behind)
    return _named(behind, front, between, close)


def _beyond(match: "re.Match[str]", family: str, given: str) -> str | None:
    """The word of a whole name that stands in neither cell, None if there is none.

    Empty if the cells do not hold one word each of it.
    """
    words = [word for word in match.groups() if word]
    lower = [word.lower() for word in words]
    for cell in (family.lower(), given.lower()):
        if cell not in lower:
            return ""
        place = lower.index(cell)
        del words[place], lower[place]
    return words[0] if words else None


def _only_one_in_capitals(one: "_Word", other: "_Word") -> bool:
    """Whether capitals tell which word is the family name; an initial tells nothing."""
    return one.capitals is not other.capitals and None not in (one.capitals, other.capitals)


def _order_shown(front: "_Word", between: "_Word | None", behind: "_Word") -> float:
    """What initials and the number of words say about a family name in front."""
    if between is None:
        return 0.0
    if behind.capitals is None and front.capitals is not None:
        return 2.5
    return -4.0 if between.capitals is None else -0.5


def _named(
    family: "_Word",
    given: "_Word",
    middle: "_Word | None",
    close: "tuple[_Word, _Word] | Literal[False]",
) -> PlainName:
    """The name, with the readings of another order that is as close."""
    readings = _readings(family.spelling, given.spelling, given.formal)
    if close:
        more = _readings(close[0].spelling, close[1].spelling, close[1].formal)
        readings = list(dict.fromkeys(readings + more))
    return PlainName(
        family.shown, given.shown, middle.shown if middle else "", readings[:READINGS_LIMIT]
    )


def _readings(family: str, given: str, formal: tuple[str, ...]) -> list[str]:
    readings = [f"{family} {given}"]
    if formal:
        readings = list(dict.fromkeys(readings + [f"{family} {name}" for name in formal]))
    return readings


@lru_cache(maxsize=1 << 16)
def _word(word: str) -> _Word | None:
    """What is known of a word; None if names with it have to be looked at closely."""
    spelling = latin_name.spelling(word)
    if (
        word.lower() in latin_name.TELLING
        or romanization.is_surname(spelling)
        or notes.may_lead_to_former_name(word)
    ):
        return None
    return _Word(
        given=latin_name.given_share(word),
        family=latin_name.family_share(word),
        shown=latin_name.show((word,)),
        spelling=spelling,
        formal=latin_name.formal_names(spelling)[:5],
        capitals=word.isupper() if len(word) > 1 else None,
    )


@cache
def _nobodies() -> frozenset[str]:
    nobody = tables.words("person_words", "nobody") + tables.words("person_words", "title")
    return placeholder_words().union(nobody)

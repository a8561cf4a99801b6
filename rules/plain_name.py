"""Plain names: western ones of two or three words, Chinese ones of two or three characters.

What belongs here: a short way for the names that most people have. None of the
words in Latin letters, each of which is looked at once, is a title, suffix,
particle or Chinese surname, so that only one question is left: which one is the
family name. Chinese names are simplified and hold no title. Every answer is
that of rules/latin_name.py, whose weights count here, or of rules/person_name.py;
all other names are left to them.

>>> read("Ann Marie Harper", "", "")[:3]
('Harper', 'Ann', 'Marie')
>>> read("", "SMITH", "BILL").readings[:2]
['smith bill', 'smith robert']
>>> read("Wei Zhang", "", ""), read("Ann Lee Jr", "", "")
(None, None)
>>> read("欧阳伟", "", "")[:2], read("欧阳伟", "", "").readings, read("王先生", "", "")
(('欧阳', '伟'), ['ouyang wei'], None)
"""

import math
import re
from functools import cache, lru_cache
from typing import Literal, NamedTuple

import pyarrow as pa

from rules import han_name, latin_name, notes, romanization, tables, text
from rules.placeholder import placeholder_words
from rules.text import READINGS_LIMIT

_FULL = re.compile(r"([A-Za-z]+) (?:([A-Za-z]+)\.? )?([A-Za-z]+)")
_COMMA = re.compile(r"([A-Za-z]+), (([A-Za-z]+)(?: ([A-Za-z]+)\.?)?)")
_WORD = re.compile("[A-Za-z]+")


class PlainName(NamedTuple):
    """Parts in shown form, and what they make.

    Attributes:
        middle: None if there is none.
        readings: family name first, the likeliest first.
        shown: the name in one line.
        key: folded, family name first, without middle name.
    """

    family: str
    given: str
    middle: str | None
    readings: list[str]
    shown: str
    key: str


class Word(NamedTuple):
    """What is known of a word: its logarithmic shares, and how it is shown and compared."""

    given: float
    family: float
    shown: str
    spelling: str
    capitals: bool | None  # None: an initial
    is_nobody: bool  # alone it names nobody
    leads_to_nobody: bool  # with a word behind it it may name nobody
    surname: float  # as of latin_name.surname_bound


NO_WORD = Word(0.0, 0.0, "", "", None, False, False, -math.inf)
"""Stands where a name has no such word; it tells nothing."""


def read(full: str, family: str, given: str) -> PlainName | None:
    """Read a cell, or a family and a given cell; None if they have to be looked at closely.

    Beside a whole name in Latin letters the other cells say which of its words are which.
    """
    if not full.isascii():
        return _han(full)
    if not full and not (family.isascii() and given.isascii()):
        return _han_cells(family, given)
    swapped = latin_name.SWAPPED
    cells = not full
    middle: str | None
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
    else:
        first, blank, middle = given.partition(" ")
        middle = middle.removesuffix(".") if blank else None
        last = family
    front, behind = _western(first), _western(last)
    if front is None or behind is None or _only_one_in_capitals(front, behind):
        return None
    between = None
    if middle is not None:
        between = _western(middle)
        if between is None or _only_one_in_capitals(between, front):
            return None
        if _only_one_in_capitals(between, behind):
            return None
    if cells and (behind.is_nobody or _names_nobody(front, between, given)):
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


def _names_nobody(front: Word, between: Word | None, given: str) -> bool:
    """Whether the cell for given names holds a placeholder or a title in place of a name."""
    if between is None:
        return front.is_nobody
    return front.leads_to_nobody and given.lower().rstrip(".") in _nobodies()


def _only_one_in_capitals(one: Word, other: Word) -> bool:
    """Whether capitals tell which word is the family name; an initial tells nothing."""
    mine, its = one.capitals, other.capitals
    return mine is not its and mine is not None and its is not None


def _order_shown(front: Word, between: Word | None, behind: Word) -> float:
    """What initials and the number of words say about a family name in front."""
    if between is None:
        return 0.0
    if behind.capitals is None and front.capitals is not None:
        return 2.5
    return -4.0 if between.capitals is None else -0.5


def _named(
    family: Word,
    given: Word,
    middle: Word | None,
    close: tuple[Word, Word] | Literal[False],
) -> PlainName:
    """The name, with the readings of another order that is as close."""
    readings = _readings(family.spelling, given.spelling)
    if close:
        more = _readings(close[0].spelling, close[1].spelling)
        readings = list(dict.fromkeys(readings + more))[:READINGS_LIMIT]
    last, first = family.shown, given.shown
    key = (last + first).lower()
    if middle is None:
        return PlainName(last, first, None, readings, f"{first} {last}", key)
    shown = f"{first} {middle.shown} {last}"
    return PlainName(last, first, middle.shown, readings, shown, key)


def _readings(family: str, given: str) -> list[str]:
    return [f"{family} {name}" for name in with_formal(given)]


def with_formal(given: str) -> tuple[str, ...]:
    """A given name as compared, and the formal names for which it may be short."""
    formal = latin_name.formal_names(given)
    return tuple(dict.fromkeys((given, *formal[:5]))) if formal else (given,)


def _western(word: str) -> Word | None:
    """What is known of a word that is no Chinese surname."""
    found = look_up(word)
    return found if found and found.surname == -math.inf else None


@lru_cache(maxsize=1 << 16)
def look_up(word: str) -> Word | None:
    """What is known of a word; None if names with it have to be looked at closely."""
    if not _WORD.fullmatch(word):
        return None
    lower = word.lower()
    spelling = latin_name.spelling(lower)
    if lower in latin_name.TELLING or notes.may_lead_to_former_name(word):
        return None
    given, family = latin_name.shares(lower)
    return Word(
        given=given,
        family=family,
        shown=latin_name.show((word,)),
        spelling=spelling,
        capitals=word.isupper() if len(word) > 1 else None,
        is_nobody=lower in _nobodies(),
        leads_to_nobody=lower in _first_words_of_nobody(),
        surname=latin_name.surname_bound(spelling),
    )


@cache
def _first_words_of_nobody() -> frozenset[str]:
    return frozenset(name.split(" ")[0] for name in _nobodies() if " " in name)


@cache
def _nobodies() -> frozenset[str]:
    nobody = tables.words("person_words", "nobody") + tables.words("person_words", "title")
    return placeholder_words().union(nobody)


@cache
def nobodies() -> pa.Array:
    """What names nobody, or is a title."""
    return pa.array(sorted(_nobodies()), pa.string())


@cache
def nobodies_of_words() -> pa.Array:
    """What names nobody and has several words, in small letters."""
    return pa.array(sorted(name for name in _nobodies() if " " in name), pa.string())


# Chinese names --------------------------------------------------------------------------------


_HAN = (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))


@cache
def _simplified() -> re.Pattern[str]:
    """Two or three Han characters of which none is a traditional one."""
    return re.compile(f"[{''.join(filter(text.is_simplified, map(chr, _HAN)))}]{{2,3}}")


def is_simplified(character: str) -> bool:
    """Whether it is a Han character that is no traditional one.

    >>> is_simplified("张"), is_simplified("張"), is_simplified("Z"), is_simplified("")
    (True, False, False, False)
    """
    if not character or not ("\u3400" <= character < "\u4dc0" or "\u4e00" <= character < "\ua000"):
        return False
    return text.is_simplified(character)


@cache
def _last_of_others() -> frozenset[str]:
    """The last characters of what is a title or names nobody."""
    return frozenset(word[-1] for word in (*_nobodies(), *han_name.titles()))


def _han_cells(family: str, given: str) -> PlainName | None:
    """As :func:`_han`, for a family and a given cell, or the whole name in one of them.

    None also where the cells may be swapped, or one may hold what the other does.

    >>> _han_cells("张", "伟")[:2], _han_cells("", "张伟")[:2], _han_cells("伟", "张")
    (('张', '伟'), ('张', '伟'), None)
    """
    if not family or not given:
        return _han(family or given)
    surname = romanization.surnames().get(family)
    if (
        surname is None
        or (len(given) == 1 and surname.weight < han_name.RARE)
        or given.startswith(family)
        or family.endswith(given)
        or family in _nobodies()
        or given in _nobodies()
    ):
        return None
    return _han(family + given)


@lru_cache(maxsize=1 << 16)
def _han(name: str) -> PlainName | None:
    """A name whose characters are its own shown and key form; None if it is no plain one."""
    if not _simplified().fullmatch(name):
        return None
    if (name[-1] in _last_of_others() or name[0] in han_name.BEFORE) and (
        han_name.has_title(name) or name in _nobodies()
    ):
        return None
    family, given = han_name.split(name)
    if not given:
        return None
    surname = romanization.surnames().get(family)
    families = surname.pinyin if surname else text.readings(family)
    givens = text.readings(given)
    if len(families) == len(givens) == 1:
        readings = [f"{families[0]} {givens[0]}"]
    else:
        readings = text.combine([[f"{f} " for f in families] or [""], givens or [""]])
        readings = [reading.strip() for reading in readings]
    return PlainName(family, given, None, readings, name, name)

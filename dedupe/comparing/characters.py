"""When two characters or spellings can be mistaken for each other.

What belongs here: homophones, look-alikes, near pinyin, English given names and
nicknames: facts about characters and words, not about whole names.

Source: resources/lookalike.tsv of rules; PyPI ``nicknames`` (Apache-2.0).

>>> homophone("伟", "玮"), lookalike("伟", "纬"), homophone("伟", "强")
(True, True, False)
>>> is_pinyin("weiming"), is_pinyin("kevin")
(True, False)
>>> related_given("bill", "william"), related_given("bill", "james")
(True, False)
"""

import re
from functools import cache, lru_cache

from nicknames import NickNamer
from rapidfuzz.distance import OSA

from rules import tables, text

_FUZZY = (
    (re.compile("^(zh|ch|sh)"), lambda m: m.group(1)[0]),
    (re.compile("^(n|r)(?=[aeiouv])"), lambda m: "l"),
    (re.compile("^hu(?=[aeio])"), lambda m: "f"),
    (re.compile("ng$"), lambda m: "n"),
)


@cache
def _lookalikes() -> dict[str, str]:
    return {row[0]: row[1] for row in tables.rows("lookalike")}


@lru_cache(maxsize=1 << 16)
def homophone(a: str, b: str) -> bool:
    """Whether two characters share a reading (tones do not count)."""
    return not set(text.syllables(a)).isdisjoint(text.syllables(b))


def lookalike(a: str, b: str) -> bool:
    """Whether two characters look alike."""
    table = _lookalikes()
    return b in table.get(a, "") or a in table.get(b, "")


@lru_cache(maxsize=1 << 14)
def fuzzy_syllable(syllable: str) -> str:
    """A syllable without the sounds that southern speakers do not tell apart.

    >>> fuzzy_syllable("zhang") == fuzzy_syllable("zan"), fuzzy_syllable("nan")
    (True, 'lan')
    """
    for pattern, replacement in _FUZZY:
        syllable = pattern.sub(replacement, syllable)
    return syllable


@lru_cache(maxsize=1 << 16)
def confusable(a: str, b: str) -> bool:
    """Whether one character is easily written for the other: same or near sound, or look."""
    if a == b or homophone(a, b) or lookalike(a, b):
        return True
    near = {fuzzy_syllable(s) for s in text.syllables(a)}
    return not near.isdisjoint(fuzzy_syllable(s) for s in text.syllables(b))


@cache
def _pinyin_words() -> re.Pattern[str]:
    syllables = {s for row in tables.rows("pinyin") for s in row[0].split(" ") if len(s) > 1}
    ordered = sorted(syllables | {"a", "e", "o"}, key=lambda s: (-len(s), s))
    return re.compile("(?:" + "|".join(ordered) + ")+")


@lru_cache(maxsize=1 << 16)
def is_pinyin(word: str) -> bool:
    """Whether a Latin word splits into pinyin syllables."""
    return _pinyin_words().fullmatch(word) is not None


@cache
def _nicknames() -> NickNamer:
    return NickNamer()


@lru_cache(maxsize=1 << 15)
def given_set(name: str) -> frozenset[str]:
    """A given name with the names that it can be short for."""
    return frozenset({name, *_nicknames().canonicals_of(name)})


@lru_cache(maxsize=1 << 15)
def given_family(name: str) -> frozenset[str]:
    """A given name with the names that it is short for and those short for it."""
    return given_set(name) | _nicknames().nicknames_of(name)


@lru_cache(maxsize=1 << 15)
def is_english_given(name: str) -> bool:
    """Whether it is a known English given name or nickname."""
    namer = _nicknames()
    return bool(namer.canonicals_of(name) or namer.nicknames_of(name))


@lru_cache(maxsize=1 << 16)
def related_given(a: str, b: str) -> bool:
    """Whether two given names are nicknames of each other or of one name.

    >>> related_given("artie", "arthur"), related_given("mary", "mark")
    (True, False)
    """
    return not given_set(a).isdisjoint(given_set(b)) or _is_diminutive(a, b) or _is_diminutive(b, a)


_DIMINUTIVE = re.compile(r"([a-z]{2,}?)(?:([b-df-hj-np-tv-z])\2?)(?:ie|ey|y)")


def _is_diminutive(short: str, name: str) -> bool:
    """Whether one name is the start of the other, of three letters or more, with -ie or -y.

    A name that others are short for is whole: Mary is none of Mark.
    """
    match = _DIMINUTIVE.fullmatch(short)
    if match is None or len(name) <= len(short) or _nicknames().nicknames_of(short):
        return False
    return name.startswith(match[1] + match[2])


@lru_cache(maxsize=1 << 16)
def nearly_related_given(a: str, b: str) -> bool:
    """Whether a slip of the pen is all that keeps a nickname from its name.

    >>> nearly_related_given("jamea", "jim"), nearly_related_given("anna", "jim")
    (True, False)
    """
    return any(
        len(name) > 3 and len(typed) > 3 and OSA.distance(name, typed, score_cutoff=1) <= 1
        for names, typed in ((given_family(a), b), (given_family(b), a))
        for name in names
    )

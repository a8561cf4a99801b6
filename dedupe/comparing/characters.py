"""When two characters or spellings can be mistaken for each other.

What belongs here: homophones, look-alikes, near pinyin, English given names and
nicknames: facts about characters and words, not about whole names.

Source: resources/lookalike.tsv of rules; PyPI ``nicknames`` (Apache-2.0).

>>> homophone("伟", "玮"), lookalike("伟", "纬"), homophone("伟", "强")
(True, True, False)
>>> is_pinyin("weiming"), is_pinyin("kevin")
(True, False)
"""

import re
from functools import cache, lru_cache

from nicknames import NickNamer

from rules import tables, text

_FUZZY = (
    (re.compile("^(zh|ch|sh)"), lambda m: m.group(1)[0]),
    (re.compile("^(n|r)(?=[aeiouv])"), lambda m: "l"),
    (re.compile("^hu(?=[aeio])"), lambda m: "f"),
    (re.compile("ng$"), lambda m: "n"),
)


@cache
def lookalikes() -> dict[str, str]:
    """Characters, and those that look like each."""
    return {row[0]: row[1] for row in tables.rows("lookalike")}


@lru_cache(maxsize=1 << 16)
def homophone(a: str, b: str) -> bool:
    """Whether two characters share a reading (tones do not count)."""
    return not set(text.syllables(a)).isdisjoint(text.syllables(b))


def lookalike(a: str, b: str) -> bool:
    """Whether two characters look alike."""
    table = lookalikes()
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


_DIMINUTIVE = re.compile(r"([a-z]{2,}?)(?:([b-df-hj-np-tv-z])\2?)(?:ie|ey|y)")


@lru_cache(maxsize=1 << 15)
def diminutive_stem(short: str) -> str:
    """What a name ending with -ie or -y begins with, three letters or more; empty if it is whole.

    A name that others are short for is whole: Mary is none of Mark.

    >>> diminutive_stem("artie"), diminutive_stem("mary"), diminutive_stem("tommy")
    ('art', '', 'tom')
    """
    match = _DIMINUTIVE.fullmatch(short)
    if match is None or _nicknames().nicknames_of(short):
        return ""
    return match[1] + match[2]

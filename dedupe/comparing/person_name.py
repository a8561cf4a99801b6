"""Names of persons: two parsed names to a level.

What belongs here: Chinese with Chinese, Chinese with Latin, Latin with Latin.
Names come parsed (family, given, middle, suffix) and folded. Reading the name
out of a cell stands in ``rules.person_name``.

>>> from dedupe.levels import LEVELS
>>> def name_of(level): return LEVELS["person"]["name"][level].name
>>> name_of(compare(form("张伟明", "张", "伟明"), form("zhangweiming", "zhang", "weiming")))
'script'
>>> name_of(compare(form("张伟", "张", "伟"), form("张玮", "张", "玮")))
'confusable'
>>> name_of(compare(form("williamgreen", "green", "william"), form("billgreen", "green", "bill")))
'short_form'
"""

from collections.abc import Iterable
from typing import NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from dedupe.comparing import characters
from dedupe.levels import LEVELS
from rules import text
from rules.customer import PERSON

_LEVEL = {level.name: number for number, level in enumerate(LEVELS[PERSON]["name"])}
UNLIKE, CONFLICT, GIVEN_ONLY, FAMILY_ONLY, GIVEN_NEAR, ONE_CHARACTER = (
    _LEVEL[name]
    for name in ("unlike", "conflict", "given_only", "family_only", "given_near", "one_character")
)
NO_GIVEN, SUFFIX, BOTH_NEAR, INITIAL = (
    _LEVEL[name] for name in ("no_given", "suffix", "both_near", "initial")
)
CONFUSABLE, SHORT_FORM, SCRIPT, EQUAL, FULL = (
    _LEVEL[name] for name in ("confusable", "short_form", "script", "equal", "full")
)


class PersonForm(NamedTuple):
    """One way a person is named; all parts folded.

    Attributes:
        key: the full name without blanks.
        family, given: family and given name without blanks.
        given_words: words of the given name (more than one for ``wei ming``).
        middle: middle names or initials.
        suffix: jr, sr, ii and the like.
        han: whether the name is written in Chinese characters.
        family_readings, given_readings: Latin spellings by pinyin (the part itself if Latin).
        family_spellings: other romanizations of the family name.
        readings: ``family given`` in every romanization, as staged.
    """

    key: str
    family: str
    given: str
    given_words: tuple[str, ...]
    middle: tuple[str, ...]
    suffix: str
    han: bool
    family_readings: frozenset[str]
    given_readings: frozenset[str]
    family_spellings: frozenset[str]
    readings: frozenset[str]


def split_words(shown: str) -> str:
    """Folded words of a name part, separated by one blank; apostrophes join.

    >>> split_words("Wei-Ming"), split_words("O'Brien"), split_words("張")
    ('wei ming', 'obrien', '张')
    """
    folded = text.fold_words(shown).replace("'", "").replace(".", " ")
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def form(
    key: str,
    family: str,
    given: str,
    middle: str = "",
    suffix: str = "",
    spellings: Iterable[str] = (),
    readings: Iterable[str] = (),
) -> PersonForm:
    """Prepare one name for comparing.

    Args:
        key: full name, folded, without blanks.
        family, given, middle, suffix: folded parts; words separated by blanks.
        spellings: further romanizations of a Chinese family name.
        readings: ``family given`` in Latin letters, if known.
    """
    readings = frozenset(readings)
    words = tuple(given.split())
    given = "".join(words)
    family = family.replace(" ", "")
    han = text.has_han(family or key)
    families, givens = _split(readings) if han and readings else _read(family, given, han)
    return PersonForm(
        key,
        family,
        given,
        words,
        tuple(middle.split()),
        suffix,
        han,
        families,
        givens,
        frozenset(spellings),
        readings,
    )


def _read(family: str, given: str, han: bool) -> tuple[frozenset[str], frozenset[str]]:
    if han:
        return frozenset(text.readings(family)), frozenset(text.readings(given))
    return frozenset({family} - {""}), frozenset({given} - {""})


def _split(readings: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    parts = [reading.partition(" ") for reading in readings]
    return (
        frozenset(family for family, _, _ in parts),
        frozenset(given.replace(" ", "") for _, _, given in parts if given),
    )


def compare(a: PersonForm, b: PersonForm) -> int:
    """The level of two names, in either order."""
    if not a.key or not b.key:
        return UNLIKE
    if a.han and b.han:
        return _chinese(a, b)
    if a.han or b.han:
        return _cross(a, b) if a.han else _cross(b, a)
    return _latin(a, b)


def compare_all(left: Iterable[PersonForm], right: Iterable[PersonForm]) -> int:
    """The best level over all ways either person is named."""
    right = tuple(right)
    return max(compare(a, b) for a in left for b in right)


# -- Chinese with Chinese


def _chinese(a: PersonForm, b: PersonForm) -> int:
    if a.key == b.key:
        return EQUAL if a.given else NO_GIVEN
    if a.family == b.family:
        if not a.given or not b.given:
            return NO_GIVEN
        return chinese_given(a.given, b.given)
    if len(a.key) > 2 and sorted(a.key) == sorted(b.key):
        return CONFUSABLE
    if len(a.family) == len(b.family) and all(
        characters.confusable(x, y) for x, y in zip(a.family, b.family, strict=True)
    ):
        if a.given == b.given:
            return CONFUSABLE if a.given else NO_GIVEN
        return GIVEN_NEAR if chinese_given(a.given, b.given) == CONFUSABLE else UNLIKE
    if len(a.given) > 1 and a.given == b.given:
        return GIVEN_ONLY
    return UNLIKE


def chinese_given(a: str, b: str) -> int:
    """The level of two Chinese given names under one family name."""
    if a == b:
        return EQUAL
    if len(a) == len(b):
        unequal = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
        if sorted(a) == sorted(b):
            return CONFUSABLE
        if len(unequal) == 1:
            if characters.confusable(*unequal[0]):
                return CONFUSABLE
            return ONE_CHARACTER if len(a) > 1 else FAMILY_ONLY
        if all(characters.homophone(x, y) for x, y in unequal):
            return CONFUSABLE
        if all(characters.confusable(x, y) for x, y in unequal):
            return GIVEN_NEAR
        return FAMILY_ONLY
    short, long = sorted((a, b), key=len)
    once = _undoubled(long)
    if len(once) == len(short):  # a character written twice
        level = chinese_given(short, once)
        return min(level, CONFUSABLE) if level >= CONFUSABLE else FAMILY_ONLY
    if short and (long.startswith(short) or long.endswith(short)):
        return GIVEN_NEAR
    return FAMILY_ONLY


def _undoubled(given: str) -> str:
    """A given name without the repetition of a character."""
    return "".join(c for c, before in zip(given, " " + given, strict=False) if c != before)


# -- Chinese with Latin


def _cross(chinese: PersonForm, latin: PersonForm) -> int:
    if not chinese.readings.isdisjoint(latin.readings) and latin.given:
        return SCRIPT
    words = (*latin.given_words, *latin.middle)
    options = [(latin.family, words), (latin.given, (*latin.middle, latin.family))]
    kept = tuple(word for word in words if not characters.is_english_given(word))
    if kept != words:
        options.append((latin.family, kept))
    best = UNLIKE
    for family, given in options:
        best = max(best, _romanized(chinese, family, tuple(word for word in given if word)))
    if best == UNLIKE and len(latin.key) > 6:
        spelled = (f + g for f in chinese.family_readings for g in chinese.given_readings)
        if any(OSA.distance(latin.key, s, score_cutoff=1) <= 1 for s in spelled):
            return CONFUSABLE
    return best


def _romanized(chinese: PersonForm, family: str, given: tuple[str, ...]) -> int:
    """The level if the Latin name's family name is ``family`` and the rest ``given``."""
    joined = "".join(given)
    by_pinyin = family in chinese.family_readings
    if not by_pinyin and family not in chinese.family_spellings:
        return GIVEN_ONLY if len(joined) > 4 and joined in chinese.given_readings else UNLIKE
    if not joined or not chinese.given:
        return NO_GIVEN
    if joined in chinese.given_readings:
        return SCRIPT
    if len(joined) <= len(chinese.given) and _initials(chinese.given, joined):
        return INITIAL
    if not characters.is_pinyin(joined) or any(map(characters.is_english_given, given)):
        near = len(joined) > 4 and any(
            OSA.distance(joined, r, score_cutoff=1) <= 1 for r in chinese.given_readings
        )
        return CONFUSABLE if near else NO_GIVEN
    if not by_pinyin:  # Cantonese and the like: pinyin says nothing about the given name
        return NO_GIVEN
    if len(joined) > 3 and any(
        OSA.distance(joined, r, score_cutoff=1) <= 1 and not _prefix(joined, r)
        for r in chinese.given_readings
    ):
        return CONFUSABLE
    once = _undoubled(chinese.given)
    if once != chinese.given and joined in text.readings(once):
        return CONFUSABLE
    return FAMILY_ONLY


def _initials(given: str, letters: str) -> bool:
    return all(
        any(s.startswith(letter) for s in text.syllables(character))
        for character, letter in zip(given, letters, strict=False)
    )


def _prefix(a: str, b: str) -> bool:
    return a.startswith(b) or b.startswith(a)


# -- Latin with Latin


def _latin(a: PersonForm, b: PersonForm) -> int:
    level = _western(a, b)
    if level == UNLIKE and a.given and b.given and not a.readings.isdisjoint(b.readings):
        return SHORT_FORM  # one name romanized in two ways
    return level


def _western(a: PersonForm, b: PersonForm) -> int:
    if a.family == b.family and a.family:
        return _latin_given(a, b)
    if a.key == b.key:
        return EQUAL if a.given and a.family else NO_GIVEN
    if not (a.family and a.given and b.family and b.given) and _one_of(a, b):
        return NO_GIVEN
    if a.given and b.given:
        if a.given == b.family and a.family == b.given:
            return SHORT_FORM
        if a.given == b.given or characters.related_given(a.given, b.given):
            if _near(a.family, b.family):
                return CONFUSABLE
            if _prefix(a.family, b.family) and min(len(a.family), len(b.family)) > 3:
                return SHORT_FORM  # Smith, Smith-Jones
            return GIVEN_ONLY
        if _near(a.family, b.given) and _near(a.given, b.family):
            return BOTH_NEAR
        if _near(a.family, b.family) and _near(a.given, b.given):
            return BOTH_NEAR
    if len(a.key) > 5 and OSA.distance(a.key, b.key, score_cutoff=1) <= 1:
        return CONFUSABLE
    if _near(a.family, b.family) and a.given and b.given:
        return GIVEN_NEAR if _given(a, b) >= GIVEN_NEAR else UNLIKE
    if len(a.given) > 4 and _near(a.given, b.given) and _share_middle(a, b):
        return GIVEN_ONLY
    if _reordered(a, b):
        return SHORT_FORM
    if len(a.family) > 5 and not (a.given and b.given) and _near(a.family, b.family):
        return NO_GIVEN
    return UNLIKE


def _one_of(a: PersonForm, b: PersonForm) -> bool:
    """Whether one of two names is a single word that the other one has, as it is, as a short
    form or with a slip: of one word nobody knows whether it is the family or the given name.

    >>> _one_of(form("tom", "", "tom"), form("grantthomas", "grant", "thomas"))
    True
    """
    short, long = sorted((a, b), key=lambda name: len(_all_words(name)))
    (word, *more), words = _all_words(short), _all_words(long)
    return not more and any(
        word == other
        or (len(word) > 2 and characters.related_given(word, other))
        or (len(word) > 4 and _near(word, other))
        for other in words
    )


def _all_words(name: PersonForm) -> tuple[str, ...]:
    return (*name.given_words, *name.middle, *((name.family,) if name.family else ()))


def _reordered(a: PersonForm, b: PersonForm) -> bool:
    """Whether every word of the shorter name is in the longer one, two of them whole.

    Then family and middle name changed places: William Frohawk Frederick, F. W. Frohawk
    Frederick.
    """
    short, long = sorted((_all_words(x) for x in (a, b)), key=len)
    whole = sum(word in long for word in short if len(word) > 2)
    return whole > 1 and all(
        word in long
        or word[:1] in long
        or (len(word) == 1 and any(other[:1] == word for other in long))
        for word in short
    )


def _share_middle(a: PersonForm, b: PersonForm) -> bool:
    return bool(a.middle and b.middle) and _same_middle(a.middle, b.middle)


def _latin_given(a: PersonForm, b: PersonForm) -> int:
    if not a.given or not b.given:
        return NO_GIVEN
    level = _given(a, b)
    if level < INITIAL:
        return level
    if a.suffix and b.suffix and a.suffix != b.suffix:
        return CONFLICT
    if a.middle and b.middle and not _same_middle(a.middle, b.middle):
        swapped = a.given in b.middle or b.given in a.middle
        return level if level < EQUAL and swapped else CONFLICT
    if a.suffix != b.suffix:
        return SUFFIX
    if level == EQUAL and a.middle and b.middle:
        return FULL
    return SCRIPT if level == EQUAL and a.middle != b.middle else level


def _given(a: PersonForm, b: PersonForm) -> int:
    """The level of two Latin given names under one family name."""
    x, y = a.given, b.given
    if x == y:
        return EQUAL
    with_middle_a, with_middle_b = x + "".join(a.middle), y + "".join(b.middle)
    if with_middle_a == with_middle_b:
        return SCRIPT
    if len(x) == 1 or len(y) == 1:
        short, long = (x, y) if len(x) == 1 else (y, x)
        known = any(name.startswith(short) for name in characters.given_set(long))
        return INITIAL if known else FAMILY_ONLY
    if characters.related_given(x, y) or (
        characters.related_given(a.given_words[0], b.given_words[0]) and len(a.given_words[0]) > 1
    ):
        return SHORT_FORM
    if any(characters.related_given(x, m) for m in b.middle if len(m) > 1) or any(
        characters.related_given(y, m) for m in a.middle if len(m) > 1
    ):
        return SHORT_FORM
    if _near(x, y):
        return CONFUSABLE
    pinyin = characters.is_pinyin(x), characters.is_pinyin(y)
    if pinyin == (True, True):
        return FAMILY_ONLY
    if any(pinyin) and characters.is_pinyin(a.family):
        other = y if pinyin[0] else x
        if characters.is_english_given(other):
            return NO_GIVEN
    if JaroWinkler.similarity(x, y) >= 0.85 or (min(len(x), len(y)) > 2 and _prefix(x, y)):
        return GIVEN_NEAR
    if characters.nearly_related_given(x, y):
        return GIVEN_NEAR
    if x[0] == y[0] and len(x) == len(y) == 3 and OSA.distance(x, y, score_cutoff=1) <= 1:
        return GIVEN_NEAR
    return FAMILY_ONLY


def _near(a: str, b: str) -> bool:
    """One slip (two in long words): a letter lost, doubled, swapped or changed."""
    longest = max(len(a), len(b))
    if longest < 4 or not a or not b:
        return False
    allowed = 2 if longest > 8 else 1
    return OSA.distance(a, b, score_cutoff=allowed) <= allowed


def _same_middle(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether every middle name of the one that gives fewer is among the other's."""
    short, long = sorted((a, b), key=len)
    return all(
        any(
            x == y
            or (min(len(x), len(y)) == 1 and x[0] == y[0])
            or _near(x, y)
            or characters.related_given(x, y)
            for y in long
        )
        for x in short
    )

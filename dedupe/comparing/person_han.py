"""Pairs of Chinese names of persons to levels.

What belongs here: characters that differ, are mistaken, doubled, lost or in
another order.
"""

import numpy as np

from dedupe.comparing.columns import Ints, Levels, Mask
from dedupe.comparing.deciding import decide
from dedupe.comparing.han_letters import alike
from dedupe.comparing.measures import Vocabulary
from dedupe.comparing.person_level import (
    CONFUSABLE,
    EQUAL,
    FAMILY_ONLY,
    GIVEN_NEAR,
    GIVEN_ONLY,
    NO_GIVEN,
    ONE_CHARACTER,
    UNLIKE,
    Pairs,
)


def compare(pairs: Pairs) -> Levels:
    """The levels of pairs of Chinese names."""
    return decide(pairs, _RULES, UNLIKE)


def _one_key(pairs: Pairs) -> Mask:
    a, b = pairs.keys
    return a == b


def _whole(pairs: Pairs) -> Levels:
    return np.where(pairs.givens[0] > 0, EQUAL, NO_GIVEN).astype(np.int8)


def _one_family(pairs: Pairs) -> Mask:
    a, b = pairs.families
    return a == b


def _same_family(pairs: Pairs) -> Levels:
    levels = np.full(len(pairs.a), NO_GIVEN, dtype=np.int8)
    rows = pairs.both_given
    a, b = pairs.at(rows).givens
    levels[rows] = given_levels(pairs.forms.texts, a, b)
    return levels


def _other_order(pairs: Pairs) -> Mask:
    texts, (a, b) = pairs.forms.texts, pairs.keys
    result = (texts.length[a] > 2) & (texts.length[a] == texts.length[b])
    result[result] = _same_letters(texts, a[result], b[result])
    return result


def _confusable_families(pairs: Pairs) -> Mask:
    texts, (a, b) = pairs.forms.texts, pairs.families
    result: Mask = texts.length[a] == texts.length[b]
    x, y = texts.letters(a[result]), texts.letters(b[result])
    unlike = np.zeros(len(x), dtype=bool)
    rows, places = np.nonzero(x != y)
    unlike[rows[~alike(x[rows, places], y[rows, places]).confusable]] = True
    result[result] = ~unlike
    return result


def _confusable_family(pairs: Pairs) -> Levels:
    a, b = pairs.givens
    levels = np.where(a > 0, CONFUSABLE, NO_GIVEN)
    slipped = given_levels(pairs.forms.texts, a, b) == CONFUSABLE
    other = np.where(slipped, GIVEN_NEAR, UNLIKE)
    return np.where(a == b, levels, other).astype(np.int8)


def _one_given(pairs: Pairs) -> Mask:
    a, b = pairs.givens
    result: Mask = (a == b) & (pairs.forms.texts.length[a] > 1)
    return result


_RULES = (
    (_one_key, _whole),
    (_one_family, _same_family),
    (_other_order, CONFUSABLE),
    (_confusable_families, _confusable_family),
    (_one_given, GIVEN_ONLY),
)


def given_levels(texts: Vocabulary, a: Ints, b: Ints) -> Levels:
    """The levels of pairs of Chinese given names under one family name."""
    levels = np.full(len(a), FAMILY_ONLY, dtype=np.int8)
    equal_length = texts.length[a] == texts.length[b]
    levels[equal_length] = _of_one_length(texts, a[equal_length], b[equal_length])
    rows = np.flatnonzero(~equal_length)
    short, long = texts.ordered(a[rows], b[rows])
    once = texts.derived(long, undoubled)
    doubled = texts.length[once] == texts.length[short]
    same = _of_one_length(texts, short[doubled], once[doubled]) >= CONFUSABLE
    levels[rows[doubled]] = np.where(same, CONFUSABLE, FAMILY_ONLY)
    rest = np.flatnonzero(~doubled & (short > 0))
    short, long = short[rest], long[rest]
    levels[rows[rest[texts.starts(long, short) | texts.ends(long, short)]]] = GIVEN_NEAR
    return levels


def _of_one_length(texts: Vocabulary, a: Ints, b: Ints) -> Levels:
    levels = np.full(len(a), EQUAL, dtype=np.int8)
    unequal = np.flatnonzero(a != b)
    a, b = a[unequal], b[unequal]
    x, y = texts.letters(a), texts.letters(b)
    rows, places = np.nonzero(x != y)
    pairs = alike(x[rows, places], y[rows, places])
    count = np.bincount(rows, minlength=len(a))
    homophones = np.bincount(rows[pairs.homophone], minlength=len(a)) == count
    confusables = np.bincount(rows[pairs.confusable], minlength=len(a)) == count
    levels[unequal] = np.select(
        [
            (np.sort(x, axis=1) == np.sort(y, axis=1)).all(axis=1),
            (count == 1) & confusables,
            (count == 1) & (texts.length[a] > 1),
            count == 1,
            homophones,
            confusables,
        ],
        [CONFUSABLE, CONFUSABLE, ONE_CHARACTER, FAMILY_ONLY, CONFUSABLE, GIVEN_NEAR],
        FAMILY_ONLY,
    )
    return levels


def _same_letters(texts: Vocabulary, a: Ints, b: Ints) -> Mask:
    """Where texts of one length have the same letters in any order."""
    x, y = np.sort(texts.letters(a), axis=1), np.sort(texts.letters(b), axis=1)
    result: Mask = (x == y).all(axis=1)
    return result


def undoubled(given: str) -> str:
    """A given name without the repetition of a character."""
    return "".join(c for c, before in zip(given, " " + given, strict=False) if c != before)

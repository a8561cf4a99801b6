"""Pairs of a Chinese and a Latin name of persons to levels.

What belongs here: which part of a Latin name may be the reading of which part
of a Chinese one.
"""

from typing import NamedTuple

import numpy as np

from dedupe.comparing import characters
from dedupe.comparing.columns import Ints, Levels, Mask, Rows
from dedupe.comparing.person_forms import PersonForms
from dedupe.comparing.person_han import undoubled
from dedupe.comparing.person_level import (
    CONFUSABLE,
    FAMILY_ONLY,
    GIVEN_ONLY,
    INITIAL,
    NO_GIVEN,
    SCRIPT,
    UNLIKE,
    Pairs,
    prefixed,
)
from dedupe.comparing.ragged import Ragged, joined
from rules import text


def compare(pairs: Pairs) -> Levels:
    """The levels of pairs of a Chinese name (a) and a Latin one (b)."""
    forms = pairs.forms
    chinese, latin = pairs.a, pairs.b
    read = forms.readings.share(chinese, forms.readings, latin) & (forms.given[latin] > 0)
    levels = np.where(read, SCRIPT, UNLIKE).astype(np.int8)
    rows = np.flatnonzero(~read)
    distinct, inverse = np.unique(latin[rows], return_inverse=True)
    for split in _splits(forms, distinct):
        there = split.there[inverse]
        hit = rows[there]
        found = _romanized(forms, chinese[hit], split.at(inverse[there]))
        levels[hit] = np.maximum(levels[hit], found)
    rows = np.flatnonzero((levels == UNLIKE) & (forms.texts.length[forms.key[latin]] > 6))
    levels[rows[_spelled(forms, chinese[rows], latin[rows])]] = CONFUSABLE
    return levels


class _Split(NamedTuple):
    """One way to read Latin names as family name and the rest.

    Attributes:
        family, given: codes of the two parts; the rest without blanks.
        english: whether the rest has an English given name.
        there: names that can be read so.
    """

    family: Ints
    given: Ints
    english: Mask
    there: Mask

    def at(self, rows: Rows) -> "_Split":
        return _Split(self.family[rows], self.given[rows], self.english[rows], self.there[rows])


def _splits(forms: PersonForms, rows: Rows) -> list[_Split]:
    """Family name last or first, and without English given names."""
    texts = forms.texts
    given, middle = forms.given_words.take(rows), forms.middle.take(rows)
    family = Ragged.sized(np.ones(len(rows), dtype=np.int64), forms.family[rows])
    family = family.only(family.values > 0)
    words, turned = joined([given, middle]), joined([middle, family])
    english = texts.facts(words.values, characters.is_english_given)
    kept = words.only(~english)
    everywhere = np.ones(len(rows), dtype=bool)
    return [
        _Split(forms.family[rows], texts.run_together(words), _any(words, english), everywhere),
        _Split(
            forms.given[rows],
            texts.run_together(turned),
            _any(turned, texts.facts(turned.values, characters.is_english_given)),
            everywhere,
        ),
        _Split(forms.family[rows], texts.run_together(kept), ~everywhere, kept.sizes < words.sizes),
    ]


def _any(lists: Ragged, hit: Mask) -> Mask:
    found = np.zeros(len(lists.sizes), dtype=bool)
    found[lists.owners()[hit]] = True
    return found


def _romanized(forms: PersonForms, chinese: Rows, latin: _Split) -> Levels:
    """The levels if the Latin names are split so."""
    texts = forms.texts
    given = forms.given[chinese]
    by_pinyin = forms.family_readings.has(chinese, latin.family)
    family = by_pinyin | forms.family_spellings.has(chinese, latin.family)
    same = (latin.given > 0) & forms.given_readings.has(chinese, latin.given)
    unnamed = (latin.given == 0) | (given == 0)
    initials = _initials(forms, given, latin.given, family & ~same & ~unnamed)
    foreign = ~texts.facts(latin.given, characters.is_pinyin) | latin.english
    length = texts.length[latin.given]
    open_ = family & ~unnamed & ~same & ~initials
    near, slipped = _near_reading(forms, chinese, latin.given, open_ & (length > 3))
    once = _read_once(forms, given, latin.given, open_ & ~foreign & by_pinyin)
    return np.select(
        [
            ~family & same & (length > 4),
            ~family,
            unnamed,
            same,
            initials,
            foreign & near & (length > 4),
            foreign | ~by_pinyin,
            slipped | once,
        ],
        [GIVEN_ONLY, UNLIKE, NO_GIVEN, SCRIPT, INITIAL, CONFUSABLE, NO_GIVEN, CONFUSABLE],
        FAMILY_ONLY,
    ).astype(np.int8)


def _near_reading(forms: PersonForms, chinese: Rows, given: Ints, where: Mask) -> tuple[Mask, Mask]:
    """Where a given name is one slip from a reading; and where neither begins with the other."""
    near, slipped = np.zeros(len(given), dtype=bool), np.zeros(len(given), dtype=bool)
    rows = np.flatnonzero(where)
    readings = forms.given_readings.take(chinese[rows])
    owner = rows[readings.owners()]
    hit = forms.texts.within(given[owner], readings.values, 1)
    owner, reading = owner[hit], readings.values[hit]
    near[owner] = True
    slipped[owner[~prefixed(forms.texts, given[owner], reading)]] = True
    return near, slipped


def _initials(forms: PersonForms, given: Ints, letters: Ints, where: Mask) -> Mask:
    """Where letters are the initials of the first characters of a Chinese given name."""
    texts = forms.texts
    result = where & (texts.length[letters] <= texts.length[given])
    rows = np.flatnonzero(result)
    pairs = np.unique(np.stack([given[rows], letters[rows]]), axis=1, return_inverse=True)
    (names, asked), inverse = pairs
    known = [
        all(
            any(syllable.startswith(letter) for syllable in text.syllables(character))
            for character, letter in zip(texts.values[name], texts.values[code], strict=False)
        )
        for name, code in zip(names, asked, strict=True)
    ]
    result[rows] = np.array(known, dtype=bool)[inverse]
    return result


def _read_once(forms: PersonForms, given: Ints, latin: Ints, where: Mask) -> Mask:
    """Where a Latin given name reads a Chinese one whose character is doubled only once."""
    texts = forms.texts
    once = texts.derived(given, undoubled)
    result = where & (once != given)
    rows = np.flatnonzero(result)
    readings = texts.derived_lists(once[rows], text.readings)
    result[rows] = readings.has(np.arange(len(rows)), latin[rows])
    return result


def _spelled(forms: PersonForms, chinese: Rows, latin: Rows) -> Mask:
    """Where a whole Latin name is one slip from how the Chinese one is read."""
    texts = forms.texts
    distinct, inverse = np.unique(chinese, return_inverse=True)
    cross = forms.family_readings.cross(distinct, forms.given_readings, distinct)
    values = texts.values
    read = texts.codes(values[a] + values[b] for a, b in zip(cross.left, cross.right, strict=True))
    whole = Ragged.sized(np.bincount(cross.pair, minlength=len(distinct)), read).take(inverse)
    owner = whole.owners()
    result = np.zeros(len(chinese), dtype=bool)
    result[owner[texts.within(forms.key[latin][owner], whole.values, 1)]] = True
    return result

"""Pairs of Latin names of persons to levels.

What belongs here: nicknames, initials, slips, middle names, suffixes and names
whose parts changed places.
"""

import numpy as np

from dedupe.comparing import characters
from dedupe.comparing.columns import Levels, Mask, Rows
from dedupe.comparing.deciding import both, decide
from dedupe.comparing.measures import distinct_pairs
from dedupe.comparing.person_forms import PersonForms
from dedupe.comparing.person_level import (
    BOTH_NEAR,
    CONFLICT,
    CONFUSABLE,
    EQUAL,
    FAMILY_ONLY,
    FULL,
    GIVEN_NEAR,
    GIVEN_ONLY,
    INITIAL,
    NO_GIVEN,
    SCRIPT,
    SHORT_FORM,
    SUFFIX,
    UNLIKE,
    Pairs,
    near,
    prefixed,
    related,
)
from dedupe.comparing.ragged import Ragged


def compare(pairs: Pairs) -> Levels:
    """The levels of pairs of Latin names."""
    forms = pairs.forms
    levels = decide(pairs, _RULES, UNLIKE)
    rows = np.flatnonzero((levels == UNLIKE) & pairs.both_given)
    a, b = pairs.a[rows], pairs.b[rows]
    levels[rows[forms.readings.share(a, forms.readings, b)]] = SHORT_FORM  # romanized in two ways
    return levels


# -- tests


def _one_family(pairs: Pairs) -> Mask:
    a, b = pairs.families
    return (a == b) & (a > 0)


def _one_key(pairs: Pairs) -> Mask:
    a, b = pairs.keys
    return a == b


def _partial(pairs: Pairs) -> Mask:
    """One has no family name or no given name."""
    (family_a, family_b), both_given = pairs.families, pairs.both_given
    return (family_a == 0) | (family_b == 0) | ~both_given


def _one_of(pairs: Pairs) -> Mask:
    """Whether one of two names is a single word that the other one has, as it is, as a short
    form or with a slip: of one word nobody knows whether it is the family or the given name.
    """
    texts, words = pairs.forms.texts, pairs.forms.words
    short, long = _fewer_and_more(words, pairs)
    rows = np.flatnonzero(words.sizes[short] == 1)
    cross = words.cross(short[rows], words, long[rows])
    x, y = cross.left, cross.right
    same = x == y
    for test, longer_than in ((related, 2), (near, 4)):
        asked = np.flatnonzero(~same & (texts.length[x] > longer_than))
        same[asked] = test(texts, x[asked], y[asked])
    result = np.zeros(len(pairs.a), dtype=bool)
    result[rows] = cross.any(same, len(rows))
    return result


def _fewer_and_more(lists: Ragged, pairs: Pairs) -> tuple[Rows, Rows]:
    """Of each pair the name with the shorter list, and the other."""
    swap = lists.sizes[pairs.a] > lists.sizes[pairs.b]
    return np.where(swap, pairs.b, pairs.a), np.where(swap, pairs.a, pairs.b)


def _given(pairs: Pairs) -> Mask:
    return pairs.both_given


def _changed_places(pairs: Pairs) -> Mask:
    (family_a, family_b), (given_a, given_b) = pairs.families, pairs.givens
    return (given_a == family_b) & (family_a == given_b)


def _one_given(pairs: Pairs) -> Mask:
    a, b = pairs.givens
    return (a == b) | related(pairs.forms.texts, a, b)


def _near_families(pairs: Pairs) -> Mask:
    return near(pairs.forms.texts, *pairs.families)


def _near_givens(pairs: Pairs) -> Mask:
    return near(pairs.forms.texts, *pairs.givens)


def _near_family_to_given(pairs: Pairs) -> Mask:
    return near(pairs.forms.texts, pairs.families[0], pairs.givens[1])


def _near_given_to_family(pairs: Pairs) -> Mask:
    return near(pairs.forms.texts, pairs.givens[0], pairs.families[1])


def _near_keys(pairs: Pairs) -> Mask:
    texts, (a, b) = pairs.forms.texts, pairs.keys
    result: Mask = texts.shorter(a, b) > 5
    result[result] = texts.within(a[result], b[result], 1)
    return result


def _long_given(pairs: Pairs) -> Mask:
    result: Mask = pairs.forms.texts.shorter(*pairs.givens) > 4
    return result


def _shared_middle(pairs: Pairs) -> Mask:
    return _with_middle(pairs) & _same_middle(pairs)


def _with_middle(pairs: Pairs) -> Mask:
    sizes = pairs.forms.middle.sizes
    return (sizes[pairs.a] > 0) & (sizes[pairs.b] > 0)


def _same_middle(pairs: Pairs) -> Mask:
    """Whether every middle name of the one that gives fewer is among the other's."""
    texts, middle = pairs.forms.texts, pairs.forms.middle
    fewer, more = _fewer_and_more(middle, pairs)
    cross = middle.cross(fewer, middle, more)
    x, y, inverse = distinct_pairs(cross.left, cross.right)
    same = (x == y) | ((texts.shorter(x, y) == 1) & (texts.first[x] == texts.first[y]))
    for test in (near, related):
        rows = np.flatnonzero(~same)
        same[rows] = test(texts, x[rows], y[rows])
    return cross.all_left(same[inverse], middle.sizes[fewer])


def _reordered(pairs: Pairs) -> Mask:
    """Whether every word of the shorter name is in the longer one, two of them whole.

    Then family and middle name changed places: William Frohawk Frederick, F. W. Frohawk
    Frederick.
    """
    sizes = pairs.forms.words.sizes
    short, long = _fewer_and_more(pairs.forms.words, pairs)
    result = _holds(pairs.forms, long, short)
    rows = np.flatnonzero(result & (sizes[short] == sizes[long]))
    result[rows] = _holds(pairs.forms, short[rows], long[rows])
    return result


def _holds(forms: PersonForms, long: Rows, short: Rows) -> Mask:
    """Whether every word of one name is in another, two of them whole."""
    texts, words = forms.texts, forms.words
    cross = words.cross(short, words, long)
    x, y = cross.left, cross.right
    equal = x == y
    first = texts.first[x] == texts.first[y]
    abbreviated = first & ((texts.length[x] == 1) | (texts.length[y] == 1)) & (x > 0) & (y > 0)
    cell = cross.pair * (int(words.sizes.max(initial=0)) + 1) + cross.place
    whole = np.unique(cell[equal & (texts.length[x] > 2)], return_index=True)[1]
    whole_pairs = cross.pair[equal & (texts.length[x] > 2)][whole]
    several = np.bincount(whole_pairs, minlength=len(short)) > 1
    return several & cross.all_left(equal | abbreviated, words.sizes[short])


def _long_family(pairs: Pairs) -> Mask:
    result: Mask = pairs.forms.texts.shorter(*pairs.families) > 5
    return result & ~pairs.both_given


# -- outcomes


def _whole(pairs: Pairs) -> Levels:
    named = (pairs.givens[0] > 0) & (pairs.families[0] > 0)
    return np.where(named, EQUAL, NO_GIVEN).astype(np.int8)


def _other_family(pairs: Pairs) -> Levels:
    """Given names agree, family names do not."""
    texts, (a, b) = pairs.forms.texts, pairs.families
    begun = prefixed(texts, a, b) & (texts.shorter(a, b) > 3)  # Smith, Smith-Jones
    levels = np.where(begun, SHORT_FORM, GIVEN_ONLY)
    return np.where(near(texts, a, b), CONFUSABLE, levels).astype(np.int8)


def _near_family(pairs: Pairs) -> Levels:
    return np.where(_given_levels(pairs) >= GIVEN_NEAR, GIVEN_NEAR, UNLIKE).astype(np.int8)


def _same_family(pairs: Pairs) -> Levels:
    """The levels of names with one family name."""
    forms = pairs.forms
    levels = np.full(len(pairs.a), NO_GIVEN, dtype=np.int8)
    rows = np.flatnonzero(pairs.both_given)
    levels[rows] = _given_levels(pairs.at(rows))
    rows = rows[levels[rows] >= INITIAL]
    pairs, level = pairs.at(rows), levels[rows]
    suffix_a, suffix_b = forms.suffix[pairs.a], forms.suffix[pairs.b]
    with_middle = _with_middle(pairs)
    apart = with_middle.copy()
    apart[apart] = ~_same_middle(pairs.at(apart))
    (given_a, given_b) = pairs.givens
    swapped = forms.middle.has(pairs.b, given_a) | forms.middle.has(pairs.a, given_b)
    middle = forms.middle_key
    other_middle = middle[pairs.a] != middle[pairs.b]
    level = np.select(
        [
            (suffix_a > 0) & (suffix_b > 0) & (suffix_a != suffix_b),
            apart & swapped & (level < EQUAL),
            apart,
            suffix_a != suffix_b,
            (level == EQUAL) & with_middle,
            (level == EQUAL) & other_middle,
        ],
        [CONFLICT, level, CONFLICT, SUFFIX, FULL, SCRIPT],
        level,
    )
    levels[rows] = level
    return levels


def _given_levels(pairs: Pairs) -> Levels:
    """The levels of given names under one family name."""
    return decide(pairs, _GIVEN_RULES, FAMILY_ONLY)


def _given_equal(pairs: Pairs) -> Mask:
    a, b = pairs.givens
    return a == b


def _equal_with_middle(pairs: Pairs) -> Mask:
    """Whether given and middle names are the same without blanks, where given names are not."""
    forms = pairs.forms
    result = (forms.middle.sizes[pairs.a] > 0) | (forms.middle.sizes[pairs.b] > 0)
    (given_a, given_b), first = pairs.givens, forms.texts.first
    result &= first[given_a] == first[given_b]
    written = forms.letters
    result &= written[pairs.a] == written[pairs.b]
    some = pairs.at(result)
    a, b = forms.given_and_middle(np.concatenate([some.a, some.b])).reshape(2, -1)
    result[result] = a == b
    return result


def _letter(pairs: Pairs) -> Mask:
    texts = pairs.forms.texts
    return texts.shorter(*pairs.givens) == 1


def _initial(pairs: Pairs) -> Levels:
    """A given name of one letter: of the other, or of a name that the other is short for."""
    texts, (a, b) = pairs.forms.texts, pairs.givens
    swap = texts.length[a] != 1
    short, long = np.where(swap, b, a), np.where(swap, a, b)
    names = texts.derived_lists(long, characters.given_set)
    rows = np.repeat(np.arange(len(long)), names.sizes)
    known = np.zeros(len(long), dtype=bool)
    known[rows[texts.first[names.values] == texts.first[short][rows]]] = True
    return np.where(known, INITIAL, FAMILY_ONLY).astype(np.int8)


def _related(pairs: Pairs) -> Mask:
    """Nicknames: of the given names, of their first words, or of a middle name."""
    forms = pairs.forms
    texts = forms.texts
    result = related(texts, *pairs.givens)
    first_a, first_b = forms.first_given[pairs.a], forms.first_given[pairs.b]
    other = (first_a != pairs.givens[0]) | (first_b != pairs.givens[1])
    rows = np.flatnonzero(~result & other & (texts.length[first_a] > 1))
    result[rows] = related(texts, first_a[rows], first_b[rows])
    for one, other in ((pairs.a, pairs.b), (pairs.b, pairs.a)):
        rows = np.flatnonzero(~result)
        middle = forms.middle.take(other[rows])
        middle = middle.only(texts.length[middle.values] > 1)
        owners = middle.owners()
        hit = related(texts, forms.given[one[rows]][owners], middle.values)
        result[rows[owners[hit]]] = True
    return result


def _pinyin(pairs: Pairs) -> tuple[Mask, Mask]:
    texts = pairs.forms.texts
    a, b = (texts.facts(given, characters.is_pinyin) for given in pairs.givens)
    return a, b


def _both_pinyin(pairs: Pairs) -> Mask:
    a, b = _pinyin(pairs)
    return a & b


def _chinese_and_english(pairs: Pairs) -> Mask:
    """One given name is pinyin under a family name that is, the other English."""
    texts = pairs.forms.texts
    a, b = _pinyin(pairs)
    result = a | b
    family, given = np.where(a, *pairs.families), pairs.givens
    result[result] = texts.facts(family[result], characters.is_pinyin)
    other = np.where(a, given[1], given[0])
    result[result] = texts.facts(other[result], characters.is_english_given)
    return result


def _similar(pairs: Pairs) -> Mask:
    texts, (a, b) = pairs.forms.texts, pairs.givens
    return texts.similar(a, b, 0.85) | ((texts.shorter(a, b) > 2) & prefixed(texts, a, b))


def _nearly_related(pairs: Pairs) -> Mask:
    """A slip of the pen is all that keeps a nickname from its name."""
    texts = pairs.forms.texts
    low, high, inverse = distinct_pairs(*pairs.givens)
    result = np.zeros(len(low), dtype=bool)
    for name, typed in ((low, high), (high, low)):
        rows = np.flatnonzero(~result & (texts.length[typed] > 3))
        names = texts.derived_lists(name[rows], characters.given_family)
        names = names.only(texts.length[names.values] > 3)
        owners = names.owners()
        hit = texts.within(names.values, typed[rows][owners], 1)
        result[rows[owners[hit]]] = True
    return result[inverse]


def _three_letters(pairs: Pairs) -> Mask:
    texts, (a, b) = pairs.forms.texts, pairs.givens
    result = (texts.first[a] == texts.first[b]) & (texts.length[a] == 3) & (texts.length[b] == 3)
    result[result] = texts.within(a[result], b[result], 1)
    return result


_RULES = (
    (_one_family, _same_family),
    (_one_key, _whole),
    (both(_partial, _one_of), NO_GIVEN),
    (both(_given, _changed_places), SHORT_FORM),
    (both(_given, _one_given), _other_family),
    (both(_given, _near_family_to_given, _near_given_to_family), BOTH_NEAR),
    (both(_given, _near_families, _near_givens), BOTH_NEAR),
    (_near_keys, CONFUSABLE),
    (both(_given, _near_families), _near_family),
    (both(_long_given, _shared_middle, _near_givens), GIVEN_ONLY),
    (_reordered, SHORT_FORM),
    (both(_long_family, _near_families), NO_GIVEN),
)
_GIVEN_RULES = (
    (_given_equal, EQUAL),
    (_equal_with_middle, SCRIPT),
    (_letter, _initial),
    (_related, SHORT_FORM),
    (_near_givens, CONFUSABLE),
    (_both_pinyin, FAMILY_ONLY),
    (_chinese_and_english, NO_GIVEN),
    (_similar, GIVEN_NEAR),
    (_nearly_related, GIVEN_NEAR),
    (_three_letters, GIVEN_NEAR),
)

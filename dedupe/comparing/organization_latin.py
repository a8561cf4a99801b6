"""Pairs of Latin names of organizations to levels.

What belongs here: words of brand and line of business against each other;
abbreviations, slips and acronyms.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dedupe.comparing.columns import Ints, Levels, Mask, Rows
from dedupe.comparing.deciding import both, decide
from dedupe.comparing.measures import Vocabulary, distinct_pairs
from dedupe.comparing.organization_columns import OrganizationColumns
from dedupe.comparing.organization_level import (
    ACRONYM,
    BRAND,
    CONFUSABLE,
    EQUAL,
    NEAR,
    NO_FORM,
    NO_INDUSTRY,
    OTHER_FORM,
    OTHER_INDUSTRY,
    OTHER_REGION,
    SHORT_FORM,
    UNLIKE,
    regions_agree,
    same_industry,
)


class Pairs(NamedTuple):
    """Pairs of Latin names.

    Attributes:
        forms: the names.
        a, b: rows of forms, one per pair.
        begun: how many words both begin with; slips and abbreviations count as the same word.
        exact: as begun, without slips.
    """

    forms: OrganizationColumns
    a: Rows
    b: Rows
    begun: Ints
    exact: Ints

    def at(self, rows: Rows | Mask) -> "Pairs":
        """Some of the pairs."""
        return Pairs(self.forms, self.a[rows], self.b[rows], self.begun[rows], self.exact[rows])

    def codes(self, part: str) -> tuple[Ints, Ints]:
        """Codes of a part of both names."""
        column = getattr(self.forms, part)
        return column[self.a], column[self.b]

    @property
    def sizes(self) -> tuple[Ints, Ints]:
        """How many words each has."""
        return self.forms.words.sizes[self.a], self.forms.words.sizes[self.b]

    @property
    def ordered(self) -> tuple[Rows, Rows]:
        """Of each pair the name of fewer words, and the other."""
        swap = self.sizes[0] > self.sizes[1]
        return np.where(swap, self.b, self.a), np.where(swap, self.a, self.b)


def compare(forms: OrganizationColumns, left: Rows, right: Rows) -> Levels:
    """The levels of pairs of Latin names whose keys differ.

    Args:
        forms: prepared names.
        left, right: rows of forms, one per pair.
    """
    none = np.zeros(len(left), dtype=np.int64)
    pairs = Pairs(forms, left, right, none, none)
    levels = decide(pairs, _FIRST, _OPEN)
    rows = np.flatnonzero(levels == _OPEN)
    pairs = pairs.at(rows)
    begun, exact = _common_start(forms, pairs.a, pairs.b)
    levels[rows] = decide(pairs._replace(begun=begun, exact=exact), _RULES, UNLIKE)
    return levels


_OPEN = -1


# -- words


def _common_start(forms: OrganizationColumns, a: Rows, b: Rows) -> tuple[Ints, Ints]:
    """How many words pairs begin with together, with and without slips."""
    words = forms.words
    sizes = np.minimum(words.sizes[a], words.sizes[b])
    pair = np.repeat(np.arange(len(a)), sizes)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    x, y = words.values[words.starts[a][pair] + place], words.values[words.starts[b][pair] + place]
    low, high, inverse = distinct_pairs(x, y)
    exact = (low == high) | _abbreviates(forms.texts, low, high)
    near = exact.copy()
    rows = np.flatnonzero(~near)
    near[rows] = forms.texts.slips(low[rows], high[rows], 10)
    ways = []
    for same in (near[inverse], exact[inverse]):
        count = sizes.copy()
        np.minimum.at(count, pair[~same], place[~same])
        ways.append(count)
    return ways[0], ways[1]


def _abbreviates(texts: Vocabulary, a: Ints, b: Ints) -> Mask:
    """Whether one Latin word is the other shortened: svcs for services, tech for technologies.

    >>> words = Vocabulary()
    >>> pairs = words.codes(["svcs", "tech", "a"]), words.codes(["services", "technologies", "b"])
    >>> _abbreviates(words, *pairs).tolist()
    [True, True, False]
    """
    short, long = texts.ordered(a, b)
    result = (texts.length[short] > 2) & (texts.length[short] < texts.length[long])
    result &= texts.first[short] == texts.first[long]
    rows = np.flatnonzero(result)
    short, long = short[rows], long[rows]
    found = texts.starts(long, short)
    rest = np.flatnonzero(~found & (texts.last[short] == texts.last[long]))
    found[rest] = texts.in_order(short[rest], long[rest])
    result[rows] = found
    return result


def _same_line(pairs: Pairs) -> Mask:
    """Whether two names of one brand are of one line of business as written.

    Their codes alone do not tell: a bakery and a food wholesaler of one name are two firms.
    """
    texts, line = pairs.forms.texts, pairs.forms.line
    swap = line.sizes[pairs.a] > line.sizes[pairs.b]
    fewer, more = np.where(swap, pairs.b, pairs.a), np.where(swap, pairs.a, pairs.b)
    cross = line.cross(fewer, line, more)
    low, high, inverse = distinct_pairs(cross.left, cross.right)
    stem = [texts.derived(codes, lambda word: word[:6]) for codes in (low, high)]
    same = (stem[0] == stem[1]) | _abbreviates(texts, low, high)
    rows = np.flatnonzero(~same)
    same[rows] = texts.slips(low[rows], high[rows], 10)
    written = cross.all_left(same[inverse], line.sizes[fewer])
    return written & _by_value(texts, *pairs.codes("industry"), same_industry)


def _by_value(texts: Vocabulary, a: Ints, b: Ints, function: Callable[[str, str], bool]) -> Mask:
    """A test of regions or lines of business, of which there are few, per distinct pair."""
    low, high, inverse = distinct_pairs(a, b)
    found = [function(x, y) for x, y in zip(texts.values[low], texts.values[high], strict=True)]
    result: Mask = np.array(found, dtype=bool)[inverse]
    return result


# -- tests


def _wordless(pairs: Pairs) -> Mask:
    return (pairs.sizes[0] == 0) | (pairs.sizes[1] == 0)


def _other_region(pairs: Pairs) -> Mask:
    a, b = pairs.codes("region")
    result = (a > 0) & (b > 0) & (a != b)
    result[result] = ~_by_value(pairs.forms.texts, a[result], b[result], regions_agree)
    return result


def _one_text(pairs: Pairs) -> Mask:
    a, b = pairs.codes("joined")
    return a == b


def _one_size(pairs: Pairs) -> Mask:
    return pairs.sizes[0] == pairs.sizes[1]


def _all_exact(pairs: Pairs) -> Mask:
    return pairs.exact == pairs.sizes[0]


def _all_near(pairs: Pairs) -> Mask:
    return pairs.begun == pairs.sizes[0]


def _near_keys(pairs: Pairs) -> Mask:
    texts, (a, b), (x, y) = pairs.forms.texts, pairs.codes("key"), pairs.codes("industry")
    result = ((x == 0) | (y == 0)) & (texts.shorter(a, b) > 9)
    result[result] = texts.slips(a[result], b[result], 10)
    return result


def _acronym(pairs: Pairs) -> Mask:
    """Whether one name is the first letters of the other's words."""
    forms, texts = pairs.forms, pairs.forms.texts
    result = np.zeros(len(pairs.a), dtype=bool)
    for short, long in ((pairs.a, pairs.b), (pairs.b, pairs.a)):
        length = texts.length[forms.joined[short]]
        rows = np.flatnonzero(
            (forms.words.sizes[short] == 1) & (length > 1) & (length < 6) & ~result
        )
        ways = forms.initials(long[rows])
        owner = ways.owners()
        hit = texts.starts(ways.values, forms.joined[short[rows]][owner])
        result[rows[owner[hit]]] = True
    return result


def _begins(pairs: Pairs) -> Mask:
    return pairs.begun == np.minimum(*pairs.sizes)


def _brands_known(pairs: Pairs) -> Mask:
    a, b = pairs.codes("brand_words")
    return (a > 0) & (b > 0)


def _one_brand(pairs: Pairs) -> Mask:
    a, b = pairs.codes("brand")
    return a == b


def _near_brands(pairs: Pairs) -> Mask:
    return pairs.forms.texts.slips(*pairs.codes("brand"), 10)


def _known_and_other(pairs: Pairs) -> tuple[Rows, Rows]:
    swap = pairs.forms.brand_words[pairs.a] == 0
    return np.where(swap, pairs.b, pairs.a), np.where(swap, pairs.a, pairs.b)


def _begins_with_brand(pairs: Pairs) -> Mask:
    """Both begin with the brand of the one whose brand is known."""
    a, b = pairs.codes("brand_words")
    known, _ = _known_and_other(pairs)
    one = ((a > 0) != (b > 0)) & (pairs.begun > 0)
    return one & (pairs.begun >= pairs.forms.brand_words[known])


def _but_last(pairs: Pairs) -> Mask:
    """Brands unknown, and all words but the last are the same."""
    a, b = pairs.codes("brand_words")
    size = pairs.sizes[0]
    same = (size == pairs.sizes[1]) & (pairs.begun >= np.maximum(1, size - 1))
    return (a == 0) & (b == 0) & same


def _near_texts(pairs: Pairs) -> Mask:
    texts, (a, b) = pairs.forms.texts, pairs.codes("joined")
    result = texts.length[a] > 7
    result[result] = texts.slips(a[result], b[result], 10)
    return result


def _held(pairs: Pairs) -> Mask:
    """Each of two words or more of one name is in the other."""
    words = pairs.forms.words
    short, long = pairs.ordered
    rows = np.flatnonzero(words.sizes[short] > 1)
    cross = words.cross(short[rows], words, long[rows])
    result = np.zeros(len(pairs.a), dtype=bool)
    result[rows] = cross.all_left(cross.left == cross.right, words.sizes[short[rows]])
    return result


def _similar(pairs: Pairs) -> Mask:
    texts, (a, b) = pairs.forms.texts, pairs.codes("joined")
    result = texts.first[a] == texts.first[b]
    result[result] = texts.ratio(a[result], b[result], 0.8)
    return result


# -- outcomes


def _apart(pairs: Pairs) -> Levels:
    return np.where(_one_brand(pairs), OTHER_REGION, UNLIKE).astype(np.int8)


def _form_levels(pairs: Pairs) -> Levels:
    """The levels of names that differ in nothing but the legal form."""
    a, b = pairs.codes("legal_form")
    levels = np.where(a == b, EQUAL, OTHER_FORM)
    return np.where((a > 0) != (b > 0), NO_FORM, levels).astype(np.int8)


def _text_levels(pairs: Pairs) -> Levels:
    a, b = pairs.codes("region")
    levels = _form_levels(pairs)
    return np.where(a != b, np.minimum(levels, NO_FORM), levels).astype(np.int8)


def _word_levels(pairs: Pairs) -> Levels:
    return np.minimum(_form_levels(pairs), NO_FORM)


def _begun_levels(pairs: Pairs) -> Levels:
    short, _ = pairs.ordered
    told = (pairs.forms.legal_form[short] > 0) | (pairs.forms.brand_words[short] > 0)
    return np.where(told, NO_INDUSTRY, BRAND).astype(np.int8)


def _brand_levels(pairs: Pairs) -> Levels:
    return np.where(_same_line(pairs), _word_levels(pairs), OTHER_INDUSTRY).astype(np.int8)


def _near_brand_levels(pairs: Pairs) -> Levels:
    return np.where(_same_line(pairs), CONFUSABLE, NEAR).astype(np.int8)


def _line_levels(pairs: Pairs) -> Levels:
    known, other = _known_and_other(pairs)
    more = pairs.forms.words.sizes[other] > pairs.forms.brand_words[known]
    return np.where(more, OTHER_INDUSTRY, NO_INDUSTRY).astype(np.int8)


_FIRST = (
    (_wordless, UNLIKE),
    (_other_region, _apart),
    (_one_text, _text_levels),
)
_RULES = (
    (both(_one_size, _all_exact), _word_levels),
    (both(_one_size, _all_near), CONFUSABLE),
    (_near_keys, CONFUSABLE),
    (_acronym, ACRONYM),
    (_begins, _begun_levels),
    (both(_brands_known, _one_brand), _brand_levels),
    (both(_brands_known, _near_brands), _near_brand_levels),
    (_begins_with_brand, _line_levels),
    (_but_last, OTHER_INDUSTRY),
    (_near_texts, CONFUSABLE),
    (_held, SHORT_FORM),
    (_similar, NEAR),
)

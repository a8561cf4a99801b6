"""Distances between texts for whole arrays of pairs, in compiled code.

What belongs here: what two texts have in common, letter by letter. Texts are
named by codes; -1 is the empty text.

>>> texts = Texts(["mainst", "mainstreet", "minast"])
>>> texts.starts(np.array([1, 1]), np.array([0, 2])).tolist()
[True, False]
>>> texts.within(np.array([0]), np.array([2]), 2).tolist()
[True]
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import OSA, JaroWinkler, LCSseq, Levenshtein, Postfix, Prefix
from rapidfuzz.process import cpdist

from dedupe.comparing.columns import Ints, Levels, Mask, Rows
from dedupe.comparing.ragged import Ragged


class Texts:
    """Texts of codes 0, 1, 2, ..., and of -1 the empty one.

    Attributes:
        values: the texts.
        length: letters of each.
    """

    def __init__(self, values: Sequence[str] | np.ndarray) -> None:
        self.values = np.empty(len(values) + 1, dtype=object)
        self.values[:-1] = values
        self.values[-1] = ""
        self.length = np.fromiter(map(len, self.values), np.int32, len(self.values))
        self._known: dict[str, np.ndarray] = {}

    @property
    def ascii(self) -> Mask:
        """Whether each is plain ASCII."""
        return self._fact("ascii", lambda texts: np.fromiter(map(str.isascii, texts), np.bool_))

    @property
    def first(self) -> Ints:
        """Code point of each one's first letter, 0 if empty."""
        return self._fact("first", _code_points)

    @property
    def last(self) -> Ints:
        """Code point of each one's last letter, 0 if empty."""
        return self._fact("last", lambda texts: _code_points([text[-1:] for text in texts]))

    def _fact(self, name: str, function: Callable[[list[str]], np.ndarray]) -> np.ndarray:
        """What a function says of each text, when first asked for, and again for new texts."""
        known = self._known.get(name)
        if known is None:
            known = function(self.values.tolist())
        elif len(known) < len(self.values):
            more = function(self.values[len(known) - 1 :].tolist())
            known = np.concatenate([known[:-1], more])
        self._known[name] = known
        return known

    def shorter(self, a: Ints, b: Ints) -> Ints:
        """Length of the shorter text of each pair."""
        return np.minimum(self.length[a], self.length[b])

    def ordered(self, a: Ints, b: Ints) -> tuple[Ints, Ints]:
        """The shorter and the longer text of each pair; of equal ones the first first."""
        swap = self.length[a] > self.length[b]
        return np.where(swap, b, a), np.where(swap, a, b)

    def within(self, a: Ints, b: Ints, slips: "Ints | int") -> Mask:
        """Where at most so many letters are lost, added, changed or swapped.

        Args:
            slips: per pair or for all, 2 at most.
        """
        gap = np.abs(self.length[a] - self.length[b])
        near = gap <= slips
        distance = self._measure(OSA.distance, a[near], b[near], score_cutoff=2)
        result: Mask = np.zeros(len(a), dtype=bool)
        result[near] = distance <= (slips if isinstance(slips, int) else slips[near])
        return result

    def common_start(self, a: Ints, b: Ints) -> Ints:
        """How many letters both begin with."""
        return self._measure(Prefix.similarity, a, b)

    def starts(self, long: Ints, short: Ints) -> Mask:
        """Where the first text begins with the second."""
        result: Mask = self.common_start(long, short) == self.length[short]
        return result

    def ends(self, long: Ints, short: Ints) -> Mask:
        """Where the first text ends with the second."""
        result: Mask = self._measure(Postfix.similarity, long, short) == self.length[short]
        return result

    def in_order(self, short: Ints, long: Ints) -> Mask:
        """Where the letters of the first text stand in the second in the same order."""
        result: Mask = self._measure(LCSseq.similarity, short, long) == self.length[short]
        return result

    def contains(self, long: Ints, short: Ints) -> Mask:
        """Where the second text stands in the first as it is."""
        found = [y in x for x, y in zip(self.values[long], self.values[short], strict=True)]
        return np.array(found, dtype=bool)

    def similar(self, a: Ints, b: Ints, least: float) -> Mask:
        """Where the Jaro-Winkler similarity is at least so much."""
        result: Mask = self._measure(JaroWinkler.similarity, a, b) >= least
        return result

    def slips(self, a: Ints, b: Ints, long_from: int) -> Mask:
        """Where texts of four letters or more differ by one slip, by two from a length on."""
        longest = np.maximum(self.length[a], self.length[b])
        result = longest > 3
        allowed = np.where(longest[result] >= long_from, 2, 1)
        result[result] = self.within(a[result], b[result], allowed)
        return result

    def ratio(self, a: Ints, b: Ints, least: float) -> Mask:
        """Where the normalized Levenshtein similarity is at least so much."""
        scorer = Levenshtein.normalized_similarity
        result: Mask = self._measure(scorer, a, b, score_cutoff=least) >= least
        return result

    def _measure(self, scorer: Any, a: Ints, b: Ints, **options: Any) -> np.ndarray:
        if not len(a):
            return np.zeros(0)
        left, right = self.values[a].tolist(), self.values[b].tolist()
        return np.asarray(cpdist(left, right, scorer=scorer, **options))


_NOTHING = np.zeros(0, dtype=np.int64), Ragged.of([])


class Vocabulary(Texts):
    """Texts that get their codes as they come; code 0 is the empty text.

    >>> words = Vocabulary()
    >>> words.codes(["ann", "", "lee", "ann"]).tolist()
    [1, 0, 2, 1]
    >>> Vocabulary(pa.array(["ann", "lee"]), pa.array(["lee", None])).columns[1].tolist()
    [2, 0]
    """

    def __init__(self, *columns: pa.Array) -> None:
        """Make it of the texts of some columns, whose codes are in :attr:`columns`."""
        whole = pa.concat_arrays([pa.array([""]), *columns]).dictionary_encode()
        super().__init__(whole.dictionary.to_numpy(zero_copy_only=False))
        every = np.asarray(whole.indices.fill_null(0))
        ends = np.cumsum([1, *map(len, columns)])
        self._lists: dict[Callable[[str], Collection[str]], tuple[Rows, Ragged]] = {}
        self._derived: dict[Callable[[str], str], Ints] = {}
        self.columns: list[Ints] = [every[a:b] for a, b in pairwise(ends.tolist())]
        """The code of each text of each column it was made of; null is the empty text."""

    @cached_property
    def _number(self) -> dict[str, int]:
        """The code of each known text."""
        texts = self.values[:-1].tolist()
        return dict(zip(texts, range(len(texts)), strict=True))

    def codes(self, values: Iterable[str]) -> Ints:
        """The code of each text."""
        number = self._number
        found = [number.setdefault(value, len(number)) for value in values]
        known = len(self.values) - 1
        if len(number) > known:
            more = Texts(list(islice(number, known, None)))
            self.values = np.concatenate([self.values[:-1], more.values])
            self.length = np.concatenate([self.length[:-1], more.length])
        return np.array(found, dtype=np.int32)

    def facts(self, codes: Ints, function: Callable[[str], Any], kind: Any = bool) -> np.ndarray:
        """A function of each text, called once per distinct text."""
        distinct, inverse = distinct_codes(codes)
        found = [function(value) for value in self.values[distinct]]
        return np.array(found, dtype=kind)[inverse]

    def derived(self, codes: Ints, function: Callable[[str], str]) -> Ints:
        """The codes of a function of each text, called once per text and function."""
        known = _longer(self._derived.get(function, _NOTHING[0]), len(self.values))
        distinct = distinct_codes(codes[known[codes] < 0])[0]
        if len(distinct):
            known[distinct] = self.codes([function(value) for value in self.values[distinct]])
        self._derived[function] = known
        return known[codes]

    def derived_lists(self, codes: Ints, function: Callable[[str], Collection[str]]) -> Ragged:
        """The codes of a list of texts for each text, looked up once per text and function."""
        row, known = self._lists.get(function, _NOTHING)
        row = _longer(row, len(self.values))
        distinct = distinct_codes(codes[row[codes] < 0])[0]
        if len(distinct):
            lists = [function(value) for value in self.values[distinct]]
            sizes = np.array([len(found) for found in lists], dtype=np.int64)
            flat = self.codes(value for found in lists for value in found)
            row[distinct] = np.arange(len(distinct)) + len(known.sizes)
            more = np.append(known.sizes, sizes), np.append(known.values, flat)
            known = Ragged.sized(*more)
        self._lists[function] = row, known
        return known.take(row[codes])

    def run_together(self, lists: Ragged) -> Ints:
        """The code of the texts of each list, joined without blanks."""
        first = np.zeros(len(lists.sizes), dtype=np.int32)
        filled = lists.sizes > 0
        first[filled] = lists.values[lists.starts[filled]]
        several = np.flatnonzero(lists.sizes > 1)
        words = self.values[lists.values].tolist()
        ends = lists.starts + lists.sizes
        pairs = zip(lists.starts[several].tolist(), ends[several].tolist(), strict=True)
        first[several] = self.codes("".join(words[start:end]) for start, end in pairs)
        return first

    def letters(self, codes: Ints) -> np.ndarray:
        """Code points of each text: (texts, longest), filled with zeros."""
        width = max(int(self.length[codes].max(initial=0)), 1)
        written = self.values[codes].astype(f"U{width}")
        return written.view(np.uint32).reshape(len(codes), width)


def _longer(codes: Ints, size: int) -> Ints:
    """Codes with so many more, which are -1, as there are to be."""
    return codes if len(codes) >= size else np.append(codes, np.full(size - len(codes), -1))


def list_sizes(values: pa.ListArray) -> Ints:
    """The length of each list; null is the empty list."""
    return np.asarray(pc.fill_null(pc.list_value_length(values), 0), dtype=np.int64)


def _code_points(texts: list[str]) -> np.ndarray:
    """The code point of each one's first letter, 0 if empty."""
    return np.array(texts, dtype="U1").view(np.uint32).astype(np.int32)


def distinct_codes(codes: Ints) -> tuple[Ints, Rows]:
    """As np.unique with the inverse, for codes from 0 on: without sorting.

    >>> distinct_codes(np.array([7, 3, 7]))
    (array([3, 7]), array([1, 0, 1]))
    """
    size = int(codes.max(initial=-1)) + 1
    if size > 20 * len(codes) + 1000:
        return np.unique(codes, return_inverse=True)
    there = np.zeros(size, dtype=bool)
    there[codes] = True
    distinct = np.flatnonzero(there)
    place = np.zeros(size, dtype=np.int64)
    place[distinct] = np.arange(len(distinct))
    return distinct, place[codes]


def distinct_pairs(left: Ints, right: Ints) -> tuple[Ints, Ints, Rows]:
    """Every pair of codes once, the lower code first, and which one each pair is.

    >>> distinct_pairs(np.array([1, 2, 0]), np.array([0, 2, 1]))
    (array([0, 2]), array([1, 2]), array([0, 1, 0]))
    """
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right).astype(np.int64)
    size = int(high.max(initial=0)) + 1
    distinct, inverse = np.unique(low * size + high, return_inverse=True)
    return distinct // size, distinct % size, inverse


def levels_of(
    left: Ints, right: Ints, where: Mask, function: Callable[[Ints, Ints], Levels]
) -> Levels:
    """A symmetric function of codes, called once with all distinct pairs of them.

    Args:
        left, right: codes; -1 is missing.
        where: pairs that are wanted.

    Returns:
        one level per pair, -1 where it is not wanted or either code is missing.
    """
    result = np.full(len(left), -1, dtype=np.int8)
    both = where & (left >= 0) & (right >= 0)
    if both.any():
        a, b, inverse = distinct_pairs(left[both], right[both])
        result[both] = function(a, b)[inverse]
    return result

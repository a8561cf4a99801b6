"""Distances between texts for whole arrays of pairs, in compiled code.

What belongs here: what two texts have in common, letter by letter. Texts are
named by codes; -1 is the empty text.

>>> texts = Texts(["mainst", "mainstreet", "minast"])
>>> texts.starts(np.array([1, 1]), np.array([0, 2])).tolist()
[True, False]
>>> texts.within(np.array([0]), np.array([2]), 2).tolist()
[True]
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rapidfuzz.distance import OSA, LCSseq, Levenshtein, Postfix, Prefix
from rapidfuzz.process import cpdist

from dedupe.comparing.columns import Ints, Levels, Mask, Rows


class Texts:
    """Texts of codes 0, 1, 2, ..., and of -1 the empty one."""

    def __init__(self, values: Sequence[str]) -> None:
        self.values = np.empty(len(values) + 1, dtype=object)
        self.values[:-1] = values
        self.values[-1] = ""
        self.length = np.fromiter(map(len, self.values), np.int32, len(self.values))
        self.ascii = np.fromiter((value.isascii() for value in self.values), bool, len(self.values))

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

    def ratio(self, a: Ints, b: Ints, least: float) -> Mask:
        """Where the normalized Levenshtein similarity is at least so much."""
        scorer = Levenshtein.normalized_similarity
        result: Mask = self._measure(scorer, a, b, score_cutoff=least) >= least
        return result

    def _measure(self, scorer: Any, a: Ints, b: Ints, **options: float) -> np.ndarray:
        if not len(a):
            return np.zeros(0)
        left, right = self.values[a].tolist(), self.values[b].tolist()
        return np.asarray(cpdist(left, right, scorer=scorer, **options))


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

"""Lists of codes of different lengths, one per row, in two arrays.

What belongs here: what two lists have in common, for whole arrays of pairs of lists.

>>> lists = Ragged.of([[3, 4], [], [4, 5, 6]])
>>> lists.share(np.array([0, 0]), lists, np.array([2, 1])).tolist()
[True, False]
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from dedupe.comparing.columns import Ints, Mask, Rows


class Cross(NamedTuple):
    """Every item of a left list with every item of the right one, for pairs of lists.

    Attributes:
        pair: which pair, ascending.
        place: place of the left item in its list.
        left, right: the items.
    """

    pair: Rows
    place: Rows
    left: Ints
    right: Ints

    def any(self, hit: Mask, pairs: int) -> Mask:
        """Pairs with a hit."""
        found = np.zeros(pairs, dtype=bool)
        found[self.pair[hit]] = True
        return found

    def all_left(self, hit: Mask, sizes: Ints) -> Mask:
        """Pairs where each left item has a hit.

        Args:
            hit: per item of this.
            sizes: length of each pair's left list.
        """
        width = int(sizes.max(initial=0)) + 1
        met = np.unique(self.pair[hit] * width + self.place[hit]) // width
        every: Mask = np.bincount(met, minlength=len(sizes)) == sizes
        return every


class Ragged(NamedTuple):
    """Lists of codes.

    Attributes:
        starts, sizes: per row, where its list begins in values and how long it is.
        values: the codes.
    """

    starts: Rows
    sizes: Ints
    values: Ints

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> "Ragged":
        """From one list of codes per row."""
        sizes = np.fromiter(map(len, lists), np.int64, len(lists))
        flat = np.fromiter((code for codes in lists for code in codes), np.int32, sizes.sum())
        return cls.sized(sizes, flat)

    @classmethod
    def sized(cls, sizes: Ints, values: Ints) -> "Ragged":
        """From the length of each list and all codes one after another."""
        return cls(np.cumsum(sizes) - sizes, np.asarray(sizes, dtype=np.int64), values)

    def owners(self) -> Rows:
        """The row of each value, if the lists stand in the order of the rows."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def sums(self, numbers: Ints) -> Ints:
        """The sum of each list.

        Args:
            numbers: one per value.
        """
        ends = np.append(0, np.cumsum(numbers, dtype=np.int64))
        sums: Ints = ends[self.starts + self.sizes] - ends[self.starts]
        return sums

    def only(self, keep: Mask) -> "Ragged":
        """The lists without the values that are not to be kept, in the order of the rows."""
        sizes = np.bincount(self.owners()[keep], minlength=len(self.sizes))
        return Ragged.sized(sizes, self.values[keep])

    def take(self, rows: Rows) -> "Ragged":
        """The lists of some rows, in their order."""
        sizes = self.sizes[rows]
        return Ragged.sized(sizes, self.values[_places(self.starts[rows], sizes)])

    def cross(self, rows: Rows, other: "Ragged", other_rows: Rows) -> Cross:
        """Every item of one list with every item of the other, per pair of rows."""
        left, right = self.sizes[rows], other.sizes[other_rows]
        total = left * right
        pair = np.repeat(np.arange(len(rows)), total)
        number = _places(np.zeros(len(rows), dtype=np.int64), total)
        place = number // right[pair] if len(pair) else number
        own = self.values[self.starts[rows][pair] + place]
        others = other.values[other.starts[other_rows][pair] + number - place * right[pair]]
        return Cross(pair, place, own, others)

    def share(self, rows: Rows, other: "Ragged", other_rows: Rows) -> Mask:
        """Pairs of rows whose lists have an item in common."""
        cross = self.cross(rows, other, other_rows)
        return cross.any(cross.left == cross.right, len(rows))

    def has(self, rows: Rows, codes: Ints) -> Mask:
        """Where a row's list has a code."""
        sizes = self.sizes[rows]
        pair = np.repeat(np.arange(len(rows)), sizes)
        hit = self.values[_places(self.starts[rows], sizes)] == codes[pair]
        found = np.zeros(len(rows), dtype=bool)
        found[pair[hit]] = True
        return found


def _places(starts: Rows, sizes: Ints) -> Rows:
    """start, start + 1, ... of each, as many as its size, one after another."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - sizes, sizes) + np.repeat(starts, sizes)


def joined(parts: Iterable[Ragged]) -> Ragged:
    """The lists of several, row by row one after another."""
    parts = list(parts)
    owners = np.concatenate([part.owners() for part in parts])
    values = np.concatenate([part.values for part in parts])
    sizes = np.sum([part.sizes for part in parts], axis=0)
    return Ragged.sized(sizes, values[np.argsort(owners, kind="stable")])

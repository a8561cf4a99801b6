"""Rows that share a key, group by group.

What belongs here: keys of one kind to groups of rows, by sorting numbers. A group is where its
rows begin and how many they are, so that groups may be left out, and others put beside them,
without a row being moved.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int32]
Ints = npt.NDArray[np.int64]


class Groups(NamedTuple):
    """Groups of rows.

    Attributes:
        row: int32, rows of the groups, ascending within each, each once; others may be among them.
        start: int64, where each group's rows begin.
        size: int32, how many rows each group has.
    """

    row: Rows
    start: Ints
    size: Rows

    @classmethod
    def of(cls, row: Rows, size: npt.NDArray[np.integer]) -> "Groups":
        """Groups whose rows follow each other."""
        return cls(row, np.cumsum(size, dtype=np.int64) - size, size.astype(np.int32))

    def where(self, mask: npt.NDArray[np.bool_]) -> "Groups":
        """Some of the groups."""
        return Groups(self.row, self.start[mask], self.size[mask])

    def rows(self) -> Rows:
        """The rows of group after group."""
        at = np.repeat(self.start - (np.cumsum(self.size, dtype=np.int64) - self.size), self.size)
        at += np.arange(len(at))
        return self.row.take(at)

    def together(self) -> "Groups":
        """The same groups, whose rows follow each other, without other rows."""
        return Groups.of(self.rows(), self.size)


def grouped(block: Hashes, row: npt.NDArray[np.integer]) -> tuple[Hashes, Groups]:
    """Group rows by block: the blocks, ascending, each once, and their rows."""
    places = order(block)
    return _grouped(block[places], row[places])


def shared(block: Hashes, row: npt.NDArray[np.integer]) -> Groups:
    """Group rows by block, leaving out blocks of one row."""
    places = order_of_shared(block)
    _, groups = _grouped(block[places], row[places])
    return groups.where(groups.size > 1)


def _grouped(block: Hashes, row: npt.NDArray[np.integer]) -> tuple[Hashes, Groups]:
    """Group rows whose equal blocks follow each other."""
    first = starts(block)
    # Sorting number and row as one is far cheaper than sorting by two columns.
    both: Ints = np.cumsum(first, dtype=np.int64)
    both -= 1
    both <<= 32
    both |= row
    if np.any(both[1:] < both[:-1]):
        both.sort()
    both = both.take(np.flatnonzero(starts(both)))
    # A row number's bits are the lower half.
    return block[first], Groups.of(both.astype(np.int32), np.bincount(both >> 32))


def starts(values: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Where sorted values begin anew, in a byte per value.

    >>> starts(np.array([3, 3, 5, 7, 7])).tolist()
    [True, False, True, True, False]
    """
    found = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def order(block: Hashes) -> Ints:
    """The places of the blocks, such that equal ones follow each other, in their order.

    Sorting numbers is ten times as fast as finding the order of numbers: what is sorted is the
    block with its place instead of its lowest bits. Blocks that differ in these alone are rare.
    """
    placed, below = _placed(block)
    placed &= below
    return _told_apart(placed.view(np.int64), block, below)


def order_of_shared(block: Hashes) -> Ints:
    """As :func:`order`, without most places whose block stands nowhere else."""
    placed, below = _placed(block)
    same = (placed[1:] ^ placed[:-1]) <= below
    alike = np.zeros(len(block), dtype=bool)
    alike[1:] = same
    alike[:-1] |= same
    placed = placed.take(np.flatnonzero(alike))
    placed &= below
    return _told_apart(placed.view(np.int64), block, below)


def _placed(block: Hashes) -> tuple[Hashes, np.uint64]:
    """Blocks with their places instead of their lowest bits, sorted; and a mask of these bits."""
    below = np.uint64((1 << max(len(block) - 1, 0).bit_length()) - 1)
    placed = block & ~below
    placed |= np.arange(len(block), dtype=np.uint64)
    placed.sort()
    return placed, below


def _told_apart(places: Ints, block: Hashes, below: np.uint64) -> Ints:
    """Places in the order of :func:`_placed`, those of other lowest bits parted."""
    found = block[places]
    apart = found[1:] ^ found[:-1]
    if np.any((apart <= below) & (apart != 0)):
        places = places[np.argsort(found, kind="stable")]
    return places

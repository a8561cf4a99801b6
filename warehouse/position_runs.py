"""Positions that moved together: a row less in a file moves all below it by one.

What belongs here: positions as numbers, and runs of neighbors that moved by the same number.
A million positions of a file from which 3,000 rows went are 3,000 runs. Where runs are kept is
warehouse/moved.py's part.
"""

from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_BITS, _DIGITS = 40, 12
"""Bits of a place that are the number at its end, and how many digits that may have."""
_SPLIT = r"(?s)^(?P<head>.*?)(?P<number>0|[1-9][0-9]{0,11})?$"
_END = 1 << 30
_POWERS = 10 ** np.arange(1, _DIGITS + 2, dtype=np.int64)


@dataclass
class Places:
    """Positions as numbers: those in one file or sheet follow each other as they stand in it.

    >>> places = Places()
    >>> a, b, c, none = places.of(pa.chunked_array([["x|7", "x|9", "y|8", "the table"]])).tolist()
    >>> b - a, c > b, none < 0, places.texts(np.array([a + 1, c])).to_pylist()
    (2, True, True, ['x|8', 'y|8'])
    """

    _heads: dict[str, int] = field(default_factory=dict)

    def of(self, positions: pa.ChunkedArray) -> np.ndarray:
        """The place of every position, equal where the text is; below 0: it ends in no number."""
        found = [self._of(pc.fill_null(chunk, "")) for chunk in positions.chunks if len(chunk)]
        return np.concatenate([np.empty(0, np.int64), *found])

    def _of(self, positions: pa.Array) -> np.ndarray:
        ends = pc.min_max(positions)
        first, last = ends["min"].as_py(), ends["max"].as_py()
        same = takewhile(lambda two: two[0] == two[1], zip(first, last, strict=False))
        head = "".join(one for one, _ in same).rstrip("0123456789")
        # Nearly always all are of one file, and the rest of each is a number.
        start = len(head.encode())
        rest = pc.binary_slice(positions.cast(pa.binary()), start, _END).cast(pa.string())
        digits = np.asarray(pc.binary_length(rest))
        if digits.min() >= 1 and digits.max() <= _DIGITS:
            try:
                numbers = np.asarray(rest.cast(pa.int64()))
            except pa.ArrowInvalid:
                pass
            else:
                as_written = np.searchsorted(_POWERS, numbers, side="right") + 1 == digits
                if as_written.all() and numbers.min() >= 0:
                    return numbers + (self._code(head) << _BITS)
        split = pc.extract_regex(positions, _SPLIT)
        heads = split.field("head").dictionary_encode()
        codes = np.array([self._code(one) for one in heads.dictionary.to_pylist()], np.int64)
        code, number = codes[np.asarray(heads.indices)], split.field("number")
        none = np.asarray(pc.equal(number, ""))
        numbers = np.asarray(pc.if_else(none, "0", number).cast(pa.int64()))
        return np.where(none, -1 - code, (code << _BITS) + numbers)

    def _code(self, head: str) -> int:
        return self._heads.setdefault(head, len(self._heads))

    def split(self, places: np.ndarray) -> tuple[pa.Array, np.ndarray]:
        """What stands before the number of each place, and the number."""
        heads = pa.array([*self._heads], pa.string()).take(pa.array(places >> _BITS))
        return heads, places & (1 << _BITS) - 1

    def joined(self, heads: pa.ChunkedArray, numbers: pa.ChunkedArray) -> np.ndarray:
        """The inverse of :meth:`split`, of columns as text."""
        codes = [self._code(one) for one in heads.to_pylist()]
        return (np.array(codes, np.int64) << _BITS) + np.asarray(numbers.cast(pa.int64()))

    def texts(self, places: np.ndarray) -> pa.Array:
        """The positions that have these places, all of them with a number."""
        heads, numbers = self.split(places)
        return pc.binary_join_element_wise(heads, pa.array(numbers).cast(pa.string()), "")


@dataclass(frozen=True)
class Runs:
    """Places that moved together; no two runs share a place, before or after.

    Attributes:
        first, last: of each run, before; ascending.
        shift: by how much its places moved.
    """

    first: np.ndarray
    last: np.ndarray
    shift: np.ndarray

    @property
    def inverse(self) -> "Runs":
        """What leads back."""
        at = np.argsort(self.first + self.shift)
        shift = self.shift[at]
        return Runs(self.first[at] + shift, self.last[at] + shift, -shift)

    def shifts(self, places: np.ndarray) -> np.ndarray:
        """By how much each place moves: 0 where it is in no run."""
        if not len(self.first):
            return np.zeros(len(places), np.int64)
        at = np.maximum(np.searchsorted(self.first, places, side="right") - 1, 0)
        inside = (places >= self.first[at]) & (places <= self.last[at])
        return np.where(inside, self.shift[at], 0)


def found(before: np.ndarray, now: np.ndarray, least: int) -> tuple[Runs, np.ndarray]:
    """The runs of places that moved.

    Args:
        before, now: the place of every record that the runs are to tell.
        least: so many records that follow each other in both ways make a run.

    Returns:
        the runs, and which records they tell wrong: those are to be kept one by one. A record
        that is in no run stands where it stood.
    """
    alone = before != now
    rows = np.flatnonzero((before >= 0) & (now >= 0))
    # Of several records at one place nothing can be told by the place.
    tied = rows[_tied(before[rows]) | _tied(now[rows])]
    alone[tied] = True
    if len(tied):
        rows = np.setdiff1d(rows, tied, assume_unique=True)
    if not len(rows):
        return NONE, alone
    rank = np.empty(len(rows), np.int64)
    rank[_order(now[rows])] = np.arange(len(rows))
    at = _order(before[rows])
    rows, rank = rows[at], rank[at]
    place = before[rows]
    shift = now[rows] - place
    parts = (np.diff(shift) != 0) | (np.diff(rank) != 1) | (np.diff(place >> _BITS) != 0)
    starts = np.concatenate([[0], np.flatnonzero(parts) + 1])
    ends = np.concatenate([starts[1:], [len(rows)]]) - 1
    long = (ends - starts + 1 >= least) & (shift[starts] != 0)
    for start, end in zip(starts[long].tolist(), ends[long].tolist(), strict=True):
        alone[rows[start : end + 1]] = False
    return Runs(place[starts[long]], place[ends[long]], shift[starts[long]]), alone


def _order(places: np.ndarray) -> np.ndarray:
    if (np.diff(places) >= 0).all():  # as nearly always
        return np.arange(len(places))
    return np.argsort(places, kind="stable")


def _tied(places: np.ndarray) -> np.ndarray:
    """Which places are there more than once."""
    at = _order(places)
    same = np.diff(places[at]) == 0
    if not same.any():
        return np.zeros(len(places), bool)
    tied = np.zeros(len(places), bool)
    tied[at[1:][same]] = True
    tied[at[:-1][same]] = True
    return tied


NONE = Runs(*(np.empty(0, np.int64) for _ in range(3)))

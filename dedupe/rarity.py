"""How much an agreeing value is worth by itself: rare ones more, common ones less.

A match on 欧阳清涵 says more than one on 王伟, and a switchboard that fourteen
customers share says little. Given that two records agree, a value with count
c is expected with probability proportional to c among matches and to c squared
among chance agreements, so it adds log2(mean count / c) bits, where the mean
is over agreements by chance (each count weighted by itself).

Counts are frozen with the model (counts.py): an unchanged pair weighs tomorrow what it
weighs today. A value that was not seen at training is rare.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array


class Rarity(NamedTuple):
    """Which values of a field are counted.

    Attributes:
        columns: columns of features, text or lists of text, whose values are
            one space: two records agree on a value that both have in any of them.
        limit: most bits that rarity may add or take.
    """

    columns: tuple[str, ...]
    limit: float = 4.0

    def spaces(self, features: pa.Table, rows: np.ndarray) -> "tuple[Space, ...]":
        """Count the values of the given rows of features (one customer type)."""
        owner, values = exploded(features, self.columns)
        keep = among(owner, rows, features.num_rows)
        counted = Counted.of(owner[keep], values.filter(pa.array(keep)))
        total = counted.counts.sum()
        mean = float((counted.counts**2).sum() / total) if total else 1.0
        return (counted.space(mean),)

    def frequencies(
        self, features: pa.Table, rows: np.ndarray, spaces: "tuple[Space, ...]"
    ) -> "Frequencies":
        """Look the values of the given rows of features (one customer type) up.

        Args:
            spaces: of :meth:`spaces`.
        """
        return Frequencies(features, self, rows, spaces[0])


RARE = 2
"""Records with a value up to which it is as rare as can be, as is one never seen."""


class Space(NamedTuple):
    """How many records have each value of a field.

    Attributes:
        values: text, those that more than :data:`RARE` records have.
        counts: int64, records that have each.
        mean: what counts of other values are compared with.
    """

    values: pa.Array
    counts: np.ndarray
    mean: float

    def count_of(self, values: pa.Array) -> np.ndarray:
        """Records that have each value, :data:`RARE` at least."""
        at = pc.fill_null(pc.index_in(values, value_set=self.values), -1).to_numpy()
        return np.append(self.counts, RARE)[at]


class Counted(NamedTuple):
    """Values of one space, and who has them.

    Attributes:
        values: text, each once.
        counts: int64, records that have each.
        owner, value: record and place in ``values``, each pair once.
    """

    values: pa.Array
    counts: np.ndarray
    owner: np.ndarray
    value: np.ndarray

    @classmethod
    def of(cls, owner: np.ndarray, values: pa.Array) -> "Counted":
        """Count values, one each by owner."""
        coded = values.dictionary_encode()
        distinct = max(len(coded.dictionary), 1)
        pairs = distinct_numbers(owner * distinct + np.asarray(coded.indices, dtype=np.int64))
        value = pairs % distinct
        counts = np.bincount(value, minlength=len(coded.dictionary))
        return cls(coded.dictionary, counts, pairs // distinct, value)

    def space(self, mean: float) -> Space:
        """What is kept of them."""
        common = np.flatnonzero(self.counts > RARE)
        return Space(self.values.take(pa.array(common)), self.counts[common], mean)


AGREES = 0.6
"""The levels' own guess (``levels.Level.agreement``) from which two values are the same."""


class Frequencies:
    """Counts of one field's values, ready to adjust pairs of records."""

    def __init__(self, features: pa.Table, rarity: Rarity, rows: np.ndarray, space: Space) -> None:
        """Look the values of the given rows of features (one customer type) up."""
        owner, values = exploded(features, rarity.columns)
        keep = among(owner, rows, features.num_rows)
        owner, values = owner[keep], values.filter(pa.array(keep))
        self._held = _Held(owner, values, features.num_rows, rarity.limit, space)

    def bits(self, left: np.ndarray, right: np.ndarray, agreement: np.ndarray) -> np.ndarray:
        """Bits per pair of feature rows: of the rarest value that both have; 0 if none.

        Args:
            left, right: rows of features.
            agreement: of the pairs' levels; pairs below :data:`AGREES` get 0.
        """
        result = np.zeros(len(left))
        rows = np.flatnonzero(agreement >= AGREES)
        result[rows] = np.nan_to_num(self._held.bits(left[rows], right[rows]))
        return result


class _Held:
    """Which row has which value of one space, and what agreeing on each is worth."""

    def __init__(
        self, owner: np.ndarray, values: pa.Array, rows: int, limit: float, space: Space
    ) -> None:
        coded = values.dictionary_encode()
        value = coded.indices.to_numpy().astype(np.int64)
        shape = (rows, max(len(coded.dictionary), 1))
        incidence = csr_array((np.ones(len(owner), dtype=np.float32), (owner, value)), shape=shape)
        incidence.sum_duplicates()
        incidence.data[:] = 1.0
        self._incidence = incidence
        counts = space.count_of(coded.dictionary)
        self._bits = np.clip(np.log2(space.mean / counts), -limit, limit)
        self._limit = limit

    def bits(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Bits of the rarest value that both rows of a pair have; NaN if they share none."""
        if not len(left):
            return np.zeros(0)
        shared = self._incidence[left].multiply(self._incidence[right]).tocsr()
        shared.eliminate_zeros()
        # Shifted above zero, so that the largest stored value is the rarest shared one.
        shared.data = self._bits[shared.indices] + (self._limit + 1.0)
        best = np.asarray(shared.max(axis=1).todense(), dtype=np.float64).ravel()
        return np.where(best > 0, best - (self._limit + 1.0), np.nan)


def among(owner: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """Which values' owners are among some rows of ``size``."""
    wanted = np.zeros(size, dtype=bool)
    wanted[rows] = True
    return wanted[owner]


def distinct_numbers(numbers: np.ndarray) -> np.ndarray:
    """The distinct whole numbers, sorted; sorts in place, a third of the time of np.unique."""
    numbers.sort()
    return numbers[np.diff(numbers, prepend=numbers[:1] - 1) != 0]


def exploded(features: pa.Table, columns: tuple[str, ...]) -> tuple[np.ndarray, pa.Array]:
    """Row number of every value in the columns, and the value."""
    owners, values = [], []
    for name in columns:
        column = features.column(name).combine_chunks()
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            owner = pc.list_parent_indices(column).to_numpy().astype(np.int64)
            flat = pc.list_flatten(column)
        else:
            owner, flat = np.arange(len(column)), column
        filled = pc.and_(pc.is_valid(flat), pc.not_equal(pc.fill_null(flat, ""), ""))
        filled = filled.to_numpy(zero_copy_only=False)
        owners.append(owner[filled])
        values.append(flat.filter(pa.array(filled)).cast(pa.string()))
    return np.concatenate(owners), pa.chunked_array(values, type=pa.string()).combine_chunks()

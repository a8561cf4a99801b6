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

from dedupe.comparing.columns import as_array


class Rarity(NamedTuple):
    """Which values of a field are counted.

    Attributes:
        columns: columns of features, text or lists of text, whose values are
            one space: two records agree on a value that both have in any of them.
        limit: most bits that rarity may add or take.
    """

    columns: tuple[str, ...]
    limit: float = 4.0

    def forms(self, features: pa.Table) -> "tuple[Owned, ...]":
        """The values of all records, once for each space that they are counted in."""
        return (Owned.of(features, self.columns),)

    def spaces(self, forms: "tuple[Owned, ...]", mine: np.ndarray) -> "tuple[Space, ...]":
        """Count the values of some records (one customer type).

        Args:
            forms: of :meth:`forms`.
            mine: per record whether it is one of them.
        """
        counted = Counted.of(forms[0].among(mine))
        total = counted.counts.sum()
        mean = float((counted.counts**2).sum() / total) if total else 1.0
        return (counted.space(mean),)

    def frequencies(
        self, forms: "tuple[Owned, ...]", mine: np.ndarray, spaces: "tuple[Space, ...]"
    ) -> "Frequencies":
        """Look the values of some records (one customer type) up.

        Args:
            forms: of :meth:`forms`.
            mine: per record whether it is one of them.
            spaces: of :meth:`spaces`.
        """
        return Frequencies(forms[0].among(mine), len(mine), self.limit, spaces[0])


class Owned(NamedTuple):
    """Which record has which values.

    Attributes:
        owner: row of features of each value.
        code: which value.
        texts: the values, each once.
    """

    owner: np.ndarray
    code: np.ndarray
    texts: pa.Array

    @classmethod
    def of(cls, features: pa.Table, columns: tuple[str, ...]) -> "Owned":
        """The values in some columns."""
        owner, values = exploded(features, columns)
        coded = values.dictionary_encode()
        return cls(owner, np.asarray(coded.indices, dtype=np.int64), coded.dictionary)

    @classmethod
    def of_each(cls, features: pa.Table, columns: tuple[str, ...]) -> "tuple[Owned, ...]":
        """The values in some columns together, and those of each column; read once."""
        each = [exploded(features, (name,)) for name in columns]
        coded = pa.concat_arrays([values for _, values in each]).dictionary_encode()
        owner = np.concatenate([owners for owners, _ in each])
        whole = cls(owner, np.asarray(coded.indices, dtype=np.int64), coded.dictionary)
        ends = np.cumsum([len(owners) for owners, _ in each])[:-1]
        parts = zip(np.split(whole.owner, ends), np.split(whole.code, ends), strict=True)
        return whole, *(cls(own, code, whole.texts)._of_held() for own, code in parts)

    def _of_held(self) -> "Owned":
        """Without texts that no record has."""
        there = np.zeros(len(self.texts), dtype=bool)
        there[self.code] = True
        place = np.cumsum(there) - 1
        texts = self.texts.take(pa.array(np.flatnonzero(there)))
        return Owned(self.owner, place[self.code], texts)

    def among(self, mine: np.ndarray) -> "Owned":
        """Those of some records, by row of features."""
        if mine.all():
            return self
        keep = mine[self.owner]
        return self._replace(owner=self.owner[keep], code=self.code[keep])

    @property
    def held(self) -> pa.Array:
        """The values that a record has, each once."""
        return self.texts.take(pa.array(np.unique(self.code)))

    def renamed(self, texts: pa.Array) -> "Owned":
        """With another text for each; without those that are empty now."""
        coded = texts.dictionary_encode()
        code = np.asarray(coded.indices, dtype=np.int64)[self.code]
        keep = np.asarray(pc.not_equal(coded.dictionary, ""), dtype=bool)[code]
        return Owned(self.owner[keep], code[keep], coded.dictionary)


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

    def among(self, values: pa.Array) -> "Space":
        """The same without other values than these."""
        there = np.flatnonzero(np.asarray(pc.is_in(self.values, value_set=values)))
        return Space(self.values.take(pa.array(there)), self.counts[there], self.mean)


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
    def of(cls, owned: Owned) -> "Counted":
        """Count values, one each by owner."""
        distinct = max(len(owned.texts), 1)
        owner, value = np.divmod(distinct_numbers(owned.owner * distinct + owned.code), distinct)
        counts = np.bincount(value, minlength=len(owned.texts))
        return cls(owned.texts, counts, owner, value)

    def space(self, mean: float) -> Space:
        """What is kept of them."""
        common = np.flatnonzero(self.counts > RARE)
        return Space(self.values.take(pa.array(common)), self.counts[common], mean)


AGREES = 0.6
"""The levels' own guess (``levels.Level.agreement``) from which two values are the same."""


class Frequencies:
    """Counts of one field's values, ready to adjust pairs of records."""

    def __init__(self, owned: Owned, rows: int, limit: float, space: Space) -> None:
        """Look the values of some records (one customer type) up.

        Args:
            owned: their values.
            rows: of features.
            limit: most bits that rarity may add or take.
            space: how many records have each value.
        """
        self._held = _Held(owned, rows, limit, space)

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

    def __init__(self, owned: Owned, rows: int, limit: float, space: Space) -> None:
        shape = (rows, max(len(owned.texts), 1))
        ones = np.ones(len(owned.owner), dtype=np.float32)
        incidence = csr_array((ones, (owned.owner, owned.code)), shape=shape)
        incidence.sum_duplicates()
        incidence.data[:] = 1.0
        self._incidence = incidence
        counts = space.count_of(owned.texts)
        self._bits = np.clip(np.log2(space.mean / counts), -limit, limit)
        self._limit = limit

    def bits(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Bits of the rarest value that both rows of a pair have; NaN if they share none."""
        if not len(left):
            return np.zeros(0)
        shared = self._incidence[left].multiply(self._incidence[right]).tocsr()
        shared.eliminate_zeros()
        # Shifted above zero, so that the largest stored value is the rarest shared one.
        bits = self._bits[shared.indices] + (self._limit + 1.0)
        rarest = csr_array((bits, shared.indices, shared.indptr), shape=shared.shape)
        best = np.asarray(rarest.max(axis=1).todense(), dtype=np.float64).ravel()
        return np.where(best > 0, best - (self._limit + 1.0), np.nan)


def distinct_numbers(numbers: np.ndarray) -> np.ndarray:
    """The distinct whole numbers, sorted; sorts in place, a third of the time of np.unique."""
    numbers.sort()
    return numbers[np.diff(numbers, prepend=numbers[:1] - 1) != 0]


def exploded(features: pa.Table, columns: tuple[str, ...]) -> tuple[np.ndarray, pa.Array]:
    """Row number of every value in the columns, and the value."""
    owners, values = [], []
    for name in columns:
        column = as_array(features.column(name))
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            owner = pc.list_parent_indices(column).to_numpy().astype(np.int64)
            flat = pc.list_flatten(column)
        else:
            owner, flat = np.arange(len(column)), column
        filled = pc.and_(pc.is_valid(flat), pc.not_equal(pc.fill_null(flat, ""), ""))
        filled = filled.to_numpy(zero_copy_only=False)
        owners.append(owner[filled])
        values.append(flat.filter(pa.array(filled)).cast(pa.string()))
    return np.concatenate(owners), as_array(pa.chunked_array(values, type=pa.string()))

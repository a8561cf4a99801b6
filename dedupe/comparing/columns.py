"""Columns to arrays of codes, and functions called once per distinct pair of values.

What belongs here: what every compared field needs to work on whole columns.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.signedinteger[Any]]
Levels = npt.NDArray[np.int8]
Rows = npt.NDArray[np.signedinteger[Any]]
Mask = npt.NDArray[np.bool_]

WIDTH = 6
"""Values of one list that are compared: a record with more telephone numbers is rare."""


@dataclass(frozen=True)
class Codes:
    """A column as codes; -1 is missing.

    Attributes:
        codes: one int32 per row, or (rows, slots) for a list column.
        texts: the text of each code.
    """

    codes: Ints
    texts: pa.Array

    @cached_property
    def values(self) -> list[str]:
        """The texts as a list."""
        return self.objects.tolist()

    @property
    def objects(self) -> np.ndarray:
        """The texts as an array."""
        return self.texts.to_numpy(zero_copy_only=False)

    def only(self, *codes: Ints) -> "tuple[Codes, list[Ints]]":
        """The texts of some codes, none of them -1, and which of these each code is now.

        >>> some, (one, other) = encode(pa.array(["b", "a", "c"])).only(
        ...     np.array([2, 0]), np.array([0, 0]))
        >>> some.values, one.tolist(), other.tolist()
        (['b', 'c'], [1, 0], [0, 0])
        """
        place = np.zeros(len(self.texts), dtype=np.int64)
        for some in codes:
            place[some] = 1
        used = np.flatnonzero(place)
        place[used] = np.arange(len(used))
        texts = self.texts.take(pa.array(used))
        return Codes(np.arange(len(used), dtype=np.int32), texts), [place[one] for one in codes]

    def where(self, mask: pa.Array) -> Mask:
        """A fact about each text as an array; code -1 has it not."""
        return np.append(np.asarray(mask), False)


def as_array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece; unlike combine_chunks it does not copy what is one."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def positions(column: pa.ChunkedArray | pa.Array, ids: pa.Array) -> Rows:
    """Where each value of a column of ids stands in ``ids``; -1 where it does not.

    Columns of candidate pairs are dictionary-encoded over the ids of the features:
    their codes are the answer.
    """
    return positions_of([column], ids)[0]


def positions_of(columns: Sequence[pa.ChunkedArray | pa.Array], ids: pa.Array) -> list[Rows]:
    """:func:`positions` of several columns: the ids are gone through once."""
    chunks = [one.chunks if isinstance(one, pa.ChunkedArray) else [one] for one in columns]
    asked = [
        values for some in chunks for one in some for values in _to_look_up(one, ids) if len(values)
    ]
    places = _places(pa.chunked_array(asked, ids.type), ids)
    known = iter(_split(places, map(len, asked)))
    found = []
    for some in chunks:
        parts = [np.zeros(0, dtype=np.int64)]
        for chunk in some:
            looked_up = [next(known) for values in _to_look_up(chunk, ids) if len(values)]
            if not pa.types.is_dictionary(chunk.type):
                parts += looked_up
                continue
            codes = pc.fill_null(chunk.indices, -1).to_numpy().astype(np.int64)
            parts.append(np.append(looked_up[0], -1)[codes] if looked_up else codes)
        found.append(np.concatenate(parts))
    return found


def _to_look_up(chunk: pa.Array, ids: pa.Array) -> list[pa.Array]:
    """What of a chunk of ids, plain or codes, is to be looked up: nothing of codes of the ids."""
    if not pa.types.is_dictionary(chunk.type):
        return [chunk]
    return [] if chunk.dictionary.equals(ids) else [chunk.dictionary]


_FEW = 8
"""So many times the values there have to be ids, for halving among sorted ones to be cheaper than
to hash all of them."""
_BLOCK = 16
"""Sorted values of which the first is looked for, and the others beside it."""


def _places(values: pa.ChunkedArray, ids: pa.Array) -> Rows:
    if not len(values):  # looking nothing up would go through all ids, too
        return np.zeros(0, dtype=np.int64)
    if values.null_count or not len(ids):
        return _hashed(values, ids)
    if len(values) * _FEW < len(ids):
        return _halved(as_array(values), ids) if ascending(ids) else _hashed(values, ids)
    if ascending(values[:_BLOCK]) and ascending(values) and ascending(ids):
        return _beside(as_array(values), ids)
    return _hashed(values, ids)


def _hashed(values: pa.ChunkedArray | pa.Array, ids: pa.Array) -> Rows:
    """Places among ids, by a hash of all."""
    found = pc.fill_null(pc.index_in(values, value_set=ids), -1)
    return found.to_numpy().astype(np.int64)


def _halved(values: pa.Array, ids: pa.Array) -> Rows:
    """Places among sorted ids, by halving."""
    at = np.minimum(_before(values, ids), len(ids) - 1)
    return np.where(pc.equal(ids.take(pa.array(at)), values), at, -1)


def _beside(values: pa.Array, ids: pa.Array) -> Rows:
    """Places of sorted values among sorted ids: of a block's values, those after the first one's.

    Where most values are ids and most ids values, a quarter of the time of hashing all ids.
    """
    firsts = values.take(pa.array(np.arange(0, len(values), _BLOCK)))
    place = np.repeat(_before(firsts, ids), _BLOCK)[: len(values)]
    place = np.minimum(place + np.arange(len(values)) % _BLOCK, len(ids) - 1)
    others = np.flatnonzero(np.asarray(pc.not_equal(ids.take(pa.array(place)), values)))
    rest = values.take(pa.array(others))
    look_up = _halved if len(rest) * _FEW < len(ids) else _hashed
    place[others] = look_up(rest, ids)
    return place


def _before(values: pa.Array, ids: pa.Array) -> Rows:
    """Of each value, before which of sorted ids it stands."""
    found: Rows = pc.search_sorted(ids, values).to_numpy().astype(np.int64)
    return found


def ascending(ids: pa.Array | pa.ChunkedArray) -> bool:
    """Whether ids are sorted, and each is there once."""
    return len(ids) < 2 or pc.all(pc.less(ids[:-1], ids[1:])).as_py() is True


def together(many: pa.Table, few: pa.Table, column: str, without: Rows | None = None) -> pa.Table:
    """Two tables as one, both sorted by a column of texts, each of which stands in it once.

    Args:
        many, few: the tables.
        column: of texts.
        without: rows of ``many`` to leave out; None: none.

    >>> one, other = pa.table({"id": ["a", "c"]}), pa.table({"id": ["b", "d"]})
    >>> together(one, other, "id")["id"].to_pylist()
    ['a', 'b', 'c', 'd']
    >>> together(one, one, "id", np.array([0, 1]))["id"].to_pylist()
    ['a', 'c']
    """
    at = pc.search_sorted(*(as_array(one[column]) for one in (many, few))).to_numpy()
    numbers = many.num_rows + np.arange(few.num_rows)
    order = np.insert(np.arange(many.num_rows), at.astype(np.int64), numbers)
    if without is not None and len(without):
        stays = np.ones(many.num_rows + few.num_rows, dtype=bool)
        stays[without] = False
        order = order[stays[order]]
    return pa.concat_tables([many, few]).combine_chunks().take(pa.array(order))


def _split(values: Rows, sizes: Iterable[int]) -> list[Rows]:
    return np.split(values, np.cumsum([0, *sizes])[1:-1])


def decoded(table: pa.Table) -> pa.Table:
    """A table with plain columns instead of dictionary-encoded ones."""
    fields = [
        pa.field(f.name, f.type.value_type) if pa.types.is_dictionary(f.type) else f
        for f in table.schema
    ]
    return table.cast(pa.schema(fields, table.schema.metadata))


def encode(column: pa.Array) -> Codes:
    """A text column as codes."""
    encoded = column.dictionary_encode()
    codes = np.asarray(encoded.indices.fill_null(-1), dtype=np.int32)
    return Codes(codes, encoded.dictionary)


def encode_lists(column: pa.ListArray, width: int = WIDTH) -> Codes:
    """A list column as codes in slots; what does not fit is left out."""
    offsets = np.asarray(column.offsets, dtype=np.int64)
    valid = np.asarray(column.is_valid())
    starts, ends = offsets[:-1], np.where(valid, offsets[1:], offsets[:-1])
    flat = encode(column.values)
    slots = int(min(width, max((ends - starts).max(initial=0), 1)))
    codes = np.full((len(column), slots), -1, dtype=np.int32)
    for slot in range(slots):
        rows = np.nonzero(starts + slot < ends)[0]
        codes[rows, slot] = flat.codes[starts[rows] + slot]
    return Codes(codes, flat.texts)


def derive(source: Codes, function: Callable[[str], str | None]) -> Codes:
    """Codes of a function of each value; where it gives None, the value is missing."""
    return renamed(source, pa.array([function(value) for value in source.values], pa.string()))


def renamed(source: Codes, texts: pa.Array) -> Codes:
    """Codes of another text for each; where that is null, the value is missing."""
    encoded = encode(texts)
    table = np.append(encoded.codes, np.int32(-1))
    return Codes(table[source.codes], encoded.texts)


def halves(texts: pa.Array, mark: str) -> tuple[pa.Array, pa.Array]:
    """What stands before and after the first mark in each text; null after, where there is none.

    >>> [half.to_pylist() for half in halves(pa.array(["a@b.c@d", "a@", "a"]), "@")]
    [['a', 'a', 'a'], ['b.c@d', '', None]]
    """
    parts = pc.split_pattern(texts, mark, max_splits=1)
    start = np.asarray(parts.offsets)[:-1]
    several = np.asarray(pc.list_value_length(parts)) > 1
    after = parts.values.take(pa.array(start + 1, mask=~several))
    return parts.values.take(pa.array(start)), after


def shares(left: Ints, right: Ints) -> npt.NDArray[np.int16]:
    """How many codes each row of two slot arrays has in common."""
    count = np.zeros(len(left), dtype=np.int16)
    for slot in range(left.shape[1]):
        own = left[:, slot]
        hit = np.zeros(len(left), dtype=bool)
        for other in range(right.shape[1]):
            hit |= own == right[:, other]
        count += hit & (own >= 0)
    return count


def per_distinct_pair(left: Ints, right: Ints, function: Callable[[int, int], int]) -> Levels:
    """A symmetric function of two codes, called once for each distinct pair of them."""
    low, high = np.minimum(left, right).astype(np.int64), np.maximum(left, right).astype(np.int64)
    size = int(high.max(initial=0)) + 1
    distinct, inverse = np.unique(low * size + high, return_inverse=True)
    firsts, seconds = (distinct // size).tolist(), (distinct % size).tolist()
    found = (function(a, b) for a, b in zip(firsts, seconds, strict=True))
    results: Levels = np.fromiter(found, np.int8, len(firsts))
    return results[inverse]

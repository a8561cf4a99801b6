"""Keys that too many records share: refined by a second property, then by two, or left out."""

from collections.abc import Iterator
from functools import cached_property
from itertools import combinations
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import blocking_keys, pair_codes
from dedupe.blocking_keys import NUMBER, Keys
from dedupe.pair_codes import Ints

WEAK = frozenset(
    {"short_name", "place", "postal", "brand_start", "word", "acronym", "id_part", "email_local"}
    | {"email_domain", "text", "born"}
)
"""Kinds that many unrelated records share: their blocks may hold a quarter of the limit only,
and larger ones are refined by two properties at once."""
LASTING = frozenset({"id", "same"})
"""Kinds that name one holder, whom a list of orders repeats in every row: their blocks may hold
:data:`LASTING_TIMES` the limit."""
LASTING_TIMES = 5
KIND_PAIRS, KIND_PER_RECORD = 200_000, 2
"""Pairs that the blocks of one kind may make before those of most records are refined as if they
were too large: so many, and so many per record. Blocks of a common value grow with the records up
to their limit; without this the pairs would grow three times as fast."""
REPORT = pa.schema(
    [
        pa.field("kind", pa.string()),
        pa.field("blocks", pa.int64()),
        pa.field("pairs", pa.int64()),
        pa.field("oversized", pa.int64()),
        pa.field("largest", pa.int64()),
        pa.field("refined_pairs", pa.int64()),
        pa.field("left_out", pa.int64()),
        pa.field("lone_left_out", pa.int64()),
    ]
)
"""Per kind of key: keys that two or more records share, pairs they make, keys shared by too
many records, records of the largest, pairs made of those by refining, pairs of those that were
not made (once per key; other kinds may still have found them), and pairs that no other evidence
proposed and that were left out for their number."""


class BlockingSettings(Protocol):
    """What blocking reads of dedupe.model.MatchingSettings."""

    @property
    def block_limit(self) -> int:
        """Records that may share one key."""
        ...

    @property
    def link_only(self) -> bool:
        """Whether only records of two sources are paired."""
        ...


def limit_of(kind: str, settings: BlockingSettings) -> int:
    """Records that may share a key of a kind."""
    if kind in WEAK:
        return max(2, settings.block_limit // 4)
    return settings.block_limit * (LASTING_TIMES if kind in LASTING else 1)


class _Group(NamedTuple):
    """Keys of one kind that two or more records share.

    Attributes:
        group: int32, number of the key, ascending.
        row: int32, ascending within a group, each once.
        size: int32, records of the row's group.
    """

    group: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    size: npt.NDArray[np.int32]

    def where(self, mask: npt.NDArray[np.bool_]) -> "_Group":
        return _Group(self.group[mask], self.row[mask], self.size[mask])


def _group(
    block: npt.NDArray[np.uint64], row: npt.NDArray[np.integer], *, ordered: bool = False
) -> _Group:
    """Group rows by block, leaving out blocks of one row.

    Args:
        ordered: whether equal blocks follow each other.
    """
    if not ordered:
        order = blocking_keys.order_of_shared(block)
        block, row = block[order], row[order]
    first = pair_codes.starts(block)
    alone = first.copy()
    alone[:-1] &= first[1:]
    shared = ~alone
    # Sorting number and row as one is far cheaper than sorting by two columns.
    both: Ints = np.cumsum(first[shared], dtype=np.int64)
    both -= 1
    both <<= 32
    both |= row[shared]
    if np.any(both[1:] < both[:-1]):
        both.sort()
    both = both[pair_codes.starts(both)]
    number = (both >> 32).astype(np.int32)
    size = np.bincount(number).astype(np.int32).take(number) if len(number) else number
    several = size > 1
    # A row number's bits are the lower half.
    return _Group(number[several], both[several].astype(np.int32), size[several])


class _Property(NamedTuple):
    """A property of every record as a number.

    Attributes:
        number: int32, one per record: equal where the property is; 0 where it is missing.
        bits: of the largest number.
    """

    number: npt.NDArray[np.int32]
    bits: int

    @classmethod
    def of(cls, values: npt.NDArray[np.integer]) -> "_Property":
        """Any numbers, 0 where it is missing, as numbers without gaps."""
        coded = pa.array(values, mask=values == 0).dictionary_encode()
        number = pc.fill_null(coded.indices, -1).to_numpy().astype(np.int32) + 1
        return cls(number, len(coded.dictionary).bit_length())

    def together(self, other: "_Property") -> "_Property":
        """Both at once; missing where one of them is."""
        bits = self.bits + other.bits
        fits = bits < _NUMBER_BITS
        both = self.number if fits else self.number.astype(np.int64)
        both = both << other.bits | other.number
        both *= (self.number != 0) & (other.number != 0)
        return _Property(both, bits) if fits else _Property.of(both)


_NOTHING: Ints = np.zeros(0, dtype=np.int64)
_NUMBER_BITS = 31
_ROWS = 1 << 16
"""Rows of large groups that are refined at a time: what is made of so many stays in the cache."""


def _refined(wide: _Group, by: _Property) -> _Group:
    """Groups divided by a property; records without it are left out.

    Group, property and row are sorted as one number, so many groups at a time as fit.
    """
    row_bits = max(len(by.number) - 1, 0).bit_length()
    room = 1 << 63 - by.bits - row_bits
    start, sizes, rows = 0, [_NOTHING], [_NOTHING]
    while start < len(wide.group):
        base = int(wide.group[start])
        last = min(int(wide.group[min(start + _ROWS, len(wide.group)) - 1]), base + room - 1)
        stop = int(np.searchsorted(wide.group, np.int32(last), side="right"))
        row = wide.row[start:stop]
        number = by.number.take(row)
        code = wide.group[start:stop].astype(np.int64)
        code -= base
        code <<= by.bits
        code |= number
        code <<= row_bits
        code |= row
        code = code[number != 0]
        code.sort()
        first = pair_codes.starts(code >> row_bits)
        several = ~first
        several[:-1] |= several[1:]
        code = code[several]
        rows.append(code & ((1 << row_bits) - 1))
        sizes.append(np.diff(np.flatnonzero(first[several]), append=len(code)))
        start = stop
    size = np.concatenate(sizes).astype(np.int32)
    group = np.repeat(np.arange(len(size), dtype=np.int32), size)
    return _Group(group, np.concatenate(rows).astype(np.int32), np.repeat(size, size))


class Blocks:
    """Keys of all kinds to codes of pairs, and what is counted on the way.

    A code is an int64: pair (left row * records + right row), kind, whether refined, and the
    block's size, from the highest bit down; sorting codes sorts the pairs.
    """

    def __init__(
        self, properties: npt.NDArray[np.uint64], settings: BlockingSettings, records: int
    ) -> None:
        self.settings, self.records = settings, records
        self.properties = tuple(map(_Property.of, properties))
        self.counted: dict[str, dict[str, int]] = {}

    def codes(self, keys: Keys) -> Ints:
        """Codes of every pair of the blocks of one kind that are small enough, sorted; each pair
        once, as refined if all its blocks are, with the size of the smallest."""
        kind, shared = keys.kind, _group(keys.block, keys.row, ordered=keys.ordered)
        most = self._affordable(shared, limit_of(kind, self.settings))
        sizes = shared.size[pair_codes.starts(shared.group)]
        over = sizes[sizes > most].astype(np.int64)
        if len(sizes):
            self.counted[kind] = {
                "blocks": len(sizes),
                "oversized": len(over),
                "largest": int(sizes.max()),
                "wide_pairs": int((over * (over - 1) // 2).sum()),
            }
        again = min(most, self.settings.block_limit)
        wide = shared.where(shared.size > most)
        found = [self._pairs(kind, shared.where(shared.size <= most), refined=False)]
        del shared
        for refined in self._refinements(wide, again, weak=kind in WEAK):
            small = refined.where(refined.size <= self._affordable(refined, again))
            found.append(self._pairs(kind, small, refined=True))
        del wide
        return pair_codes.once(pair_codes.joined(found))

    def _affordable(self, groups: _Group, limit: int) -> int:
        """Records up to which blocks are paired: the limit, or fewer where the pairs would be
        more than :data:`KIND_PAIRS` and :data:`KIND_PER_RECORD`."""
        sizes = np.arange(limit + 1)
        rows = np.bincount(np.minimum(groups.size, limit + 1), minlength=limit + 2)[:-1]
        pairs = np.cumsum(rows * np.maximum(sizes - 1, 0) // 2)
        most = KIND_PAIRS + KIND_PER_RECORD * self.records
        return max(2, int(np.searchsorted(pairs, most, side="right")) - 1)

    def _refinements(self, wide: _Group, most: int, *, weak: bool) -> Iterator[_Group]:
        """Large groups divided by one property, the still large ones by two; weak ones by two."""
        if not len(wide.row):
            return
        if weak:
            yield from (_refined(wide, both) for both in self._of_two)
            return
        for first, by in enumerate(self.properties):
            divided = _refined(wide, by)
            yield divided
            still = divided.where(divided.size > most)
            for second, further in enumerate(self.properties):
                if second != first and len(still.row):
                    yield _refined(still, further)

    @cached_property
    def _of_two(self) -> list[_Property]:
        """Every two properties together."""
        return [one.together(other) for one, other in combinations(self.properties, 2)]

    def _pairs(self, kind: str, groups: _Group, *, refined: bool) -> Ints:
        """Codes of every two rows of a group."""
        below = (NUMBER[kind] << pair_codes.BELOW_KIND) | (int(refined) << pair_codes.SIZE_BITS)
        found: list[Ints] = [_NOTHING]
        group = groups.group
        right = groups.row.astype(np.int64)
        right <<= pair_codes.BELOW_PAIR
        left = right * self.records
        left |= np.minimum(groups.size, pair_codes.MAX_SIZE)
        left |= below
        at, apart = np.flatnonzero(group[1:] == group[:-1]), 1
        while len(at):
            code = left.take(at)
            code += right[apart:].take(at)
            found.append(code)
            apart += 1
            at = at[: np.searchsorted(at, len(group) - apart)]
            at = at[group.take(at) == group[apart:].take(at)]
        return np.concatenate(found)

    def report(self, made: Ints, lone: dict[str, int]) -> pa.Table:
        """What every kind of key made and left out; see :data:`REPORT`.

        Args:
            made: of :func:`pair_codes.made`.
            lone: by kind, pairs that were left out because one evidence proposed them alone.
        """
        pairs, refined = made
        rows = []
        for name, counted in self.counted.items():
            number = NUMBER[name]
            wide = counted.pop("wide_pairs")
            rows.append(
                {
                    "kind": name,
                    **counted,
                    "pairs": int(pairs[number]),
                    "refined_pairs": int(refined[number]),
                    "left_out": max(0, wide - int(refined[number])),
                    "lone_left_out": lone[name],
                }
            )
        return pa.Table.from_pylist(rows, REPORT)

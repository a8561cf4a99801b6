"""Keys that too many records share: refined by a second property, then by two, or left out."""

from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from itertools import combinations
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedupe import pair_codes
from dedupe.blocking_keys import NUMBER
from dedupe.groups import Groups, Ints, starts
from dedupe.record_properties import Property

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


_NO_ROWS = np.zeros(0, dtype=np.int32)
_ROWS = 1 << 16
"""Rows of large groups that are refined at a time: what is made of so many stays in the cache."""
_GROUPS = 1 << 14
"""Groups of one size whose pairs are made at a time."""


def _refined(wide: Groups, by: Property) -> Groups:
    """Groups whose rows follow each other, divided by a property; records without it are left out.

    Group, property and row are sorted as one number, so many groups at a time as fit.
    """
    row_bits = pair_codes.row_bits(len(by.number))
    room = 1 << 63 - by.bits - row_bits
    ends = np.cumsum(wide.size, dtype=np.int64)
    start, sizes, rows = 0, [_NO_ROWS], [_NO_ROWS]
    begin = 0
    while start < len(ends):
        stop = int(np.searchsorted(ends, begin + _ROWS)) + 1
        stop = min(stop, start + room, len(ends))
        end = int(ends[stop - 1])
        row = wide.row[begin:end]
        code = by.number.take(row).astype(np.int64)
        has = code != 0
        code |= np.repeat(np.arange(stop - start, dtype=np.int64) << by.bits, wide.size[start:stop])
        code <<= row_bits
        code |= row
        # Taking what a mask has is far cheaper than masking: nothing hangs on each of its values.
        if not has.all():
            code = code.take(np.flatnonzero(has))
        code.sort()
        first = starts(code >> row_bits)
        several = ~first
        several[:-1] |= several[1:]
        at = np.flatnonzero(several)
        rows.append((code.take(at) & (1 << row_bits) - 1).astype(np.int32))
        size = np.diff(np.flatnonzero(first.take(at)), append=len(at))
        sizes.append(size.astype(np.int32))
        start, begin = stop, end
    return Groups.of(np.concatenate(rows), np.concatenate(sizes))


class Blocks:
    """Keys of all kinds to codes of pairs, and what is counted on the way.

    Args:
        properties: of every record.
        settings: how many records may share a key.
        records: how many there are.
        source: of every record, as a number, where only records of two are paired.
    """

    def __init__(
        self,
        properties: Sequence[Property],
        settings: BlockingSettings,
        records: int,
        source: npt.NDArray[np.integer] | None = None,
    ) -> None:
        self.settings, self.records, self.source = settings, records, source
        self.properties = properties
        self.counted: dict[str, dict[str, int]] = {}

    def codes(self, kind: str, shared: Groups) -> Ints:
        """Codes of every pair of the blocks of one kind that are small enough, sorted; each pair
        once, as refined if all its blocks are, with the size of the smallest."""
        most = self._affordable(shared, limit_of(kind, self.settings))
        again = min(most, self.settings.block_limit)
        wide = shared.where(shared.size > most).together()
        found = self._pairs(kind, shared, most, refined=False)
        for refined in self._refinements(wide, again, weak=kind in WEAK):
            small = self._affordable(refined, again)
            found += self._pairs(kind, refined, small, refined=True)
        codes = pair_codes.once(pair_codes.joined(found))
        if self.source is not None:
            codes = codes[pair_codes.crossing(codes, self.source)]
        if len(shared.size):
            over = wide.size.astype(np.int64)
            refined_pairs = pair_codes.refined(codes)
            wide_pairs = int((over * (over - 1) // 2).sum())
            self.counted[kind] = {
                "blocks": len(shared.size),
                "pairs": len(codes),
                "oversized": len(over),
                "largest": int(shared.size.max()),
                "refined_pairs": refined_pairs,
                "left_out": max(0, wide_pairs - refined_pairs),
            }
        return codes

    def _affordable(self, groups: Groups, limit: int) -> int:
        """Records up to which blocks are paired: the limit, or fewer where the pairs would be
        more than :data:`KIND_PAIRS` and :data:`KIND_PER_RECORD`."""
        sizes = np.arange(limit + 1)
        blocks = np.bincount(np.minimum(groups.size, limit + 1), minlength=limit + 2)[:-1]
        pairs = np.cumsum(blocks * (sizes * (sizes - 1) // 2))
        most = KIND_PAIRS + KIND_PER_RECORD * self.records
        return max(2, int(np.searchsorted(pairs, most, side="right")) - 1)

    def _refinements(self, wide: Groups, most: int, *, weak: bool) -> Iterator[Groups]:
        """Large groups divided by one property, the still large ones by two; weak ones by two."""
        if not len(wide.row):
            return
        if weak:
            yield from (_refined(wide, both) for both in self._of_two)
            return
        for first, by in enumerate(self.properties):
            divided = _refined(wide, by)
            yield divided
            still = divided.where(divided.size > most).together()
            for second, further in enumerate(self.properties):
                if second != first and len(still.row):
                    yield _refined(still, further)

    @cached_property
    def _of_two(self) -> list[Property]:
        """Every two properties together."""
        return [one.together(other) for one, other in combinations(self.properties, 2)]

    def _pairs(self, kind: str, groups: Groups, most: int, *, refined: bool) -> list[Ints]:
        """Codes of every two rows of each group of so many rows or fewer.

        Groups of one size are a table of rows, of which every two lines make codes at once.
        """
        shift = pair_codes.row_bits(self.records)
        small = groups.where(groups.size <= most)
        start = small.start[np.argsort(small.size.astype(np.min_scalar_type(most)), kind="stable")]
        ends = np.cumsum(np.bincount(small.size))
        found = []
        for size in np.flatnonzero(np.diff(ends, prepend=0)).tolist():
            of_size = start[ends[size - 1] : ends[size]]
            counted = min(size, pair_codes.MAX_SIZE) << pair_codes.BELOW_SIZE
            below = counted | NUMBER[kind] << 1 | int(refined)
            for at in range(0, len(of_size), _GROUPS):
                first = of_size[at : at + _GROUPS]
                row = groups.row.take(first + np.arange(size)[:, None]).astype(np.int64)
                row <<= pair_codes.BELOW_PAIR
                left, right = _every_two(size)
                codes = (row << shift | below).take(left, axis=0)
                codes |= row.take(right, axis=0)
                found.append(codes.ravel())
        return found

    def report(self, lone: dict[str, int]) -> pa.Table:
        """What every kind of key made and left out; see :data:`REPORT`.

        Args:
            lone: by kind, pairs that were left out because one evidence proposed them alone.
        """
        rows = [
            {"kind": name, **counted, "lone_left_out": lone[name]}
            for name, counted in self.counted.items()
        ]
        return pa.Table.from_pylist(rows, REPORT)


@cache
def _every_two(size: int) -> tuple[Ints, Ints]:
    """Every two numbers below a size: the smaller ones, the larger ones."""
    left, right = np.triu_indices(size, 1)
    return left, right

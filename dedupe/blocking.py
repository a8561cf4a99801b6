"""Keys to candidate pairs: records that share at least one key.

What belongs here: what happens to keys that too many records share, and to
pairs that one kind of evidence alone proposes. A key shared by more than
``limit`` records is refined by a second property (town, birth year, start of
the name, road), then by two; only what is still too large is left out, and the
report counts it. Pairs that only names, or only birth dates, propose are kept
from the smallest blocks up, so many that their number grows no faster than the
records. Records of different customer types are never paired.

In words of relations: keys JOIN keys USING (block), grouped by pair. One sort
per relation makes it at a third of the cost of a hash join.
"""

import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import blocking_keys, kept_keys
from dedupe.blocking_keys import KINDS, NUMBER, Keys
from dedupe.comparing.columns import as_array
from dedupe.memory import give_back

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

EVIDENCE: tuple[frozenset[str], ...] = (
    frozenset({"name", "short_name", "given"}),
    frozenset({"brand", "brand_start", "word", "acronym", "email_domain"}),
    frozenset({"place", "postal"}),
    frozenset({"phone"}),
    frozenset({"id", "id_part"}),
    frozenset({"email", "email_local"}),
    frozenset({"birth", "born"}),
    frozenset({"address"}),
    frozenset({"contact"}),
    frozenset({"text"}),
)
"""Kinds that say the same: a pair found by kinds of one set only has one reason to be a pair."""

LONE_PAIRS, LONE_PER_RECORD = 20_000, 0.2
"""Pairs that one set of EVIDENCE may propose alone: so many, and so many per record. Those of
several of its kinds go first, then those of the smallest blocks."""
SAMPLED_PAIRS, SAMPLED_PER_RECORD = 10_000, 0.02
"""Pairs beyond those that are kept as a sample: without them training would take for rare what
strangers often have in common (en world of 100,000: precision .93 instead of .97)."""
CONFIRMED = 0.5
"""Share of a set's pairs that other evidence confirms, from which its lone pairs all stay."""

KIND_PAIRS, KIND_PER_RECORD = 200_000, 2
"""Pairs that the blocks of one kind may make before those of most records are refined as if they
were too large: so many, and so many per record. Blocks of a common value grow with the records up
to their limit; without this the pairs would grow three times as fast."""

DUCKDB_MB = 400
CODES = 1 << 21
"""Codes of pairs that are looked at together, at some 40 bytes each."""

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

_KIND_BITS, _SIZE_BITS = 5, 9
_BELOW_KIND = _SIZE_BITS + 1
_BELOW_PAIR = _BELOW_KIND + _KIND_BITS
_KIND_MASK, _MAX_SIZE = (1 << _KIND_BITS) - 1, (1 << _SIZE_BITS) - 1
MOST_RECORDS = 1 << (63 - _BELOW_PAIR) // 2
"""Records of which two row numbers fit into a pair's code: 16,777,216."""
Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.int32]
Sizes = npt.NDArray[np.int16]


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


@dataclass(frozen=True)
class Candidates:
    """Pairs worth comparing, and what was left out.

    Attributes:
        pairs: left_id, right_id, found_by (kinds of keys joined by commas), stands_for (of how
            many proposed pairs training shall take it for one, mostly 1), sorted; the first three
            are dictionary columns, so that a pair holds two row numbers instead of two texts.
        report: one row per kind of key, see :data:`REPORT`.
    """

    pairs: pa.Table
    report: pa.Table


def candidates(
    features: pa.Table, settings: BlockingSettings, kept: kept_keys.Kept | None = None
) -> Candidates:
    """Pair the records that share a key.

    Args:
        features: of features.build: sorted by record_id; with keys that are kept, record_id, source
            and what kept_keys.reads names are enough.
        settings: block_limit.
        kept: their keys; None: they are made.

    Returns:
        pairs with left_id < right_id, sorted; the same for any order of the
        staged records and any number of threads.

    Raises:
        ValueError: there are more than :data:`MOST_RECORDS` records.
    """
    records = features.num_rows
    if records > MOST_RECORDS:
        raise ValueError(f"{records:,} records; one process pairs up to {MOST_RECORDS:,}")
    limit = settings.block_limit
    with (
        blocking_keys.making(features, limit, DUCKDB_MB)
        if kept is None
        else kept_keys.reading(kept, features, limit, DUCKDB_MB)
    ) as keys:
        blocks = _Blocks(keys.properties(), settings, records)
        found = [blocks.codes(made) for made in keys.kinds()]
    give_back()  # what DuckDB held
    codes = _joined(found)
    if settings.link_only:
        codes = codes[_crossing(codes, features)]
    made = _made(codes)
    pair, bits, size = _distinct(codes)
    del codes
    give_back()
    worth = _worth(pair, bits, size, features.column("record_id"))
    report = blocks.report(made, worth.left_out)
    stay = np.flatnonzero(worth.stands_for)
    table = _named(pair[stay], bits[stay], features)
    stands_for = pa.array(worth.stands_for[stay])
    return Candidates(table.append_column("stands_for", stands_for), report)


def keys(features: pa.Table, settings: BlockingSettings) -> pa.Table:
    """The keys of some records: kind, key, record_id; sorted.

    Args:
        features: of features.build, or some rows of it.
        settings: block_limit.
    """
    return blocking_keys.texts(features, settings.block_limit, DUCKDB_MB)


def limit_of(kind: str, settings: BlockingSettings) -> int:
    """Records that may share a key of a kind."""
    if kind in WEAK:
        return max(2, settings.block_limit // 4)
    return settings.block_limit * (LASTING_TIMES if kind in LASTING else 1)


def is_lone(kinds: Collection[str]) -> bool:
    """Whether keys of these kinds are one evidence only, which may not do for a pair."""
    return len(kinds) > 0 and any(evidence.issuperset(kinds) for evidence in EVIDENCE)


def _crossing(codes: Ints, features: pa.Table) -> npt.NDArray[np.bool_]:
    """Which codes are of pairs of records of two sources."""
    source = as_array(features.column("source")).dictionary_encode().indices.to_numpy()
    pair = codes >> _BELOW_PAIR
    apart: npt.NDArray[np.bool_] = (
        source[pair // features.num_rows] != source[pair % features.num_rows]
    )
    return apart


def _named(pair: Ints, bits: Bits, features: pa.Table) -> pa.Table:
    """Pair numbers and bits to record ids and kinds."""
    ids = as_array(features.column("record_id"))
    count = max(features.num_rows, 1)
    distinct, code = np.unique(bits, return_inverse=True)
    texts = [
        ",".join(kind for kind, number in NUMBER.items() if int(value) >> number & 1)
        for value in distinct
    ]
    dictionary = pa.DictionaryArray.from_arrays
    return pa.table(
        {
            "left_id": dictionary(pa.array((pair // count).astype(np.int32)), ids),
            "right_id": dictionary(pa.array((pair % count).astype(np.int32)), ids),
            "found_by": dictionary(pa.array(code.astype(np.int32)), pa.array(texts, pa.string())),
        }
    )


def _joined(found: list[Ints]) -> Ints:
    """All codes sorted; ``found`` is emptied on the way."""
    codes = np.empty(sum(map(len, found)), dtype=np.int64)
    at = len(codes)
    while found:
        some = found.pop()
        codes[at - len(some) : at] = some
        at -= len(some)
    codes.sort()
    return codes


def _parts(codes: Ints) -> Iterator[Ints]:
    """Sorted codes in parts that end where a pair ends; one at least."""
    start = 0
    while True:
        stop = start + CODES
        if stop >= len(codes):
            yield codes[start:]
            return
        after = ((codes[stop] >> _BELOW_PAIR) + 1) << _BELOW_PAIR
        stop = start + int(np.searchsorted(codes[start:], after))
        yield codes[start:stop]
        start = stop


def _once(codes: Ints) -> Ints:
    """Sorted codes of one kind, each pair once: refined if all are, with the least size."""
    end = 0
    for part in _parts(codes):
        first = np.flatnonzero(_first(part >> _BELOW_KIND))
        start, end = end, end + len(first)
        if len(first):
            size = np.minimum.reduceat((part & _MAX_SIZE).astype(np.int16), first)
            codes[start:end] = part[first] & ~_MAX_SIZE | size
    return codes[:end].copy()


def _made(codes: Ints) -> npt.NDArray[np.int64]:
    """Pairs by kind, shape (2, kinds): all, and those made by refining only."""
    counts = np.zeros(2 << _KIND_BITS, dtype=np.int64)
    for part in _parts(codes):
        kind_and_way = part[_first(part >> _BELOW_KIND)] >> _SIZE_BITS & (2 * _KIND_MASK + 1)
        counts += np.bincount(kind_and_way, minlength=len(counts))
    by_kind = counts.reshape(-1, 2)[: len(KINDS)]
    return np.stack([by_kind.sum(axis=1), by_kind[:, 1]])


def _distinct(codes: Ints) -> tuple[Ints, Bits, Sizes]:
    """Codes to pairs: the pair's number, bits of its kinds, records of its smallest block.

    The pairs are written over the codes, from their first on.
    """
    bits, size = np.empty(len(codes), dtype=np.int32), np.empty(len(codes), dtype=np.int16)
    end = 0
    for part in _parts(codes):
        pair, own_bits, own_size = _distinct_of(part)
        start, end = end, end + len(pair)
        codes[start:end], bits[start:end], size[start:end] = pair, own_bits, own_size
    return codes[:end].copy(), bits[:end], size[:end]


def _distinct_of(codes: Ints) -> tuple[Ints, Bits, Sizes]:
    pair = codes >> _BELOW_PAIR
    first = np.flatnonzero(_first(pair))
    pair = pair[first]
    if not len(first):
        return pair, pair.astype(np.int32), pair.astype(np.int16)
    kind = np.left_shift(1, (codes >> _BELOW_KIND & _KIND_MASK).astype(np.int32), dtype=np.int32)
    bits = np.bitwise_or.reduceat(kind, first)
    return pair, bits, np.minimum.reduceat((codes & _MAX_SIZE).astype(np.int16), first)


def _first(values: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Where sorted values begin anew, in a byte per value.

    >>> _first(np.array([3, 3, 5, 7, 7])).tolist()
    [True, False, True, True, False]
    """
    found = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


class _Worth(NamedTuple):
    """Which pairs are worth comparing.

    Attributes:
        stands_for: int32, one per pair: 0 for a pair that is left out, 1 for one that stays, more
            for one of a sample of pairs that are left out: how many of them it stands for.
        left_out: by kind, pairs that are left out because one evidence proposed them alone.
    """

    stands_for: npt.NDArray[np.int32]
    left_out: dict[str, int]


def _worth(pair: Ints, bits: Bits, size: Sizes, ids: pa.ChunkedArray) -> _Worth:
    records = len(ids)
    names: npt.NDArray[np.uint64] | None = None
    most = LONE_PAIRS + LONE_PER_RECORD * records
    sample = SAMPLED_PAIRS + SAMPLED_PER_RECORD * records
    stands_for = np.ones(len(pair), dtype=np.int32)
    # Kinds that found a pair are one of few combinations: what is asked of kinds is asked of those.
    pairs_of = np.bincount(bits, minlength=1)
    found = np.flatnonzero(pairs_of)
    gone = np.zeros_like(pairs_of)
    for kinds in EVIDENCE:
        mask = sum(1 << NUMBER[kind] for kind in kinds)
        lone = (found & ~mask) == 0
        proposed, alone = pairs_of[found[found & mask != 0]].sum(), pairs_of[found[lone]].sum()
        if alone <= most or proposed - alone >= CONFIRMED * proposed:
            continue
        is_lone = np.zeros(len(pairs_of), dtype=bool)
        is_lone[found[lone]] = True
        rows = np.flatnonzero(is_lone.take(bits))
        several = np.bitwise_count(bits.take(rows)) > 1
        rank = size.take(rows) + np.where(several, 0, _MAX_SIZE).astype(np.int16)
        ranked = np.cumsum(np.bincount(rank))
        last = np.searchsorted(ranked, most)
        dropped = rows[rank > (last if ranked[last] <= 2 * most else last - 1)]
        stands_for[dropped] = 0
        names = _names(ids) if names is None else names
        scattered = _scatter(pair.take(dropped), names)
        chosen = dropped[scattered < min(sample / max(len(dropped), 1), 1.0)]
        stands_for[chosen] = round(len(dropped) / max(len(chosen), 1))
        gone += np.bincount(bits[dropped[stands_for[dropped] == 0]], minlength=len(gone))
    left_out = {kind: int(gone[found[found >> n & 1 == 1]].sum()) for kind, n in NUMBER.items()}
    return _Worth(stands_for, left_out)


def _names(ids: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """A number for each record that follows from its id alone."""
    sums = map(zlib.crc32, pc.cast(ids, pa.binary()).to_pylist())
    return np.fromiter(sums, np.uint64, len(ids))


def _scatter(pair: Ints, names: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Pairs to numbers from 0 to 1, as good as random.

    A pair's follows from the ids of its two records: whatever other records come or go, it is
    sampled or not as before.
    """
    left, right = names.take(pair // len(names)), names.take(pair % len(names))
    mixed = (left << np.uint64(32) | right) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(32)) / 2.0**32


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
    first = _first(block)
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
    both = both[_first(both)]
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
        both = self.number.astype(np.int64) << other.bits | other.number
        both[(self.number == 0) | (other.number == 0)] = 0
        return _Property.of(both)


def _refined(wide: _Group, by: _Property) -> _Group:
    """Groups divided by a property; records without it are left out.

    Group, property and row are sorted as one number, so many groups at a time as fit.
    """
    row_bits = max(len(by.number) - 1, 0).bit_length()
    room = 1 << 63 - by.bits - row_bits
    start, sizes, rows = 0, [_NOTHING], [_NOTHING]
    while start < len(wide.group):
        base = int(wide.group[start])
        stop = int(np.searchsorted(wide.group, base + room))
        row = wide.row[start:stop]
        code = wide.group[start:stop].astype(np.int64)
        code -= base
        code <<= by.bits
        code |= by.number.take(row)
        code <<= row_bits
        code |= row
        code.sort()
        value = code >> row_bits
        begins = np.flatnonzero(_first(value))
        size = np.diff(begins, append=len(code))
        several = (size > 1) & (value[begins] & ((1 << by.bits) - 1) != 0)
        rows.append(code[np.repeat(several, size)] & ((1 << row_bits) - 1))
        sizes.append(size[several])
        start = stop
    size = np.concatenate(sizes).astype(np.int32)
    group = np.repeat(np.arange(len(size), dtype=np.int32), size)
    return _Group(group, np.concatenate(rows).astype(np.int32), np.repeat(size, size))


_NOTHING: Ints = np.zeros(0, dtype=np.int64)


class _Blocks:
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
        sizes = shared.size[_first(shared.group)]
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
        return _once(_joined(found))

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
        below = (NUMBER[kind] << _BELOW_KIND) | (int(refined) << _SIZE_BITS)
        found: list[Ints] = []
        group, row, last = groups.group, groups.row, len(groups.row)
        at, apart = np.flatnonzero(group[1:] == group[:-1]), 1
        while len(at):
            code = row.take(at).astype(np.int64)
            code *= self.records
            code += row.take(at + apart)
            code <<= _BELOW_PAIR
            code |= below
            code |= np.minimum(groups.size.take(at), _MAX_SIZE)
            found.append(code)
            apart += 1
            at = at[: np.searchsorted(at, last - apart)]
            at = at[group.take(at) == group.take(at + apart)]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)

    def report(self, made: Ints, lone: dict[str, int]) -> pa.Table:
        """What every kind of key made and left out; see :data:`REPORT`.

        Args:
            made: of :func:`_made`.
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

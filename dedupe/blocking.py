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
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import blocking_keys, kept_keys, pair_codes
from dedupe.blocking_keys import NUMBER
from dedupe.blocks import BlockingSettings, Blocks
from dedupe.comparing.columns import as_array
from dedupe.memory import give_back
from dedupe.pair_codes import MOST_RECORDS, Bits, Ints, Sizes

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
DUCKDB_MB = 400


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
        blocks = Blocks(keys.properties(), settings, records)
        found = [blocks.codes(made) for made in keys.kinds()]
    give_back()  # what DuckDB held
    codes = pair_codes.joined(found)
    if settings.link_only:
        codes = codes[pair_codes.crossing(codes, features)]
    made = pair_codes.made(codes)
    pair, bits, size = pair_codes.distinct(codes)
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


def is_lone(kinds: Collection[str]) -> bool:
    """Whether keys of these kinds are one evidence only, which may not do for a pair."""
    return len(kinds) > 0 and any(evidence.issuperset(kinds) for evidence in EVIDENCE)


def _named(pair: Ints, bits: Bits, features: pa.Table) -> pa.Table:
    """Pair numbers and bits to record ids and kinds."""
    ids = as_array(features.column("record_id"))
    count = max(features.num_rows, 1)
    distinct = np.flatnonzero(np.bincount(bits, minlength=1))
    place = np.zeros(int(distinct.max(initial=0)) + 1, dtype=np.int32)
    place[distinct] = np.arange(len(distinct))
    texts = [
        ",".join(kind for kind, number in NUMBER.items() if int(value) >> number & 1)
        for value in distinct
    ]
    left = pair // count
    dictionary = pa.DictionaryArray.from_arrays
    return pa.table(
        {
            "left_id": dictionary(pa.array(left.astype(np.int32)), ids),
            "right_id": dictionary(pa.array((pair - left * count).astype(np.int32)), ids),
            "found_by": dictionary(pa.array(place.take(bits)), pa.array(texts, pa.string())),
        }
    )


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
    most = LONE_PAIRS + LONE_PER_RECORD * records
    sample = SAMPLED_PAIRS + SAMPLED_PER_RECORD * records
    # Kinds that found a pair are one of few combinations: what is asked of kinds is asked of those.
    pairs_of = np.bincount(bits, minlength=1)
    found = np.flatnonzero(pairs_of)
    lone_of = np.zeros(len(pairs_of), dtype=np.int16)
    for number, kinds in enumerate(EVIDENCE, 1):
        mask = sum(1 << NUMBER[kind] for kind in kinds)
        lone = (found & ~mask) == 0
        proposed, alone = pairs_of[found[found & mask != 0]].sum(), pairs_of[found[lone]].sum()
        if alone > most and proposed - alone < CONFIRMED * proposed:
            several = np.bitwise_count(found[lone]) > 1
            lone_of[found[lone]] = (2 * number + several) << pair_codes.SIZE_BITS
    # Of each pair the evidence that proposed it alone, whether by several kinds, and the size.
    place = lone_of.take(bits)
    place |= size
    shape = (len(EVIDENCE) + 1, 2, pair_codes.MAX_SIZE + 1)
    counts = np.zeros(np.prod(shape), dtype=np.int64)
    for start in range(0, len(place), pair_codes.CODES):
        counts += np.bincount(place[start : start + pair_codes.CODES], minlength=len(counts))
    goes = _beyond(counts.reshape(shape), most)
    dropped = np.flatnonzero(goes.ravel().take(place))
    evidence = place.take(dropped) >> pair_codes.SIZE_BITS + 1
    sizes = np.bincount(evidence, minlength=len(EVIDENCE) + 1)
    shares = np.minimum(sample / np.maximum(sizes, 1), 1.0)
    is_sample = np.zeros(len(dropped), dtype=bool)
    names = _names(ids) if len(dropped) else np.zeros(0, dtype=np.uint64)
    for start in range(0, len(dropped), pair_codes.CODES):
        part = slice(start, start + pair_codes.CODES)
        scattered = _scatter(pair.take(dropped[part]), names)
        is_sample[part] = scattered < shares.take(evidence[part])
    chosen = np.bincount(evidence[is_sample], minlength=len(sizes))
    both = zip(sizes.tolist(), chosen.tolist(), strict=True)
    weights = np.array([round(size / max(some, 1)) for size, some in both])
    stands_for = np.ones(len(pair), dtype=np.int32)
    stands_for[dropped] = 0
    stands_for[dropped[is_sample]] = weights.take(evidence[is_sample])
    stay = np.bincount(bits[stands_for > 0], minlength=len(pairs_of))
    gone = pairs_of - stay
    left_out = {kind: int(gone[found[found >> n & 1 == 1]].sum()) for kind, n in NUMBER.items()}
    return _Worth(stands_for, left_out)


def _beyond(counts: Ints, most: float) -> npt.NDArray[np.bool_]:
    """Which pairs are beyond those that one evidence may propose alone: by evidence (0: none that
    is limited), whether several of its kinds proposed them, and the size of the smallest block.

    Args:
        counts: pairs, by the same.
    """
    goes = np.zeros(counts.shape, dtype=bool)
    several_first = counts[1:, ::-1].reshape(len(counts) - 1, -1)
    ranked = several_first.cumsum(axis=1)
    for number, pairs in enumerate(ranked):
        if pairs[-1] > most:
            last = int(np.searchsorted(pairs, most))
            bound = last if pairs[last] <= 2 * most else last - 1
            goes[number + 1] = (np.arange(len(pairs)) > bound).reshape(2, -1)[::-1]
    return goes


def _names(ids: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """A number for each record that follows from its id alone."""
    sums = map(zlib.crc32, pc.cast(ids, pa.binary()).to_pylist())
    return np.fromiter(sums, np.uint64, len(ids))


def _scatter(pair: Ints, names: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Pairs to numbers from 0 to 1, as good as random.

    A pair's follows from the ids of its two records: whatever other records come or go, it is
    sampled or not as before.
    """
    left = pair // len(names)
    mixed = names.take(left) << np.uint64(32)
    mixed |= names.take(pair - left * len(names))
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(32)) / 2.0**32

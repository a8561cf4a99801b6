"""Pairs that one kind of evidence alone proposes: those of the smallest blocks stay, and a sample.

What belongs here: which kinds of keys say the same, and which of the pairs that they alone propose
are worth comparing.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedupe import pair_codes
from dedupe.blocking_keys import NUMBER
from dedupe.groups import Hashes, Ints
from dedupe.pair_codes import Bits, Sizes

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


def is_lone(kinds: Collection[str]) -> bool:
    """Whether keys of these kinds are one evidence only, which may not do for a pair."""
    return len(kinds) > 0 and any(evidence.issuperset(kinds) for evidence in EVIDENCE)


class Worth(NamedTuple):
    """Which pairs are worth comparing.

    Attributes:
        stay: their numbers, ascending.
        stands_for: int32, of each of them 1, or more for one of a sample of pairs that are left
            out: how many of them it stands for.
        left_out: by kind, pairs that are left out because one evidence proposed them alone.
    """

    stay: Ints
    stands_for: npt.NDArray[np.int32]
    left_out: dict[str, int]


def worth(pair: Ints, bits: Bits, size: Sizes, names: Hashes) -> Worth:
    """Which pairs to compare.

    Args:
        pair, bits, size: of pair_codes.distinct.
        names: a number for each record that follows from its id alone.
    """
    records = len(names)
    most = LONE_PAIRS + LONE_PER_RECORD * records
    # Kinds that found a pair are one of few combinations: what is asked of kinds is asked of those.
    pairs_of = np.zeros(int(bits.max(initial=0)) + 1, dtype=np.int64)
    for part in _parts(len(bits)):
        np.add.at(pairs_of, bits[part].astype(np.int64), 1)
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
    place = size.copy()
    shape = (len(EVIDENCE) + 1, 2, pair_codes.MAX_SIZE + 1)
    counts = np.zeros(np.prod(shape), dtype=np.int64)
    for part in _parts(len(place)):
        place[part] |= lone_of.take(bits[part])
        counts += np.bincount(place[part], minlength=len(counts))
    goes = _beyond(counts.reshape(shape), most)
    left_out = (counts.reshape(shape) * goes).sum(axis=(1, 2))
    stay, sampled = _sampled(pair, place, goes, left_out, names)
    evidence = place.take(sampled) >> pair_codes.SIZE_BITS + 1
    chosen = np.bincount(evidence, minlength=len(left_out))
    both = zip(left_out.tolist(), chosen.tolist(), strict=True)
    weights = np.array([round(size / max(some, 1)) for size, some in both])
    stands_for = np.ones(len(stay), dtype=np.int32)
    stands_for[np.searchsorted(stay, sampled)] = weights.take(evidence)
    gone = pairs_of - np.bincount(bits.take(stay), minlength=len(pairs_of))
    of_kind = {kind: int(gone[found[found >> n & 1 == 1]].sum()) for kind, n in NUMBER.items()}
    return Worth(stay, stands_for, of_kind)


def _parts(pairs: int) -> Iterator[slice]:
    """Pairs in parts whose numbers stay in the cache, also where they are made wider to be used."""
    return (slice(at, at + pair_codes.CODES) for at in range(0, pairs, pair_codes.CODES))


def _sampled(
    pair: Ints,
    place: Sizes,
    goes: npt.NDArray[np.bool_],
    left_out: Ints,
    names: Hashes,
) -> tuple[Ints, Ints]:
    """Pairs that stay, and those of them that are a sample of the ones that would be left out.

    Args:
        place: of each pair, its number in goes.
        goes: of :func:`_beyond`.
        left_out: pairs that would be left out, by evidence.
    """
    if not goes.any():
        return np.arange(len(pair)), np.zeros(0, dtype=np.int64)
    sample = SAMPLED_PAIRS + SAMPLED_PER_RECORD * len(names)
    shares = np.minimum(sample / np.maximum(left_out, 1), 1.0)
    # A number of 32 bits is below the share of them: the same as a fraction below the share.
    bound = np.ceil(shares * 2.0**32).clip(1).astype(np.uint64)
    below = np.where(goes, bound[:, None, None], np.uint64(0)).ravel()
    stay, sampled = [], []
    for part in _parts(len(place)):
        own = below.take(place[part])
        is_sample = _scattered(pair[part], names) < own
        stay.append(np.flatnonzero((own == 0) | is_sample) + part.start)
        sampled.append(np.flatnonzero(is_sample) + part.start)
    return np.concatenate(stay), np.concatenate(sampled)


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


def _scattered(pair: Ints, names: Hashes) -> Hashes:
    """Pairs to numbers of 32 bits, as good as random.

    A pair's follows from the ids of its two records: whatever other records come or go, it is
    sampled or not as before.
    """
    shift = pair_codes.row_bits(len(names))
    mixed = names.take(pair >> shift) << np.uint64(32)
    mixed |= names.take(pair & (1 << shift) - 1)
    mixed *= np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed >> np.uint64(32)

"""Pairs as whole numbers: two rows, the kind of key they share, and its block's size in one.

Sorted codes are joined, counted and told apart in a few passes over arrays.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedupe.blocking_keys import KINDS
from dedupe.comparing.columns import as_array

KIND_BITS, SIZE_BITS = 5, 9
BELOW_KIND = SIZE_BITS + 1
BELOW_PAIR = BELOW_KIND + KIND_BITS
KIND_MASK, MAX_SIZE = (1 << KIND_BITS) - 1, (1 << SIZE_BITS) - 1
"""Of a code, from its lowest bit: records of the block, whether it was refined, the kind, the pair
(left row times records plus right row)."""
MOST_RECORDS = 1 << (63 - BELOW_PAIR) // 2
"""Records of which two row numbers fit into a pair's code: 16,777,216."""
CODES = 1 << 16
"""Codes of pairs that are looked at together: at some 40 bytes each, they stay in the cache."""
Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.int32]
Sizes = npt.NDArray[np.int16]


def parts(codes: Ints) -> Iterator[Ints]:
    """Sorted codes in parts that end where a pair ends; one at least."""
    start = 0
    while True:
        stop = start + CODES
        if stop >= len(codes):
            yield codes[start:]
            return
        after = ((codes[stop] >> BELOW_PAIR) + 1) << BELOW_PAIR
        stop = start + int(np.searchsorted(codes[start:], after))
        yield codes[start:stop]
        start = stop


def once(codes: Ints) -> Ints:
    """Sorted codes of one kind, each pair once: refined if all are, with the least size."""
    end = 0
    for part in parts(codes):
        first = starts(part >> BELOW_KIND)
        again, place = _repeated(first)
        own = part[first]
        size = own & MAX_SIZE
        own -= size
        np.minimum.at(size, place, part.take(again) & MAX_SIZE)
        own |= size
        start, end = end, end + len(own)
        codes[start:end] = own
    return codes[:end].copy()


def _repeated(first: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Values that are like the one before: where they stand, and the number of their like.

    >>> [one.tolist() for one in _repeated(np.array([True, False, True, True, False]))]
    [[1, 4], [0, 2]]
    """
    again = np.flatnonzero(~first)
    return again, again - np.arange(1, len(again) + 1)


def made(codes: Ints) -> npt.NDArray[np.int64]:
    """Pairs by kind, shape (2, kinds): all, and those made by refining only."""
    counts = np.zeros(2 << KIND_BITS, dtype=np.int64)
    for part in parts(codes):
        kind_and_way = part[starts(part >> BELOW_KIND)] >> SIZE_BITS & (2 * KIND_MASK + 1)
        counts += np.bincount(kind_and_way, minlength=len(counts))
    by_kind = counts.reshape(-1, 2)[: len(KINDS)]
    return np.stack([by_kind.sum(axis=1), by_kind[:, 1]])


def distinct(codes: Ints) -> tuple[Ints, Bits, Sizes]:
    """Codes to pairs: the pair's number, bits of its kinds, records of its smallest block.

    The pairs are written over the codes, from their first on.
    """
    bits, size = np.empty(len(codes), dtype=np.int32), np.empty(len(codes), dtype=np.int16)
    end = 0
    for part in parts(codes):
        pair, own_bits, own_size = _distinct_of(part)
        start, end = end, end + len(pair)
        codes[start:end], bits[start:end], size[start:end] = pair, own_bits, own_size
    return codes[:end].copy(), bits[:end], size[:end]


def _distinct_of(codes: Ints) -> tuple[Ints, Bits, Sizes]:
    pair = codes >> BELOW_PAIR
    first = starts(pair)
    again, place = _repeated(first)
    # A pair has a kind once, so that bits may be added.
    kind = np.left_shift(1, (codes >> BELOW_KIND & KIND_MASK).astype(np.int32), dtype=np.int32)
    bits = kind[first]
    np.add.at(bits, place, kind.take(again))
    every = (codes & MAX_SIZE).astype(np.int16)
    size = every[first]
    np.minimum.at(size, place, every.take(again))
    return pair[first], bits, size


def joined(found: list[Ints]) -> Ints:
    """All codes sorted; ``found`` is emptied on the way."""
    codes = np.empty(sum(map(len, found)), dtype=np.int64)
    at = len(codes)
    while found:
        some = found.pop()
        codes[at - len(some) : at] = some
        at -= len(some)
    codes.sort()
    return codes


def crossing(codes: Ints, features: pa.Table) -> npt.NDArray[np.bool_]:
    """Which codes are of pairs of records of two sources."""
    source = as_array(features.column("source")).dictionary_encode().indices.to_numpy()
    pair = codes >> BELOW_PAIR
    apart: npt.NDArray[np.bool_] = (
        source[pair // features.num_rows] != source[pair % features.num_rows]
    )
    return apart


def starts(values: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Where sorted values begin anew, in a byte per value.

    >>> starts(np.array([3, 3, 5, 7, 7])).tolist()
    [True, False, True, True, False]
    """
    found = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found

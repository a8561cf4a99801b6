"""Pairs as whole numbers: two rows, its block's size and the kind of key they share in one.

Sorted codes are joined, counted and told apart in a few passes over arrays.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from dedupe.groups import Ints, starts

KIND_BITS, SIZE_BITS = 5, 9
BELOW_SIZE = KIND_BITS + 1
BELOW_PAIR = SIZE_BITS + BELOW_SIZE
KIND_MASK, MAX_SIZE = (1 << KIND_BITS) - 1, (1 << SIZE_BITS) - 1
"""Of a code, from its lowest bit: whether the block was refined, the kind, records of the block,
the pair (left row and right row). Of codes of a pair, the first has the least size."""
MOST_RECORDS = 1 << (63 - BELOW_PAIR) // 2
"""Records of which two row numbers fit into a pair's code: 16,777,216."""
CODES = 1 << 16
"""Codes of pairs that are looked at together: at some 40 bytes each, they stay in the cache."""
Bits = npt.NDArray[np.int32]
Sizes = npt.NDArray[np.int16]
_REFINED = 1


def row_bits(records: int) -> int:
    """Bits of a row number: those of the right row in a pair, whose left row is above them."""
    return max(records - 1, 0).bit_length()


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
    """Sorted codes of one kind, in place: each pair once, as refined if all are, with the least
    size."""
    end = 0
    for part in parts(codes):
        first = starts(part >> BELOW_PAIR)
        at = np.flatnonzero(first)
        own = part.take(at)
        is_refined = (part & _REFINED).astype(bool)
        plain = np.flatnonzero(is_refined[:-1] & ~is_refined[1:] & ~first[1:]) + 1
        own[np.searchsorted(at, plain) - 1] &= ~_REFINED
        start, end = end, end + len(own)
        codes[start:end] = own
    codes.resize(end, refcheck=False)  # gives the rest back without copying
    return codes


def refined(codes: Ints) -> int:
    """How many codes are of refined blocks."""
    return sum(int(np.count_nonzero(part & _REFINED)) for part in parts(codes))


def distinct(codes: Ints) -> tuple[Ints, Bits, Sizes]:
    """Codes to pairs: the pair's number, bits of its kinds, records of its smallest block.

    The pairs are written over the codes, from their first on.
    """
    bits, size = np.empty(len(codes), dtype=np.int32), np.empty(len(codes), dtype=np.int16)
    end = 0
    for part in parts(codes):
        first = starts(part >> BELOW_PAIR)
        again = np.flatnonzero(~first)
        own = part.take(np.flatnonzero(first))
        kinds = _bit(own)
        # A pair has a kind once, so that bits may be added.
        np.add.at(kinds, again - np.arange(1, len(again) + 1), _bit(part.take(again)))
        start, end = end, end + len(own)
        codes[start:end], bits[start:end] = own >> BELOW_PAIR, kinds
        size[start:end] = own.astype(np.int16) >> BELOW_SIZE & MAX_SIZE
    return codes[:end], bits[:end], size[:end]


def _bit(codes: Ints) -> Bits:
    """The kind of each code as a bit."""
    kind = codes.astype(np.int16) >> 1 & KIND_MASK
    found: Bits = np.left_shift(1, kind, dtype=np.int32)
    return found


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


def crossing(codes: Ints, source: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Which codes are of pairs of records of two sources, which are numbers here, by row."""
    bits = row_bits(len(source))
    pair = codes >> BELOW_PAIR
    apart: npt.NDArray[np.bool_] = source[pair >> bits] != source[pair & (1 << bits) - 1]
    return apart

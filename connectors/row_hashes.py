"""Hashes of records: whole columns at once, the same however rows, columns or batches lie.

What belongs here: the text that a record's hash is made of, the hash, and sums of
hashes. A record's text is, of its filled columns in the order of their names,
name NUL value NUL, and no value holds a NUL; so a column that is empty everywhere
changes no hash. Hashes are BLAKE2b of 16 bytes: two records of one
text in 2**64 are likelier to meet than two hashes.
"""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SIZE = 16
"""Bytes of a hash."""
MASK = (1 << 8 * SIZE) - 1


def digests(columns: Sequence[str], values: Sequence[pa.Array]) -> bytes:
    """The hashes of records, one after another.

    Args:
        columns: names of the columns, in any order.
        values: text, without NUL, of each of them.
    """
    parts: list[pa.Scalar | pa.Array] = []
    for name, column in sorted(zip(columns, values, strict=True), key=lambda pair: pair[0]):
        if not column.null_count:
            parts += [pa.scalar(name), column]
        elif column.null_count < len(column):
            parts += [_where_filled(name, column), column]
    if not parts:
        return of_text(pa.array([""])) * (len(values[0]) if values else 0)
    # Arrow loses a row that has nothing but nulls, so there is an end that is none.
    return of_text(pc.binary_join_element_wise(*parts, "", "\0", null_handling="skip"))


def _where_filled(name: str, column: pa.Array) -> pa.Array:
    """The name of a column for every record that has a value there, null for all others."""
    count, data = len(column), name.encode()
    offsets = np.arange(0, len(data) * (count + 1), max(1, len(data)), dtype=np.int32)
    if not data:
        offsets = np.zeros(count + 1, np.int32)
    if column.offset:
        column = pa.concat_arrays([column])  # so that its first record has the first bit
    return pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets), pa.py_buffer(data * count), column.buffers()[0]
    )


def of_text(texts: pa.Array, size: int = SIZE) -> bytes:
    """The hash of every text, one after another.

    Args:
        texts: without nulls.
        size: bytes of a hash.
    """
    offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, 4 * texts.offset).tolist()
    data = memoryview(texts.buffers()[2] or b"")[: offsets[-1]].tobytes()
    begun = hashlib.blake2b(digest_size=size).copy  # cheaper than a new one with its settings
    found = []
    for start, end in pairwise(offsets):
        one = begun()
        one.update(data[start:end])
        found.append(one.digest())
    return b"".join(found)


def of(*texts: str) -> bytes:
    """One hash of several texts."""
    joined = "".join(f"{len(text)}:{text}" for text in texts)
    return hashlib.blake2b(joined.encode(), digest_size=SIZE).digest()


def hexadecimal(found: bytes, size: int = SIZE) -> pa.Array:
    """Hashes as text, two digits a byte."""
    count = len(found) // size
    offsets = np.arange(0, 2 * size * (count + 1), 2 * size, dtype=np.int32)
    return pa.StringArray.from_buffers(
        count, pa.py_buffer(offsets), pa.py_buffer(found.hex().encode())
    )


def from_hexadecimal(texts: pa.Array) -> bytes:
    """Hashes of SIZE bytes, one after another, of their texts.

    >>> from_hexadecimal(hexadecimal(bytes(range(16)))) == bytes(range(16))
    True
    """
    offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, 4 * texts.offset)
    data = memoryview(texts.buffers()[2] or b"")[offsets[0] : offsets[-1]]
    return bytes.fromhex(data.tobytes().decode("ascii"))


def total(found: bytes) -> int:
    """The sum of hashes, modulo 2**128.

    >>> total(bytes(15) + b"\\2" + b"\\xff" * 16)
    1
    """
    return _number([int(limb.sum()) for limb in np.ascontiguousarray(_limbs(found).T)])


def placed(found: bytes, positions: pa.Array) -> int:
    """The sum of hashes times weights of positions, modulo 2**128: other where a record moved."""
    if not len(positions):
        return 0
    left, right, count = _limbs(found), _weights(positions), SIZE // 4
    result = 0
    for i in range(count):
        for j in range(2):  # the weight's lower and upper half
            shift = count - 1 - i + j
            if shift < count:
                product = left[:, i] * right[j]
                sums = (int((product & _LOW).sum()), int((product >> _HALF).sum()))
                result += (sums[0] + (sums[1] << 32)) << 32 * shift
    return result & MASK


def _weights(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """An odd number of 64 bits for every text, its lower and its upper half.

    A polynomial of the bytes, then mixed: hashes of records are what nobody foresees, a weight
    only has to be another one for another text. What all texts begin with is gone through once.
    """
    ends = pc.min_max(texts)
    first, last = (ends[name].as_buffer().to_pybytes() for name in ("min", "max"))
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), None)
    same = min(len(first), len(last)) if same is None else same
    start = 0
    for byte in first[:same]:
        start = (start * _FACTOR + byte + 1) & (1 << 64) - 1
    offsets = np.frombuffer(texts.buffers()[1], np.int32, len(texts) + 1, 4 * texts.offset)
    data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    at, end = offsets[:-1] + np.int32(same), offsets[1:]
    weight = np.full(len(texts), start, dtype=np.uint64)
    while len(at) and (at < end).all():  # what all have is gone through without choosing
        weight *= np.uint64(_FACTOR)
        weight += data[at] + np.uint64(1)
        at += 1
    rows = np.flatnonzero(at < end)
    while len(rows):
        byte = data[at[rows]].astype(np.uint64) + np.uint64(1)
        weight[rows] = weight[rows] * np.uint64(_FACTOR) + byte
        at[rows] += 1
        rows = rows[at[rows] < end[rows]]
    weight ^= weight >> np.uint64(32)
    weight *= np.uint64(_FACTOR)
    weight ^= weight >> np.uint64(29)
    weight |= np.uint64(1)
    return weight & _LOW, weight >> _HALF


_FACTOR = 0x9E3779B97F4A7C15
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def _limbs(found: bytes) -> np.ndarray:
    """Hashes as rows of four numbers of 32 bits, the highest first."""
    return np.frombuffer(found, ">u4").reshape(-1, SIZE // 4).astype(np.uint64)


def _number(limbs: Sequence[int]) -> int:
    result = 0
    for limb in limbs:
        result = (result << 32) + limb
    return result & MASK

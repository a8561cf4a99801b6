"""Where records of one snapshot stood in another, by their keys.

What belongs here: finding keys among others. From one snapshot to the next most records stay in
the order they were in, so that the place of a few tells those of all between them; looking every
key up in a table of a million takes three times as long, for memory is far.
"""

from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_APART = 16
"""Of so many keys about one is looked up, and those after it are expected to follow it."""

Keys: TypeAlias = pa.Array | pa.ChunkedArray


def places(keys: Keys, among: Keys) -> pa.Array:
    """The place of every key among others, counted from 0; null where it is not there.

    Args:
        keys: text, each once, in any order.
        among: text, each once.

    >>> places(pa.array(["c", "b", "x"]), pa.array(["a", "b", "c"])).to_pylist()
    [2, 1, None]
    """
    if not len(keys) or not len(among):
        return pa.nulls(len(keys), pa.int32())
    place = np.arange(len(keys)) + _shifts(keys, among)
    np.clip(place, 0, len(among) - 1, out=place)
    right = np.asarray(pc.equal(keys, among.take(pa.array(place))))
    return completed(keys, among, np.where(right, place, -1))


def completed(keys: Keys, among: Keys, at: np.ndarray) -> pa.Array:
    """The places of keys of which most are known: the others are looked up among what is left.

    Args:
        keys, among: as in :func:`places`.
        at: int64, per key its place; -1 where it is to be looked up.
    """
    free = np.ones(len(among), dtype=bool)
    free[at[at >= 0]] = False
    left, rest = np.flatnonzero(free), np.flatnonzero(at < 0)
    late = pc.index_in(keys.take(pa.array(rest)), value_set=among.take(pa.array(left)))
    there = np.asarray(late.is_valid())
    at[rest[there]] = left[np.asarray(late.drop_null())]
    return pa.array(at, pa.int32(), mask=at < 0)


def _shifts(keys: Keys, among: Keys) -> np.ndarray:
    """How much further each key likely stands: as much as the one looked up last before it."""
    some, others = _telling(keys), _telling(among)
    if some is None or others is None:  # keys that end alike
        some, others = np.arange(0, len(keys), _APART), np.arange(len(among))
    found = pc.index_in(among.take(pa.array(others)), value_set=keys.take(pa.array(some)))
    if not found.null_count < len(found):
        return np.zeros(len(keys), dtype=np.int64)
    rows = some[np.asarray(found.drop_null())]
    apart = others[np.flatnonzero(np.asarray(found.is_valid()))] - rows
    at = np.argsort(rows)
    rows, apart = rows[at], apart[at]
    lengths = np.diff(np.concatenate([[0], rows[1:], [len(keys)]]))
    return np.repeat(apart, lengths)


def _telling(keys: Keys) -> np.ndarray | None:
    """Numbers of some keys: by how they end, so that they are the same ones among others.

    None: far more or fewer would be than one in _APART.
    """
    chunks = keys.chunks if isinstance(keys, pa.ChunkedArray) else [keys]
    some = np.flatnonzero(np.concatenate([_chosen(chunk) for chunk in chunks]))
    return some if 4 * len(some) <= len(keys) <= 4 * _APART * len(some) else None


def _chosen(keys: pa.Array) -> np.ndarray:
    """For each key whether its last two bytes are among some, about one in _APART."""
    if not len(keys):
        return np.zeros(0, dtype=bool)
    _, offsets, text = keys.buffers()
    ends = np.frombuffer(offsets, np.int32, len(keys) + 1, 4 * keys.offset)
    data = np.frombuffer(text, np.uint8) if text else np.zeros(1, np.uint8)
    last = data[np.maximum(ends[1:] - 1, 0)]
    before = data[np.maximum(ends[1:] - 2, np.minimum(ends[:-1], len(data) - 1))]
    return (last - before) % _APART == 0

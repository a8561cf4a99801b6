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
"""Every so many keys one is looked up, and those after it are expected to follow it."""

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
    some = np.arange(0, len(keys), _APART)
    found = pc.index_in(among, value_set=keys.take(pa.array(some)))
    known = np.asarray(found.drop_null())
    shifts = np.zeros(len(some), dtype=np.int64)
    shifts[known] = np.flatnonzero(np.asarray(found.is_valid())) - some[known]
    place = np.arange(len(keys)) + np.repeat(shifts, _APART)[: len(keys)]
    np.clip(place, 0, len(among) - 1, out=place)
    right = np.asarray(pc.equal(keys, among.take(pa.array(place))))
    rest = np.flatnonzero(~right)
    free = np.ones(len(among), dtype=bool)
    free[place[right]] = False
    left = np.flatnonzero(free)
    late = pc.index_in(keys.take(pa.array(rest)), value_set=among.take(pa.array(left)))
    there = np.asarray(late.is_valid())
    place[rest[there]] = left[np.asarray(late.drop_null())]
    nowhere = np.zeros(len(keys), dtype=bool)
    nowhere[rest[~there]] = True
    return pa.array(place, pa.int32(), mask=nowhere)

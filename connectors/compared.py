"""What changed from one snapshot of a source to a later one.

What belongs here: the result, and how it follows from keys, hashes and positions of both. Which
are compared, and when, is for connectors/snapshot.py (while a source lands) and
connectors/comparing.py (two files) to say.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.reading import POSITION, ROW_HASH, SOURCE_KEY

COLUMNS = [SOURCE_KEY, ROW_HASH, POSITION]
"""What is compared of a snapshot."""


@dataclass(frozen=True)
class Compared:
    """What changed; records are counted from 0 in the order of the later snapshot.

    Attributes:
        keys: of every record of the later snapshot.
        changed: numbers of the records that are new or have other values, ascending.
        stays: ``source_key``, ``position_before`` and ``position`` of the others; none if none of
            them stands elsewhere.
        gone: keys that the later snapshot has no more.
        rows: the records of ``changed`` as the later snapshot has them; None: read them there.
    """

    keys: pa.ChunkedArray
    changed: np.ndarray
    stays: pa.Table
    gone: pa.ChunkedArray
    rows: pa.Table | None = None


def of(old: pa.Table, new: pa.Table, at: pa.Array) -> Compared:
    """Compare two snapshots.

    Args:
        old, new: their COLUMNS.
        at: the place of each new key among the old ones, null where it is not there.
    """
    # In one piece, for to take from many is slow.
    row_hash, position = (old[name].combine_chunks().take(at) for name in (ROW_HASH, POSITION))
    same = pc.fill_null(pc.equal(new[ROW_HASH], row_hash), False)
    elsewhere = pc.and_(same, pc.not_equal(new[POSITION], position))
    stays = pa.table(
        {"source_key": new[SOURCE_KEY], "position_before": position, "position": new[POSITION]}
    )
    there = np.zeros(old.num_rows, dtype=bool)
    there[np.asarray(at.drop_null())] = True
    return Compared(
        keys=new[SOURCE_KEY],
        changed=np.flatnonzero(~np.asarray(same)),
        stays=stays.filter(same) if pc.any(elsewhere).as_py() else stays.slice(0, 0),
        gone=old[SOURCE_KEY].filter(pa.array(~there)),
    )

"""What changed from one snapshot to another, record by record.

What belongs here: comparing keys, hashes and positions of two snapshots, and
reading some records of one. Nothing here looks at a value.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import sealing, snapshot
from connectors.key_places import places
from connectors.reading import POSITION, ROW_HASH, SOURCE_KEY
from onefold.keys import Keys


@dataclass(frozen=True)
class Compared:
    """What changed; records are counted from 0 in the order of the later snapshot.

    Attributes:
        keys: of every record of the later snapshot.
        changed: numbers of the records that are new or have other values, ascending.
        stays: ``source_key``, ``position_before`` and ``position`` of the others; none if none of
            them stands elsewhere.
        gone: keys that the later snapshot has no more.
    """

    keys: pa.ChunkedArray
    changed: np.ndarray
    stays: pa.Table
    gone: pa.ChunkedArray


def compare(before: Path, after: Path) -> Compared:
    """Compare two snapshots of one source. Takes memory for the keys and hashes of both."""
    names = [SOURCE_KEY, ROW_HASH, POSITION]
    old, new = (pq.read_table(path, columns=names) for path in (before, after))
    at = places(new[SOURCE_KEY], old[SOURCE_KEY])
    matching = old.select([ROW_HASH, POSITION]).take(at)
    same = pc.fill_null(pc.equal(new[ROW_HASH], matching[ROW_HASH]), False)
    elsewhere = pc.and_(same, pc.not_equal(new[POSITION], matching[POSITION]))
    places_of = pa.table(
        {
            "source_key": new[SOURCE_KEY],
            "position_before": matching[POSITION],
            "position": new[POSITION],
        }
    )
    stays = np.zeros(old.num_rows, dtype=bool)
    stays[np.asarray(at.drop_null())] = True
    return Compared(
        keys=new[SOURCE_KEY],
        changed=np.flatnonzero(~np.asarray(same)),
        stays=places_of.filter(same) if pc.any(elsewhere).as_py() else places_of.slice(0, 0),
        gone=old[SOURCE_KEY].filter(pa.array(~stays)),
    )


def chosen(
    path: Path,
    numbers: np.ndarray,
    rows: int,
    columns: Sequence[str] | None = None,
    *,
    keys: Keys | None = None,
) -> Iterator[pa.Table]:
    """Some records of a snapshot, in its order; one part at least.

    Args:
        path: the snapshot.
        numbers: of the records, counted from 0, ascending.
        rows: how many records a part has, about.
        columns: which columns; None: all; none: as of ``snapshot.slices``.
        keys: the home's; None: encrypted values stay so.
    """
    if columns is not None and not columns:
        yield from snapshot.slices(path, rows, columns)
        return
    sealed = snapshot.read_manifest(path).sealed if keys else ()
    start, waiting, held, given = 0, list[pa.Table](), 0, False
    for part in snapshot.slices(path, rows, columns):
        first, last = np.searchsorted(numbers, [start, start + part.num_rows])
        taken = part.take(pa.array(numbers[first:last] - start))
        waiting.append(sealing.opened(taken, sealed, keys))
        start += part.num_rows
        held += waiting[-1].num_rows
        if held >= rows:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, held, given = [], 0, True
    if held or not given:
        yield pa.concat_tables(waiting).combine_chunks()

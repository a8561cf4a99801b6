"""What changed from one snapshot to another, record by record.

What belongs here: comparing keys, hashes and positions of two snapshots, and
reading some records of one. Nothing here looks at a value.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from connectors import compared, sealing, snapshot
from connectors.compared import Compared
from connectors.key_places import places
from connectors.reading import SOURCE_KEY
from onefold.keys import Keys


def compare(before: Path, after: Path) -> Compared:
    """Compare two snapshots of one source. Takes memory for the keys and hashes of both."""
    old, new = (pq.read_table(path, columns=compared.COLUMNS) for path in (before, after))
    return compared.of(old, new, places(new[SOURCE_KEY], old[SOURCE_KEY]))


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

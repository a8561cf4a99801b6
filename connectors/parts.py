"""Parts of snapshots, put together to another one.

What belongs here: copying rows from file to file, some left out, some with another key. Which
ones is for connectors/snapshot.py and connectors/merging.py to say. Memory is bounded by a
batch and a few bytes a row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.repeated_keys import Repair, repaired
from connectors.snapshot_writer import SnapshotWriter
from connectors.snapshot_writer import schema as schema_of

_BATCH_ROWS, _BATCH_BYTES = 20_000, 64_000_000


@dataclass(frozen=True)
class Part:
    """Rows of one file.

    Attributes:
        path: a Parquet file with a snapshot's columns.
        keep: for every row whether it is wanted; None: all are.
        repairs: rows that get another key, by their number in the file.
    """

    path: Path
    keep: pa.Array | None = None
    repairs: Mapping[int, Repair] = field(default_factory=dict)


def copy(parts: Sequence[Part], to: SnapshotWriter, columns: Sequence[str]) -> None:
    """Write the parts one after another; a column that a part lacks is null there.

    Args:
        columns: the source's columns, in the order that the file has them.
    """
    schema = schema_of(columns)
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in _batches(parts, schema):
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= _BATCH_ROWS or size >= _BATCH_BYTES:
            to.write(pa.Table.from_batches(waiting, schema))
            waiting, rows, size = [], 0, 0
    if waiting:
        to.write(pa.Table.from_batches(waiting, schema))


def _batches(parts: Sequence[Part], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for part in parts:
        start = 0
        # Read ahead, Parquet would keep all of the file that was read.
        with pq.ParquetFile(part.path, pre_buffer=False) as file:
            for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
                end = start + batch.num_rows
                others = [row for row in range(start, end) if row in part.repairs]
                if others:
                    batch = repaired(batch, {row - start: part.repairs[row] for row in others})
                if part.keep is not None:
                    batch = batch.filter(part.keep.slice(start, batch.num_rows))
                start = end
                if batch.num_rows:
                    yield _conformed(batch, schema)


def _conformed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    if batch.schema.names == schema.names:
        return batch
    there = set(batch.schema.names)
    absent = pa.nulls(batch.num_rows, pa.string())
    return pa.RecordBatch.from_arrays(
        [batch.column(name) if name in there else absent for name in schema.names], schema=schema
    )

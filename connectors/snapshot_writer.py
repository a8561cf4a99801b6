"""The Parquet file of a snapshot, written while the next rows are made.

What belongs here: the columns that every snapshot has and how they are stored. Which rows
there are is connectors/landing.py's part.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.reading import POSITION, PROBLEM, ROW_HASH, SOURCE_KEY

_MOST_DIFFERENT = 0.5
"""Share of a column's values that differ, up to which a dictionary of them saves anything."""


def schema(columns: Sequence[str]) -> pa.Schema:
    """The columns of a snapshot: its own, then the source's; all text."""
    names = [SOURCE_KEY, POSITION, ROW_HASH, PROBLEM, *columns]
    return pa.schema([pa.field(name, pa.string()) for name in names])


class SnapshotWriter:
    """Writes the rows of a snapshot; the last batch is written while the next one is made.

    Columns whose values repeat are stored with a dictionary; the first rows tell which
    those are, for a dictionary that grows as the column does costs half of the writing.
    """

    def __init__(self, file: object, columns: Sequence[str]) -> None:
        self._file, self._schema = file, schema(columns)
        self._metadata: dict[str | bytes, str | bytes] = {}
        self._parquet: pq.ParquetWriter | None = None
        self._thread = ThreadPoolExecutor(1, "onefold-parquet")
        self._last: Future[None] | None = None
        self.is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._abandon()

    def write(self, rows: pa.RecordBatch | pa.Table) -> None:
        """Write some rows, once those before are written.

        Raises:
            OSError: those before could not be written.
        """
        self._wait()
        self._last = self._thread.submit(self._write, rows)

    def add_metadata(self, metadata: Mapping[str | bytes, str | bytes]) -> None:
        """What the file says of itself."""
        self._metadata.update(metadata)

    def close(self) -> None:
        """Write what is left; nothing if that was done."""
        if not self.is_open:
            return
        try:
            self._wait()
            parquet = self._parquet or self._opened(self._schema.empty_table())
            if self._metadata:
                parquet.add_key_value_metadata(self._metadata)
            parquet.close()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        self._thread.shutdown(wait=True)
        if self._parquet is not None:
            self._parquet.is_open = False  # else its end would write to a file that is closed
        self.is_open = False

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def _write(self, rows: pa.RecordBatch | pa.Table) -> None:
        parquet = self._parquet or self._opened(rows)
        table = pa.Table.from_batches([rows]) if isinstance(rows, pa.RecordBatch) else rows
        parquet.write_table(table)

    def _opened(self, first: pa.RecordBatch | pa.Table) -> pq.ParquetWriter:
        most = _MOST_DIFFERENT * first.num_rows
        self._parquet = pq.ParquetWriter(
            self._file,
            self._schema,
            compression="zstd",
            write_statistics=False,
            use_dictionary=[
                name
                for name in (POSITION, PROBLEM, *self._schema.names[4:])
                if pc.count_distinct(first.column(name)).as_py() <= most
            ],
        )
        return self._parquet

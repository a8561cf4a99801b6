"""A source's records slice by slice, so that memory is bounded by a slice and not by the source.

What belongs here: cutting a table into slices, and keeping what was made of
them in a file until it is read again. What must be known of all slices before
the first one is read stands in rules/habits.py.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

SLICE = 25_000
"""Records that are cleaned at a time: 0.15 GB of Python objects."""

Slices = Callable[[Sequence[str] | None], Iterator[pa.Table]]
"""Gives a source's slices in order, of these columns or of all, as often as it is called.

There is one slice at least, without rows if the source has none. Of no columns (``()``) there
is one, without rows, that says by its schema which columns the source has; nothing is read.
"""


def column_names(slices: Slices) -> list[str]:
    """The columns of a source.

    >>> column_names(of_table(pa.table({"a": [1, 2, 3], "b": [4, 5, 6]})))
    ['a', 'b']
    """
    return next(slices(())).column_names


def of_table(table: pa.Table, rows: int = SLICE) -> Slices:
    """The slices of a table in memory; they are views of it.

    >>> slices = of_table(pa.table({"a": [1, 2, 3], "b": [4, 5, 6]}), 2)
    >>> [part.num_rows for part in slices(None)], [part.column_names for part in slices(["b"])]
    ([2, 1], [['b'], ['b']])
    """

    def slices(columns: Sequence[str] | None) -> Iterator[pa.Table]:
        chosen = table.select(columns) if columns else table
        if columns is not None and not columns:
            chosen = table.slice(0, 0)
        for start in range(0, max(chosen.num_rows, 1), rows):
            yield chosen.slice(start, rows)

    return slices


class Spill:
    """Tables of one schema in a compressed file without a name, one after the other.

    The file is gone when the spill is closed or the process dies. First all
    tables are added, then they are read, as often as is wanted.

    >>> with Spill(pa.schema([("a", pa.int64())])) as spill:
    ...     spill.add(pa.table({"a": [1, 2]}))
    ...     spill.add(pa.table({"a": [3]}))
    ...     [table.num_rows for table in spill.tables()], spill.column("a").to_pylist()
    ([2, 1], [1, 2, 3])

    Args:
        schema: of every table.
        folder: where the file is made; None: where temporary files are.

    Attributes:
        num_rows: of all tables.
    """

    def __init__(self, schema: pa.Schema, folder: Path | None = None) -> None:
        self.num_rows = 0
        self._schema = schema
        self._rows: list[int] = []
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, closed in close
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        self._writer = pa.ipc.new_file(pa.PythonFile(self._file, "w"), schema, options=options)
        self._written = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, table: pa.Table) -> None:
        """Add a table; it is one of :meth:`tables`."""
        batches = table.select(self._schema.names).combine_chunks().to_batches()
        if not batches:
            batches = [pa.RecordBatch.from_pylist([], self._schema)]
        if len(batches) != 1:
            raise ValueError("a table of more than 2 GB of text in one column")
        self._writer.write_batch(batches[0])
        self._rows.append(table.num_rows)
        self.num_rows += table.num_rows

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The tables in order, of these columns or of all, one in memory at a time.

        Of no columns there is one table, without rows, as of :data:`Slices`.
        """
        if not self._written:
            self._writer.close()
            self._written = True
        if columns is not None and not columns:
            yield self._schema.empty_table()
            return
        chosen = self._schema.names if columns is None else list(columns)
        included = [self._schema.get_field_index(name) for name in chosen]
        options = pa.ipc.IpcReadOptions(included_fields=included)
        reader = pa.ipc.open_file(pa.PythonFile(self._file, "r"), options=options)
        for number in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(number)]).select(chosen)

    def column(self, name: str) -> pa.ChunkedArray:
        """One column of all tables."""
        chunks = [chunk for table in self.tables([name]) for chunk in table[name].chunks]
        return pa.chunked_array(chunks, self._schema.field(name).type)

    def table(self) -> pa.Table:
        """All tables as one, in memory."""
        return pa.concat_tables([self._schema.empty_table(), *self.tables()])

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

"""Files of tables in the lake: Parquet, or Arrow's own format where it is read as it lies.

What belongs here: reading either by groups of rows, and writing them. A few rows of a Parquet
file, wherever they stand, cost as much as all: a page is read whole. A file in Arrow's format is
mapped into memory as it lies: three to four times the size on disk, but only what is asked for
is read. The suffix of a file says which it is.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PARQUET, ARROW = ".parquet", ".arrow"


class TableFile(Protocol):
    """A file to read, by groups of rows.

    Attributes:
        schema: of all columns, with what was noted.
        sizes: rows of each group.
    """

    schema: pa.Schema
    sizes: list[int]

    def group(self, number: int, columns: Sequence[str], coded: Sequence[str] = ()) -> pa.Table:
        """Some columns of a group, some of these as codes of the group's values."""
        ...

    def kept_coded(self, columns: Sequence[str]) -> list[str]:
        """Those of some columns that are kept as codes: giving them so costs less than plain."""
        ...


_CODED = {"RLE_DICTIONARY", "PLAIN_DICTIONARY"}
"""Parquet's encodings of values as codes."""


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._path, self._file = path, pq.ParquetFile(path)
        self._coded: dict[tuple[str, ...], pq.ParquetFile] = {(): self._file}
        self.schema = self._file.schema_arrow
        metadata = self._file.metadata
        self.sizes = [metadata.row_group(one).num_rows for one in range(metadata.num_row_groups)]

    def group(self, number: int, columns: Sequence[str], coded: Sequence[str] = ()) -> pa.Table:
        file = self._coded.get(tuple(coded))
        if file is None:
            file = pq.ParquetFile(self._path, read_dictionary=[*coded])
            self._coded[tuple(coded)] = file
        return file.read_row_group(number, [*columns]).select([*columns]).replace_schema_metadata()

    def kept_coded(self, columns: Sequence[str]) -> list[str]:
        if not self.sizes:
            return []
        group = self._file.metadata.row_group(0)
        chunks = (group.column(place) for place in range(group.num_columns))
        coded = {one.path_in_schema for one in chunks if _CODED & {*one.encodings}}
        return [name for name in columns if name in coded]


class _Arrow:
    def __init__(self, path: Path) -> None:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        self.schema = reader.schema
        self._batches = [reader.get_batch(one) for one in range(reader.num_record_batches)]
        self.sizes = [one.num_rows for one in self._batches]

    def group(self, number: int, columns: Sequence[str], coded: Sequence[str] = ()) -> pa.Table:
        table = pa.Table.from_batches([self._batches[number].select([*columns])])
        for place, name in enumerate(columns):
            if name in coded:
                table = table.set_column(place, name, table[name].dictionary_encode())
        return table.replace_schema_metadata()

    def kept_coded(self, columns: Sequence[str]) -> list[str]:
        return []


def opened(path: Path) -> TableFile:
    """A file to read; FileNotFoundError if it is not there."""
    return _Arrow(path) if path.suffix == ARROW else _Parquet(path)


def metadata(path: Path) -> dict[bytes, bytes]:
    """What was noted in a file when it was written."""
    if path.suffix == ARROW:
        with pa.memory_map(str(path)) as file:
            return dict(pa.ipc.open_file(file).schema.metadata or {})
    return dict(pq.read_metadata(path).metadata or {})


def read(path: Path) -> pa.Table:
    """All of a file, with what was noted."""
    if path.suffix == ARROW:
        with pa.OSFile(str(path)) as file:
            return pa.ipc.open_file(file).read_all()
    return pq.read_table(path, partitioning=None)


def write(
    file: IO[bytes],
    suffix: str,
    schema: pa.Schema,
    groups: Iterable[pa.Table],
    repeated: Sequence[str] | None = None,
) -> None:
    """Write groups of rows.

    Args:
        file: open for writing.
        suffix: PARQUET or ARROW.
        schema: of the groups, with what is to be noted.
        groups: at least one of them is asked for before anything is written.
        repeated: columns of which most values repeat; None: found out from the first group.
    """
    every = iter(groups)
    first = next(every, schema.empty_table())
    writer: Any
    if suffix == ARROW:
        writer = pa.ipc.new_file(file, schema)
    else:
        names = _repeated(first) if repeated is None else [*repeated]
        # Nobody looks for rows by the least and greatest values of a group.
        writer = pq.ParquetWriter(
            file, schema, compression="lz4", use_dictionary=names, write_statistics=False
        )
    with writer:
        for group in chain([first], every):
            own = group.replace_schema_metadata(schema.metadata)
            # In Arrow's format, what is in one piece is a group.
            writer.write_table(own.combine_chunks() if suffix == ARROW else own)


_LOOKED_AT = 1 << 13
"""Rows that tell whether a column's values repeat."""


def _repeated(rows: pa.Table) -> list[str]:
    """The columns of which most values repeat: a dictionary of others costs half of the writing."""
    some = rows.slice(0, _LOOKED_AT)
    flat = [field.name for field in some.schema if not pa.types.is_nested(field.type)]
    return [name for name in flat if 2 * pc.count_distinct(some[name]).as_py() <= some.num_rows]

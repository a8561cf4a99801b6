"""The rows of a source's last snapshot, gone along while the source is read again.

What belongs here: finding the row that says what a new row says, whose hash is taken over; to
compare two rows costs a third of making the hash of one. Rows are looked for about where they
stood. One that is not found (or stands elsewhere altogether) is hashed as ever.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import row_hashes
from connectors.compared import COLUMNS
from connectors.key_places import completed, places
from connectors.reading import PROBLEM, ROW_HASH, SOURCE_KEY

_BATCH_ROWS = 20_000
_BEYOND = 1.25
"""So many times as many rows are looked through as are asked for: some may have gone."""
_FEW = 0.005
"""Share of the rows that are rather hashed than compared with what is left of an earlier part."""
_MOST_MISSED = 4
"""Batches of which less than a quarter is found, after which the source has another order."""


class KnownRows:
    """The rows of a snapshot, in its order.

    Args:
        path: the snapshot; its values and hashes are not encrypted, its keys are declared, and it
            was read with the same settings.
        columns: the source's, in the order of the values that are asked for.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self._columns = columns
        self._schema = pa.schema([(name, pa.string()) for name in COLUMNS])
        self._closing = ExitStack()
        # Read ahead, Parquet would keep all of the file that was read.
        coded = [name for name in _with_dictionary(path) if name in columns]
        opened = pq.ParquetFile(path, pre_buffer=False, read_dictionary=coded)
        file = self._closing.enter_context(opened)
        names = [*COLUMNS, PROBLEM, *columns]
        self._batches = file.iter_batches(_BATCH_ROWS, columns=names, use_threads=False)
        self._parts: list[pa.RecordBatch] = []
        """Where the next rows are looked for."""
        self._start = 0
        """The number of the first row of these."""
        self._missed = 0
        self._read: list[pa.RecordBatch] = []
        self._at: list[np.ndarray] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def hashes(self, keys: pa.Array, values: Sequence[pa.Array]) -> tuple[bytes, np.ndarray]:
        """The hashes of rows, as :func:`connectors.row_hashes.digests` makes them.

        Args:
            keys, values: of the rows that follow in the source.

        Returns:
            the hashes one after another, and which rows the snapshot has with the same key.
        """
        known = np.zeros(len(keys), dtype=bool)
        found = np.zeros((len(keys), row_hashes.SIZE), np.uint8)
        if self._missed < _MOST_MISSED:
            self._read_on(len(keys))
            start, at = 0, self._places(keys)
            self._at.append(np.where(at < 0, -1, at + self._start))
            for part in self._parts:
                self._look(part, at - start, values, known, found)
                start += part.num_rows
            self._go_on(at)
        rest = np.flatnonzero(~known)
        if len(rest):
            some = values if len(rest) == len(keys) else _of(values, pa.array(rest))
            found[rest] = _bytes(row_hashes.digests(self._columns, some))
        return found.tobytes(), known

    def _read_on(self, rows: int) -> None:
        wanted = rows * (_BEYOND + self._missed)
        while sum(part.num_rows for part in self._parts) < wanted:
            batch = next(self._batches, None)
            if batch is None:
                return
            self._parts.append(batch)
            self._read.append(batch.select(COLUMNS))

    def places(self, keys: pa.ChunkedArray) -> tuple[pa.Table, pa.Array] | None:
        """The COLUMNS of the whole snapshot, and the place there of every key, null: nowhere.

        Args:
            keys: all that hashes were asked for, in this order.

        Returns:
            None if the source has another order, so that the snapshot was not gone through.
        """
        if self._missed >= _MOST_MISSED:
            return None
        self._read += [batch.select(COLUMNS) for batch in self._batches]
        old = pa.Table.from_batches(self._read, self._schema)
        at = np.concatenate([np.empty(0, np.int64), *self._at])
        return old, completed(keys, old[SOURCE_KEY], at)

    def _places(self, keys: pa.Array) -> np.ndarray:
        """The place of every key in the parts one after another; -1: nowhere."""
        among = pa.chunked_array([part.column(SOURCE_KEY) for part in self._parts], pa.string())
        return np.asarray(pc.fill_null(places(keys, among), -1))

    def _look(
        self,
        part: pa.RecordBatch,
        at: np.ndarray,
        values: Sequence[pa.Array],
        known: np.ndarray,
        found: np.ndarray,
    ) -> None:
        """Take over the hashes of the rows that a part has."""
        here = (at >= 0) & (at < part.num_rows)
        rows = np.flatnonzero(here)
        if len(rows) <= _FEW * len(at):
            return
        span = slice(int(rows[0]), int(rows[-1]) + 1)  # nearly all of it stands here
        here = here[span]
        place = pa.array(np.where(here, at[span], 0))
        alike = _taken(part, PROBLEM, place).is_null()
        for name, column in zip(self._columns, values, strict=True):
            value, other = column[span], _taken(part, name, place)
            same = pc.equal(value, other)
            if same.null_count:
                nothing = pc.and_(value.is_null(), other.is_null())
                same = pc.if_else(same.is_valid(), same, nothing)
            alike = pc.and_(alike, same)
        here &= np.asarray(alike)
        hashes = _bytes(row_hashes.from_hexadecimal(_taken(part, ROW_HASH, place)))
        np.copyto(found[span], hashes, where=here[:, np.newaxis])
        known[span] |= here

    def _go_on(self, at: np.ndarray) -> None:
        found = at[at >= 0]
        self._missed = self._missed + 1 if 4 * len(found) < len(at) else 0
        # A few may stand elsewhere: what most of the last ones say is where it goes on.
        end = int(np.median(found[-9:])) + 1 if len(found) else 0
        left = []
        self._start += end
        for part in self._parts if self._missed < _MOST_MISSED else ():
            if end < part.num_rows:
                left.append(part.slice(end))
            end = max(end - part.num_rows, 0)
        self._parts = left


def _with_dictionary(path: Path) -> list[str]:
    """The columns that are stored with a dictionary in the first row group."""
    metadata = pq.read_metadata(path)
    if not metadata.num_row_groups:
        return []
    group = metadata.row_group(0)
    found = (group.column(number) for number in range(group.num_columns))
    return [one.path_in_schema for one in found if one.has_dictionary_page]


def _taken(part: pa.RecordBatch, name: str, place: pa.Array) -> pa.Array:
    column = part.column(name)
    if pa.types.is_dictionary(column.type):
        return column.dictionary.take(column.indices.take(place))
    return column.take(place)


def _of(values: Sequence[pa.Array], rows: pa.Array) -> list[pa.Array]:
    return [column.take(rows) for column in values]


def _bytes(hashes: bytes) -> np.ndarray:
    return np.frombuffer(hashes, np.uint8).reshape(-1, row_hashes.SIZE)

"""A table of the lake to read: a whole file, or a whole file and a small one of what changed since.

What belongs here: how the two make one table. A file of changes names its base in its note and
has, beside the table's columns, ``_row`` and ``_gone``: a row that is gone is the base's row of
that number; a new one stands before it. So the table is put together by row numbers, whatever its
columns are, and what is read of it is only what is asked for.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing.columns import decoded
from pipelines import table_files

NOTE = b"onefold"
"""In the metadata of a file: what was noted when it was written, as JSON."""
BASE, ROWS = "_base", "_rows"
"""In the note of a file of changes: the name of its base, and how many rows the table has."""
MOST = 0.1
"""Rows that may be gone or new since the base, as a share of the table's."""

_ROW, _GONE = "_row", "_gone"
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def note_of(path: Path) -> dict[str, Any]:
    """What was noted when a file was written."""
    return dict(json.loads(table_files.metadata(path).get(NOTE, b"{}")))


def base_of(path: Path) -> Path:
    """The whole file that a file of changes is of; a whole file itself."""
    name = note_of(path).get(BASE)
    return path if name is None else path.with_name(f"{name}{path.suffix}")


class Stored:
    """A table as it stands in one file or two.

    Attributes:
        base: the whole file's path.
        fresh: rows of the table that are not in the whole file, in their order.
        order: int64, per row of the table: its row in the whole file, or, from the number of
            these on, its place in ``fresh``.
    """

    def __init__(self, base: Path, fresh: pa.Table | None = None, order: Ints | None = None):
        self.base = base
        self._file = table_files.opened(base)
        self._starts = np.concatenate([[0], np.cumsum(self._file.sizes, dtype=np.int64)])
        self.base_rows = int(self._starts[-1])
        self.fresh = self.schema.empty_table() if fresh is None else fresh
        self.order = np.arange(self.base_rows) if order is None else order

    @classmethod
    def of(cls, path: Path) -> "Stored":
        """The table that a file is, or changes another to."""
        base = base_of(path)
        if base == path:
            return cls(path)
        changes = table_files.read(path)
        row, gone = changes[_ROW].to_numpy(), changes[_GONE].to_numpy()
        fresh = changes.filter(pa.array(~gone)).drop_columns([_ROW, _GONE])
        stored = cls(base, fresh.replace_schema_metadata().combine_chunks())
        stands = np.ones(stored.base_rows, dtype=bool)
        stands[row[gone]] = False
        kept = np.flatnonzero(stands)
        places = stored.base_rows + np.arange(fresh.num_rows)
        stored.order = np.insert(kept, np.searchsorted(kept, row[~gone]), places)
        return stored

    @property
    def num_rows(self) -> int:
        """Rows of the table."""
        return len(self.order)

    @property
    def schema(self) -> pa.Schema:
        """Columns of the table, without what was noted."""
        return self._file.schema.remove_metadata()

    def chunks(
        self, columns: Sequence[str] | None = None, coded: Sequence[str] = ()
    ) -> Iterator[pa.Table]:
        """The table in parts, one at least.

        Args:
            columns: of the table; None: all.
            coded: columns to give as codes of the part's values.
        """
        names = list(self.schema.names if columns is None else columns)
        fresh = self.fresh.select(names)
        for name in set(coded) & set(names):
            column = fresh[name].dictionary_encode()
            fresh = fresh.set_column(names.index(name), name, column)
        standing = np.flatnonzero(self.order < self.base_rows)
        ends = np.searchsorted(self.order[standing], self._starts[1:])
        ends = np.append(standing, self.num_rows)[ends]
        ends[-1:] = self.num_rows
        start = 0
        for number, end in enumerate(ends.tolist()):
            group = self._file.group(number, names, coded)
            own = self.order[start:end]
            yield _picked(group, fresh, own, int(self._starts[number]), self.base_rows)
            start = end
        if not len(ends):
            yield fresh

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The table, or some columns of it."""
        return pa.concat_tables(self.chunks(columns))

    def parts(self, columns: Sequence[str]) -> Iterator[tuple[pa.Table, Ints]]:
        """Some columns as they lie in the files, with the number of each row; -1 of what is gone.

        Nothing is put together: where a file is mapped into memory, nothing is copied.
        """
        names = list(columns)
        numbers = np.full(self.base_rows + self.fresh.num_rows, -1, dtype=np.int64)
        numbers[self.order] = np.arange(self.num_rows)
        for number, (start, end) in enumerate(pairwise(self._starts.tolist())):
            yield self._file.group(number, names), numbers[start:end]
        yield self.fresh.select(names), numbers[self.base_rows :]

    def take(self, rows: Ints, columns: Sequence[str] | None = None) -> pa.Table:
        """Some rows of the table.

        Args:
            rows: their numbers, ascending.
        """
        origin = self.order[rows]
        in_base = origin < self.base_rows
        found = [self._base_rows(origin[in_base], columns)]
        fresh = self.fresh if columns is None else self.fresh.select(list(columns))
        found.append(fresh.take(pa.array(origin[~in_base] - self.base_rows)))
        return _placed(found, in_base)

    def _base_rows(self, rows: Ints, columns: Sequence[str] | None) -> pa.Table:
        names, found = list(self.schema.names if columns is None else columns), []
        nothing = self.schema.empty_table().select(names)
        coded = self._file.kept_coded([one for one in names if self._is_text(one)])
        for number in np.unique(np.searchsorted(self._starts, rows, side="right") - 1).tolist():
            start, end = self._starts[number : number + 2]
            own = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)] - start
            some = self._file.group(number, names, coded).take(pa.array(own))
            found.append(decoded(some).cast(nothing.schema) if coded else some)
        return pa.concat_tables(found or [nothing])

    def of_values(
        self, wanted: Mapping[str, pa.Array], columns: Sequence[str] | None = None
    ) -> pa.Table:
        """The rows that have one of the wanted values in each of some text columns, in order.

        Args:
            wanted: column → its values.
            columns: to read; None: all.
        """
        names = list(self.schema.names if columns is None else columns)
        read = list(dict.fromkeys([*wanted, *names]))
        coded = self._file.kept_coded([one for one in read if self._is_text(one)])
        has = np.zeros(self.base_rows + self.fresh.num_rows, dtype=bool)
        has[self.order] = True
        found = [self.schema.empty_table().select(names)]
        for number, (start, end) in enumerate(pairwise(self._starts.tolist())):
            group = self._file.group(number, read, coded)
            has[start:end] &= _ones_of(group, wanted)
            some = group.select(names).filter(pa.array(has[start:end]))
            found.append(decoded(some).cast(found[0].schema))
        has[self.base_rows :] &= _ones_of(self.fresh, wanted)
        origin = self.order[has[self.order]]
        fresh = origin[origin >= self.base_rows] - self.base_rows
        found.append(self.fresh.select(names).take(pa.array(fresh)))
        return _placed(found, origin < self.base_rows)

    def _is_text(self, name: str) -> bool:
        return pa.types.is_string(self.schema.field(name).type)

    def differing(
        self, other: "Stored", columns: Sequence[str] | None = None
    ) -> tuple[pa.Table, pa.Table]:
        """Rows of this table and of another that may not be in both; all others are.

        Where both are changes to one file, only what was noted of it is read.
        """
        if self.base != other.base:
            return self.read(columns), other.read(columns)
        mine, others = self._rows_not_of(other), other._rows_not_of(self)
        return self.take(mine, columns), other.take(others, columns)

    def _rows_not_of(self, other: "Stored") -> Ints:
        both = np.zeros(self.base_rows + self.fresh.num_rows, dtype=bool)
        both[other.order[other.order < other.base_rows]] = True
        return np.flatnonzero(~both[self.order])

    def changed(self, stands: Mask, fresh: pa.Table, at: Ints) -> "Stored":
        """The table without some rows and with others, as it can be written.

        Args:
            stands: per row of this table, whether it stays.
            fresh: new rows.
            at: of each new row, the row of this table that it comes before, ascending.
        """
        kept = np.flatnonzero(stands)
        known = self.base_rows + self.fresh.num_rows
        numbers = known + np.arange(fresh.num_rows)
        order = np.insert(self.order[kept], np.searchsorted(kept, at), numbers)
        new = np.flatnonzero(order >= self.base_rows)
        both = pa.concat_tables([self.fresh, fresh.select(self.schema.names).cast(self.schema)])
        rows = both.combine_chunks().take(pa.array(order[new] - self.base_rows))
        order[new] = self.base_rows + np.arange(len(new))
        return Stored(self.base, rows, order)

    def changes(self) -> pa.Table | None:
        """What to write of the table: rows that are gone and new; None if these are too many."""
        standing = self.order < self.base_rows
        gone = np.ones(self.base_rows, dtype=bool)
        gone[self.order[standing]] = False
        went, new = np.flatnonzero(gone), np.flatnonzero(~standing)
        if len(went) + len(new) > MOST * max(self.num_rows, 1):
            return None
        kept = np.flatnonzero(standing)
        before = np.append(self.order[kept], self.base_rows)[np.searchsorted(kept, new)]
        nothing = pa.table([pa.nulls(len(went), field.type) for field in self.schema], self.schema)
        rows = np.concatenate([went, before])
        is_gone = np.arange(len(rows)) < len(went)
        both = pa.concat_tables([nothing, self.fresh.cast(self.schema)])
        return both.append_column(_ROW, pa.array(rows)).append_column(_GONE, pa.array(is_gone))


def _placed(found: Sequence[pa.Table], in_base: Mask) -> pa.Table:
    """Rows in the table's order: those of the whole file came first, then those that are not."""
    place = np.empty(len(in_base), dtype=np.int64)
    place[in_base], place[~in_base] = np.split(np.arange(len(in_base)), [in_base.sum()])
    # Codes of no rows are not put beside others: every value of both would be looked up.
    some = [one for one in found if one.num_rows] or found[:1]
    return pa.concat_tables(some).combine_chunks().take(pa.array(place))


def _picked(group: pa.Table, fresh: pa.Table, own: Ints, start: int, base_rows: int) -> pa.Table:
    """Rows of a row group and new ones among them.

    Args:
        own: rows of the table, as Stored.order says where they are.
        start: the group's first row.
    """
    is_new = own >= base_rows
    if not is_new.any():
        return group if len(own) == group.num_rows else group.take(pa.array(own - start))
    new = own[is_new] - base_rows
    first, end = int(new[0]), int(new[-1]) + 1
    both = pa.concat_tables([group, fresh.slice(first, end - first)]).combine_chunks()
    at = np.where(is_new, own - base_rows - first + group.num_rows, own - start)
    return both.take(pa.array(at))


def _ones_of(table: pa.Table, wanted: Mapping[str, pa.Array]) -> Mask:
    """Which rows have one of the wanted values in each of some columns.

    A column is looked at only where those before have one.
    """
    rows = np.arange(table.num_rows)
    for name, values in wanted.items():
        column = table[name]
        some = column if len(rows) == table.num_rows else column.take(pa.array(rows))
        rows = rows[_one_of(some, values)]
    has = np.zeros(table.num_rows, dtype=bool)
    has[rows] = True
    return has


def _one_of(column: pa.ChunkedArray, values: pa.Array) -> Mask:
    """Which values of a column, plain or of codes, are among some."""
    if not pa.types.is_dictionary(column.type):
        return np.asarray(pc.is_in(column, value_set=values))
    parts = [np.zeros(0, dtype=bool)]
    for chunk in column.chunks:
        among = np.asarray(pc.is_in(chunk.dictionary, value_set=values))
        parts.append(np.append(among, False)[pc.fill_null(chunk.indices, -1).to_numpy()])
    return np.concatenate(parts)

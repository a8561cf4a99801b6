"""Blocking keys that are kept from one run to the next: only changed records' are made again.

What belongs here: keys as tables (part, block, rows), and those of other records put among them
when they are read. A key of a record follows from its features alone. Two kinds do not: a text of
a further field is a key where few records have it, and initials are where they are another's name.
Texts are made of all records each time, initials are kept as they are.

Most keys are of one record alone. They are kept apart: they are looked up only where another
record has the key now.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dedupe import blocking_keys, groups
from dedupe.blocking_keys import INITIALS, KINDS, PROPERTIES, KeyMaker, Keys, with_initials
from dedupe.groups import Groups, Hashes, Ints, Rows
from dedupe.levels import is_text
from dedupe.record_properties import Property

SCHEMA = pa.schema(
    [("part", pa.int8()), ("block", pa.uint64()), ("rows", pa.list_(pa.field("row", pa.int32())))]
)
_VALUES = tuple(f"{name} of a record" for name in PROPERTIES)
_NAME = "number of a record"
_WHOLE = frozenset({"acronym", INITIALS})
"""Kinds that are read as keys, not as groups: initials are keys where they are acronyms."""
KEPT = (*(kind for kind in KINDS if kind != "text"), INITIALS, *_VALUES, _NAME)
"""What is kept, in this order. Twice its place here is the ``part`` of keys that two or more
records share, one more that of the others. Of a property, ``block`` is its value; of a record's
number it is this number."""
VERSION = duckdb.__version__
"""Of what makes the blocks out of keys."""


class Kept(NamedTuple):
    """Keys that were made of some records, and what has become of these.

    Attributes:
        tables: those of :func:`tables`, each in one piece.
        to: int64, per row that they count: its row now; -1 where the record is gone or other.
        fresh: int64, rows whose keys are not in them, ascending.
        features: of features.build: these rows.
    """

    tables: Iterable[pa.Table]
    to: npt.NDArray[np.int64]
    fresh: npt.NDArray[np.int64]
    features: pa.Table


def tables(features: pa.Table, memory_mb: int) -> Iterator[pa.Table]:
    """The keys of all records, tables of SCHEMA, each of one part; one at least.

    Args:
        features: of features.build: sorted by record_id.
        memory_mb: as in blocking_keys.making.
    """
    yield SCHEMA.empty_table()
    with blocking_keys.making(features, 0, memory_mb) as maker:
        made = _Made(maker)
        for number, kind in enumerate(KEPT):
            block, of_block = groups.grouped(*made.of_kind(kind))
            several = of_block.size > 1
            for part, mask in ((2 * number, several), (2 * number + 1, ~several)):
                if mask.any():
                    yield _table(part, block[mask], of_block.where(mask))


def _table(part: int, block: Hashes, of_block: Groups) -> pa.Table:
    ends = np.zeros(len(block) + 1, dtype=np.int32)
    np.cumsum(of_block.size, out=ends[1:])
    rows = pa.ListArray.from_arrays(pa.array(ends), pa.array(of_block.rows()))
    parts = pa.array(np.full(len(block), part, dtype=np.int8))
    return pa.table([parts, block, rows.cast(SCHEMA.field("rows").type)], schema=SCHEMA)


def reads(columns: Sequence[str]) -> list[str]:
    """The columns of all records' features that :func:`reading` needs, of those there are."""
    texts = [name for name in columns if is_text(name)]
    return [*blocking_keys.USED, *texts] if texts else []


class _Made:
    """Keys as they are made, those of properties and the records' numbers too."""

    def __init__(self, maker: KeyMaker) -> None:
        self._maker = maker
        self._values = maker.values()

    def of_kind(self, kind: str) -> tuple[Hashes, Rows]:
        if kind in _VALUES:
            value = self._values[_VALUES.index(kind)]
            has = np.flatnonzero(value)
            return value[has], has.astype(np.int32)
        if kind == _NAME:
            name = self._maker.names()
            return name, np.arange(len(name), dtype=np.int32)
        made = self._maker.of_kind(kind)
        return made.block, made.row


class _Stored(NamedTuple):
    """Keys of one kind, as they were stored.

    Attributes:
        block: ascending, each once.
        groups: their rows.
    """

    block: Hashes
    groups: Groups

    @classmethod
    def of(cls, table: pa.Table | None) -> "_Stored":
        some = SCHEMA.empty_table() if table is None else table
        rows = some["rows"].combine_chunks()
        ends = rows.offsets.to_numpy()
        start = ends[:-1].astype(np.int64)
        of_block = Groups(rows.values.to_numpy(), start, np.diff(ends))
        return cls(some["block"].combine_chunks().to_numpy(), of_block)

    def now(self, to: Rows) -> "_Stored":
        """The same with rows as they are now; -1 where they are gone."""
        return self._replace(groups=self.groups._replace(row=to.take(self.groups.row)))

    def having(self, block: Hashes) -> Ints:
        """Which of these keys are among others, which are each there once."""
        if not len(self.block):
            return np.zeros(0, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.block, block), len(self.block) - 1)
        return at[self.block.take(at) == block]

    def some(self, at: Ints) -> "_Stored":
        """Some of these keys."""
        of_block = Groups(self.groups.row, self.groups.start[at], self.groups.size[at])
        return _Stored(self.block[at], of_block.together())

    def keys(self) -> tuple[Hashes, Rows]:
        """A block for each row that is not gone."""
        row = self.groups.rows()
        there = row >= 0
        return np.repeat(self.block, self.groups.size)[there], row[there]


class Reader:
    """Keys of all records, as blocking_keys.KeyMaker makes them: those kept and the others'.

    Attributes:
        made: makes the keys of the rows that are not kept; None where there are none.
        texts: makes the keys of further fields, of all records; None where there are none.
    """

    def __init__(
        self, kept: Kept, made: _Made | None, texts: KeyMaker | None, records: int
    ) -> None:
        self._parts = {one["part"][0].as_py(): one for one in kept.tables if one.num_rows}
        self._to, self._fresh = kept.to.astype(np.int32), kept.fresh.astype(np.int32)
        self._made, self._texts, self._records = made, texts, records

    def _stored(self, kind: str) -> tuple[_Stored, _Stored]:
        """Keys of two or more records, and those of one."""
        number = 2 * KEPT.index(kind)
        several, alone = (_Stored.of(self._parts.get(part)) for part in (number, number + 1))
        return several, alone

    def _others(self, kind: str) -> tuple[Hashes, Rows]:
        """Keys of the records that are not kept."""
        if self._made is None:
            return np.zeros(0, np.uint64), np.zeros(0, np.int32)
        block, row = self._made.of_kind(kind)
        return block, self._fresh[row]

    def _whole(self, kind: str) -> Keys:
        """The keys of one kind."""
        found = [one.now(self._to).keys() for one in self._stored(kind)]
        blocks, rows = zip(*found, self._others(kind), strict=True)
        return Keys(kind, np.concatenate(blocks), np.concatenate(rows))

    def _groups(self, kind: str) -> Groups:
        """Rows that share a key of one kind: as they were stored where no record came or went."""
        several, alone = self._stored(kind)
        now = several.now(self._to)
        block, row = self._others(kind)
        others = np.unique(block)
        other = np.zeros(len(now.block), dtype=bool)
        gone = np.flatnonzero(now.groups.row < 0)
        other[np.searchsorted(now.groups.start, gone, side="right") - 1] = True
        other[now.having(others)] = True
        again = [
            now.some(np.flatnonzero(other)).keys(),
            alone.some(alone.having(others)).now(self._to).keys(),
            (block, row),
        ]
        blocks, rows = zip(*again, strict=True)
        new = groups.shared(np.concatenate(blocks), np.concatenate(rows))
        stand = now.groups.where(~other)
        return Groups(
            np.concatenate([stand.row, new.row]),
            np.concatenate([stand.start, new.start + len(stand.row)]),
            np.concatenate([stand.size, new.size]),
        )

    def properties(self) -> list[Property]:
        """Town, birth year and so on of every record."""
        return [self._property(kind) for kind in _VALUES]

    def _property(self, kind: str) -> Property:
        stored = self._stored(kind)
        blocks = [one.block for one in stored]
        values, row = self._others(kind)
        new = np.setdiff1d(values, np.concatenate(blocks))
        number = np.zeros(self._records, dtype=np.int32)
        first = 1
        for one in stored:
            at = self._to.take(one.groups.row)
            numbers = np.arange(first, first + len(one.block), dtype=np.int32)
            numbers = np.repeat(numbers, one.groups.size)
            there = at >= 0
            number[at[there]] = numbers[there]
            first += len(one.block)
        every = np.concatenate([*blocks, new])
        order = np.argsort(every)
        number[row] = order[np.searchsorted(every, values, sorter=order)] + 1
        return Property(number, len(every).bit_length())

    def names(self) -> Hashes:
        """A number for each record that follows from its id alone."""
        found = np.zeros(self._records, dtype=np.uint64)
        every = self._whole(_NAME)
        found[every.row] = every.block
        return found

    def kinds(self) -> Iterator[tuple[str, Groups]]:
        """Rows that share a key, of each kind in the order of KINDS; kinds without any are left
        out."""
        for kind in KINDS:
            if kind == "text":
                if self._texts is None:
                    continue
                found = self._texts.groups(kind)
            elif kind == "acronym":
                every = with_initials(self._whole(kind), self._whole(INITIALS))
                found = groups.shared(every.block, every.row)
            else:
                found = self._groups(kind)
            if len(found.size):
                yield kind, found


@contextmanager
def reading(kept: Kept, features: pa.Table, limit: int, memory_mb: int) -> Iterator[Reader]:
    """The keys of all records, from those of some.

    Args:
        kept: keys, and which records they are of.
        features: of features.build, of all records: :func:`reads` is enough.
        limit, memory_mb: as in blocking_keys.making.
    """
    with ExitStack() as opened:
        made = texts = None
        if len(kept.fresh):
            made = _Made(opened.enter_context(blocking_keys.making(kept.features, 0, memory_mb)))
        if any(map(is_text, features.column_names)):
            texts = opened.enter_context(blocking_keys.making(features, limit, memory_mb))
        yield Reader(kept, made, texts, features.num_rows)

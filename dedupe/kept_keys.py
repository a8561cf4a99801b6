"""Blocking keys that are kept from one run to the next: only changed records' are made again.

What belongs here: keys as a table (kind, block, row), sorted by kind and block, and those of other
records put among them when they are read. A key of a record follows from its features alone. Two
kinds do not: a text of a further field is a key where few records have it, and initials are where
they are another's name. Texts are made of all records each time, initials are kept as they are.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from dedupe import blocking_keys
from dedupe.blocking_keys import INITIALS, KINDS, PROPERTIES, KeyMaker, Keys, with_initials
from dedupe.levels import is_text

SCHEMA = pa.schema([("kind", pa.int8()), ("block", pa.uint64()), ("row", pa.int32())])
_VALUES = tuple(f"{name} of a record" for name in PROPERTIES)
KEPT = (*(kind for kind in KINDS if kind != "text"), INITIALS, *_VALUES)
"""What is kept, in this order: ``kind`` is a place here. Of a property, ``block`` is its value."""
VERSION = duckdb.__version__
"""Of what makes the blocks out of keys."""


class Kept(NamedTuple):
    """Keys that were made of some records, and what has become of these.

    Attributes:
        file: of :func:`tables`.
        to: int64, per row that the file counts: its row now; -1 where the record is gone or other.
        fresh: int64, rows whose keys are not in the file, ascending.
        features: of features.build: these rows.
    """

    file: pq.ParquetFile
    to: npt.NDArray[np.int64]
    fresh: npt.NDArray[np.int64]
    features: pa.Table


def tables(features: pa.Table, memory_mb: int) -> Iterator[pa.Table]:
    """The keys of all records, one table of SCHEMA per kind.

    Args:
        features: of features.build: sorted by record_id.
        memory_mb: as in blocking_keys.making.
    """
    with blocking_keys.making(features, 0, memory_mb) as maker:
        made = _Made(maker, features.num_rows)
        for number, kind in enumerate(KEPT):
            block, row = made.of_kind(kind)
            if kind not in _VALUES:
                order = blocking_keys.order(block)
                block, row = block[order], row[order]
            kinds = pa.array(np.full(len(row), number, dtype=np.int8))
            yield pa.table([kinds, block, row], schema=SCHEMA)


def reads(columns: Sequence[str]) -> list[str]:
    """The columns of all records' features that :func:`reading` needs, of those there are."""
    texts = [name for name in columns if is_text(name)]
    return [*blocking_keys.USED, *texts] if texts else []


_Pair = tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]


class _Made:
    """Keys as they are made, those of properties too."""

    def __init__(self, maker: KeyMaker, records: int) -> None:
        self._maker, self._rows = maker, np.arange(records, dtype=np.int32)
        self._values = maker.properties()

    def of_kind(self, kind: str) -> _Pair:
        if kind in _VALUES:
            return self._values[_VALUES.index(kind)], self._rows
        made = self._maker.of_kind(kind)
        return made.block, made.row


def _together(stood: _Pair, made: _Pair, kind: str) -> _Pair:
    """Blocks and rows that stand, in their order, with others put among them."""
    stays = stood[1] >= 0
    block, row = (stood[0], stood[1]) if stays.all() else (stood[0][stays], stood[1][stays])
    if kind in _VALUES:
        return np.concatenate([block, made[0]]), np.concatenate([row, made[1]])
    order = blocking_keys.order(made[0])
    at = np.searchsorted(block, made[0][order])
    return np.insert(block, at, made[0][order]), np.insert(row, at, made[1][order])


def _ends(file: pq.ParquetFile, starts: npt.NDArray[np.int64]) -> list[int]:
    """Where keys of each kind begin, and where the last ones end; few row groups are read for it.

    Args:
        starts: where each row group begins, and where the last one ends.
    """
    groups = np.flatnonzero(np.diff(starts)).tolist()

    @cache
    def kinds(group: int) -> npt.NDArray[np.int8]:
        found: npt.NDArray[np.int8] = file.read_row_group(group, ["kind"])["kind"].to_numpy()
        return found

    ends = []
    for number in range(len(KEPT) + 1):
        at = bisect_left(groups, number, key=lambda group: int(kinds(group)[-1]))
        inside = np.searchsorted(kinds(groups[at]), number) if at < len(groups) else 0
        ends.append(int(starts[groups[at] if at < len(groups) else -1] + inside))
    return ends


class Stored:
    """Reads what :func:`tables` gave, kind by kind."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self._file = file
        groups = range(file.num_row_groups)
        sizes = [file.metadata.row_group(group).num_rows for group in groups]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self._ends = _ends(file, self._starts)

    def of_kind(self, kind: str) -> Keys:
        """The keys of one kind; those of a property in no order."""
        number = KEPT.index(kind)
        first, end = self._ends[number : number + 2]
        groups = range(
            int(np.searchsorted(self._starts, first, side="right")) - 1,
            int(np.searchsorted(self._starts, end)),
        )
        ordered = kind not in _VALUES
        if first == end:
            return Keys(kind, np.zeros(0, np.uint64), np.zeros(0, np.int32), ordered)
        found = self._file.read_row_groups([*groups], columns=["block", "row"])
        found = found.slice(first - self._starts[groups[0]], end - first)
        block, row = (found[name].to_numpy() for name in ("block", "row"))
        return Keys(kind, block, row, ordered)


class Reader:
    """Keys of all records, as blocking_keys.KeyMaker makes them: those kept and the others'.

    Attributes:
        texts: makes the keys of further fields, of all records; None where there are none.
    """

    def __init__(
        self, kept: Kept, made: _Made | None, texts: KeyMaker | None, records: int
    ) -> None:
        self._stored, self._to, self._fresh = (
            Stored(kept.file),
            kept.to.astype(np.int32),
            kept.fresh,
        )
        self._made, self._texts, self._records = made, texts, records

    def _of_kind(self, kind: str) -> Keys:
        stood = self._stored.of_kind(kind)
        pair = (stood.block, self._to.take(stood.row))
        if self._made is not None:
            block, row = self._made.of_kind(kind)
            pair = _together(pair, (block, self._fresh[row].astype(np.int32)), kind)
        return Keys(kind, *pair, stood.ordered)

    def properties(self) -> npt.NDArray[np.uint64]:
        """The properties of every record, shape (properties, records); 0 where missing."""
        found = np.zeros((len(PROPERTIES), self._records), dtype=np.uint64)
        for number, name in enumerate(_VALUES):
            made = self._of_kind(name)
            found[number, made.row] = made.block
        return found

    def kinds(self) -> Iterator[Keys]:
        """The keys of each kind, in the order of KINDS; kinds without any are left out."""
        for kind in KINDS:
            if kind == "text":
                if self._texts is None:
                    continue
                made = self._texts.of_kind(kind)
            else:
                made = self._of_kind(kind)
            if kind == "acronym":
                made = with_initials(made, self._of_kind(INITIALS))
            if len(made.row):
                yield made


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
        if len(kept.fresh) or (kept.to < 0).any():
            maker = opened.enter_context(blocking_keys.making(kept.features, 0, memory_mb))
            made = _Made(maker, len(kept.fresh))
        if any(map(is_text, features.column_names)):
            texts = opened.enter_context(blocking_keys.making(features, limit, memory_mb))
        yield Reader(kept, made, texts, features.num_rows)

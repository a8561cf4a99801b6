"""What every connector hands to the snapshot writer: columns, rows and a report.

What belongs here: the shape of a reading, whole or of what changed, and the columns
that every snapshot has. How rows are found in a source is the connector's part; how
they are kept is connectors/landing.py and connectors/snapshot.py, how changes become
the next whole snapshot connectors/merging.py.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from onefold.errors import SourceUnreachable

SOURCE_KEY, POSITION, ROW_HASH, PROBLEM = "_source_key", "_position", "_row_hash", "_problem"
RESERVED = (SOURCE_KEY, POSITION, ROW_HASH, PROBLEM)
"""Columns that a snapshot adds to the source's own."""
_BATCH_ROWS, _BATCH_CHARS = 20_000, 32_000_000


class Row(NamedTuple):
    """One source record.

    Attributes:
        position: where it stands: ``file|sheet|row``, ``file|line``, ``file|byte offset``
            or the table.
        values: one per column, text exactly as read; None where there is nothing.
        problem: why the record as a whole cannot be trusted, or None. Never a value.
    """

    position: str
    values: Sequence[str | None]
    problem: str | None = None


class FileFacts(BaseModel):
    """One file as it was read."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Relative to the folder that the glob starts in; as in positions."""
    size: int
    """Bytes, with those of the files that belong to it (the memo file of a DBF table)."""
    sha256: str
    """Of its bytes, hexadecimal."""
    version: str = ""
    """Of a file elsewhere: its ETag or time of change; '' if that says nothing sure."""


class Skipped(BaseModel):
    """Something in a source that is no record and was left out."""

    model_config = ConfigDict(frozen=True)

    where: str
    """File, or file and sheet."""
    what: str
    """empty row, totals row, hidden sheet, ..."""
    count: int


class FastPathBroken(SourceUnreachable):
    """A reading that was to be fast broke off; all is to be read again, in the usual way."""


@dataclass
class Report:
    """What a connector notices while its rows are read; complete after the last row."""

    files: list[FileFacts] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    withheld: int = 0
    """Rows that did not land: of customers who were erased."""
    _skipped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def skip(self, where: str, what: str, count: int = 1) -> None:
        """Count something left out."""
        if count:
            self._skipped[where, what] += count

    def note(self, text: str, count: int = 1) -> None:
        """Count something worth a look; ``text`` names no values."""
        self.notes[text] += count

    @property
    def skipped(self) -> list[Skipped]:
        """Everything left out, in a lasting order."""
        return [
            Skipped(where=where, what=what, count=count)
            for (where, what), count in sorted(self._skipped.items())
        ]

    @property
    def lines(self) -> list[str]:
        """The notes as lines, with how often where it was more than once."""
        return [
            text if count == 1 else f"{text} ({count} times)"
            for text, count in sorted(self.notes.items())
        ]


Withhold = Callable[[pa.RecordBatch, bytes], pa.Array | None]
"""Which rows may not land: given rows as a snapshot would have them, and the hash of what each
holds one after another, true for those; None: all may land."""
Key = tuple[str | None, ...]
"""The values of a record's key columns, in the order of the key, exactly as a row has them."""


@dataclass(frozen=True)
class Since:
    """Where the last sync left off: what a connector that reads changes begins at.

    A connector is given None to read everything.

    Attributes:
        mark: what the last reading gave as its own ``mark``; only the connector knows what it
            means. '' for files.
        until: where to stop, exclusive, as a mark: a range is read again, which only databases
            are asked to do. '': at the end.
        unchanged: names of files that need not be read: they are what they were.
    """

    mark: str = ""
    until: str = ""
    unchanged: frozenset[str] = frozenset()


@dataclass
class Changes:
    """How a reading that is not whole is completed; its rows are those that are new or changed.

    A row may be one that did not change at all, so an overlap does no harm. Of one key no row
    may come twice because of paging; the connector drops repeated pages. All of it is read in
    this order: ``rows``, ``touched``, ``deleted``, then, in some syncs, ``listing``; and
    ``fetch`` where it is needed. A record that has a row is there, whatever ``deleted`` says.

    Attributes:
        touched: keys that a change table lists, as rows of the key's columns: they are
            fetched, and are gone if not found.
        deleted: keys that the source says are gone, as such rows: switched-off records, a feed
            of deletes.
        listing: of every record that is there a row of its key's columns and, in mode cursor,
            its cursor's column; finds deletes that nothing reports and rows that came late.
            None: cannot be listed; then everything is read instead.
        fetch: the rows of some keys, in any order, those that are there. None: cannot be
            fetched; then everything is read instead.
        within: whether a cursor, as a snapshot has it, lies in the range that was read again:
            rows of the last snapshot that have such a one and were not read are looked up, and
            are gone if not found. None: no range was read.
        went_back: whether the source reaches less far than at the last sync, as one put back
            from a backup does: all keys are compared now.
    """

    touched: Iterable[Row | pa.RecordBatch] = ()
    deleted: Iterable[Row | pa.RecordBatch] = ()
    listing: Callable[[], Iterator[Row | pa.RecordBatch]] | None = None
    fetch: Callable[[Sequence[Key]], Iterator[Row | pa.RecordBatch]] | None = None
    within: Callable[[str], bool] | None = None
    went_back: bool = False


@dataclass
class Reading:
    """An opened source: columns now, rows as they come."""

    columns: list[str]
    rows: Iterator[Row | pa.RecordBatch]
    """Rows one by one, or many at once as :func:`batch` makes them."""
    report: Report
    origin: str
    """What was opened, in words, for people."""
    key: tuple[str, ...] = ()
    """Key columns that the source itself declares (a layout), used if the YAML has none."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Column → type in the source, as far as it says: numbers, text, dates, ..."""
    mark: str = ""
    """How far this reading goes: the next one's ``Since.mark``. Known after the last row; moves
    only forward, and not beyond the moment that the reading began. '': no changes can be read."""
    seal: Any = None
    """Which columns are kept encrypted (connectors/sealing.py); None: none."""
    changes: Changes | None = None
    """None: the rows are all that there are. Also where changes were asked for: a connector
    that cannot give them any more (its mark has expired) reads everything."""
    release: Callable[[], None] = lambda: None
    """Called once what was read, and its mark, are on disk: the source need not keep any more what
    led to it. Where it is not called, or fails, the next reading is given that again."""
    withhold: Withhold | None = None
    """Asked by connectors/landing.py before rows land; None: every row may."""

    def batches(self, limit: int | None = None) -> Iterator[pa.RecordBatch]:
        """The rows, many at once, in their order: position, problem, then the values.

        Args:
            limit: how many at most; None: all.
        """
        left = limit
        size = _BATCH_ROWS if limit is None else min(limit, _BATCH_ROWS)
        for found in _batched(self.rows, len(self.columns), size):
            if left is None:
                yield found
                continue
            yield found.slice(0, left)
            left -= found.num_rows
            if left <= 0:
                return


def batch(
    position: str | pa.Array, values: Sequence[pa.Array], problem: pa.Array | None = None
) -> pa.RecordBatch:
    """Many rows at once.

    Args:
        position: where each stands, or where they all do.
        values: text of every column, in the order of the reading's columns.
        problem: what is wrong with each record as a whole, null where nothing is.
    """
    rows = len(values[0])
    if isinstance(position, str):
        position = pa.repeat(pa.scalar(position), rows)
    if problem is None:
        problem = pa.nulls(rows, pa.string())
    names = [POSITION, PROBLEM, *map(str, range(len(values)))]
    return pa.RecordBatch.from_arrays([position, problem, *values], names=names)


def _batched(
    rows: Iterator[Row | pa.RecordBatch], width: int, size: int
) -> Iterator[pa.RecordBatch]:
    some: list[Row] = []
    chars = 0
    for row in rows:
        if isinstance(row, Row):
            some.append(row)
            chars += sum(map(len, filter(None, row.values)))
            if len(some) < size and chars < _BATCH_CHARS:
                continue
        if some:
            yield _of_rows(some, width)
            some, chars = [], 0
        if isinstance(row, pa.RecordBatch) and row.num_rows:
            yield row
    if some:
        yield _of_rows(some, width)


def _of_rows(rows: Sequence[Row], width: int) -> pa.RecordBatch:
    columns = zip(*(row.values for row in rows), strict=True) if width else ()
    return batch(
        text(row.position for row in rows),
        [text(column) for column in columns],
        text(row.problem for row in rows),
    )


def text(values: Iterable[str | None]) -> pa.Array:
    """Values as a column; half a surrogate pair, which no text may hold, as U+FFFD."""
    kept = list(values)
    try:
        return pa.array(kept, pa.string())
    except UnicodeEncodeError:
        return pa.array([value and _whole(value) for value in kept], pa.string())


def _whole(value: str) -> str:
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

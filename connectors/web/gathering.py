"""Records as pages bring them → columns and rows, in bounded memory.

What belongs here: the temporary file that pages are written to as they come, which
columns all records have together, and that no record counts twice because it moved
from one page to another while they were read.

Of records with one key, copies are left out, and so is one that another page has in a
newer state. All others stay: that a key is not unique is for the snapshot to say.
"""

import gzip
import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, NamedTuple

import numpy as np

from connectors import mapping
from connectors.flattening import Flat, ListRule, flatten
from connectors.reading import Row
from connectors.web.moments import Point, is_date
from connectors.web.paging import Page
from onefold.errors import SourceLayout

MOST_COLUMNS = 2_000
"""Records whose values are names of columns have no end of them."""
_FACTS = np.dtype([("a", "<u8"), ("b", "<u8"), ("content", "S16"), ("page", "<u4"), ("at", "S40")])


_MIDDLE = 10**38
"""Put to a number, so that negative ones are in their order as text, too."""

_WANTED, _UNWANTED = b"+", b"-"


class Shape(NamedTuple):
    """What is known of the records before they are read.

    Attributes:
        key: columns of the key; one that ends in ``?`` may be missing. Empty: there is none.
        cursor: columns of which the first filled one says when a record changed.
        columns: columns that are there whether a record fills them or not.
        lists: what becomes of lists of objects.
        completed: puts computed columns to a record.
        is_wanted: whether a record is one of the source; others are left out.
        point: reads a cursor.
        now: the service's clock when it gave its first answer.
    """

    key: Sequence[str]
    cursor: Sequence[str]
    columns: Sequence[str]
    lists: Mapping[str, ListRule]
    completed: Callable[[Flat], Flat]
    is_wanted: Callable[[Flat], bool]
    point: Callable[[str | None], Point | None]
    now: Callable[[], datetime | None]


@dataclass
class Gathered:
    """Records on disk.

    Attributes:
        columns: of all records together, in the order in which they were first seen.
        key: those of the key that are there.
        count: how many records there are, each once, wanted or not.
        again: how many came once more.
        unwanted: how many are none of the source.
        greatest: the greatest value of the cursor that is no moment in the future; None without
            any.
        in_future: whether a cursor lies in the future.
        days: whether the cursor has no hours.
    """

    columns: list[str]
    key: list[str]
    count: int
    again: int
    unwanted: int
    greatest: Point | None
    in_future: bool
    days: bool
    _file: IO[bytes]
    _left_out: frozenset[int]

    def rows(self, position: str) -> Iterator[Row]:
        """Every record of the source once."""
        for flat in self.flats():
            yield Row(position, [flat.get(column) for column in self.columns])

    def flats(self) -> Iterator[Flat]:
        """The same, as the columns that each has."""
        return self._flats(_WANTED)

    def unwanted_keys(self) -> Iterator[Row]:
        """The keys of the records that are none of the source."""
        for flat in self._flats(_UNWANTED):
            yield Row("", [flat.get(column) for column in self.key])

    def _flats(self, mark: bytes) -> Iterator[Flat]:
        self._file.seek(0)
        with gzip.GzipFile(fileobj=self._file, mode="rb") as packed:
            for number, line in enumerate(io.BufferedReader(packed, 1 << 20)):
                if line.startswith(mark) and number not in self._left_out:
                    yield json.loads(line[1:])


@contextmanager
def gathered(
    pages: Iterable[Page], shape: Shape, name: str, file: str, limit: int | None = None
) -> Iterator[Gathered]:
    """Read all pages into a temporary file, which nobody else can open and which is gone after.

    Args:
        name, file: of the source, for messages.
        limit: records after which no further page is read; None: all are.

    Raises:
        SourceLayout: the records have no end of columns.
        SourceError: whatever ``pages`` raises.
    """
    columns = _Columns(shape, name, file)
    facts = bytearray()
    cursor = _Cursor(shape)
    count = unwanted = 0
    with tempfile.TemporaryFile() as spill:
        with gzip.GzipFile(fileobj=spill, mode="wb", compresslevel=1) as packed:
            for number, page in enumerate(pages):
                for record in page.records:
                    flat = shape.completed(flatten(record, shape.lists))
                    columns.add(flat)
                    mark = _WANTED if shape.is_wanted(flat) else _UNWANTED
                    unwanted += mark == _UNWANTED
                    # Half a character, as JSON may have it, is mended when it lands.
                    text = json.dumps(flat, ensure_ascii=False, separators=(",", ":"))
                    line = text.encode("utf-8", "surrogatepass")
                    packed.write(mark + line + b"\n")
                    at = cursor.see(columns.cursor_of(flat))
                    facts += columns.key_digest(flat, count) + _digest(line)
                    facts += number.to_bytes(4, "little") + at.encode()[:40].ljust(40, b"\0")
                    count += 1
                if limit is not None and count >= limit:
                    break
        left_out = _left_out(np.frombuffer(bytes(facts), _FACTS))
        yield Gathered(
            columns=list(columns.names),
            key=columns.key,
            count=count - len(left_out),
            again=len(left_out),
            unwanted=unwanted,
            greatest=cursor.greatest,
            in_future=cursor.in_future,
            days=cursor.days,
            _file=spill,
            _left_out=left_out,
        )


class _Cursor:
    """What the cursors of the records say together."""

    def __init__(self, shape: Shape) -> None:
        self.greatest: Any = None
        self.in_future = self.days = False
        self._point, self._now = shape.point, shape.now

    def see(self, text: str) -> str:
        """Take note of one; as a text whose order is that of time."""
        found = self._point(text)
        if found is None:
            return text
        if isinstance(found, int):
            self.greatest = found if self.greatest is None else max(found, self.greatest)
            return f"{found + _MIDDLE:040d}"
        now = self._now()
        if now is not None and found > now:
            self.in_future = True
        elif self.greatest is None or found > self.greatest:
            self.greatest, self.days = found, is_date(text)
        return found.isoformat(timespec="microseconds")


class _Columns:
    """The columns that are known so far, and which of them are key and cursor."""

    def __init__(self, shape: Shape, name: str, file: str) -> None:
        self.names = dict.fromkeys(shape.columns)
        self._wanted = [part.removesuffix("?") for part in shape.key]
        self._at = [part.removesuffix("?") for part in shape.cursor]
        self._name, self._file = name, file
        self._find()

    def add(self, flat: Flat) -> None:
        """Take note of a record's columns; nothing where others have an object is no column."""
        if flat.keys() <= self.names.keys():
            return
        for name in [name for name, value in flat.items() if value is None]:
            if name in self._objects:
                del flat[name]
        self.names.update(dict.fromkeys(flat))
        self._find()
        if len(self.names) > MOST_COLUMNS:
            raise SourceLayout(
                self._name,
                f"the records have more than {MOST_COLUMNS:,} columns",
                found="names that differ from record to record",
                do=f"Say in {self._file} where the list of records stands (api.records).",
            )

    def _find(self) -> None:
        parts = (name.split(".") for name in self.names if "." in name)
        self._objects = {
            ".".join(one[:length]) for one in parts for length in range(1, len(one))
        } - self.names.keys()
        self.key, self._cursor = self._there(self._wanted), self._there(self._at)

    def _there(self, wanted: Sequence[str]) -> list[str]:
        found = (mapping.find_column(list(self.names), name) for name in wanted)
        return [column for column in dict.fromkeys(found) if column is not None]

    def key_digest(self, flat: Flat, number: int) -> bytes:
        """Of a record's key; of its number where it has none, so that it is like no other."""
        parts = [flat.get(column) for column in self.key]
        if not any(part and part.strip() for part in parts):
            parts = ["", str(number)]
        return _digest(json.dumps(parts).encode())

    def cursor_of(self, flat: Flat) -> str:
        return next((value for column in self._cursor if (value := flat.get(column))), "")


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _left_out(facts: "np.ndarray[tuple[int], np.dtype[np.void]]") -> frozenset[int]:
    """Numbers of the records that are copies, or older states that another page has newer."""
    order = np.lexsort((np.arange(len(facts)), facts["b"], facts["a"]))
    a, b = facts["a"][order], facts["b"][order]
    same = (a[1:] == a[:-1]) & (b[1:] == b[:-1])
    if not same.any():
        return frozenset()
    left_out: set[int] = set()
    ends = np.flatnonzero(~np.append(same, False))
    starts = np.append(0, ends[:-1] + 1)
    for start, end in zip(starts[ends > starts], ends[ends > starts], strict=True):
        kept: list[int] = []
        for number in order[start : end + 1].tolist():
            one = facts[number]
            for other in list(kept):
                former = facts[other]
                if one["content"] == former["content"]:
                    left_out.add(number)
                    break
                if one["page"] != former["page"] and one["at"] < former["at"]:
                    left_out.add(number)
                    break
                if one["page"] != former["page"] and one["at"] > former["at"]:
                    left_out.add(other)
                    kept.remove(other)
            else:
                kept.append(number)
    return frozenset(left_out)

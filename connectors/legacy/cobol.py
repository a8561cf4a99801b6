"""COBOL files: records of a copybook, in EBCDIC or any other code page.

What belongs here: cutting a file into records (one length, RDW, BDW, lines), the kinds of
records in one file, and comparing their number with what header and trailer say. Positions
are ``file|byte offset`` of the record.

Source: z/OS DFSMS Using Data Sets, "Variable-length record formats": RDW and BDW.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from connectors import files
from connectors.config import SourceConfig
from connectors.fields import SEPARATOR
from connectors.files import SourceFile
from connectors.legacy import cobol_layout
from connectors.legacy.cobol_layout import Described, Kind
from connectors.legacy.cobol_records import Values
from connectors.legacy.cobol_values import NoNumber
from connectors.reading import Reading, Report, Row, Since
from onefold.errors import SourceLayout

_WORD = 4
_BLOCK = 1 << 20
_SUSPECT = 10


@contextmanager
def read(config: SourceConfig, since: Since | None = None) -> Iterator[Reading]:
    """Open COBOL files.

    Raises:
        SourceMissing: no file, or no layout.
        SourceLayout: layout, copybook or the lengths of records are wrong, or most records
            do not fit the copybook.
        SourceEncoding: there is no such code page.
        SourceHeld: header or trailer counts another number of records.
    """
    described = cobol_layout.load(Path(config.layout or ""), config.encoding)
    report = Report()
    found = files.find(config, since)
    columns = described.columns
    rows = itertools.chain.from_iterable(
        _File(config, file, described, columns, report).rows() for file in found
    )
    yield Reading(columns, rows, report, files.named(found), described.layout.key)


@dataclass
class _Open:
    """A row whose parts may still come."""

    position: str
    kind: str
    texts: dict[str, str | None]
    problem: str | None


@dataclass
class _Counts:
    """How many records there are, and how many are said to be there."""

    there: Counter[str] = field(default_factory=Counter)
    said: list[tuple[str, Kind, int | None]] = field(default_factory=list)


class _File:
    """One file, record by record."""

    def __init__(
        self,
        config: SourceConfig,
        file: SourceFile,
        described: Described,
        columns: list[str],
        report: Report,
    ) -> None:
        self._config, self._file, self._described = config, file, described
        self._columns, self._report = columns, report
        self._counts = _Counts()
        self._fixed = described.layout.records == "fixed"
        self._records = self._wrong = 0

    def rows(self) -> Iterator[Row]:
        """Every record that is data, with its parts."""
        last: _Open | None = None
        with files.opened(self._file), self._file.path.open("rb") as stream:
            for offset, data in _CUTS[self._described.layout.records](
                stream, self._described, self._file.name
            ):
                made = self._made(offset, data)
                if made is None:
                    continue
                kind = self._described.kind(made.kind)
                if kind and kind.part_of:
                    if last is not None and last.kind == kind.part_of:
                        _join(last, made)
                        continue
                    made.problem = f"{kind.record} without {kind.part_of} before it"
                if last is not None:
                    yield self._row(last)
                last = made
        if last is not None:
            yield self._row(last)
        self._compare()
        if self._records > _SUSPECT and self._wrong > self._records / 2:
            raise SourceLayout(
                self._file.name,
                "most records do not fit the copybook",
                found=f"bytes that are no number in {self._wrong:,} of {self._records:,}",
                do="Mend record_length, records, encoding or the copybook.",
            )

    def _made(self, offset: int, data: bytes) -> _Open | None:
        """The record at a place; None if it is no data."""
        name, layout = self._file.name, self._described.layout
        if not data.strip(b"\0") or data == b"\x1a":
            self._report.skip(name, "empty row")
            return None
        value = self._kind_of(data)
        if value is None:
            self._report.skip(name, "record of another kind")
            return None
        kind, record = self._described.kind(value), self._described.records[value]
        self._counts.there[value] += 1
        values = record.read(data)
        if kind and kind.role != "data":
            self._counts.said.append((value, kind, _count(kind, values)))
            self._report.skip(name, kind.role)
            return None
        if not any(values.texts.values()):
            self._report.skip(name, "empty row")
            return None
        self._records += 1
        self._wrong += bool(values.wrong)
        for item in values.wrong:
            self._report.note(f"{name}: {item} holds bytes that are no number")
        for column, text in values.texts.items():
            if text and "\ufffd" in text:
                self._report.note(
                    f"{name}: {column} holds bytes that are not {self._described.page.name}"
                )
        problem = values.problem
        if len(data) < values.size and not layout.trimmed:
            problem = f"truncated record: {len(data)} of {values.size} bytes"
        elif len(data) > values.size and not self._fixed:
            problem = f"overlong record: {len(data)} of {values.size} bytes"
        return _Open(f"{name}|{offset}", value, values.texts, problem)

    def _kind_of(self, data: bytes) -> str | None:
        segments = self._described.layout.segments
        if segments is None:
            return ""
        place = next(iter(self._described.records.values())).field(segments.by.upper())
        if place is None:
            return None
        try:
            value = place.decode(data[place.start : place.end]) or ""
        except (NoNumber, IndexError):
            return None
        return value if value in segments.kinds else None

    def _row(self, made: _Open) -> Row:
        values = [made.texts.get(column) for column in self._columns]
        return Row(made.position, values, made.problem)

    def _compare(self) -> None:
        """Compare the records with what header and trailer say.

        Raises:
            SourceHeld: they differ, or a header or trailer is not there.
        """
        segments, name = self._described.layout.segments, self._file.name
        if segments is None:
            return
        data = [value for value, kind in segments.kinds.items() if kind.role == "data"]
        for value, kind in segments.kinds.items():
            if kind.count and not self._counts.there[value]:
                files.hold_count(
                    self._config, self._report, name, f"a {kind.role} with the number of records",
                    f"no {kind.role}",
                )  # fmt: skip
        for _, kind, said in self._counts.said:
            there = sum(self._counts.there[value] for value in kind.counts or data)
            if kind.count and said != there:
                number = "no number" if said is None else f"{said:,}"
                files.hold_count(
                    self._config, self._report, name, f"{number} records by its {kind.role}",
                    f"{there:,}",
                )  # fmt: skip


def _count(kind: Kind, values: Values) -> int | None:
    text = values.texts.get((kind.count or "").upper())
    return int(text) if text and text.isdigit() else None


def _join(row: _Open, part: _Open) -> None:
    """Add a part to its row; values that repeat are joined."""
    for column, text in part.texts.items():
        before = row.texts.get(column)
        if text and before:
            row.texts[column] = f"{before}{SEPARATOR}{text}"
        elif text:
            row.texts[column] = text
    row.problem = row.problem or part.problem


# -- cutting a file into records

_Cut = Callable[[BinaryIO, Described, str], Iterator[tuple[int, bytes]]]


def _of_one_length(
    stream: BinaryIO, described: Described, where: str
) -> Iterator[tuple[int, bytes]]:
    if all(record.has_fixed_size for record in described.records.values()) or (
        described.layout.record_length
    ):
        offset, length = 0, described.length
        while block := stream.read(length * max(_BLOCK // length, 1)):
            for at in range(0, len(block), length):
                yield offset + at, block[at : at + length]
            offset += len(block)
        return
    # Records that follow each other without lengths: how long one is, its own items say.
    (record,) = described.records.values()
    offset, rest = 0, b""
    while block := rest + stream.read(max(_BLOCK, 2 * record.size)):
        last = len(block) - len(rest) < max(_BLOCK, 2 * record.size)
        at = 0
        while at < len(block) and (last or len(block) - at >= record.size):
            size = record.read(block[at : at + record.size]).size
            yield offset + at, block[at : at + size]
            at += max(size, 1)
        offset, rest = offset + at, block[at:]
        if last:
            return


def _with_lengths(
    stream: BinaryIO, described: Described, where: str
) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while head := stream.read(_WORD):
        length = _length(head, offset, where)
        data = stream.read(length - _WORD)
        if len(data) < length - _WORD:
            raise _cut_off(where, offset, length, len(data) + _WORD)
        yield offset, data
        offset += length


def _in_blocks(stream: BinaryIO, described: Described, where: str) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while head := stream.read(_WORD):
        length = _length(head, offset, where)
        block = stream.read(length - _WORD)
        if len(block) < length - _WORD:
            raise _cut_off(where, offset, length, len(block) + _WORD)
        at = 0
        while at < len(block):
            inner = _length(block[at : at + _WORD], offset + _WORD + at, where)
            if at + inner > len(block):
                raise _cut_off(where, offset + _WORD + at, inner, len(block) - at)
            yield offset + _WORD + at, block[at + _WORD : at + inner]
            at += inner
        offset += length


def _length(head: bytes, offset: int, where: str) -> int:
    """The length in a descriptor word, the word itself counted."""
    length = int.from_bytes(head[:2], "big")
    if len(head) < _WORD or length < _WORD or head[2:] != b"\0\0":
        raise SourceLayout(
            where,
            "there is no length where a record should begin",
            found=f"x'{head.hex()}' at byte {offset}",
            do="Mend 'records' in the layout, or fetch the file in binary with its RDWs.",
        )
    return length


def _cut_off(where: str, offset: int, length: int, there: int) -> SourceLayout:
    return SourceLayout(
        where,
        "the file ends in the middle of a record",
        found=f"{there} of {length} bytes at byte {offset}",
        do="Copy the file again.",
    )


def _lines(stream: BinaryIO, described: Described, where: str) -> Iterator[tuple[int, bytes]]:
    newline = b"\x15" if described.page.is_ebcdic else b"\n"
    offset, rest = 0, b""
    while block := stream.read(_BLOCK):
        *whole, rest = (rest + block).split(newline)
        for line in whole:
            yield offset, line if described.page.is_ebcdic else line.removesuffix(b"\r")
            offset += len(line) + 1
    if rest:
        yield offset, rest


_CUTS: dict[str, _Cut] = {
    "fixed": _of_one_length,
    "rdw": _with_lengths,
    "bdw": _in_blocks,
    "lines": _lines,
}

"""Delimited text: CSV and its kin.

What belongs here: delimiter, quotes, ragged lines, positions ``file|line``
(the line in which a record begins, from 1). Encodings are found in
connectors/encoding.py, headings in connectors/tables.py.

Lines are taken some megabytes at a time. Where each of them is one record with all its
fields, Arrow parses them; other ones are read record by record, to the same rows.
"""

import codecs
import csv
import io
import itertools
import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TextIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from connectors import encoding, files, mapping, tables
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.reading import Reading, Report, Row, Since, batch
from onefold.errors import SourceLayout

_DELIMITERS = ",;\t|:^~\x01\x1f"
_SNIFFED_LINES, _SNIFFED_LENGTH = 200, 100_000
_SEP_LINE = "sep="
_BLOCK = 4 << 20
"""Bytes that are parsed together."""
_BY_BYTES = frozenset({"utf-8", "ascii", "gb18030", "gbk", "big5", "cp1252", "iso8859-1"})
"""Encodings in which no byte of another character is that of a line's end."""
_ODD = (b"\0", b"\x1a")
"""Bytes that the two ways of parsing may take differently."""


@dataclass(frozen=True)
class Text:
    """One file, ready to be read."""

    file: SourceFile
    encoding: str
    delimiter: str
    header: tables.Header | None
    columns: tuple[str, ...]
    skip_lines: int
    """Lines before the first record, headings or not."""


@contextmanager
def read(config: SourceConfig, since: Since | None = None) -> Iterator[Reading]:
    """Open delimited text files; several give the union of their columns.

    Raises:
        SourceMissing: no file.
        SourceEncoding: a file is no text.
        SourceLayout: a file has no headings where some are needed.
    """
    report = Report()
    texts = [opened(config, file, report) for file in files.find(config, since)]
    columns = list(dict.fromkeys(name for text in texts for name in text.columns))
    rows = itertools.chain.from_iterable(_rows(text, columns, report) for text in texts)
    names = ", ".join(f"{text.file.name} ({text.encoding})" for text in texts[:3])
    more = f" and {len(texts) - 3} more" if len(texts) > 3 else ""
    yield Reading(columns, rows, report, names + more)


def opened(config: SourceConfig, file: SourceFile, report: Report) -> Text:
    """Find encoding, delimiter and headings of one file."""
    with files.opened(file):
        found = encoding.detect(
            file.path, file.name, declared=config.encoding, country=config.country
        )
        with file.path.open(encoding=found.name, newline="") as stream:
            lines = list(itertools.islice(stream, _SNIFFED_LINES))
    if found.how in ("characters", "chardet"):
        report.note(f"{file.name}: encoding found to be {found.name}")
    skip, delimiter = 0, config.delimiter
    if lines and lines[0].strip().casefold().startswith(_SEP_LINE):
        delimiter = delimiter or lines[0].strip()[len(_SEP_LINE) :][:1] or None
        skip = 1
    known = mapping.recognizer(config)
    delimiter = delimiter or _sniff(lines[skip:])
    if not any(line.strip() for line in lines):
        return Text(file, found.name, delimiter, None, (), skip)
    records = [record for record, _ in _records(iter(lines[skip:]), delimiter)]
    if config.header_row == 0:
        width = Counter(map(len, records)).most_common(1)[0][0]
        return Text(file, found.name, delimiter, None, tuple(tables.unique([""] * width)), skip)
    forced = _record_at(lines, skip, delimiter, config.header_row) if config.header_row else None
    header = tables.find_header(records, known, merges=(), forced=forced)
    if header is None:
        header = tables.find_header(records, known, forced=_first(records))
    if header is None:
        raise SourceLayout(
            file.name,
            "no headings",
            do=f"Add a line with headings, or set header_row in {config.file}.",
        )
    names = list(header.names)
    while names and not names[-1]:
        names.pop()
    return Text(file, found.name, delimiter, header, tuple(tables.unique(names)), skip)


def _first(records: list[list[str]]) -> int | None:
    return next((i for i, record in enumerate(records) if any(map(str.strip, record))), None)


def _record_at(lines: list[str], skip: int, delimiter: str, line: int) -> int | None:
    starts = [start for _, start in _records(iter(lines[skip:]), delimiter)]
    return next((i for i, start in enumerate(starts) if start + skip >= line), None)


def _sniff(lines: list[str]) -> str:
    """The delimiter that cuts most lines into the same number of fields.

    >>> _sniff(["a;b;c", "1,5;2;3", "4;5;6,1"]), _sniff(["name\\tcity", "x, y\\tz"])
    (';', '\\t')
    """
    best, score = ",", 0.0
    lines = [line for line in lines if len(line) <= _SNIFFED_LENGTH] or lines[:1]
    for delimiter in _DELIMITERS:
        widths = Counter(len(record) for record, _ in _records(iter(lines), delimiter) if record)
        widths.pop(1, None)
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        share = count / max(1, sum(1 for line in lines if line.strip()))
        points = min(share, 1.0) * (1 + min(width, 30) / 30)
        if points > score * 1.02:
            best, score = delimiter, points
    return best


# -- records


def _records(lines: Iterator[str], delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Every record with the number of the line it begins in, from 1."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        reader = csv.reader(lines, delimiter=delimiter)
        start = 1
        for record in reader:
            yield record, start
            start = reader.line_num + 1
    finally:
        csv.field_size_limit(limit)


class _Lines:
    """Lines of a file, remembered as long as the record they belong to may be wrong.

    Attributes:
        number: of the next line, from 1.
        held: those of the record that is read.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream, self._encoding = stream, codecs.lookup(encoding).name.removesuffix("-sig")
        self._text: TextIO | None = None
        if self._encoding not in _BY_BYTES:
            self._text = io.TextIOWrapper(stream, encoding, newline="")
        elif encoding.endswith("-sig"):
            stream.seek(len(codecs.BOM_UTF8))
        self._again: list[str] = []
        self.number = 1
        self.held: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._again:
            if self._text:
                line = self._text.readline()
            else:
                line = self._stream.readline().decode(self._encoding)
            self._again = [*io.StringIO(line, newline="")][::-1]
        if not self._again:
            raise StopIteration
        line = self._again.pop()
        self.held.append(line)
        self.number += 1
        return line

    def give_back(self, lines: list[str]) -> None:
        """Have these lines come again, before all others."""
        self._again.extend(reversed(lines))
        self.number -= len(lines)

    def block(self) -> bytes:
        """Many lines at once, up to the end of one; b"" if there are none, or one comes again."""
        if self._again or self._text:
            return b""
        some = self._stream.read(_BLOCK)
        return some if some.endswith(b"\n") else some + self._stream.readline()

    def put_back(self, block: bytes) -> None:
        """Have the lines of a block come one by one."""
        self._stream.seek(-len(block), os.SEEK_CUR)


def _checked(
    lines: _Lines, delimiter: str, width: int
) -> Iterator[tuple[list[str], int, str | None]]:
    """Records with their line and what is wrong with them.

    A quote that is opened and not closed would swallow the records after it. So a
    record over several lines that has not the right number of fields, or ends with
    the file inside a quote, is taken back: its first line stands alone, marked, and
    the others are read again.
    """
    while True:
        lines.held.clear()
        number = lines.number
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            record = next(reader)
        except StopIteration:
            return
        held = list(lines.held)
        if len(held) > 1 and (len(record) != width or _is_open(held, delimiter)):
            alone = next(csv.reader(held[:1], delimiter=delimiter, quoting=csv.QUOTE_NONE))
            lines.give_back(held[1:])
            yield alone, number, "a quote is opened and not closed"
            continue
        problem = "a quote is opened and not closed" if _is_open(held, delimiter) else None
        yield record, number, problem


def _is_open(held: list[str], delimiter: str) -> bool:
    if held[-1].endswith(("\n", "\r")) and len(held) == 1:
        return False
    try:
        for _ in csv.reader(held, delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _rows(text: Text, columns: list[str], report: Report) -> Iterator[Row | pa.RecordBatch]:
    place = [columns.index(name) for name in text.columns]
    width, name = len(text.columns), text.file.name
    limit = csv.field_size_limit(2**31 - 1)
    try:
        with files.opened(text.file), text.file.path.open("rb") as stream:
            lines = _Lines(stream, text.encoding)
            for _ in range(text.skip_lines):
                next(lines)
            headings = text.header.last if text.header else -1
            singly = 0  # up to which line records are read one by one
            records = _checked(lines, text.delimiter, width)
            for i in itertools.count():
                while i > headings and lines.number > singly and (block := lines.block()):
                    first, count = lines.number, _lines_of(block)
                    parsed = _parsed(text, block, count)
                    if parsed is None:
                        lines.put_back(block)
                        singly = first + count - 1
                    else:
                        lines.number += count
                        yield _batch(text, parsed, first, columns, report)
                if (found := next(records, None)) is None:
                    return
                record, line, problem = found
                row = None if i <= headings else _row(text, record, columns, place, report)
                if row is not None:
                    values, ragged = row
                    yield Row(f"{name}|{line}", values, problem or ragged)
    finally:
        csv.field_size_limit(limit)


def _lines_of(block: bytes) -> int:
    return block.count(b"\n") + (not block.endswith(b"\n"))


def _parsed(text: Text, block: bytes, lines: int) -> pa.RecordBatch | None:
    """Records of one line and all fields each; None if some are not that, or may not be."""
    encoding = codecs.lookup(text.encoding).name.removesuffix("-sig")
    if not text.delimiter.isascii() or text.delimiter == '"':
        return None
    if block.count(b"\r") != block.count(b"\r\n") or any(sign in block for sign in _ODD):
        return None
    try:
        if encoding not in ("utf-8", "ascii"):
            block = block.decode(encoding).encode()
        last = block[block.rfind(b"\n", 0, -1) + 1 :]
        if b'"' in last:  # what is open at the end, Arrow closes
            deque(csv.reader([last.decode()], delimiter=text.delimiter, strict=True), 0)
        table = arrow_csv.read_csv(
            pa.py_buffer(block),
            arrow_csv.ReadOptions(
                column_names=list(text.columns), block_size=len(block) + 1, use_threads=False
            ),
            arrow_csv.ParseOptions(
                delimiter=text.delimiter, newlines_in_values=True, ignore_empty_lines=False
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(text.columns, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, UnicodeError, csv.Error):
        return None  # ragged lines, a quote that is not closed
    if table.num_rows != lines:
        return None  # a record over several lines
    return table.combine_chunks().to_batches()[0]


def _batch(
    text: Text, parsed: pa.RecordBatch, first: int, columns: list[str], report: Report
) -> pa.RecordBatch:
    """Parsed lines as rows, without those that are no records."""
    there = dict(zip(text.columns, parsed.columns, strict=True))
    absent = pa.nulls(parsed.num_rows, pa.string())
    numbers = pa.array(np.arange(first, first + parsed.num_rows)).cast(pa.string())
    position = pc.binary_join_element_wise(text.file.name, numbers, "|")
    found = batch(position, [there.get(name, absent) for name in columns])
    heading = text.header.names[0] if text.header else None
    odd = tables.may_be_else(parsed.columns)
    if heading is not None:
        odd = pc.or_(odd, pc.equal(pc.fill_null(parsed.column(0), ""), heading))
    keep = np.ones(parsed.num_rows, bool)
    for row in pc.indices_nonzero(odd).to_pylist():
        record = [column[row].as_py() or "" for column in parsed.columns]
        keep[row] = _is_record(text, record, report)
    return found if keep.all() else found.filter(pa.array(keep))


def _row(
    text: Text, record: list[str], columns: list[str], place: list[int], report: Report
) -> tuple[list[str | None], str | None] | None:
    width = len(text.columns)
    if not _is_record(text, record, report):
        return None
    problem = None
    if len(record) > width:
        rest = record[width:]
        if any(map(str.strip, rest)):
            problem = f"{len(record)} fields of {width}"
            record = [*record[: width - 1], text.delimiter.join(record[width - 1 :])]
    elif len(record) < width:
        problem = f"{len(record)} fields of {width}"
    values: list[str | None] = [None] * len(columns)
    for i, value in zip(place, record, strict=False):
        values[i] = value or None
    return values, problem


def _is_record(text: Text, record: Sequence[str], report: Report) -> bool:
    """Whether a row is a record; what else it is is counted."""
    what = tables.what_else(record)
    if not any(map(str.strip, record)):
        what = "empty row"
    elif record == ["\x1a"]:
        return False
    elif not what and text.header and tuple(record) == text.header.names:
        what = "repeated headings"
    if what:
        report.skip(text.file.name, what)
    return not what

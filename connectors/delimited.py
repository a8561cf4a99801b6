"""Delimited text: CSV and its kin.

What belongs here: delimiter, quotes, ragged lines, positions ``file|line``
(the line in which a record begins, from 1). Encodings are found in
connectors/encoding.py, headings in connectors/tables.py.
"""

import csv
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from connectors import encoding, files, mapping, tables
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.reading import Reading, Report, Row, Since
from onefold.errors import SourceLayout

_DELIMITERS = ",;\t|:^~\x01\x1f"
_SNIFFED_LINES, _SNIFFED_LENGTH = 200, 100_000
_SEP_LINE = "sep="


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
    """Lines of a file, remembered as long as the record they belong to may be wrong."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: list[str] = []
        self.held: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.pop() if self._again else next(self._lines)
        self.held.append(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        """Have these lines come again, before all others."""
        self._again.extend(reversed(lines))


def _checked(
    lines: _Lines, delimiter: str, width: int, number: int
) -> Iterator[tuple[list[str], int, str | None]]:
    """Records with their line and what is wrong with them.

    A quote that is opened and not closed would swallow the records after it. So a
    record over several lines that has not the right number of fields, or ends with
    the file inside a quote, is taken back: its first line stands alone, marked, and
    the others are read again.
    """
    while True:
        lines.held.clear()
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            record = next(reader)
        except StopIteration:
            return
        held = list(lines.held)
        if len(held) > 1 and (len(record) != width or _is_open(held, delimiter)):
            alone = next(csv.reader(held[:1], delimiter=delimiter, quoting=csv.QUOTE_NONE))
            yield alone, number, "a quote is opened and not closed"
            lines.give_back(held[1:])
            number += 1
            continue
        problem = "a quote is opened and not closed" if _is_open(held, delimiter) else None
        yield record, number, problem
        number += len(held)


def _is_open(held: list[str], delimiter: str) -> bool:
    if held[-1].endswith(("\n", "\r")) and len(held) == 1:
        return False
    try:
        for _ in csv.reader(held, delimiter=delimiter, strict=True):
            pass
    except csv.Error as error:
        return "unexpected end" in str(error)
    return False


def _rows(text: Text, columns: list[str], report: Report) -> Iterator[Row]:
    place = [columns.index(name) for name in text.columns]
    width, name = len(text.columns), text.file.name
    limit = csv.field_size_limit(2**31 - 1)
    try:
        with (
            files.opened(text.file),
            text.file.path.open(encoding=text.encoding, newline="") as stream,
        ):
            lines = _Lines(stream)
            for _ in range(text.skip_lines):
                next(lines)
            records = _checked(lines, text.delimiter, width, text.skip_lines + 1)
            headings = text.header.last if text.header else -1
            for i, (record, line, problem) in enumerate(records):
                if i <= headings:
                    continue
                row = _row(text, record, columns, place, report)
                if row is None:
                    continue
                values, ragged = row
                yield Row(f"{name}|{line}", values, problem or ragged)
    finally:
        csv.field_size_limit(limit)


def _row(
    text: Text, record: list[str], columns: list[str], place: list[int], report: Report
) -> tuple[list[str | None], str | None] | None:
    name, width = text.file.name, len(text.columns)
    if not any(map(str.strip, record)):
        report.skip(name, "empty row")
        return None
    if record == ["\x1a"]:
        return None
    other = tables.what_else(record)
    if other:
        report.skip(name, other)
        return None
    if (
        text.header
        and record
        and record[0] == text.header.names[0]
        and tuple(record) == text.header.names
    ):
        report.skip(name, "repeated headings")
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

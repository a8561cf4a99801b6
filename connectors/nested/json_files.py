"""JSON: a record a line (JSON lines), or a document that holds a list of records.

What belongs here: finding the records, in bounded memory, and lines that are none. What
becomes of objects and lists in a record stands in connectors/flattening.py. Positions are
``file|line`` for JSON lines, else ``file|number of the record``, from 1.

Source: RFC 8259; jsonlines.org.
"""

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOBase
from typing import Any

from connectors import encoding, files
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.flattening import flatten
from connectors.nested.gathering import Found, gathered
from connectors.reading import Reading, Report, Since
from onefold.errors import SourceEmpty, SourceLayout

SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
BROKEN = "broken line"
"""Column that keeps a line which is no record."""
_BLOCK = 1 << 20
_BLANK = " \t\r\n\ufeff"
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)
_LONGEST = 256 << 20
"""Characters that one value may have."""


@contextmanager
def read(config: SourceConfig, since: Since | None = None) -> Iterator[Reading]:
    """Open JSON files; several give the union of their columns.

    Raises:
        SourceMissing: no file.
        SourceEncoding: a file is no text.
        SourceLayout: a file is no JSON, is cut off, or holds no list of records.
    """
    report = Report()
    found = files.find(config, since)
    records = itertools.chain.from_iterable(_records(config, file, report) for file in found)
    with gathered(records, config.name) as (columns, rows):
        yield Reading(columns, rows, report, files.named(found))


def _records(config: SourceConfig, file: SourceFile, report: Report) -> Iterator[Found]:
    with files.opened(file):
        found = encoding.detect(
            file.path, file.name, declared=config.encoding, country=config.country
        )
        if found.how in ("characters", "chardet"):
            report.note(f"{file.name}: encoding found to be {found.name}")
        with file.path.open(encoding=found.name) as stream:
            lines = config.record is None and _is_lines(stream)
            stream.seek(0)
            if lines:
                yield from _of_lines(config, file, stream, report)
            else:
                yield from _of_document(config, file, stream, report)


# -- JSON lines


def _is_lines(stream: TextIOBase) -> bool:
    """Whether the first line that is filled is a whole object, and not the only line."""
    first = next((line for line in stream if line.strip(_BLANK)), "")
    try:
        value = json.loads(first.strip(_BLANK))
    except (json.JSONDecodeError, RecursionError):
        return False
    if not isinstance(value, dict):
        return False
    following = next((line for line in stream if line.strip(_BLANK)), "")
    return following.lstrip(_BLANK).startswith("{") or not any(map(_is_list, value.values()))


def _is_list(value: Any) -> bool:
    """Whether a value is, or holds, a list of objects."""
    if isinstance(value, dict):
        return any(map(_is_list, value.values()))
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _of_lines(
    config: SourceConfig, file: SourceFile, stream: TextIOBase, report: Report
) -> Iterator[Found]:
    count = broken = 0
    for number, line in enumerate(stream, 1):
        line = line.strip(_BLANK)
        if not line:
            continue
        count += 1
        position = f"{file.name}|{number}"
        try:
            value = _DECODER.decode(line)
        except (json.JSONDecodeError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield Found(position, flatten(value, config.lists))
        else:
            broken += 1
            yield Found(position, {BROKEN: line}, "this line is no JSON object")
    if count > 10 and broken > count / 2:
        raise SourceLayout(
            file.name,
            "most lines are no JSON objects",
            found=f"{broken:,} of {count:,}",
            do="Export one record a line, or a list of records.",
        )


# -- documents


def _of_document(
    config: SourceConfig, file: SourceFile, stream: TextIOBase, report: Report
) -> Iterator[Found]:
    document = _Document(stream, file.name)
    if config.record:
        for part in config.record.split("."):
            document.enter(part, config)
    elif document.peek() == "{" and not document.enter_list():
        stream.seek(0)
        document = _Document(stream, file.name)  # one object is one record
    elif document.peek() == "":
        raise SourceEmpty(file.name, "the file is empty", do="Export it again.")
    there = 0
    for number, value in enumerate(document.values(), 1):
        if isinstance(value, dict):
            there += 1
            yield Found(f"{file.name}|{number}", flatten(value, config.lists))
        else:
            report.skip(file.name, "value that is no object")
    if config.count:
        stream.seek(0)
        said = _Document(stream, file.name).at(config.count.split("."))
        files.compare_count(config, report, file.name, said, there)


class _Document:
    """A JSON text, read value by value."""

    def __init__(self, stream: TextIOBase, where: str) -> None:
        self._stream, self._where = stream, where
        self._text, self._at, self._done, self._ended = "", 0, 0, False

    def peek(self) -> str:
        """The next character that is no blank; '' at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def value(self) -> Any:
        """The next value."""
        if self.peek() == "":
            raise self._cut()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (json.JSONDecodeError, RecursionError) as error:
                if isinstance(error, json.JSONDecodeError) and self._more():
                    continue
                raise self._cut(error) from error
            # A number at the end of what is there may go on.
            if end == len(self._text) and self._more():
                continue
            self._at = end
            return value

    def values(self) -> Iterator[Any]:
        """The values of the list that comes next, or the one value."""
        if self.peek() != "[":
            yield self.value()
            return
        for _ in self._items("[", "]"):
            yield self.value()

    def at(self, path: list[str]) -> str | None:
        """The text of the value of a path of names; None if nothing stands there."""
        for name in path:
            if self.peek() != "{":
                return None
            for key in self._keys():
                if key == name:
                    break
                self._skip()
            else:
                return None
        value = self.value() if self.peek() not in ("{", "[") else None
        return None if value is None else str(value)

    def _skip(self) -> None:
        """Go behind the next value, keeping no more of it than one item."""
        if self.peek() == "[":
            for _ in self._items("[", "]"):
                self._skip() if self.peek() == "[" else self.value()
        elif self.peek() == "{":
            for _ in self._keys():
                self._skip()
        else:
            self.value()

    def enter(self, name: str, config: SourceConfig) -> None:
        """Go to the value of a name in the object that comes next."""
        if self.peek() == "{":
            for key in self._keys():
                if key == name:
                    return
                self.value()
        raise SourceLayout(
            self._where,
            f"there is no '{name}' of record '{config.record}'",
            do=f"Mend 'record' in {config.file}.",
        )

    def enter_list(self) -> bool:
        """Go to the first list of objects in the object that comes next; whether there is one."""
        for _ in self._keys():
            if self.peek() == "{":
                if self.enter_list():
                    return True
            elif self.peek() == "[" and self._holds_objects():
                return True
            else:
                self.value()
        return False

    def _holds_objects(self) -> bool:
        at = self._at
        while True:
            rest = self._text[at + 1 : at + 1 + _BLOCK].lstrip(_BLANK)
            if rest or not self._more():
                return rest.startswith("{")
            at = self._at

    def _keys(self) -> Iterator[str]:
        for _ in self._items("{", "}"):
            key = self.value()
            if self.peek() != ":":
                raise self._cut()
            self._at += 1
            yield str(key)

    def _items(self, first: str, last: str) -> Iterator[None]:
        """Once for every item between two brackets, which the caller takes."""
        if self.peek() != first:
            raise self._cut()
        self._at += 1
        if self.peek() == last:
            self._at += 1
            return
        while True:
            yield
            sign = self.peek()
            self._at += 1
            if sign == last:
                return
            if sign != ",":
                raise self._cut()

    def _more(self) -> bool:
        """Read on; False at the end."""
        if self._ended or len(self._text) - self._at > _LONGEST:
            return False
        block = self._stream.read(max(_BLOCK, len(self._text) - self._at))
        self._ended = not block
        self._done += self._at
        self._text, self._at = self._text[self._at :] + block, 0
        return bool(block)

    def _cut(self, error: Exception | None = None) -> SourceLayout:
        """What to raise where something else stands than must, or nothing."""
        at = self._at
        if isinstance(error, json.JSONDecodeError):
            at = len(self._text) if error.msg.startswith("Unterminated") else error.pos
        if self._ended and at >= len(self._text):
            what, found = "the document ends before it is complete", "the end after"
        else:
            what, found = "this is no JSON", "something else after"
        return SourceLayout(
            self._where,
            what,
            found=f"{found} {self._done + at:,} characters",
            do="Copy or export it again.",
        )

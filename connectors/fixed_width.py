"""Fixed width: records whose fields are byte ranges, as a layout file says.

What belongs here: cutting bytes and decoding each field on its own. Bytes are
cut first and decoded after: cutting characters garbles every line that holds a
two-byte one. Positions are ``file|byte offset`` of the record, from 0.
"""

import codecs
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connectors import files, mapping
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.reading import Reading, Report, Row, Since
from onefold.errors import OnefoldError, SourceEncoding, SourceLayout, SourceMissing

_BLOCK = 1 << 20
_DOS_END = b"\x1a"
_LONGEST_CHARACTER = 4


class LayoutField(BaseModel):
    """One field of a record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    start: int = Field(ge=0)
    """Offset of its first byte, from 0."""
    width: int = Field(gt=0)
    """Bytes."""
    values: dict[str, str] = {}
    """Value in the file → value of the canonical model."""
    format: str | None = None
    """How a date is written, such as YYMMDD."""
    missing: str | None = None
    """What stands where there is no value, besides pad."""
    description: str = ""


class CountField(BaseModel):
    """Where a header or trailer says how many records there are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: int = Field(ge=0)
    """Offset of its first byte, from 0."""
    width: int = Field(gt=0)
    """Bytes."""
    includes: int = Field(default=0, ge=0)
    """How many lines that are no records it counts too: 2 with header and trailer."""


class Mark(BaseModel):
    """A line that is no record: header or trailer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    starts: str = Field(min_length=1)
    """What it begins with, and no record does."""
    count: CountField | None = None
    """Where it says how many records there are; compared with those that are there."""


class Layout(BaseModel):
    """A layout file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[LayoutField, ...] = Field(min_length=1)
    encoding: str = "utf-8"
    record_length: int | None = Field(default=None, gt=0)
    """Bytes of a record without its newline; default: the end of the last field."""
    newline: str = "\n"
    """What stands between records; '' if nothing does."""
    pad: str = " "
    """What fills a field up."""
    trimmed: bool = False
    """Whether lines may lack the pad at their end."""
    header: Mark | None = None
    """The line before the records, if there is one."""
    trailer: Mark | None = None
    """The line after them."""
    key: tuple[str, ...] = ()
    """Fields that identify a record, if the source's YAML names none."""
    file: str | None = None
    """Name of the file that it describes; for people."""

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("encoding")
    @classmethod
    def _exists(cls, value: str) -> str:
        try:
            codecs.lookup(value)
        except LookupError:
            raise ValueError(f"there is no encoding '{value}'") from None
        return {"gb2312": "gb18030", "gbk": "gb18030"}.get(codecs.lookup(value).name, value)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [field.name for field in self.fields]
        if len(set(names)) < len(names):
            raise ValueError("two fields have one name")
        end = max(field.start + field.width for field in self.fields)
        if self.record_length is not None and end > self.record_length:
            raise ValueError(f"a field ends at byte {end}, after record_length")
        for name in self.key:
            if name not in names:
                raise ValueError(f"the key '{name}' is no field")
        return self

    @property
    def length(self) -> int:
        """Bytes of a record."""
        return self.record_length or max(field.start + field.width for field in self.fields)


def load_layout(path: Path) -> Layout:
    """Read a layout file.

    Raises:
        SourceMissing: it is not there.
        SourceLayout: it is no YAML, or wrong; names the field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SourceMissing(
            str(path), "the layout file is not there", do="Mend 'layout' in the source's YAML."
        ) from error
    try:
        # Every scalar stays text: a code 0 and a missing 000000 are no numbers.
        data = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
        return Layout.model_validate(data)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise SourceLayout(f"{path.name}{line}", "this is not YAML", do="Mend the line.") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise SourceLayout(
            f"{path.name}, {field}" if field else path.name, message, do="Mend the layout."
        ) from None


def with_layout(config: SourceConfig) -> SourceConfig:
    """Add what the layout says about values and date formats to the source's settings.

    What the YAML declares for an input field stays. A layout that cannot be read
    changes nothing here: reading the source will say so.
    """
    try:
        layout = load_layout(Path(config.layout or ""))
        mapped = mapping.resolve(config, [field.name for field in layout.fields])
    except OnefoldError:
        return config
    by_name = {field.name: field for field in layout.fields}
    values = {field: dict(given) for field, given in config.values.items()}
    formats = dict(config.formats)
    for target, columns in mapped.items():
        for field in (by_name[column] for column in columns):
            known = dict(field.values)
            if field.missing is not None:
                known[field.missing] = ""
            if known:
                values[target] = {**known, **values.get(target, {})}
            if field.format:
                formats.setdefault(target, (field.format,))
    return config.model_copy(update={"values": values, "formats": formats})


@contextmanager
def read(config: SourceConfig, since: Since | None = None) -> Iterator[Reading]:
    """Open fixed-width files.

    Raises:
        SourceMissing: no file, or no layout.
        SourceLayout: the layout is wrong, or most lines do not fit it.
        SourceHeld: header or trailer counts another number of records.
    """
    layout = load_layout(Path(config.layout or ""))
    if config.encoding:
        try:
            layout = Layout.model_validate({**layout.model_dump(), "encoding": config.encoding})
        except ValidationError as error:
            message = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise SourceEncoding(f"{config.file}, encoding", message, do="Mend it.") from None
    report = Report()
    found = files.find(config, since)
    rows = itertools.chain.from_iterable(_rows(config, file, layout, report) for file in found)
    columns = [field.name for field in layout.fields]
    yield Reading(columns, rows, report, files.named(found), layout.key)


def _rows(config: SourceConfig, file: SourceFile, layout: Layout, report: Report) -> Iterator[Row]:
    length, wrong, rows = layout.length, 0, 0
    marks = _Marks(layout)
    with files.opened(file):
        for offset, line in _lines(file.path, layout):
            if not line.strip(b" \0\t") or line == _DOS_END:
                report.skip(file.name, "empty row")
                continue
            mark = marks.of(line)
            if mark:
                report.skip(file.name, mark)
                continue
            problem = None
            if len(line) < length and not layout.trimmed:
                problem = f"truncated line: {len(line)} of {length} bytes"
            elif len(line) > length:
                problem = f"overlong line: {len(line)} of {length} bytes"
            rows += 1
            wrong += problem is not None
            values = [_field(line, field, layout, file.name, report) for field in layout.fields]
            if len(line) > length:
                # Nothing is dropped: what stands behind the record goes to its last field.
                rest = line[length:].decode(layout.encoding, "replace").rstrip(layout.pad)
                values[-1] = ((values[-1] or "") + rest) or None
            yield Row(f"{file.name}|{offset}", values, problem)
    if rows > 10 and wrong > rows / 2:
        raise SourceLayout(
            file.name,
            f"most lines are not {length} bytes long",
            found=f"{wrong} of {rows}",
            do="Mend record_length or newline in the layout; if lines lack their pad, "
            "write 'trimmed: true'.",
        )
    marks.compare(config, file, report, rows)


class _Marks:
    """Header and trailer of one file."""

    def __init__(self, layout: Layout) -> None:
        named = {"header": layout.header, "trailer": layout.trailer}
        self._marks = {name: mark for name, mark in named.items() if mark}
        self._starts = {
            name: mark.starts.encode(layout.encoding) for name, mark in self._marks.items()
        }
        self._encoding = layout.encoding
        self._said: dict[str, list[str]] = {name: [] for name in self._marks}

    def of(self, line: bytes) -> str | None:
        """Whether a line is header or trailer; remembers what it counts."""
        for name, start in self._starts.items():
            if line.startswith(start):
                count = self._marks[name].count
                if count:
                    cut = line[count.start : count.start + count.width]
                    self._said[name].append(cut.decode(self._encoding, "replace").strip())
                return name
        return None

    def compare(self, config: SourceConfig, file: SourceFile, report: Report, rows: int) -> None:
        """Compare what they count with the records that are there.

        Raises:
            SourceHeld: they differ, or what must count is not there.
        """
        for name, mark in self._marks.items():
            if mark.count is None:
                continue
            said = self._said[name]
            if len(said) != 1:
                files.hold_count(
                    config, report, file.name, f"one {name} with the number of records",
                    f"{len(said)} of them",
                )  # fmt: skip
            elif not said[0].isdigit() or int(said[0]) - mark.count.includes != rows:
                number = (
                    f"{int(said[0]) - mark.count.includes:,}"
                    if said[0].isdigit()
                    else "no number of"
                )
                files.hold_count(
                    config, report, file.name, f"{number} records by its {name}", f"{rows:,}"
                )


def _lines(path: Path, layout: Layout) -> Iterator[tuple[int, bytes]]:
    """Every record with its offset, without its newline."""
    offset = 0
    with path.open("rb") as stream:
        mark = stream.read(len(codecs.BOM_UTF8))
        if mark == codecs.BOM_UTF8:
            offset = len(mark)
        else:
            stream.seek(0)
        if not layout.newline:
            while record := stream.read(layout.length):
                yield offset, record
                offset += len(record)
            return
        newline = layout.newline.encode(layout.encoding)
        for line in _split(stream.read, newline):
            body = line.removesuffix(newline)
            if newline in (b"\r\n", b"\n"):
                body = body.removesuffix(b"\n").removesuffix(b"\r")
            yield offset, body
            offset += len(line)


def _split(read_block: Callable[[int], bytes], newline: bytes) -> Iterator[bytes]:
    """Pieces that end with the newline; CRLF files may have bare LFs and the other way round."""
    end = b"\n" if newline == b"\r\n" else newline
    rest = b""
    while block := read_block(_BLOCK):
        *whole, rest = (rest + block).split(end)
        yield from (piece + end for piece in whole)
    if rest:
        yield rest


def _field(
    line: bytes, field: LayoutField, layout: Layout, where: str, report: Report
) -> str | None:
    cut = line[field.start : field.start + field.width]
    try:
        text = cut.decode(layout.encoding)
    except UnicodeDecodeError:
        text = _decoded(cut, field, layout.encoding, where, report)
    return text.strip("\0").rstrip(layout.pad + "\0").lstrip(layout.pad) or None


def _decoded(cut: bytes, field: LayoutField, encoding: str, where: str, report: Report) -> str:
    """A field that ends in the middle of a character loses that character's first bytes."""
    for stray in range(1, min(_LONGEST_CHARACTER, len(cut))):
        try:
            text = cut[:-stray].decode(encoding)
        except UnicodeDecodeError:
            continue
        report.note(f"{where}: {field.name} cut in the middle of a character")
        return text
    report.note(f"{where}: {field.name} holds bytes that are not {encoding}")
    return cut.decode(encoding, "replace")

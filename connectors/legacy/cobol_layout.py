"""The layout of a COBOL file: copybook, code page, how records follow each other, their kinds.

What belongs here: the layout file, and what of it contradicts the copybook. A copybook alone
is a layout too: records of one kind and one length, in code page 037.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connectors.legacy import code_pages, copybook
from connectors.legacy.cobol_records import Record
from connectors.legacy.code_pages import CodePage
from connectors.legacy.copybook import Item
from onefold.errors import SourceError, SourceLayout, SourceMissing

COPYBOOKS = frozenset({".cpy", ".cbl", ".cob", ".copy"})
_PAGE, _CHINESE = "cp037", "IBM1388"
_LOOKED_AT = 1 << 20
_SHIFTED = re.compile(rb"\x0e((?:[\x41-\xfe]{2})+)\x0f")


class Kind(BaseModel):
    """One kind of record of a file that has several."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    record: str
    """The record (level 01) of the copybook."""
    part_of: str | None = None
    """The kind whose row it belongs to: the last one before it."""
    role: Literal["data", "header", "trailer"] = "data"
    """header, trailer: no record of a customer."""
    count: str | None = None
    """header, trailer: the item that says how many records there are."""
    counts: tuple[str, ...] = ()
    """The kinds that it counts; default: all data."""

    @field_validator("counts", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Segments(BaseModel):
    """The kinds of records of a file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: str
    """The item that says which kind a record is, at one place in all of them."""
    kinds: dict[str, Kind] = Field(min_length=1)
    """Its value → the kind."""


class CobolLayout(BaseModel):
    """A layout file of a COBOL source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    copybook: str
    """The copybook, relative to the layout file."""
    record: str | None = None
    """The record (level 01) to read, if the copybook has several."""
    encoding: str = _PAGE
    """Code page of the texts."""
    records: Literal["fixed", "rdw", "bdw", "lines"] = "fixed"
    """How records follow each other: of one length; each with its length before it (RDW); in
    blocks with theirs (BDW); one a line."""
    record_length: int | None = Field(default=None, gt=0)
    """Bytes of a record of one length; default: as the copybook says."""
    byte_order: Literal["big", "little"] = "big"
    """Of binary numbers; big: as mainframes have it."""
    trimmed: bool = False
    """Whether records may lack items at their end."""
    when: dict[str, dict[str, tuple[str, ...]]] = {}
    """Item → other item → its values under which the first one is there."""
    segments: Segments | None = None
    """Several kinds of records in one file."""
    key: tuple[str, ...] = ()
    """Columns that identify a record, if the source's YAML names none."""
    file: str | None = None
    """Name of the file that it describes; for people."""

    @field_validator("key", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("when", mode="before")
    @classmethod
    def _one_or_many_each(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {
            str(item).upper(): {
                str(name).upper(): (values,) if isinstance(values, str) else values
                for name, values in (fields.items() if isinstance(fields, dict) else ())
            }
            for item, fields in value.items()
        }

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.record and self.segments:
            raise ValueError("'record' and 'segments' exclude each other")
        if self.segments:
            for value, kind in self.segments.kinds.items():
                other = self.segments.kinds.get(kind.part_of or value)
                whole = other is not None and other.role == "data" and not other.part_of
                if kind.part_of and not whole:
                    raise ValueError(f"'{kind.part_of}' is no kind that others are part of")
                if kind.count and kind.role == "data":
                    raise ValueError("'count' stands in a header or trailer")
                if missing := set(kind.counts) - self.segments.kinds.keys():
                    raise ValueError(f"'{min(missing)}' under 'counts' is no kind")
        return self


@dataclass(frozen=True)
class Described:
    """A layout with its copybook.

    Attributes:
        layout: the layout file.
        page: its code page.
        records: kind → its record; the kind is '' where there is one only.
        length: bytes of a record of one length; 0 where records say theirs.
    """

    layout: CobolLayout
    page: CodePage
    records: Mapping[str, Record]
    length: int

    @property
    def columns(self) -> list[str]:
        """All columns of the records that are data."""
        return list(
            dict.fromkeys(
                column
                for value, record in self.records.items()
                if self.kind(value) is None or self.kind(value).role == "data"  # type: ignore[union-attr]
                for column in record.columns
            )
        )

    def kind(self, value: str) -> Kind | None:
        """What the layout says about a kind of records."""
        return self.layout.segments.kinds[value] if self.layout.segments else None


def is_layout(path: Path) -> bool:
    """Whether a file can be the layout of a COBOL file."""
    if path.suffix.casefold() in COPYBOOKS:
        return True
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False
    return isinstance(data, dict) and "copybook" in data


def likely_page(file: Path, layout: Path) -> str | None:
    """The code page of a file of which there is a copybook only; None for the usual one.

    In EBCDIC a blank is 40, in ASCII 20; Chinese stands between shift-out and shift-in.
    """
    if layout.suffix.casefold() not in COPYBOOKS:
        return None
    with file.open("rb") as stream:
        head = stream.read(_LOOKED_AT)
    if head.count(b"\x20") > head.count(b"\x40"):
        return "gb18030"  # as ASCII, and more
    shifted = _SHIFTED.findall(head)
    page = code_pages.load(_CHINESE) if shifted else None
    if page and all("\ufffd" not in page.decode_double(part) for part in shifted[:-1]):
        return _CHINESE
    return None


def copybook_of(path: Path) -> Path | None:
    """The copybook of a layout, as far as the layout can be read."""
    if path.suffix.casefold() in COPYBOOKS:
        return path
    try:
        return path.parent / _read(path).copybook
    except SourceError:
        return None


def file_of(path: Path) -> str | None:
    """The file that a layout says it describes, as far as the layout can be read."""
    try:
        return _read(path).file
    except SourceError:
        return None


def load(path: Path, encoding: str | None = None) -> Described:
    """Read a layout file, or a copybook.

    Args:
        encoding: the code page of the source's YAML; wins over the layout's.

    Raises:
        SourceMissing: it is not there.
        SourceLayout: it is wrong, or contradicts the copybook; names the field.
        SourceEncoding: there is no such code page.
    """
    if path.suffix.casefold() in COPYBOOKS:
        layout, book = CobolLayout(copybook=path.name), path
    else:
        layout = _read(path)
        book = path.parent / layout.copybook
    page = code_pages.load(encoding or layout.encoding)
    roots = copybook.load(book)
    if layout.segments:
        wanted = {
            value: _root(roots, kind.record, book.name)
            for value, kind in layout.segments.kinds.items()
        }
    else:
        wanted = {"": _root(roots, layout.record, book.name)}
    made = {
        value: Record(root, page, _whens(layout, root), layout.byte_order == "little", path.name)
        for value, root in wanted.items()
    }
    _check(layout, made, path.name)
    length = 0
    if layout.records == "fixed":
        length = layout.record_length or max(record.size for record in made.values())
        if any(record.size > length for record in made.values() if record.has_fixed_size):
            raise SourceLayout(
                f"{path.name}, record_length",
                "the record of the copybook is longer",
                found=f"{max(record.size for record in made.values())} bytes",
                do="Mend one of them.",
            )
    return Described(layout, page, made, length)


def _read(path: Path) -> CobolLayout:
    try:
        text = path.read_text(encoding="utf-8")
        # Every scalar stays text: a code 0 and a 007 are no numbers.
        return CobolLayout.model_validate(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506
    except OSError as error:
        raise SourceMissing(
            str(path), "the layout file is not there", do="Mend 'layout' in the source's YAML."
        ) from error
    except yaml.YAMLError as error:
        raise SourceLayout(path.name, "this is not YAML", do="Mend the layout.") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise SourceLayout(
            f"{path.name}, {field}" if field else path.name, message, do="Mend the layout."
        ) from None


def _root(roots: list[Item], name: str | None, where: str) -> Item:
    """The record of a name; without one the only one."""
    if name is None and len(roots) == 1:
        return roots[0]
    for root in roots:
        if name is not None and root.name == name.upper():
            return root
    what = f"the copybook has no record '{name}'" if name else "the copybook has several records"
    raise SourceLayout(
        where,
        what,
        found=", ".join(root.name for root in roots),
        do="Name one as 'record' in the layout, or all of them under 'segments'.",
    )


def _whens(layout: CobolLayout, root: Item) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The conditions that are about one record; all of them where there is one only."""
    if not layout.segments:
        return layout.when
    own = {item.name for item in root.walk()}
    return {name: fields for name, fields in layout.when.items() if name in own}


def _check(layout: CobolLayout, records: Mapping[str, Record], where: str) -> None:
    """Refuse segments that the copybook does not have so."""
    if not layout.segments:
        return
    by = layout.segments.by.upper()
    places = set()
    for record in records.values():
        field = record.field(by)
        if field is None:
            raise SourceLayout(
                f"{where}, segments.by",
                f"{record.root.name} has no item {by}",
                do="Mend the layout.",
            )
        places.add((field.start, field.end))
    if len(places) > 1:
        raise SourceLayout(
            f"{where}, segments.by", f"{by} does not stand at one place in all records",
            do="Choose another item.",
        )  # fmt: skip
    for value, kind in layout.segments.kinds.items():
        if kind.count and records[value].field(kind.count.upper()) is None:
            raise SourceLayout(
                f"{where}, segments.kinds.{value}.count",
                f"{kind.record} has no item {kind.count}",
                do="Mend the layout.",
            )

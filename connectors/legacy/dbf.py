"""DBF files: dBase, FoxPro, Visual FoxPro, Clipper, with their memo files.

What belongs here: which rows a file has, whether they are all there, and which
encoding its texts are in. The bytes of the format stand in dbf_table.py.
Positions are ``file|record``, records counted from 1, deleted ones too, as FoxPro does.

The header says how many records there are; a file with more or fewer of them is
held back. The header also names a code page, which many Chinese programs leave
at 0 or at western: where the texts are plainly UTF-8 or Chinese, they win.
"""

import codecs
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from connectors import encoding, files, tables
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.legacy import dbf_table
from connectors.legacy.dbf_table import Field, Header, Memos
from connectors.reading import Reading, Report, Since, batch, text
from onefold.errors import SourceMissing

SUFFIXES = frozenset({".dbf"})
MEMO_SUFFIXES = (".fpt", ".dbt")
_BATCH = 4 << 20
_DELETED, _END = 0x2A, 0x1A
_WESTERN = frozenset({"cp437", "cp850", "cp1252", "mac_roman"})


@dataclass(frozen=True)
class _Table:
    """One file, ready to be read."""

    file: SourceFile
    header: Header
    encoding: str
    columns: tuple[str, ...]
    memos: Memos | None


@contextmanager
def read(config: SourceConfig, since: Since | None = None) -> Iterator[Reading]:
    """Open DBF files; several give the union of their columns.

    Raises:
        SourceMissing: no file, or a memo file is not there.
        SourceLayout: a file is no DBF file.
        SourceHeld: a file has more or fewer records than its header says.
        SourceEncoding: the declared encoding does not exist, or the texts are in none.
    """
    report = Report()
    found = [_opened(config, file, report) for file in files.find(config, since)]
    columns = list(dict.fromkeys(name for table in found for name in table.columns))
    rows = itertools.chain.from_iterable(_rows(table, columns, report) for table in found)
    yield Reading(columns, rows, report, files.named([table.file for table in found]))


def _opened(config: SourceConfig, file: SourceFile, report: Report) -> _Table:
    with files.opened(file), file.path.open("rb") as stream:
        header = dbf_table.read_header(stream, file.name)
        _count(config, file, header, report)
        memos = _memos(config, file, header, report)
        name = _encoding(config, file, header, memos, report)
    names = [field.name.decode(name, "replace").strip() for field in header.fields]
    return _Table(file, header, name, tuple(tables.unique(names)), memos)


def _count(config: SourceConfig, file: SourceFile, header: Header, report: Report) -> None:
    """Compare the records of the file with what its header says.

    Raises:
        SourceHeld: they differ, and the source does not say that they may.
    """
    size = file.path.stat().st_size
    there, rest = divmod(max(size - header.start, 0), header.length)
    with file.path.open("rb") as stream:
        stream.seek(header.start + header.records * header.length)
        after = stream.read(1)
    if there < header.records:
        found = f"{there} whole records and {rest} bytes"
    elif there > header.records and after in (b" ", b"*"):
        found = f"{there} records"
    else:
        return
    files.hold_count(config, report, file.name, f"{header.records} records by its header", found)


def _memos(config: SourceConfig, file: SourceFile, header: Header, report: Report) -> Memos | None:
    """The memo file of a table; None if it needs none."""
    if not any(field.kind in dbf_table.MEMO_KINDS for field in header.fields):
        return None
    path = next((one for one in file.beside if one.suffix.casefold() in MEMO_SUFFIXES), None)
    if path:
        return Memos(path, header)
    if config.memos:
        raise SourceMissing(
            file.name,
            "its memo file is not there",
            found=f"no {file.path.stem}{' or '.join(MEMO_SUFFIXES)}",
            do=f"Put it beside the table, or write 'memos: false' in {config.file} to do without.",
        )
    report.note(f"{file.name}: read without its memo file")
    return None


# -- encoding


def _encoding(
    config: SourceConfig, file: SourceFile, header: Header, memos: Memos | None, report: Report
) -> str:
    """The encoding of the texts: declared, by a .cpg file, by what they are, by the header."""
    declared = config.encoding or _sidecar(file)
    said = dbf_table.CODE_PAGES.get(header.language)
    with tempfile.NamedTemporaryFile(prefix="onefold-") as texts:
        texts.writelines(field.name + b"\n" for field in header.fields)
        for block in _blocks(file, header):
            texts.writelines(part + b"\n" for part in _texts(block, header, memos))
        texts.flush()
        if declared or said is None:
            found = encoding.detect(
                Path(texts.name), file.name, declared=declared, country=config.country
            )
        else:
            found = encoding.confirmed(Path(texts.name), file.name, said, country=config.country)
    name = found.name.removesuffix("-sig")
    if found.how in ("characters", "chardet") or (said and said != name and not declared):
        report.note(f"{file.name}: encoding found to be {name}")
    return name


def _sidecar(file: SourceFile) -> str | None:
    """The encoding in the .cpg file beside a table."""
    for path in file.beside:
        if path.suffix.casefold() != ".cpg":
            continue
        said = path.read_text("latin-1").strip().casefold().removeprefix("ansi ").strip()
        for name in (said, f"cp{said}"):
            try:
                return codecs.lookup(name).name
            except LookupError:
                continue
    return None


def _texts(block: "_Block", header: Header, memos: Memos | None) -> Iterator[bytes]:
    """The bytes that are text, those of a field on lines of their own.

    A text that fills its field to the end may be cut in the middle of a character, which says
    nothing about the encoding: it is left out.
    """
    for field in header.fields:
        if field.kind in "CV":
            texts = (cut.rstrip(b" ") for cut in block.texts(field))
            yield b"\n".join(cut for cut in texts if len(cut) < field.length)
        elif field.kind in dbf_table.MEMO_KINDS and memos:
            numbers = map(dbf_table.memo_number, block.cuts(field))
            yield b"\n".join(memos.read(number) or b"" for number in numbers if number)


# -- rows


class _Block:
    """Some records, one after the other.

    Args:
        data: whole records.
        length: bytes of one.
    """

    def __init__(self, data: bytes, length: int) -> None:
        self._bytes = np.frombuffer(data, np.uint8).reshape(-1, length)
        self.rows = len(self._bytes)
        self.is_live = self._bytes[:, 0] != _DELETED

    def cuts(self, field: Field) -> list[bytes]:
        """The bytes of a field, in every record."""
        width = field.length
        data = self._bytes[:, field.start : field.start + width].tobytes()
        return [data[at : at + width] for at in range(0, len(data), width)]

    def texts(self, field: Field) -> list[bytes]:
        """The same without the NULs at their ends."""
        part = np.ascontiguousarray(self._bytes[:, field.start : field.start + field.length])
        return part.view(f"S{field.length}").ravel().tolist()


def _blocks(file: SourceFile, header: Header) -> Iterator[_Block]:
    """The records in blocks, deleted ones too, as many as the header says at most."""
    left, size = header.records, header.length
    at_once = max(_BATCH // size, 1)
    with file.path.open("rb") as stream:
        stream.seek(header.start)
        while left:
            data = stream.read(min(left, at_once) * size)
            block = _Block(data[: len(data) - len(data) % size], size)
            if not block.rows:
                return
            yield block
            left -= block.rows


def _rows(table: _Table, columns: list[str], report: Report) -> Iterator[pa.RecordBatch]:
    name, header = table.file.name, table.header
    place = {column: i for i, column in enumerate(table.columns)}
    for field in header.fields:
        if field.kind in dbf_table.RAW_KINDS:
            report.note(f"{name}: {field.name.decode(table.encoding, 'replace')} is not text")
    number = 1
    with files.opened(table.file):
        for block in _blocks(table.file, header):
            cells = [_column(table, field, block, report) for field in header.fields]
            filled = np.zeros(block.rows, bool)
            for cell in cells:
                filled |= cell.is_valid().to_numpy(zero_copy_only=False)
            report.skip(name, "deleted row", int((~block.is_live).sum()))
            report.skip(name, "empty row", int((block.is_live & ~filled).sum()))
            kept = np.flatnonzero(block.is_live & filled)
            none = pa.nulls(block.rows, pa.string())
            ordered = [cells[place[c]] if c in place else none for c in columns]
            position = text(f"{name}|{number + row}" for row in kept.tolist())
            yield batch(position, [cell.take(pa.array(kept)) for cell in ordered])
            number += block.rows


def _column(table: _Table, field: Field, block: _Block, report: Report) -> pa.Array:
    """One field of many records as text."""
    if field.kind in dbf_table.RAW_KINDS:
        return pa.nulls(block.rows, pa.string())
    flags = block.cuts(table.header.flags) if table.header.flags else []
    if field.kind in "CV":
        cuts = block.texts(field)
        if flags and field.short_bit is not None:
            short = dbf_table.bits(flags, field.short_bit)
            whole = block.cuts(field)
            cuts = [
                full[: full[-1]] if is_short else cut
                for cut, full, is_short in zip(cuts, whole, short, strict=True)
            ]
        values = _decoded(table, field, cuts, report)
    elif field.kind in dbf_table.MEMO_KINDS:
        values = _memo_column(table, block, block.cuts(field), report)
    else:
        values = list(map(dbf_table.text_of(field.kind), block.cuts(field)))
    if flags and field.null_bit is not None:
        null = dbf_table.bits(flags, field.null_bit)
        values = [None if is_null else value for value, is_null in zip(values, null, strict=True)]
    return text(values)


def _decoded(table: _Table, field: Field, cuts: list[bytes], report: Report) -> list[str | None]:
    """Texts of one field, without the blanks at their ends; half a character at the end is
    dropped."""
    # One decoding for all: no encoding of DBF files has the byte of a newline in a character.
    parts = b"\n".join(cuts).decode(table.encoding, "replace").split("\n")
    if len(parts) != len(cuts):
        parts = [cut.decode(table.encoding, "replace") for cut in cuts]
    values: list[str | None] = [part.rstrip(" ") or None for part in parts]
    if any("\ufffd" in part for part in parts):
        where = f"{table.file.name}: {field.name.decode(table.encoding, 'replace')}"
        for i, part in enumerate(parts):
            if len(cuts[i]) == field.length and part.endswith("\ufffd"):
                values[i] = part = part.rstrip("\ufffd") or None  # type: ignore[assignment]
                report.note(f"{where} cut in the middle of a character")
            if part and "\ufffd" in part:
                report.note(f"{where} holds bytes that are not {table.encoding}")
    return values


def _memo_column(
    table: _Table, block: _Block, cuts: list[bytes], report: Report
) -> list[str | None]:
    values: list[str | None] = []
    for is_live, cut in zip(block.is_live.tolist(), cuts, strict=True):
        number = dbf_table.memo_number(cut)
        memo = table.memos.read(number) if table.memos and number else None
        if memo is None and number and table.memos and is_live:
            report.note(f"{table.file.name}: memos that are not in the memo file")
        values.append(
            memo.rstrip(b" \0").decode(table.encoding, "replace") or None if memo else None
        )
    return values

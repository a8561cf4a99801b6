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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connectors import encoding, files, tables
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.legacy import dbf_table
from connectors.legacy.dbf_table import Field, Header, Memos
from connectors.reading import Reading, Report, Row, Since
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
            for text in _texts(block, header, memos):
                texts.write(text + b"\n")
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
        text = path.read_text("latin-1").strip().casefold().removeprefix("ansi ").strip()
        for name in (text, f"cp{text}"):
            try:
                return codecs.lookup(name).name
            except LookupError:
                continue
    return None


def _texts(block: list[bytes], header: Header, memos: Memos | None) -> Iterator[bytes]:
    """All bytes that are text."""
    for field in header.fields:
        if field.kind in "CV":
            end = field.start + field.length
            yield from (record[field.start : end].rstrip(b" \0") for record in block)
        elif field.kind in dbf_table.MEMO_KINDS and memos:
            for record in block:
                yield memos.read(dbf_table.memo_number(_cut(record, field))) or b""


def _cut(record: bytes, field: Field) -> bytes:
    return record[field.start : field.start + field.length]


# -- rows


def _blocks(file: SourceFile, header: Header) -> Iterator[list[bytes]]:
    """The records in blocks, deleted ones too, as many as the header says at most."""
    left, size = header.records, header.length
    at_once = max(_BATCH // size, 1)
    with file.path.open("rb") as stream:
        stream.seek(header.start)
        while left:
            data = stream.read(min(left, at_once) * size)
            block = [data[at : at + size] for at in range(0, len(data) - size + 1, size)]
            if not block:
                return
            yield block
            left -= len(block)


def _rows(table: _Table, columns: list[str], report: Report) -> Iterator[Row]:
    name, header = table.file.name, table.header
    place = {column: i for i, column in enumerate(table.columns)}
    for field in header.fields:
        if field.kind in dbf_table.RAW_KINDS:
            report.note(f"{name}: {field.name.decode(table.encoding, 'replace')} is not text")
    number = 0
    with files.opened(table.file):
        for block in _blocks(table.file, header):
            cells = [_column(table, field, block, report) for field in header.fields]
            none: list[str | None] = [None] * len(block)
            ordered = [cells[place[c]] if c in place else none for c in columns]
            for record, values in zip(block, zip(*ordered, strict=True), strict=True):
                number += 1
                if record[0] == _DELETED:
                    report.skip(name, "deleted row")
                elif not any(values):
                    report.skip(name, "empty row")
                else:
                    yield Row(f"{name}|{number}", values)


def _column(table: _Table, field: Field, block: list[bytes], report: Report) -> list[str | None]:
    """One field of many records as text."""
    start, end = field.start, field.start + field.length
    cuts = [record[start:end] for record in block]
    if field.kind in dbf_table.RAW_KINDS:
        return [None] * len(cuts)
    flags = [_cut(record, table.header.flags) for record in block] if table.header.flags else []
    if flags and field.short_bit is not None:
        short = dbf_table.bits(flags, field.short_bit)
        cuts = [
            cut[: cut[-1]] if is_short else cut for cut, is_short in zip(cuts, short, strict=True)
        ]
    if field.kind in dbf_table.MEMO_KINDS:
        values = _memo_column(table, field, block, cuts, report)
    else:
        values = list(map(dbf_table.text_of(field.kind, table.encoding), cuts))
    if flags and field.null_bit is not None:
        null = dbf_table.bits(flags, field.null_bit)
        values = [None if is_null else value for value, is_null in zip(values, null, strict=True)]
    return values


def _memo_column(
    table: _Table, field: Field, block: list[bytes], cuts: list[bytes], report: Report
) -> list[str | None]:
    values: list[str | None] = []
    as_text: Callable[[bytes], str | None] = dbf_table.text_of("C", table.encoding)
    for record, cut in zip(block, cuts, strict=True):
        number = dbf_table.memo_number(cut)
        memo = table.memos.read(number) if table.memos and number else None
        if memo is None and number and table.memos and record[0] != _DELETED:
            report.note(f"{table.file.name}: memos that are not in the memo file")
        values.append(as_text(memo) if memo else None)
    return values

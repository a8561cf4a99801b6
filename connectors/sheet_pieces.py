"""Large sheets of xlsx files, parsed in pieces on several threads.

What belongs here: unpacking the XML of a sheet once, cutting it between rows, and having
python-calamine parse the pieces as sheets of small workbooks that have the same styles and
strings. By itself calamine unpacks and parses a sheet twice, the second time for the merged
ranges, which stand behind the rows; an empty list of them before the rows of a piece stops it.
Cells without a result are found in the same bytes.

Wherever the XML leaves a doubt the whole sheet is left to calamine, which also says what is
wrong with a damaged file.

Source: ECMA-376 part 1, 18.3.1.73 (row), 18.3.1.80 (sheetData), 18.3.1.55 (mergeCells).
"""

import os
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

import python_calamine as calamine

from connectors import error_cells, workbook_parts
from connectors.sheet_cells import SheetCells
from connectors.workbook_parts import DoubtfulError

_LARGE, _BOOK, _PIECE = 4 << 20, 4 << 20, 1 << 20
"""Bytes of XML: of a sheet that is parsed in pieces, of the pieces in a workbook, of a piece."""
_SHARE = 4
"""A workbook has so many times the bytes of what the sheets share, or there are but two: what
they share is parsed anew with each."""
_MOST_SHARED, _MOST_BEFORE, _MOST_BETWEEN = 64 << 20, 1 << 20, 16 << 20
"""Bytes of what sheets share, of what stands before the rows, and of a row or of what stands
behind them, that are held at once."""
_THREADS = min(4, os.cpu_count() or 1)
_ROWS, _ROWS_END, _ROW_END = b"<sheetData>", b"</sheetData>", b"</row>"
_FIRST_ROW = re.compile(rb"\s*(?:<row\s(?:[^<>]*\s)?r=[\"']\d|</sheetData>)")
_NO_MERGES, _END = b'<mergeCells count="0"></mergeCells>', b"</sheetData></worksheet>"
_MARKUP = b"<!"
"""Begins comments and the like, where tags are text."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_TEXTS = "haredStrings.xml"
_DOUBTS = (DoubtfulError, zipfile.BadZipFile, zlib.error, EOFError, calamine.CalamineError)


class Parsed(NamedTuple):
    """A sheet and its cells without a result (connectors/error_cells.py)."""

    cells: SheetCells
    faults: error_cells.Found


def parse(path: Path, sheet: str) -> Parsed | None:
    """Parse a large sheet of an xlsx file.

    Args:
        sheet: its name.

    Returns:
        None if python-calamine is to parse it whole: it is small, of another format, shares
        more than it has, or is not plainly written.
    """
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            member = _member(archive, sheet)
            return _parsed(archive, member) if member else None
    except _DOUBTS:
        return None


def outline(path: Path) -> list[calamine.SheetMetadata] | None:
    """The sheets of an xlsx file whose sheets share many texts, without reading these.

    Returns:
        None if python-calamine is to open it whole.
    """
    if not zipfile.is_zipfile(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            shared, book = workbook_parts.shared(archive), BytesIO()
            texts = {one.filename for one in shared if one.filename.endswith(_TEXTS)}
            if sum(archive.getinfo(name).file_size for name in texts) < _LARGE:
                return None
            with zipfile.ZipFile(book, "w") as copy:
                for one in _readable(shared):
                    if one.filename not in texts:
                        copy.writestr(one.filename, archive.read(one))
        book.seek(0)
        with calamine.load_workbook(book) as workbook:
            return workbook.sheets_metadata
    except _DOUBTS:
        return None


def _readable(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    for one in members:
        if one.flag_bits & _ENCRYPTED or one.compress_type not in _METHODS:
            raise DoubtfulError
    return members


def _member(archive: zipfile.ZipFile, sheet: str) -> zipfile.ZipInfo | None:
    """Where a sheet is, if it is worth the pieces."""
    if all(one.file_size < _LARGE for one in archive.infolist()):
        return None
    names, part = archive.namelist(), workbook_parts.sheets(archive).get(sheet)
    if part not in names or len(set(names)) < len(names):
        return None
    member, shared = archive.getinfo(part), workbook_parts.shared(archive)
    size = sum(one.file_size for one in _readable([*shared, member])) - member.file_size
    return member if size <= _MOST_SHARED and member.file_size >= max(_LARGE, size) else None


def _parsed(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Parsed | None:
    shared = {one.filename: archive.read(one) for one in workbook_parts.shared(archive)}
    least = max(_BOOK, _SHARE * sum(map(len, shared.values())))
    books = max(member.file_size // least, min(_THREADS, 2))
    room = member.file_size // books + _PIECE
    sheets: list[calamine.CalamineSheet] = []
    faults: error_cells.Found = {}
    with (
        archive.open(member) as stream,
        TemporaryDirectory(prefix="onefold-") as folder,
        ThreadPoolExecutor(_THREADS, "onefold-sheet") as pool,
    ):
        pending: deque[Future[list[calamine.CalamineSheet]]] = deque()
        for number, pieces in _together(_cut(stream), room):
            book = Path(folder, f"{number}.xlsx")
            workbook_parts.write(book, shared, _scanned(pieces, faults))
            pending.append(pool.submit(_sheets, book))
            if len(pending) > _THREADS:
                sheets += pending.popleft().result()
        for one in pending:
            sheets += one.result()
    filled = [one for one in sheets if one.start]
    for first, following in pairwise(filled):
        if first.end and following.start and first.end[0] >= following.start[0]:
            return None
    return Parsed(SheetCells(filled, sheets[-1].merged_cell_ranges), faults)


def _together(pieces: Iterator[bytes], room: int) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Pieces that follow one another, of so many bytes at most or one alone, and a number."""
    sizes = 0

    def number(xml: bytes) -> int:
        nonlocal sizes
        sizes += len(xml)
        return sizes // room

    return groupby(pieces, number)


def _scanned(pieces: Iterator[bytes], faults: error_cells.Found) -> Iterator[bytes]:
    """The same pieces; their cells without a result are added."""
    for xml in pieces:
        faults.update(error_cells.in_rows(xml))
        yield xml


def _sheets(book: Path) -> list[calamine.CalamineSheet]:
    """Parse a workbook that is not needed any more."""
    with calamine.load_workbook(str(book)) as workbook:
        found = [workbook.get_sheet_by_name(name) for name in workbook.sheet_names]
    book.unlink()
    return found


def _cut(stream: IO[bytes]) -> Iterator[bytes]:
    """The XML of a sheet as that of several ones, of which each has some of the rows.

    The last one has what stands behind the rows, with the merged ranges.
    """
    before, begun, rest = stream.read(_MOST_BEFORE).partition(_ROWS)
    if not begun or _MARKUP in before:
        raise DoubtfulError
    while _ROWS_END not in rest:
        cut = rest.rfind(_ROW_END) + len(_ROW_END)
        if cut >= len(_ROW_END):
            yield b"".join((before, _NO_MERGES, _ROWS, _plain(rest[:cut]), _END))
            rest = rest[cut:]
        block = stream.read(_PIECE)
        if not block or len(rest) > _MOST_BETWEEN:
            raise DoubtfulError
        rest += block
    rest += stream.read(_MOST_BETWEEN)
    if stream.read(1):
        raise DoubtfulError
    yield b"".join((before, _ROWS, _plain(rest)))


def _plain(rows: bytes) -> bytes:
    """The same: the first of these rows says which one it is, and all tags are tags."""
    if not _FIRST_ROW.match(rows) or (b"!" in rows and _MARKUP in rows):
        raise DoubtfulError
    return rows

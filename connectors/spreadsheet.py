"""Spreadsheets: xlsx, xlsm, xls, xlsb, ods, any number of workbooks.

What belongs here: choosing sheets, cells to text. Workbooks are opened and parsed
by connectors/workbooks.py, headings and totals rows told apart in
connectors/tables.py. Positions are ``file|sheet|row``, rows counted from 1 as the
sheet shows them.

A number of more than 15 digits has lost its last ones in Excel itself: the
digits that are left are padded with zeros (370613197609273000), and counted in
the manifest's notes.
"""

import fnmatch
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import python_calamine as calamine

from connectors import error_cells, files, mapping, tables, workbooks
from connectors.cells import column
from connectors.config import SourceConfig
from connectors.fields import NAME_FIELDS
from connectors.files import SourceFile
from connectors.reading import Reading, Report, Since, batch
from connectors.sheet_cells import SheetCells
from connectors.tables import Cell
from connectors.workbooks import Parsed
from onefold.errors import SourceLayout, SourceMissing

_KEPT_CELLS = 5_000_000
"""Cells of parsed sheets that are kept, so that these sheets are parsed once."""
SUFFIXES = frozenset({".xlsx", ".xlsm", ".xltx", ".xltm", ".xls", ".xlsb", ".ods", ".et", ".xlt"})
_VISIBLE = calamine.SheetVisibleEnum.Visible
_WORKSHEET = calamine.SheetTypeEnum.WorkSheet
_EMPTY = "empty sheet"
_ROW_NUMBER = frozenset(
    {"序号", "行号", "编号", "no", "nr", "number", "rownumber", "sno", "slno", "项次"}
)


@dataclass(frozen=True)
class _Sheet:
    """One sheet with a table."""

    file: SourceFile
    name: str
    header: tables.Header
    columns: tuple[str, ...]
    places: tuple[int, ...]
    numbers: int | None
    """Index of the column that only numbers the rows."""
    cells: SheetCells | None
    """The sheet as it was parsed, if it is kept; else it is parsed again for its rows."""
    faults: Callable[[], error_cells.Found]
    """Waits for its cells without a result."""

    @property
    def where(self) -> str:
        return f"{self.file.name}|{self.name}"


@contextmanager
def read(config: SourceConfig, since: Since | None = None) -> Iterator[Reading]:
    """Open workbooks; their tables give the union of their columns.

    Raises:
        SourceMissing: no file, or no sheet of the names in the YAML.
        SourceLocked: a workbook is password-protected.
        SourceLayout: a file is no workbook, or no sheet holds a table of customers.
    """
    report = Report()
    found = _workbooks(config, since, report)
    room = _Room()
    with _beside() as pool:
        yield _opened(config, found, report, room, pool)


@contextmanager
def _beside() -> Iterator[ThreadPoolExecutor]:
    """A thread for what can be done while a sheet is parsed, which leaves a core free.

    At first, what the rows will need is loaded there: the list of headings, pandas for Arrow.
    """
    pool = ThreadPoolExecutor(1, "onefold-workbook")
    try:
        pool.submit(mapping.is_known, "name")
        pool.submit(column, ["", 0.5])
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _opened(
    config: SourceConfig,
    found: list[SourceFile],
    report: Report,
    room: "_Room",
    pool: ThreadPoolExecutor,
) -> Reading:
    sheets = [sheet for file in found for sheet in _tables(config, file, report, room, pool)]
    if not sheets and {one.what for one in report.skipped} <= {_EMPTY}:
        return Reading([], iter(()), report, found[0].name)
    if not sheets:
        skipped = "; ".join(f"{one.where}: {one.what}" for one in report.skipped[:5])
        raise SourceLayout(
            config.name,
            "no sheet holds a table of customers",
            found=skipped,
            do=f"Map the columns in {config.file}, or set header_row.",
        )
    columns = list(dict.fromkeys(name for sheet in sheets for name in sheet.columns))
    rows = itertools.chain.from_iterable(
        _rows(file, list(group), columns, report)
        for file, group in itertools.groupby(sheets, key=lambda sheet: sheet.file)
    )
    origin = f"{len(found)} workbooks" if len(found) > 1 else found[0].name
    return Reading(columns, _ahead(rows), report, f"{origin}, {len(sheets)} tables")


def _ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, each made while the one before is used."""
    with ThreadPoolExecutor(1, "onefold-rows") as pool:
        following = pool.submit(next, batches, None)
        while (found := following.result()) is not None:
            following = pool.submit(next, batches, None)
            yield found


def _workbooks(config: SourceConfig, since: Since | None, report: Report) -> list[SourceFile]:
    """The files; what a glob finds beside workbooks is left out and reported."""
    named = {str(path) for path in config.path}
    result = []
    for file in files.find(config, since):
        if file.path.suffix.casefold() in SUFFIXES or str(file.path) in named:
            result.append(file)
        else:
            report.skip(file.name, "no workbook")
    if not result:
        raise SourceMissing(
            config.name,
            "no file is a workbook",
            found=", ".join(one.where for one in report.skipped[:10]),
            do=f"Mend 'path' in {config.file}.",
        )
    return result


# -- which sheets, which headings


class _Room:
    """How many more cells of parsed sheets are kept between headings and rows."""

    def __init__(self) -> None:
        self._left = _KEPT_CELLS

    def holds(self, cells: SheetCells) -> bool:
        """Whether a sheet is kept, which takes its room."""
        if cells.size > self._left:
            return False
        self._left -= cells.size
        return True


def _tables(
    config: SourceConfig,
    file: SourceFile,
    report: Report,
    room: _Room,
    pool: ThreadPoolExecutor,
) -> Iterator[_Sheet]:
    with workbooks.opened(file) as workbook:
        sheets = workbook.sheets
        names = [meta.name for meta in sheets]
        for pattern in config.sheets:
            if not fnmatch.filter(names, pattern) and pattern not in names:
                raise SourceMissing(
                    file.name,
                    f'no sheet "{pattern}"',
                    found=mapping.shown(names),
                    do=f"Mend 'sheets' in {config.file}.",
                )
        for meta in sheets:
            where = f"{file.name}|{meta.name}"
            if meta.typ != _WORKSHEET:
                continue
            if config.sheets and not _chosen(config, meta.name):
                report.skip(where, "sheet not chosen")
            elif meta.visible != _VISIBLE and not config.hidden_sheets:
                report.skip(where, "hidden sheet")
            else:
                sheet = _table(config, file, meta.name, workbook.parsed(meta.name, pool), room)
                if isinstance(sheet, str):
                    report.skip(where, sheet)
                else:
                    yield sheet


def _chosen(config: SourceConfig, name: str) -> bool:
    return any(name == pattern or fnmatch.fnmatchcase(name, pattern) for pattern in config.sheets)


def _table(
    config: SourceConfig,
    file: SourceFile,
    name: str,
    parsed: Parsed,
    room: _Room,
) -> _Sheet | str:
    """The sheet's table, or why it has none."""
    cells, faults = parsed
    rows = cells.head(tables.LOOK_AHEAD + 2)
    if not rows:
        return _EMPTY
    if config.header_row == 0:
        header: tables.Header | None = tables.Header(-1, -1, ("",) * len(rows[0]), 0)
    else:
        forced = config.header_row - 1 if config.header_row else None
        known = mapping.recognizer(config)
        header = tables.find_header(rows, known, merges=cells.merges, forced=forced)
    if header is None:
        return "sheet without a table"
    used = _used(cells, header)
    if not used:
        return _EMPTY
    names = tables.unique([header.names[i] for i in used])
    if config.header_row != 0:
        trouble = _trouble(config, f"{file.name}|{name}", names)
        if trouble:
            return trouble
    numbers = next((i for i in used if mapping.normalize(header.names[i]) in _ROW_NUMBER), None)
    kept = cells if room.holds(cells) else None
    return _Sheet(file, name, header, tuple(names), tuple(used), numbers, kept, faults)


def _used(cells: SheetCells, header: tables.Header) -> list[int]:
    """Columns with a heading, or with anything below where it would stand."""
    unused = [i for i, name in enumerate(header.names) if not name]
    for found in cells.columns(header.last + 1, unused) if unused else ():
        unused = [i for i in unused if not any(map(_filled, found[i]))]
        if not unused:
            break
    return [i for i in range(len(header.names)) if i not in unused]


def _trouble(config: SourceConfig, where: str, names: list[str]) -> str | None:
    """Why a sheet's headings are not those of customers; some of it is an error."""
    declared = {
        field
        for field, used in config.columns.items()
        for name in used
        if mapping.find_column(names, name.removesuffix("?"))
    }
    guessed = set()
    if config.headings == "auto":
        guessed = {meant.field for meant in map(mapping.meaning, names) if meant}
    found = declared | guessed
    if found & set(NAME_FIELDS) or any(field in config.defaults for field in NAME_FIELDS):
        return None
    if len(found) < 2:
        return f"sheet without customers (headings {mapping.shown(names[:10])})"
    raise SourceLayout(
        where,
        "no column holds the customer's name",
        found=mapping.shown(names),
        do=f"Map it in {config.file}: 'columns: {{name: ...}}', or choose other 'sheets'.",
    )


# -- rows


def _rows(
    file: SourceFile,
    sheets: list[_Sheet],
    columns: list[str],
    report: Report,
) -> Iterator[pa.RecordBatch]:
    with workbooks.opened(file) as workbook:
        for sheet in sheets:
            cells = sheet.cells or workbook.parsed(sheet.name).cells
            yield from _sheet_rows(sheet, cells, sheet.faults(), columns, report)


def _sheet_rows(
    sheet: _Sheet,
    cells: SheetCells,
    faults: error_cells.Found,
    columns: list[str],
    report: Report,
) -> Iterator[pa.RecordBatch]:
    damaged: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    start = sheet.header.last + 1
    for cells_of in cells.columns(start, sheet.places):
        height = len(cells_of[sheet.places[0]])
        made: dict[str, pa.Array] = {}
        for place, name in zip(sheet.places, sheet.columns, strict=True):
            made[name], count = column(cells_of[place])
            damaged[name] += count
            here = [(row - start, text) for (row, c), text in faults.items() if c == place]
            here = [(row, text) for row, text in here if 0 <= row < height]
            here = [(row, text) for row, text in here if cells_of[place][row] == ""]
            if here:
                made[name] = _with(made[name], dict(here))
                broken[name] += len(here)
        values = [made.get(name, pa.nulls(height, pa.string())) for name in columns]
        numbers = pa.array(np.arange(start + 1, start + 1 + height))
        position = pc.binary_join_element_wise(sheet.where, numbers.cast(pa.string()), "|")
        found = batch(position, values)
        kept = _records(sheet, cells_of, list(made.values()), report)
        yield found if kept is None else found.filter(kept)
        start += height
    for name, count in damaged.items():
        if count:
            report.note(
                f"{sheet.where}: {name}: numbers of more than 15 digits, the last ones lost", count
            )
    for name, count in broken.items():
        report.note(f"{sheet.where}: {name}: formulas without a result", count)


def _with(texts: pa.Array, others: dict[int, str]) -> pa.Array:
    """A column with other texts at some places."""
    values = texts.to_pylist()
    for place, text in others.items():
        values[place] = text
    return pa.array(values, pa.string())


def _records(
    sheet: _Sheet, cells: dict[int, list[Cell]], values: list[pa.Array], report: Report
) -> pa.Array | None:
    """Which rows are records; None if all are. What else they are is counted.

    Args:
        cells: of every column by its place.
        values: the columns as text.
    """
    odd = tables.may_be_else(values)
    names = sheet.header.names
    if sheet.header.first == sheet.header.last >= 0 and names[sheet.places[0]]:
        odd = pc.or_(odd, pc.equal(pc.fill_null(values[0], ""), names[sheet.places[0]]))
    if sheet.numbers is not None:
        others = [v for i, v in zip(sheet.places, values, strict=True) if i != sheet.numbers]
        odd = pc.or_(odd, pc.is_null(pc.coalesce(*others)) if others else True)
    keep = None
    for number in pc.indices_nonzero(odd).to_pylist():
        row = {place: column[number] for place, column in cells.items()}
        what = _what_else(sheet, row, [value[number].as_py() for value in values])
        if what:
            report.skip(sheet.where, what)
            keep = keep or [True] * len(odd)
            keep[number] = False
    return keep and pa.array(keep)


def _what_else(sheet: _Sheet, row: dict[int, Cell], values: list[str | None]) -> str | None:
    if not any(value is not None and value.strip() for value in values):
        return "empty row"
    if sheet.numbers is not None and _is_number_alone(row, sheet):
        return "numbered empty row"
    other = tables.what_else([row[i] for i in sheet.places])
    if other:
        return other
    names, first = sheet.header.names, sheet.places[0]
    if (
        sheet.header.first == sheet.header.last >= 0
        and tables.heading_text(row[first]) == names[first]
        and all(tables.heading_text(row[i]) == names[i] for i in sheet.places)
    ):
        return "repeated headings"
    return None


def _is_number_alone(row: dict[int, Cell], sheet: _Sheet) -> bool:
    """Whether a row of a form has nothing but its number."""
    cell = row[sheet.numbers or 0]
    number = isinstance(cell, float | int) or (isinstance(cell, str) and cell.strip().isdigit())
    return number and not any(_filled(row[i]) for i in sheet.places if i != sheet.numbers)


def _filled(cell: Cell) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))

"""The published tables as files.

What belongs here: reading golden customers and the crosswalk as one consistent
state, and writing them as CSV, Parquet or Excel, by the file's suffix. A file
appears whole under its name or not at all.
"""

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from onefold.errors import ConfigError, WarehouseError
from rules.customer import GOLDEN_FIELDS
from warehouse import moved as moves
from warehouse import quarantine, rows, text_form
from warehouse.engine import Warehouse
from warehouse.restatement import Restatement
from warehouse.tables import crosswalk, golden_customer, staged_customer

if TYPE_CHECKING:
    import openpyxl

GOLDEN_SCHEMA = pa.schema(
    [
        pa.field("golden_id", pa.string()),
        *(field.arrow for field in GOLDEN_FIELDS),
        pa.field("record_count", pa.int64()),
        pa.field("source_count", pa.int64()),
        pa.field("sources", pa.list_(pa.string())),
        pa.field("first_published_at", pa.timestamp("us", tz="UTC")),
        pa.field("published_at", pa.timestamp("us", tz="UTC")),
    ]
)
CROSSWALK_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("source", "source_key", "position", "golden_id")]
)
TO_MEND = [
    "severity", "position", "source_key", "field", "raw_value", "reason", "rule", "first_seen",
]  # fmt: skip
"""Columns of what a source's owner should mend."""
MOVED_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("golden_id", "cause", "other_golden_id", "reason")),
        ("at", pa.timestamp("us", tz="UTC")),
    ]
)
_LIST_SEPARATOR = "; "
_SHEET_ROWS = 1_048_576
_CELL_LENGTH = 32_767
_SHEET_NAME = 31
_FIRST_YEAR = 1900  # Excel has no dates before
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read_golden(wh: Warehouse) -> pa.Table:
    """Every golden customer as GOLDEN_SCHEMA, sorted by golden_id."""
    with wh.read() as connection:
        text = rows.read(connection, golden_customer, GOLDEN_SCHEMA.names)
    return text_form.decode(text, GOLDEN_SCHEMA).sort_by("golden_id")


def read_crosswalk(wh: Warehouse) -> pa.Table:
    """Every live published record as CROSSWALK_SCHEMA, sorted by source and key.

    ``position`` is where the record stood when its source was last read. A
    record that a sync brought or removed since the last publish is left out.
    """
    with wh.read() as connection:
        published = rows.read(
            connection, crosswalk, ["source", "source_key", "record_id", "golden_id"]
        )
        live = rows.read(connection, staged_customer, ["record_id", "source", "position"])
        live = moves.placed(connection, live)
    at = pc.index_in(published["record_id"], value_set=live["record_id"])
    known = pc.is_valid(at)
    found = published.filter(known).append_column("position", live["position"].take(at.drop_null()))
    order = [("source", "ascending"), ("source_key", "ascending")]
    return found.select(CROSSWALK_SCHEMA.names).sort_by(order)


def golden(wh: Warehouse, path: Path | str) -> int:
    """Write the golden customers to a file; its suffix says how.

    CSV and Excel get lists as one text, joined by semicolons, and times in UTC.

    Returns:
        The number of golden customers.

    Raises:
        ConfigError: the suffix is not .csv, .parquet or .xlsx, or the file cannot be written.
        WarehouseError: the database refuses, or the table does not fit a sheet.
    """
    return write(read_golden(wh), Path(path))


def crosswalk_file(wh: Warehouse, path: Path | str) -> int:
    """Write source, source_key, position, golden_id of every live record to a file.

    Returns:
        The number of records.

    Raises:
        ConfigError: the suffix is not .csv, .parquet or .xlsx, or the file cannot be written.
        WarehouseError: the database refuses, or the table does not fit a sheet.
    """
    return write(read_crosswalk(wh), Path(path))


def to_mend(wh: Warehouse, source: str, path: Path | str) -> int:
    """Write a source's open findings to a file for whoever mends them there.

    Position, key, field, what was found, what is wrong and what to do, by position.

    Returns:
        The number of findings.

    Raises:
        ConfigError: the suffix is not .csv, .parquet or .xlsx, or the file cannot be written.
        WarehouseError: the database refuses, or the table does not fit a sheet.
    """
    return write(read_to_mend(wh, source), Path(path), sheet="to mend")


def moved(made: Restatement, path: Path | str) -> int:
    """Write every id of a restatement that came or went to a file.

    Returns:
        The number of ids.

    Raises:
        ConfigError: the suffix is not .csv, .parquet or .xlsx, or the file cannot be written.
        WarehouseError: the table does not fit a sheet.
    """
    rows_of = [asdict(one) for one in made.moved]
    return write(pa.Table.from_pylist(rows_of, schema=MOVED_SCHEMA), Path(path), sheet="ids")


def read_to_mend(wh: Warehouse, source: str) -> pa.Table:
    """A source's open findings as TO_MEND, errors first, by position."""
    found = quarantine.read(wh, source)
    order = [("severity", "ascending"), ("position", "ascending"), ("field", "ascending")]
    return found.sort_by(order).select(TO_MEND)


def workbook(table: pa.Table, sheet: str) -> bytes:
    """A table as an Excel workbook, for a download.

    Raises:
        WarehouseError: the table does not fit a sheet.
    """
    book = BytesIO()
    _book(table, sheet).save(book)
    return book.getvalue()


def write(table: pa.Table, path: Path, sheet: str = "customers") -> int:
    """Write a table to a file; its suffix says how.

    Returns:
        The number of rows.

    Raises:
        ConfigError: the suffix is not .csv, .parquet or .xlsx, or the file cannot be written.
        WarehouseError: the table does not fit a sheet.
    """
    writers: dict[str, Callable[[pa.Table, Path], None]] = {
        ".csv": _write_csv,
        ".parquet": _write_parquet,
        ".xlsx": lambda found, to: _book(found, sheet).save(to),
    }
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise ConfigError(
            str(path),
            "this kind of file cannot be written",
            found=path.suffix or "no suffix",
            do="Name it .csv, .parquet or .xlsx.",
        )
    if not path.parent.is_dir():
        raise ConfigError(str(path), "its folder is not there", do="Make it, or name another.")
    _whole(path, lambda partial: writer(table, partial))
    return table.num_rows


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name first."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        write(partial)
        partial.replace(path)
    except OSError as error:
        raise ConfigError(
            str(path),
            "the file cannot be written",
            found=os.strerror(error.errno) if error.errno else type(error).__name__,
            do="Close it in other programs, mend the folder's rights, or name another.",
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def write_book(tables: Mapping[str, pa.Table], path: Path) -> None:
    """Write tables as the sheets of one workbook.

    Raises:
        ConfigError: the file cannot be written.
        WarehouseError: a table does not fit a sheet.
    """
    book = _new_book()
    for name, table in tables.items():
        _sheet(book, table, name[-_SHEET_NAME:])
    _whole(path, book.save)


def _flat(table: pa.Table) -> pa.Table:
    """Lists as one text, times as UTC text."""
    columns = []
    for column in table.columns:
        if pa.types.is_list(column.type):
            column = pc.binary_join(column, _LIST_SEPARATOR)
        elif pa.types.is_timestamp(column.type):
            column = pc.floor_temporal(column, unit="second").cast(pa.timestamp("s", tz="UTC"))
            column = pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ")
        columns.append(column)
    return pa.table(columns, names=table.column_names)


def _write_csv(table: pa.Table, path: Path) -> None:
    csv.write_csv(_flat(table), path, csv.WriteOptions(quoting_style="needed"))


def _write_parquet(table: pa.Table, path: Path) -> None:
    parquet.write_table(table, path)


def _new_book() -> "openpyxl.Workbook":
    import openpyxl  # only workbooks need it, and it is slow to load

    return openpyxl.Workbook(write_only=True)


def _book(table: pa.Table, name: str) -> "openpyxl.Workbook":
    """A workbook of one sheet."""
    book = _new_book()
    _sheet(book, table, name)
    return book


def _sheet(book: "openpyxl.Workbook", table: pa.Table, name: str) -> None:
    """Add a sheet; text stays text: no value becomes a formula or loses its zeros."""
    from openpyxl.cell import WriteOnlyCell

    if table.num_rows >= _SHEET_ROWS:
        raise WarehouseError(
            name,
            "a sheet cannot hold the table",
            found=f"{table.num_rows} rows",
            do="Export to .csv or .parquet.",
        )
    sheet = book.create_sheet(name)
    sheet.freeze_panes = "B2"
    sheet.append(table.column_names)
    for batch in _flat(table).to_batches(max_chunksize=10_000):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            cells: list[Any] = []
            for value in values:
                if isinstance(value, str):
                    text = _NOT_IN_XML.sub("", value)[:_CELL_LENGTH]
                    cell = WriteOnlyCell(sheet, value=text)
                    cell.data_type = "s"
                    cells.append(cell)
                elif isinstance(value, date) and value.year < _FIRST_YEAR:
                    cells.append(value.isoformat())
                else:
                    cells.append(value)
            sheet.append(cells)

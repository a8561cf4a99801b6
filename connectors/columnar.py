"""Files as Arrow tables of text in memory, for work that keeps no snapshot.

What belongs here: choosing the connector by the file, reading column by column
where a file is regular enough, and the columns that a snapshot would have. Row
by row, the connectors read anything; a delimited file without ragged lines or
values over several lines is parsed by Arrow, fifteen times faster, to the same
table.
"""

import csv
import glob
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from connectors import content, delimited, files, kinds, mapping, parquet, spreadsheet, tables
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.holding import held
from connectors.legacy import dbf
from connectors.nested import json_files, xml_files
from connectors.reading import POSITION, PROBLEM, ROW_HASH, SOURCE_KEY, Report
from onefold.errors import SourceEmpty, SourceError, SourceLayout

ROW, SHEET = "_row", "_sheet"
"""Columns of a table: the row as the file shows it (line of a text file, row of a sheet, both
from 1 and headings included; record of a Parquet file), and the sheet, null where there is none."""

_READERS = {
    "spreadsheet": spreadsheet.read,
    "delimited": delimited.read,
    "parquet": parquet.read,
    "dbf": dbf.read,
    "json": json_files.read,
    "xml": xml_files.read,
}
_DO = "Look at the file; it must be a table with headings."


@dataclass(frozen=True)
class FileTable:
    """One file as a table.

    Attributes:
        path: the file.
        table: ``_source_key``, ``_position``, ``_row_hash``, ``_problem`` as in a snapshot,
            ``_row``, ``_sheet``, and the columns as text. Keys are made of the content.
        report: what was left out as no record, and notes.
    """

    path: Path
    table: pa.Table
    report: Report

    @property
    def rows(self) -> range:
        """The numbers of the table's rows, from 0."""
        return range(self.table.num_rows)


def read(path: Path, name: str) -> FileTable:
    """Read a file whole.

    Args:
        path: CSV, TSV, a workbook, Parquet or DBF, by its ending and first bytes.
        name: short name for the source.

    Raises:
        SourceError: the file is missing, locked, broken, of another kind, or has no rows.
    """
    kind, members = kinds.look(path) if path.is_file() else ("text", ())
    connector = "delimited" if kind == "text" else kind
    if connector not in _READERS:
        raise SourceLayout(
            str(path),
            "this kind of file is not known",
            found=path.suffix or "no ending",
            do="Give a .csv, .tsv, .xlsx, .xls, .ods, .parquet, .dbf, .json or .xml file.",
        )
    config = SourceConfig(
        name=name,
        connector=connector,  # type: ignore[arg-type]
        path=(glob.escape(str(path)),),
        members=members,
        headings="auto",
    )
    try:
        with held(config) as config:
            table, report = _read(config)
            if config.connector in ("delimited", "spreadsheet") and is_record(table.column_names):
                table, report = _read(config.model_copy(update={"header_row": 0}))
                report.note(f"{path.name}: there are no headings, the first row is a record")
    except SourceError as error:
        where = path.name if error.where == name else error.where
        do = _DO if "sources/" in error.do else error.do
        raise type(error)(where, error.what, found=error.found, do=do) from error
    if not table.num_rows:
        raise SourceEmpty(path.name, "there are no rows", do="Give a file with records in it.")
    return FileTable(path, _keyed(table), report)


def _read(config: SourceConfig) -> tuple[pa.Table, Report]:
    """The table, column by column if the file is regular, and what was left out."""
    report = Report()
    table = _fast(config, report) if config.connector == "delimited" else None
    return (_by_rows(config, report) if table is None else table), report


def is_record(headings: Sequence[str]) -> bool:
    """Whether what was taken for headings are the values of a record: none is known, and one
    is an e-mail address, a date or a number of many digits."""
    own = [name for name in headings if name[:1] != "_"]
    if any(map(mapping.is_known, own)):
        return False
    return any(content.is_datum(name) for name in own)


def _keyed(table: pa.Table) -> pa.Table:
    """Add hash and key of every row: made of the content, so that order means nothing."""
    names = sorted(name for name in table.column_names if name[:1] != "_")
    cells = [pc.fill_null(table[name], "\0") for name in names]
    joined = pc.binary_join_element_wise(*cells, "\x1f")
    hashes: list[str] = []
    for chunk in joined.chunks:
        for text in chunk.to_pylist():
            raw = text.encode("utf-8", "surrogatepass")
            hashes.append(hashlib.blake2b(raw, digest_size=10).hexdigest())
    keys = list(hashes)
    if len(set(hashes)) < len(hashes):
        seen: Counter[str] = Counter()
        for i, row_hash in enumerate(hashes):
            seen[row_hash] += 1
            if seen[row_hash] > 1:
                keys[i] = f"{row_hash}-{seen[row_hash]}"
    table = table.append_column(ROW_HASH, pa.array(hashes))
    return table.append_column(SOURCE_KEY, pa.array(keys))


def _table(columns: dict[str, pa.ChunkedArray], where: str, rows: pa.Array) -> pa.Table:
    """A table of columns and row numbers of one file without sheets."""
    own = {f"{name}_" if name[:1] == "_" else name: column for name, column in columns.items()}
    position = pc.binary_join_element_wise(where, pc.cast(rows, pa.string()), "|")
    return pa.table(
        {
            **own,
            POSITION: position,
            ROW: rows,
            SHEET: pa.nulls(len(rows), pa.string()),
            PROBLEM: pa.nulls(len(rows), pa.string()),
        }
    )


# -- row by row


def _by_rows(config: SourceConfig, report: Report) -> pa.Table:
    """The table as the connector reads it."""
    try:
        return _collected(config, report)
    except SourceLayout:
        if config.connector != "spreadsheet":
            raise
        # No heading says who the customers are: the content of all sheets may.
        return _collected(config.model_copy(update={"defaults": {"name": ""}}), report)


def _collected(config: SourceConfig, report: Report) -> pa.Table:
    with _READERS[config.connector](config) as reading:
        names = [f"{name}_" if name[:1] == "_" else name for name in reading.columns]
        kinds = [pa.string()] * len(names)
        schema = pa.schema(
            [
                *zip(names, kinds, strict=True),
                *((POSITION, pa.string()), (ROW, pa.int64())),
                *((SHEET, pa.string()), (PROBLEM, pa.string())),
            ]
        )
        batches = [_placed(batch, schema) for batch in reading.batches()]
        report.files, report.notes = reading.report.files, reading.report.notes
        for one in reading.report.skipped:
            report.skip(one.where, one.what, one.count)
        return pa.Table.from_batches(batches, schema)


def _placed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch of a reading with row and sheet of every record."""
    position, problem, *values = batch.columns
    places = [place.split("|") for place in position.to_pylist()]
    rows = pa.array([int(place[-1]) for place in places], pa.int64())
    sheets = pa.array(["|".join(place[1:-1]) or None for place in places], pa.string())
    return pa.RecordBatch.from_arrays([*values, position, rows, sheets, problem], schema=schema)


# -- column by column


def _fast(config: SourceConfig, report: Report) -> pa.Table | None:
    """A delimited file parsed by Arrow; None if it must be read row by row."""
    found, several = Report(), files.find(config)
    if len(several) != 1:
        return None
    file = several[0]
    text = delimited.opened(config, file, found)
    header = text.header
    if header is None or header.first != header.last:
        return None
    before = text.skip_lines + header.last + 1
    if not _is_regular(file, text, before):
        return None
    kinds = dict.fromkeys(text.columns, pa.string())
    encoding = text.encoding.removesuffix("-sig")
    try:
        with files.opened(file):
            table = arrow_csv.read_csv(
                file.path,
                arrow_csv.ReadOptions(
                    column_names=list(text.columns), skip_rows=before, encoding=encoding
                ),
                arrow_csv.ParseOptions(delimiter=text.delimiter, newlines_in_values=True),
                arrow_csv.ConvertOptions(
                    column_types=kinds, null_values=[""], strings_can_be_null=True
                ),
            )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return None  # ragged lines, a quote that is not closed
    if table.num_rows + before != _lines(file) or _has_newline(table):
        return None  # a record over several lines, or lines without one
    report.notes = found.notes
    rows = pa.array(range(before + 1, before + 1 + table.num_rows), pa.int64())
    kept = _records(table, text, report)
    columns = dict(zip(table.column_names, table.columns, strict=True))
    whole = _table(columns, file.name, rows)
    return whole if kept is None else whole.filter(kept)


def _is_regular(file: SourceFile, text: delimited.Text, before: int) -> bool:
    """Whether every heading stands on one line, and lines end as everywhere."""
    if text.delimiter == '"' or len(text.delimiter.encode()) != 1:
        return False
    with file.path.open(encoding=text.encoding, newline="") as stream:
        lines = [line for line, _ in zip(stream, range(before), strict=False)]
    if len(lines) < before:
        return False
    heading = next(csv.reader(lines[-1:], delimiter=text.delimiter))
    return len(heading) == len(text.columns)


def _lines(file: SourceFile) -> int:
    """Lines of a file; 0 if one ends with a carriage return alone."""
    count = returns = pairs = 0
    last = b""
    with file.path.open("rb") as stream:
        while block := stream.read(1 << 22):
            count += block.count(b"\n")
            returns += block.count(b"\r")
            pairs += block.count(b"\r\n") + (last == b"\r" and block[:1] == b"\n")
            last = block[-1:]
    if returns != pairs:
        return 0
    return count + (last not in (b"\n", b""))


def _has_newline(table: pa.Table) -> bool:
    return any(pc.any(pc.match_substring(c, "\n")).as_py() for c in table.columns)


def _records(table: pa.Table, text: delimited.Text, report: Report) -> pa.Array | None:
    """Which rows are records; None if all are."""
    heading = pc.equal(pc.fill_null(table.column(0), ""), text.header.names[0] or "\0")  # type: ignore[union-attr]
    odd = pc.or_(tables.may_be_else(table.columns), heading)
    rows = pc.indices_nonzero(odd).to_pylist()
    if not rows:
        return None
    keep = bytearray(b"\1" * table.num_rows)
    for row, record in zip(rows, table.take(rows).to_pylist(), strict=True):
        cells = [value or "" for value in record.values()]
        what = tables.what_else(cells)
        if not any(map(str.strip, cells)):
            what = "empty row"
        elif tuple(cells) == text.header.names:  # type: ignore[union-attr]
            what = "repeated headings"
        if what:
            report.skip(text.file.name, what)
            keep[row] = 0
    return pa.array(list(map(bool, keep))) if not all(keep) else None

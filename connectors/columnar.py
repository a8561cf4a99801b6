"""Files as Arrow tables of text in memory, for work that keeps no snapshot.

What belongs here: choosing the connector by the file, and the columns that a snapshot
would have.
"""

import glob
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors import content, delimited, kinds, mapping, parquet, row_hashes, spreadsheet
from connectors.config import SourceConfig
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
_HASH_BYTES = 10
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
    return _by_rows(config, report), report


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
    found = b"".join(row_hashes.of_text(chunk, _HASH_BYTES) for chunk in joined.chunks)
    hashes = row_hashes.hexadecimal(found, _HASH_BYTES)
    keys = hashes
    starts = np.frombuffer(found, np.uint8).reshape(-1, _HASH_BYTES)[:, :8].copy().view(np.uint64)
    if len(np.unique(starts)) < len(starts):  # else no two are equal
        seen: Counter[str] = Counter()
        numbered = hashes.to_pylist()
        for i, row_hash in enumerate(numbered):
            seen[row_hash] += 1
            if seen[row_hash] > 1:
                numbered[i] = f"{row_hash}-{seen[row_hash]}"
        keys = pa.array(numbered)
    table = table.append_column(ROW_HASH, hashes)
    return table.append_column(SOURCE_KEY, keys)


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
    rows = pc.replace_substring_regex(position, r"(?s)^.*\|", "").cast(pa.int64())
    sheets = pc.replace_substring_regex(position, r"(?s)^[^|]*(?:\|(.*))?\|[^|]*$", r"\1")
    sheets = pc.if_else(pc.equal(sheets, ""), pa.scalar(None, pa.string()), sheets)
    return pa.RecordBatch.from_arrays([*values, position, rows, sheets, problem], schema=schema)

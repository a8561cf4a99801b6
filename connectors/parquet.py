"""Parquet files: every column as text.

What belongs here: Arrow columns to text, as a spreadsheet's cells are. Positions
are ``file|row``, rows counted from 1.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import files
from connectors.config import SourceConfig
from connectors.files import SourceFile
from connectors.reading import Reading, Report, Since, batch
from onefold.errors import SourceLayout

BATCH_ROWS = 20_000


@contextmanager
def read(config: SourceConfig, since: Since | None = None) -> Iterator[Reading]:
    """Open Parquet files; several give the union of their columns.

    Raises:
        SourceMissing: no file.
        SourceLayout: a file is no Parquet file, or has a column of nested values.
    """
    found = files.find(config, since)
    schemas = [schema(file) for file in found]
    columns = list(dict.fromkeys(name for one in schemas for name in one.names))
    report = Report()
    rows = itertools.chain.from_iterable(_rows(file, columns, report) for file in found)
    yield Reading(columns, rows, report, files.named(found))


def schema(file: SourceFile) -> pa.Schema:
    """The columns of a file that can be read as text.

    Raises:
        SourceLayout: the file is no Parquet file, or has a column of nested values.
    """
    with files.opened(file):
        try:
            found = pq.read_schema(file.path)
        except pa.ArrowInvalid as error:
            raise SourceLayout(
                file.name,
                "this is no Parquet file that can be read",
                found="a damaged or unfinished file, or another format",
                do="Write it again, or take it away.",
            ) from error
    for field in found:
        if pa.types.is_nested(field.type):
            raise SourceLayout(
                file.name,
                f'column "{field.name}" holds nested values',
                found=str(field.type),
                do="Write it as text, or leave the column out.",
            )
    return found.remove_metadata()


def batches(file: SourceFile) -> Iterator[pa.RecordBatch]:
    """The file batch by batch, every column as text."""
    with files.opened(file), pq.ParquetFile(file.path) as stream:
        for batch in stream.iter_batches(batch_size=BATCH_ROWS):
            names = batch.schema.names
            columns = [as_text(batch.column(i)) for i in range(len(names))]
            yield pa.RecordBatch.from_arrays(columns, names=names)


def as_text(column: pa.Array) -> pa.Array:
    """Values as text; nothing and blanks are null, whole numbers have no decimals.

    >>> as_text(pa.array([13812345678.0, None, 0.5])).to_pylist()
    ['13812345678', None, '0.5']
    >>> as_text(pa.array([" ", "a"])).to_pylist()
    [None, 'a']
    """
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        text = pc.replace_substring_regex(column.cast(pa.string()), r"\.0$", "")
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), 1e15))
        exact = pc.if_else(whole, column, 0.0).cast(pa.int64()).cast(pa.string())
        return pc.if_else(whole, exact, text)
    if pa.types.is_timestamp(column.type):
        text = column.cast(pa.timestamp("us")).cast(pa.string())
        return pc.replace_substring_regex(text, r"(?: 00:00:00)?\.0+$", "")
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return pa.nulls(len(column), pa.string())
    text = column.cast(pa.string())
    if not _may_be_blank(text):
        return text
    blank = pc.or_(pc.utf8_is_space(text), pc.equal(pc.binary_length(text), 0))
    return pc.if_else(blank, pa.scalar(None, pa.string()), text)


_NO_BLANKS = bytes({*range(0x21, 0x100)} - {0xC2, 0xE1, 0xE2, 0xE3})
"""The bytes that no blank begins with, in UTF-8; it does with others of ASCII, U+0085, U+1680,
U+2000, U+3000, ..."""


def _may_be_blank(text: pa.Array) -> bool:
    """Whether some value is empty, or begins with a byte that a blank begins with."""
    _, offsets, data = text.buffers()
    if data is None or not len(text):
        return len(text) > text.null_count
    ends = np.frombuffer(offsets, np.int32, len(text) + 1, 4 * text.offset)
    starts, has_letters = ends[:-1], ends[1:] > ends[:-1]
    if not has_letters.all():
        if np.count_nonzero(has_letters) != len(text) - text.null_count:
            return True
        starts = starts[has_letters]
    first = np.frombuffer(data, np.uint8)[starts]
    return bool(first.tobytes().translate(None, _NO_BLANKS))


def _rows(file: SourceFile, columns: list[str], report: Report) -> Iterator[pa.RecordBatch]:
    if not columns:
        return
    number = 1
    for found in batches(file):
        rows = found.num_rows
        filled = np.full(rows, not all(column.null_count for column in found.columns))
        for column in found.columns if not filled.all() else ():
            filled |= column.is_valid().to_numpy(zero_copy_only=False)
        report.skip(file.name, "empty row", int(rows - filled.sum()))
        numbers = pa.array(np.arange(number, number + rows)).cast(pa.string())
        position = pc.binary_join_element_wise(pa.scalar(file.name), numbers, "|")
        own, nothing = found.schema.names, pa.nulls(rows, pa.string())
        values = [found.column(own.index(c)) if c in own else nothing for c in columns]
        made = batch(position, values)
        yield made if filled.all() else made.filter(pa.array(filled))
        number += rows

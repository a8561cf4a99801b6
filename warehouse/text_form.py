"""The form of a table in which it is stored and hashed: every column text or null.

What belongs here: Arrow to text and back, and hashes. In this form SQLite
keeps a value and PostgreSQL reads it: dates and UTC times in ISO form, lists as
JSON, booleans 0 and 1. Hashes are taken of it, so they are the same on both.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

HASHES = 1 << 128
"""How many hashes there are."""
_BATCH = 20_000
_NUL = "\x00"  # PostgreSQL refuses it in text, so it can part the columns of a key or row
_SPECIAL = r'[\x00-\x1f"\\]'  # what JSON writes as an escape
_NOT_PLAIN = r"\\|(\[|, )null(, |\])"  # JSON lists that cannot be parted at the quotes


def encode(table: pa.Table) -> pa.Table:
    """The text table of a table of text, lists of text, dates, times, booleans, numbers."""
    return pa.table(
        [
            pa.chunked_array([_encode(chunk) for chunk in column.chunks], pa.string())
            for column in table.columns
        ],
        names=table.column_names,
    )


def _encode(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _encode_lists(array)
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:  # Arrow keeps such times in UTC
            array = array.cast(pa.timestamp("us", tz="UTC")).view(pa.int64())
            return array.view(pa.timestamp("us")).cast(pa.string())
        return array.cast(pa.timestamp("us")).cast(pa.string())
    if pa.types.is_boolean(kind):
        return array.cast(pa.int8()).cast(pa.string())
    array = array.cast(pa.string())
    if pc.any(pc.match_substring(array, _NUL)).as_py():
        return pc.replace_substring(array, _NUL, "")
    return array


def _encode_lists(array: pa.Array) -> pa.Array:
    """Lists as JSON, by columns; only texts that need escapes go through Python."""
    values = _encode(array.flatten())
    quoted = pc.binary_join_element_wise('"', values, '"', "")
    special = pc.fill_null(pc.match_substring_regex(values, _SPECIAL), False)
    if pc.any(special).as_py():
        escaped = [
            json.dumps(value, ensure_ascii=False) for value in values.filter(special).to_pylist()
        ]
        quoted = pc.replace_with_mask(quoted, special, pa.array(escaped, pa.string()))
    quoted = pc.fill_null(quoted, "null")
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths.to_numpy())]), pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, quoted), ", ")
    wrapped = pc.binary_join_element_wise("[", joined, "]", "")
    return pc.if_else(array.is_valid(), wrapped, pa.scalar(None, pa.string()))


def decode(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A text table with the types of a schema; columns by name, in the schema's order."""
    return pa.table(
        [_decode(table.column(field.name), field.type) for field in schema], schema=schema
    )


def _decode(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_list(kind):
        return pa.chunked_array([_decode_lists(chunk) for chunk in column.chunks], kind)
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(kind)
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us")).cast(pa.int64()).cast(kind)
    return column.cast(kind)


def _decode_lists(array: pa.Array) -> pa.Array:
    plain = pc.fill_null(pc.invert(pc.match_substring_regex(array, _NOT_PLAIN)), True)
    if pc.all(plain).as_py() is False:
        return pa.array(
            [None if text is None else json.loads(text) for text in array.to_pylist()],
            pa.list_(pa.string()),
        )
    lists = pc.split_pattern(pc.utf8_slice_codeunits(array, 2, -2), '", "')
    empty = pc.equal(array, "[]")
    return pc.if_else(empty, pa.scalar([], lists.type), lists)


def hashes(text: pa.Table, key: bytes = b"") -> pa.Array:
    """A 128-bit hash of every row of a text table, as hexadecimal text.

    Two rows with equal hashes have equal values, null apart from empty.

    Args:
        text: the rows.
        key: up to 64 bytes; whoever lacks it cannot try out values against a hash.
    """
    hashed = hashlib.blake2b
    found: list[bytes] = []
    for batch in text.to_batches(max_chunksize=_BATCH):
        nulls = np.packbits(
            np.column_stack([column.is_null().to_numpy(zero_copy_only=False) for column in batch]),
            axis=1,
        )
        joined = pc.binary_join_element_wise(
            *batch.columns, _NUL, null_handling="replace", null_replacement=""
        )
        found += [
            hashed(mask.tobytes() + value.encode(), digest_size=16).digest()
            for mask, value in zip(nulls, joined.to_pylist(), strict=True)
        ]
    if key:
        found = [hashed(one, digest_size=16, key=key).digest() for one in found]
    return pa.array([one.hex() for one in found], pa.string())


def keyed(hashes: pa.Array | pa.ChunkedArray, key: bytes) -> pa.Array:
    """Hashes that were made without a key as :func:`hashes` makes them with it."""
    plain = [bytes.fromhex(one) for one in hashes.to_pylist()]
    made = [hashlib.blake2b(one, digest_size=16, key=key).hexdigest() for one in plain]
    return pa.array(made, pa.string())


def grouped_hashes(text: pa.Table, by: str) -> dict[str, str]:
    """A 128-bit hash of the rows of every group, whatever the order of rows.

    Args:
        text: a text table.
        by: the column that names the group.
    """
    names = [by, *(name for name in text.column_names if name != by)]
    large = pa.schema([(name, pa.large_string()) for name in names])  # may pass 2 GB
    lines = key(text.select(names).cast(large), names).combine_chunks()
    groups = text.column(by).combine_chunks()
    if len(lines) > 1 and not pc.all(pc.less_equal(lines[:-1], lines[1:])).as_py():
        order = pc.sort_indices(lines)
        lines, groups = lines.take(order), groups.take(order)
    runs = pc.run_end_encode(groups, run_end_type=pa.int64())
    offsets = pa.array(np.concatenate([[0], runs.run_ends.to_numpy()]), pa.int64())
    joined = pc.binary_join(
        pa.LargeListArray.from_arrays(offsets, lines), pa.scalar(_NUL * 2, pa.large_string())
    )
    return {
        group: hashlib.blake2b(value.encode(), digest_size=16).hexdigest()
        for group, value in zip(runs.values.to_pylist(), joined.to_pylist(), strict=True)
    }


def total(found: pa.Array | pa.ChunkedArray) -> int:
    """The sum of 128-bit hashes, modulo HASHES: one number for all rows, whatever their order.

    What is added and taken away changes it alike, whatever else there is.

    >>> total(pa.array(["f" * 32, "0" * 31 + "3"])), total(pa.array([], pa.string()))
    (2, 0)
    """
    digits = bytes.fromhex("".join(found.to_pylist()))
    words = np.frombuffer(digits, dtype=">u4").reshape(-1, 4).sum(axis=0, dtype=np.uint64)
    return (
        sum(int(word) << shift for word, shift in zip(words, (96, 64, 32, 0), strict=True)) % HASHES
    )


def key(text: pa.Table, columns: Sequence[str]) -> pa.ChunkedArray:
    """The columns of a text table as one text per row; null as empty."""
    if len(columns) == 1:
        return text.column(columns[0])
    return pc.binary_join_element_wise(
        *(text.column(name) for name in columns),
        pa.scalar(_NUL, text.schema.field(columns[0]).type),
        null_handling="replace",
        null_replacement="",
    )


def with_constant(text: pa.Table, **values: str) -> pa.Table:
    """A text table with more columns, each of one value."""
    for name, value in values.items():
        text = text.append_column(name, pa.repeat(pa.scalar(value, pa.string()), text.num_rows))
    return text

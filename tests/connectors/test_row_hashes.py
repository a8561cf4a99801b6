"""Hashes of records: whole columns give what each record alone gives."""

import hashlib

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from connectors import row_hashes

_VALUE = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=3))
_ROWS = st.lists(
    st.tuples(_VALUE, _VALUE, st.sampled_from(["a|1", "a|2", "a|12", "", "b.csv|7", "客户|1"])),
    min_size=1,
    max_size=8,
)


def _alone(columns, row):
    """The hash of one record, as the module's docstring says it."""
    text = "".join(
        f"{name}\0{value}\0"
        for name, value in sorted(zip(columns, row, strict=True))
        if value is not None
    )
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest())


def _weight(position):
    """The weight of one position: its bytes as a polynomial modulo 2**64, mixed, and odd."""
    number, factor = 0, 0x9E3779B97F4A7C15
    for byte in position.encode():
        number = (number * factor + byte + 1) % 2**64
    number ^= number >> 32
    number = number * factor % 2**64
    return (number ^ number >> 29) | 1


@given(rows=_ROWS, names=st.sampled_from([("x", "y"), ("y", "x")]), cut=st.integers(0, 8))
@example(rows=[(None, None, "a|1"), ("a", None, "a|1")], names=("x", "y"), cut=0)
@example(rows=[("a" * 300, "b", "a|1")] * 3 + [("c", "d", "a|2")], names=("x", "y"), cut=2)
def test_columns_at_once_give_what_records_give_alone(rows, names, cut):
    *values, positions = (
        pa.array(column, pa.string()).slice(min(cut, len(rows) - 1))
        for column in zip(*rows, strict=True)
    )
    rows = rows[min(cut, len(rows) - 1) :]
    alone = [_alone(names, row[:2]) for row in rows]
    found = row_hashes.digests(names, values)
    assert row_hashes.hexadecimal(found).to_pylist() == [f"{number:032x}" for number in alone]
    assert row_hashes.total(found) == sum(alone) % 2**128
    weights = [_weight(row[2]) for row in rows]
    expected = sum(a * w for a, w in zip(alone, weights, strict=True)) % 2**128
    assert row_hashes.placed(found, positions) == expected

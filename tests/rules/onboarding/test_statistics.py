"""Columns are described by figures and masks."""

import pyarrow as pa
import pytest

from rules.onboarding import statistics


@pytest.mark.parametrize(
    ("value", "expected"),
    [("+44 20 7946 0018", "+99 99 9999 9999"), ("Élan Œuvre", "Aaaa Aaaaa"), ("１２Ａ", "99A"),
     ("\u200b\n", "??"), ("١٢٣", "999"), ("王伟@x", "字字@a"), ("Ⅴ½", "??")],
)  # fmt: skip
def test_a_mask_keeps_the_form_and_no_letter_or_digit(value, expected):
    assert statistics.mask(value) == expected


def test_a_column_is_counted_over_all_tables_that_have_it():
    one = pa.table({"day": ["2020-01-05", None, "2021-03-07"]})
    other = pa.table({"day": ["2021-03-07"], "else": ["x"]})
    found = statistics.describe("day", [one, other, pa.table({"else": ["y"]})])
    assert (found.rows, found.filled, found.distinct) == (4, 3, 2)
    assert (found.type, found.years) == ("dates", ((2020, 1), (2021, 2)))
    assert found.patterns == (("9999-99-99", 3),)
    assert found.values == (("2021-03-07", 2), ("2020-01-05", 1))


def test_an_empty_column_is_described():
    found = statistics.describe("x", [pa.table({"x": pa.nulls(3, pa.string())})])
    assert (found.type, found.fill, found.patterns) == ("empty", 0.0, ())

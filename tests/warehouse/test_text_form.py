"""Arrow to text and back, and hashes."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import text_form

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
NASTY = st.sampled_from(['"', "\\", '", "', "null", "a, null, b", "[]", "\n", "", "张伟", "[null]"])
VALUE = st.one_of(st.none(), TEXT, NASTY)
SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("many", pa.list_(pa.string())),
        ("day", pa.date32()),
        ("moment", pa.timestamp("us", tz="UTC")),
        ("yes", pa.bool_()),
        ("number", pa.int64()),
    ]
)
ROW = st.fixed_dictionaries(
    {
        "text": VALUE,
        "many": st.one_of(st.none(), st.lists(VALUE, max_size=3)),
        "day": st.one_of(st.none(), st.dates()),
        "moment": st.one_of(st.none(), st.datetimes(timezones=st.just(UTC))),
        "yes": st.one_of(st.none(), st.booleans()),
        "number": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    }
)


@settings(deadline=None)
@given(st.lists(ROW, max_size=8), st.integers(0, 3))
def test_every_value_comes_back_as_it_was(rows, skipped):
    table = pa.Table.from_pylist(rows, schema=SCHEMA).slice(skipped)
    assert text_form.decode(text_form.encode(table), SCHEMA).equals(table)


@settings(deadline=None)
@given(st.lists(ROW, min_size=2, max_size=8))
def test_hashes_are_equal_exactly_where_rows_are(rows):
    text = text_form.encode(pa.Table.from_pylist(rows, schema=SCHEMA))
    hashes, plain = text_form.hashes(text).to_pylist(), [repr(row) for row in text.to_pylist()]
    for one in range(len(rows)):
        for other in range(len(rows)):
            assert (hashes[one] == hashes[other]) == (plain[one] == plain[other])


def test_null_is_told_from_empty_and_values_do_not_run_together():
    columns = {"a": ["x", "xy", "", None, None, ""], "b": ["yz", "z", None, "", None, ""]}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
    assert len(set(text_form.hashes(table).to_pylist())) == 6


def test_nul_characters_are_dropped_because_postgresql_refuses_them():
    table = pa.table({"a": ["x\x00y"], "b": pa.array([["\x00", "z"]])})
    assert text_form.encode(table).to_pylist() == [{"a": "xy", "b": '["", "z"]'}]


def test_text_form_is_what_sqlite_keeps():
    table = pa.Table.from_pylist(
        [
            {
                "text": "张伟",
                "many": ["a", None, 'q"'],
                "day": date(1980, 1, 2),
                "moment": datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
                "yes": True,
                "number": 7,
            }
        ],
        schema=SCHEMA,
    )
    assert text_form.encode(table).to_pylist() == [
        {
            "text": "张伟",
            "many": '["a", null, "q\\""]',
            "day": "1980-01-02",
            "moment": "2020-01-02 03:04:05.000006",
            "yes": "1",
            "number": "7",
        }
    ]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), VALUE, VALUE), max_size=12), st.randoms())
def test_grouped_hashes_do_not_depend_on_the_order_of_rows(rows, random):
    def hashed(some):
        columns = list(zip(*some, strict=True)) or [(), (), ()]
        return text_form.grouped_hashes(
            pa.table({n: pa.array(c, pa.string()) for n, c in zip("gxy", columns, strict=True)}),
            "g",
        )

    shuffled = list(rows)
    random.shuffle(shuffled)
    assert hashed(rows) == hashed(shuffled)
    assert set(hashed(rows)) == {row[0] for row in rows}


@pytest.mark.parametrize("column", [0, 1, 2])
def test_grouped_hashes_see_every_column(column):
    before = [["a", "b"], ["1", "2"], ["x", "y"]]
    after = [list(values) for values in before]
    after[column][1] = "other"
    one, other = (
        text_form.grouped_hashes(pa.table(values, names=["g", "x", "y"]), "g")
        for values in (before, after)
    )
    assert one["a"] == other["a"]
    assert one != other


def test_the_total_does_not_depend_on_the_order_and_follows_from_what_is_added_and_taken():
    found = text_form.hashes(pa.table({"a": ["x", "y", None]}))
    whole, first = text_form.total(found), text_form.total(found.slice(0, 1))
    assert whole == text_form.total(found.take(pa.array([2, 0, 1])))
    assert whole == (first + text_form.total(found.slice(1))) % text_form.HASHES != first

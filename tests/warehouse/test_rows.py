"""The difference of two tables, and bulk reading and writing on both databases."""

import pyarrow as pa
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import rows, text_form
from warehouse.tables import golden_field, merge_suggestion, staged_customer

KEY = st.sampled_from(["a", "b", "ab", "", "é"])
CELL = st.sampled_from([None, "", "1", "2"])
TABLE = st.dictionaries(st.tuples(KEY, KEY), st.tuples(CELL, CELL), max_size=10)
NAMES = ["k1", "k2", "v1", "v2"]


def _table(content):
    columns = list(zip(*[key + value for key, value in content.items()], strict=True))
    return pa.table(
        {
            name: pa.array(columns[place] if columns else [], pa.string())
            for place, name in enumerate(NAMES)
        }
    )


def _keys(table):
    return {(row["k1"], row["k2"]) for row in table.to_pylist()}


@settings(deadline=None)
@given(TABLE, TABLE)
def test_difference_is_that_of_two_dictionaries(stored, new):
    found = rows.difference(_table(stored), _table(new), ["k1", "k2"], ["v1", "v2"])
    assert _keys(found.added) == new.keys() - stored.keys()
    assert _keys(found.deleted) == stored.keys() - new.keys()
    assert _keys(found.changed) == {
        key for key in new.keys() & stored.keys() if new[key] != stored[key]
    }
    assert bool(found) == (stored != new)


def _trail(*lines):
    names = ["golden_id", "field", "item", "source", "source_key", "rule"]
    return pa.table(
        {
            name: pa.array([line[place] for line in lines], pa.string())
            for place, name in enumerate(names)
        }
    )


def test_rows_are_inserted_updated_and_deleted_by_key(warehouse):
    first = _trail(
        ("G1", "name", "0", "erp", "1", "recent"),
        ("G1", "phones", "0", "erp", "1", "union"),
        ("G1", "phones", "1", None, "", "union"),
    )
    keys = ["golden_id", "field", "item"]
    with warehouse.write() as connection:
        rows.insert(connection, golden_field, first)
        rows.update(connection, golden_field, _trail(("G1", "phones", "1", "crm", "9", "x")), keys)
        rows.delete(connection, golden_field, first.slice(0, 1), keys)
    with warehouse.read() as connection:
        found = rows.read(connection, golden_field, first.column_names).sort_by("item")
    assert found.to_pylist() == [
        *first.slice(1, 1).to_pylist(),
        *_trail(("G1", "phones", "1", "crm", "9", "x")).to_pylist(),
    ]


def test_many_rows_are_updated_at_once_and_those_that_are_not_there_do_not_count(warehouse):
    numbers = [f"{number:04d}" for number in range(1200)]
    columns = ["record_id", "source", "source_key", "content_hash", "position"]
    stored = pa.table([numbers, ["erp"] * 1200, numbers, numbers, numbers], names=columns)
    moved = pa.table({"position": [f"after {one}" for one in numbers], "record_id": numbers})
    with warehouse.write() as connection:
        rows.insert(connection, staged_customer, stored.slice(100))
        assert rows.update(connection, staged_customer, moved.slice(0, 1150), ["record_id"]) == 1050
        found = rows.read(connection, staged_customer, columns).sort_by("record_id")
    then = [*moved["position"].to_pylist()[100:1150], *numbers[1150:]]
    assert found["position"].to_pylist() == then
    assert found.drop_columns("position").equals(stored.slice(100).drop_columns("position"))


def test_rows_are_the_same_whether_it_is_known_what_is_stored_or_not(warehouse):
    numbers = [f"{number:04d}" for number in range(60)]
    columns = ["record_id", "source", "source_key", "content_hash", "name", "city", "position"]
    nothing = pa.nulls(60, pa.string())
    stored = pa.table(
        [numbers, ["erp"] * 60, numbers, numbers, numbers, nothing, numbers], names=columns
    )
    # Of some a name is another, of some a city, of a few both; the last one is not stored.
    new = stored.to_pylist()
    for place, row in enumerate(new):
        row["name"] = None if place % 3 == 0 else row["name"]
        row["city"] = "Ghent" if 20 <= place < 40 or place == 3 else None
        row["position"] = f"after {place}"
    new.append({**new[0], "record_id": "9999"})
    text = pa.Table.from_pylist(new, stored.schema)
    before = stored.select(["city", "record_id", "name"]).take(list(reversed(range(60))))
    with warehouse.write() as connection:
        rows.insert(connection, staged_customer, stored)
        assert rows.update(connection, staged_customer, text, ["record_id"], before) == 60
        found = rows.read(connection, staged_customer, columns).sort_by("record_id")
    assert found.to_pylist() == new[:60]


def test_awkward_text_is_stored_as_it_is(world):
    awkward = ['a"b', "a,b", "a\nb", "a\r\nb", "\\N", "\\.", "", None, "NULL", "'", "\t ", "𠮷𝄞"]
    names = {str(number): value for number, value in enumerate(awkward)}
    world.put("erp", names)
    with world.wh.read() as connection:
        found = rows.read(connection, staged_customer, ["source_key", "name"])
    assert {row["source_key"]: row["name"] for row in found.to_pylist()} == names


def test_a_row_of_twelve_megabytes_is_stored_and_read(world):
    long = "长" * 4_000_000
    world.put("erp", {"1": long, "2": "short"})
    with world.wh.read() as connection:
        found = rows.read(connection, staged_customer, ["name"], rows.one_of("source_key", ["1"]))
    assert found["name"].to_pylist() == [long]


def test_condition_of_values_cannot_be_broken_out_of(world):
    world.put("erp", {"1": "a", "x' OR '1'='1": "b"})
    with world.wh.read() as connection:
        condition = rows.one_of("source_key", ["x' OR '1'='1"])
        found = rows.read(connection, staged_customer, ["name"], condition)
        assert found["name"].to_pylist() == ["b"]
        assert rows.read(connection, staged_customer, ["name"], "source = 'none'").num_rows == 0


def test_numbers_booleans_and_times_are_read_in_their_text_form(world):
    world.put("erp", {"1": "a"})
    world.publish([["erp:1"]])
    with world.wh.read() as connection:
        found = rows.read(
            connection, staged_customer, ["birth_date", "created_at", "do_not_contact", "phones"]
        )
        items = rows.read(connection, golden_field, ["item"])
    assert found.to_pylist() == [
        {
            "birth_date": "1980-01-02",
            "created_at": "2020-01-02 03:04:05.000678",
            "do_not_contact": "1",
            "phones": '["+8613800138000"]',
        }
    ]
    assert set(items["item"].to_pylist()) == {"0"}


def test_nothing_is_written_of_an_empty_table(warehouse):
    nothing = text_form.encode(pa.table({"suggestion_id": pa.array([], pa.string())}))
    with warehouse.write() as connection:
        rows.insert(connection, merge_suggestion, nothing)
        rows.update(connection, merge_suggestion, nothing, ["suggestion_id"])
        rows.delete(connection, merge_suggestion, nothing, ["suggestion_id"])
        count = sa.select(sa.func.count()).select_from(merge_suggestion)
        assert connection.execute(count).scalar() == 0

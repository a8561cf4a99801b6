"""Suggestion ids, and objects that every database takes."""

import json

import pyarrow as pa
import pytest

from warehouse.golden_tables import without_nul
from warehouse.suggestion_tables import suggestion_id
from warehouse.tables import golden_customer


@pytest.mark.parametrize(
    "other", [("split", "a:1", "b:1"), ("merge", "a:1", "b:2"), ("merge", "a:1b", ":1")]
)
def test_a_suggestion_id_tells_kind_and_pair_apart(other):
    assert suggestion_id("merge", "a:1", "b:1") != suggestion_id(*other)


def test_a_suggestion_id_does_not_depend_on_the_side():
    assert suggestion_id("merge", "a:1", "b:1") == suggestion_id("merge", "b:1", "a:1")


@pytest.mark.parametrize(
    "value", ["x\x00y", "\x00", "\x00\x00", "\\u0000", "\\\x00", "a\\\\u0000b", 'q"\x00"']
)
def test_objects_lose_nul_characters_and_nothing_else(value):
    table = pa.table({"attributes": [json.dumps({"k": value})], "name": ["\\u0000"]})
    (row,) = without_nul(table).to_pylist()
    assert json.loads(row["attributes"]) == {"k": value.replace("\x00", "")}
    assert row["name"] == "\\u0000"


def test_an_object_with_a_nul_character_is_published(world):
    world.put("erp", {"1": "a"}, attributes=json.dumps({"k": "x\x00y"}))
    world.publish([["erp:1"]])
    (customer,) = world.rows(golden_customer)
    assert customer["attributes"] == {"k": "xy"}

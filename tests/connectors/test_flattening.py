"""Nested records become flat rows, and nothing in them is lost."""

import json

import pytest
from pydantic import ValidationError

from connectors.flattening import ListRule, flatten


def _read(text):
    return json.loads(text, parse_int=str, parse_float=str)


def test_numbers_stay_as_they_were_written():
    record = _read('{"a": 12345678901234567890, "b": 1.10, "c": 1e3, "d": -0}')
    assert flatten(record) == {"a": "12345678901234567890", "b": "1.10", "c": "1e3", "d": "-0"}


def test_list_in_a_list_keeps_what_it_holds():
    record = {"phones": [{"kind": "work", "numbers": ["1", "2"]}, {"numbers": ["3", None]}]}
    assert flatten(record) == {"phones.kind": "work", "phones.numbers": "1; 2; 3"}
    assert flatten({"grid": [["a", 1], ["b", 2]]}) == {"grid": '["a", 1]; ["b", 2]'}


def test_preferred_object_of_a_list_is_taken_and_else_the_first():
    lists = {
        "addresses": ListRule(prefer={"usage.kind": "DEFAULT"}),
        "addresses.usage": ListRule(take="all"),
    }
    old = {"city": "Ulm", "usage": [{"kind": "BILL"}]}
    main = {"city": "Bonn", "usage": [{"kind": "BILL"}, {"kind": "DEFAULT"}]}
    assert flatten({"addresses": [old, main]}, lists)["addresses.city"] == "Bonn"
    assert flatten({"addresses": [old]}, lists)["addresses.city"] == "Ulm"
    assert flatten({"addresses": []}, lists) == {}


def test_name_with_a_dot_gives_way_to_nothing_that_is_filled():
    assert flatten({"a.b": None, "a": {"b": "1"}}) == {"a.b": "1"}
    assert flatten({"a.b": "0", "a": {"b": "1"}}) == {"a.b": "0"}


def test_very_deep_record_ends_as_json():
    record = {"v": "end"}
    for _ in range(60):
        record = {"d": record}
    ((name, text),) = flatten(record).items()
    assert name.count(".") == 19 and json.loads(text)["d"]


def test_rule_says_how_it_is_wrong():
    with pytest.raises(ValidationError, match="'prefer' has no meaning"):
        ListRule.model_validate({"take": "all", "prefer": {"a": "b"}})
    assert ListRule.model_validate("all").take == "all"

"""Levels of addresses and branches."""

from typing import Any

import pytest

from tests.dedupe.comparing.records import branch, compare, person


def place(
    street: str | None, number: str | None, unit: str | None = None, city: str | None = "杭州市"
) -> dict[str, Any]:
    """Address columns of a record."""
    return {"street": street, "house_number": number, "unit": unit, "city": city}


def code(postal_code: str, city: str | None = "Leeds") -> dict[str, Any]:
    """Address columns of a record that knows no road."""
    return {"postal_code": postal_code, "city": city}


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (place("朝晖路", "12", "4-302"), place("朝晖路", "12", "4-302"), "same"),
        (place("朝晖路", "12", "4-2-302"), place("朝晖路", "12", "302"), "same"),
        (place("朝晖路", "12", "4-302"), place("朝晖路", "12"), "number"),
        (place("莼湖街道朝晖路", "12"), place("朝晖路", "12"), "number"),
        (place("朝晖路", "12", "302"), place("朝晖路", "12", "303"), "other_unit"),
        (place("朝晖路", "12"), place("朝晖路", "14"), "other_number"),
        (place("朝晖路", "12"), place("朝辉路", "12"), "near"),
        (place("朝晖路", "12"), place("文二西街", "7"), "other_road"),
        (place("朝晖路", "12"), place(None, None), "city"),
        (place("朝晖路", "12"), place("朝晖路", "12", city="宁波市"), "elsewhere"),
        (place("朝晖路", "12"), place("朝晖路", "14", city="宁波市"), "other_city"),
        (place("朝晖路", "12", city=None), place("朝晖路", "12"), "number"),
        (place("朝晖路", "12", city=None), place("文二西街", "7"), "unlike"),
        (place("Mill Lane", "7", city=None), place("Oak Crescent", "7", city=None), "unlike"),
        (place("Mill Lane", "7", city=None), place(None, None), None),
        (place("Mill Lane", "12", city="Leeds"), place("Mill Ln", "12", city="Leeds"), "number"),
        (place(None, None), place(None, None, city=None), None),
        (code("DH4 5QU", city="Leeds"), code("DH4 5QU", city=None), "postal"),
        (code("DH4 5QU"), code("DH4 5QU", city="Leeds") | place("Mill Lane", "7"), "postal"),
        (code("DH4 5QU", city=None), code("DH4 4AU", city=None), "city"),
        (code("DH4 5QU", city=None), code("CR0 2PX", city=None), "other_city"),
        (
            code("DH4 5QU", city=None) | place("Mill Lane", "7", city=None),
            place("Oak Crescent", "7", city="Leeds"),
            "unlike",
        ),
    ],
)
def test_addresses(left: dict[str, Any], right: dict[str, Any], level: str | None) -> None:
    assert compare(person("张伟", **left), person("张伟", **right))["address"] == level
    assert compare(person("张伟", **right), person("张伟", **left))["address"] == level


@pytest.mark.parametrize(
    ("left", "right", "level", "veto"),
    [
        (branch("杭州分公司"), branch("杭州分公司"), "same", None),
        (branch("杭州"), branch("杭州分公司"), "same", None),
        (branch("杭州分公司"), branch("宁波分公司"), "other", "branch"),
        (branch("杭州分公司"), branch(None), "parent", "branch"),
        (branch("杭州分公司"), branch(None, form=None), None, None),
        (branch(None), branch(None), None, None),
        (branch("大同"), branch("大捅"), "same", None),
        (branch("宁波"), branch("宁海"), "other", "branch"),
        (branch("杭州"), branch(None, form=None) | {"org_region": "杭州"}, "same", None),
        (branch("杭州"), branch(None) | {"org_region": "杭州"}, "parent", "branch"),
    ],
)
def test_branches(
    left: dict[str, Any], right: dict[str, Any], level: str | None, veto: str | None
) -> None:
    result = compare(left, right)
    assert (result["branch"], result["veto"]) == (level, veto)


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ({"city": "Forest Hill"}, {"city": "Forets Hill"}, "number"),
        ({"city": "Forest Hill"}, {"city": "Rockdale"}, "elsewhere"),
        ({"street": "Allunga Woollum Street"}, {"street": "Woollum Street Allunga"}, "near"),
        ({"street": "Allunga Woollum Street"}, {"street": "Kirkland Circuit"}, "other_road"),
    ],
)
def test_slips_in_towns_and_words_in_another_order_are_no_other_address(
    left: dict[str, Any], right: dict[str, Any], level: str
) -> None:
    place = {"city": "Sale", "region": "NSW", "street": "Lance Avenue", "house_number": "26"}
    pair = person("Joel Ryan", **(place | left)), person("Joel Ryan", **(place | right))
    assert compare(*pair)["address"] == level


def test_roads_of_one_length_are_alike_whichever_record_comes_first() -> None:
    one, other = (
        person("Joel Ryan", **place(road, "12", city="Sale"))
        for road in ("Lake Nana Mana", "Lake Wood Mana")
    )
    assert compare(one, other)["address"] == compare(other, one)["address"] == "near"

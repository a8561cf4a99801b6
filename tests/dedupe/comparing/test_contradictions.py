"""Vetoes: what two records of one customer cannot say both."""

from datetime import date
from typing import Any

import pytest

from tests.dedupe.comparing.records import ORGANIZATIONS, compare, organization, person

BORN = {"birth_date": date(1980, 3, 4)}


MAIL = {"emails": ["hill@example.com"]}


HOME = {"city": "Portland", "street": "Cedar Road", "house_number": "12"}


PHONE = {"phones": ["+8613800138000"], "phone_keys": ["+8613800138000"]}


@pytest.mark.parametrize(
    ("left", "right", "veto"),
    [
        (person("张伟"), organization("张伟"), "type"),
        (
            person("张伟", id_keys=["ssn:900123456"]),
            person("张伟", id_keys=["ssn:911987654"]),
            "id",
        ),
        (
            person("张伟", birth_date=date(1980, 3, 4)),
            person("张伟", birth_date=date(1953, 7, 9)),
            "birth_date",
        ),
        (person("张伟"), person("张芳"), "given_name"),
        (person("张伟明"), person("张伟芳"), "sibling"),
        (person("Robert Hill Jr"), person("Robert Hill Sr"), "relative"),
        (person("张伟"), person("李芳"), "unlike"),
        (person("张伟", emails=["a@example.com"]), person("李芳", emails=["a@example.com"]), None),
        (ORGANIZATIONS["full"], ORGANIZATIONS["ningbo"], "sister"),
        (ORGANIZATIONS["full"], ORGANIZATIONS["food"], "sister"),
        (
            ORGANIZATIONS["full"] | {"id_keys": ["uscc:91350100M000100Y43"]},
            ORGANIZATIONS["food"] | {"id_keys": ["uscc:91350100M000100Y43"]},
            None,
        ),
        (ORGANIZATIONS["full"], ORGANIZATIONS["form"], None),
        (person("张伟明"), person("Zhang Weiming"), None),
    ],
)
def test_vetoes(left: dict[str, Any], right: dict[str, Any], veto: str | None) -> None:
    assert compare(left, right)["veto"] == veto
    assert compare(right, left)["veto"] == veto


def test_a_birth_date_alone_does_not_excuse_unlike_names() -> None:
    alone = compare(person("Jed Dulko", **BORN), person("Mary Quince", **BORN))
    phone = {"phones": ["+12025550143"], "phone_keys": ["+12025550143"], "phone_kinds": ["fixed"]}
    reached = compare(person("Jed Dulko", **BORN, **phone), person("Mary Quince", **BORN, **phone))
    assert (alone["veto"], reached["veto"]) == ("unlike", None)


@pytest.mark.parametrize(
    ("left", "right", "more", "veto"),
    [
        ("Caleb Challenor", "Nathan Challenor", BORN | HOME, "twins"),
        ("Caleb Challenor", "Nathan Challenor", BORN | HOME | MAIL, None),
        ("Eric Wang", "王济宪", BORN | HOME, None),
        ("Caleb Challenor", "Nathan Challenor", BORN, "given_name"),
        ("Caleb Challenor", "Nathan Challenor", HOME, "household"),
        ("John A Smith", "John B Smith", BORN, None),
        ("John A Smith", "John B Smith", HOME, "relative"),
        ("张伟明", "张伟峰", BORN, None),
        ("张伟明", "张伟峰", {}, "sibling"),
    ],
)
def test_a_birth_date_that_agrees_tells_a_slip_from_a_relative_but_for_twins(
    left: str, right: str, more: dict[str, Any], veto: str | None
) -> None:
    assert compare(person(left, **more), person(right, **more))["veto"] == veto


@pytest.mark.parametrize(
    ("left", "right", "home", "veto"),
    [
        (date(1960, 3, 4), date(1986, 7, 9), HOME, "birth_date_at_home"),
        (date(1960, 3, 4), date(1968, 7, 9), HOME, None),
        (date(1960, 3, 4), date(1968, 7, 9), {}, "birth_date"),
    ],
)
def test_one_name_at_one_address_is_two_people_only_a_generation_apart(
    left: date, right: date, home: dict[str, Any], veto: str | None
) -> None:
    pair = (person("Ann Lee", birth_date=left, **home), person("Ann Lee", birth_date=right, **home))
    assert compare(*pair)["veto"] == veto


def test_an_equal_identity_number_lets_a_given_name_differ() -> None:
    for keys, veto in ((["ssn:900123456"], None), (None, "given_name")):
        one = person("Caleb Challenor", id_keys=keys)
        assert compare(one, person("Nathan Challenor", id_keys=keys))["veto"] == veto


@pytest.mark.parametrize(
    ("left", "right", "veto"),
    [
        (person("张伟明", **PHONE), person("张伟峰", **PHONE), "household"),
        (person("王小明", **PHONE), person("王丽", **PHONE), "household"),
        (person("Robert Hill Jr", **HOME), person("Robert Hill", **HOME), "household"),
        (person("Robert Hill Jr", **HOME | MAIL), person("Robert Hill", **HOME | MAIL), None),
        (person("Robert Hill Jr"), person("Robert Hill"), None),
        (
            person("Robert Hill", id_keys=["ssn:900123456"], **PHONE),
            person("Robert Hill", id_keys=["ssn:911987654"], **PHONE),
            "id_at_home",
        ),
        (
            person("Rob Hill", id_keys=["ssn:900123456"], **PHONE | BORN),
            person("Robert Hill", id_keys=["ssn:911987654"], **PHONE | BORN),
            "id",
        ),
        (
            person("Robert Hill", id_keys=["ssn:900123456"]),
            person("Robert Hill", id_keys=["ssn:911987654"]),
            "id",
        ),
        (person("王小明", **PHONE), person("李丽", **PHONE), "housemates"),
        (person("Robert Hill", **HOME), person("Anna Lang", **HOME), "housemates"),
        (person("Robert Hill", **HOME | MAIL), person("Anna Lang", **HOME | MAIL), None),
        (person("Robert Hill"), person("Anna Lang"), "unlike"),
        (ORGANIZATIONS["full"] | PHONE, ORGANIZATIONS["food"] | PHONE, "group"),
        (ORGANIZATIONS["full"] | PHONE, ORGANIZATIONS["form"] | PHONE, None),
    ],
)
def test_people_of_one_home_and_sister_firms_who_share_reach_are_contradictions_of_their_own(
    left: dict[str, Any], right: dict[str, Any], veto: str | None
) -> None:
    assert compare(left, right)["veto"] == veto


def test_a_number_one_slip_away_does_not_outweigh_dates_that_differ_unless_the_name_is_the_same():
    anna = person("Anna Copeland", id_keys=["id:5628066"], birth_date=date(1967, 2, 3))
    other = {"id_keys": ["id:5928066"], "birth_date": date(1995, 4, 2)}
    assert compare(anna, person("Anna", **other))["veto"] == "birth_date"
    assert compare(anna, person("Anna Copeland", **other))["veto"] is None

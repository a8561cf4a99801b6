"""Levels of telephones, e-mails and contacts: how somebody is reached."""

from typing import Any

import pytest

from tests.dedupe.comparing.records import compare, organization, person, phones


def kinds_apart(mobile: str, line: str) -> dict[str, Any]:
    """Telephone columns of a record with a mobile number and a landline."""
    return phones(mobile, line) | {"phone_kinds": ["mobile", "fixed"]}


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (phones("+8613800000001"), phones("+8613800000001"), "mobile"),
        (phones("+8657187654321", kind="fixed"), phones("+8657187654321", kind="fixed"), "line"),
        (phones("+12025550143", kind="unknown"), phones("+12025550143", kind="unknown"), "shared"),
        (
            phones("+8657187654321", "+8657187654322", kind="fixed"),
            phones("+8657187654321", "+8657187654323", kind="fixed"),
            "household",
        ),
        (
            phones("+8613800000001", "+8613900000002"),
            phones("+8613800000001", "+8613900000003"),
            "mobile",
        ),
        (
            phones("+8613800000001", "+8613900000002"),
            phones("+8613900000002", "+8613800000001"),
            "two_shared",
        ),
        (phones("+8613800000001"), phones("+8613800000011"), "near"),
        (phones(local="87654321"), phones("+8657187654321", kind="fixed"), "near"),
        (phones("+12025550143", kind="unknown"), phones("+12025550143"), "mobile"),
        (phones("+8613800000001"), phones("+8615912345678"), "other_mobile"),
        (phones("+8613800000001"), kinds_apart("+8615912345678", "+8657187654321"), "other_mobile"),
        (
            kinds_apart("+8613800000001", "+8657185550123"),
            kinds_apart("+8615912345678", "+8657187654321"),
            "all_differ",
        ),
        (
            phones("+12025550143", kind="unknown"),
            phones("+442079460018", kind="fixed"),
            "none",
        ),
        (phones("+8613800000001"), phones("+8657187654321", kind="fixed"), "other_kind"),
        (phones("+8613800000001"), phones(), None),
    ],
)
def test_phones(left: dict[str, Any], right: dict[str, Any], level: str | None) -> None:
    for one, other in ((left, right), (right, left)):
        result = compare(person("张伟", **one), person("张伟", **other))
        assert result["phone"] == level


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("wei@example.com", "wei@example.com", "same"),
        ("weiming@example.com", "weimng@example.com", "near"),
        ("wei1980@example.com", "wei1981@example.com", "domain"),
        ("zhangweiming@example.com", "zhangweiming@example.org", "local_part"),
        ("info@example.com", "info@example.org", "different"),
        ("wei@example.com", None, None),
    ],
)
def test_emails(left: str, right: str | None, level: str | None) -> None:
    result = compare(
        person("张伟", emails=[left]), person("张伟", emails=[right] if right else None)
    )
    assert result["email"] == level


def test_a_domain_of_many_owners_is_no_company() -> None:
    surnames = "张王李赵陈刘杨黄周吴徐孙马朱胡"
    crowd = [person(f"{c}伟", emails=[f"x{n}@mail.example"]) for n, c in enumerate(surnames)]
    assert compare(*crowd)["email"] == "different"


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ({"contact_name": "王丽"}, {"legal_representative": "王丽"}, "same"),
        ({"contact_name": "王丽"}, {"contact_name": "Wang Li"}, "same"),
        ({"contact_name": "王经理"}, {"contact_name": "王丽"}, "near"),
        ({"contact_name": "王丽"}, {"contact_name": "赵强"}, "different"),
        ({"contact_name": "王丽"}, {}, None),
    ],
)
def test_contacts(left: dict[str, Any], right: dict[str, Any], level: str | None) -> None:
    assert compare(organization("远山", **left), organization("远山", **right))["contact"] == level


def test_one_shared_number_among_others_is_a_household() -> None:
    def phone(*numbers: str) -> dict[str, Any]:
        return phones(*numbers, kind="fixed")

    home, his, hers = "+12025550143", "+12025550171", "+12025550182"
    level = compare(person("Ann Lee", **phone(home, his)), person("Al Lee", **phone(home, hers)))
    assert level["phone"] == "household"
    level = compare(person("Ann Lee", **phone(home, his)), person("Ann Lee", **phone(home)))
    assert level["phone"] == "line"


def test_a_number_that_hundreds_have_is_as_good_as_missing() -> None:
    phone = {"phones": ["+12025550143"], "phone_keys": ["+12025550143"], "phone_kinds": ["fixed"]}
    for count, level in ((300, "line"), (301, None)):
        assert compare(*[person("Ann Lee", **phone) for _ in range(count)])["phone"] == level

"""Person or organization: by table and by claim."""

import csv
from datetime import date
from pathlib import Path

import pytest

from rules.customer_type import infer

CASES = list(
    csv.DictReader(
        (Path(__file__).parent.parent / "cases" / "customer_types.csv").open(encoding="utf-8")
    )
)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_name_tells_the_type(case):
    assert infer(case["name"]) == case["customer_type"]


def test_identity_number_decides_over_the_name():
    assert infer("映龙网络", national_id_kind="cn_ric") == "person"
    assert infer("张伟", tax_id_kind="cn_uscc") == "organization"


def test_contact_points_to_an_organization_unless_it_is_the_same_person():
    assert infer("和美", contact_name="李四") == "organization"
    assert infer("李四", contact_name="李四") == "person"


def test_employer_and_birth_date_point_to_a_person():
    assert infer("惠江", employer_name="映龙网络") == "person"
    assert infer("Summit Harbor", birth_date=date(1980, 1, 2)) == "person"


def test_empty_name_is_held_to_be_a_person():
    assert infer(None) == infer("") == "person"


def test_a_family_name_without_title_is_rather_a_firm_named_after_its_owner():
    assert infer("Davis") == infer("Murphy") == "organization"
    assert infer("Mr. Davis") == infer("Davis", birth_date=date(1980, 1, 2)) == "person"
    assert infer("Jessica") == "person"

"""Person or organization: by table and by claim."""

import csv
from datetime import date
from pathlib import Path

import pytest

from rules.customer_type import infer, usual

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


_PEOPLE = [f"{given} {family}" for given in ("James", "Mary", "Linda", "John", "Susan")
           for family in ("Smith", "Taylor", "Brown", "Davis", "Clark", "Lewis", "Hall",
                          "Young", "King", "Wright", "Baker", "Green")]  # fmt: skip
_FIRMS = [f"{place} {kind}" for place in ("Harbor", "Summit", "Orchard", "Riverside", "Maple")
          for kind in ("Cafe", "Bakery", "Tools Ltd", "Foods Inc", "Hardware", "Hotel", "Bistro",
                       "Motors LLC", "Pharmacy", "Clinic", "Travel Inc", "Bank")]  # fmt: skip


def test_what_most_names_of_a_column_are_tells_of_one_that_may_be_either():
    either = "Mart Deese"  # by itself rather a firm
    assert infer(either, usual=usual(_PEOPLE)) == "person"
    assert infer("Arcadia", usual=usual(_FIRMS)) == "organization"
    assert infer("Harbor Tools Ltd", usual=usual(_PEOPLE)) == "organization"
    assert infer("Mary Smith", birth_date=date(1980, 2, 3), usual=usual(_FIRMS)) == "person"


def test_a_mixed_or_short_column_tells_nothing_and_order_is_no_matter():
    assert usual(_PEOPLE[:40] + _FIRMS[:40]) == 0.0
    assert usual(_PEOPLE[:20]) == 0.0
    assert usual(_FIRMS[::-1]) == usual(_FIRMS) > 0

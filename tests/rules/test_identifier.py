"""Claims about rules/identifier.py; most stand as rows in tests/cases/identifiers.csv."""

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules import identifier, tables
from rules.identifiers import greater_china, registration, resident

CASES = Path(__file__).parents[1] / "cases" / "identifiers.csv"
PLACES = [head + tail for head, tails in tables.rows("place_codes") for tail in tails.split(" ")]


def _rows() -> list[dict[str, str]]:
    with CASES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["note"])
def test_written_form_becomes(row: dict[str, str]) -> None:
    found = identifier.parse(
        row["text"], country=row["country"], customer_type=row["customer_type"] or None
    )
    assert (found.kind or "") == row["kind"]
    assert (found.value or "") == row["value"]
    assert "|".join(problem.rule for problem in found.problems) == row["rules"]


@st.composite
def residents(draw: st.DrawFn) -> str:
    """Valid resident numbers of invented people born between 1900 and 1999."""
    place = draw(st.sampled_from(PLACES))
    born = draw(st.dates(date(1900, 1, 1), date(1999, 12, 31)))
    first17 = f"{place}{born:%Y%m%d}{draw(st.integers(0, 995)):03d}"
    return first17 + resident.check_character(first17)


@given(residents())
def test_old_new_and_spreadsheet_forms_share_a_key(number: str) -> None:
    new = identifier.parse(number, customer_type="person")
    old = identifier.parse(number[:6] + number[8:17], customer_type="person")
    cut = identifier.parse(number[:15] + "000", customer_type="person")
    assert old.value == new.value == number
    assert set(old.keys) == set(new.keys)
    assert set(cut.keys) & set(new.keys)


@given(residents())
def test_birth_date_and_sex_come_from_the_number(number: str) -> None:
    found = identifier.parse(number)
    assert found.birth_date == date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    assert found.sex == ("M" if int(number[16]) % 2 else "F")


@given(residents(), st.integers(0, 17), st.integers(1, 9))
def test_one_wrong_digit_never_passes(number: str, at: int, shift: int) -> None:
    digit = "0123456789"[((0 if number[at] == "X" else int(number[at])) + shift) % 10]
    wrong = number[:at] + digit + number[at + 1 :]
    if wrong != number:
        found = identifier.parse(wrong, customer_type="person")
        assert found.value is None
        assert found.problems[0].severity == "error"
        assert found.keys


@given(st.from_regex(r"9[1-3]1101050[0-9A-HJ-NPQRTUWXY]{8}", fullmatch=True))
def test_credit_code_organization_code_and_old_tax_number_share_a_key(first: str) -> None:
    assume(len(set(first[8:16])) > 2)
    code = first[8:16] + registration.code_check(first[8:16])
    full = first[:8] + code
    full += registration.credit_check(full)
    found = identifier.parse(full, customer_type="organization")
    assert found.value == full
    assert found.org_code == code
    for other in (code, f"{code[:8]}-{code[8]}", first[2:8] + code):
        keys = identifier.parse(other, customer_type="organization").keys
        assert set(keys) & set(found.keys)


@given(st.from_regex(r"[1-6][0-9]{13}", fullmatch=True))
def test_license_check_digit_is_confirmed(first14: str) -> None:
    number = first14 + registration.license_check(first14)
    assert registration.is_license(number)
    assert not registration.is_license(first14 + str((int(number[14]) + 1) % 10))


@given(st.from_regex(r"[0-9]{7}", fullmatch=True))
def test_two_in_ten_endings_make_a_business_number(first7: str) -> None:
    valid = [d for d in "0123456789" if greater_china.is_tw_business(first7 + d)]
    assert len(valid) >= 2 or first7 == "0000000"


@given(
    st.text(max_size=40),
    st.sampled_from(["CN", "HK", "TW", "MO", "US", "GB", "DE"]),
    st.sampled_from([None, "person", "organization"]),
)
def test_any_text_is_read_without_raising(text: str, country: str, kind: str | None) -> None:
    found = identifier.parse(text, country=country, customer_type=kind)
    assert all(":" in key for key in found.keys)
    assert found.value is None or found.keys


@pytest.mark.parametrize("digit", ["１", "𝟏", "١"])
def test_digits_of_any_script_are_read(digit: str) -> None:
    text = "11010519491231002X".replace("1", digit)
    assert identifier.parse(text).value == "11010519491231002X"


def test_unlisted_place_is_only_a_warning() -> None:
    first17 = "99999919491231002"
    found = identifier.parse(first17 + resident.check_character(first17))
    assert found.value is not None
    assert [p.severity for p in found.problems] == ["warning"]


def test_slip_outside_the_organization_code_leaves_its_key() -> None:
    found = identifier.parse("92350100M000100Y43", customer_type="organization")
    assert found.value is None
    assert "org:M000100Y4" in found.keys


def test_person_reads_fifteen_digits_as_identity_and_organization_as_registration() -> None:
    text = next(n for i in range(1000) if registration.is_license(n := f"110105491231{i:03d}"))
    assert identifier.parse(text, customer_type="person").kind == "cn_ric"
    assert identifier.parse(text, customer_type="organization").kind == "cn_license"

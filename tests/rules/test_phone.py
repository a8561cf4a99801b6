"""Claims about rules/phone.py; most stand as rows in tests/cases/phones.csv."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import phone

CASES = Path(__file__).parents[1] / "cases" / "phones.csv"


def _rows() -> list[dict[str, str]]:
    with CASES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["note"])
def test_written_form_becomes(row: dict[str, str]) -> None:
    found = phone.parse(row["text"], country=row["country"], city=row["city"] or None)
    assert "|".join(number.e164 for number in found.numbers) == row["numbers"]
    assert "|".join(number.kind for number in found.numbers) == row["kinds"]
    assert "|".join(number.extension for number in found.numbers) == row["extensions"]
    assert "|".join(problem.rule for problem in found.problems) == row["rules"]
    if row["keys"]:
        assert "|".join(found.keys) == row["keys"]
    else:
        assert list(found.keys) == [number.e164 for number in found.numbers]


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["{}", "+86{}", "0086 {}"])
)
def test_mobile_written_with_or_without_country_code_is_one_number(digits: str, form: str) -> None:
    plain = phone.parse(digits)
    assert phone.parse(form.format(digits)).numbers == plain.numbers
    assert plain.problems or plain.numbers[0].e164 == "+86" + digits


@given(st.text(max_size=60), st.sampled_from(["CN", "HK", "TW", "MO", "US", "GB", "DE"]))
def test_any_text_is_read_without_raising(text: str, country: str) -> None:
    found = phone.parse(text, country=country)
    assert all(n.e164.startswith("+") and n.e164[1:].isdigit() for n in found.numbers)
    assert {n.key for n in found.numbers} <= set(found.keys)


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_number_in_full_does_not_depend_on_the_country(text: str) -> None:
    if not text.startswith("+86"):
        found = [phone.parse(text, country=c).numbers for c in ("CN", "US", "GB")]
        assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("country", ["CN", "DE", "GB"])
@pytest.mark.parametrize("text", ["+49 151 23456789", "+49 (0)151 23456789"])
def test_number_of_another_country_is_no_chinese_mobile(text: str, country: str) -> None:
    assert [n.e164 for n in phone.parse(text, country=country).numbers] == ["+4915123456789"]
    both = phone.parse(f"{text} / 138 0013 8001", country=country)
    assert {n.e164 for n in both.numbers} == {"+4915123456789", "+8613800138001"}


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("212/555-0123", "US", ["+12125550123"]),
        ("030/1234567", "DE", ["+49301234567"]),
        ("+49 30 / 12 34 567", "DE", ["+49301234567"]),
        ("0571/87654321", "CN", ["+8657187654321"]),
        ("212/555-0123/24", "US", ["+12125550123"]),
        ("404-555-0100/404-555-0101", "US", ["+14045550100", "+14045550101"]),
        ("01 42 68 53 00/06 12 34 56 78", "FR", ["+33142685300", "+33612345678"]),
    ],
)
def test_a_slash_after_the_area_code_is_no_separator(text, country, expected):
    assert [n.e164 for n in phone.parse(text, country=country).numbers][:2] == expected

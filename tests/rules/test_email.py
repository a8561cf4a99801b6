"""Claims about rules/email.py; most stand as rows in tests/cases/emails.csv."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import email, tables

CASES = Path(__file__).parents[1] / "cases" / "emails.csv"


def _rows() -> list[dict[str, str]]:
    with CASES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["note"])
def test_written_form_becomes(row: dict[str, str]) -> None:
    found = email.parse(row["text"])
    assert "|".join(found.addresses) == row["addresses"]
    assert "|".join(problem.rule for problem in found.problems) == row["rules"]


@given(st.text(max_size=60))
def test_any_text_is_read_without_raising(text: str) -> None:
    found = email.parse(text)
    assert all(address.count("@") >= 1 for address in found.addresses)


@given(st.from_regex(r"[a-z]{3,9}\.[a-z]{3,9}[2-9]@(gmail|qq|outlook)\.com", fullmatch=True))
def test_reading_an_address_again_changes_nothing(address: str) -> None:
    assert email.parse(email.parse(address.upper()).addresses[0]).addresses == (address,)


def test_no_correct_domain_is_listed_as_misspelled() -> None:
    pairs = tables.rows("email_domains")
    assert not {wrong for wrong, _ in pairs} & {right for _, right in pairs}

"""Claims about rules/dates.py; most stand as rows in tests/cases/dates.csv."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import dates

CASES = Path(__file__).parents[1] / "cases" / "dates.csv"


def _rows() -> list[dict[str, str]]:
    with CASES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["note"])
def test_written_form_becomes(row: dict[str, str]) -> None:
    found = dates.parse(
        row["text"], day_first=row["day_first"] == "yes", latest=date.fromisoformat(row["latest"])
    )
    assert (found.value.isoformat() if found.value else "") == row["value"]
    assert "|".join(problem.rule for problem in found.problems) == row["rules"]


@given(
    st.dates(date(1900, 3, 1), date(2025, 12, 31)),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%d %B %Y", "%b %d, %Y"]),
)
def test_date_survives_its_written_form(day: date, form: str) -> None:
    assert dates.parse(day.strftime(form)).value == day


@given(st.dates(date(1927, 1, 1), date(2025, 12, 31)))
def test_declared_two_digit_year_finds_the_latest_century(day: date) -> None:
    found = dates.parse(day.strftime("%y%m%d"), formats=("YYMMDD",), latest=date(2026, 1, 1))
    assert (found.value, found.problems) == (day, ())


@given(st.text(max_size=40))
def test_any_text_is_read_without_raising(text: str) -> None:
    dates.parse(text)
    dates.parse_timestamp(text)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2023-01-13T20:29:00Z", "UTC", datetime(2023, 1, 13, 20, 29, tzinfo=UTC)),
        ("2023-01-13T20:29:00+08:00", "UTC", datetime(2023, 1, 13, 12, 29, tzinfo=UTC)),
        ("2023-01-13T20:29:00-0530", "UTC", datetime(2023, 1, 14, 1, 59, tzinfo=UTC)),
        ("2023-01-13 20:29:00", "Asia/Shanghai", datetime(2023, 1, 13, 12, 29, tzinfo=UTC)),
        ("2023-01-13 20:29:00.123", "UTC", datetime(2023, 1, 13, 20, 29, 0, 123000, tzinfo=UTC)),
        ("2023/1/13 下午8:29", "UTC", datetime(2023, 1, 13, 20, 29, tzinfo=UTC)),
        ("1/13/2023 8:29 PM", "UTC", datetime(2023, 1, 13, 20, 29, tzinfo=UTC)),
        ("20230113202900", "UTC", datetime(2023, 1, 13, 20, 29, tzinfo=UTC)),
        ("2023-01-13", "UTC", datetime(2023, 1, 13, tzinfo=UTC)),
        ("1673641740", "UTC", datetime(2023, 1, 13, 20, 29, tzinfo=UTC)),
        ("0000-00-00 00:00:00", "UTC", None),
    ],
)
def test_moment_is_told_in_utc(text: str, zone: str, expected: datetime | None) -> None:
    assert dates.parse_timestamp(text, zone=zone).value == expected

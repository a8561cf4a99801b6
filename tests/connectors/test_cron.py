"""Cron lines: which are right, and how long they leave a source alone."""

from datetime import timedelta

import pytest

from connectors.cron import is_cron, longest_gap
from connectors.durations import parse, shown


@pytest.mark.parametrize(
    "line", ["*/0 * * * *", "5-2 * * * *", "* * * * 8", "* * 0 * *", "1,,2 * * * *", "* * * *"]
)
def test_a_wrong_line_is_refused(line: str) -> None:
    assert not is_cron(line)


def test_a_line_that_never_comes_round_has_no_gap() -> None:
    assert longest_gap("0 0 30 2 *") is None


def test_a_leap_day_comes_every_four_years() -> None:
    assert longest_gap("0 0 29 2 *") == timedelta(days=1461)


@pytest.mark.parametrize(
    ("line", "gap"),
    [
        ("*/5 * * * *", "5m"),
        ("7,40 * * * *", "33m"),
        ("0 */6 * * *", "6h"),
        ("0 22,3 * * *", "19h"),
        ("30 2 * * *", "1d"),
        ("15 8-18 * * *", "14h"),
        ("*/15 8-18 * * mon-fri", "2d 13h"),
        ("0 6 * * 0", "7d"),
        ("0 6 * * 7", "7d"),
        ("0 0 1 * *", "31d"),
        ("0 0 31 * *", "61d"),
        ("0 2 1,15 * mon", "7d"),
        ("0 2 */10 * *", "10d"),
        ("0 0 1 mar *", "366d"),
    ],
)
def test_the_gap_is_the_longest_time_between_two_moments(line: str, gap: str) -> None:
    found = longest_gap(line)
    assert found is not None
    assert shown(found) == gap


@pytest.mark.parametrize("text", ["26", "h", "-3h", "0h", "1.5h", "26 hours", ""])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 26h"):
        parse(text)


def test_a_length_of_time_is_shown_in_its_largest_units() -> None:
    assert shown(parse("26h")) == "1d 2h"
    assert shown(timedelta(hours=3, minutes=20, seconds=59)) == "3h 20m"

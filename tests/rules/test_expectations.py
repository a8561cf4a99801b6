"""Great Expectations is loaded without what is seldom used, and compares dates as they are."""

import gc
import importlib
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pandas as pd
import pytest

from rules import expectations
from rules.expectations import Expectation


@pytest.mark.parametrize("unit", ["us", "ns"])
def test_days_of_any_century_are_compared(unit):
    days = [datetime(1960, 1, 2, tzinfo=UTC), None, datetime(2024, 2, 29, tzinfo=UTC)]
    if unit == "us":
        days.append(datetime(1066, 10, 14, tzinfo=UTC))
    frame = pd.DataFrame({"day": pd.Series(days, dtype=f"datetime64[{unit}, UTC]")})
    between = {"column": "day", "min_value": datetime(1961, 1, 1, tzinfo=UTC)}
    (found,) = expectations.run(
        frame, [Expectation("day_range", "expect_column_values_to_be_between", between)]
    )
    assert found.failing == ((0, 3) if unit == "us" else (0,))
    assert found.evaluated == len(days) - 1


def test_a_module_left_out_cannot_be_imported_until_the_end():
    assert "antigravity" not in sys.modules
    with expectations._left_out(("antigravity", "json")):
        import json  # loaded already, so that it is not left out

        with pytest.raises(ImportError):
            importlib.import_module("antigravity")
        assert json.loads("1") == 1
    assert "antigravity" not in sys.modules


_FILLED = Expectation("filled", "expect_column_values_to_not_be_null", {"column": "value"})


def test_frames_checked_at_once_and_one_after_another_are_told_apart():
    frames = [
        pd.DataFrame({"value": [None if row == number else "x" for row in range(4)]})
        for number in range(4)
    ]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda frame: expectations.run(frame, [_FILLED]), frames))
    assert [one.failing for (one,) in found] == [(0,), (1,), (2,), (3,)]


def test_a_frame_is_let_go_when_it_was_checked():
    frame = pd.DataFrame({"value": ["x", None]})
    held = weakref.ref(frame)
    expectations.run(frame, [_FILLED])
    del frame
    gc.collect()
    assert held() is None

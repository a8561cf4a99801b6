"""Asking about distinct values gives what asking about every record gives."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import compact
from rules.expectations import Expectation, run
from rules.suite_rules import Rule, columns_of

REGEX, UNIQUE = "expect_column_values_to_match_regex", "expect_column_values_to_be_unique"
EQUAL, NULL = "expect_column_pair_values_to_be_equal", "expect_column_values_to_be_null"
RULES = [
    Rule(Expectation(name, type_, kwargs), "check", columns_of(kwargs), "", "")
    for name, type_, kwargs in (
        ("a_form", REGEX, {"column": "a", "regex": "^x"}),
        ("b_form", REGEX, {"column": "b", "regex": "^x"}),
        ("b_other", REGEX, {"column": "b", "regex": "y$"}),
        ("a_null", NULL, {"column": "a"}),
        ("c_null", NULL, {"column": "c"}),
        ("a_once", UNIQUE, {"column": "a"}),
        ("same", EQUAL, {"column_A": "a", "column_B": "b"}),
        ("more", EQUAL, {"column_A": "b", "column_B": "c"}),
    )
]
cells = st.sampled_from(["x", "y", "xy", "z", None])


def every_record(table: pa.Table, rules: Sequence[Rule]) -> dict[str, list[int]]:
    results = run(table.to_pandas(), [rule.expectation for rule in rules])
    return {r.expectation.name: list(one.failing) for r, one in zip(rules, results, strict=True)}


@settings(max_examples=10)
@given(rows=st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12))
def test_a_record_fails_what_its_values_fail(rows: list[tuple[str | None, ...]]) -> None:
    columns = zip(*rows, strict=True)
    table = pa.table([pa.array(one, pa.string()) for one in columns], names=["a", "b", "c"])
    found = compact.failing({name: table[name] for name in "abc"}, RULES, len(rows))
    assert {name: own.tolist() for name, own in found.items()} == every_record(table, RULES)


def test_alike_questions_and_repeated_values_are_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int]] = []

    def counting(frame: object, expectations: Sequence[Expectation]) -> object:
        asked.append((len(frame), len(expectations)))  # type: ignore[arg-type]
        return run(frame, expectations)  # type: ignore[arg-type]

    monkeypatch.setattr(compact, "run", counting)
    columns = {name: pa.array(["x", "q"] * 500) for name in "abc"}
    found = compact.failing(columns, RULES[:3], 1000)
    assert asked == [(4, 2)]
    assert np.array_equal(found["b_form"], np.arange(1, 1000, 2))

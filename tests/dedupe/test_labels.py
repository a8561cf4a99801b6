"""Labels: what people said about pairs is taken as known, once per pair."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe import labels
from onefold.errors import OnefoldError

RECORDS = pa.table({"record_id": ["a", "b", "c", "d"]})


def said(*rows: tuple[str | None, str | None, bool | None]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [[], [], []]
    return pa.table([list(column) for column in columns], schema=labels.SCHEMA)


def test_only_answers_about_two_known_records_count_and_each_pair_once():
    table = said(
        ("b", "a", True), ("a", "b", True), ("a", "a", True), ("a", "gone", True), ("c", "d", None)
    )
    assert labels.usable(table, RECORDS).to_pylist() == [
        {"left_id": "a", "right_id": "b", "is_match": True}
    ]


def test_a_pair_that_was_labeled_both_ways_is_not_known():
    table = said(("a", "b", True), ("b", "a", False), ("c", "d", False))
    found = labels.usable(table, RECORDS)
    assert found.column("left_id").to_pylist() == ["c"]


def test_a_file_without_the_columns_is_refused_by_name():
    with pytest.raises(OnefoldError, match="is_match"):
        labels.usable(pa.table({"left_id": ["a"], "right_id": ["b"]}), RECORDS)


def test_links_and_no_links_are_labels_and_overrides_are_not():
    decisions = pa.table(
        {
            "decision_id": ["1", "2", "3"],
            "kind": ["link", "no_link", "override"],
            "left_id": ["a", "b", None],
            "right_id": ["b", "c", None],
        }
    )
    found = labels.of_decisions(decisions)
    assert found.to_pylist() == [
        {"left_id": "a", "right_id": "b", "is_match": True},
        {"left_id": "b", "right_id": "c", "is_match": False},
    ]
    assert found.schema == labels.SCHEMA


@given(
    st.dictionaries(
        st.sampled_from([("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")]), st.booleans()
    ),
    st.permutations([("a", "b"), ("a", "c"), ("a", "d"), ("b", "c")]),
)
def test_every_label_is_aligned_with_its_pair_or_reported_missing(answers, pairs):
    table = labels.usable(said(*((*pair, answer) for pair, answer in answers.items())), RECORDS)
    candidates = pa.table({"left_id": [p[0] for p in pairs], "right_id": [p[1] for p in pairs]})
    known = labels.align(table, candidates)
    for pair, value in zip(pairs, known, strict=True):
        assert np.isnan(value) if pair not in answers else value == answers[pair]
    unseen = labels.not_in(table, candidates).to_pylist()
    assert {(row["left_id"], row["right_id"]) for row in unseen} == set(answers) - set(pairs)

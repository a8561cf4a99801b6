"""Suggestion ids."""

import pytest

from warehouse.golden_tables import suggestion_id


@pytest.mark.parametrize(
    "other", [("split", "a:1", "b:1"), ("merge", "a:1", "b:2"), ("merge", "a:1b", ":1")]
)
def test_a_suggestion_id_tells_kind_and_pair_apart(other):
    assert suggestion_id("merge", "a:1", "b:1") != suggestion_id(*other)


def test_a_suggestion_id_does_not_depend_on_the_side():
    assert suggestion_id("merge", "a:1", "b:1") == suggestion_id("merge", "b:1", "a:1")

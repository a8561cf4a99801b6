"""Scores against a truth, checked by hand and against counting every pair."""

from itertools import combinations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.evaluation import evaluate
from onefold.errors import OnefoldError


def crosswalk(*rows, column="golden_id"):
    return pa.table(
        {
            "source": [row[0] for row in rows],
            "source_key": [row[1] for row in rows],
            "position": pa.array([row[2] for row in rows], pa.string()),
            column: [row[3] for row in rows],
        }
    )


def truth(*rows):
    return pa.table(
        {
            "source": [row[0] for row in rows],
            "source_key": [row[1] for row in rows],
            "entity_id": [row[2] for row in rows],
        }
    )


def test_pairs_and_b_cubed_by_hand():
    result = evaluate(
        crosswalk(*(("erp", key, None, g) for key, g in zip("abcde", "11122", strict=True))),
        truth(*(("erp", key, e) for key, e in zip("abcde", "xxyyy", strict=True))),
    )
    assert (result.found_pairs, result.true_pairs, result.right_pairs) == (4, 4, 2)
    assert result.precision == result.recall == result.f1 == 0.5
    assert result.b_cubed_precision == pytest.approx((2 * 2 / 3 + 1 / 3 + 2) / 5)
    assert result.b_cubed_recall == pytest.approx((2 + 1 / 3 + 2 * 2 / 3) / 5)
    assert (result.records, result.clusters, result.entities) == (5, 2, 2)


def test_spreadsheet_records_are_found_by_position():
    result = evaluate(
        crosswalk(("excel", "k1", "a.xlsx|S|5", "G1"), ("erp", "7", "12", "G1")),
        truth(("excel", "a.xlsx|S|5", "x"), ("erp", "7", "x")),
    )
    assert result.f1 == 1.0 and result.records == 2 and result.only_in_result == 0


def test_records_missing_on_either_side_are_counted():
    result = evaluate(
        crosswalk(("erp", "a", None, "G1"), ("erp", "extra", None, "G1")),
        truth(("erp", "a", "x"), ("erp", "b", "x")),
    )
    assert (result.only_in_result, result.only_in_truth) == (1, 1)
    assert (result.found_pairs, result.recall, result.precision) == (0, 0.0, 1.0)


def test_merged_hard_negatives_are_shared_clusters_of_entities():
    result = evaluate(
        crosswalk(*(("erp", key, None, g) for key, g in zip("abcd", "1123", strict=True))),
        truth(*(("erp", key, e) for key, e in zip("abcd", "wxyz", strict=True))),
        pa.table({"entity_a": ["w", "x", "y", "y"], "entity_b": ["x", "w", "z", "unseen"]}),
    )
    assert (result.hard_negatives, result.hard_negatives_merged) == (2, 1)
    assert result.hard_negatives_merged_share == 0.5


def test_cluster_id_may_stand_for_golden_id():
    rows = (("erp", "a", None, "a"), ("erp", "b", None, "a"))
    result = evaluate(
        crosswalk(*rows, column="cluster_id"), truth(("erp", "a", "x"), ("erp", "b", "x"))
    )
    assert result.f1 == 1.0


def test_no_common_record_is_an_error_and_not_a_score():
    with pytest.raises(OnefoldError, match=r"no record in common.*erp.*crm"):
        evaluate(crosswalk(("erp", "a", None, "1")), truth(("crm", "a", "x")))


def test_a_missing_column_is_named():
    with pytest.raises(OnefoldError, match="entity_id"):
        evaluate(
            crosswalk(("erp", "a", None, "1")), pa.table({"source": ["erp"], "source_key": ["a"]})
        )


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=25))
def test_scores_equal_counting_every_pair(rows):
    result = evaluate(
        crosswalk(*(("s", str(i), None, f"g{g}") for i, (g, _) in enumerate(rows))),
        truth(*(("s", str(i), f"e{e}") for i, (_, e) in enumerate(rows))),
    )
    pairs = list(combinations(rows, 2))
    found = [pair for pair in pairs if pair[0][0] == pair[1][0]]
    true = [pair for pair in pairs if pair[0][1] == pair[1][1]]
    right = [pair for pair in found if pair[0][1] == pair[1][1]]
    assert (result.found_pairs, result.true_pairs) == (len(found), len(true))
    assert result.right_pairs == len(right)
    assert 0.0 <= result.f1 <= 1.0 and 0.0 < result.b_cubed_f1 <= 1.0

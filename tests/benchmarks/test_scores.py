import pyarrow as pa
import pytest

from benchmarks import scores


def clusters(**of: str) -> pa.Table:
    return pa.table({"record_id": list(of), "cluster_id": list(of.values())})


TRUTH = pa.table({"record_id": list("abcde"), "entity_id": ["X", "X", "Y", "Y", "Y"]})
HARD = pa.table({"entity_a": ["X"], "entity_b": ["Y"]})


def test_scores_of_a_small_example_are_those_worked_out_by_hand() -> None:
    # Clusters abc and de; entities ab and cde. Pairs found: ab ac bc de; true: ab cd ce de.
    found = scores.score(clusters(a="1", b="1", c="1", d="2", e="2"), TRUTH, HARD)
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    # Of a record's cluster its own: a 2/3, b 2/3, c 1/3, d 1, e 1; of its entity: 1 1 1/3 2/3 2/3.
    assert found.b_cubed_precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert found.b_cubed_recall == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)
    assert found.b_cubed_f1 == pytest.approx(11 / 15)
    assert (found.hard_negatives, found.hard_negatives_merged) == (1, 1)


def test_the_truth_itself_is_right() -> None:
    found = scores.score(clusters(a="1", b="1", c="2", d="2", e="2"), TRUTH, HARD)
    assert (found.f1, found.b_cubed_f1, found.hard_negatives_merged) == (1, 1, 0)


def test_a_record_that_a_tool_leaves_out_is_a_cluster_of_its_own() -> None:
    found = scores.score(clusters(a="1", b="1", d="2", e="2"), TRUTH)
    assert found.only_in_truth == 1
    assert (found.precision, found.recall) == (1, 0.5)


def test_order_of_records_does_not_matter() -> None:
    one = clusters(a="1", b="1", c="1", d="2", e="2")
    assert scores.score(one.take([4, 2, 0, 1, 3]), TRUTH) == scores.score(one, TRUTH)

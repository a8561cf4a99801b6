"""Predictions against a truth: by hand, and on predictions that are right by construction."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedupe.calibration import BINS, FEW_PAIRS, calibrate, reliability, wilson
from onefold.errors import OnefoldError


def test_a_bin_holds_its_pairs_mean_and_share() -> None:
    measured = reliability(np.array([0.91, 0.95, 0.99, 0.2]), np.array([True, True, False, False]))
    top = measured.bins[9]
    assert (top.pairs, measured.bins[2].pairs, measured.true_pairs) == (3, 1, 2)
    assert top.predicted == pytest.approx(0.95)
    assert top.observed == pytest.approx(2 / 3)
    assert top.gap == pytest.approx(0.95 - 2 / 3)
    assert measured.bins[5].observed is None


def test_probability_one_falls_in_the_last_bin() -> None:
    assert reliability(np.array([1.0]), np.array([True])).bins[9].pairs == 1


def test_predictions_that_hold_have_a_small_gap_and_inflated_ones_a_large_one() -> None:
    generator = np.random.default_rng(7)
    probability = generator.random(50_000)
    same = generator.random(50_000) < probability
    assert reliability(probability, same).largest_gap < 0.03
    assert reliability(np.sqrt(probability), same).largest_gap > 0.15


def test_a_bin_of_few_pairs_is_not_judged() -> None:
    few = reliability(np.full(FEW_PAIRS - 1, 0.9), np.zeros(FEW_PAIRS - 1, dtype=bool))
    enough = reliability(np.full(FEW_PAIRS, 0.9), np.zeros(FEW_PAIRS, dtype=bool))
    assert few.largest_gap == 0.0
    assert enough.largest_gap == pytest.approx(0.9)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_every_pair_is_in_one_bin_and_the_lowest_cut_loses_no_pair_above_it(
    pairs: list[tuple[float, bool]],
) -> None:
    probability, same = np.array([p for p, _ in pairs]), np.array([s for _, s in pairs])
    measured = reliability(probability, same)
    assert len(measured.bins) == BINS
    assert sum(one.pairs for one in measured.bins) == len(pairs) == measured.pairs
    above = [cut.pairs for cut in measured.cuts]
    assert above == sorted(above, reverse=True)
    assert above[0] == int((probability >= 0.1).sum())
    for one in measured.bins:
        if one.observed is not None:
            assert one.lower <= one.observed + 1e-9
            assert one.observed <= one.upper + 1e-9


def test_interval_narrows_with_count() -> None:
    low, high = wilson(0.5, 10)
    lower, higher = wilson(0.5, 1000)
    assert low < lower < 0.5 < higher < high


def test_pairs_of_the_same_two_customers_are_one_answer() -> None:
    probability, same = np.full(400, 0.5), np.repeat([True, False, False, False], 100)
    alone = reliability(probability, same).bins[5]
    together = reliability(probability, same, np.repeat(np.arange(4), 100)).bins[5]
    assert (alone.independent, together.independent) == (400, 4)
    assert together.upper - together.lower > alone.upper - alone.lower
    assert alone.beyond_chance > 0.15
    assert together.beyond_chance == 0.0


def test_ten_bins_of_predictions_that_hold_are_rarely_off_beyond_chance() -> None:
    generator = np.random.default_rng(11)
    beyond = 0
    for _ in range(200):
        probability = generator.random(300)
        measured = reliability(probability, generator.random(300) < probability)
        beyond += measured.largest_beyond_chance > 0
    assert beyond <= 20


def test_a_bias_is_beyond_chance_only_with_enough_pairs() -> None:
    def of(pairs: int) -> float:
        same = np.arange(pairs) % 10 < 7
        return reliability(np.full(pairs, 0.85), same).largest_beyond_chance

    assert of(30) == 0.0
    assert 0 < of(300) < of(30_000) < 0.15


def scored(*pairs: tuple[str, str, float]) -> pa.Table:
    return pa.table(
        {
            "left_id": [p[0] for p in pairs],
            "right_id": [p[1] for p in pairs],
            "probability": [p[2] for p in pairs],
        }
    )


def test_pairs_with_a_record_that_the_truth_lacks_do_not_count() -> None:
    truth = pa.table({"record_id": ["a:1", "a:2", "b:1"], "entity_id": ["x", "x", "y"]})
    pairs = scored(("a:1", "a:2", 0.9), ("a:1", "b:1", 0.3), ("a:1", "c:9", 0.8))
    measured = calibrate(pairs, truth)
    assert (measured.pairs, measured.true_pairs) == (2, 1)


def test_the_truth_says_which_pairs_are_of_the_same_two_customers() -> None:
    records = [f"a:{number}" for number in range(4)]
    truth = pa.table({"record_id": records, "entity_id": ["x", "x", "y", "y"]})
    across = [(a, b, 0.7) for a in records[:2] for b in records[2:]]
    assert calibrate(scored(*across), truth).bins[7].independent == 1
    assert (
        calibrate(scored((*records[:2], 0.7), (*records[2:], 0.7)), truth).bins[7].independent == 2
    )


def test_a_truth_of_other_records_is_refused() -> None:
    truth = pa.table({"record_id": ["z:1"], "entity_id": ["x"]})
    with pytest.raises(OnefoldError, match="no record in common"):
        calibrate(scored(("a:1", "a:2", 0.9)), truth)

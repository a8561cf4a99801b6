"""Whether a probability means what it says: predictions against a known truth.

Only for measuring: nothing that makes a result reads a truth. A model is
calibrated if of the pairs that it gives .9, nine in ten are right.

A bin of few pairs is off by chance. How far chance goes hangs on how many
answers are independent: all pairs of records of the same two customers are
right or wrong together, so they count as one (Kish's effective sample size).

Source: Kish 1965, Survey Sampling, 8.2; Wilson 1927, doi:10.1080/01621459.1927.10502953
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from onefold.errors import OnefoldError

BINS = 10
FEW_PAIRS = 50
"""Pairs in a bin below which its observed share says too little to be judged."""
ONE_IN_20, ALL_BINS = 1.96, 2.80
"""Standard errors that one bin, and the worst of ten, exceeds by chance in 5 of 100 cases."""
CUTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Bin:
    """The pairs whose probability is in one tenth of the range.

    Attributes:
        low: smallest probability of the bin, 0..1.
        high: largest; the bin holds low <= p < high, the last one also p = 1.
        pairs: scored pairs in it.
        independent: how many independent answers they are worth, at most ``pairs``.
        predicted: mean probability; the middle of the bin if there are none.
        observed: share of them that are one customer in truth; None if there are none.
        lower: lower end of the share's 95 % interval (Wilson).
        upper: upper end.
        beyond_chance: how much of the gap is left when chance explains as much of it as it
            can in 95 of 100 cases, all bins being looked at; 0 if it explains all.
    """

    low: float
    high: float
    pairs: int
    independent: float
    predicted: float
    observed: float | None
    lower: float
    upper: float
    beyond_chance: float

    @property
    def gap(self) -> float:
        """Predicted less observed; positive: the model promises too much. 0 without pairs."""
        return 0.0 if self.observed is None else self.predicted - self.observed


@dataclass(frozen=True)
class Cut:
    """What merging every pair at or above a probability would give, pair by pair.

    Attributes:
        probability: the cut, 0..1.
        pairs: pairs at or above it.
        expected_precision: mean of their probabilities.
        precision: share that is right.
        recall: right ones among all true scored pairs.
    """

    probability: float
    pairs: int
    expected_precision: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Calibration:
    """Predicted against observed.

    Attributes:
        pairs: scored pairs of which the truth knows both records.
        true_pairs: those of them that are one customer.
        bins: ten, lowest first.
        expected_error: mean absolute gap, weighted by pairs (ECE).
        largest_gap: largest absolute gap of a bin with :data:`FEW_PAIRS` pairs or more.
        largest_beyond_chance: largest ``beyond_chance`` of all bins.
        cuts: thresholds and what they would give.
    """

    pairs: int
    true_pairs: int
    bins: tuple[Bin, ...]
    expected_error: float
    largest_gap: float
    largest_beyond_chance: float
    cuts: tuple[Cut, ...]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return asdict(self)


def calibrate(scored_pairs: pa.Table, entity_of: pa.Table) -> Calibration:
    """Compare probabilities with the truth.

    Args:
        scored_pairs: left_id, right_id, probability, and veto: pairs that are
            vetoed count with the probability they have, as all others.
        entity_of: record_id, entity_id; pairs with a record that is not in it
            do not count.

    Raises:
        OnefoldError: no scored pair has both its records in the truth.
    """
    known = pc.cast(entity_of.column("record_id"), pa.string()).combine_chunks()
    entity = np.asarray(entity_of.column("entity_id").combine_chunks().dictionary_encode().indices)
    left, right = (
        pc.fill_null(pc.index_in(scored_pairs.column(side), value_set=known), -1)
        .to_numpy()
        .astype(np.int64)
        for side in ("left_id", "right_id")
    )
    counted = (left >= 0) & (right >= 0)
    if not counted.any():
        raise OnefoldError(
            "calibration",
            "the scored pairs and the truth have no record in common",
            do="Check that sources and keys are named alike.",
        )
    ends = np.sort(np.stack([entity[left[counted]], entity[right[counted]]]).astype(np.int64), 0)
    customers = ends[0] * (int(entity.max()) + 1) + ends[1]
    probability = scored_pairs.column("probability").to_numpy()[counted]
    return reliability(probability, ends[0] == ends[1], customers)


def reliability(
    probability: np.ndarray, same: np.ndarray, customers: np.ndarray | None = None
) -> Calibration:
    """Ten bins and a table of cuts from probabilities and what is true.

    Args:
        probability: float, shape (pairs,), 0..1.
        same: bool, shape (pairs,).
        customers: int, shape (pairs,): equal where the pairs are of the same two customers
            in truth; None where no two pairs are.
    """
    probability = np.asarray(probability, dtype=np.float64)
    same = np.asarray(same, dtype=bool)
    number = np.minimum((probability * BINS).astype(np.int64), BINS - 1)
    pairs = np.bincount(number, minlength=BINS)
    predicted = np.bincount(number, weights=probability, minlength=BINS)
    right = np.bincount(number, weights=same, minlength=BINS)
    independent = _independent(number, customers) if customers is not None else pairs
    bins = tuple(
        _bin(
            index,
            int(pairs[index]),
            float(independent[index]),
            float(predicted[index]),
            float(right[index]),
        )
        for index in range(BINS)
    )
    judged = [abs(one.gap) for one in bins if one.pairs >= FEW_PAIRS]
    total = max(len(probability), 1)
    return Calibration(
        pairs=len(probability),
        true_pairs=int(same.sum()),
        bins=bins,
        expected_error=sum(abs(one.gap) * one.pairs for one in bins) / total,
        largest_gap=max(judged, default=0.0),
        largest_beyond_chance=max(one.beyond_chance for one in bins),
        cuts=tuple(_cuts(probability, same, CUTS)),
    )


def _independent(number: np.ndarray, customers: np.ndarray) -> np.ndarray:
    """Per bin how many independent answers its pairs are worth, float64, shape (BINS,).

    Args:
        number: bin of each pair.
        customers: see :func:`reliability`.
    """
    both, code = np.unique(customers, return_inverse=True)
    in_bins, pairs = np.unique(number * len(both) + code, return_counts=True)
    pairs = pairs.astype(np.float64)
    of_bin = in_bins // max(len(both), 1)
    count = np.bincount(of_bin, weights=pairs, minlength=BINS)
    return count**2 / np.maximum(np.bincount(of_bin, weights=pairs**2, minlength=BINS), 1.0)


def _bin(index: int, pairs: int, independent: float, predicted: float, right: float) -> Bin:
    low, high = index / BINS, (index + 1) / BINS
    if not pairs:
        return Bin(low, high, 0, 0.0, (low + high) / 2, None, 0.0, 1.0, 0.0)
    share, mean = right / pairs, predicted / pairs
    lower, upper = wilson(share, independent)
    least, most = wilson(share, independent, ALL_BINS)
    beyond = max(least - mean, mean - most, 0.0)
    return Bin(low, high, pairs, independent, mean, share, lower, upper, beyond)


def wilson(share: float, count: float, z: float = ONE_IN_20) -> tuple[float, float]:
    """Confidence interval of a share of a count.

    >>> [round(end, 3) for end in wilson(0.5, 100)]
    [0.404, 0.596]
    """
    middle = share + z * z / (2 * count)
    half = z * ((share * (1 - share) + z * z / (4 * count)) / count) ** 0.5
    whole = 1 + z * z / count
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)


def _cuts(probability: np.ndarray, same: np.ndarray, cuts: Iterable[float]) -> Iterable[Cut]:
    true = max(int(same.sum()), 1)
    for cut in cuts:
        above = probability >= cut
        count = int(above.sum())
        right = int(same[above].sum())
        yield Cut(
            probability=cut,
            pairs=count,
            expected_precision=float(probability[above].mean()) if count else 1.0,
            precision=right / count if count else 1.0,
            recall=right / true,
        )

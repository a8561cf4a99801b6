"""How often each source is right, field by field, learned from records, stewards and corrections.

What belongs here: the estimate and what may be proposed of it. Nobody knows which
of several values is right, so it is estimated together with the sources'
accuracy: a value is likely right if accurate sources say it, and a source is
accurate if it says likely values (expectation maximization). Agreement on a
value that is common anyway proves little: a wrong value is taken to be drawn
like the values of all records. Sources that share wrong values count as one.

Source: Dawid & Skene 1979, doi:10.2307/2346806, with one accuracy per source and wrong values
by their popularity as in Dong, Berti-Equille & Srivastava 2009, doi:10.14778/1687627.1687690.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEAST = 30
"""Judged values from which a source's trust in a field is proposed."""
_START = 0.8
_STRENGTH = 4.0
"""So many values the common accuracy of a field counts for each of its sources."""
_ROUNDS = 200
_STILL = 1e-6
_Z = 1.645
"""For intervals that hold the truth in 90 of 100 cases."""
_FROM_COPIES = 5
"""Shared wrong values from which two sources can be taken for copies."""


@dataclass(frozen=True)
class Claims:
    """What sources say in one field, one value for each customer and source.

    Attributes:
        sources: their names.
        item: of every claim, the number of its customer.
        source: of every claim, the number of its source.
        value: of every claim, a number that is equal where values are.
        share: of every value, how much of all records' values it is, 0..1.
    """

    sources: tuple[str, ...]
    item: np.ndarray
    source: np.ndarray
    value: np.ndarray
    share: np.ndarray


@dataclass(frozen=True)
class Known:
    """Claims of which it is known whether they were right.

    Attributes:
        right, judged: how many of a source in a field.
    """

    right: int = 0
    judged: int = 0


@dataclass(frozen=True)
class Estimate:
    """How often a source is right in a field.

    Attributes:
        source: its name.
        compared: customers of whom another source says something, too.
        agreeing: those of them where another source says the same.
        judged: values that could be judged: by two independent sources more, a steward or a
            correction.
        right: how many of these are likely right; a sum of probabilities.
        trust: the estimated share, 0..1.
        low, high: an interval that holds it in 90 of 100 cases.
        stewards, corrections: what is known of it from these.
        copies: sources that share its wrong values, with how many of how many.
    """

    source: str
    compared: int
    agreeing: int
    judged: int
    right: float
    trust: float
    low: float
    high: float
    stewards: Known
    corrections: Known
    copies: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class Learned:
    """One field's estimates.

    Attributes:
        estimates: one for each source that says something there and can be compared.
        probability: of every claim, that it is right.
    """

    estimates: tuple[Estimate, ...]
    probability: np.ndarray

    def differ(self, least: int = LEAST) -> bool:
        """Whether two sources with enough evidence are surely not equally accurate."""
        enough = [one for one in self.estimates if one.judged >= least]
        return any(one.low > other.high for one in enough for other in enough)


def interval(right: float, judged: float) -> tuple[float, float]:
    """Wilson's interval of a share.

    >>> [round(end, 2) for end in interval(9, 10)], interval(0, 0)
    ([0.65, 0.98], (0.0, 1.0))
    """
    if judged <= 0:
        return 0.0, 1.0
    share, z = right / judged, _Z**2 / judged
    middle = (share + z / 2) / (1 + z)
    half = _Z / (1 + z) * math.sqrt(share * (1 - share) / judged + z / (4 * judged))
    return max(0.0, middle - half), min(1.0, middle + half)


def learn(
    claims: Claims,
    stewards: Mapping[str, Known] | None = None,
    corrections: Mapping[str, Known] | None = None,
) -> Learned:
    """Estimate how often each source is right in a field.

    Args:
        claims: of one field.
        stewards: source → its values that a steward confirmed or replaced.
        corrections: source → its values that another source had before it corrected its own,
            or that it corrected.
    """
    stewards, corrections = stewards or {}, corrections or {}
    size = len(claims.sources)
    known = np.array(
        [
            [sum(of.get(name, Known()).right for of in (stewards, corrections)),
             sum(of.get(name, Known()).judged for of in (stewards, corrections))]
            for name in claims.sources
        ],
        dtype=float,
    ).reshape(size, 2)  # fmt: skip
    model = _Model(claims, known)
    voices = np.arange(size)
    probability, accuracy = model.fit(voices)
    copies = model.copies(probability)
    if copies:
        voices = _together(size, copies)
        probability, accuracy = model.fit(voices)
    judged = model.independent(voices) >= 3
    estimates = []
    for number, name in enumerate(claims.sources):
        own = claims.source == number
        told = own & judged
        right = float(probability[told].sum() + known[number, 0])
        count = int(told.sum() + known[number, 1])
        if not count and not model.shared[own].any():
            continue
        low, high = interval(right, count)
        shared = {
            claims.sources[other]: found
            for pair, found in copies.items()
            if number in pair
            for other in pair
            if other != number
        }
        estimates.append(
            Estimate(
                name,
                int(model.shared[own].sum()),
                int(model.agreeing[own].sum()),
                count,
                right,
                float(accuracy[number]),
                low,
                high,
                stewards.get(name, Known()),
                corrections.get(name, Known()),
                shared,
            )
        )
    return Learned(tuple(estimates), probability)


class _Model:
    """Claims as arrays; a place is a value that is claimed for an item."""

    def __init__(self, claims: Claims, known: np.ndarray) -> None:
        self.claims, self.known = claims, known
        self.items = int(claims.item.max(initial=-1)) + 1
        values = int(claims.value.max(initial=-1)) + 1
        keys, self.place = np.unique(
            claims.item * max(values, 1) + claims.value, return_inverse=True
        )
        self.place_item = keys // max(values, 1)
        place_share = claims.share[keys % max(values, 1)] if values else np.zeros(0)
        self.place_share = np.clip(place_share, 1e-12, 0.999)
        self.share = np.clip(claims.share[claims.value], 1e-12, 0.999)
        per_item = np.bincount(claims.item, minlength=self.items)
        self.shared = per_item[claims.item] > 1
        self.agreeing = np.bincount(self.place, minlength=len(keys))[self.place] > 1
        claimed = np.bincount(self.place_item, place_share, minlength=self.items)
        squares = np.bincount(self.place_item, place_share**2, minlength=self.items)
        self.rest = np.clip(1 - claimed, 1e-9, 1)
        rest_squares = np.clip((claims.share**2).sum() - squares, 0, None)
        self.rest_other = np.clip(1 - rest_squares / self.rest, 1e-3, 1)

    def weights(self, voices: np.ndarray) -> np.ndarray:
        """Of every claim: one, or its part where sources of one voice say the same."""
        keys = self.place * (int(voices.max(initial=0)) + 1) + voices[self.claims.source]
        _, at, counts = np.unique(keys, return_inverse=True, return_counts=True)
        return np.asarray(1 / counts[at])

    def independent(self, voices: np.ndarray) -> np.ndarray:
        """Of every claim: how many voices say something of its item."""
        count = int(voices.max(initial=0)) + 1
        pairs = np.unique(self.claims.item * count + voices[self.claims.source])
        return np.bincount(pairs // count, minlength=self.items)[self.claims.item]

    def fit(self, voices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The probability of every claim, and the accuracy of every source."""
        claims, weights = self.claims, self.weights(voices)
        size = len(claims.sources)
        accuracy = np.full(size, _START)
        probability = np.full(len(claims.item), _START)
        counted = weights * self.shared
        for _ in range(_ROUNDS):
            probability = self._probabilities(accuracy, weights)
            right = np.bincount(claims.source, counted * probability, minlength=size)
            judged = np.bincount(claims.source, counted, minlength=size)
            right, judged = right + self.known[:, 0], judged + self.known[:, 1]
            common = (right.sum() + _START) / (judged.sum() + 1)
            now = np.clip((right + _STRENGTH * common) / (judged + _STRENGTH), 0.01, 0.99)
            if np.abs(now - accuracy).max(initial=0) < _STILL:
                break
            accuracy = now
        return probability, accuracy

    def _probabilities(self, accuracy: np.ndarray, weights: np.ndarray) -> np.ndarray:
        claims = self.claims
        own = accuracy[claims.source]
        wrong = np.log((1 - own) * self.share)
        all_wrong = np.bincount(claims.item, weights * wrong, minlength=self.items)
        voices = np.bincount(claims.item, weights, minlength=self.items)
        others = np.log(1 - self.place_share)
        gain = np.bincount(
            self.place,
            weights * (np.log(own) - wrong + others[self.place]),
            minlength=len(self.place_item),
        )
        item = self.place_item
        place = np.log(self.place_share) + all_wrong[item] - voices[item] * others + gain
        none = np.log(self.rest) + all_wrong - voices * np.log(self.rest_other)
        top = none.copy()
        np.maximum.at(top, item, place)
        odds = np.exp(place - top[item])
        total = np.exp(none - top) + np.bincount(item, odds, minlength=self.items)
        return np.asarray((odds / total[item])[self.place])

    def copies(self, probability: np.ndarray) -> dict[tuple[int, int], tuple[int, int]]:
        """Pairs of sources that say the same where both are wrong: how often, of how many.

        Only where others say something else, and by far more often than half of the time.
        """
        claims = self.claims
        wrong = np.flatnonzero(probability < 0.5)
        by_item: dict[int, list[int]] = {}
        for at in wrong.tolist():
            by_item.setdefault(int(claims.item[at]), []).append(at)
        both: dict[tuple[int, int], list[int]] = {}
        for found in by_item.values():
            for place, one in enumerate(found):
                for other in found[place + 1 :]:
                    first, second = sorted((int(claims.source[one]), int(claims.source[other])))
                    same = claims.value[one] == claims.value[other]
                    both.setdefault((first, second), []).append(int(same))
        return {
            pair: (sum(same), len(same))
            for pair, same in sorted(both.items())
            if sum(same) >= _FROM_COPIES and interval(sum(same), len(same))[0] > 0.5
        }


def _together(size: int, pairs: Mapping[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    """The smallest source that each one is joined with, over any number of pairs."""
    voices = np.arange(size)
    for one, other in pairs:
        voices[voices == voices[other]] = voices[one]
    return voices


def proposed(
    fields: Mapping[str, Learned], least: int = LEAST
) -> tuple[float, dict[str, dict[str, float]]]:
    """What may stand in section ``survivorship``; empty where the evidence does not suffice.

    Returns:
        ``default_trust`` (of sources without evidence: the common share), and source → field or
        ``default`` → trust. A field is named where its sources surely differ, and ``default``
        where a source has enough evidence over all fields.
    """
    differing = {head: one for head, one in fields.items() if one.differ(least)}
    every = [one for learned in fields.values() for one in learned.estimates]
    judged = sum(one.judged for one in every)
    if not differing or not judged:
        return 0.5, {}
    found: dict[str, dict[str, float]] = {}
    for source in sorted({one.source for one in every}):
        own = [one for one in every if one.source == source]
        count = sum(one.judged for one in own)
        if count >= least:
            found[source] = {"default": _rounded(sum(one.right for one in own) / count)}
        for head, learned in differing.items():
            of = next((one for one in learned.estimates if one.source == source), None)
            if of is not None and of.judged >= least:
                found.setdefault(source, {})[head] = _rounded(of.right / of.judged)
    return _rounded(sum(one.right for one in every) / judged), found


def _rounded(share: float) -> float:
    return round(min(max(share, 0.01), 0.99), 2)


def strengths(values: Sequence[int] | np.ndarray, size: int) -> np.ndarray:
    """How much of all values each one is, by its number.

    >>> strengths([0, 0, 1, 2], 3).tolist()
    [0.5, 0.25, 0.25]
    """
    counts = np.bincount(np.asarray(values, dtype=np.int64), minlength=size)
    return np.asarray(counts / max(counts.sum(), 1))

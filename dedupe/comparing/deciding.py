"""Pairs decided by the first rule that fits, for whole arrays of pairs.

What belongs here: how a list of rules is applied. The rules stand with what
they compare.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, Self, TypeVar

import numpy as np

from dedupe.comparing.columns import Levels, Mask, Rows


class Pairs(Protocol):
    """Pairs of anything."""

    @property
    def a(self) -> Rows:
        """Rows of the left ones."""

    def at(self, rows: Rows | Mask) -> Self:
        """Some of the pairs."""


P = TypeVar("P", bound=Pairs)


def decide(
    pairs: P,
    rules: Sequence[tuple[Callable[[P], Mask], int | Callable[[P], Levels]]],
    otherwise: int,
) -> Levels:
    """The level of each pair by the first rule whose test it passes.

    Args:
        rules: test and outcome, a level or a function of the pairs that passed.
        otherwise: level of those that pass none.
    """
    levels = np.full(len(pairs.a), otherwise, dtype=np.int8)
    rows = np.arange(len(pairs.a))
    for test, outcome in rules:
        if not len(rows):
            break
        passed = test(pairs.at(rows))
        hit, rows = rows[passed], rows[~passed]
        levels[hit] = outcome(pairs.at(hit)) if callable(outcome) else outcome
    return levels


def both(*tests: Callable[[P], Mask]) -> Callable[[P], Mask]:
    """Where all tests hold; a later one is asked only where those before it do."""

    def every(pairs: P) -> Mask:
        rows = np.arange(len(pairs.a))
        for test in tests:
            rows = rows[test(pairs.at(rows))]
        result = np.zeros(len(pairs.a), dtype=bool)
        result[rows] = True
        return result

    return every

"""Expectation maximization on counted comparison patterns.

Most pairs share their pattern of levels with many others, so each distinct
pattern is weighed once, times its count. Missing levels (-1) take no part.
Both ``m`` and ``u`` are learned from the candidate pairs: blocking makes
chance agreements more common than among random pairs, and weights learned
from random pairs overrate them. The shipped prior weights start the search,
because a random start can swap the two classes, and stay in as pseudo-counts,
so that a level seen three times does not get a weight of its own.

Source: Fellegi & Sunter 1969, doi:10.1080/01621459.1969.10501049;
Winkler 1988 (EM for record linkage).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from dedupe.levels import MISSING, is_text
from dedupe.model import APART_PRIOR, FieldModel, Model

ROUNDS, TOLERANCE = 200, 1e-5
PSEUDO_PAIRS = 20.0
"""How many pairs of each class the prior weights count for, per field."""
APART_PSEUDO_PAIRS = 5.0
"""The same for what pairs with one kind of contradiction teach."""
APART_PRIOR_PAIRS, APART_ROUNDS = 500.0, 60
"""How many pairs with one kind of contradiction the assumed share of matches counts for, and
how often it is learned again."""
PRIOR_RANGE = (1e-4, 0.95)
LABEL_PAIRS, LABEL_SHARE = 5.0, 0.25
"""What a label counts for in training, in pairs; and all labels at most, as share of the pairs."""
ORDERED = ("id", "birth_date", "phone", "email", "contact", "employer")
"""Fields whose weights must rise with the level; those compared as plain text, too."""
_MOST_CODES = 2**57


@dataclass(frozen=True)
class Patterns:
    """Distinct rows of levels.

    Attributes:
        fields: the comparisons, in the order of the columns.
        levels: int8, shape (patterns, fields).
        counts: pairs with the pattern, float64, shape (patterns,).
        inverse: per row that was counted its pattern, shape (rows,).
        labeled: pairs known to match and known not to, by label, times what a
            label counts for; shape (patterns, 2). They are not in ``counts``.
        unlike: pairs of the pattern that do not match for certain, shape
            (patterns,); they are not in ``counts`` either.
    """

    fields: tuple[str, ...]
    levels: np.ndarray
    counts: np.ndarray
    inverse: np.ndarray
    labeled: np.ndarray | None = None
    unlike: np.ndarray | None = None


def count_patterns(
    levels: np.ndarray,
    fields: tuple[str, ...],
    known: np.ndarray | None = None,
    unlike: np.ndarray | None = None,
    pairs: np.ndarray | None = None,
) -> Patterns:
    """Count the distinct rows of levels.

    Args:
        levels: int8, shape (rows, fields).
        known: per row 1.0 or 0.0 where a label says so, else NaN; None if
            there are no labels.
        unlike: per row whether its pairs do not match for certain; a label counts first.
        pairs: how many pairs each row stands for, whole numbers; one each if None.
    """
    pairs = np.ones(len(levels)) if pairs is None else pairs
    code = np.zeros(len(levels), dtype=np.int64)
    most = 1
    for column in range(levels.shape[1]):
        if most > _MOST_CODES:  # one more field would not fit into 64 bits
            code = np.unique(code, return_inverse=True)[1]
            most = len(levels)
        code = code * 32 + (levels[:, column].astype(np.int64) + 1)
        most *= 32
    _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    known = np.full(len(levels), np.nan) if known is None else known
    free = np.isnan(known)
    certain = free & unlike if unlike is not None else np.zeros(len(levels), dtype=bool)
    counts, no_match, yes, no = (
        np.bincount(inverse[rows], weights=pairs[rows], minlength=len(first))
        for rows in (free & ~certain, certain, known == 1.0, known == 0.0)
    )
    labels = int(pairs[~free].sum())
    worth = label_pairs(labels, int(pairs[free].sum()))
    labeled = worth * np.column_stack([yes, no]) if labels else None
    return Patterns(fields, levels[first], counts, inverse, labeled, no_match)


def label_pairs(labels: int, others: int) -> float:
    """How many pairs a label counts for: :data:`LABEL_PAIRS`, but all labels
    together at most :data:`LABEL_SHARE` of the other pairs, and one at least 1.

    >>> label_pairs(50, 100_000), label_pairs(2_000, 10_000), label_pairs(2_000, 100)
    (5.0, 1.25, 1.0)
    """
    return float(np.clip(LABEL_SHARE * others / max(labels, 1), 1.0, LABEL_PAIRS))


def pattern_bits(patterns: Patterns, model: Model) -> np.ndarray:
    """Log2 odds of every pattern, the prior included."""
    bits = np.full(len(patterns.levels), np.log2(model.prior / (1.0 - model.prior)))
    for column, name in enumerate(patterns.fields):
        table = np.array([0.0, *model.fields[name].bits])
        bits += table[patterns.levels[:, column].astype(np.int64) + 1]
    return bits


def posterior(bits: np.ndarray) -> np.ndarray:
    """Log2 odds → probability."""
    return 1.0 / (1.0 + np.exp2(-np.clip(bits, -60.0, 60.0)))


def maximize(patterns: Patterns, matching: np.ndarray, start: Model, shipped: Model) -> Model:
    """The model under which the given share of each pattern matches.

    Args:
        matching: per pattern, the expected share (0..1) of its pairs that match.
        start: gives type, caps and metadata.
        shipped: gives the pseudo-counts.
    """
    yes, no = patterns.counts * matching, patterns.counts * (1.0 - matching)
    if patterns.unlike is not None:
        no = no + patterns.unlike
    # Labels are asked for where the answer is open: their share of matches is not that of pairs.
    rate = (yes.sum() + shipped.prior * PSEUDO_PAIRS) / (yes.sum() + no.sum() + PSEUDO_PAIRS)
    if patterns.labeled is not None:
        yes, no = yes + patterns.labeled[:, 0], no + patterns.labeled[:, 1]
    fields: dict[str, FieldModel] = {}
    for column, name in enumerate(patterns.fields):
        known, prior = start.fields[name], shipped.fields[name]
        level = patterns.levels[:, column].astype(np.int64)
        measured = level != MISSING
        size = len(known.levels)
        ordered = name in ORDERED or is_text(name)
        if ordered and not _contrasted(level, prior):
            fields[name] = replace(known, m=prior.m, u=prior.u)
            continue
        fields[name] = replace(
            known,
            m=_shares(level[measured], yes[measured], prior.m, size),
            u=_shares(level[measured], no[measured], prior.u, size),
        )
        if ordered:
            fields[name] = _ordered(fields[name], level[measured], (yes + no)[measured])
    low, high = PRIOR_RANGE
    return replace(start, fields=fields, prior=float(np.clip(rate, low, high)))


def _contrasted(level: np.ndarray, prior: FieldModel) -> bool:
    """Whether any pair has a level that speaks against: of values that are measured only
    where they agree, such as damaged numbers, nothing can be learned."""
    return bool(np.isin(level, np.flatnonzero(np.less(prior.m, prior.u))).any())


def _shares(
    level: np.ndarray,
    weight: np.ndarray,
    prior: tuple[float, ...],
    size: int,
    pseudo_pairs: float = PSEUDO_PAIRS,
) -> tuple[float, ...]:
    counts = np.bincount(level, weights=weight, minlength=size) + pseudo_pairs * np.array(prior)
    return tuple((counts / counts.sum()).tolist())


def _ordered(known: FieldModel, level: np.ndarray, counts: np.ndarray) -> FieldModel:
    """Pool neighboring levels whose weights fall although the level rises."""
    seen = np.bincount(level, weights=counts, minlength=len(known.levels)) + 1.0
    groups: list[tuple[float, float, list[int]]] = []
    for index, (m, u) in enumerate(zip(known.m, known.u, strict=True)):
        groups.append((m, u, [index]))
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            m2, u2, members2 = groups.pop()
            m1, u1, members1 = groups.pop()
            groups.append((m1 + m2, u1 + u2, members1 + members2))
    new_m, new_u = list(known.m), list(known.u)
    for m, u, members in groups:
        if len(members) > 1:
            share = seen[members] / seen[members].sum()
            for index, part in zip(members, share.tolist(), strict=True):
                new_m[index], new_u[index] = m * part, u * part
    return replace(known, m=tuple(new_m), u=tuple(new_u))


def contradicted(patterns: Patterns, model: Model) -> tuple[dict[str, FieldModel], float]:
    """The fields of a model with u as among pairs with one kind of contradiction, and the share
    of those pairs that match; m as it is, because a match looks the same with and without.
    """
    share, before = APART_PRIOR, -1.0
    fields = _unlike_shares(patterns, model)
    pairs = patterns.counts.sum()
    for _ in range(APART_ROUNDS):
        apart = replace(model, prior=share, fields=fields)
        matching = posterior(pattern_bits(patterns, apart))
        matches = float((patterns.counts * matching).sum())
        before, share = (
            share,
            (matches + APART_PRIOR * APART_PRIOR_PAIRS) / (pairs + APART_PRIOR_PAIRS),
        )
        rest = replace(patterns, counts=patterns.counts * (1.0 - matching))
        fields = _unlike_shares(rest, model)
        if abs(share - before) < TOLERANCE:
            break
    return fields, share


def _unlike_shares(patterns: Patterns, model: Model) -> dict[str, FieldModel]:
    """The fields of a model with u as among the given pairs, none of which match; m as it is.

    The model's own u stays in as :data:`APART_PSEUDO_PAIRS`.
    """
    fields: dict[str, FieldModel] = {}
    for column, name in enumerate(patterns.fields):
        known = model.fields[name]
        level = patterns.levels[:, column].astype(np.int64)
        measured = level != MISSING
        level, counts = level[measured], patterns.counts[measured]
        u = _shares(level, counts, known.u, len(known.levels), APART_PSEUDO_PAIRS)
        fields[name] = replace(known, u=u)
        if name in ORDERED or is_text(name):
            fields[name] = _ordered(fields[name], level, counts)
    return fields


def expectation_maximization(patterns: Patterns, shipped: Model) -> tuple[Model, int]:
    """Learn a model from patterns alone.

    Args:
        patterns: counted patterns of one customer type's candidate pairs.
        shipped: where to start, and the pseudo-counts.

    Returns:
        the model, and how many rounds it took.
    """
    model = shipped
    before: np.ndarray | None = None
    for round_number in range(1, ROUNDS + 1):
        matching = posterior(pattern_bits(patterns, model))
        model = maximize(patterns, matching, model, shipped)
        if before is not None and np.abs(matching - before).max(initial=0.0) < TOLERANCE:
            return model, round_number
        before = matching
    return model, ROUNDS


def share_of_matches(patterns: Patterns, model: Model) -> float:
    """The share of pairs that match, 0..1, where agreements are worth what a model says."""
    share, before = model.prior, -1.0
    low, high = PRIOR_RANGE
    while abs(share - before) > TOLERANCE:
        before = share
        matching = posterior(pattern_bits(patterns, replace(model, prior=share)))
        share = float(np.clip(np.average(matching, weights=patterns.counts), low, high))
    return share


def level_counts(patterns: Patterns) -> Mapping[str, int]:
    """Measured pairs per field, for the model's metadata."""
    return {
        name: int(patterns.counts[patterns.levels[:, column] != MISSING].sum())
        for column, name in enumerate(patterns.fields)
    }

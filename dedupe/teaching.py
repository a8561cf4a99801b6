"""Which pairs to ask a person about: the ones whose answers teach the model most."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.labels import align

PATTERNS_LOOKED_AT = 4000
"""Most valuable patterns among which pairs to ask for are chosen."""


def teaching(scored_pairs: pa.Table, labels: pa.Table, count: int) -> pa.Table:
    """The pairs whose answers would teach the model most, best first.

    A pattern of levels is worth asking about if its pairs are uncertain and
    many, and if nothing like it was asked before: each pattern's entropy times
    the square root of its pairs, divided by one plus the number of patterns,
    asked or labeled, that differ from it in one field or none. Of a pattern's
    pairs the one nearest its mean probability is asked. Vetoed pairs are not
    asked: rules keep them apart, not the model.

    Args:
        scored_pairs: left_id, right_id, customer_type if there, veto,
            probability, ``<field>_level`` columns.
        labels: what is known already, as of labels.usable.
        count: most pairs to choose.

    Returns:
        the chosen rows of scored_pairs.

    Source: uncertainty sampling, Lewis & Gale 1994; density weighting, Settles & Craven 2008.
    """
    fields = [name for name in scored_pairs.column_names if name.endswith("_level")]
    open_rows = np.flatnonzero(scored_pairs.column("veto").is_null().to_numpy())
    pairs = scored_pairs.take(pa.array(open_rows))
    if not pairs.num_rows or count < 1:
        return pairs.slice(0, 0)
    levels = np.column_stack([_filled(pairs.column(name)) for name in fields])
    known = ~np.isnan(align(labels, pairs))
    patterns, number = np.unique(levels, axis=0, return_inverse=True)
    number = number.ravel()
    probability = pairs.column("probability").to_numpy()
    counts = np.bincount(number)
    mean = np.bincount(number, weights=probability) / counts
    asked = np.unique(number[known])
    value = _entropy(mean) * np.sqrt(counts)
    looked_at = np.sort(np.argsort(-value, kind="stable")[:PATTERNS_LOOKED_AT])
    alike = np.zeros(len(looked_at))
    for pattern in asked:
        alike += _near(patterns[looked_at], patterns[pattern])
    open_pairs = np.bincount(number[~known], minlength=len(patterns))[looked_at] > 0
    chosen: list[int] = []
    distance = np.abs(probability - mean[number]) + known * 2.0
    order = np.lexsort((np.arange(len(number)), distance, number))
    first = order[np.searchsorted(number[order], np.arange(len(patterns)))]
    while len(chosen) < count and open_pairs.any():
        best = int(np.argmax(np.where(open_pairs, value[looked_at] / (1.0 + alike), -1.0)))
        open_pairs[best] = False
        chosen.append(int(first[looked_at[best]]))
        alike += _near(patterns[looked_at], patterns[looked_at[best]])
    return pairs.take(pa.array(chosen, pa.int64()))


def _filled(column: pa.ChunkedArray) -> np.ndarray:
    return pc.fill_null(column, -1).to_numpy().astype(np.int8)


def _near(patterns: np.ndarray, one: np.ndarray) -> np.ndarray:
    """1.0 for patterns that differ from one in at most one field."""
    return ((patterns != one).sum(axis=1) <= 1).astype(np.float64)


def _entropy(probability: np.ndarray) -> np.ndarray:
    p = np.clip(probability, 1e-9, 1 - 1e-9)
    return -(p * np.log2(p) + (1 - p) * np.log2(1 - p))

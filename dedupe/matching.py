"""Candidate pairs → scored pairs: compare, train or score, and close components.

What the pipeline, the benchmark and the tests call; the steps themselves stand
in comparisons.py, scoring.py and clusters.py.
"""

import numpy as np
import pyarrow as pa

from dedupe import checking, clusters, comparisons, scoring, training
from dedupe import labels as labeling
from dedupe.comparing.columns import positions
from dedupe.model import MatchingSettings, Models

CHUNK_ROWS = 200_000
"""Pairs compared and scored at a time, which bounds memory."""


def learn(
    pairs: pa.Table,
    features: pa.Table,
    settings: MatchingSettings,
    labels: pa.Table | None = None,
) -> Models:
    """Train one model per customer type.

    Args:
        pairs: blocking's candidates: left_id, right_id, found_by; or compare's of them.
        features: one row per record.
        settings: comparisons to ignore.
        labels: left_id, right_id, is_match: pairs whose answer is known, among
            the candidates or not (dedupe.labels); None if there are none.

    Returns:
        unsaved models; see dedupe.model.save.
    """
    levels = _levels(pairs, features)
    said = labeling.usable(labels, features)
    if said.num_rows:
        unseen = compare(labeling.not_in(said, levels), features)
        for name in set(levels.column_names) - set(unseen.column_names):
            unseen = unseen.append_column(name, pa.nulls(unseen.num_rows, levels[name].type))
        unseen = unseen.select(levels.column_names).cast(levels.schema)
        levels = pa.concat_tables([levels, unseen])
    known = labeling.align(said, levels) if said.num_rows else None
    seen = _as_proposed(levels)
    if known is not None:
        known = known[seen]
    levels = levels.take(pa.array(seen))
    models = training.train(levels, features, settings, known)
    return checking.checked(models, levels, features, known)


def _as_proposed(levels: pa.Table) -> np.ndarray:
    """Row numbers of the pairs as blocking proposed them: one of a sample as often as it counts."""
    rows = np.arange(levels.num_rows)
    if "stands_for" not in levels.column_names:
        return rows
    return np.repeat(rows, levels.column("stands_for").fill_null(1).to_numpy())


def compare(pairs: pa.Table, features: pa.Table) -> pa.Table:
    """Compare pairs chunk by chunk: their levels and vetoes.

    Both learn and score_pairs take what this returns for the pairs, so that
    who trains and scores the same pairs compares them once.
    """
    counts = comparisons.count(features)
    chunks = [
        comparisons.compare(pairs.slice(start, CHUNK_ROWS), features, counts)
        for start in range(0, max(pairs.num_rows, 1), CHUNK_ROWS)
    ]
    return pa.concat_tables(chunks)


def _levels(pairs: pa.Table, features: pa.Table) -> pa.Table:
    return pairs if "veto" in pairs.column_names else compare(pairs, features)


def score_pairs(
    pairs: pa.Table,
    features: pa.Table,
    models: Models,
    decisions: pa.Table | None,
    settings: MatchingSettings,
) -> pa.Table:
    """Score candidates, then the unseen pairs inside the components they form.

    Args:
        pairs: left_id, right_id, found_by; or compare's of them.
        features: one row per record.
        models: from learn or dedupe.model.load.
        decisions: those in force; links join components too.

    Returns:
        scored_pairs (see dedupe.scoring.score), sorted by left_id and right_id;
        pairs that only closure added have found_by "closure".
    """
    scored = scoring.score(_levels(pairs, features), features, models)
    record_ids = features.column("record_id").to_pylist()
    unseen = clusters.missing_pairs(record_ids, scored, decisions, settings)
    if unseen.num_rows:
        added = scoring.score(compare(unseen, features), features, models)
        scored = pa.concat_tables([scored, added.cast(scored.schema)])
    ids = features.column("record_id").combine_chunks()
    left, right = (positions(scored.column(name), ids) for name in ("left_id", "right_id"))
    return scored.take(pa.array(np.lexsort((right, left)))).combine_chunks()

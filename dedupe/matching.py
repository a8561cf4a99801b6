"""Candidate pairs → scored pairs: compare, train or score, and close components.

What the pipeline, the benchmark and the tests call; the steps themselves stand
in comparisons.py, scoring.py and clusters.py. Pairs go through chunk by chunk:
what is kept of all of them is levels, or weights, in a few bytes each.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from dedupe import checking, clusters, comparisons, counting, training
from dedupe import labels as labeling
from dedupe.comparing.columns import as_array, positions
from dedupe.counts import Counts
from dedupe.levels import VETOES
from dedupe.model import MatchingSettings, Models, counts_of
from dedupe.scoring import Scorer, ValueCounts
from rules.customer import ORGANIZATION, PERSON

CHUNK_ROWS = 600_000
"""Pairs compared and scored at a time, which bounds memory."""

_FEW_VALUES = {
    "customer_type": pa.array([PERSON, ORGANIZATION]),
    "veto": pa.array(list(VETOES)),
    "veto_without_numbers": pa.array(list(VETOES)),
}
"""Columns of levels that take a byte per pair."""


class Counted:
    """What is counted of all records, once for comparing, learning and weighing.

    Attributes:
        values: how common their values are, looked up for each of them.
        counts: the same and more, frozen with the models that are learned.
    """

    def __init__(self, features: pa.Table) -> None:
        """Count them.

        Args:
            features: one row per record.
        """
        self.values = ValueCounts(features)
        self.counts = Counts.of(features, self.values.spaces)


def learn(
    pairs: pa.Table,
    features: pa.Table,
    settings: MatchingSettings,
    labels: pa.Table | None = None,
    counted: Counted | None = None,
) -> Models:
    """Train one model per customer type, and freeze what was counted of all records with it.

    Args:
        pairs: blocking's candidates: left_id, right_id, found_by; or compare's of them.
        features: one row per record.
        settings: comparisons to ignore.
        labels: left_id, right_id, is_match: pairs whose answer is known, among
            the candidates or not (dedupe.labels); None if there are none.
        counted: of the features, if they are counted already.

    Returns:
        unsaved models; see dedupe.model.save.
    """
    said = labeling.usable(labels, features)
    unseen = labeling.not_in(said, pairs)
    counted = counted or Counted(features)
    counts, values = counted.counts, counted.values
    taught, told = [], []
    for some in (pairs, unseen) if unseen.num_rows else (pairs,):
        for chunk in _compared(some, features, counts):
            known = chunk.append_column("known", pa.array(labeling.align(said, chunk)))
            taught.append(training.counted(known))
            told.append(checking.told(known, values))
    rows = counting.together(taught)
    answers = rows.column("known").to_numpy() if said.num_rows else None
    models = training.train(rows, features, settings, answers)
    checked = checking.checked(models, counting.together(told))
    return {kind: replace(model, counts=counts) for kind, model in checked.items()}


class Weigher:
    """Records ready to compare and score a few pairs of them again and again."""

    def __init__(self, features: pa.Table, models: Models) -> None:
        """Look the records' values up.

        Args:
            features: one row per record; those of the pairs will do for models with counts.
            models: from learn or dedupe.model.load.

        Raises:
            ModelError: a model for a type in the data is missing.
        """
        self._features = features
        self._counts = counts_of(models) or Counts.of(features)
        self._scorer = Scorer(features, models)

    def score(self, pairs: pa.Table) -> pa.Table:
        """scored_pairs (see dedupe.scoring.score) of left_id, right_id, found_by."""
        return pa.concat_tables(
            self._scorer.score(_small(comparisons.compare(chunk, self._features, self._counts)))
            for chunk in _chunks(pairs)
        )


def compare(pairs: pa.Table, features: pa.Table, counts: Counts | None = None) -> pa.Table:
    """Compare pairs chunk by chunk: their levels and vetoes, some 30 bytes per pair.

    Both learn and score_pairs take what this returns for the pairs, so that
    who trains and scores the same pairs compares them once.

    Args:
        pairs: left_id, right_id, found_by.
        features: one row per record.
        counts: what was counted of all records; None: of the features.
    """
    if pairs.num_rows <= CHUNK_ROWS or "veto" in pairs.column_names:
        return pa.concat_tables(_small(chunk) for chunk in _compared(pairs, features, counts))
    # A chunk's records are prepared for it, so pairs of the same records go together.
    order = _neighbors_together(pairs, features)
    turned = pairs.take(pa.array(order))
    compared = [_small(chunk) for chunk in _compared(turned, features, counts)]
    back = np.empty(len(order), dtype=np.int32)
    back[order] = np.arange(len(order), dtype=np.int32)
    return pa.concat_tables(compared).take(pa.array(back))


def _neighbors_together(pairs: pa.Table, features: pa.Table) -> np.ndarray:
    """An order of the pairs in which pairs of the same and of paired records stand together.

    Source: Cuthill & McKee 1969, doi:10.1145/800195.805928 (reversed, of scipy).
    """
    ids = as_array(features.column("record_id"))
    left, right = (
        positions(pairs.column(name), ids).astype(np.int32) for name in ("left_id", "right_id")
    )
    ones = np.ones(len(left), dtype=np.int8)
    graph = csr_array((ones, (left, right)), shape=(len(ids), len(ids)))
    place = np.empty(len(ids), dtype=np.int32)
    place[reverse_cuthill_mckee(graph + graph.T, symmetric_mode=True)] = np.arange(len(ids))
    return np.argsort(np.minimum(place[left], place[right]), kind="stable")


def _compared(pairs: pa.Table, features: pa.Table, counts: Counts | None) -> Iterator[pa.Table]:
    """Chunks of pairs with levels and vetoes; of pairs that have them, the pairs."""
    known = "veto" in pairs.column_names
    counts = counts if known or counts is not None else Counts.of(features)
    for chunk in _chunks(pairs):
        yield chunk if known else comparisons.compare(chunk, features, counts)


def _chunks(pairs: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, max(pairs.num_rows, 1), CHUNK_ROWS):
        yield pairs.slice(start, CHUNK_ROWS)


def _small(compared: pa.Table) -> pa.Table:
    """With a byte for a column of few values."""
    for name, values in _FEW_VALUES.items():
        codes = positions(compared.column(name), values)
        codes = pa.array(codes.astype(np.int8), mask=codes < 0)
        column = pa.DictionaryArray.from_arrays(codes, values)
        compared = compared.set_column(compared.column_names.index(name), name, column)
    return compared


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
    return pa.concat_tables(scored_chunks(pairs, features, models, decisions, settings))


def scored_chunks(
    pairs: pa.Table,
    features: pa.Table,
    models: Models,
    decisions: pa.Table | None,
    settings: MatchingSettings,
    counted: Counted | None = None,
) -> Iterator[pa.Table]:
    """As :func:`score_pairs`, chunk by chunk: for tables that go to a file.

    Weighs every pair twice, because the pairs inside components, which stand
    among the others, are known only when all are weighed.

    Args:
        counted: of the features, if the models were learned with it.
    """
    scorer = Scorer(features, models, counted.values if counted else None)
    counts = counts_of(models)
    if "veto" not in pairs.column_names:
        pairs = compare(pairs, features, counts)
    weighed = pa.concat_tables(map(scorer.weigh, _chunks(pairs)))
    added = _inside(weighed, features, decisions, settings)
    if added.num_rows:
        levels = compare(added, features, counts)
        pairs = _sorted(_joined(pairs, levels), features)
    for chunk in _chunks(pairs):
        yield scorer.score(chunk)


def weigh_pairs(
    pairs: pa.Table,
    features: pa.Table,
    models: Models,
    decisions: pa.Table | None,
    settings: MatchingSettings,
    counted: Counted | None = None,
) -> pa.Table:
    """As :func:`score_pairs`, but only what clustering reads: no column per comparison.

    Args:
        counted: of the features, if the models were learned with it.

    Returns:
        left_id, right_id, found_by, veto, weight_bits, probability.
    """
    scorer = Scorer(features, models, counted.values if counted else None)
    counts = counts_of(models)
    weighed = pa.concat_tables(map(scorer.weigh, _compared(pairs, features, counts)))
    added = _inside(weighed, features, decisions, settings)
    if not added.num_rows:
        return weighed
    found = pa.concat_tables(map(scorer.weigh, _compared(added, features, counts)))
    return _sorted(_joined(weighed, found), features)


def _inside(
    weighed: pa.Table,
    features: pa.Table,
    decisions: pa.Table | None,
    settings: MatchingSettings,
) -> pa.Table:
    """Pairs inside components that are not among the weighed ones."""
    ids = as_array(features.column("record_id"))
    return clusters.missing_pairs(ids, weighed, decisions, settings)


def _joined(pairs: pa.Table, added: pa.Table) -> pa.Table:
    """Two tables of pairs; columns that the added ones lack are null for them."""
    columns = [
        added.column(name).cast(kind)
        if name in added.column_names
        else pa.nulls(added.num_rows, kind)
        for name, kind in zip(pairs.column_names, pairs.schema.types, strict=True)
    ]
    return pa.concat_tables([pairs, pa.table(columns, names=pairs.column_names)])


def _sorted(pairs: pa.Table, features: pa.Table) -> pa.Table:
    """Pairs in the order of their records."""
    ids = as_array(features.column("record_id"))
    left, right = (positions(pairs.column(name), ids) for name in ("left_id", "right_id"))
    return pairs.take(pa.array(np.argsort(left * len(ids) + right)))

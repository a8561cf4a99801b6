"""One evaluation for every tool: clusters of records against the truth.

Pairwise precision, recall and F1 over the records of a data set, B-cubed, and
how many look-alike pairs of entities share a cluster; see dedupe.evaluation.
A record that a tool leaves out is a cluster of its own.
"""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dedupe.evaluation import Evaluation, evaluate


def score(
    clusters: pa.Table, truth: pa.Table, hard_negatives: pa.Table | None = None
) -> Evaluation:
    """Score clusters.

    Args:
        clusters: record_id, cluster_id.
        truth: record_id, entity_id.
        hard_negatives: entity_a, entity_b.
    """
    return evaluate(_named(clusters, "cluster_id"), _named(truth, "entity_id"), hard_negatives)


@dataclass(frozen=True)
class Truth:
    """The truth of a prepared data set: record_id, entity_id; pairs of entities that look alike."""

    entities: pa.Table
    hard_negatives: pa.Table | None

    @staticmethod
    def read(folder: Path) -> "Truth":
        """The truth in a prepared data set's folder."""
        hard = folder / "hard_negatives.parquet"
        return Truth(
            pq.read_table(folder / "truth.parquet"), pq.read_table(hard) if hard.exists() else None
        )

    def score(self, clusters: pa.Table) -> Evaluation:
        """Score clusters: record_id, cluster_id."""
        return score(clusters, self.entities, self.hard_negatives)


def _named(table: pa.Table, column: str) -> pa.Table:
    source = pa.array([""], pa.string()).take(pa.array([0] * table.num_rows, pa.int8()))
    return pa.table({"source": source, "source_key": table["record_id"], column: table[column]})

"""What a steward should look at: doubtful merges and clusters that hang on one pair."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from dedupe.levels import VETOES
from dedupe.model import MatchingSettings, logit_bits, probability_of
from dedupe.pair_graph import PairGraph

SUGGESTIONS_SCHEMA = pa.schema(
    [
        ("left_cluster_id", pa.string()),
        ("right_cluster_id", pa.string()),
        ("left_id", pa.string()),
        ("right_id", pa.string()),
        ("probability", pa.float64()),
        ("kind", pa.string()),
        ("reason", pa.string()),
    ]
)


def suggest(
    graph: PairGraph,
    of_record: np.ndarray,
    smallest: Mapping[int, str],
    weakest: Mapping[int, tuple[float, int]],
    scored_pairs: pa.Table,
    settings: MatchingSettings,
) -> pa.Table:
    """Doubtful merges and splits, one per pair of clusters, best first."""
    match, review = logit_bits(settings.match), logit_bits(settings.review)
    label_of_atom = np.zeros(len(graph.sizes), dtype=np.int64)
    label_of_atom[graph.atom_of] = of_record
    apart = {
        (int(label_of_atom[atom]), int(label_of_atom[other]))
        for atom, others in graph.apart.items()
        for other in others
    }
    veto = scored_pairs.column("veto")
    best: dict[tuple[int, int], int] = {}
    left_label, right_label = of_record[graph.left], of_record[graph.right]
    worth = (left_label != right_label) & (graph.bits >= np.where(graph.vetoed, match, review))
    for edge in np.flatnonzero(worth).tolist():
        one, other = int(left_label[edge]), int(right_label[edge])
        if (one, other) in apart:
            continue
        pair = (min(one, other), max(one, other))
        known = best.get(pair)
        if known is None or graph.bits[edge] > graph.bits[known]:
            best[pair] = edge
    rows = []
    for edge in best.values():
        bits = float(graph.bits[edge])
        reason = "The pair is likely, but not certain enough to merge."
        if graph.vetoed[edge]:
            reason = VETOES[veto[int(graph.row[edge])].as_py()].sentence
        elif bits >= match:
            reason = (
                "The strongest pair matches, but other pairs of the two clusters speak against."
            )
        rows.append((edge, "merge", reason, bits))
    doubtful = logit_bits(1.0 - settings.review)
    for mean, edge in weakest.values():
        if mean < min(doubtful, match + 1.0):
            reason = "The cluster hangs on this pair: without it, two customers."
            rows.append((edge, "split", reason, mean))
    rows.sort(key=lambda row: (-row[3], row[1], row[0]))
    return pa.table(
        [
            pa.array([smallest[int(left_label[row[0]])] for row in rows], pa.string()),
            pa.array([smallest[int(right_label[row[0]])] for row in rows], pa.string()),
            pa.array([graph.ids[graph.left[row[0]]] for row in rows], pa.string()),
            pa.array([graph.ids[graph.right[row[0]]] for row in rows], pa.string()),
            pa.array([probability_of(row[3]) for row in rows], pa.float64()),
            pa.array([row[1] for row in rows], pa.string()),
            pa.array([row[2] for row in rows], pa.string()),
        ],
        schema=SUGGESTIONS_SCHEMA,
    )

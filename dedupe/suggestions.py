"""What a steward should look at: doubtful merges and clusters that hang on one pair."""

from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from dedupe.agglomeration import mean_bits
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


CONTRADICTED_BITS = 7.0
"""Evidence above the cut from which a merge that a veto forbids is worth a steward's look:
below it one in eight was right, above it one in two (four invented worlds)."""


def suggest(
    graph: PairGraph,
    of_record: np.ndarray,
    smallest: Mapping[int, str],
    weakest: Mapping[int, tuple[float, int]],
    scored_pairs: pa.Table,
    settings: MatchingSettings,
) -> pa.Table:
    """Doubtful merges and splits, one per pair of clusters, best first.

    The evidence for a merge is the mean over all pairs between two clusters, as
    in clustering; a contradicted one is worth a look only if its strongest pair
    is :data:`CONTRADICTED_BITS` above the cut.
    """
    match, review = logit_bits(settings.match), logit_bits(settings.review)
    label_of_atom = np.zeros(len(graph.sizes), dtype=np.int64)
    label_of_atom[graph.atom_of] = of_record
    apart = {
        (int(label_of_atom[atom]), int(label_of_atom[other]))
        for atom, others in graph.apart.items()
        for other in others
    }
    veto = scored_pairs.column("veto")
    left_label, right_label = of_record[graph.left], of_record[graph.right]
    sizes = Counter(of_record[graph.live].tolist())
    rows = []
    for pair, edges in _between(graph, left_label, right_label).items():
        if pair in apart:
            continue
        best = max(edges, key=lambda edge: (graph.bits[edge], -edge))
        against = next((edge for edge in edges if graph.vetoed[edge]), None)
        if against is not None:
            bits = float(graph.bits[best])
            reason = VETOES[veto[int(graph.row[against])].as_py()].sentence
            wanted = match + CONTRADICTED_BITS
        else:
            bits = mean_bits(graph.bits[edges].tolist(), sizes[pair[0]] * sizes[pair[1]])
            reason = "The two are likely, but not certain enough to merge."
            if graph.bits[best] >= match:
                reason = "One pair of records matches, but the others speak against it."
            wanted = review
        if bits >= wanted:
            rows.append((best, "merge", reason, bits))
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


def _between(
    graph: PairGraph, left_label: np.ndarray, right_label: np.ndarray
) -> dict[tuple[int, int], list[int]]:
    """Pairs of clusters, and the scored pairs between them."""
    between: dict[tuple[int, int], list[int]] = defaultdict(list)
    for edge in np.flatnonzero(left_label != right_label).tolist():
        one, other = int(left_label[edge]), int(right_label[edge])
        between[min(one, other), max(one, other)].append(edge)
    return between

"""What a steward should look at: clusters that may be one customer, and one that may be two.

A merge is suggested where the mean evidence between two clusters is below the
cut but not far, or above it while one of them fits another customer as well; a
split where two records of a cluster contradict each other clearly although the
others hold them together. Where nothing is uncertain nothing is suggested: a
queue is worth as much as its share of right answers.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.agglomeration import HIGHEST_BITS, LOWEST_BITS, UNSCORED_BITS
from dedupe.comparing.columns import positions_of
from dedupe.learning import posterior
from dedupe.levels import VETOES
from dedupe.model import MatchingSettings, logit_bits
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

SPLIT_PROBABILITY = 0.1
"""Probability of a pair up to which it makes its cluster doubtful: two in five are right to
split then, of clusters that only hang on a weak pair one in five (invented worlds)."""
SPLITS_RIGHT = 0.4
"""Share of suggested splits that are right to split: the two in five of above."""
REASONS = {
    "likely": "The two are likely, but not certain enough to merge.",
    "others": "One pair of records matches, but the others speak against it.",
    "rival": "They match, but one of them fits another customer about as well.",
    "inside": "Two records of this customer do not match; only others hold them together.",
    "evidence_changed": "The records now say something else than when a value was set by hand.",
    **{name: veto.sentence for name, veto in VETOES.items()},
}
"""Every value of the column ``reason`` of a suggestion or case, and the sentence that it
stands for."""
_MICRO = 1_000_000


def suggest(
    graph: PairGraph,
    of_record: np.ndarray,
    smallest: np.ndarray,
    scored_pairs: pa.Table,
    settings: MatchingSettings,
) -> pa.Table:
    """Doubtful merges and splits; :func:`in_order` sorts them.

    The evidence for a merge is the mean over all pairs between two clusters,
    contradicted ones with the weight they have; each pair of clusters is
    suggested once, with its strongest pair. A doubtful cluster is suggested
    once, with its weakest. What a steward decided is no suggestion.

    Args:
        graph: of pair_graph.build.
        of_record: per record number its cluster's label.
        smallest: per record number the smallest live one of its cluster.
        scored_pairs: that the graph was built from.
        settings: review.
    """
    veto = scored_pairs.column("veto")
    size = np.bincount(of_record[graph.live], minlength=int(of_record.max(initial=-1)) + 1)
    merges, mean = _merges(graph, of_record, size, logit_bits(settings.review))
    splits = _splits(graph, of_record)
    edges = np.concatenate([merges, splits])
    probability = posterior(np.concatenate([mean, graph.bits[splits]]))
    split = np.arange(len(edges)) >= len(merges)
    rows = []
    for index, edge in enumerate(edges.tolist()):
        against = veto[int(graph.row[edge])].as_py()
        if against is not None:
            reason = against
        elif split[index]:
            reason = "inside"
        else:
            cut = logit_bits(settings.match)
            reason = "likely" if graph.bits[edge] < cut else "others"
            if mean[index] >= cut:
                reason = "rival"
        left, right = int(graph.left[edge]), int(graph.right[edge])
        rows.append(
            (
                graph.record_id(smallest[left]),
                graph.record_id(smallest[right]),
                graph.record_id(left),
                graph.record_id(right),
                float(probability[index]),
                "split" if split[index] else "merge",
                reason,
            )
        )
    names = SUGGESTIONS_SCHEMA.names
    return pa.Table.from_pylist(
        [dict(zip(names, row, strict=True)) for row in rows], SUGGESTIONS_SCHEMA
    )


def in_order(suggestions: pa.Table, clusters: pa.Table) -> pa.Table:
    """Suggestions, those first that would put most pairs right.

    Args:
        suggestions: SUGGESTIONS_SCHEMA, of these clusters.
        clusters: record_id, cluster_id.
    """
    ends = [suggestions[name] for name in ("left_cluster_id", "right_cluster_id")]
    asked = pa.chunked_array([chunk for one in ends for chunk in one.chunks], pa.string()).unique()
    own = clusters["cluster_id"].filter(pc.is_in(clusters["cluster_id"], value_set=asked))
    counted = pc.value_counts(own)
    sizes = counted.field("counts").to_numpy()
    left, right = (sizes[one] for one in positions_of(ends, counted.field("values")))
    split = np.asarray(pc.equal(suggestions["kind"], "split"))
    probability = suggestions["probability"].to_numpy()
    # A split parts one record from the others at least.
    worth = np.where(split, (1.0 - probability) * (left - 1), probability * (left * right))
    keys = pa.table(
        {
            "worth": -worth,
            "split": split,
            "left_id": suggestions["left_id"],
            "right_id": suggestions["right_id"],
        }
    )
    return suggestions.take(pc.sort_indices(keys, [(n, "ascending") for n in keys.column_names]))


def _merges(
    graph: PairGraph, of_record: np.ndarray, size: np.ndarray, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of clusters with at least so much evidence between them, and not decided on.

    One pair of records has so much at least: what was never compared suggests nothing.

    Returns:
        of each the strongest scored pair's number, and the mean bits.
    """
    left, right = of_record[graph.left], of_record[graph.right]
    count = len(size)
    edges = np.flatnonzero(left != right)
    # Most pairs lie between clusters of which no pair is likely: those are not looked at.
    likely = edges[graph.bits[edges] >= least]
    near = np.zeros(count, dtype=bool)
    near[left[likely]] = near[right[likely]] = True
    edges = edges[near[left[edges]] & near[right[edges]]]
    key = np.minimum(left, right)[edges].astype(np.int64) * count + np.maximum(left, right)[edges]
    found, group = np.unique(key, return_inverse=True)
    low, high = found // max(count, 1), found % max(count, 1)
    clipped = np.clip(graph.bits[edges], LOWEST_BITS, HIGHEST_BITS)
    # Whole micro-bits, so that the order of pairs cannot change a sum.
    scored = np.bincount(group, weights=np.round(clipped * _MICRO), minlength=len(found)) / _MICRO
    pairs = size[low] * size[high]
    unscored = pairs - np.bincount(group, minlength=len(found))
    mean = (scored + unscored * UNSCORED_BITS) / np.maximum(pairs, 1)
    order = np.lexsort((edges, -graph.bits[edges], group))
    first = order[np.searchsorted(group[order], np.arange(len(found)))]
    wanted = (
        (graph.bits[edges[first]] >= least)
        & (mean >= least)
        & ~np.isin(found, _decided(graph, of_record, count))
    )
    return edges[first[wanted]], mean[wanted]


def _splits(graph: PairGraph, of_record: np.ndarray) -> np.ndarray:
    """Of each doubtful cluster the number of the pair that speaks most against it.

    Pairs of records that decisions hold together do not count.
    """
    label = of_record[graph.left]
    inside = (label == of_record[graph.right]) & (
        graph.atom_of[graph.left] != graph.atom_of[graph.right]
    )
    edges = np.flatnonzero(inside & (graph.bits <= logit_bits(SPLIT_PROBABILITY)))
    order = np.lexsort((edges, graph.bits[edges], label[edges]))
    clusters, first = np.unique(label[edges][order], return_index=True)
    return edges[order[first]] if len(clusters) else edges


def _decided(graph: PairGraph, of_record: np.ndarray, count: int) -> np.ndarray:
    """The pairs of labels that no-link decisions keep apart, as low * count + high."""
    label_of_atom = np.zeros(len(graph.sizes), dtype=np.int64)
    label_of_atom[graph.atom_of] = of_record
    apart = {
        int(min(label_of_atom[[atom, other]])) * count + int(max(label_of_atom[[atom, other]]))
        for atom, others in graph.apart.items()
        for other in others
    }
    return np.array(sorted(apart), dtype=np.int64)

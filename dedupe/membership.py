"""How sure it is that a record belongs to its cluster.

A cluster holds together by its strongest links: the maximum spanning tree of
its scored pairs. Taking one link out leaves two parts, and the smaller one (both,
if they are equal) needs that link to belong. A record is as sure as the weakest
link it needs; a record alone, as sure as it is no other's.
"""

import numpy as np
import pyarrow as pa

from dedupe.comparing.columns import as_array, positions


def confidence(clusters: pa.Table, scored_pairs: pa.Table) -> pa.Array:
    """Probability that each record is where it belongs.

    Args:
        clusters: record_id, cluster_id.
        scored_pairs: left_id, right_id, probability (0..1), veto.

    Returns:
        float64, 0..1, one per row of clusters; 0 for a record that only a
        decision holds in its cluster.
    """
    ids = as_array(clusters.column("record_id"))
    cluster = as_array(clusters.column("cluster_id")).dictionary_encode().indices.to_numpy()
    left, right = (positions(scored_pairs.column(name), ids) for name in ("left_id", "right_id"))
    probability = scored_pairs.column("probability").to_numpy()
    size = np.bincount(cluster)[cluster]
    inside = cluster[left] == cluster[right]
    result = np.where(size > 1, 0.0, 1.0)
    open_pairs = ~inside & scored_pairs.column("veto").is_null().to_numpy()
    for side in (left, right):
        rows = open_pairs & (size[side] == 1)
        np.minimum.at(result, side[rows], 1.0 - probability[rows])
    two = inside & (size[left] == 2)
    for side in (left, right):
        np.maximum.at(result, side[two], probability[two])
    rest = np.flatnonzero(inside & (size[left] > 2))
    _by_needed_link(left[rest], right[rest], probability[rest], result)
    return pa.array(result)


def _by_needed_link(
    left: np.ndarray, right: np.ndarray, probability: np.ndarray, result: np.ndarray
) -> None:
    """Join parts by their strongest link first; the smaller one needs it. Fills result."""
    members: dict[int, list[int]] = {}
    part: dict[int, int] = {}
    for edge in np.lexsort((right, left, -probability)).tolist():
        a, b, sure = int(left[edge]), int(right[edge]), float(probability[edge])
        one, other = part.setdefault(a, a), part.setdefault(b, b)
        if one == other:
            continue
        first, second = members.get(one, [one]), members.get(other, [other])
        if len(first) < len(second):
            one, other, first, second = other, one, second, first
        for record in second:
            result[record] = sure
            part[record] = one
        if len(first) == len(second):
            for record in first:
                result[record] = sure
        members[one] = first + second
        members.pop(other, None)

"""How sure it is that a record belongs to its cluster.

A cluster holds together by its strongest links: the maximum spanning tree of
its scored pairs. Taking one link out leaves two parts, and the smaller one (both,
if they are equal) needs that link to belong. A record is as sure as the weakest
link it needs; a record alone, as sure as it is no other's.
"""

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

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
    _by_needed_link(cluster, left[rest], right[rest], probability[rest], result)
    return pa.array(result)


def _by_needed_link(
    cluster: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    probability: np.ndarray,
    result: np.ndarray,
) -> None:
    """Join parts by their strongest link first; the smaller one needs it. Fills result.

    The first links of all clusters are looked at together, then the second ones, and so on; where
    few clusters have more, one by one.

    Args:
        cluster: number of each record's cluster.
        left, right, probability: of pairs of one cluster's records, each once.
        result: per record.
    """
    links = _strongest_tree(left, right, probability, len(cluster))
    links = links[np.argsort(cluster[left[links]], kind="stable")]
    of_link = cluster[left[links]]
    turn = np.arange(len(links)) - np.searchsorted(of_link, of_link)
    part = np.arange(len(cluster))
    size = np.ones(len(cluster), dtype=np.int64)
    records = np.argsort(cluster, kind="stable")
    begins = np.searchsorted(cluster[records], np.arange(cluster.max(initial=-1) + 2))
    now = 0
    while True:
        turned = np.flatnonzero(turn == now)
        counts = np.diff(begins)[of_link[turned]]
        if len(turned) <= _FEW + counts.sum() // _FEW:
            break
        chosen = links[turned]
        one, other = part[left[chosen]], part[right[chosen]]
        swap = size[one] < size[other]
        one, other = np.where(swap, other, one), np.where(swap, one, other)
        link = np.repeat(np.arange(len(chosen)), counts)
        before = begins[of_link[turned]] - (np.cumsum(counts) - counts)
        rows = records[np.arange(len(link)) + before[link]]
        needs = part[rows] == other[link]
        needs |= (size[one] == size[other])[link] & (part[rows] == one[link])
        result[rows[needs]] = probability[chosen][link[needs]]
        joins = part[rows] == other[link]
        part[rows[joins]] = one[link[joins]]
        size[one] += size[other]
        now += 1
    _one_by_one(part, links[turn >= now], (left, right, probability), result)


_FEW = 50
"""Links that are sooner looked at one by one than together, and records that a link may have."""


def _strongest_tree(
    left: np.ndarray, right: np.ndarray, probability: np.ndarray, records: int
) -> np.ndarray:
    """The pairs of the maximum spanning tree of each cluster, strongest first."""
    order = np.lexsort((right, left, -probability))
    ranks = np.arange(1.0, len(order) + 1)
    graph = csr_array((ranks, (left[order], right[order])), shape=(records, records))
    tree = minimum_spanning_tree(graph).data.astype(np.int64)
    return order[np.sort(tree) - 1]


def _one_by_one(
    part: np.ndarray,
    links: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
    result: np.ndarray,
) -> None:
    """Go on with some clusters' links.

    Args:
        part: of each record, the number of one of the part's.
        links: rows of pairs, of each cluster strongest first.
        pairs: left, right and probability.
    """
    left, right, probability = pairs
    ends = np.unique(part[np.concatenate([left[links], right[links]])])
    rows = np.flatnonzero(np.isin(part, ends))
    members: dict[int, list[int]] = {int(one): [] for one in ends}
    for record, one in zip(rows.tolist(), part[rows].tolist(), strict=True):
        members[one].append(record)
    for link in links.tolist():
        one, other = int(part[left[link]]), int(part[right[link]])
        if len(members[one]) < len(members[other]):
            one, other = other, one
        first, second = members[one], members.pop(other)
        if len(first) == len(second):
            result[first] = probability[link]
        result[second] = probability[link]
        part[second] = one
        first += second

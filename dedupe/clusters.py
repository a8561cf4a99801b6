"""Scored pairs and stewards' decisions → clusters and merge suggestions.

Connected components over-merge through one weak bridge, so components above
the cut are only the frame. Inside one, records are joined by greedy
average-link agglomeration: the two clusters with the best mean log-odds join
first, unless a pair between them contradicts (a veto, or a steward's no-link).
Components too large to be one customer are first split by Leiden on the
constant Potts model. Decisions are constraints: linked records start as one,
and no-link pairs never meet, whatever the scores.

All sums are of whole micro-bits, so row order cannot change a result.

Source: Traag, Waltman & van Eck 2019, doi:10.1038/s41598-019-41695-z (Leiden).
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import graspologic_native
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dedupe.levels import VETOES
from dedupe.model import MatchingSettings
from onefold.errors import DecisionConflict

LOWEST_BITS, HIGHEST_BITS, UNSCORED_BITS = -6.0, 12.0, -1.0
_MICRO = 1_000_000

CLUSTERS_SCHEMA = pa.schema([("record_id", pa.string()), ("cluster_id", pa.string())])
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
PAIRS_SCHEMA = pa.schema(
    [("left_id", pa.string()), ("right_id", pa.string()), ("found_by", pa.string())]
)


@dataclass(frozen=True)
class Clustering:
    """What clustering found.

    Attributes:
        clusters: record_id, cluster_id (the smallest record_id in it), by record_id.
        suggestions: left_cluster_id, right_cluster_id, left_id, right_id (the
            strongest pair between them; for a split, the one it hangs on),
            probability, kind (merge, split), reason; best first.
        report: counts: records, clusters, components, largest, leiden_splits.
    """

    clusters: pa.Table
    suggestions: pa.Table
    report: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Graph:
    """Scored pairs on numbered atoms (records that decisions hold together)."""

    ids: list[str]
    """Every record, and records that only decisions name, sorted."""
    live: np.ndarray
    """Per id: whether it is a record of this run."""
    atom_of: np.ndarray
    """Per id: its atom's number."""
    sizes: np.ndarray
    """Per atom: live records in it, at least 1."""
    left: np.ndarray
    right: np.ndarray
    """Per scored pair: its records' numbers, left < right, pairs in order."""
    bits: np.ndarray
    """Per scored pair: log2 odds."""
    vetoed: np.ndarray
    """Per scored pair: whether it contradicts a merge."""
    row: np.ndarray
    """Per scored pair: its row in the table it came from."""
    apart: Mapping[int, frozenset[int]]
    """Atom → atoms that a no-link decision keeps it apart from."""


def cluster(
    record_ids: Iterable[str],
    scored_pairs: pa.Table,
    decisions: pa.Table | None,
    settings: MatchingSettings,
) -> Clustering:
    """Group records into customers and say what a steward should look at.

    Args:
        record_ids: every live record.
        scored_pairs: left_id, right_id, veto, weight_bits (log2 odds); other
            columns are not read.
        decisions: decision_id, kind, left_id, right_id; those in force; None if none.
        settings: match and review are probabilities 0..1.

    Raises:
        DecisionConflict: link decisions join two records that a no-link
            decision keeps apart.
    """
    graph = _graph(record_ids, scored_pairs, decisions)
    cut = logit_bits(settings.match)
    component = _components(graph, cut)
    label = component.copy()
    weakest: dict[int, tuple[float, int]] = {}
    leiden_splits = 0
    for atoms, edges in _nontrivial(graph, component):
        parts = [atoms]
        if int(graph.sizes[atoms].sum()) > settings.leiden_above:
            parts = _leiden(graph, atoms, edges, cut)
            leiden_splits += len(parts) > 1
        for part in parts:
            _agglomerate(graph, part, edges, cut, label, weakest)
    of_record = label[graph.atom_of]
    smallest = _smallest_ids(graph, of_record)
    rows = np.flatnonzero(graph.live)
    clusters = pa.table(
        [
            pa.array([graph.ids[i] for i in rows], pa.string()),
            pa.array([smallest[int(of_record[i])] for i in rows], pa.string()),
        ],
        schema=CLUSTERS_SCHEMA,
    )
    suggestions = _suggestions(graph, of_record, smallest, weakest, scored_pairs, settings)
    sizes = np.unique(of_record[rows], return_counts=True)[1]
    return Clustering(
        clusters,
        suggestions,
        {
            "records": len(rows),
            "clusters": len(sizes),
            "largest": int(sizes.max(initial=0)),
            "components": len(np.unique(component[graph.atom_of[rows]])),
            "leiden_splits": leiden_splits,
            "suggestions": suggestions.num_rows,
        },
    )


def missing_pairs(
    record_ids: Iterable[str],
    scored_pairs: pa.Table,
    decisions: pa.Table | None,
    settings: MatchingSettings,
) -> pa.Table:
    """Pairs inside components that were never scored, for the caller to score first.

    Blocking leaves most pairs of a large customer unseen; scoring them makes
    the mean over a cluster a measurement instead of a guess.

    Returns:
        left_id, right_id, found_by ("closure"); sorted. Components with more
        records than ``closure_limit`` give none.
    """
    graph = _graph(record_ids, scored_pairs, decisions)
    component = _components(graph, logit_bits(settings.match))[graph.atom_of]
    component[~graph.live] = -1
    members: dict[int, list[int]] = defaultdict(list)
    counts = np.bincount(component[component >= 0], minlength=1)
    eligible = (counts > 2) & (counts <= settings.closure_limit)
    for index in np.flatnonzero((component >= 0) & eligible[np.maximum(component, 0)]):
        members[int(component[index])].append(int(index))
    count = len(graph.ids)
    wanted = [
        first * count + second
        for group in members.values()
        for position, first in enumerate(group)
        for second in group[position + 1 :]
    ]
    known = graph.left.astype(np.int64) * count + graph.right
    missing = np.setdiff1d(np.array(wanted, dtype=np.int64), known)
    return pa.table(
        [
            pa.array([graph.ids[i] for i in missing // max(count, 1)], pa.string()),
            pa.array([graph.ids[i] for i in missing % max(count, 1)], pa.string()),
            pa.array(["closure"] * len(missing), pa.string()),
        ],
        schema=PAIRS_SCHEMA,
    )


def logit_bits(probability: float) -> float:
    """Probability 0..1 → log2 odds.

    >>> logit_bits(0.5), logit_bits(0.8)
    (0.0, 2.0)
    """
    return math.log2(probability) - math.log2(1.0 - probability)


def probability_of(bits: float) -> float:
    """Log2 odds → probability 0..1.

    >>> probability_of(2.0)
    0.8
    """
    return 1.0 / (1.0 + 2.0 ** -max(-60.0, min(60.0, bits)))


def _column(table: pa.Table, name: str) -> list[str | None]:
    return table.column(name).to_pylist() if table.num_rows else []


def _graph(record_ids: Iterable[str], scored_pairs: pa.Table, decisions: pa.Table | None) -> _Graph:
    live_ids = set(record_ids)
    links, no_links = _split_decisions(decisions)
    ids = sorted(live_ids.union(*(pair[1:] for pair in [*links, *no_links])))
    number = pa.array(ids, pa.string())
    left = _numbers(scored_pairs.column("left_id"), number)
    right = _numbers(scored_pairs.column("right_id"), number)
    live = np.fromiter((name in live_ids for name in ids), dtype=bool, count=len(ids))
    bits = scored_pairs.column("weight_bits").to_numpy().astype(np.float64)
    vetoed = ~scored_pairs.column("veto").is_null().to_numpy()
    both = (left >= 0) & (right >= 0)
    both &= left != right
    both[both] &= live[left[both]] & live[right[both]]
    row = np.flatnonzero(both)
    low, high = np.minimum(left, right)[row], np.maximum(left, right)[row]
    order = np.lexsort((-bits[row], high, low))
    low, high, row = low[order], high[order], row[order]
    first = np.ones(len(row), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    low, high, row = low[first], high[first], row[first]
    index = {name: position for position, name in enumerate(ids)}
    joined = np.array([(index[a], index[b]) for _, a, b in links], dtype=np.int64).reshape(-1, 2)
    atom_of = _number_components(len(ids), joined[:, 0], joined[:, 1])
    apart: dict[int, set[int]] = defaultdict(set)
    for decision_id, a, b in no_links:
        first_atom, second_atom = int(atom_of[index[a]]), int(atom_of[index[b]])
        if first_atom == second_atom:
            raise _conflict(decision_id, a, b, links)
        apart[first_atom].add(second_atom)
        apart[second_atom].add(first_atom)
    sizes = np.bincount(atom_of[live], minlength=int(atom_of.max(initial=-1)) + 1)
    return _Graph(
        ids=ids,
        live=live,
        atom_of=atom_of,
        sizes=np.maximum(sizes, 1),
        left=low,
        right=high,
        bits=bits[row],
        vetoed=vetoed[row],
        row=row,
        apart={atom: frozenset(others) for atom, others in apart.items()},
    )


_Decision = tuple[str, str, str]


def _split_decisions(decisions: pa.Table | None) -> tuple[list[_Decision], list[_Decision]]:
    """The link and the no-link decisions, each as (decision_id, left_id, right_id)."""
    found: dict[str, list[_Decision]] = {"link": [], "no_link": []}
    if decisions is not None and decisions.num_rows:
        columns = (_column(decisions, c) for c in ("decision_id", "kind", "left_id", "right_id"))
        for decision_id, kind, left, right in zip(*columns, strict=True):
            if kind in found and left is not None and right is not None and left != right:
                found[kind].append((str(decision_id), left, right))
    return sorted(found["link"]), sorted(found["no_link"])


def _conflict(
    decision_id: str, start: str, goal: str, links: Sequence[_Decision]
) -> DecisionConflict:
    """The error that names the no-link decision and the links that contradict it."""
    neighbors: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for link_id, a, b in links:
        neighbors[a].append((b, link_id))
        neighbors[b].append((a, link_id))
    came: dict[str, tuple[str, str] | None] = {start: None}
    queue = [start]
    for here in queue:
        for there, link_id in neighbors[here]:
            if there not in came:
                came[there] = (here, link_id)
                queue.append(there)
    chain: list[str] = []
    step = came[goal]
    while step is not None:
        chain.append(step[1])
        step = came[step[0]]
    return DecisionConflict(
        f"decision {decision_id}",
        "it keeps two records apart that other decisions join",
        found=f"link decisions {', '.join(reversed(chain))}",
        do="Revoke one of these decisions.",
    )


def _numbers(column: pa.ChunkedArray, ids: pa.Array) -> np.ndarray:
    """Positions of the column's values in ids, -1 where absent."""
    found = pc.index_in(column, value_set=ids)
    return pc.fill_null(found, -1).to_numpy().astype(np.int64)


def _number_components(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Component number per node; numbers follow the smallest node in each."""
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    matrix = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    labels = connected_components(matrix, directed=False)[1]
    first = np.full(int(labels.max()) + 1, count, dtype=np.int64)
    np.minimum.at(first, labels, np.arange(count))
    return np.argsort(np.argsort(first))[labels].astype(np.int64)


def _components(graph: _Graph, cut: float) -> np.ndarray:
    """Component number per atom, over pairs at or above the cut that nothing contradicts."""
    joins = (graph.bits >= cut) & ~graph.vetoed
    return _number_components(
        len(graph.sizes),
        graph.atom_of[graph.left[joins]],
        graph.atom_of[graph.right[joins]],
    )


def _nontrivial(graph: _Graph, component: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each component of several atoms, with the numbers of the scored pairs inside it."""
    by_component = np.argsort(component, kind="stable")
    starts = np.searchsorted(component[by_component], np.arange(component.max(initial=-1) + 2))
    left, right = graph.atom_of[graph.left], graph.atom_of[graph.right]
    inside = np.flatnonzero((component[left] == component[right]) & (left != right))
    inside = inside[np.argsort(component[left[inside]], kind="stable")]
    edge_component = component[left[inside]]
    edge_starts = np.searchsorted(edge_component, np.arange(len(starts)))
    for number in np.flatnonzero(np.diff(starts) > 1):
        atoms = by_component[starts[number] : starts[number + 1]]
        yield atoms, inside[edge_starts[number] : edge_starts[number + 1]]


def _leiden(graph: _Graph, atoms: np.ndarray, edges: np.ndarray, cut: float) -> list[np.ndarray]:
    """Split a large component into communities.

    On the constant Potts model with one bit per pair, two communities join
    when their mean over all pairs, unscored ones at -1 bit, is above zero:
    the rule of the agglomeration, found globally.
    """
    position = {int(atom): index for index, atom in enumerate(atoms)}
    weights: dict[tuple[int, int], float] = defaultdict(float)
    for edge in edges:
        if graph.vetoed[edge] or graph.bits[edge] < cut:
            continue
        a = position[int(graph.atom_of[graph.left[edge]])]
        b = position[int(graph.atom_of[graph.right[edge]])]
        bits = min(HIGHEST_BITS, float(graph.bits[edge])) - cut
        weights[(a, b)] += bits - UNSCORED_BITS
        weights[(b, a)] += bits - UNSCORED_BITS
    rows = np.array([pair[0] for pair in weights])
    columns = np.array([pair[1] for pair in weights])
    matrix = coo_array(
        (np.array(list(weights.values())), (rows, columns)), shape=(len(atoms), len(atoms))
    ).tocsr()
    matrix.sort_indices()
    _, community = graspologic_native.leiden_csr(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float64),
        len(atoms),
        resolution=-UNSCORED_BITS,
        use_modularity=False,
        seed=1,
        iterations=3,
    )
    parts: dict[int, list[int]] = defaultdict(list)
    for index, atom in enumerate(atoms):
        parts[community[index]].append(int(atom))
    return [np.array(part) for part in sorted(parts.values())]


def _agglomerate(
    graph: _Graph,
    part: np.ndarray,
    edges: np.ndarray,
    cut: float,
    label: np.ndarray,
    weakest: dict[int, tuple[float, int]],
) -> None:
    """Join the atoms of one part by average link; writes their labels.

    ``weakest`` takes, per label, the lowest mean (bits) at which two of its
    clusters joined, and the number of the strongest pair between those two.
    """
    members = {int(atom): [int(atom)] for atom in part}
    size = {atom: int(graph.sizes[atom]) for atom in members}
    total: dict[int, dict[int, int]] = {atom: {} for atom in members}
    strongest: dict[tuple[int, int], int] = {}
    apart = {atom: {x for x in graph.apart.get(atom, ()) if x in members} for atom in members}
    unscored = round(UNSCORED_BITS * _MICRO)
    for edge in edges.tolist():
        a, b = int(graph.atom_of[graph.left[edge]]), int(graph.atom_of[graph.right[edge]])
        if a not in members or b not in members:
            continue
        a, b = min(a, b), max(a, b)
        if graph.vetoed[edge]:
            apart[a].add(b)
            apart[b].add(a)
        clipped = max(LOWEST_BITS, min(HIGHEST_BITS, float(graph.bits[edge])))
        value = round(clipped * _MICRO) - unscored
        total[a][b] = total[b][a] = total[a].get(b, 0) + value
        best = strongest.get((a, b))
        if best is None or graph.bits[edge] > graph.bits[best]:
            strongest[(a, b)] = edge

    def mean(a: int, b: int) -> float:
        return (total[a][b] / (size[a] * size[b]) + unscored) / _MICRO

    heap = [(-mean(a, b), a, b) for a in members for b in total[a] if a < b]
    heap = [entry for entry in heap if -entry[0] >= cut]
    heapq.heapify(heap)
    low: dict[int, tuple[float, int]] = {}
    while heap:
        negative, a, b = heapq.heappop(heap)
        if a not in members or b not in members or b in apart[a] or b not in total[a]:
            continue
        if -negative != mean(a, b):
            continue
        step = (-negative, strongest[(a, b)])
        low[a] = min([step, *(low[x] for x in (a, b) if x in low)])
        members[a] += members.pop(b)
        for other in apart.pop(b):
            apart[other].discard(b)
            apart[other].add(a)
            apart[a].add(other)
        del total[a][b]
        for other, value in total.pop(b).items():
            if other == a:
                continue
            del total[other][b]
            total[a][other] = total[other][a] = total[a].get(other, 0) + value
            old, new = (min(b, other), max(b, other)), (min(a, other), max(a, other))
            moved, best = strongest.pop(old), strongest.get(new)
            if best is None or (graph.bits[moved], -moved) > (graph.bits[best], -best):
                strongest[new] = moved
        size[a] += size.pop(b)
        for other in total[a]:
            if other not in apart[a] and (average := mean(a, other)) >= cut:
                heapq.heappush(heap, (-average, min(a, other), max(a, other)))
    for atom, joined in members.items():
        # Labels above every component number keep parts of one component distinct.
        number = len(label) + atom
        label[joined] = number
        if atom in low:
            weakest[number] = low[atom]


def _smallest_ids(graph: _Graph, of_record: np.ndarray) -> dict[int, str]:
    """Cluster label → smallest live record id in it."""
    smallest: dict[int, str] = {}
    for index in np.flatnonzero(graph.live):
        smallest.setdefault(int(of_record[index]), graph.ids[index])
    return smallest


def _suggestions(
    graph: _Graph,
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

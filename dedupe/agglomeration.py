"""Within one component: split it if it is huge, then join its records by average link.

The two clusters with the best mean log-odds join first, unless a pair between
them contradicts; a pair that was never scored counts as slightly unlikely. All
sums are of whole micro-bits, so their order cannot change a result.

Source: Traag, Waltman & van Eck 2019, doi:10.1038/s41598-019-41695-z (Leiden).
"""

import heapq
from collections import defaultdict
from collections.abc import Sequence

import graspologic_native
import numpy as np
from scipy.sparse import coo_array

from dedupe.pair_graph import PairGraph

LOWEST_BITS, HIGHEST_BITS, UNSCORED_BITS = -8.0, 12.0, -1.0
"""Least and most that a pair may count in a mean, and what an unscored one counts. A pair with a
contradiction counts the least: one strong agreement does not make up for it, but a noisy record
does not split a large customer."""
_MICRO = 1_000_000
_NONE: frozenset[str] = frozenset()


def split_large(
    graph: PairGraph, atoms: np.ndarray, edges: np.ndarray, cut: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Split a large component into communities: the atoms and the edges inside each.

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
    # Numbered by their first atoms, so that the order of parts is that of the atoms.
    found = np.array([community[index] for index in range(len(atoms))])
    _, first, part = np.unique(found, return_index=True, return_inverse=True)
    part = np.argsort(np.argsort(first))[part]
    number = np.full(len(graph.sizes), -1, dtype=np.int64)
    number[atoms] = part
    left, right = (
        number[graph.atom_of[graph.left[edges]]],
        number[graph.atom_of[graph.right[edges]]],
    )
    inside = edges[left == right]
    by_atom, by_edge = (
        np.argsort(part, kind="stable"),
        np.argsort(left[left == right], kind="stable"),
    )
    atom_ends = np.cumsum(np.bincount(part))[:-1]
    edge_ends = np.cumsum(np.bincount(left[left == right], minlength=len(first)))[:-1]
    return list(
        zip(
            np.split(atoms[by_atom], atom_ends),
            np.split(inside[by_edge], edge_ends),
            strict=True,
        )
    )


def agglomerate(
    graph: PairGraph,
    part: np.ndarray,
    edges: np.ndarray,
    cut: float,
    label: np.ndarray,
    weakest: dict[int, tuple[float, int]],
    sources: Sequence[frozenset[str]] | None = None,
) -> None:
    """Join the atoms of one part by average link; writes their labels.

    ``weakest`` takes, per label, the lowest mean (bits) at which two of its
    clusters joined, and the number of the strongest pair between those two.
    With ``sources`` (of every atom's records) a cluster has one record of each at most.
    """
    members = {int(atom): [int(atom)] for atom in part}
    held = {atom: sources[atom] if sources else _NONE for atom in members}
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
        if graph.never[edge]:
            apart[a].add(b)
            apart[b].add(a)
        clipped = max(LOWEST_BITS, min(HIGHEST_BITS, float(graph.bits[edge])))
        if graph.vetoed[edge]:
            clipped = LOWEST_BITS
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
        if -negative != mean(a, b) or not held[a].isdisjoint(held[b]):
            continue
        held[a] |= held.pop(b)
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


def mean_bits(bits: Sequence[float], pairs: int) -> float:
    """Mean log-odds over all pairs between two clusters, of which some were scored.

    >>> mean_bits([5.0, 3.0], pairs=4)
    1.5
    """
    scored = sum(round(max(LOWEST_BITS, min(HIGHEST_BITS, x)) * _MICRO) for x in bits)
    return (scored + (pairs - len(bits)) * round(UNSCORED_BITS * _MICRO)) / pairs / _MICRO

"""Within one component: split it if it is huge, then join its records by average link.

The two clusters with the best mean log-odds join first, unless a pair between
them contradicts or one of them fits another customer about as well; a pair that
was never scored counts as slightly unlikely. All sums are of whole micro-bits,
so their order cannot change a result.

Source: Traag, Waltman & van Eck 2019, doi:10.1038/s41598-019-41695-z (Leiden).
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

import graspologic_native
import numpy as np
from scipy.sparse import coo_array

from dedupe.pair_graph import PairGraph

LOWEST_BITS, HIGHEST_BITS, UNSCORED_BITS = -8.0, 12.0, -1.0
"""Least and most that a pair may count in a mean, and what an unscored one counts. A pair with a
contradiction counts the least: one strong agreement does not make up for it, but a noisy record
does not split a large customer."""
OTHER_BITS = -5.0
"""Mean bits between two clusters up to which they are surely two customers."""
_MICRO = 1_000_000
_UNSCORED = round(UNSCORED_BITS * _MICRO)
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
    groups = _Groups(graph, part, edges, sources)
    heap = [(-groups.mean(a, b), a, b) for a in groups.members for b in groups.total[a] if a < b]
    heap = [entry for entry in heap if -entry[0] >= cut]
    heapq.heapify(heap)
    low: dict[int, tuple[float, int]] = {}
    contested: list[tuple[float, int, int]] = []
    while heap:
        negative, a, b = heapq.heappop(heap)
        if not groups.may_join(a, b) or -negative != groups.mean(a, b):
            continue
        if -negative - groups.rival_bits(a, b, cut) < cut:
            contested.append((negative, a, b))
            continue
        step = (-negative, groups.strongest[(a, b)])
        low[a] = min([step, *(low[x] for x in (a, b) if x in low)])
        for other, average in groups.join(a, b):
            if average >= cut:
                heapq.heappush(heap, (-average, min(a, other), max(a, other)))
        while contested:  # who was a rival may have joined
            heapq.heappush(heap, contested.pop())
    for atom, joined in groups.members.items():
        # Labels above every component number keep parts of one component distinct.
        number = len(label) + atom
        label[joined] = number
        if atom in low:
            weakest[number] = low[atom]


class _Groups:
    """The clusters of one part while they join, each named by its smallest atom.

    Attributes:
        members: cluster → its atoms.
        total: cluster → other cluster → micro-bits between them above those of unscored pairs.
        strongest: two clusters, the smaller first → number of the strongest pair between them.
    """

    def __init__(
        self,
        graph: PairGraph,
        part: np.ndarray,
        edges: np.ndarray,
        sources: Sequence[frozenset[str]] | None,
    ) -> None:
        self.members = {int(atom): [int(atom)] for atom in part}
        self.total: dict[int, dict[int, int]] = {atom: {} for atom in self.members}
        self.strongest: dict[tuple[int, int], int] = {}
        self._bits = graph.bits
        self._size = {atom: int(graph.sizes[atom]) for atom in self.members}
        self._held = {atom: sources[atom] if sources else _NONE for atom in self.members}
        self._apart = {
            atom: {x for x in graph.apart.get(atom, ()) if x in self.members}
            for atom in self.members
        }
        for edge in edges.tolist():
            a, b = int(graph.atom_of[graph.left[edge]]), int(graph.atom_of[graph.right[edge]])
            if a not in self.members or b not in self.members:
                continue
            a, b = min(a, b), max(a, b)
            if graph.never[edge]:
                self._apart[a].add(b)
                self._apart[b].add(a)
            clipped = max(LOWEST_BITS, min(HIGHEST_BITS, float(graph.bits[edge])))
            if graph.vetoed[edge]:
                clipped = LOWEST_BITS
            value = round(clipped * _MICRO) - _UNSCORED
            self.total[a][b] = self.total[b][a] = self.total[a].get(b, 0) + value
            best = self.strongest.get((a, b))
            if best is None or graph.bits[edge] > graph.bits[best]:
                self.strongest[(a, b)] = edge

    def mean(self, a: int, b: int) -> float:
        """Bits between two clusters that have a scored pair, on the average of all pairs."""
        return (self.total[a][b] / (self._size[a] * self._size[b]) + _UNSCORED) / _MICRO

    def may_join(self, a: int, b: int) -> bool:
        """Whether both are still there and neither a decision nor their sources forbid it."""
        return (
            a in self.members
            and b in self.members
            and b in self.total[a]
            and b not in self._apart[a]
            and self._held[a].isdisjoint(self._held[b])
        )

    def rival_bits(self, a: int, b: int, cut: float) -> float:
        """What the best rival takes from the evidence that two clusters are one, at least 0.

        A rival fits one of the two and is surely not the other, nor would it join both. One
        cluster cannot be part of two customers, so the odds of either are divided by one
        more than those of the other.
        """
        worst = -math.inf
        for mine, yours in ((a, b), (b, a)):
            for other in self.total[mine]:
                if other != yours and other not in self._apart[mine]:
                    fits = self.mean(mine, other)
                    if fits > worst and self._surely_other(yours, other, mine, cut):
                        worst = fits
        return math.log2(1.0 + 2.0**worst)

    def _surely_other(self, a: int, b: int, between: int, cut: float) -> bool:
        """Whether two clusters are two customers, and not held together by one between them."""
        if b in self._apart[a]:
            return True
        if b not in self.total[a] or self.mean(a, b) > OTHER_BITS:
            return False
        pairs = (self._size[a] + self._size[between]) * self._size[b]
        together = self.total[a][b] + self.total[between][b]
        return (together / pairs + _UNSCORED) / _MICRO < cut

    def join(self, a: int, b: int) -> Iterator[tuple[int, float]]:
        """Make one cluster of two, named a.

        Yields:
            each cluster it may join next, and the mean bits between them.
        """
        self._held[a] |= self._held.pop(b)
        self.members[a] += self.members.pop(b)
        for other in self._apart.pop(b):
            self._apart[other].discard(b)
            self._apart[other].add(a)
            self._apart[a].add(other)
        del self.total[a][b]
        for other, value in self.total.pop(b).items():
            if other == a:
                continue
            del self.total[other][b]
            self.total[a][other] = self.total[other][a] = self.total[a].get(other, 0) + value
            old, new = (min(b, other), max(b, other)), (min(a, other), max(a, other))
            moved, best = self.strongest.pop(old), self.strongest.get(new)
            if best is None or (self._bits[moved], -moved) > (self._bits[best], -best):
                self.strongest[new] = moved
        self._size[a] += self._size.pop(b)
        for other in self.total[a]:
            if other not in self._apart[a]:
                yield other, self.mean(a, other)


def mean_bits(bits: Sequence[float], pairs: int) -> float:
    """Mean log-odds over all pairs between two clusters, of which some were scored.

    >>> mean_bits([5.0, 3.0], pairs=4)
    1.5
    """
    scored = sum(round(max(LOWEST_BITS, min(HIGHEST_BITS, x)) * _MICRO) for x in bits)
    return (scored + (pairs - len(bits)) * _UNSCORED) / pairs / _MICRO

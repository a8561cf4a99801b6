"""Scored pairs and decisions as one numbered graph.

What belongs here: numbering records in the order of their ids, joining linked
records to atoms, and finding contradictory decisions. Numbers follow sorted
ids, so nothing depends on the order of rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dedupe.comparing.columns import ascending, positions, positions_of
from dedupe.levels import VETOES
from onefold.errors import DecisionConflict

_NEVER = [n for n, veto in enumerate(VETOES.values()) if veto.overruled_at_bits is None]


@dataclass(frozen=True)
class PairGraph:
    """Scored pairs on numbered atoms (records that decisions hold together)."""

    ids: pa.Array
    """Every record, and records that only decisions name, sorted; text."""
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
    never: np.ndarray
    """Per scored pair: whether it does so whatever else speaks for it."""
    row: np.ndarray
    """Per scored pair: its row in the table it came from."""
    apart: Mapping[int, frozenset[int]]
    """Atom → atoms that a no-link decision keeps it apart from."""

    def record_id(self, number: int) -> str:
        """The id of a record's number."""
        return str(self.ids[int(number)].as_py())


def _column(table: pa.Table, name: str) -> list[str | None]:
    return table.column(name).to_pylist() if table.num_rows else []


def build(
    record_ids: Iterable[str] | pa.Array, scored_pairs: pa.Table, decisions: pa.Table | None
) -> PairGraph:
    links, no_links = _split_decisions(decisions)
    records = record_ids
    if not isinstance(records, pa.Array):
        records = pa.array(list(records), pa.string())
    decided = pa.array([one for pair in [*links, *no_links] for one in pair[1:]], pa.string())
    ids, live = _numbered(records, decided)
    ends = [scored_pairs.column(name) for name in ("left_id", "right_id")]
    left, right = positions_of(ends, ids)
    bits = scored_pairs.column("weight_bits").to_numpy().astype(np.float64)
    reason = positions(scored_pairs.column("veto"), pa.array(list(VETOES)))
    never = np.isin(reason, _NEVER)
    both = (left >= 0) & (right >= 0) & (left != right)
    row = np.flatnonzero(both)
    row = row[live[left[row]] & live[right[row]]]
    key = np.minimum(left, right)[row] * len(ids) + np.maximum(left, right)[row]
    if (np.diff(key) <= 0).any():  # else they are in order, and each is there once
        order = np.lexsort((-bits[row], key))
        order = order[np.diff(key[order], prepend=-1) != 0]
        row, key = row[order], key[order]
    low, high = key // max(len(ids), 1), key % max(len(ids), 1)
    place = positions(decided, ids).reshape(-1, 2)
    joined, parted = place[: len(links)], place[len(links) :]
    atom_of = (
        number_components(len(ids), joined[:, 0], joined[:, 1])
        if len(links)
        else np.arange(len(ids))
    )
    apart: dict[int, set[int]] = defaultdict(set)
    for (decision_id, a, b), (first, second) in zip(no_links, parted.tolist(), strict=True):
        first_atom, second_atom = int(atom_of[first]), int(atom_of[second])
        if first_atom == second_atom:
            raise _conflict(decision_id, a, b, links)
        apart[first_atom].add(second_atom)
        apart[second_atom].add(first_atom)
    sizes = np.bincount(atom_of[live], minlength=int(atom_of.max(initial=-1)) + 1)
    return PairGraph(
        ids=ids,
        live=live,
        atom_of=atom_of,
        sizes=np.maximum(sizes, 1),
        left=low,
        right=high,
        bits=bits[row],
        vetoed=reason[row] >= 0,
        never=never[row],
        row=row,
        apart={atom: frozenset(others) for atom, others in apart.items()},
    )


def _numbered(records: pa.Array, decided: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """All ids, sorted and each once, and which of them are records."""
    if not len(decided) and ascending(records):
        return records, np.ones(len(records), dtype=bool)
    ids = pc.unique(pa.concat_arrays([records, decided]))
    ids = ids.take(pc.sort_indices(ids))
    return ids, np.asarray(pc.is_in(ids, value_set=records))


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


def number_components(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Component number per node; numbers follow the smallest node in each."""
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    matrix = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    labels = connected_components(matrix, directed=False)[1]
    first = np.full(int(labels.max()) + 1, count, dtype=np.int64)
    np.minimum.at(first, labels, np.arange(count))
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return number[labels]


def components(graph: PairGraph, cut: float) -> np.ndarray:
    """Component number per atom, over pairs at or above the cut that nothing contradicts."""
    joins = (graph.bits >= cut) & ~graph.vetoed
    return number_components(
        len(graph.sizes),
        graph.atom_of[graph.left[joins]],
        graph.atom_of[graph.right[joins]],
    )


def settled(graph: PairGraph, component: np.ndarray, cut: float) -> np.ndarray:
    """Which components are one cluster without a doubt: every pair in them is at or above the cut.

    Returns:
        bool per component number; never where decisions play a part.
    """
    count = int(component.max(initial=-1)) + 1
    atoms = np.bincount(component, minlength=count)
    left, right = graph.atom_of[graph.left], graph.atom_of[graph.right]
    good = (graph.bits >= cut) & ~graph.vetoed & (component[left] == component[right])
    pairs = np.bincount(component[left[good]], minlength=count)
    plain = np.bincount(component[graph.atom_of], minlength=count) == atoms
    decided = np.array(sorted(graph.apart), dtype=np.int64)
    plain[component[decided]] = False
    return plain & (pairs == atoms * (atoms - 1) // 2)


def inside_components(
    graph: PairGraph, component: np.ndarray, wanted: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each wanted component of several atoms, with the numbers of the scored pairs inside it.

    Args:
        wanted: bool per component number.
    """
    by_component = np.argsort(component, kind="stable")
    starts = np.searchsorted(component[by_component], np.arange(component.max(initial=-1) + 2))
    left, right = graph.atom_of[graph.left], graph.atom_of[graph.right]
    inside = np.flatnonzero((component[left] == component[right]) & (left != right))
    inside = inside[np.argsort(component[left[inside]], kind="stable")]
    edge_component = component[left[inside]]
    edge_starts = np.searchsorted(edge_component, np.arange(len(starts)))
    for number in np.flatnonzero((np.diff(starts) > 1) & wanted):
        atoms = by_component[starts[number] : starts[number + 1]]
        yield atoms, inside[edge_starts[number] : edge_starts[number + 1]]


def smallest_records(graph: PairGraph, of_record: np.ndarray) -> np.ndarray:
    """Per record the smallest live one of its cluster; -1 where none is live.

    Args:
        of_record: per record its cluster's label.
    """
    live = np.flatnonzero(graph.live)
    smallest = np.full(int(of_record.max(initial=-1)) + 1, -1, dtype=np.int64)
    smallest[of_record[live[::-1]]] = live[::-1]
    return smallest[of_record]


def sources_of_records(graph: PairGraph) -> pa.Array:
    """Per record its source, the part of its id before the colon."""
    return pc.replace_substring_regex(graph.ids, ":.*$", "")


def sources_of_atoms(graph: PairGraph) -> list[frozenset[str]]:
    """Per atom: the sources of its records."""
    found: list[set[str]] = [set() for _ in graph.sizes]
    for name, atom in zip(
        sources_of_records(graph).to_pylist(), graph.atom_of.tolist(), strict=True
    ):
        found[atom].add(name)
    return list(map(frozenset, found))

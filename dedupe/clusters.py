"""Scored pairs and stewards' decisions → clusters and merge suggestions.

Connected components over-merge through one weak bridge, so components above
the cut are only the frame; inside one, records join by average link
(agglomeration.py), and components too large to be one customer are first split
by Leiden. Decisions are constraints: linked records start as one, and no-link
pairs never meet, whatever the scores.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedupe.agglomeration import agglomerate, split_large
from dedupe.model import MatchingSettings, logit_bits
from dedupe.pair_graph import (
    PairGraph,
    build,
    components,
    inside_components,
    settled,
    smallest_records,
    sources_of_atoms,
    sources_of_records,
)
from dedupe.suggestions import in_order, suggest

CLUSTERS_SCHEMA = pa.schema([("record_id", pa.string()), ("cluster_id", pa.string())])
READ = ("left_id", "right_id", "veto", "weight_bits")
"""Columns of scored_pairs that clustering reads."""


@dataclass(frozen=True)
class Clustering:
    """What clustering found.

    Attributes:
        clusters: record_id, cluster_id (the smallest record_id in it), by record_id.
        suggestions: left_cluster_id, right_cluster_id, left_id, right_id (the
            strongest pair between them; for a split, the one that speaks most
            against it), probability, kind (merge, split), reason; best first.
        report: counts: records, clusters, components, largest, leiden_splits.
    """

    clusters: pa.Table
    suggestions: pa.Table
    report: Mapping[str, int] = field(default_factory=dict)


def cluster(
    record_ids: Iterable[str] | pa.Array,
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
    graph = build(record_ids, scored_pairs, decisions)
    grouped = _group(graph, settings)
    component, of_record, smallest = grouped.component, grouped.of_record, grouped.smallest
    rows = np.flatnonzero(graph.live)
    clusters = pa.table(
        [graph.ids.take(pa.array(rows)), graph.ids.take(pa.array(smallest[rows]))],
        schema=CLUSTERS_SCHEMA,
    )
    found = suggest(graph, of_record, smallest, scored_pairs, settings)
    suggestions = in_order(found, clusters)
    sizes = np.bincount(of_record[rows])
    return Clustering(
        clusters,
        suggestions,
        {
            "records": len(rows),
            "clusters": int(np.count_nonzero(sizes)),
            "largest": int(sizes.max(initial=0)),
            "components": int(np.count_nonzero(np.bincount(component[graph.atom_of[rows]]))),
            "leiden_splits": grouped.leiden_splits,
            "suggestions": suggestions.num_rows,
        },
    )


def groups(
    record_ids: Iterable[str] | pa.Array,
    scored_pairs: pa.Table,
    decisions: pa.Table | None,
    settings: MatchingSettings,
) -> list[list[str]]:
    """The records of each cluster that :func:`cluster` finds, sorted; without suggestions.

    Args:
        record_ids, scored_pairs, decisions, settings: as for cluster.
    """
    graph = build(record_ids, scored_pairs, decisions)
    smallest = _group(graph, settings).smallest
    found: dict[int, list[str]] = {}
    ids = graph.ids.to_pylist()
    for row in np.flatnonzero(graph.live).tolist():
        found.setdefault(int(smallest[row]), []).append(ids[row])
    return list(found.values())


class _Grouped(NamedTuple):
    """Records of a graph in clusters.

    Attributes:
        component: per atom the number of its component.
        of_record: per record its cluster's label.
        smallest: per record the smallest live one of its cluster.
        leiden_splits: components that were split for their size.
    """

    component: np.ndarray
    of_record: np.ndarray
    smallest: np.ndarray
    leiden_splits: int


def _group(graph: PairGraph, settings: MatchingSettings) -> _Grouped:
    """Components above the cut, and average link within each that is not settled."""
    cut = logit_bits(settings.match)
    component = components(graph, cut)
    label = component.copy()
    certain = settled(graph, component, cut)
    if settings.link_only:
        certain[:] = False
    # Labels above every component number keep parts of one component distinct.
    label[certain[component]] += 2 * len(label)
    leiden_splits = 0
    sources = sources_of_atoms(graph) if settings.link_only else None
    for atoms, edges in inside_components(graph, component, ~certain):
        parts = [(atoms, edges)]
        if int(graph.sizes[atoms].sum()) > settings.leiden_above:
            parts = split_large(graph, atoms, edges, cut)
            leiden_splits += len(parts) > 1
        for part, inside in parts:
            agglomerate(graph, part, inside, cut, label, {}, sources)
    of_record = label[graph.atom_of]
    return _Grouped(component, of_record, smallest_records(graph, of_record), leiden_splits)


def missing_pairs(
    record_ids: Iterable[str] | pa.Array,
    scored_pairs: pa.Table,
    decisions: pa.Table | None,
    settings: MatchingSettings,
    *,
    linked_only: bool = False,
) -> pa.Table:
    """Pairs inside components that were never scored, for the caller to score first.

    Blocking leaves most pairs of a large customer unseen; scoring them makes
    the mean over a cluster a measurement instead of a guess.

    Args:
        record_ids, scored_pairs, decisions, settings: as for :func:`cluster`.
        linked_only: only in components that hold linked records: where the others'
            pairs are scored already.

    Returns:
        left_id, right_id, found_by ("closure"), dictionary columns; sorted. A component with
        more records than ``closure_limit`` is split first; parts with more give none.
    """
    graph = build(record_ids, scored_pairs, decisions)
    cut = logit_bits(settings.match)
    component = components(graph, cut)
    large = np.bincount(component, weights=graph.sizes, minlength=1) > settings.closure_limit
    left_out = np.zeros(len(component), dtype=bool)
    if linked_only:
        linked = np.zeros(len(large), dtype=bool)
        linked[component[np.bincount(graph.atom_of, minlength=len(component)) > 1]] = True
        left_out = ~linked[component]
        large &= linked
    parts = len(large)
    for atoms, edges in inside_components(graph, component.copy(), large):
        for part, _ in split_large(graph, atoms, edges, cut):
            component[part] = parts
            parts += 1
    component[left_out] = -1
    component = component[graph.atom_of]
    component[~graph.live] = -1
    counts = np.bincount(component + 1, minlength=1)
    counts[0] = 0
    eligible = (counts > 2) & (counts <= settings.closure_limit)
    rows = np.flatnonzero(eligible[component + 1])
    rows = rows[np.argsort(component[rows], kind="stable")]
    group, count = component[rows], len(graph.ids)
    wanted, known = [], graph.left * count + graph.right
    for apart in range(1, int(counts.max(initial=0)) if len(rows) else 0):
        first = np.flatnonzero(group[:-apart] == group[apart:])
        if not len(first):
            break
        wanted.append(rows[first] * count + rows[first + apart])
    missing = np.sort(np.concatenate(wanted)) if wanted else np.zeros(0, dtype=np.int64)
    at = np.minimum(np.searchsorted(known, missing), max(len(known) - 1, 0))
    missing = missing[known[at] != missing] if len(known) else missing
    left, right = missing // max(count, 1), missing % max(count, 1)
    if settings.link_only:
        source = np.asarray(sources_of_records(graph).dictionary_encode().indices)
        crossing = source[left] != source[right]
        left, right = left[crossing], right[crossing]
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), values)
        for codes, values in (
            (left, graph.ids),
            (right, graph.ids),
            (np.zeros(len(left)), pa.array(["closure"])),
        )
    ]
    return pa.table(columns, names=["left_id", "right_id", "found_by"])

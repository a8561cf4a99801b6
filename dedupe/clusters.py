"""Scored pairs and stewards' decisions → clusters and merge suggestions.

Connected components over-merge through one weak bridge, so components above
the cut are only the frame; inside one, records join by average link
(agglomeration.py), and components too large to be one customer are first split
by Leiden. Decisions are constraints: linked records start as one, and no-link
pairs never meet, whatever the scores.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from dedupe.agglomeration import agglomerate, split_large
from dedupe.model import MatchingSettings, logit_bits
from dedupe.pair_graph import (
    build,
    components,
    inside_components,
    settled,
    smallest_ids,
    sources_of_atoms,
)
from dedupe.suggestions import suggest

CLUSTERS_SCHEMA = pa.schema([("record_id", pa.string()), ("cluster_id", pa.string())])
PAIRS_SCHEMA = pa.schema(
    [("left_id", pa.string()), ("right_id", pa.string()), ("found_by", pa.string())]
)


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
    graph = build(record_ids, scored_pairs, decisions)
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
        parts = [atoms]
        if int(graph.sizes[atoms].sum()) > settings.leiden_above:
            parts = split_large(graph, atoms, edges, cut)
            leiden_splits += len(parts) > 1
        for part in parts:
            agglomerate(graph, part, edges, cut, label, {}, sources)
    of_record = label[graph.atom_of]
    smallest = smallest_ids(graph, of_record)
    rows = np.flatnonzero(graph.live)
    clusters = pa.table(
        [
            pa.array([graph.ids[i] for i in rows], pa.string()),
            pa.array([smallest[int(of_record[i])] for i in rows], pa.string()),
        ],
        schema=CLUSTERS_SCHEMA,
    )
    suggestions = suggest(graph, of_record, smallest, scored_pairs, settings)
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
    graph = build(record_ids, scored_pairs, decisions)
    component = components(graph, logit_bits(settings.match))[graph.atom_of]
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
    if settings.link_only:
        source = [name.partition(":")[0] for name in graph.ids]
        wanted = [pair for pair in wanted if source[pair // count] != source[pair % count]]
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

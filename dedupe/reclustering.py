"""Clusters after stewards decided: only what the changed decisions touch is clustered again.

A cluster depends on the records, scored pairs and decisions of its component,
a suggestion on the two clusters it is about. So components that hold a record
of a changed decision are clustered anew, together with the components that
scored pairs lead to from there, for the suggestions between them; all else
stands. The result is that of clustering everything.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import clusters
from dedupe.clusters import Clustering
from dedupe.comparing.columns import positions
from dedupe.model import MatchingSettings, logit_bits
from dedupe.pair_graph import PairGraph, build, components
from dedupe.suggestions import in_order

DECIDED_SCHEMA = pa.schema(
    [("kind", pa.string()), ("left_id", pa.string()), ("right_id", pa.string())]
)
"""What pair decisions say, without who and when."""

Close = Callable[[pa.Array, pa.Table, pa.Table], pa.Table]
"""record ids, scored pairs, decisions → the scored pairs, and those that links made necessary."""


@dataclass(frozen=True)
class _Touched:
    """The part of a graph that changed decisions reach.

    Attributes:
        records: whose clusters can be others now; ids, also of records that are gone.
        around: these, and those of the components that scored pairs lead to.
        pairs: rows of the scored pairs among ``around``, in order.
    """

    records: pa.Array
    around: pa.Array
    pairs: np.ndarray


def said(decisions: pa.Table) -> pa.Table:
    """What pair decisions say, each once: DECIDED_SCHEMA, sorted."""
    named = decisions.select(DECIDED_SCHEMA.names).cast(DECIDED_SCHEMA)
    order = [(name, "ascending") for name in DECIDED_SCHEMA.names]
    return named.group_by(DECIDED_SCHEMA.names).aggregate([]).sort_by(order).combine_chunks()


def recluster(
    record_ids: pa.Array,
    scored_pairs: pa.Table,
    earlier: Clustering,
    before: pa.Table,
    decisions: pa.Table,
    settings: MatchingSettings,
    close: Close,
) -> Clustering:
    """Cluster after decisions were made and revoked.

    Args:
        record_ids: every live record.
        scored_pairs: as clusters.cluster takes them, the same as for ``earlier``.
        earlier: what was found under ``before``.
        before: DECIDED_SCHEMA: the decisions in force then.
        decisions: decision_id, kind, left_id, right_id: those in force now.
        settings: match and review are probabilities 0..1.
        close: scores the pairs inside components that links join.

    Returns:
        clusters and suggestions as clusters.cluster finds them; the report counts records,
        clusters, largest, suggestions, and reclustered: the records looked at again.

    Raises:
        DecisionConflict: link decisions join two records that a no-link decision keeps apart.
    """
    touched = _touched(record_ids, scored_pairs, before, decisions, settings)
    live = touched.around.filter(pc.is_in(touched.around, value_set=record_ids))
    inside = decisions.filter(
        pc.and_(
            *(pc.is_in(decisions[n], value_set=touched.around) for n in ("left_id", "right_id"))
        )
    )
    pairs = scored_pairs.take(pa.array(touched.pairs))
    found = clusters.cluster(live, close(live, pairs, inside), inside, settings)

    def among(table: pa.Table, *names: str) -> pa.ChunkedArray:
        found = [pc.is_in(table[name], value_set=touched.records) for name in names]
        return pc.or_(*found) if len(found) > 1 else found[0]

    grouped = pa.concat_tables(
        [
            earlier.clusters.filter(pc.invert(among(earlier.clusters, "record_id"))),
            found.clusters.filter(among(found.clusters, "record_id")),
        ]
    ).sort_by("record_id")
    ends = ("left_id", "right_id")
    kept = earlier.suggestions.filter(pc.invert(among(earlier.suggestions, *ends)))
    new = found.suggestions.filter(among(found.suggestions, *ends))
    suggestions = in_order(pa.concat_tables([kept, new]), grouped)
    sizes = pc.value_counts(grouped["cluster_id"]).field("counts")
    return Clustering(
        grouped.combine_chunks(),
        suggestions.combine_chunks(),
        {
            "records": grouped.num_rows,
            "clusters": len(sizes),
            "largest": pc.max(sizes).as_py() or 0,
            "suggestions": suggestions.num_rows,
            "reclustered": len(live),
        },
    )


def _touched(
    record_ids: pa.Array,
    scored_pairs: pa.Table,
    before: pa.Table,
    decisions: pa.Table,
    settings: MatchingSettings,
) -> _Touched:
    """What decisions that are in force only then or only now reach.

    Components are those that the links of both times make together: each is made of
    whole components of either time.
    """
    now = said(decisions)
    then, since = ({tuple(row.values()) for row in one.to_pylist()} for one in (before, now))
    changed = pa.array([one for row in then ^ since for one in row[1:]], pa.string())
    both = pa.concat_tables([before, now])
    links = both.filter(pc.equal(both["kind"], "link"))
    numbered = links.append_column("decision_id", pa.array([""] * links.num_rows, pa.string()))
    graph = build(record_ids, scored_pairs, numbered)
    component = components(graph, logit_bits(settings.match))[graph.atom_of]
    named = positions(changed, graph.ids)
    core = _in(component, component[named[named >= 0]])
    crossing = core[graph.left] != core[graph.right]
    ends = np.concatenate([graph.left[crossing], graph.right[crossing]])
    around = core | _in(component, component[ends])
    return _Touched(
        _ids(graph, core),
        _ids(graph, around),
        graph.row[around[graph.left] & around[graph.right]],
    )


def _in(component: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Which records are in one of the components."""
    flags = np.zeros(int(component.max(initial=-1)) + 1, dtype=bool)
    flags[wanted] = True
    return flags[component]


def _ids(graph: PairGraph, wanted: np.ndarray) -> pa.Array:
    return graph.ids.filter(pa.array(wanted))

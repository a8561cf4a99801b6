"""Clusters after stewards decided or records changed: only what that touches is clustered again.

A cluster depends on the records, scored pairs and decisions of its component,
a suggestion on the two clusters it is about, one pair of which is likely enough at least. So
records fall into neighborhoods, which likely pairs and links hold together and beyond which
nothing of a cluster or suggestion depends. Those with a new record, a changed decision or
a changed pair are clustered anew; all else stands. The result is that of clustering everything.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import clusters
from dedupe.clusters import Clustering
from dedupe.comparing.columns import decoded, positions, positions_of, together
from dedupe.levels import VETOES
from dedupe.model import MatchingSettings, logit_bits
from dedupe.pair_graph import number_components
from dedupe.suggestions import in_order

_ENDS = ["left_id", "right_id"]

DECIDED_SCHEMA = pa.schema(
    [("kind", pa.string()), ("left_id", pa.string()), ("right_id", pa.string())]
)
"""What pair decisions say, without who and when."""


class Earlier(NamedTuple):
    """An earlier clustering, and what has changed since.

    Attributes:
        clusters, suggestions: what was found.
        said: DECIDED_SCHEMA: the decisions in force then.
        changed: of :func:`changed_pairs`; None where the scored pairs are the same.
    """

    clusters: pa.Table
    suggestions: pa.Table
    said: pa.Table
    changed: pa.Table | None = None


Close = Callable[[pa.Array, pa.Table, pa.Table], pa.Table]
"""record ids, scored pairs, decisions → the scored pairs, and those that links made necessary."""


def said(decisions: pa.Table) -> pa.Table:
    """What pair decisions say, each once: DECIDED_SCHEMA, sorted."""
    named = decisions.select(DECIDED_SCHEMA.names).cast(DECIDED_SCHEMA)
    order = [(name, "ascending") for name in DECIDED_SCHEMA.names]
    return named.group_by(DECIDED_SCHEMA.names).aggregate([]).sort_by(order).combine_chunks()


def recluster(
    record_ids: pa.Array,
    scored_pairs: pa.Table,
    earlier: Earlier,
    decisions: pa.Table,
    settings: MatchingSettings,
    close: Close,
) -> Clustering:
    """Cluster after decisions were made and revoked, or records changed.

    Args:
        record_ids: every live record.
        scored_pairs: as clusters.cluster takes them.
        earlier: what was found before.
        decisions: decision_id, kind, left_id, right_id: those in force now.
        settings: match and review are probabilities 0..1.
        close: scores the pairs inside components that links join.

    Returns:
        clusters and suggestions as clusters.cluster finds them; the report counts records,
        clusters, largest, suggestions, and reclustered: the records looked at again.

    Raises:
        DecisionConflict: link decisions join two records that a no-link decision keeps apart.
    """
    now = said(decisions)
    touched, live, pairs = _touched(record_ids, scored_pairs, earlier, now, settings)
    inside = decisions.filter(_both(decisions, touched))
    found = clusters.cluster(live, close(live, pairs, inside), inside, settings)

    def among(table: pa.Table, *names: str) -> pa.ChunkedArray:
        found = [pc.is_in(table[name], value_set=touched) for name in names]
        return pc.or_(*found) if len(found) > 1 else found[0]

    stands = earlier.clusters.filter(pc.invert(among(earlier.clusters, "record_id")))
    grouped = together(stands, found.clusters, "record_id")
    ends = ("left_id", "right_id")
    kept = earlier.suggestions.filter(pc.invert(among(earlier.suggestions, *ends)))
    suggestions = in_order(pa.concat_tables([kept, found.suggestions]), grouped)
    # A cluster is named by one of its records, so those of one record need not be counted.
    alone = pc.equal(grouped["cluster_id"], grouped["record_id"])
    others = pc.value_counts(grouped["cluster_id"].filter(pc.invert(alone)))
    most = pc.max(others.field("counts")).as_py() or 0
    return Clustering(
        grouped.combine_chunks(),
        suggestions.combine_chunks(),
        {
            "records": grouped.num_rows,
            "clusters": pc.sum(alone).as_py() or 0,
            "largest": most + 1 if grouped.num_rows else 0,
            "suggestions": suggestions.num_rows,
            "reclustered": len(live),
        },
    )


def changed_pairs(then: pa.Table, now: pa.Table) -> pa.Table:
    """Scored pairs that are new, gone or other.

    Args:
        then, now: columns clusters.READ, each pair once.

    Returns:
        left_id, right_id, weight_bits: the larger of both times.
    """
    ids = pa.chunked_array(
        [chunk for table in (then, now) for name in _ENDS for chunk in table[name].chunks],
        pa.string(),
    ).unique()
    codes, bits, veto = [], [], []
    for table in (then, now):
        left, right = positions_of([table[name] for name in _ENDS], ids)
        codes.append(left * len(ids) + right)
        bits.append(table["weight_bits"].to_numpy())
        veto.append(positions(table["veto"], pa.array(list(VETOES))))
    order = np.argsort(codes[0])
    at = np.searchsorted(codes[0], codes[1], sorter=order)
    place = np.append(order, len(order))[at]
    found = np.append(codes[0], -1)[place] == codes[1]
    same = found.copy()
    same[found] = (bits[0][place[found]] == bits[1][found]) & (
        veto[0][place[found]] == veto[1][found]
    )
    gone = np.ones(len(codes[0]), dtype=bool)
    gone[place[found]] = False
    larger = bits[1].copy()
    larger[found] = np.maximum(larger[found], bits[0][place[found]])
    parts = [
        then.filter(pa.array(gone)).select([*_ENDS, "weight_bits"]),
        now.select(_ENDS).append_column("weight_bits", pa.array(larger)).filter(pa.array(~same)),
    ]
    return pa.concat_tables(parts)


def _touched(
    record_ids: pa.Array,
    scored_pairs: pa.Table,
    earlier: Earlier,
    now: pa.Table,
    settings: MatchingSettings,
) -> tuple[pa.Array, pa.Array, pa.Table]:
    """Records that are gone, or whose clusters and suggestions can be others; those of them that
    are there, and the pairs among these.

    Neighborhoods are those that likely pairs of now and links of both times make together.
    A pair that was likely then has both ends among the touched, whatever it is now; one that
    never was matters within a neighborhood only.
    """
    least = logit_bits(settings.review)
    then, since = ({tuple(row.values()) for row in one.to_pylist()} for one in (earlier.said, now))
    both = pa.concat_tables([earlier.said, now])
    links = both.filter(pc.equal(both["kind"], "link"))
    was = earlier.clusters["record_id"].combine_chunks()
    place = positions(was, record_ids)
    gone = was.filter(pa.array(place < 0))
    is_new = np.ones(len(record_ids), dtype=bool)
    is_new[place[place >= 0]] = False
    linked = pa.concat_arrays([links[name].combine_chunks() for name in _ENDS])
    linked = linked.filter(pa.array(positions(linked, record_ids) < 0)).unique()
    ids = pa.concat_arrays([record_ids, linked]) if len(linked) else record_ids
    left, right = positions_of([scored_pairs[name] for name in _ENDS], ids)
    likely = scored_pairs["weight_bits"].to_numpy() >= least
    ends = positions_of([links[name] for name in _ENDS], ids)
    joined = (np.concatenate(one) for one in zip((left[likely], right[likely]), ends, strict=True))
    near = number_components(len(ids), *joined)
    core = np.zeros(int(near.max(initial=-1)) + 1, dtype=bool)

    def touch(found: np.ndarray) -> None:
        core[near[found[found >= 0]]] = True

    touch(np.flatnonzero(is_new))
    decided = pa.array([one for row in then ^ since for one in row[1:]], pa.string())
    touch(positions(pa.concat_arrays([decided, gone]), ids))
    if earlier.changed is not None:
        first, second = positions_of([earlier.changed[name] for name in _ENDS], ids)
        matters = np.asarray(pc.greater_equal(earlier.changed["weight_bits"], least))
        known = (first >= 0) & (second >= 0)
        matters |= known & (near[first] == near[second])
        touch(first[matters])
        touch(second[matters])
    is_touched = core[near]
    touched = pc.unique(pa.concat_arrays([ids.filter(pa.array(is_touched)), gone]))
    is_live = is_touched[: len(record_ids)]
    there = np.append(is_live, np.zeros(len(ids) - len(is_live) + 1, dtype=bool))
    pairs = scored_pairs.filter(pa.array(there[left] & there[right]))
    return touched, record_ids.filter(pa.array(is_live)), decoded(pairs)


def _both(pairs: pa.Table, ids: pa.Array) -> pa.ChunkedArray:
    """Which pairs have both ends among some records."""
    return pc.and_(*(pc.is_in(pairs[name], value_set=ids) for name in _ENDS))

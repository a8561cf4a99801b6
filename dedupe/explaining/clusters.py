"""Why some records are one customer: the weakest link, what is near, and the graph."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe import clusters as clustering
from dedupe import pair_graph
from dedupe.agglomeration import agglomerate
from dedupe.explaining import apart, pairs
from dedupe.explaining.evidence import Evidence
from dedupe.explaining.facts import Cluster, Edge, Graph, Loss, Neighbor, Pair, WeakestLink
from dedupe.explaining.messages import Message, message
from dedupe.explaining.words import field_name, signed
from dedupe.model import logit_bits

NEAREST = 8
"""Other records that an explanation lists."""


def explain(evidence: Evidence, cluster_id: str, neighbors: int = NEAREST) -> Cluster:
    """Explain a cluster.

    Args:
        neighbors: other records to list at most.

    Raises:
        KeyError: there is no such cluster.
    """
    ids = evidence.members(cluster_id)
    if not ids:
        raise KeyError(cluster_id)
    records = evidence.records(ids)
    golden = sorted({r.golden_id for r in records.values() if r.golden_id})
    weakest = weakest_link(evidence, ids)
    verdict, reasons = _verdict(len(ids), weakest, evidence.decisions_on(ids))
    return Cluster(
        golden_id=golden[0] if golden else None,
        records=tuple(records[one] for one in ids),
        verdict=verdict,
        reasons=tuple(reasons),
        weakest=weakest,
        neighbors=near(evidence, ids, neighbors) if neighbors else (),
    )


def _verdict(
    size: int, weakest: WeakestLink | None, decisions: pa.Table | None
) -> tuple[Message, list[Message]]:
    if size == 1:
        return message("One record: nothing was found to be the same customer."), []
    if weakest is None:
        return message("{count} records, held together by stewards' decisions.", count=size), []
    left, right = len(weakest.left_ids), len(weakest.right_ids)
    verdict = message(
        "{count} records; the weakest link joins {left} and {right} of them"
        " with {bits} bits on average.",
        count=size,
        left=left,
        right=right,
        bits=signed(round(weakest.mean_bits * 10)),
    )
    fatal = [loss for loss in weakest.losses if len(loss.parts) > 1]
    reasons = [_loss_words(loss) for loss in fatal]
    if not fatal:
        reasons.append(
            message(
                "It hangs on nothing alone: without this pair, or any one field of it,"
                " it stays one customer."
            )
        )
    if decisions is not None and "link" in decisions["kind"].to_pylist():
        reasons.append(message("Some of its records were linked by a steward."))
    return verdict, reasons


def _loss_words(loss: Loss) -> Message:
    sizes = " + ".join(str(len(part)) for part in loss.parts)
    return message(
        "Without {what}: {customers} customers, of {sizes} records.",
        what=loss.without,
        customers=len(loss.parts),
        sizes=sizes,
    )


def weakest_link(evidence: Evidence, ids: Sequence[str]) -> WeakestLink | None:
    """Where the records of a cluster joined last and least surely.

    Returns:
        None for one record, and where decisions alone hold the records together.
    """
    scored = evidence.pairs_inside(ids)
    decisions = evidence.decisions_on(ids)
    joint = _weakest_joint(evidence, ids, scored, decisions)
    if joint is None:
        return None
    mean, left_id, right_id = joint
    groups, _ = _joined(ids, scored, decisions, math.nextafter(mean, math.inf))
    left = next(group for group in groups if left_id in group)
    right = tuple(one for one in ids if one not in left)
    pair = pairs.explain(evidence, left_id, right_id)
    losses = [
        Loss(
            message("the pair {left} and {right}", left=left_id, right=right_id),
            "",
            _regroup(evidence, ids, _without_pair(scored, left_id, right_id)),
        )
    ]
    for field in _supporting(pair):
        weakened = _without_field(scored, field, left, right)
        parts = _regroup(evidence, ids, weakened)
        losses.append(
            Loss(message("the evidence “{field}”", field=field_name(field)), field, parts)
        )
    return WeakestLink(left, right, mean, pair, tuple(losses))


def _weakest_joint(
    evidence: Evidence, ids: Sequence[str], scored: pa.Table, decisions: pa.Table | None
) -> tuple[float, str, str] | None:
    """Mean and strongest pair of where some records joined least surely; None if nowhere."""
    if len(ids) < 2:
        return None
    joints = _joined(ids, scored, decisions, logit_bits(evidence.settings.match))[1]
    return min(joints) if joints else None


def _joined(
    ids: Sequence[str], scored: pa.Table, decisions: pa.Table | None, cut: float
) -> tuple[list[tuple[str, ...]], list[tuple[float, str, str]]]:
    """The groups of records that join at a cut, and of each the mean and pair of its weakest."""
    graph = pair_graph.build(ids, scored, decisions)
    part = np.unique(graph.atom_of[graph.live])
    a, b = graph.atom_of[graph.left], graph.atom_of[graph.right]
    label = np.arange(len(graph.sizes))
    weakest: dict[int, tuple[float, int]] = {}
    agglomerate(graph, part, np.flatnonzero(a != b), cut, label, weakest)
    groups: dict[int, list[str]] = {}
    for index in np.flatnonzero(graph.live).tolist():
        groups.setdefault(int(label[graph.atom_of[index]]), []).append(graph.record_id(index))
    joints = [
        (mean, graph.record_id(graph.left[edge]), graph.record_id(graph.right[edge]))
        for mean, edge in weakest.values()
    ]
    return [tuple(group) for group in groups.values()], joints


_OF_A_FIELD = ("level", "cap", "rarity", "veto")
"""Kinds of steps whose bits are those of one field."""


def _supporting(pair: Pair) -> list[str]:
    """The fields that speak for a pair, strongest first; a check of all of them is none."""
    bits: dict[str, float] = {}
    for step in pair.steps[1:]:
        if step.kind not in _OF_A_FIELD:
            continue
        bits[step.field] = bits.get(step.field, 0.0) + step.bits
    return sorted((f for f in bits if f and bits[f] > 0), key=lambda f: (-bits[f], f))


def _without_pair(scored: pa.Table, left: str, right: str) -> pa.Table:
    is_it = pc.and_(pc.equal(scored["left_id"], left), pc.equal(scored["right_id"], right))
    return scored.select(clustering.READ).filter(pc.invert(is_it))


def _without_field(
    scored: pa.Table, field: str, left: Sequence[str], right: Sequence[str]
) -> pa.Table:
    """The pairs as clustering reads them, those between two groups without a field's bits."""
    ends = [pc.is_in(scored[name], pa.array(left, pa.string())) for name in ("left_id", "right_id")]
    others = [
        pc.is_in(scored[name], pa.array(right, pa.string())) for name in ("left_id", "right_id")
    ]
    across = np.asarray(pc.or_(pc.and_(ends[0], others[1]), pc.and_(others[0], ends[1])))
    bits = np.zeros(scored.num_rows)
    for column in (f"{field}_bits", f"{field}_rarity_bits"):
        if column in scored.column_names:
            bits += scored[column].to_numpy()
    weight = scored["weight_bits"].to_numpy() - np.where(across, bits, 0.0)
    read = scored.select(clustering.READ)
    return read.set_column(clustering.READ.index("weight_bits"), "weight_bits", pa.array(weight))


def _regroup(
    evidence: Evidence, ids: Sequence[str], scored: pa.Table
) -> tuple[tuple[str, ...], ...]:
    """The customers that the records would be with other weights, largest first."""
    found = clustering.groups(ids, scored, evidence.decisions_on(ids), evidence.settings)
    return tuple(sorted(map(tuple, found), key=lambda group: (-len(group), group)))


def near(evidence: Evidence, ids: Sequence[str], limit: int = NEAREST) -> tuple[Neighbor, ...]:
    """The records compared with any of these and not among them, strongest pair first.

    Args:
        ids: one record, or those of a cluster.
        limit: how many at most.
    """
    own = set(ids)
    best: dict[str, dict] = {}
    for row in evidence.pairs_of(ids).to_pylist():
        ends = (row["left_id"], row["right_id"])
        if set(ends) <= own:
            continue
        other = ends[1] if ends[0] in own else ends[0]
        if other not in best or row["weight_bits"] > best[other]["weight_bits"]:
            best[other] = row
    order = sorted(best, key=lambda one: (-best[one]["weight_bits"], one))[:limit]
    records = evidence.records(sorted({*order, *ids}))
    cut = logit_bits(evidence.settings.match)
    found = []
    for other in order:
        row = best[other]
        mine = row["left_id"] if row["right_id"] == other else row["right_id"]
        together = records[mine].cluster_id == records[other].cluster_id
        found.append(
            Neighbor(
                records[other],
                mine,
                float(row["weight_bits"]),
                float(row["probability"]),
                row["veto"],
                together,
                _neighbor_words(row, together, cut),
            )
        )
    return tuple(found)


def _neighbor_words(row: dict, together: bool, cut: float) -> Message:
    if together:
        return message("One customer with it.")
    if row["veto"] is not None:
        return apart.veto_words(row["veto"])
    if row["weight_bits"] >= cut:
        return message("The two match, but their customers were not merged.")
    return message(
        "Not alike enough: {bits} bits below the cut.", bits=f"{cut - row['weight_bits']:.1f}"
    )


_DRAWN = ("left_id", "right_id", "veto", "weight_bits", "probability")
"""Columns of scored pairs that a graph shows."""


def graph(evidence: Evidence, ids: Sequence[str]) -> Graph:
    """Records, and the pairs among them that were scored or decided, to be drawn.

    Args:
        ids: records of one cluster, or of several that are looked at together.
    """
    records = evidence.records(sorted(ids))
    decided: dict[tuple[str, str], str] = {}
    decisions = evidence.decisions_on(ids)
    for row in [] if decisions is None else decisions.to_pylist():
        ends = tuple(sorted((row["left_id"], row["right_id"])))
        if set(ends) <= set(records):
            decided[ends[0], ends[1]] = row["kind"]
    found = evidence.pairs_between(ids, ids, _DRAWN)
    rows = {(row["left_id"], row["right_id"]): row for row in found.to_pylist()}
    hangs = set()
    for cluster_id in {record.cluster_id for record in records.values()}:
        inside = [one for one, record in records.items() if record.cluster_id == cluster_id]
        if len(inside) < 2:
            continue
        scored = evidence.pairs_inside(inside, clustering.READ)
        joint = _weakest_joint(evidence, inside, scored, decisions)
        if joint is not None:
            hangs.add((min(joint[1:]), max(joint[1:])))
    edges = []
    for ends in sorted({*rows, *decided}):
        row = rows.get(ends)
        edges.append(
            Edge(
                ends[0],
                ends[1],
                float(row["weight_bits"]) if row else None,
                float(row["probability"]) if row else None,
                row["veto"] if row else None,
                decided.get(ends, ""),
                ends in hangs,
            )
        )
    return Graph(tuple(records[one] for one in sorted(records)), tuple(edges))

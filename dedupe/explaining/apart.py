"""Two clusters that did not join, and what holds one together: decisions, vetoes, means."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dedupe.agglomeration import LOWEST_BITS, OTHER_BITS, mean_bits
from dedupe.explaining.evidence import Evidence
from dedupe.explaining.facts import Between
from dedupe.explaining.messages import Message, message
from dedupe.levels import VETOES

Rows = list[dict[str, Any]]


def between(left: Sequence[str], right: Sequence[str], pairs: Rows) -> Between:
    """Two clusters as wholes.

    Args:
        left, right: their records.
        pairs: scored pairs between them.
    """
    total = len(left) * len(right)
    bits = [float(row["weight_bits"]) if row["veto"] is None else LOWEST_BITS for row in pairs]
    return Between(len(left), len(right), len(bits), mean_bits(bits, total))


def rival(evidence: Evidence, left: Sequence[str], right: Sequence[str]) -> tuple[str, bool] | None:
    """The record that best shows why two clusters that match did not join, if a rival is why.

    Args:
        left, right: their records.

    Returns:
        a record of the rival, and whether it is the left cluster that it fits; see
        agglomeration's ``rival_bits``. Only customers that a steward is asked about are
        looked at: they are in the same case.
    """
    best: tuple[float, str, bool] | None = None
    for mine, yours in ((left, right), (right, left)):
        for other in _suggested_with(evidence, mine):
            members = evidence.members(other)
            near = evidence.pairs_between(mine, members).to_pylist()
            fits = between(mine, members, near).mean_bits
            if not near or yours[0] in members or (best is not None and fits <= best[0]):
                continue
            crossing = evidence.pairs_between(yours, members).to_pylist()
            other_customer = between(yours, members, crossing).mean_bits <= OTHER_BITS
            decisions = evidence.decisions_on([*yours, *members])
            if other_customer or deciding(decisions, yours, members):
                best = fits, _nearest(near, members), mine is left
    return best[1:] if best else None


def _suggested_with(evidence: Evidence, ids: Sequence[str]) -> list[str]:
    """The clusters that a steward is asked to merge with that of these records."""
    own = evidence.cluster_of(ids[0])
    asked = evidence.suggestions.filter(pc.equal(evidence.suggestions["kind"], "merge"))
    ends = zip(*(asked[f"{end}_cluster_id"].to_pylist() for end in ("left", "right")), strict=True)
    return sorted({one for pair in ends if own in pair for one in pair} - {own})


def _nearest(pairs: Rows, members: Sequence[str]) -> str:
    """Of a cluster's records that of its strongest pair."""
    best = max(pairs, key=lambda row: (row["weight_bits"], row["left_id"], row["right_id"]))
    return str(best["left_id"] if best["left_id"] in members else best["right_id"])


def deciding(
    decisions: pa.Table | None, left: Sequence[str], right: Sequence[str]
) -> tuple[str, ...]:
    """The no-link decisions between two groups of records, themselves or through links."""
    if decisions is None:
        return ()
    rows = decisions.to_pylist()
    groups = [_linked(rows, set(ids)) for ids in (left, right)]
    return tuple(
        row["decision_id"]
        for row in rows
        if row["kind"] == "no_link"
        and any(row["left_id"] in a and row["right_id"] in b for a, b in (groups, groups[::-1]))
    )


def linking(decisions: pa.Table | None, left: str, right: str) -> tuple[str, ...]:
    """The link decisions that make one of two records, in the order from left to right."""
    links = [] if decisions is None else [r for r in decisions.to_pylist() if r["kind"] == "link"]
    came: dict[str, tuple[str, str]] = {left: ("", "")}
    queue = [left]
    for here in queue:
        for row in links:
            ends = (row["left_id"], row["right_id"])
            if here in ends:
                there = ends[1] if ends[0] == here else ends[0]
                if there not in came:
                    came[there] = (here, row["decision_id"])
                    queue.append(there)
    chain: list[str] = []
    here = right if right in came else left
    while here != left:
        here, decision = came[here]
        chain.append(decision)
    return tuple(reversed(chain))


def _linked(rows: Rows, ids: set[str]) -> set[str]:
    """The records, and all that link decisions join to them."""
    grown = True
    while grown:
        grown = False
        for row in rows:
            ends = {row["left_id"], row["right_id"]}
            if row["kind"] == "link" and len(ends & ids) == 1:
                ids = ids | ends
                grown = True
    return ids


def path(pairs: Rows, decisions: pa.Table | None, left: str, right: str) -> tuple[str, ...]:
    """The records on the strongest way from left to right: the one whose weakest pair is best.

    Args:
        pairs: scored pairs inside the cluster; contradicted ones are no way.
    """
    ways = [
        (-float(row["weight_bits"]), row["left_id"], row["right_id"])
        for row in pairs
        if row["veto"] is None
    ]
    for row in [] if decisions is None else decisions.to_pylist():
        if row["kind"] == "link":
            ways.append((float("-inf"), row["left_id"], row["right_id"]))
    forest: dict[str, list[str]] = {}
    root: dict[str, str] = {}

    def top(one: str) -> str:
        while root.setdefault(one, one) != one:
            one = root[one]
        return one

    for _, a, b in sorted(ways):
        if top(a) != top(b):
            root[top(a)] = top(b)
            forest.setdefault(a, []).append(b)
            forest.setdefault(b, []).append(a)
    came: dict[str, str] = {left: ""}
    queue = [left]
    for here in queue:
        for there in forest.get(here, ()):
            if there not in came:
                came[there] = here
                queue.append(there)
    if right not in came:
        return ()
    found = [right]
    while came[found[-1]]:
        found.append(came[found[-1]])
    return tuple(reversed(found))


def inherited(pairs: Rows, left: str, right: str) -> tuple[str, str, str] | None:
    """The contradiction between two clusters that is not the pair's own: both records, veto."""
    vetoed = [
        row
        for row in pairs
        if row["veto"] is not None and {row["left_id"], row["right_id"]} != {left, right}
    ]
    vetoed.sort(
        key=lambda row: (
            not {row["left_id"], row["right_id"]} & {left, right},
            row["left_id"],
            row["right_id"],
        )
    )
    return (vetoed[0]["left_id"], vetoed[0]["right_id"], vetoed[0]["veto"]) if vetoed else None


def veto_words(name: str) -> Message:
    """The sentence of a veto."""
    return message(VETOES[name].sentence)

"""Two clusters that did not join, and what holds one together: decisions, vetoes, means."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from dedupe.agglomeration import LOWEST_BITS, mean_bits
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

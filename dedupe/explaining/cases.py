"""What speaks for and against a case: the pairs that matter, what it hangs on, its graph."""

from collections.abc import Sequence
from itertools import combinations

from dedupe.explaining import clusters, pairs
from dedupe.explaining.evidence import Evidence
from dedupe.explaining.facts import CaseFacts

PAIRS = 12
"""Pairs that are explained per case at most."""


def explain(
    evidence: Evidence,
    kind: str,
    groups: Sequence[Sequence[str]],
    suggested: Sequence[tuple[str, str]],
) -> CaseFacts:
    """Explain a case.

    Args:
        evidence: of the matching that the case is of.
        kind: merge or split.
        groups: record ids of each of its customers.
        suggested: pairs of records that suggestions name, most important first.
    """
    ids = sorted(one for group in groups for one in group)
    wanted = dict.fromkeys(suggested)
    if kind == "merge":
        wanted |= dict.fromkeys(_strongest(evidence, groups, wanted))
    explained = tuple(pairs.explain(evidence, *pair) for pair in list(wanted)[:PAIRS])
    cluster = None
    if kind == "split":
        cluster = clusters.explain(evidence, str(evidence.cluster_of(ids[0])), neighbors=0)
    return CaseFacts(explained, cluster, clusters.graph(evidence, ids))


def _strongest(
    evidence: Evidence,
    groups: Sequence[Sequence[str]],
    known: dict[tuple[str, str], None],
) -> list[tuple[str, str]]:
    """The strongest scored pair of each two customers that no known pair joins, best first."""
    at = {one: number for number, group in enumerate(groups) for one in group}
    joined = {frozenset((at[left], at[right])) for left, right in known}
    found = []
    for one, other in combinations(range(len(groups)), 2):
        if frozenset((one, other)) in joined:
            continue
        between = evidence.pairs_between(groups[one], groups[other])
        if between.num_rows:
            columns = (between[name].to_pylist() for name in ("weight_bits", "left_id", "right_id"))
            bits, left, right = max(zip(*columns, strict=True), key=lambda row: (row[0], row[1:]))
            found.append((-bits, left, right))
    return [(left, right) for _, left, right in sorted(found)]

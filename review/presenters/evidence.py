"""Stored facts of a case → sentences, bars and a graph in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dedupe.explaining import graph_svg, stored
from dedupe.explaining.facts import CaseFacts, Cluster, Pair, Step, both_values
from dedupe.explaining.messages import message, say
from dedupe.explaining.words import field_name, signed

BAR = 240
"""Units across of a waterfall's bars."""


@dataclass(frozen=True)
class Bar:
    """One line of a waterfall.

    Attributes:
        kind: prior, level, cap, rarity, veto or other; total for the sum.
        field: the comparison in words; empty for the prior and the sum.
        says: the sentence.
        values: what the two records say; empty where the step is of no field.
        bits: with sign, to a tenth.
        left, width: of the bar, in units of BAR.
        up: whether it speaks for one customer.
    """

    kind: str
    field: str
    says: str
    values: str
    bits: str
    left: float
    width: float
    up: bool


@dataclass(frozen=True)
class Told:
    """A pair in words.

    Attributes:
        left_id, right_id, left_name, right_name: the records.
        verdict: in one sentence.
        reasons: more of it.
        bars: the waterfall, its sum last.
        match_at: where the cut stands, in units of BAR.
        probability: 0 to 1.
        not_compared: fields that could not be compared, in words.
    """

    left_id: str
    right_id: str
    left_name: str
    right_name: str
    verdict: str
    reasons: list[str]
    bars: list[Bar]
    match_at: float
    probability: float
    not_compared: list[str]


@dataclass(frozen=True)
class Evidence:
    """What speaks for and against a case, in words.

    Attributes:
        pairs: most important first.
        verdict: of the customer that may be two; empty for a merge.
        losses: what would become of it without a piece of its evidence: sentence and the
            records of each customer that would remain.
        graph: the records and what was found between them, as SVG; empty for two records.
    """

    pairs: list[Told]
    verdict: str
    losses: list[tuple[str, list[list[str]]]]
    graph: str


def of(facts: Mapping[str, Any], language: str) -> Evidence:
    """Stored facts in a language.

    Args:
        facts: of ``case_evidence``.
        language: zh or en.
    """
    found = stored.restored(CaseFacts, facts)
    match_bits = found.pairs[0].match_bits if found.pairs else 0.0
    drawn = len(found.graph.nodes) > 2
    return Evidence(
        pairs=[_told(pair, language) for pair in found.pairs],
        verdict=say(found.cluster.verdict, language) if found.cluster else "",
        losses=_losses(found.cluster, language),
        graph=graph_svg.graph(found.graph, match_bits, language) if drawn else "",
    )


def parts(facts: Mapping[str, Any]) -> dict[str, int]:
    """Of a customer that may be two: the records on each side of its weakest link, as 1 and 2."""
    weakest = (facts.get("cluster") or {}).get("weakest")
    if not weakest:
        return {}
    return {
        **dict.fromkeys(weakest["left_ids"], 1),
        **dict.fromkeys(weakest["right_ids"], 2),
    }


def _losses(cluster: Cluster | None, language: str) -> list[tuple[str, list[list[str]]]]:
    if cluster is None or cluster.weakest is None:
        return []
    return [
        (say(loss.without, language), [list(part) for part in loss.parts])
        for loss in cluster.weakest.losses
    ]


def _told(pair: Pair, language: str) -> Told:
    sums = [0.0, pair.match_bits, *(step.sum_bits for step in pair.steps)]
    low, high = min(sums), max(sums)
    unit = BAR / max(high - low, 1.0)
    bars, before = [], 0.0
    for step in pair.steps:
        bars.append(_bar(pair, step, before, low, unit, language))
        before = step.sum_bits
    tenths = sum(step.shown_tenths for step in pair.steps)
    bars.append(
        Bar(
            kind="total",
            field="",
            says=say(message("Sum"), language),
            values="",
            bits=signed(tenths),
            left=round((min(0.0, before) - low) * unit, 1),
            width=round(abs(before) * unit, 1),
            up=before >= pair.match_bits,
        )
    )
    return Told(
        left_id=pair.left.record_id,
        right_id=pair.right.record_id,
        left_name=pair.left.name,
        right_name=pair.right.name,
        verdict=say(pair.verdict, language),
        reasons=[say(one, language) for one in pair.reasons],
        bars=bars,
        match_at=round((pair.match_bits - low) * unit, 1),
        probability=pair.probability,
        not_compared=[say(field_name(one), language) for one in pair.not_compared],
    )


def _bar(pair: Pair, step: Step, before: float, low: float, unit: float, language: str) -> Bar:
    start, end = sorted((before, step.sum_bits))
    return Bar(
        kind=step.kind,
        field=say(field_name(step.field), language) if step.field and step.kind != "check" else "",
        says=say(step.says, language),
        values=both_values(pair, step),
        bits=signed(step.shown_tenths),
        left=round((start - low) * unit, 1),
        width=round(max((end - start) * unit, 0.8), 1),
        up=step.bits >= 0,
    )

"""Why a pair scored as it did: its weights, one after another, in words.

Sentences name levels, never values, so an explanation may stand in a log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dedupe.levels import MISSING, TEXT, VETOES, fields_of, levels_of, sentence


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall.

    Attributes:
        field: the comparison, or ``start`` for what is assumed before any.
        level: name of the level; empty for start and rarity.
        sentence: what a steward reads.
        bits: what the step adds (or takes), log2 odds.
        sum_bits: the weight after this step.
    """

    field: str
    level: str
    sentence: str
    bits: float
    sum_bits: float


@dataclass(frozen=True)
class Explanation:
    """A scored pair in words.

    Attributes:
        steps: the start, then every comparison that weighs, strongest first.
        not_compared: comparisons that found nothing to compare.
        veto: the sentence of the contradiction that keeps the two apart, or None.
        weight_bits: log2 odds.
        probability: 0..1.
    """

    steps: tuple[Step, ...]
    not_compared: tuple[str, ...]
    veto: str | None
    weight_bits: float
    probability: float

    def __str__(self) -> str:
        lines = [
            f"{step.bits:+6.1f} → {step.sum_bits:+6.1f}  {step.sentence}" for step in self.steps
        ]
        if self.not_compared:
            lines.append(f"Not compared: {', '.join(self.not_compared)}.")
        if self.veto:
            lines.append(f"Kept apart: {self.veto}")
        lines.append(f"Probability {self.probability:.1%} ({self.weight_bits:+.1f} bits).")
        return "\n".join(lines)


def explain(pair: Mapping[str, Any], customer_type: str) -> Explanation:
    """Explain one row of scored_pairs.

    Args:
        pair: the row as a mapping: <field>_level, <field>_bits,
            <field>_rarity_bits where there is one, veto, weight_bits, probability.
        customer_type: of the pair's left record.

    Raises:
        KeyError: the row lacks one of these columns.
    """
    parts: list[tuple[str, str, str, float]] = []
    absent: list[str] = []
    for field in fields_of(pair):
        known = levels_of(customer_type, field)
        if not known:
            continue
        level = int(pair[f"{field}_level"])
        if level == MISSING:
            absent.append(field)
            continue
        words = sentence(customer_type, field, level)
        name = known[level].name
        parts.append((field, name, words, float(pair[f"{field}_bits"])))
        rarity = float(pair.get(f"{field}_rarity_bits") or 0.0)
        if rarity:
            parts.append((field, "", _rarity_sentence(field, rarity), rarity))
    weight = float(pair["weight_bits"])
    start = weight - sum(part[3] for part in parts)
    parts.sort(key=lambda part: -abs(part[3]))
    first = ("start", "", "What is assumed of any candidate pair.", start)
    steps: list[Step] = []
    total = 0.0
    for field, name, words, bits in [first, *parts]:
        total += bits
        steps.append(Step(field, name, words, bits, total))
    veto = pair["veto"]
    return Explanation(
        tuple(steps),
        tuple(absent),
        VETOES[veto].sentence if veto else None,
        weight,
        float(pair["probability"]),
    )


def _rarity_sentence(field: str, bits: float) -> str:
    words = "rare" if bits > 0 else "common"
    return f"The agreeing {field.removeprefix(TEXT).replace('_', ' ')} is {words}."

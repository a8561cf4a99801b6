"""Why two records are one customer, or why not: the outcome and its reasons.

What belongs here: which of the possible reasons decided. The waterfall stands
in waterfall.py, keys in blocks.py, clusters as wholes in apart.py.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dedupe.explaining import apart, shown, waterfall
from dedupe.explaining.blocks import compared_keys
from dedupe.explaining.evidence import Evidence
from dedupe.explaining.facts import Between, Key, Pair, Record, Step
from dedupe.explaining.frequency import frequencies
from dedupe.explaining.messages import Message, message
from dedupe.explaining.words import exact, field_name
from dedupe.levels import VETOES
from dedupe.lone_pairs import is_lone
from dedupe.model import logit_bits
from dedupe.suggestions import REASONS


def explain(evidence: Evidence, left: str, right: str) -> Pair:
    """Explain a pair of records; which one is named first does not matter.

    Raises:
        KeyError: a record was not matched, or the two are the same.
    """
    left, right = sorted((left, right))
    if left == right:
        raise KeyError("a record cannot be explained with itself")
    row, stored = evidence.pair(left, right)
    rows = evidence.rows_of([left, right])
    records = evidence.records([left, right])
    numbers = shown.compared(rows[0], rows[1])
    pair = [
        replace(
            records[name], values={**records[name].values, **{k: v for k, v in side.items() if v}}
        )
        for name, side in zip((left, right), numbers, strict=True)
    ]
    customer_type = rows[0]["customer_type"]
    same_type = customer_type == rows[1]["customer_type"]
    common = frequencies(evidence, rows[0], rows[1]) if same_type else {}
    steps = waterfall.steps(
        row, evidence.models.get(customer_type), customer_type, common, evidence.contradiction(row)
    )
    facts = _Facts(evidence, row, stored, pair[0], pair[1], steps)
    outcome, verdict, reasons = facts.outcome()
    return Pair(
        left=pair[0],
        right=pair[1],
        outcome=outcome,
        verdict=verdict,
        reasons=tuple(reasons),
        steps=steps,
        not_compared=waterfall.not_compared(row, customer_type),
        weight_bits=float(row["weight_bits"]),
        probability=float(row["probability"]),
        match_bits=facts.cut,
        veto=row["veto"],
        found_by=tuple(filter(None, (row["found_by"] or "").split(","))),
        stored=stored,
        suggestion=facts.suggestion(),
        keys=facts.keys if outcome == "never_compared" else (),
        between=facts.between,
        via=facts.via,
    )


class _Facts:
    """What is known about a pair, asked in the order in which clustering decides."""

    def __init__(
        self,
        evidence: Evidence,
        row: Mapping[str, Any],
        stored: bool,
        left: Record,
        right: Record,
        steps: tuple[Step, ...],
    ) -> None:
        self.evidence, self.row, self.stored = evidence, row, stored
        self.left, self.right, self.steps = left, right, steps
        self.cut = logit_bits(evidence.settings.match)
        self.weight = float(row["weight_bits"])
        self.decisions = evidence.decisions_on([left.record_id, right.record_id])
        self.keys: tuple[Key, ...] = ()
        self.between: Between | None = None
        self.via: tuple[str, ...] = ()

    def outcome(self) -> tuple[str, Message, list[Message]]:
        """Its name, its sentence, and more of it."""
        left, right = self.left, self.right
        if left.cluster_id is not None and left.cluster_id == right.cluster_id:
            return self._together(left.record_id, right.record_id)
        return self._apart(left, right)

    # ------------------------------------------------------------------ together
    def _together(self, left: str, right: str) -> tuple[str, Message, list[Message]]:
        links = apart.linking(self.decisions, left, right)
        if links:
            says = message("A steward linked the two: decision {decisions}.", decisions=links)
            return "linked", says, []
        if self.stored and self.row["veto"] is None and self.weight >= self.cut:
            return "merged", message("The two are one customer: they match."), []
        members = self.evidence.members(str(self.left.cluster_id))
        pairs = self.evidence.pairs_inside(members).to_pylist()
        self.via = apart.path(pairs, self.evidence.decisions_on(members), left, right)[1:-1]
        verdict = message("The two are one customer, but not because of this pair.")
        reasons = []
        if self.via:
            reasons.append(
                message("Other records hold them together: {records}.", records=self.via)
            )
        reasons.append(self._alone())
        return "through", verdict, reasons

    def _alone(self) -> Message:
        """What the pair would be by itself."""
        if self.row["veto"] is not None:
            return message("By themselves: {reason}", reason=apart.veto_words(self.row["veto"]))
        if not self.stored:
            return message("By themselves they were never compared.")
        return message(
            "By themselves they are {bits} bits below the cut.", bits=_bits(self.cut - self.weight)
        )

    # ------------------------------------------------------------------ apart
    def _apart(self, left: Record, right: Record) -> tuple[str, Message, list[Message]]:
        decided = apart.deciding(self.decisions, [left.record_id], [right.record_id])
        groups = [self._members(record) for record in (left, right)]
        crossing = self.evidence.pairs_between(groups[0], groups[1]).to_pylist()
        if max(map(len, groups)) > 1:
            self.between = apart.between(groups[0], groups[1], crossing)
        if decided:
            says = message(
                "A steward keeps the two apart: decision {decisions}.", decisions=decided
            )
            return "kept_apart", says, [self._would()]
        if left.customer_type != right.customer_type:
            return (
                "types",
                message(
                    "One is a person, the other an organization: such records are never paired."
                ),
                [],
            )
        if not self.stored:
            return self._never_compared()
        if self.row["veto"] is not None:
            return self._vetoed(str(self.row["veto"]))
        if self.weight < self.cut:
            return self._below()
        return self._not_formed(left.record_id, right.record_id, groups, crossing)

    def _members(self, record: Record) -> list[str]:
        if record.cluster_id is None:
            return [record.record_id]
        return self.evidence.members(record.cluster_id)

    def _would(self) -> Message:
        if self.row["veto"] is None and self.weight >= self.cut:
            return message("Without the decision they would match.")
        return message("Without the decision they would not match either.")

    def _never_compared(self) -> tuple[str, Message, list[Message]]:
        self.keys = compared_keys(self.evidence, self.left.record_id, self.right.record_id)
        wide = [key for key in self.keys if key.left_out_records is not None]
        if wide:
            verdict = message(
                "Never compared: what they have in common is shared by too many records."
            )
        elif is_lone([key.kind for key in self.keys if key.shared]):
            verdict = message(
                "Never compared: too many pairs agree in this alone, and these two in nothing else."
            )
        elif any(key.shared for key in self.keys):
            verdict = message(
                "Never compared, although they share a key: the last matching did not see it."
            )
        else:
            verdict = message("Never compared, because they have no key in common.")
        reasons = [
            message(
                "{kind}: {records} records share it, more than the {limit} that may;"
                " narrowed by city, birth year, name or road, the two fall apart.",
                kind=key.says,
                records=key.left_out_records,
                limit=key.limit,
            )
            for key in wide
        ]
        if self.row["veto"] is not None:
            reasons.append(
                message(
                    "Compared now, they would be kept apart: {reason}",
                    reason=apart.veto_words(self.row["veto"]),
                )
            )
        elif self.weight >= self.cut:
            reasons.append(
                message(
                    "Compared now, they would match: {bits} bits above the cut.",
                    bits=_bits(self.weight - self.cut),
                )
            )
        else:
            reasons.append(
                message(
                    "Compared now, they would be {bits} bits below the cut.",
                    bits=_bits(self.cut - self.weight),
                )
            )
        return "never_compared", verdict, reasons

    def _vetoed(self, name: str) -> tuple[str, Message, list[Message]]:
        verdict = message("Kept apart by a contradiction: {reason}", reason=apart.veto_words(name))
        limit = VETOES[name].overruled_at_bits
        if limit is None:
            reasons = [message("No weight overrules it; a steward's link does.")]
        else:
            missing = _bits(max(limit, self.cut) - self.weight)
            reasons = [
                message(
                    "Its weight counts against the pair; {missing} bits more of agreement would"
                    " overrule it, and so does a steward's link.",
                    missing=missing,
                )
            ]
        return "veto", verdict, reasons

    def _below(self) -> tuple[str, Message, list[Message]]:
        verdict = message(
            "Not alike enough: {bits} bits below the cut.", bits=_bits(self.cut - self.weight)
        )
        by_field: dict[str, float] = {}
        for step in self.steps[1:]:
            by_field[step.field] = by_field.get(step.field, 0.0) + step.bits
        worst = min(by_field, key=lambda field: by_field[field], default="")
        if not worst or by_field[worst] >= 0:
            return (
                "below",
                verdict,
                [message("Nothing speaks against a match, but too little speaks for it.")],
            )
        cost = by_field[worst]
        reasons = [
            message("{field} costs most: {bits} bits.", field=field_name(worst), bits=_bits(cost))
        ]
        if self.weight - cost >= self.cut:
            reasons.append(message("Without that they would match."))
        return "below", verdict, reasons

    def _not_formed(
        self, left: str, right: str, groups: list[list[str]], crossing: list[dict[str, Any]]
    ) -> tuple[str, Message, list[Message]]:
        head = message("The two match, but their customers were not merged.")
        decided = apart.deciding(
            self.evidence.decisions_on([*groups[0], *groups[1]]), groups[0], groups[1]
        )
        if decided:
            says = message(
                "A steward keeps other records of the two customers apart: decision {decisions}.",
                decisions=decided,
            )
            return "not_formed", head, [says]
        reasons = []
        veto = apart.inherited(crossing, left, right)
        if veto is not None:
            says = message(
                "Records of the two customers contradict each other, {left} and {right}: {reason}",
                left=veto[0],
                right=veto[1],
                reason=apart.veto_words(veto[2]),
            )
            reasons.append(says)
        between = self.between
        if between is not None and between.mean_bits < self.cut:
            says = message(
                "On average the records of the two customers do not match: {mean} bits"
                " over {pairs} pairs, of which {scored} were compared; it takes {cut} bits.",
                mean=exact(between.mean_bits),
                pairs=between.left_records * between.right_records,
                scored=between.scored_pairs,
                cut=exact(self.cut),
            )
            reasons.append(says)
        if not reasons and (claimed := apart.rival(self.evidence, *groups)) is not None:
            ends = (left, right) if claimed[1] else (right, left)
            says = message(
                "The customer of {mine} fits that of {rival} about as well, and that is surely not"
                " the customer of {yours}: it joins one of them only where it fits that one"
                " clearly better.",
                mine=ends[0],
                rival=claimed[0],
                yours=ends[1],
            )
            reasons.append(says)
        if not reasons and sum(map(len, groups)) <= self.evidence.settings.leiden_above:
            reasons.append(message(REASONS["rival"]))
        if not reasons:
            says = message(
                "They lie in a group of records too large for one customer, which was split first."
            )
            reasons.append(says)
        return "not_formed", head, reasons

    # ------------------------------------------------------------------ suggestion
    def suggestion(self) -> Message | None:
        """What a steward is asked about the clusters of the pair."""
        table = self.evidence.suggestions
        if self.left.cluster_id == self.right.cluster_id:
            at = pc.and_(
                pc.equal(table["left_cluster_id"], self.left.cluster_id),
                pc.equal(table["kind"], "split"),
            )
        else:
            ids = pa.array([self.left.cluster_id, self.right.cluster_id], pa.string())
            at = pc.and_(
                pc.is_in(table["left_cluster_id"], ids), pc.is_in(table["right_cluster_id"], ids)
            )
            at = pc.and_(at, pc.equal(table["kind"], "merge"))
        found = table.filter(at).to_pylist()
        if not found:
            return None
        return message("A steward is asked: {reason}", reason=message(REASONS[found[0]["reason"]]))


def _bits(bits: float) -> str:
    """A distance in bits: to a tenth, or closer where that would say none."""
    return f"{abs(bits):.1f}" if abs(bits) >= 0.05 else f"{abs(bits):.2f}"

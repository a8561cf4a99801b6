"""Why a golden value is what it is: whose it is, what lost, and by which criterion.

No rule is told twice: the winner and the order of the others are those of
dedupe/ranking.py, which the golden table is made with; this module only says
which of its scores put a record behind another one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from dedupe.explaining.messages import Message, message
from dedupe.explaining.words import golden_name
from dedupe.ranking import TIE, Members, Ranking, firsts, rank, union
from dedupe.survivorship import parsed, standing
from dedupe.survivorship_policy import HEADS, LISTS, Policy
from rules.customer import BY_NAME


@dataclass(frozen=True)
class Claim:
    """What a record says in a field.

    Attributes:
        record_id, source: of the record.
        values: fields that are chosen together → values; of a list, those that it adds.
        updated_at: when its source last changed it, UTC; None: it does not say.
        trust: in its source in this field, 0..1.
        aged_trust: the same, with what age takes from it.
        verified: whether it was verified.
    """

    record_id: str
    source: str
    values: Mapping[str, Any]
    updated_at: datetime | None
    trust: float
    aged_trust: float
    verified: bool


@dataclass(frozen=True)
class Lost:
    """A record that says something else, and why it does not count (in a list: comes later).

    Attributes:
        claim: what it says.
        criterion: of the policy, or ``tie``.
        why: in words, as a part of a sentence.
    """

    claim: Claim
    criterion: str
    why: Message


@dataclass(frozen=True)
class Pin:
    """A value that a steward set, over all records.

    Attributes:
        field: the golden field.
        value: what it is set to.
        decision_id, decided_by, decided_at, reason: of the decision.
    """

    field: str
    value: Any
    decision_id: str
    decided_by: str
    decided_at: datetime | None
    reason: str


@dataclass(frozen=True)
class Choice:
    """How a golden field, or some that are chosen together, got its value.

    Attributes:
        head: the field, or the group.
        label: its name.
        rule: of the policy.
        values: golden field → value, as the golden table has it.
        chosen: what the records give; None where none says anything.
        alike: records that say the same.
        lost: those that say something else, the best one first.
        pins: what stewards set in the place of it.
        sentence: all that in one.
    """

    head: str
    label: Message
    rule: str
    values: Mapping[str, Any]
    chosen: Claim | None
    alike: tuple[str, ...]
    lost: tuple[Lost, ...]
    pins: tuple[Pin, ...]
    sentence: Message


def choices(
    staged: pa.Table, golden_id: str, policy: Policy, overrides: pa.Table | None = None
) -> list[Choice]:
    """How one customer's golden values were chosen, in the order of the canonical model.

    Args:
        staged: STAGED_SCHEMA, all records of the customer.
        golden_id: its id, as the overrides name it.
        policy: section ``survivorship`` of onefold.yml.
        overrides: decisions in force, as for ``survivorship.consolidate``; also decided_by
            and reason.

    Returns:
        one for each field of which a record or a steward says something.
    """
    ids = pa.array([golden_id] * staged.num_rows, pa.string())
    crosswalk = pa.table({"record_id": staged["record_id"], "golden_id": ids})
    members = Members(staged, crosswalk, policy)
    pins: dict[str, Pin] = {}
    for (golden, field), row in standing(overrides).items():
        if golden == golden_id:
            value = parsed(row["value"], BY_NAME[field].kind)
            said = [row.get(name) for name in ("decided_by", "decided_at", "reason")]
            pins[field] = Pin(
                field, value, row["decision_id"], said[0] or "", said[1], said[2] or ""
            )
    found = [_choice(members, head, pins) for head in HEADS]
    return [one for one in found if one.chosen is not None or one.pins]


def _choice(members: Members, head: str, pins: Mapping[str, Pin]) -> Choice:
    ranking = rank(members, head)
    told = _Told(members, ranking)
    own = tuple(pins[field] for field in ranking.fields if field in pins)
    chosen, alike, lost = told.of_list() if head in LISTS else told.of_value()
    values: dict[str, Any] = dict.fromkeys(ranking.fields, [] if head in LISTS else None)
    if chosen is not None:
        values = dict(chosen.values)
    if head in LISTS:
        for one in lost:
            values = {name: values[name] + one.claim.values[name] for name in values}
    for pin in own:
        values[pin.field] = pin.value
        if pin.field == "phones":
            values |= {"phone_kinds": ["unknown"] * len(pin.value)}
            values |= {"phone_extensions": [""] * len(pin.value)}
    label = golden_name(head)
    sentence = _sentence(label, chosen, alike, lost, own)
    return Choice(head, label, ranking.rule, values, chosen, alike, lost, own, sentence)


_Found = tuple[Claim | None, tuple[str, ...], tuple[Lost, ...]]


class _Told:
    """One field's ranking of one customer, in words."""

    def __init__(self, members: Members, ranking: Ranking) -> None:
        self.members, self.ranking = members, ranking
        head = ranking.head
        self.base, self.aged = members.base_trust(head), members.trust(head)
        self.verified = members.verified(head)
        names = ("record_id", "updated_at", *ranking.fields)
        self.columns = {name: members.column(name) for name in names}

    def of_value(self) -> _Found:
        """The winner, who says the same, and the others in their order."""
        _, best = firsts(self.members, self.ranking)
        if not len(best):
            return None, (), ()
        winner, own = int(best[0]), self._values(int(best[0]))
        alike, lost = [], []
        for row in self.ranking.order.tolist():
            if row == winner:
                continue
            if self._values(row) == own:
                alike.append(self.columns["record_id"][row])
            else:
                lost.append(self._lost(winner, row, self._values(row)))
        return self._claim(winner, own), tuple(alike), tuple(lost)

    def of_list(self) -> _Found:
        """The record of the first items, those that add none, and those that add some."""
        found, origins = union(self.members, self.ranking)
        if not origins:
            return None, (), ()
        added: dict[int, list[int]] = {}
        for _, place, row in origins:
            added.setdefault(row, []).append(place)
        items = {
            row: {
                name: [found[0][place][at] for place in places]
                for at, name in enumerate(self.ranking.fields)
            }
            for row, places in added.items()
        }
        winner, *others = items
        lost = [self._lost(winner, row, items[row]) for row in others]
        adds_none = [row for row in self.ranking.order.tolist() if row not in items]
        alike = tuple(self.columns["record_id"][row] for row in adds_none)
        return self._claim(winner, items[winner]), alike, tuple(lost)

    def _values(self, row: int) -> dict[str, Any]:
        return {name: self.columns[name][row] for name in self.ranking.fields}

    def _claim(self, row: int, values: Mapping[str, Any]) -> Claim:
        return Claim(
            self.columns["record_id"][row],
            str(self.members.source[row]),
            values,
            self.columns["updated_at"][row],
            float(self.base[row]),
            float(self.aged[row]),
            bool(self.verified[row]),
        )

    def _lost(self, winner: int, row: int, values: Mapping[str, Any]) -> Lost:
        criterion = self.ranking.deciding(winner, row)
        return Lost(self._claim(row, values), criterion, self._why(criterion, winner, row))

    def _why(self, criterion: str, winner: int, row: int) -> Message:
        whose = self._whose(winner, row)
        if criterion == TIE:
            return message("{whose} is as good, and its record id comes later", whose=whose)
        if criterion == "trusted":
            return self._trusted(winner, row, whose)
        scores = self.ranking.scores[self.ranking.criteria.index(criterion)]
        best, own = scores[winner], scores[row]
        if criterion == "recent":
            if own == 0:
                return message("{whose} has no date", whose=whose)
            return _older(whose, (best - own) / 86_400)
        if criterion in ("majority", "complete"):
            text = {
                "majority": "{whose} stands in {own} of the records, this one in {best}",
                "complete": "{whose} has {own} of the parts, this one {best}",
            }[criterion]
            return message(text, whose=whose, own=int(own), best=int(best))
        if criterion == "backed":
            text = (
                "the sources that say {whose} are trusted {own} together, those of this one {best}"
            )
            return message(text, whose=whose, own=f"{own:.2f}", best=f"{best:.2f}")
        return message(_PLAIN[criterion], whose=whose)

    def _trusted(self, winner: int, row: int, whose: Message) -> Message:
        age = self.members.age_days
        days = age[row] - age[winner]
        same_age = days == 0 or bool(np.isnan(age[row]) and np.isnan(age[winner]))
        if not same_age and self.base[row] == self.base[winner]:
            if np.isnan(days):
                return message("{whose} has no date", whose=whose)
            return _older(whose, days)
        source, best = str(self.members.source[row]), f"{self.aged[winner]:.2f}"
        own = f"{self.aged[row]:.2f}"
        if same_age:
            text = "{source} is trusted {own}, {winner} {best}"
        elif np.isnan(age[row]):
            text = "{source} is trusted {own} without a date, {winner} {best}"
        else:
            text = "{source} is trusted {own} at its age of {days} days, {winner} {best}"
        named = {"source": source, "winner": str(self.members.source[winner])}
        days_old = 0 if np.isnan(age[row]) else round(float(age[row]))
        return message(text, own=own, best=best, days=days_old, **named)

    def _whose(self, winner: int, row: int) -> Message:
        source = str(self.members.source[row])
        if source == self.members.source[winner]:
            return message("that of {record}", record=self.columns["record_id"][row])
        return message("that of {record}", record=source)


_PLAIN = {
    "verified": "{whose} is not verified",
    "native_script": "{whose} is not in the customer's own script",
    "longest": "{whose} is shorter",
    "earliest": "{whose} is later",
    "latest": "{whose} is earlier",
    "restrictive": "{whose} restricts less",
}


def _older(whose: Message, days: float) -> Message:
    if days < 1:
        return message("{whose} is older by less than a day", whose=whose)
    many = "{whose} is {count} days older"
    return message("{whose} is {count} day older", many, whose=whose, count=round(float(days)))


def _sentence(
    label: Message,
    chosen: Claim | None,
    alike: Sequence[str],
    lost: Sequence[Lost],
    pins: Sequence[Pin],
) -> Message:
    if pins:
        who = list(dict.fromkeys(pin.decided_by for pin in pins))
        return message("{field} set by {who}", field=label, who=who)
    if chosen is None:
        return message("{field} is empty", field=label)
    named = {"field": label, "source": chosen.source}
    if lost:
        # The nearest one of another source says most; one of the same source, if there is none.
        nearest = next((one for one in lost if one.claim.source != chosen.source), lost[0])
        return message("{field} from {source}, because {why}", **named, why=nearest.why)
    if alike:
        return message("{field} from {source}; the others say the same", **named)
    return message("{field} from {source}, the only one that says it", **named)

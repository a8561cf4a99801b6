"""The records of customers in the order in which a field takes its value from them.

What belongs here: the criteria as scores, and the order they make. The golden
table takes the first record of the order (dedupe/survivorship.py), and an
explanation says which score put the others behind it
(dedupe/explaining/values.py): both look at the same :class:`Ranking`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.survivorship_policy import PROHIBITS, Policy
from rules.customer import GROUPS
from rules.text import has_han

TIE = "tie"
"""Where all criteria are equal: the smaller record_id."""


class Members:
    """The clustered records as arrays, sorted by golden_id and record_id.

    Args:
        staged: STAGED_SCHEMA.
        crosswalk: record_id, golden_id; records that are not staged are left out.
        policy: which value wins.

    Attributes:
        table: the staged records with ``golden_id``.
        ids: golden ids, ascending.
        group: of every record, the place of its golden id.
        age_days: of every record, how much older than its customer's newest one; where no
            date is known, nan.
    """

    def __init__(self, staged: pa.Table, crosswalk: pa.Table, policy: Policy) -> None:
        where = pc.index_in(crosswalk["record_id"], staged["record_id"])
        known = pc.is_valid(where)
        found = staged.take(where.filter(known)).append_column(
            "golden_id", crosswalk["golden_id"].filter(known)
        )
        self.policy = policy
        self.table = found.sort_by([("golden_id", "ascending"), ("record_id", "ascending")])
        self.source = np.array(self.column("source"), dtype=object)
        self.source_key = np.array(self.column("source_key"), dtype=object)
        golden = np.array(self.column("golden_id"), dtype=object)
        starts = np.ones(len(golden), dtype=bool)
        starts[1:] = golden[1:] != golden[:-1]
        self.group = np.cumsum(starts) - 1
        self.ids = golden[starts]
        updated = self.seconds("updated_at")
        # Counted within the customer: what others' records say changes nothing here.
        latest = np.zeros(len(self.ids), dtype=np.int64)
        np.maximum.at(latest, self.group, updated)
        age = (latest[self.group] - updated) / 86_400
        self.age_days = np.where(updated > 0, age, np.nan)

    def column(self, name: str) -> list[Any]:
        """A column's values."""
        return list(self.table.column(name).to_pylist())

    def seconds(self, name: str) -> np.ndarray:
        """A timestamp in seconds since 1970; 0 where there is none."""
        values = self.table.column(name).cast(pa.int64())
        return np.asarray(pc.fill_null(values, 0)).astype(np.int64) // 1_000_000

    def filled(self, name: str) -> np.ndarray:
        """Which records say something in a column."""
        column = self.table.column(name)
        if pa.types.is_list(column.type):
            return np.asarray(pc.fill_null(pc.greater(pc.list_value_length(column), 0), False))
        return np.asarray(pc.is_valid(column))

    @cached_property
    def sources(self) -> tuple[list[str], np.ndarray]:
        """The names of the sources, and which of them every record is of."""
        names, codes = np.unique(self.source.astype(str), return_inverse=True)
        return [str(name) for name in names], codes

    def base_trust(self, head: str) -> np.ndarray:
        """How far the source of every record is trusted in a field, 0..1."""
        names, codes = self.sources
        return np.array([self.policy.trust_in(name, head) for name in names], dtype=float)[codes]

    def trust(self, head: str) -> np.ndarray:
        """Trust in every record in a field: its source's, halved with each half-life of age."""
        half_life = self.policy.half_life(head)
        age = np.where(np.isnan(self.age_days), half_life, self.age_days)
        return np.asarray(self.base_trust(head) * 0.5 ** (age / half_life))

    def verified(self, head: str) -> np.ndarray:
        """Whether what a record says in a field was verified, by its source or for all of it."""
        names, codes = self.sources
        whole = np.array([head in self.policy.verified.get(name, ()) for name in names])[codes]
        column = self.table.column("verified")
        lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0))
        if not lengths.any():
            return whole
        named = np.asarray(pc.equal(pc.list_flatten(column), head))
        rows = np.asarray(pc.list_parent_indices(column))
        single = np.zeros(len(whole), dtype=bool)
        single[rows[named]] = True
        return whole | single

    def values(self, head: str) -> np.ndarray:
        """A number for every value that a customer's records have in a field; none: -1."""
        column = self.table.column(GROUPS.get(head, (head,))[0]).combine_chunks()
        coded = pc.fill_null(column.dictionary_encode().indices, -1)
        return np.asarray(coded).astype(np.int64)


@dataclass(frozen=True)
class Ranking:
    """How all records stand in one field.

    Attributes:
        head: the field, or the first one of its group.
        fields: those that are chosen together.
        rule: of the policy, as provenance names it.
        criteria: in the order in which they are asked.
        scores: of every record by each of the criteria; higher is better.
        order: the records that say something, by customer, the best one first.
    """

    head: str
    fields: tuple[str, ...]
    rule: str
    criteria: tuple[str, ...]
    scores: tuple[np.ndarray, ...]
    order: np.ndarray

    def deciding(self, better: int, worse: int) -> str:
        """The criterion that put one record of a customer before another one."""
        for name, scores in zip(self.criteria, self.scores, strict=True):
            if scores[better] != scores[worse]:
                return name
        return TIE


def firsts(members: Members, ranking: Ranking) -> tuple[np.ndarray, np.ndarray]:
    """Customers of whom some record says something, and the best record of each."""
    groups, places = np.unique(members.group[ranking.order], return_index=True)
    return groups, ranking.order[places]


Item = tuple[Any, ...]


def union(
    members: Members, ranking: Ranking
) -> tuple[dict[int, list[Item]], list[tuple[int, int, int]]]:
    """Every distinct value of a customer once, from the best record that has it.

    Returns:
        customer → its items (the value, and what else is chosen with it), and for each of them
        the customer, its place, and the record.
    """
    columns = [members.column(name) for name in ranking.fields]
    found: dict[int, list[Item]] = {}
    seen: set[tuple[int, Any]] = set()
    origins = []
    for row in ranking.order.tolist():
        group = int(members.group[row])
        for item in zip(*(column[row] or () for column in columns), strict=False):
            if (group, item[0]) not in seen:
                seen.add((group, item[0]))
                items = found.setdefault(group, [])
                origins.append((group, len(items), row))
                items.append(item)
    return found, origins


def rank(members: Members, head: str) -> Ranking:
    """Order the records of every customer in a field; ties go to the smaller record_id."""
    policy, fields = members.policy, GROUPS.get(head, (head,))
    rule, criteria = policy.rule_of(head), policy.criteria_of(head)
    if head == "address":
        fields = GROUPS[head]
        filled = np.any([members.filled(name) for name in fields if name != "country"], axis=0)
    else:
        filled = members.filled(fields[0])
    scores = tuple(_score(members, one, head, fields).astype(float) for one in criteria)
    keys = [np.arange(len(members.group)), *(-one for one in reversed(scores)), members.group]
    order = np.lexsort(keys)
    named = rule if isinstance(rule, str) else " > ".join(rule)
    return Ranking(head, fields, named, criteria, scores, order[filled[order]])


def _score(members: Members, criterion: str, head: str, fields: tuple[str, ...]) -> np.ndarray:
    """How well each record meets a criterion; higher is better."""
    first = fields[0]
    if criterion == "verified":
        return members.verified(head)
    if criterion == "trusted":
        return members.trust(head)
    if criterion == "latest":
        return members.seconds(first)
    if criterion == "recent":
        return _moments(members, head)
    if criterion == "earliest":
        seconds = members.seconds(first)
        return np.where(seconds != 0, -seconds, np.iinfo(np.int64).min)
    if criterion == "complete":
        return np.sum([members.filled(name) for name in fields], axis=0)
    if criterion == "native_script":
        return np.array([has_han(str(value or "")) for value in members.column(first)], dtype=bool)
    if criterion == "longest":
        text = members.table.column(first).cast(pa.string())
        return np.asarray(pc.fill_null(pc.utf8_length(text), 0))
    if criterion == "restrictive":
        restricts = members.table.column(first).combine_chunks()
        against = pc.fill_null(pc.equal(restricts, PROHIBITS[head]), False)
        return np.asarray(against).astype(int) + members.filled(first)
    return _votes(members, head, weighted=criterion == "backed")


def _moments(members: Members, head: str) -> np.ndarray:
    """When a record was changed; where the field has a date of its own, that."""
    changed = members.seconds("updated_at")
    own = f"{head}_at"
    if own not in GROUPS.get(head, ()):
        return changed
    said = members.seconds(own)
    return np.where(said != 0, said, changed)


def _votes(members: Members, head: str, *, weighted: bool) -> np.ndarray:
    """How many records say the same; or how far the sources that say it are trusted, summed up.

    A source counts once then, as its most trusted record.
    """
    values = members.values(head)
    said = values >= 0
    pairs = members.group * (values.max(initial=0) + 1) + np.where(said, values, 0)
    _, places = np.unique(pairs, return_inverse=True)
    size = int(places.max(initial=-1)) + 1
    if weighted:
        names, codes = members.sources
        best = np.zeros((size, max(len(names), 1)))
        np.maximum.at(best, (places[said], codes[said]), members.trust(head)[said])
        votes = np.round(best.sum(axis=1), 12)
    else:
        votes = np.bincount(places[said], minlength=size)
    return np.where(said, votes[places], 0)

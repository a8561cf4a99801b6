"""What an explanation holds: plain values and messages, no rendering, no language.

Probabilities are 0..1, weights log2 odds in bits. :func:`plain` makes any of
these JSON, in a language or with its messages untranslated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from functools import cache
from typing import Any

from dedupe.explaining.messages import Message, say


@dataclass(frozen=True)
class Record:
    """A record as an explanation shows it.

    Attributes:
        record_id, source, customer_type: as staged.
        name: as shown.
        golden_id: its golden customer as last published; None before.
        cluster_id: its cluster; None if it was not matched yet.
        values: compared field → what the record says, numbers masked; empty where nothing.
    """

    record_id: str
    source: str
    customer_type: str
    name: str
    golden_id: str | None
    cluster_id: str | None
    values: Mapping[str, str]


@dataclass(frozen=True)
class Frequency:
    """How common an agreeing value is.

    Attributes:
        value: as shown, numbers masked.
        records: records of the same type that have it.
        customers: clusters that these are in.
    """

    value: str
    records: int
    customers: int


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall.

    Attributes:
        kind: ``prior``, ``level``, ``cap`` (what is more than a comparison may weigh),
            ``rarity``, ``veto`` (what a contradiction takes, in place of its field's level),
            ``check`` (what pairs with numbers say of such agreements), or ``other``.
        field: the comparison; empty for the prior.
        level: the level's name, empty but for levels.
        says: the sentence.
        bits: what the step adds or takes.
        sum_bits: the weight after it.
        shown_tenths: bits in tenths, rounded so that the steps shown add up to the sum shown.
        frequency: of the agreeing value, for rarity.
        match_share, other_share: 0..1: of the pairs that match and of the candidate pairs that
            do not, how many have this level; for levels.
    """

    kind: str
    field: str
    level: str
    says: Message
    bits: float
    sum_bits: float
    shown_tenths: int
    frequency: Frequency | None = None
    match_share: float | None = None
    other_share: float | None = None


@dataclass(frozen=True)
class Key:
    """What two records have under one kind of blocking key.

    Attributes:
        kind: its name.
        says: what records that share it have in common.
        left, right: keys of each, numbers masked.
        shared: those in both.
        left_out_records: records that share a common key, where that is why it made no pair;
            else None.
        limit: records that may share a key of this kind.
    """

    kind: str
    says: Message
    left: tuple[str, ...]
    right: tuple[str, ...]
    shared: tuple[str, ...]
    left_out_records: int | None
    limit: int


@dataclass(frozen=True)
class Between:
    """Two clusters of several records, seen as wholes.

    Attributes:
        left_records, right_records: how many.
        scored_pairs: pairs between them that were scored, of left * right.
        mean_bits: over all pairs, unscored ones as clustering counts them.
    """

    left_records: int
    right_records: int
    scored_pairs: int
    mean_bits: float


@dataclass(frozen=True)
class Pair:
    """Why two records are one customer, or why not.

    Attributes:
        left, right: the records.
        outcome: ``merged`` (they match), ``through`` (others hold them together), ``linked`` or
            ``kept_apart`` (decided), ``types``, ``never_compared``, ``veto``, ``below``,
            ``not_formed`` (they match, but their clusters did not join).
        verdict: the outcome in one sentence.
        reasons: more of it, most important first.
        steps: the waterfall; its last sum is weight_bits.
        not_compared: fields that one record lacks, or that are of different kinds.
        weight_bits, probability: of the pair.
        match_bits: weight from which two records count as one customer.
        veto: name of the contradiction, or None.
        found_by: kinds of keys they share, or ``closure``; empty if never compared.
        stored: whether the last matching scored the pair; else it was scored just now.
        suggestion: what a steward is asked about their clusters, or None.
        keys: every kind of key either has, where the pair was never compared.
        between: their clusters, where these are two and not single records.
        via: the records through which a cluster holds them together.
    """

    left: Record
    right: Record
    outcome: str
    verdict: Message
    reasons: tuple[Message, ...]
    steps: tuple[Step, ...]
    not_compared: tuple[str, ...]
    weight_bits: float
    probability: float
    match_bits: float
    veto: str | None
    found_by: tuple[str, ...]
    stored: bool
    suggestion: Message | None
    keys: tuple[Key, ...]
    between: Between | None
    via: tuple[str, ...]

    @property
    def together(self) -> bool:
        """Whether the two are one customer."""
        return self.outcome in ("merged", "through", "linked")


def both_values(pair: Pair, step: Step) -> str:
    """What the two records of a pair say about a step's field: once if it is the same.

    Empty but for a level, and for a contradiction, which stands in place of its level.
    """
    if step.kind not in ("level", "veto"):
        return ""
    left, right = (one.values.get(step.field, "") for one in (pair.left, pair.right))
    return left if left == right else f"{left or '–'} ↔ {right or '–'}"


@dataclass(frozen=True)
class Loss:
    """What a cluster would be without a piece of its evidence.

    Attributes:
        without: what is taken away: a sentence.
        field: the comparison taken from the pairs across the weakest link; empty for
            the pair as a whole.
        parts: the record ids of each customer that would remain.
    """

    without: Message
    field: str
    parts: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class WeakestLink:
    """The last joint of a cluster: where it was least sure.

    Attributes:
        left_ids, right_ids: the two groups that it joined.
        mean_bits: mean weight of the pairs between them.
        pair: the strongest pair between them.
        losses: what would become of the cluster without the pair, and without each field
            that speaks for it.
    """

    left_ids: tuple[str, ...]
    right_ids: tuple[str, ...]
    mean_bits: float
    pair: Pair
    losses: tuple[Loss, ...]


@dataclass(frozen=True)
class Neighbor:
    """Another record that a record, or a cluster, was compared with.

    Attributes:
        record: the other record.
        own_id: the record that it was compared with.
        weight_bits, probability: of the pair.
        veto: name of the contradiction, or None.
        together: whether the two are one customer.
        says: what matters about it, in a sentence.
    """

    record: Record
    own_id: str
    weight_bits: float
    probability: float
    veto: str | None
    together: bool
    says: Message


@dataclass(frozen=True)
class Cluster:
    """Why some records are one customer.

    Attributes:
        golden_id: as last published; None before.
        records: its records, sorted by id.
        verdict: in one sentence.
        reasons: more of it.
        weakest: None for a single record, and where only decisions hold it together.
        neighbors: other records compared with any of these, strongest first.
    """

    golden_id: str | None
    records: tuple[Record, ...]
    verdict: Message
    reasons: tuple[Message, ...]
    weakest: WeakestLink | None
    neighbors: tuple[Neighbor, ...]


@dataclass(frozen=True)
class Edge:
    """Two records of a graph that were scored, or that a decision names.

    Attributes:
        left_id, right_id: left_id < right_id.
        weight_bits, probability: None if they were never scored.
        veto: name of the contradiction, or None.
        decision: ``link``, ``no_link`` or empty.
        weakest: whether the cluster hangs on it.
    """

    left_id: str
    right_id: str
    weight_bits: float | None
    probability: float | None
    veto: str | None
    decision: str
    weakest: bool


@dataclass(frozen=True)
class Graph:
    """Records and what was found between them, to be drawn.

    Attributes:
        nodes: sorted by record id.
        edges: sorted by their ids.
    """

    nodes: tuple[Record, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class CaseFacts:
    """What speaks for and against a case.

    Attributes:
        pairs: the strongest scored pair between each two customers of a merge, those first that
            were suggested; the doubtful pair of a split.
        cluster: of a split: the customer, its weakest link and what it would be without; None
            for a merge.
        graph: all its records.
    """

    pairs: tuple[Pair, ...]
    cluster: Cluster | None
    graph: Graph


_PLAIN = (str, float, int, type(None))


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


def plain(fact: Any, language: str | None = None) -> Any:
    """A fact as values that JSON takes.

    Args:
        fact: any of these, or a part of one.
        language: messages become sentences in it; without, ``text``, ``values``, ``many``.
    """
    if isinstance(fact, _PLAIN):
        return fact
    if isinstance(fact, Message):
        if language is not None:
            return say(fact, language)
        return {"text": fact.text, "values": plain(fact.values), "many": fact.many}
    if is_dataclass(fact):
        return {name: plain(getattr(fact, name), language) for name in _names(type(fact))}  # type: ignore[arg-type]
    if isinstance(fact, Mapping):
        return {name: plain(value, language) for name, value in fact.items()}
    if isinstance(fact, Sequence):
        return [plain(one, language) for one in fact]
    return fact.isoformat() if isinstance(fact, date) else fact

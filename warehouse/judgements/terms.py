"""What a judgement is made of, and the decisions that say it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product

from onefold.errors import DecisionConflict

CROSS_PAIRS = 1000
"""No-link decisions between two customers at most."""

Groups = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Terms:
    """What a deployment asks for beyond one steward's word.

    Attributes:
        approve_above: expected cost above which a second person must approve; None: never.
        blind_share: share of judgements, 0 to 1, that somebody judges again without seeing them.
    """

    approve_above: float | None = None
    blind_share: float = 0.0

    def wait(self, expected_cost: float) -> bool:
        """Whether a judgement of this cost waits for a second person."""
        return self.approve_above is not None and expected_cost > self.approve_above


ALONE = Terms()
"""One steward's word is enough."""


@dataclass(frozen=True)
class Judged:
    """What a judgement wrote.

    Attributes:
        judgement_id: its id.
        state: in_force, or waiting for a second person.
        decision_ids: decisions now in force; none while it waits.
    """

    judgement_id: str
    state: str
    decision_ids: tuple[str, ...]


@dataclass(frozen=True)
class Pinned:
    """A value that a steward sets for a field of a golden customer.

    Attributes:
        golden_id, field: where.
        value: as text; a list as JSON; None: empty on purpose.
        replaces: the decision in force whose place it takes, if there is one.
        said: record id → what it says in the field, as text.
        basis: hash of that.
    """

    golden_id: str
    field: str
    value: str | None
    replaces: str | None
    said: dict[str, str | None]
    basis: str


@dataclass(frozen=True)
class Shown:
    """A case as a steward judges it.

    Attributes:
        case_id, kind: of the case.
        expected_cost: of the case.
        groups: golden customer → its records, largest first.
    """

    case_id: str
    kind: str
    expected_cost: float
    groups: dict[str, list[str]]


def partition(where: str, groups: Groups, records: Sequence[str]) -> list[list[str]]:
    """Groups, checked: every record once, no other, no empty group; sorted.

    Raises:
        DecisionConflict: they are not.
    """
    parts = sorted(sorted(group) for group in groups if group)
    if sorted(one for group in parts for one in group) != sorted(records):
        raise DecisionConflict(
            where,
            "the groups are not its records, each once",
            found=f"{sum(map(len, parts))} records in groups, {len(records)} to group",
            do="Look at it again: it may have changed.",
        )
    return parts


def pairs(kind: str, groups: Groups) -> Iterator[tuple[str, str, str]]:
    """The decisions that say a grouping: kind, left_id, right_id; left_id < right_id.

    >>> list(pairs("link", [["a", "b"], ["c"]]))
    [('link', 'a', 'b'), ('link', 'b', 'c')]
    >>> list(pairs("no_link", [["a", "b"], ["c"]]))
    [('no_link', 'a', 'c'), ('no_link', 'b', 'c')]
    >>> list(pairs("groups", [["a", "b"], ["c"]]))
    [('link', 'a', 'b'), ('no_link', 'a', 'c')]
    """
    if kind == "link":
        groups = [[one for group in groups for one in group]]
    if kind != "no_link":
        for group in groups:
            yield from (("link", a, b) for a, b in pairwise(sorted(group)))
    for one, other in combinations([sorted(group) for group in groups], 2):
        across = [(one[0], other[0])]
        if kind == "no_link":
            across = list(product(one, other))
            if len(across) > CROSS_PAIRS:
                longest = max(len(one), len(other))
                across = [(one[n % len(one)], other[n % len(other)]) for n in range(longest)]
        yield from (("no_link", min(pair), max(pair)) for pair in across)

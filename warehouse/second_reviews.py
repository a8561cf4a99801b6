"""Blind second reviews: a share of judgements, judged again by somebody who does not see them.

Which judgements are drawn follows from their ids, so drawing again draws the
same ones. How often two people agree tells what a judgement is worth.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from onefold.errors import DecisionConflict, NotThere
from warehouse import audit, judgements, staged
from warehouse.batches import wilson
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now, utc
from warehouse.review_tables import judgement, second_review

_KINDS = ("link", "no_link", "groups")


@dataclass(frozen=True)
class Waiting:
    """A judgement to be judged again, without its answer.

    Attributes:
        judgement_id, case_id: what it is of.
        customers: golden customer → its records, as the first person saw them.
        drawn_at: when, UTC.
    """

    judgement_id: str
    case_id: str
    customers: dict[str, list[str]]
    drawn_at: Any

    def members(self, wh: Warehouse) -> list[dict[str, Any]]:
        """The records in full, as far as they are live, with the customer of each."""
        at = {one: golden_id for golden_id, ids in self.customers.items() for one in ids}
        rows = staged.read(wh, sorted(at)).to_pylist()
        return [{"golden_id": at[row["record_id"]], **row} for row in rows]


@dataclass(frozen=True)
class Agreement:
    """How often two people grouped the records of a case alike.

    Attributes:
        answered: second reviews with an answer.
        agreed: of these, alike.
        waiting: not answered yet.
        low, high: interval of the share that agrees (95 percent, Wilson).
    """

    answered: int
    agreed: int
    waiting: int
    low: float
    high: float

    @property
    def rate(self) -> float | None:
        """The share that agrees; None before the first answer."""
        return self.agreed / self.answered if self.answered else None


def is_drawn(judgement_id: str, share: float) -> bool:
    """Whether a judgement is in the sample of this share (0 to 1).

    >>> [is_drawn("J000001", share) for share in (0.0, 1.0)]
    [False, True]
    """
    digest = hashlib.blake2b(judgement_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest) < share * 2**64


def draw(wh: Warehouse, share: float) -> int:
    """Put a share of the judgements in force up for a second review; once each.

    Judgements of a batch are not drawn: its sample was judged by hand.

    Returns:
        how many were drawn now.
    """
    known = sa.select(second_review.c.judgement_id)
    query = sa.select(judgement.c.judgement_id, judgement.c.case_id).where(
        judgement.c.state == "in_force",
        judgement.c.kind.in_(_KINDS),
        judgement.c.case_id.is_not(None),
        judgement.c.batch_id.is_(None),
        judgement.c.judgement_id.not_in(known),
    )
    with wh.write(REVIEW) as connection:
        rows = [
            {"judgement_id": row.judgement_id, "case_id": row.case_id, "drawn_at": now()}
            for row in connection.execute(query)
            if is_drawn(row.judgement_id, share)
        ]
        if rows:
            connection.execute(sa.insert(second_review), rows)
    return len(rows)


def queue(wh: Warehouse, login: str, limit: int = 50) -> list[Waiting]:
    """Second reviews that wait for somebody else than who judged first, oldest first."""
    query = (
        sa.select(second_review, judgement.c.evidence)
        .join(judgement, judgement.c.judgement_id == second_review.c.judgement_id)
        .where(
            second_review.c.answer.is_(None),
            judgement.c.state == "in_force",
            judgement.c.judged_by != login,
        )
        .order_by(second_review.c.drawn_at, second_review.c.judgement_id)
        .limit(limit)
    )
    with wh.read(REVIEW) as connection:
        return [
            Waiting(row.judgement_id, row.case_id, row.evidence["before"], utc(row.drawn_at))
            for row in connection.execute(query)
        ]


def answer(
    wh: Warehouse,
    judgement_id: str,
    kind: Literal["link", "no_link", "groups"],
    login: str,
    groups: judgements.Groups | None = None,
) -> bool:
    """Answer a second review; changes no decision.

    Returns:
        whether both grouped the records alike.

    Raises:
        NotThere: the judgement was not drawn.
        DecisionConflict: it is one's own or was answered already; the groups are not the records.
    """
    where = f"second review of {judgement_id}"
    with wh.write(REVIEW) as connection:
        drawn = connection.execute(
            sa.select(second_review).where(second_review.c.judgement_id == judgement_id)
        ).first()
        if drawn is None:
            raise NotThere(where, "it was not drawn")
        first = judgements.read(connection, judgement_id)
        if drawn.answer is not None:
            raise DecisionConflict(where, "it was answered already", found=drawn.answered_by)
        if first.judged_by == login:
            raise DecisionConflict(where, "the second person is another one than the first")
        before = first.evidence["before"]
        records = [one for ids in before.values() for one in ids]
        if kind == "groups":
            parts = judgements.partition(where, groups or [], records)
        else:
            parts = [records] if kind == "link" else list(before.values())
        agrees = _alike(parts, first.groups)
        connection.execute(
            sa.update(second_review)
            .where(second_review.c.judgement_id == judgement_id)
            .values(answer=kind, groups=parts, answered_by=login, answered_at=now(), agrees=agrees)
        )
        audit.append(connection, login, "second_review", "judgement", judgement_id)
    return agrees


def _alike(one: judgements.Groups, other: judgements.Groups) -> bool:
    first, second = ({frozenset(group) for group in groups} for groups in (one, other))
    return first == second


def agreement(wh: Warehouse) -> Agreement:
    """How often second reviews agreed so far."""
    query = sa.select(second_review.c.agrees, sa.func.count()).group_by(second_review.c.agrees)
    with wh.read(REVIEW) as connection:
        found = {agrees: int(many) for agrees, many in connection.execute(query)}
    agreed, answered = found.get(True, 0), found.get(True, 0) + found.get(False, 0)
    return Agreement(answered, agreed, found.get(None, 0), *wilson(agreed, answered))

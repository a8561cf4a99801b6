"""Blind second reviews: a share of judgements, judged again by somebody who does not see them.

Which ones are drawn: drawing.py. How often two people agree tells what a
judgement is worth.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from onefold.errors import DecisionConflict, NotThere
from warehouse import audit, judgements, staged_records
from warehouse.batches import wilson
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now, utc
from warehouse.review_tables import judgement, second_review


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
        rows = staged_records.read(wh, sorted(at)).to_pylist()
        return [{"golden_id": at[row["record_id"]], **row} for row in rows]


@dataclass(frozen=True)
class Differing:
    """A judgement whose second review did not agree.

    Attributes:
        judgement_id, case_id, state: of the judgement.
        kind, first, judged_by: what was said first, its groups of records, by whom.
        answer, second, answered_by, answered_at: the same of the second person.
    """

    judgement_id: str
    case_id: str
    state: str
    kind: str
    first: list[list[str]]
    judged_by: str
    answer: str
    second: list[list[str]]
    answered_by: str
    answered_at: datetime


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


def _for(login: str, *columns: Any) -> sa.Select[Any]:
    """What waits for somebody: not what they judged or, knowing the answer, approved."""
    return (
        sa.select(*columns)
        .select_from(second_review)
        .join(judgement, judgement.c.judgement_id == second_review.c.judgement_id)
        .where(
            second_review.c.answer.is_(None),
            judgement.c.state == "in_force",
            judgement.c.judged_by != login,
            sa.func.coalesce(judgement.c.approved_by, "") != login,
        )
    )


def queue(wh: Warehouse, login: str, limit: int = 50) -> list[Waiting]:
    """Second reviews that wait for somebody else than who judged first, oldest first."""
    query = (
        _for(login, second_review, judgement.c.evidence)
        .order_by(second_review.c.drawn_at, second_review.c.judgement_id)
        .limit(limit)
    )
    with wh.read(REVIEW) as connection:
        return [_waiting(row) for row in connection.execute(query)]


def _waiting(row: sa.Row[Any]) -> Waiting:
    return Waiting(row.judgement_id, row.case_id, row.evidence["before"], utc(row.drawn_at))


def waiting(wh: Warehouse, login: str) -> int:
    """How many wait for somebody."""
    with wh.read(REVIEW) as connection:
        return int(connection.execute(_for(login, sa.func.count())).scalar_one())


def get(wh: Warehouse, judgement_id: str, login: str) -> Waiting:
    """A second review that waits for somebody.

    Raises:
        NotThere: it was not drawn, is answered, or is of one's own judgement.
    """
    query = _for(login, second_review, judgement.c.evidence).where(
        second_review.c.judgement_id == judgement_id
    )
    with wh.read(REVIEW) as connection:
        row = connection.execute(query).first()
    if row is None:
        raise NotThere(f"second review of {judgement_id}", "it does not wait for you")
    return _waiting(row)


def differing(wh: Warehouse, limit: int = 50) -> list[Differing]:
    """Second reviews that did not agree, latest first."""
    query = (
        sa.select(
            second_review.c.judgement_id,
            second_review.c.case_id,
            judgement.c.state,
            judgement.c.kind,
            judgement.c.groups.label("first"),
            judgement.c.judged_by,
            second_review.c.answer,
            second_review.c.groups.label("second"),
            second_review.c.answered_by,
            second_review.c.answered_at,
        )
        .join(judgement, judgement.c.judgement_id == second_review.c.judgement_id)
        .where(second_review.c.agrees.is_(False))
        .order_by(second_review.c.answered_at.desc())
        .limit(limit)
    )
    with wh.read(REVIEW) as connection:
        return [
            Differing(**{**row._mapping, "answered_at": utc(row.answered_at)})
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
        if login in (first.judged_by, first.approved_by):
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

"""What waits and what was done, in figures: the first page of the review app.

What belongs here: counting over both stores. Nothing here names a customer.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from warehouse import findings
from warehouse.engine import BOTH, Warehouse
from warehouse.kept import once
from warehouse.moments import utc
from warehouse.review_tables import case_state, judgement, second_review
from warehouse.tables import golden_customer, publish_run, review_case

KINDS = ("merge", "split", "override")
_DONE = ("in_force", "waiting")
"""States of judgements that count as decided; undone and refused ones do not."""


@dataclass(frozen=True)
class Band:
    """Open cases of one tenth of the probability.

    Attributes:
        band: 0 to 9.
        by_kind: cases by merge, split, override.
        expected: mean probability: the share that the model expects to be one customer.
    """

    band: int
    by_kind: dict[str, int]
    expected: float | None

    @property
    def cases(self) -> int:
        """All of them."""
        return sum(self.by_kind.values())


@dataclass(frozen=True)
class Person:
    """What somebody decided."""

    login: str
    today: int
    week: int


@dataclass(frozen=True)
class Overview:
    """The figures.

    Attributes:
        customers: golden customers.
        published_at: when something was published last, UTC; None: never.
        states: cases by state.
        mine: open cases that are assigned to the reader.
        bands: open cases by probability, highest first; only bands that have some.
        oldest_id: the open case that has waited longest.
        oldest_since: since when, UTC.
        people: who decided something in the last seven days, most first.
        second_open: second looks that wait.
        second_done: second looks that were answered.
        second_agree: of them those that agree with the first.
        findings: open findings in the quarantine, of which nobody said anything yet.
    """

    customers: int
    published_at: datetime | None
    states: dict[str, int]
    mine: int
    bands: list[Band]
    oldest_id: str | None
    oldest_since: datetime | None
    people: list[Person]
    second_open: int
    second_done: int
    second_agree: int
    findings: int

    @property
    def pending(self) -> int:
        """Cases that wait for a decision."""
        return sum(self.states.get(one, 0) for one in ("open", "skipped", "unsure"))

    @property
    def agreement(self) -> float | None:
        """Share of second looks that agree; None before the first answer."""
        return self.second_agree / self.second_done if self.second_done else None


_STATE = sa.func.coalesce(case_state.c.state, "open")
_TOUCHED = case_state.join(review_case, case_state.c.case_id == review_case.c.case_id)
_CASES = review_case.outerjoin(case_state, case_state.c.case_id == review_case.c.case_id)


def overview(wh: Warehouse, login: str, today: datetime, week: datetime) -> Overview:
    """Count.

    Args:
        wh: the warehouse.
        login: who reads it.
        today: when the reader's day began, UTC.
        week: when the last seven days began, UTC.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    with wh.read(BOTH) as connection:
        states, bands = _cases(wh, connection)
        mine = _count(
            connection,
            sa.select(sa.func.count())
            .select_from(_CASES)
            .where(case_state.c.assignee == login, _STATE.in_(("open", "unsure"))),
        )
        oldest = connection.execute(
            sa.select(review_case.c.case_id, review_case.c.since)
            .select_from(_CASES)
            .where(_STATE == "open")
            .order_by(review_case.c.since, review_case.c.case_id)
            .limit(1)
        ).first()
        second = connection.execute(
            sa.select(
                sa.func.count(),
                sa.func.count(second_review.c.answered_at),
                sa.func.coalesce(sa.func.sum(sa.cast(second_review.c.agrees, sa.Integer)), 0),
            )
        ).one()
        customers = sa.select(sa.func.count()).select_from(golden_customer)
        published = connection.execute(sa.select(sa.func.max(publish_run.c.at))).scalar()
        return Overview(
            customers=once(wh, connection, "customers", lambda: _count(connection, customers)),
            published_at=utc(published) if published else None,
            states=states,
            mine=mine,
            bands=bands,
            oldest_id=oldest.case_id if oldest else None,
            oldest_since=utc(oldest.since) if oldest else None,
            people=_people(connection, today, week),
            second_open=int(second[0]) - int(second[1]),
            second_done=int(second[1]),
            second_agree=int(second[2]),
            findings=findings.standing(connection),
        )


def _count(connection: sa.Connection, query: sa.Select[Any]) -> int:
    return int(connection.execute(query).scalar_one())


def _cases(wh: Warehouse, connection: sa.Connection) -> tuple[dict[str, int], list[Band]]:
    """Cases by state, and open ones by band and kind: all, without those that have a state."""
    found = dict(once(wh, connection, "dashboard", lambda: _sums(connection, review_case)))
    states: dict[str, int] = {"open": sum(cases for cases, _ in found.values())}
    for (state, *where), (cases, chance) in _sums(connection, _TOUCHED, case_state.c.state).items():
        if state != "open":
            before = found[tuple(where)]
            found[tuple(where)] = (before[0] - cases, before[1] - chance)
            states[state] = states.get(state, 0) + cases
            states["open"] -= cases
    kinds: dict[int, dict[str, int]] = {}
    sums: dict[int, float] = {}
    for (band, kind), (cases, chance) in found.items():
        if cases:
            kinds.setdefault(band, dict.fromkeys(KINDS, 0))[kind] += cases
            sums[band] = sums.get(band, 0.0) + chance
    bands = []
    for band, by_kind in sorted(kinds.items(), reverse=True):
        rated = by_kind["merge"] + by_kind["split"]
        bands.append(Band(band, by_kind, sums[band] / rated if rated else None))
    return states, bands


def _sums(
    connection: sa.Connection, of: sa.FromClause, *more: sa.ColumnElement[Any]
) -> dict[tuple[Any, ...], tuple[int, float]]:
    """Columns, band and kind → cases and the sum of their probabilities."""
    by = (*more, review_case.c.band, review_case.c.kind)
    measures = (sa.func.count(), sa.func.sum(review_case.c.probability))
    query = sa.select(*by, *measures).select_from(of).group_by(*by)
    return {
        tuple(row[: len(by)]): (int(row[-2]), float(row[-1] or 0.0))
        for row in connection.execute(query)
    }


def _people(connection: sa.Connection, today: datetime, week: datetime) -> list[Person]:
    of_today = sa.case((judgement.c.judged_at >= today, 1), else_=0)
    query = (
        sa.select(judgement.c.judged_by, sa.func.sum(of_today), sa.func.count())
        .where(judgement.c.judged_at >= week, judgement.c.state.in_(_DONE))
        .group_by(judgement.c.judged_by)
        .order_by(sa.func.count().desc(), judgement.c.judged_by)
    )
    return [Person(login, int(one), int(all_)) for login, one, all_ in connection.execute(query)]

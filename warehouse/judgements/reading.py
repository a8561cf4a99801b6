"""Reading judgements, and what they are about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from onefold.errors import DecisionConflict, NotThere
from warehouse.columns import REVIEW, Time
from warehouse.engine import Warehouse
from warehouse.judgements.terms import Shown
from warehouse.moments import utc
from warehouse.review_tables import case_state, decision, judgement
from warehouse.tables import case_member, crosswalk, review_case


def shown(wh: Warehouse, case_ids: Sequence[str]) -> dict[str, Shown]:
    """Cases as they stand published; those that a run settled are missing."""
    found: dict[str, Shown] = {}
    members = case_member.c
    with wh.read() as connection:
        for start in range(0, len(case_ids), 400):
            some = case_ids[start : start + 400]
            columns = (review_case.c[n] for n in ("case_id", "kind", "expected_cost", "golden_ids"))
            for row in connection.execute(
                sa.select(*columns).where(review_case.c.case_id.in_(some))
            ):
                groups: dict[str, list[str]] = {one: [] for one in row.golden_ids}
                found[row.case_id] = Shown(row.case_id, row.kind, row.expected_cost, groups)
            query = sa.select(members.case_id, members.golden_id, members.record_id)
            for case_id, golden_id, record_id in connection.execute(
                query.where(members.case_id.in_(some)).order_by(members.record_id)
            ):
                found[case_id].groups.setdefault(golden_id, []).append(record_id)
    return found


def records_of(wh: Warehouse, golden_id: str) -> list[str]:
    """The records of a live golden customer, sorted.

    Raises:
        DecisionConflict: there is none with this id.
    """
    query = sa.select(crosswalk.c.record_id).where(crosswalk.c.golden_id == golden_id)
    with wh.read() as connection:
        found = sorted(connection.execute(query).scalars())
    if not found:
        raise DecisionConflict(f"golden customer {golden_id}", "it is not live")
    return found


def read(connection: sa.Connection, judgement_id: str) -> sa.Row[Any]:
    """A judgement.

    Raises:
        NotThere: there is none with this id.
    """
    query = sa.select(judgement).where(judgement.c.judgement_id == judgement_id)
    row = connection.execute(query).first()
    if row is None:
        raise NotThere(f"judgement {judgement_id}", "there is no such judgement")
    return row


def listed(
    wh: Warehouse,
    *,
    state: str | None = None,
    limit: int = 200,
    after: tuple[datetime, str] | None = None,
) -> list[dict[str, Any]]:
    """Judgements, latest first: columns of the table without groups and evidence, record_count, and
    golden_ids: the customers that it was about.

    Args:
        wh: the warehouse.
        state: only those in it; None: any.
        limit: how many at most.
        after: judged_at and judgement_id of the last one of the page before.
    """
    query = sa.select(judgement).order_by(
        judgement.c.judged_at.desc(), judgement.c.judgement_id.desc()
    )
    if state is not None:
        query = query.where(judgement.c.state == state)
    if after is not None:
        place = sa.tuple_(judgement.c.judged_at, judgement.c.judgement_id)
        here = sa.tuple_(sa.literal(utc(after[0]), Time), sa.literal(after[1]))
        query = query.where(place < here)
    with wh.read(REVIEW) as connection:
        found = [_told(row) for row in connection.execute(query.limit(limit))]
    for one in found:
        one["record_count"] = sum(map(len, one.pop("groups") or []))
        one["golden_ids"] = list(one.pop("before"))
        del one["pinned"]
    return found


def last_of(wh: Warehouse, login: str) -> str | None:
    """The latest judgement of somebody that can still be undone; None if there is none."""
    query = (
        sa.select(judgement.c.judgement_id)
        .where(judgement.c.judged_by == login, judgement.c.state.in_(("in_force", "waiting")))
        .order_by(judgement.c.judged_at.desc(), judgement.c.judgement_id.desc())
        .limit(1)
    )
    with wh.read(REVIEW) as connection:
        found: str | None = connection.execute(query).scalar()
    return found


def waiting(wh: Warehouse, login: str) -> int:
    """How many judgements wait for somebody as the second person: not their own."""
    many = sa.select(sa.func.count()).select_from(judgement)
    other = (judgement.c.state == "waiting") & (judgement.c.judged_by != login)
    of_cases = (
        sa.select(sa.func.count())
        .select_from(case_state)
        .join(judgement, judgement.c.judgement_id == case_state.c.judgement_id)
        .where(case_state.c.state == "waiting", other)
    )
    with wh.read(REVIEW) as connection:  # each by an index
        without = many.where(judgement.c.case_id.is_(None), other)
        return sum(int(connection.execute(one).scalar_one()) for one in (of_cases, without))


def get(wh: Warehouse, judgement_id: str) -> dict[str, Any]:
    """A judgement: the table's columns, and

    - before: golden customer → its records when it was judged;
    - decision_count: its decisions in force;
    - customers: live golden customers that hold its records;
    - case_is_live: whether its case is still there;
    - pinned: golden_id, field and value that it sets (override), else None;
    - puts_back: decision_id and value of the pinned value that undoing it puts in force again,
      else None.

    Raises:
        NotThere: there is no such judgement.
    """
    with wh.read(REVIEW) as connection:
        asked = read(connection, judgement_id)
        found = _told(asked)
        earlier = sa.select(decision.c.decision_id, decision.c.value).where(
            decision.c.decision_id == replaced(asked)
        )
        back = connection.execute(earlier).first() if asked.state == "in_force" else None
        found["puts_back"] = dict(back._mapping) if back is not None else None
        mine = (decision.c.judgement_id == judgement_id) & decision.c.revoked_at.is_(None)
        query = sa.select(sa.func.count()).select_from(decision).where(mine)
        found["decision_count"] = connection.execute(query).scalar_one()
        columns = (decision.c.golden_id, decision.c.field, decision.c.value)
        value = sa.select(*columns).where(
            decision.c.judgement_id == judgement_id, decision.c.kind == "override"
        )
        row = connection.execute(value).first()
        if row is not None:  # else it waits for a second person, or never came in force
            found["pinned"] = dict(row._mapping)
    records = [one for group in found["groups"] or [] for one in group]
    with wh.read() as connection:
        holders = sa.select(crosswalk.c.golden_id).where(crosswalk.c.record_id.in_(records))
        found["customers"] = sorted(set(connection.execute(holders).scalars()))
        same = sa.select(review_case.c.case_id).where(review_case.c.case_id == found["case_id"])
        found["case_is_live"] = connection.execute(same).first() is not None
    return found


def _told(row: sa.Row[Any]) -> dict[str, Any]:
    found: dict[str, Any] = dict(row._mapping)
    for name in ("judged_at", "approved_at", "undone_at"):
        found[name] = found[name] and utc(found[name])
    evidence = found.pop("evidence") or {}
    found["before"] = evidence.get("before") or {}
    pinned = evidence.get("pinned")
    found["pinned"] = pinned and {name: pinned[name] for name in ("golden_id", "field", "value")}
    return found


def replaced(row: sa.Row[Any]) -> str | None:
    """The decision whose place a judgement's pinned value took."""
    found: str | None = ((row.evidence or {}).get("pinned") or {}).get("replaces")
    return found

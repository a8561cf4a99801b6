"""The publish gate: a publish that changes more than its budgets is held until somebody accepts.

What belongs here: comparing a publish under way with the budgets, keeping what
was held, and who accepted it and why. The candidate is compared by making it:
the publish's own transaction has written everything when the gate looks, and
is rolled back where it says no. So what is shown is what would be.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from onefold.errors import PublishError
from warehouse.engine import Warehouse
from warehouse.gate_policy import CAUSES, CHANGED, OF_ALL, SUGGESTIONS, GatePolicy
from warehouse.moments import now, utc
from warehouse.restatement import ALL, SOURCE, Restatement
from warehouse.tables import publish_hold

SHOWN_MOVED = 200
"""Ids of each cause that a hold keeps, for whoever looks at it."""


@dataclass(frozen=True)
class Excess:
    """One budget that is exceeded.

    Attributes:
        cause: new, merged, split, ended, moved_out, changed or suggestions.
        source: the source it is of; empty: all customers.
        count: customers (or suggestions).
        before: customers before the publish.
        allowed: how many the budget allows.
        budget: the budget as written.
    """

    cause: str
    source: str
    count: int
    before: int
    allowed: int
    budget: str

    def __str__(self) -> str:
        of = f" of source {self.source}" if self.source else ""
        share = f" ({self.count / self.before:.1%})" if self.before else ""
        what = self.cause.replace("_", " ")
        return (
            f"{what}: {self.count:,}{share} of {self.before:,} customers{of}, allowed {self.budget}"
        )


@dataclass(frozen=True)
class Hold:
    """A publish that was held.

    Attributes:
        hold_id: names it.
        at: when, UTC.
        fingerprint: of all that the held golden table depends on.
        report: what would change and why; see ``report_of``.
        accepted_by, accepted_at, reason: who accepted it, when, UTC, and why; None: nobody yet.
    """

    hold_id: str
    at: datetime
    fingerprint: str
    report: dict[str, Any]
    accepted_by: str | None
    accepted_at: datetime | None
    reason: str | None


def exceeded(
    made: Restatement, changed: int, suggestions: int, policy: GatePolicy
) -> tuple[Excess, ...]:
    """The budgets that a publish exceeds; none where nothing was published before.

    Args:
        made: the publish against the state before it.
        changed: golden customers that stay with other values.
        suggestions: merge suggestions it opens.
        policy: the budgets.
    """
    if not made.total.before:
        return ()
    found = []
    for line in made.lines:
        if line.dimension not in (ALL, SOURCE):
            continue
        counts = {cause: line.causes[cause] for cause in CAUSES}
        if line.dimension == ALL:
            counts |= {CHANGED: changed, SUGGESTIONS: suggestions}
        for cause, count in counts.items():
            budget = policy.of(cause, "" if cause in OF_ALL else line.segment)
            if budget is not None and line.before and count > budget.allowed(line.before):
                allowed = budget.allowed(line.before)
                found.append(Excess(cause, line.segment, count, line.before, allowed, str(budget)))
    return tuple(found)


def report_of(made: Restatement, over: tuple[Excess, ...], why: list[str]) -> dict[str, Any]:
    """What a hold keeps: no customer's values.

    Returns:
        ``sentence``, ``over`` and ``why`` as sentences, ``lines`` of the restatement,
        and ``moved``: the first SHOWN_MOVED ids of each cause.
    """
    kept: dict[str, int] = {}
    moved = []
    for one in made.moved:
        kept[one.cause] = kept.get(one.cause, 0) + 1
        if kept[one.cause] <= SHOWN_MOVED:
            moved.append(
                {"golden_id": one.golden_id, "cause": one.cause, "other": one.other_golden_id}
            )
    return {
        "sentence": made.sentence,
        "over": [str(one) for one in over],
        "why": why,
        "lines": [
            {"dimension": one.dimension, "segment": one.segment, "before": one.before,
             **one.causes, "after": one.after}
            for one in made.lines
        ],
        "moved": moved,
    }  # fmt: skip


def hold(wh: Warehouse, fingerprint: str, report: Mapping[str, Any]) -> str:
    """Keep that a publish was held; the same one again is the same hold.

    Returns:
        its id.

    Raises:
        WarehouseError: the database refuses.
    """
    with wh.write() as connection:
        last = connection.execute(_newest()).first()
        if last is not None and last.fingerprint == fingerprint and last.accepted_at is None:
            connection.execute(
                sa.update(publish_hold)
                .where(publish_hold.c.hold_id == last.hold_id)
                .values(report=dict(report))
            )
            return str(last.hold_id)
        count = connection.execute(sa.select(sa.func.count()).select_from(publish_hold)).scalar()
        hold_id = f"H{int(count or 0) + 1:06d}"
        connection.execute(
            sa.insert(publish_hold).values(
                hold_id=hold_id, at=now(), fingerprint=fingerprint, report=dict(report)
            )
        )
        return hold_id


def latest(wh: Warehouse) -> Hold | None:
    """The last publish that was held; None if none ever was."""
    with wh.read() as connection:
        row = connection.execute(_newest()).first()
    return None if row is None else _hold(row)


def accept(wh: Warehouse, hold_id: str, by: str, reason: str) -> Hold:
    """Note that somebody accepts what was held; publishing it is the next step.

    Raises:
        PublishError: it is not the last one held, it was accepted already, or no reason is given.
        WarehouseError: the database refuses.
    """
    if not by.strip() or not reason.strip():
        raise PublishError(
            f"hold {hold_id}", "who accepts it, and why?", do="Give --by NAME and --reason TEXT."
        )
    with wh.write() as connection:
        row = connection.execute(_newest()).first()
        if row is None or row.hold_id != hold_id:
            newest = row.hold_id if row is not None else "none"
            raise PublishError(
                f"hold {hold_id}",
                "only the last one held can be accepted",
                found=newest,
                do="Look at it with 'onefold publish'.",
            )
        if row.accepted_at is None:
            connection.execute(
                sa.update(publish_hold)
                .where(publish_hold.c.hold_id == hold_id)
                .values(accepted_by=by.strip(), accepted_at=now(), reason=reason.strip())
            )
        row = connection.execute(_newest()).one()
    return _hold(row)


def _newest() -> sa.Select[Any]:
    return sa.select(publish_hold).order_by(publish_hold.c.hold_id.desc()).limit(1)


def _hold(row: sa.Row[Any]) -> Hold:
    accepted_at = utc(row.accepted_at) if row.accepted_at is not None else None
    return Hold(
        row.hold_id, utc(row.at), row.fingerprint, row.report or {},
        row.accepted_by, accepted_at, row.reason,
    )  # fmt: skip

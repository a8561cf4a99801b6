"""Erasures: who asked, how far they are, and the hashes that keep a person out afterwards.

What belongs here: the tables ``erasure`` and ``suppression`` of the review store. What is
removed where stands in warehouse/erasing, the order of it in pipelines/stages/erasing.py.
An erasure that is under way holds what is left to be done, so that a killed one is finished by
whoever opens the home next; when it ends, only the proof stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from onefold.errors import DecisionConflict, NotThere
from rules.recognizing import Stored
from warehouse import audit
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now, utc
from warehouse.review_tables import erasure, suppression

_AT_ONCE = 5_000


@dataclass(frozen=True)
class Target:
    """All that names one customer in the stores.

    Attributes:
        golden_id: the customer as asked for; None: one record that is in none.
        golden_ids: its id and every id that led to it.
        record_ids: its records, those that left it and are nobody's too.
        case_ids: cases that it is in.
        marks: values that no other record has, by which free text is searched.
        said: field → what its records say in it, where another customer once had one of them:
            values by which that customer's old versions are searched.
    """

    golden_id: str | None
    golden_ids: tuple[str, ...]
    record_ids: tuple[str, ...]
    case_ids: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Target":
        """From what :meth:`plain` gave."""
        lists = ("golden_ids", "record_ids", "case_ids", "marks")
        said = {name: tuple(texts) for name, texts in plain.get("said", {}).items()}
        return cls(plain["golden_id"], **{name: tuple(plain[name]) for name in lists}, said=said)

    def plain(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


@dataclass(frozen=True)
class Erasure:
    """One erasure.

    Attributes:
        erasure_id: E and a number.
        golden_id: the customer; None: one record that was in none.
        requested_by, reason, requested_at: who, why, when (UTC).
        finished_at: when nothing was left; None: it is under way.
        counts: what was removed: place → rows.
        target: while it is under way.
        lifted_at: when the person was let in again; None: never.
    """

    erasure_id: str
    golden_id: str | None
    requested_by: str
    reason: str
    requested_at: datetime
    finished_at: datetime | None
    counts: Mapping[str, int]
    target: Target | None
    lifted_at: datetime | None


def next_id(wh: Warehouse) -> int:
    """The number of the next erasure."""
    with wh.read(REVIEW) as connection:
        return _number(connection)


def _number(connection: sa.Connection) -> int:
    last = connection.execute(sa.select(sa.func.max(erasure.c.erasure_id))).scalar()
    return int(last[1:]) + 1 if last else 1


def named(number: int) -> str:
    """The id of the erasure with this number.

    >>> named(7)
    'E000007'
    """
    return f"E{number:06d}"


def begin(
    wh: Warehouse,
    targets: Mapping[str, Target],
    counts: Mapping[str, Mapping[str, int]],
    stored: Sequence[Stored],
    by: str,
    reason: str,
) -> None:
    """Note erasures and their suppressions, all in one transaction, before anything is removed.

    Args:
        wh: the warehouse.
        targets: erasure → whom it erases; ids from :func:`next_id` on.
        counts: erasure → what is there of them: place → rows.
        stored: what keeps them out.
        by: who asked for it.
        reason: why.

    Raises:
        DecisionConflict: somebody else began one meanwhile.
    """
    at = now()
    with wh.write(REVIEW) as connection:
        if min(targets) != named(_number(connection)):
            raise DecisionConflict("erasure", "another one began meanwhile", do="Run it again.")
        for erasure_id, target in targets.items():
            connection.execute(
                sa.insert(erasure).values(
                    erasure_id=erasure_id,
                    golden_id=target.golden_id,
                    requested_by=by,
                    reason=reason,
                    requested_at=at,
                    counts=dict(counts[erasure_id]),
                    remaining=target.plain(),
                )
            )
            audit.append(connection, by, "erase", "erasure", erasure_id)
        rows = [one._asdict() for one in stored]
        for start in range(0, len(rows), _AT_ONCE):
            connection.execute(sa.insert(suppression), rows[start : start + _AT_ONCE])


def under_way(wh: Warehouse) -> list[Erasure]:
    """Erasures that are not finished, the oldest first."""
    return [one for one in listed(wh) if one.finished_at is None]


def listed(wh: Warehouse) -> list[Erasure]:
    """Every erasure, the oldest first."""
    with wh.read(REVIEW) as connection:
        found = connection.execute(sa.select(erasure).order_by(erasure.c.erasure_id)).all()
    return [_erasure(row) for row in found]


def _erasure(row: sa.Row[Any]) -> Erasure:
    return Erasure(
        row.erasure_id,
        row.golden_id,
        row.requested_by,
        row.reason,
        utc(row.requested_at),
        row.finished_at and utc(row.finished_at),
        row.counts or {},
        Target.of(row.remaining) if row.remaining else None,
        row.lifted_at and utc(row.lifted_at),
    )


def finish(wh: Warehouse, erasure_ids: Sequence[str]) -> None:
    """Note that nothing is left, and forget whom it was about."""
    with wh.write(REVIEW) as connection:
        for erasure_id in erasure_ids:
            connection.execute(
                sa.update(erasure)
                .where(erasure.c.erasure_id == erasure_id)
                .values(remaining=sa.null(), finished_at=now())
            )


def shorten(wh: Warehouse, left: Mapping[str, Target]) -> None:
    """Forget of erasures under way all that is not needed any more: erasure → what is."""
    with wh.write(REVIEW) as connection:
        for erasure_id, target in left.items():
            connection.execute(
                sa.update(erasure)
                .where(erasure.c.erasure_id == erasure_id)
                .values(remaining=target.plain())
            )


def suppressions(wh: Warehouse) -> list[Stored]:
    """Every suppression in force."""
    columns = [suppression.c[name] for name in Stored._fields]
    with wh.read(REVIEW) as connection:
        return [Stored(*row) for row in connection.execute(sa.select(*columns))]


def lift(wh: Warehouse, erasure_id: str, by: str, reason: str) -> int:
    """Let a person in again who was erased; comes with the next change of their sources.

    Returns:
        how many hashes were forgotten.

    Raises:
        NotThere: there is no such erasure.
        DecisionConflict: it is under way, was lifted already, or who or why is missing.
    """
    where = f"erasure {erasure_id}"
    if not by.strip() or not reason.strip():
        raise DecisionConflict(where, "who lifts it, and why?", do="Give --by and --reason.")
    with wh.write(REVIEW) as connection:
        this = erasure.c.erasure_id == erasure_id
        row = connection.execute(sa.select(erasure).where(this)).first()
        if row is None:
            raise NotThere(where, "there is no such erasure")
        if row.finished_at is None:
            raise DecisionConflict(where, "it is under way", do="Wait for it to end.")
        if row.lifted_at is not None:
            raise DecisionConflict(where, "it was lifted already")
        gone = connection.execute(
            sa.delete(suppression).where(suppression.c.erasure_id == erasure_id)
        ).rowcount
        connection.execute(
            sa.update(erasure)
            .where(this)
            .values(lifted_by=by.strip(), lifted_at=now(), lifted_reason=reason.strip())
        )
        audit.append(connection, by.strip(), "lift_erasure", "erasure", erasure_id)
    return int(gone)

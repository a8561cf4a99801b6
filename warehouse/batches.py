"""One answer for many cases, after a sample of them was judged by hand.

The cases are fixed when the batch starts; a sample of them, drawn by hash, goes
through the ordinary judging. Only when all of it is judged may the batch be
applied, and who applies it sees how often its answer was right, with the
interval that the sample's size allows. A batch may have 100,000 cases: it is
applied and taken back some at a time, so that others can write in between, and
its cases are read only where each of them counts.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from onefold.errors import DecisionConflict, NotThere
from warehouse import audit, cases, judgements
from warehouse.cases import Filter
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.judgements import ALONE, Terms
from warehouse.moments import now, utc
from warehouse.review_tables import batch, case_state, judgement

_AT_ONCE = 400
WRITTEN_AT_ONCE = 100
"""Cases of one transaction: how long others who write have to wait."""
ANSWERED: dict[str, tuple[str, ...]] = {"link": ("merge", "split"), "no_link": ("merge",)}
"""Kinds of cases that an answer fits: what a batch may say of them."""
_Z = 1.959963984540054
"""Of the normal distribution, for 95 percent."""


@dataclass(frozen=True)
class Judged:
    """How a case of a sample was judged.

    Attributes:
        judgement_id, kind, judged_by: of the judgement.
        right: whether the batch would judge it alike.
    """

    judgement_id: str
    kind: str
    judged_by: str
    right: bool


@dataclass(frozen=True)
class Batch:
    """A batch and how its sample went.

    Attributes:
        batch_id, kind, state, started_by, started_at, applied_by, applied_at: of the table.
        wanted: the filter that it began with.
        case_count: how many cases it has; :func:`case_ids` names them.
        sample: ids of those judged by hand.
        to_judge: of the sample, those that still wait to be judged.
        answers: case of the sample → how it was judged.
        low, high: interval of the share that is right (95 percent, Wilson).
    """

    batch_id: str
    kind: str
    state: str
    started_by: str
    started_at: datetime
    applied_by: str | None
    applied_at: datetime | None
    wanted: Filter
    case_count: int
    sample: list[str]
    to_judge: list[str]
    answers: dict[str, Judged]
    low: float
    high: float

    @property
    def judged(self) -> int:
        """Cases of the sample that were judged."""
        return len(self.answers)

    @property
    def right(self) -> int:
        """Of these, how many were judged as the batch would."""
        return sum(one.right for one in self.answers.values())

    @property
    def precision(self) -> float | None:
        """The estimated share of cases for which the batch's answer is right."""
        return self.right / self.judged if self.judged else None


@dataclass(frozen=True)
class Effect:
    """What applying a batch would do now.

    Attributes:
        open: ids of its cases that are still open, the sample's left out.
        waiting: of these, how many a second person would have to approve.
        customers: golden customers in them.
        after: how many customers those would be.
    """

    open: list[str]
    waiting: int
    customers: int
    after: int


@dataclass(frozen=True)
class Applied:
    """What applying a batch did.

    Attributes:
        judged: cases judged now.
        waiting: of these, for a second person.
        settled: cases that a run or a steward settled since.
        refused: cases whose answer contradicts decisions in force.
    """

    judged: int
    waiting: int
    settled: int
    refused: tuple[str, ...]


def wilson(right: int, judged: int) -> tuple[float, float]:
    """The interval of a share, of which ``right`` of ``judged`` were seen (95 percent).

    Source: Wilson 1927, doi:10.1080/01621459.1927.10502953

    >>> [round(one, 3) for one in wilson(20, 20)], wilson(0, 0)
    ([0.839, 1.0], (0.0, 1.0))
    """
    if not judged:
        return 0.0, 1.0
    share = right / judged
    scale = 1.0 + _Z**2 / judged
    middle = (share + _Z**2 / (2 * judged)) / scale
    half = _Z * math.sqrt(share * (1 - share) / judged + _Z**2 / (4 * judged**2)) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def start(
    wh: Warehouse, wanted: Filter, kind: Literal["link", "no_link"], size: int, login: str
) -> Batch:
    """Fix the open cases of a filter, and draw the sample to judge by hand.

    Raises:
        DecisionConflict: there is no such case, or no sample is asked for.
    """
    found = [case_id for one in _parts(wanted, kind) for case_id in cases.ids(wh, one, login)]
    if not found:
        raise DecisionConflict("batch", "no open case fits the filter")
    if size < 1:
        raise DecisionConflict("batch", "its sample would be empty")
    with wh.write(REVIEW) as connection:
        many = connection.execute(sa.select(sa.func.count()).select_from(batch)).scalar_one()
        batch_id = f"B{int(many) + 1:06d}"  # rows are never deleted
        sample = sorted(found, key=lambda one: _drawn(batch_id, one))
        connection.execute(
            sa.insert(batch).values(
                batch_id=batch_id,
                kind=kind,
                filter=wanted.plain(),
                case_ids=found,
                case_count=len(found),
                sample=sample[:size],
                state="sampling",
                sample_right=0,
                sample_judged=0,
                started_by=login,
                started_at=now(),
            )
        )
        audit.append(connection, login, "start_batch", "batch", batch_id, {"cases": len(found)})
    return get(wh, batch_id)


def _parts(wanted: Filter, kind: str) -> list[Filter]:
    """The filter's open cases that an answer fits, as one filter per kind of case."""
    return [
        Filter.of({**wanted.plain(), "kind": one, "states": ("open",)})
        for one in ANSWERED[kind]
        if wanted.kind in (None, one)
    ]


def count(wh: Warehouse, wanted: Filter, kind: str, login: str) -> int:
    """How many cases a batch of the filter would have."""
    return sum(cases.count(wh, one, login) for one in _parts(wanted, kind))


def _drawn(batch_id: str, case_id: str) -> bytes:
    """The lot of a case in a batch."""
    return hashlib.blake2b(f"{batch_id} {case_id}".encode()).digest()


def get(wh: Warehouse, batch_id: str) -> Batch:
    """A batch, its sample counted as judged by now.

    Raises:
        NotThere: there is no such batch.
    """
    with wh.read(REVIEW) as connection:
        row = _row(connection, batch_id)
        judged = _judged(connection, row)
    live = judgements.shown(wh, row.sample)
    right = sum(one.right for one in judged.values())
    to_judge = [one for one in row.sample if one not in judged and one in live]
    return Batch(
        row.batch_id, row.kind, row.state, row.started_by, utc(row.started_at), row.applied_by,
        row.applied_at and utc(row.applied_at), Filter.of(row.filter), row.case_count, row.sample,
        to_judge if row.state == "sampling" else [], judged, *wilson(right, len(judged)),
    )  # fmt: skip


def case_ids(wh: Warehouse, batch_id: str) -> list[str]:
    """All cases of a batch, as they were when its sample was drawn.

    Raises:
        NotThere: there is no such batch.
    """
    query = sa.select(batch.c.case_ids).where(batch.c.batch_id == batch_id)
    with wh.read(REVIEW) as connection:
        found = connection.execute(query).first()
    if found is None:
        raise _missing(batch_id)
    return list(found.case_ids)


def recent(wh: Warehouse, limit: int = 50) -> list[Batch]:
    """Batches, newest first."""
    query = sa.select(batch.c.batch_id).order_by(batch.c.started_at.desc()).limit(limit)
    with wh.read(REVIEW) as connection:
        found = list(connection.execute(query).scalars())
    return [get(wh, one) for one in found]


def around(standing: Batch, case_id: str) -> tuple[str | None, str | None]:
    """The cases of the sample before and after one that still are to judge.

    After the last comes the first one that was put aside.
    """
    at = standing.sample.index(case_id) if case_id in standing.sample else -1
    rest = [one for one in standing.to_judge if one != case_id]
    before = [one for one in rest if standing.sample.index(one) < at]
    after = [one for one in rest if standing.sample.index(one) > at]
    onward = after or before
    return before[-1] if before else None, onward[0] if onward else None


def effect(wh: Warehouse, standing: Batch, terms: Terms = ALONE) -> Effect:
    """What applying a batch would do now; looks at each of its cases.

    Args:
        wh: the warehouse.
        standing: of :func:`get`.
        terms: what the deployment asks for beyond.
    """
    live = judgements.shown(wh, _untouched(wh, standing.batch_id))
    found = list(live.values())
    leads: dict[str, str] = {}

    def lead(golden_id: str) -> str:
        while leads.setdefault(golden_id, golden_id) != golden_id:
            leads[golden_id] = golden_id = leads[leads[golden_id]]
        return golden_id

    for case in found:
        first, *others = map(lead, case.groups)
        if standing.kind == "link":
            leads.update(dict.fromkeys(others, first))
    return Effect(
        open=[case.case_id for case in found],
        waiting=sum(terms.wait(one.expected_cost) for one in found),
        customers=len(leads),
        after=sum(lead(one) == one for one in list(leads)),
    )


def left_open(wh: Warehouse, batch_id: str) -> list[str]:
    """The cases of a batch that are open."""
    live = cases.titles(wh, _untouched(wh, batch_id))
    return list(live)


def _untouched(wh: Warehouse, batch_id: str) -> list[str]:
    """The cases of a batch that no steward settled; a run may have."""
    every = case_ids(wh, batch_id)
    with wh.read(REVIEW) as connection:
        return list(_open(connection, every))


def outcome(wh: Warehouse, batch_id: str) -> dict[str, int]:
    """What became of the judgements that a batch wrote: how many are in which state."""
    query = (
        sa.select(judgement.c.state, sa.func.count())
        .where(judgement.c.batch_id == batch_id)
        .group_by(judgement.c.state)
    )
    with wh.read(REVIEW) as connection:
        found = {str(state): int(many) for state, many in connection.execute(query)}
    return {state: found.get(state, 0) for state in ("in_force", "waiting", "refused", "undone")}


def _row(connection: sa.Connection, batch_id: str) -> sa.Row[Any]:
    columns = (one for one in batch.c if one.name != "case_ids")
    row = connection.execute(sa.select(*columns).where(batch.c.batch_id == batch_id)).first()
    if row is None:
        raise _missing(batch_id)
    return row


def _missing(batch_id: str) -> NotThere:
    return NotThere(f"batch {batch_id}", "there is no such batch")


def _judged(connection: sa.Connection, row: sa.Row[Any]) -> dict[str, Judged]:
    """The cases of the sample that were judged."""
    columns = ("judgement_id", "case_id", "kind", "groups", "judged_by")
    query = sa.select(*(judgement.c[name] for name in columns)).where(
        judgement.c.case_id.in_(row.sample),
        judgement.c.batch_id.is_(None),
        judgement.c.state.in_(("in_force", "waiting")),
        judgement.c.judged_at >= row.started_at,
    )
    found = {}
    for one in connection.execute(query.order_by(judgement.c.judgement_id)):
        right = len(one.groups) == 1 if row.kind == "link" else one.kind == "no_link"
        found[one.case_id] = Judged(one.judgement_id, one.kind, one.judged_by, right)
    return found


def apply(wh: Warehouse, batch_id: str, login: str, terms: Terms = ALONE) -> Applied:
    """Give the batch's answer to all its cases that are still open.

    The cases are decided some at a time; what is stopped on the way leaves the rest open.

    Args:
        wh: the warehouse.
        batch_id: the batch.
        login: who.
        terms: what the deployment asks for beyond; none is drawn for a second look.

    Raises:
        NotThere: there is no such batch.
        DecisionConflict: its sample was not judged whole, or it was applied or undone already.
    """
    standing = get(wh, batch_id)
    require_judged(standing)
    every = case_ids(wh, batch_id)
    with wh.write(REVIEW) as connection:
        if _row(connection, batch_id).state != "sampling":
            raise DecisionConflict(f"batch {batch_id}", "it was applied, undone or dropped already")
        connection.execute(
            sa.update(batch)
            .where(batch.c.batch_id == batch_id)
            .values(
                state="applied",
                applied_by=login,
                applied_at=now(),
                sample_judged=standing.judged,
                sample_right=standing.right,
                low=standing.low,
                high=standing.high,
            )
        )
        audit.append(connection, login, "apply_batch", "batch", batch_id, {"cases": len(every)})
    waiting, judged, refused = 0, 0, []
    for start in range(0, len(every), WRITTEN_AT_ONCE):
        some = every[start : start + WRITTEN_AT_ONCE]
        live = judgements.shown(wh, some)
        with wh.write(REVIEW) as connection:
            if _row(connection, batch_id).state != "applied":
                break  # taken back meanwhile
            versions = _open(connection, list(live))
            writer = judgements.Writer(connection, terms)
            for case_id in filter(versions.__contains__, some):
                try:
                    done = writer.case(
                        live[case_id],
                        standing.kind,
                        login,
                        versions[case_id],
                        batch_id=batch_id,
                    )
                except DecisionConflict:
                    refused.append(case_id)
                    continue
                judged += 1
                waiting += done.state == "waiting"
    settled = len(every) - judged - len(refused)
    return Applied(judged, waiting, settled, tuple(refused))


def require_judged(standing: Batch) -> None:
    """Refuse to go on with a batch whose sample was not judged whole.

    Raises:
        DecisionConflict: cases of it wait, or nobody judged any.
    """
    if standing.to_judge or not standing.judged:
        raise DecisionConflict(
            f"batch {standing.batch_id}",
            "its sample was not judged whole",
            found=f"{len(standing.to_judge)} of {len(standing.sample)} cases to judge",
            do="Judge them first.",
        )


def _open(connection: sa.Connection, case_ids: list[str]) -> dict[str, int]:
    """Of some cases those that are open, and the version of each."""
    found = dict.fromkeys(case_ids, 0)
    for begin in range(0, len(case_ids), _AT_ONCE):
        some = case_ids[begin : begin + _AT_ONCE]
        columns = (case_state.c.case_id, case_state.c.state, case_state.c.version)
        for row in connection.execute(sa.select(*columns).where(case_state.c.case_id.in_(some))):
            if row.state == "open":
                found[row.case_id] = row.version
            else:
                del found[row.case_id]
    return found


def undo(wh: Warehouse, batch_id: str, login: str, reason: str) -> int:
    """Take back every judgement of an applied batch; what was judged by hand stays.

    Returns:
        judgements undone.

    Raises:
        NotThere: there is no such batch.
        DecisionConflict: it is not applied, or there is no reason.
    """
    where = f"batch {batch_id}"
    if not reason.strip():
        raise DecisionConflict(where, "undoing it has no reason", do="Say why.")
    standing = (
        sa.select(judgement.c.judgement_id)
        .where(judgement.c.batch_id == batch_id, judgement.c.state.in_(("in_force", "waiting")))
        .limit(WRITTEN_AT_ONCE)
    )
    undone = 0
    while True:
        with wh.write(REVIEW) as connection:
            if _row(connection, batch_id).state != "applied":
                raise DecisionConflict(where, "it is not applied")
            some = list(connection.execute(standing).scalars())
            writer = judgements.Writer(connection)
            for judgement_id in some:
                writer.undo(judgement_id, login, reason.strip())
            undone += len(some)
            if not some:
                connection.execute(
                    sa.update(batch).where(batch.c.batch_id == batch_id).values(state="undone")
                )
                audit.append(connection, login, "undo_batch", "batch", batch_id, {"cases": undone})
                return undone


def drop(wh: Warehouse, batch_id: str, login: str) -> None:
    """End a batch that is not to be applied; what was judged by hand stays.

    Raises:
        NotThere: there is no such batch.
        DecisionConflict: it was applied already.
    """
    with wh.write(REVIEW) as connection:
        if _row(connection, batch_id).state != "sampling":
            raise DecisionConflict(f"batch {batch_id}", "it was applied, undone or dropped already")
        connection.execute(
            sa.update(batch).where(batch.c.batch_id == batch_id).values(state="dropped")
        )
        audit.append(connection, login, "drop_batch", "batch", batch_id)

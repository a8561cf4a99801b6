"""The queue of cases, and one case with all that is known of it.

What belongs here: reading. Cases are written by a publish (case_tables.py),
what stewards do with them by case_states.py and judgements. A case without
a row in case_state is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from onefold.errors import NotThere
from warehouse import staged_records
from warehouse.engine import BOTH, Warehouse
from warehouse.kept import once
from warehouse.moments import utc
from warehouse.review_tables import case_comment, case_state, judgement
from warehouse.tables import case_evidence, case_member, review_case

STATES = ("open", "skipped", "unsure", "waiting", "decided")
ME, NOBODY = "me", "nobody"
_AT_ONCE = 400
_FEW = 2000
"""Cases that are sorted faster than they are met on a walk along the queue."""

Place = tuple[float, str]
"""Where a case stands in the queue: its expected cost and its id."""


@dataclass(frozen=True)
class Filter:
    """Which cases; None: any.

    Attributes:
        kind: merge, split or override.
        customer_type: person or organization.
        source: a source that holds one of its records.
        reason: a name in dedupe.suggestions.REASONS.
        band: tenth of the probability, 0 to 9.
        low, high: bounds of the probability, inclusive.
        states: of STATES; open alone unless told, so that what was skipped comes by asking.
        assignee: a login, ``me`` or ``nobody``.
        before: only cases that have been there since before this moment.
    """

    kind: str | None = None
    customer_type: str | None = None
    source: str | None = None
    reason: str | None = None
    band: int | None = None
    low: float | None = None
    high: float | None = None
    states: tuple[str, ...] = ("open",)
    assignee: str | None = None
    before: datetime | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON takes it; without what is not asked."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        said["states"] = list(self.states)
        if self.before is not None:
            said["before"] = utc(self.before).isoformat()
        return said

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Filter":
        """The filter that :meth:`plain` gave; unknown names are left out."""
        known = {one.name for one in fields(cls)}
        values = {name: value for name, value in said.items() if name in known}
        if "states" in values:
            values["states"] = tuple(values["states"])
        if isinstance(values.get("before"), str):
            values["before"] = datetime.fromisoformat(values["before"])
        return cls(**values)


@dataclass(frozen=True)
class Row:
    """A case as the queue shows it.

    Attributes:
        case_id … since: columns of review_case.
        state, assignee: of case_state.
        version: what a writer names as the one it saw; 0 without a row in case_state.
        changed_by, changed_at: who touched it last, and when; None if nobody did.
        judgement_id: the judgement that decided it or waits.
    """

    case_id: str
    kind: str
    customer_type: str
    title: str
    golden_ids: list[str]
    sources: list[str]
    record_count: int
    customer_count: int
    source_count: int
    probability: float | None
    band: int
    expected_cost: float
    reason: str
    strongest: str | None
    weakest: str | None
    since: datetime
    state: str
    assignee: str | None
    version: int
    changed_by: str | None
    changed_at: datetime | None
    judgement_id: str | None

    @property
    def place(self) -> Place:
        """Where it stands in the queue."""
        return self.expected_cost, self.case_id


@dataclass(frozen=True)
class Page:
    """Some of the queue.

    Attributes:
        rows: in order.
        after: for the next page; None on the last.
    """

    rows: list[Row]
    after: Place | None


@dataclass(frozen=True)
class Band:
    """Cases of one tenth of the probability.

    Attributes:
        band: 0 to 9.
        cases: how many.
        expected: mean probability: the share of "yes, one customer" that the model expects.
    """

    band: int
    cases: int
    expected: float | None


@dataclass(frozen=True)
class Case:
    """A case with all that is known of it.

    Attributes:
        row: as in the queue.
        members: its records by golden customer, largest first: golden_id and the columns of
            STAGED_SCHEMA, all values in full.
        evidence: facts as dedupe.explaining.stored reads them; None if there are none yet.
        comments: comment_id, said, said_by, said_at; oldest first.
        judgements: former and present ones of this case, newest first.
    """

    row: Row
    members: list[dict[str, Any]]
    evidence: dict[str, Any] | None
    comments: list[dict[str, Any]]
    judgements: list[dict[str, Any]]

    def groups(self) -> list[list[str]]:
        """The record ids of each golden customer, largest customer first."""
        found: dict[str, list[str]] = {golden_id: [] for golden_id in self.row.golden_ids}
        for member in self.members:
            found.setdefault(member["golden_id"], []).append(member["record_id"])
        return [ids for ids in found.values() if ids]


_STATE = sa.func.coalesce(case_state.c.state, "open")
_COLUMNS = (
    *(review_case.c[one.name] for one in fields(Row) if one.name in review_case.c),
    _STATE.label("state"),
    case_state.c.assignee,
    sa.func.coalesce(case_state.c.version, 0).label("version"),
    case_state.c.changed_by,
    case_state.c.changed_at,
    case_state.c.judgement_id,
)
_BOTH = review_case.outerjoin(case_state, case_state.c.case_id == review_case.c.case_id)
_TOUCHED = case_state.join(review_case, case_state.c.case_id == review_case.c.case_id)
_PLACE = (review_case.c.expected_cost, review_case.c.case_id)


def _row(found: sa.Row[Any]) -> Row:
    values = dict(found._mapping)
    values["since"] = utc(values["since"])
    values["changed_at"] = values["changed_at"] and utc(values["changed_at"])
    return Row(**values)


def _conditions(
    wanted: Filter, login: str | None, *, few: bool = False
) -> list[sa.ColumnElement[bool]]:
    """A filter in SQL; ``few``: its cases are to be found first, not as the queue is walked."""
    found: list[sa.ColumnElement[bool]] = [
        review_case.c[name] == getattr(wanted, name)
        for name in ("kind", "customer_type", "reason", "band")
        if getattr(wanted, name) is not None
    ]
    if wanted.source is not None:
        held = case_member.c.source == wanted.source
        found.append(
            review_case.c.case_id.in_(sa.select(case_member.c.case_id).where(held))
            if few
            else sa.select(sa.literal(1))
            .where(held, case_member.c.case_id == review_case.c.case_id)
            .exists()
        )
    if wanted.low is not None:
        found.append(review_case.c.probability >= wanted.low)
    if wanted.high is not None:
        found.append(review_case.c.probability <= wanted.high)
    if wanted.before is not None:
        found.append(review_case.c.since < utc(wanted.before))
    if "open" not in wanted.states:
        found.append(case_state.c.state.in_(wanted.states))
    elif set(wanted.states) != set(STATES):
        found.append(_STATE.in_(wanted.states))
    if wanted.assignee == NOBODY:
        found.append(case_state.c.assignee.is_(None))
    elif wanted.assignee is not None:
        found.append(case_state.c.assignee == (login if wanted.assignee == ME else wanted.assignee))
    return found


def _from(wanted: Filter) -> sa.FromClause:
    """Where the cases of a filter stand: those without a state are open and nobody's."""
    untouched = "open" in wanted.states and wanted.assignee in (None, NOBODY)
    return _BOTH if untouched else _TOUCHED


def _ranked(
    wanted: Filter,
    login: str | None,
    place: Place | None,
    limit: int,
    *,
    back: bool = False,
    few: bool = False,
) -> sa.Select[Any]:
    """Cases in the order of the queue after a place; or before it, nearest first.

    ``few``: the filter has few cases (:func:`_has_few`). They are found first and sorted then:
    an index in the order of the queue would be walked to its end for them, so it is kept out
    by adding nothing to what it is sorted by.
    """
    keys = (review_case.c.expected_cost + 0.0, review_case.c.case_id) if few else _PLACE
    order = [column.asc() if back else column.desc() for column in keys]
    found = sa.select(review_case.c.case_id).select_from(_from(wanted))
    found = found.where(*_conditions(wanted, login, few=few))
    if place is not None:
        here, there = sa.tuple_(*map(sa.literal, place)), sa.tuple_(*keys)
        found = found.where(there > here if back else there < here)
    some = found.order_by(*order).limit(limit).subquery()
    # Only these are read whole: the walk along the queue stays within its index if it can.
    query = sa.select(*_COLUMNS).select_from(_BOTH)
    return query.where(review_case.c.case_id.in_(sa.select(some.c.case_id))).order_by(*order)


def _has_few(wh: Warehouse, connection: sa.Connection, wanted: Filter) -> bool:
    """Whether a filter that no index has in the order of the queue leaves few cases."""
    narrow = (wanted.source, wanted.customer_type, wanted.reason, wanted.before)
    if not any(narrow) or _from(wanted) is _TOUCHED:
        return False
    tenths = _tenths(wh, connection, wanted)
    return sum(many for tenth, (many, *_) in tenths.items() if wanted.band in (None, tenth)) <= _FEW


_Tenths = dict[int, tuple[int, int, float]]
"""Band → cases, those with a probability, and the sum of these."""


def _tenths(wh: Warehouse, connection: sa.Connection, wanted: Filter) -> _Tenths:
    """Cases of a filter in any state by band, kept until the next publish; without its bounds."""
    rest = replace(wanted, states=STATES, assignee=None, band=None, low=None, high=None)
    conditions = _conditions(rest, None)
    return once(
        wh, connection, ("bands", str(rest)), lambda: _sums(connection, review_case, conditions)
    )


def queue(
    wh: Warehouse,
    wanted: Filter | None = None,
    after: Place | None = None,
    limit: int = 50,
    login: str | None = None,
) -> Page:
    """A page of the queue: the highest expected cost first.

    Args:
        wh: the warehouse.
        wanted: which cases; open ones if not told.
        after: ``Page.after`` of the page before.
        limit: cases on a page.
        login: who ``me`` is.
    """
    with wh.read(BOTH) as connection:
        asked = wanted or Filter()
        few = _has_few(wh, connection, asked)
        query = _ranked(asked, login, after, limit + 1, few=few)
        rows = [_row(one) for one in connection.execute(query)]
    return Page(rows[:limit], rows[limit - 1].place if len(rows) > limit else None)


def ids(wh: Warehouse, wanted: Filter, login: str | None = None) -> list[str]:
    """The ids of all cases of a filter, in the order of the queue."""
    query = (
        sa.select(review_case.c.case_id)
        .select_from(_from(wanted))
        .where(*_conditions(wanted, login))
        .order_by(*(column.desc() for column in _PLACE))
    )
    with wh.read(BOTH) as connection:
        return [str(one) for one in connection.execute(query).scalars()]


def count(wh: Warehouse, wanted: Filter, login: str | None = None) -> int:
    """How many cases a filter has."""
    if wanted.low is None and wanted.high is None:  # then counts are kept
        every = bands(wh, wanted, login)
        return sum(one.cases for one in every if wanted.band in (None, one.band))
    query = sa.select(sa.func.count()).select_from(_from(wanted))
    with wh.read(BOTH) as connection:
        return int(connection.execute(query.where(*_conditions(wanted, login))).scalar_one())


def titles(wh: Warehouse, case_ids: Sequence[str]) -> dict[str, str]:
    """What some cases are called; those that a run settled are missing."""
    found: dict[str, str] = {}
    columns = (review_case.c.case_id, review_case.c.title)
    with wh.read() as connection:
        for begin in range(0, len(case_ids), _AT_ONCE):
            some = review_case.c.case_id.in_(case_ids[begin : begin + _AT_ONCE])
            for case_id, title in connection.execute(sa.select(*columns).where(some)):
                found[case_id] = title
    return found


def neighbors(
    wh: Warehouse, wanted: Filter, place: Place, login: str | None = None
) -> tuple[str | None, str | None]:
    """The cases of a filter before and after a place in the queue."""
    with wh.read(BOTH) as connection:
        few = _has_few(wh, connection, wanted)
        found = [
            connection.execute(_ranked(wanted, login, place, 1, back=back, few=few)).first()
            for back in (True, False)
        ]
    before, after = (one.case_id if one is not None else None for one in found)
    return before, after


def bands(wh: Warehouse, wanted: Filter | None = None, login: str | None = None) -> list[Band]:
    """Cases per tenth of the probability; the filter's own band and bounds do not count."""
    said = (wanted or Filter()).plain()
    for name in ("band", "low", "high"):
        said.pop(name, None)
    asked = Filter.of(said)
    with wh.read(BOTH) as connection:
        if _from(asked) is _TOUCHED:
            found = _sums(connection, _from(asked), _conditions(asked, login))
        else:  # most cases have no state: count all, and take off those in other states
            found = dict(_tenths(wh, connection, asked))
            other = tuple(state for state in STATES if state not in asked.states)
            away: sa.ColumnElement[bool] = case_state.c.state.in_(other)
            if asked.assignee == NOBODY:
                away = away | case_state.c.assignee.is_not(None)
            touched = sa.select(case_state.c.case_id).where(away)
            off = [review_case.c.case_id.in_(touched), *_unindexed(asked)]
            for tenth, less in _sums(connection, review_case, off).items():
                many, known, total = found[tenth]
                found[tenth] = (many - less[0], known - less[1], total - less[2])
    return [
        Band(tenth, many, total / known if known else None)
        for tenth, (many, known, total) in sorted(found.items())
        if many
    ]


def _unindexed(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    """What a filter asks of cases that are looked up by id: the index of kinds is kept out."""
    rest = replace(wanted, kind=None, states=STATES, assignee=None, band=None)
    found = _conditions(rest, None)
    return found if wanted.kind is None else [review_case.c.kind + "" == wanted.kind, *found]


def _sums(
    connection: sa.Connection, of: sa.FromClause, conditions: Sequence[sa.ColumnElement[bool]]
) -> _Tenths:
    chance = review_case.c.probability  # null for cases of kind override
    measures = (sa.func.count(), sa.func.count(chance), sa.func.sum(chance))
    query = sa.select(review_case.c.band, *measures).select_from(of).where(*conditions)
    return {
        int(tenth): (int(many), int(known), float(total or 0.0))
        for tenth, many, known, total in connection.execute(query.group_by(review_case.c.band))
    }


def counts(wh: Warehouse) -> dict[str, int]:
    """Cases per state."""
    every = sa.select(sa.func.count()).select_from(review_case)
    touched = sa.select(case_state.c.state, sa.func.count()).select_from(_TOUCHED)
    with wh.read(BOTH) as connection:
        total = once(wh, connection, "cases", lambda: int(connection.execute(every).scalar_one()))
        rows = connection.execute(touched.group_by(case_state.c.state))
        found = {str(state): int(count) for state, count in rows}
    found["open"] = total - sum(count for state, count in found.items() if state != "open")
    return {state: found.get(state, 0) for state in STATES}


def row(wh: Warehouse, case_id: str) -> Row:
    """A case as the queue shows it.

    Raises:
        NotThere: there is no such case: a run settled it, or there never was one.
    """
    with wh.read(BOTH) as connection:
        return _found(connection, case_id)


def _found(connection: sa.Connection, case_id: str) -> Row:
    found = connection.execute(
        sa.select(*_COLUMNS).select_from(_BOTH).where(review_case.c.case_id == case_id)
    ).first()
    if found is None:
        raise NotThere(f"case {case_id}", "there is no such case", do="See the queue.")
    return _row(found)


def get(wh: Warehouse, case_id: str) -> Case:
    """A case, its records in full, its evidence, comments and judgements.

    Raises:
        NotThere: there is no such case: a run settled it, or there never was one.
    """
    with wh.read(BOTH) as connection:
        row = _found(connection, case_id)
        golden_of = {
            one.record_id: one.golden_id
            for one in connection.execute(
                sa.select(case_member.c.record_id, case_member.c.golden_id).where(
                    case_member.c.case_id == case_id
                )
            )
        }
        evidence = connection.execute(
            sa.select(case_evidence.c.evidence).where(case_evidence.c.case_id == case_id)
        ).scalar()
        comments = _told(connection, case_comment, case_id, case_comment.c.said_at.asc())
        judgements = _told(connection, judgement, case_id, judgement.c.judged_at.desc())
    rank = {golden_id: number for number, golden_id in enumerate(row.golden_ids)}
    members = [
        {"golden_id": golden_of[one["record_id"]], **one}
        for one in staged_records.read(wh, sorted(golden_of)).to_pylist()
    ]
    members.sort(key=lambda one: (rank.get(one["golden_id"], len(rank)), one["record_id"]))
    return Case(row, members, evidence, comments, judgements)


def _told(
    connection: sa.Connection, table: sa.Table, case_id: str, order: sa.ColumnElement[Any]
) -> list[dict[str, Any]]:
    query = sa.select(table).where(table.c.case_id == case_id).order_by(order)
    return [
        {
            name: utc(value) if isinstance(value, datetime) else value
            for name, value in one._mapping.items()
        }
        for one in connection.execute(query)
    ]

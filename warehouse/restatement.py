"""What became of the number of customers between two moments, so that it adds up.

What belongs here: reading the history of golden customers and what happened to
their ids. Every customer that is in one of the two states only has one cause;
customers in both may have moved from one segment to another. So in each line

    before + new + split + restored + moved_in - merged - ended - erased - moved_out = after

and for all customers together nothing moves. A customer of several sources
counts in the line of each.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from onefold.errors import ConfigError
from warehouse import golden_tables
from warehouse.engine import Warehouse
from warehouse.moments import utc
from warehouse.tables import (
    blanked_version,
    golden_customer_history,
    lineage_event,
    publish_run,
)

NEW, SPLIT, RESTORED, MERGED, ENDED = "new", "split", "restored", "merged", "ended"
ERASED = "erased"
MOVED_IN, MOVED_OUT = "moved_in", "moved_out"
GAINS, LOSSES = (NEW, SPLIT, RESTORED, MOVED_IN), (MERGED, ENDED, ERASED, MOVED_OUT)
CAUSES = (*GAINS, *LOSSES)
ALL, SOURCE, REGION, TYPE = "all", "source", "region", "customer_type"
NONE = ""
"""The segment of customers without a region."""

_NAMED_AT_ONCE = 500
_WORDS = {
    NEW: "new",
    SPLIT: "from splits",
    RESTORED: "back",
    MERGED: "merged into others",
    ENDED: "gone from their sources",
    ERASED: "erased on request",
}
_CAUSE_OF_EVENT = {"created": NEW, "split": SPLIT, "restored": RESTORED}
_CAUSE_OF_LOSS = {"absorbed": MERGED, "erased": ERASED}


@dataclass(frozen=True)
class Line:
    """One segment.

    Attributes:
        dimension: all, source, region or customer_type.
        segment: its value; empty for all, and for customers without a region.
        before: customers at the first moment.
        causes: CAUSES → customers.
        after: customers at the second moment.
    """

    dimension: str
    segment: str
    before: int
    causes: Mapping[str, int]
    after: int

    @property
    def change(self) -> float | None:
        """after against before, as a share; None from nothing."""
        return (self.after - self.before) / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Moved:
    """A customer that is in one of the two states only.

    Attributes:
        golden_id: its id.
        cause: new, split, restored, merged, ended or erased.
        other_golden_id: the id that took most of its records then (merged), or that
            they came from (split, restored); None otherwise.
        reason: why, in words; never a customer's value.
        at: when, UTC.
    """

    golden_id: str
    cause: str
    other_golden_id: str | None
    reason: str | None
    at: datetime


@dataclass(frozen=True)
class Restatement:
    """What became of the number of customers.

    Attributes:
        since: the first moment, UTC.
        until: the second one.
        lines: all customers first, then each source, region and type, by name.
        moved: every customer that is in one state only, by id.
        changed: customers in both whose golden values differ.
        publishes: publishes between the two.
    """

    since: datetime
    until: datetime
    lines: tuple[Line, ...]
    moved: tuple[Moved, ...] = field(repr=False)
    changed: int
    publishes: int

    @property
    def total(self) -> Line:
        """All customers."""
        return self.lines[0]

    @property
    def sentence(self) -> str:
        """The whole in one sentence; a loss has the minus sign, not a hyphen."""
        total = self.total
        told = [
            f"{total.causes[name]:,} {words}"
            for name, words in _WORDS.items()
            if total.causes[name]
        ]
        change = f" ({total.change:+.1%})".replace("-", "−") if total.change else ""
        why = f": {', '.join(told)}" if told else ""
        return f"customers {total.before:,} → {total.after:,}{change}{why}"


def publishes(wh: Warehouse, most: int = 50) -> list[tuple[str, datetime]]:
    """The latest publishes, newest first: id and moment, UTC."""
    query = (
        sa.select(publish_run.c.publish_id, publish_run.c.at)
        .order_by(publish_run.c.at.desc())
        .limit(most)
    )
    with wh.read() as connection:
        return [(name, utc(at)) for name, at in connection.execute(query)]


def of_publish(wh: Warehouse, publish_id: str | None = None) -> Restatement | None:
    """What one publish did, against the state just before it; None before the first one.

    Args:
        wh: the warehouse.
        publish_id: which; None: the latest.

    Raises:
        ConfigError: there was no such publish.
        WarehouseError: the database cannot be reached.
    """
    query = sa.select(publish_run.c.at).order_by(publish_run.c.at.desc()).limit(1)
    if publish_id is not None:
        query = query.where(publish_run.c.publish_id == publish_id)
    with wh.read() as connection:
        at = connection.execute(query).scalar()
        if at is None:
            if publish_id is None:
                return None
            raise ConfigError(
                f"publish {publish_id}",
                "there was no such publish",
                do="'onefold restate --list' names the latest ones.",
            )
        earlier = sa.select(sa.func.max(publish_run.c.at)).where(publish_run.c.at < at)
        before = connection.execute(earlier).scalar() or datetime(1970, 1, 1)
    return between(wh, utc(before), utc(at))


def between(wh: Warehouse, since: datetime, until: datetime) -> Restatement:
    """What became of the customers from one moment to another.

    Args:
        wh: the warehouse.
        since: the first moment, UTC.
        until: the second one, not before it.

    Raises:
        ConfigError: the second moment is before the first.
        WarehouseError: the database cannot be reached.
    """
    if until < since:
        raise ConfigError(
            "dates",
            "the second is before the first",
            found=f"{since:%Y-%m-%d %H:%M}, {until:%Y-%m-%d %H:%M}",
            do="Turn them round.",
        )
    with wh.read() as connection:
        return inside(connection, since, until)


def inside(connection: sa.Connection, since: datetime, until: datetime) -> Restatement:
    """The same, as a transaction sees it: also what it wrote itself."""
    of = lineage_event.c
    happened = (of.at > since) & (of.at <= until)
    versions = _touched(connection, since, until)
    return _restated(connection, since, until, versions, happened, _standing(connection, since))


def of_changed(
    connection: sa.Connection,
    since: datetime,
    until: datetime,
    publish_id: str,
    changed: Collection[str],
    customers: Mapping[str, int],
) -> Restatement:
    """What a publish under way does, without a look at customers that stay as they are.

    Args:
        connection: within its transaction.
        since, until: the moments of the last publish and of this one; no erasure is between.
        publish_id: this one.
        changed: all customers with a version that began or ended in between.
        customers: how many there were, see :func:`customers_of`.

    Returns:
        as :func:`inside`, but with the lines of all customers and of each source only.
    """
    happened = lineage_event.c.publish_id == publish_id
    versions = _touched(connection, since, until, sorted(changed))
    standing = Counter(
        {(SOURCE, name) if name else (ALL, NONE): count for name, count in customers.items()}
    )
    found = _restated(connection, since, until, versions, happened, standing)
    return replace(found, lines=tuple(one for one in found.lines if one.dimension in (ALL, SOURCE)))


def customers_of(made: Restatement) -> dict[str, int]:
    """Source → its customers at the end; '' → all of them."""
    counted = (ALL, SOURCE)
    return {one.segment: one.after for one in made.lines if one.dimension in counted and one.after}


def _restated(
    connection: sa.Connection,
    since: datetime,
    until: datetime,
    versions: "tuple[dict[str, _Segments], dict[str, _Segments]]",
    happened: sa.ColumnElement[bool],
    standing: Counter[tuple[str, str]],
) -> Restatement:
    """Of customers with other versions at the two moments, what happened, and all that stood."""
    before, after = versions
    lost, gained = set(before.keys() - after.keys()), set(after.keys() - before.keys())
    moved = _moved(connection, happened, lost, gained)
    made = sa.select(sa.func.count()).where(publish_run.c.at > since, publish_run.c.at <= until)
    publishes = connection.execute(made).scalar_one()
    same = _same_again(connection, since, until) if publishes > 1 else 0
    return Restatement(
        since=since,
        until=until,
        lines=_lines(standing, before, after, moved),
        moved=tuple(moved[name] for name in sorted(moved)),
        changed=len(before.keys() & after.keys()) - same,
        publishes=publishes,
    )


# -- the two states

_Segments = tuple[tuple[str, tuple[str, ...]], ...]
"""Of every dimension, the segments that a customer is in; one object for all that are in them."""
_AT_ONCE = 20_000
"""Rows fetched at once of all that were touched: in a first publish these are all customers."""


def _at(moment: datetime, table: sa.FromClause = golden_customer_history) -> sa.ColumnElement[bool]:
    of = table.c
    return (of.valid_from <= moment) & (of.valid_to.is_(None) | (of.valid_to > moment))


def _touched(
    connection: sa.Connection,
    since: datetime,
    until: datetime,
    among: Sequence[str] | None = None,
) -> tuple[dict[str, _Segments], dict[str, _Segments]]:
    """Customers with a version that began or ended in between: as they were, as they are.

    Args:
        among: they are some of these customers; None: of all.
    """
    of = golden_customer_history.c
    touched = ((of.valid_from > since) & (of.valid_from <= until)) | (
        (of.valid_to > since) & (of.valid_to <= until)
    )
    moments = (sa.case((_at(moment), 1), else_=0) for moment in (since, until))
    query = sa.select(of.golden_id, of.customer_type, of.region, _SOURCES, *moments).where(touched)
    every = query.execution_options(yield_per=_AT_ONCE)
    queries = [every] if among is None else [query.where(one) for one in _named(of, among)]
    segments = cache(_segments)
    before: dict[str, _Segments] = {}
    after: dict[str, _Segments] = {}
    for one in queries:
        for name, kind, region, sources, was, now in connection.execute(one):
            if was or now:
                own = segments(kind, region, sources)
                for there, versions in ((was, before), (now, after)):
                    if there:
                        versions[name] = own
    return before, after


def _named(of: Any, golden_ids: Sequence[str]) -> Iterator[sa.ColumnElement[bool]]:
    """Conditions that together name some customers."""
    for start in range(0, len(golden_ids), _NAMED_AT_ONCE):
        yield of.golden_id.in_(golden_ids[start : start + _NAMED_AT_ONCE])


def _same_again(connection: sa.Connection, since: datetime, until: datetime) -> int:
    """Customers that changed in between and have their first values again at the end.

    Of versions that lost values of an erased person it is noted which were equal.
    """
    was, now = golden_customer_history.alias(), golden_customer_history.alias()
    equal = (was.c[name].is_not_distinct_from(now.c[name]) for name in golden_tables.GOLDEN)
    joined = was.join(
        now, (was.c.golden_id == now.c.golden_id) & (was.c.valid_from != now.c.valid_from)
    )
    blanked = []
    for version in (was, now):
        noted = blanked_version.alias()
        this = (noted.c.golden_id == version.c.golden_id) & (
            noted.c.valid_from == version.c.valid_from
        )
        joined = joined.outerjoin(noted, this)
        blanked.append(noted.c.same_as)
    query = (
        sa.select(sa.func.count())
        .select_from(joined)
        .where(
            now.c.valid_from > since,
            _at(since, was),
            _at(until, now),
            blanked[0].is_not_distinct_from(blanked[1]),
            *equal,
        )
    )
    return int(connection.execute(query).scalar_one())


_SOURCES = sa.cast(golden_customer_history.c.sources, sa.Text)
"""As text, of which there are few: the lists are made of these only."""


def _segments(kind: str | None, region: str | None, sources: str | None) -> _Segments:
    return (
        (ALL, (NONE,)),
        (SOURCE, tuple(json.loads(sources or "null") or ())),
        (REGION, (region or NONE,)),
        (TYPE, (kind or NONE,)),
    )


def _standing(connection: sa.Connection, moment: datetime) -> Counter[tuple[str, str]]:
    """Customers at a moment, by dimension and segment."""
    of = golden_customer_history.c
    found: Counter[tuple[str, str]] = Counter()
    query = (
        sa.select(of.customer_type, of.region, _SOURCES, sa.func.count())
        .where(_at(moment))
        .group_by(of.customer_type, of.region, of.sources)
    )
    for kind, region, sources, count in connection.execute(query):
        for dimension, names in _segments(kind, region, sources):
            for name in names:
                found[dimension, name] += count
    return found


# -- why


def _moved(
    connection: sa.Connection,
    happened: sa.ColumnElement[bool],
    lost: set[str],
    gained: set[str],
) -> dict[str, Moved]:
    """How an id came tells the first thing that happened to it, how it went the last one."""
    of = lineage_event.c
    query = (
        sa.select(of.golden_id, of.event, of.other_golden_id, of.reason, of.at)
        .where(happened)
        .order_by(of.at, of.number)
        .execution_options(yield_per=_AT_ONCE)
    )
    found: dict[str, Moved] = {}
    moment = cache(utc)
    for name, event, other, reason, at in connection.execute(query):
        if name in lost:
            cause = _CAUSE_OF_LOSS.get(event, ENDED)
            other = other if cause == MERGED else None
        elif name in gained and name not in found:
            cause = _CAUSE_OF_EVENT.get(event, RESTORED)
        else:
            continue
        found[name] = Moved(name, cause, other, reason, moment(at))
    return found


# -- lines


def _lines(
    standing: Counter[tuple[str, str]],
    before: Mapping[str, _Segments],
    after: Mapping[str, _Segments],
    moved: Mapping[str, Moved],
) -> tuple[Line, ...]:
    causes: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    why = Counter(
        (after[name] if name in after else before[name], one.cause) for name, one in moved.items()
    )
    for (segments, cause), customers in why.items():
        for dimension, names in segments:
            for name in names:
                causes[dimension, name][cause] += customers
    stayed = Counter((before[name], after[name]) for name in before.keys() & after.keys())
    for (earlier, later), customers in stayed.items():
        for (dimension, was), (_, now) in zip(earlier, later, strict=True):
            for name in {*now} - {*was}:
                causes[dimension, name][MOVED_IN] += customers
            for name in {*was} - {*now}:
                causes[dimension, name][MOVED_OUT] += customers
    order = (ALL, SOURCE, TYPE, REGION)
    keys = {(ALL, NONE), *standing, *causes}
    return tuple(
        _line(key, standing[key], causes.get(key, Counter()))
        for key in sorted(keys, key=lambda key: (order.index(key[0]), key[1]))
    )


def _line(key: tuple[str, str], before: int, causes: Counter[str]) -> Line:
    gained = sum(causes[name] for name in GAINS)
    lost = sum(causes[name] for name in LOSSES)
    return Line(*key, before, {name: causes[name] for name in CAUSES}, before + gained - lost)

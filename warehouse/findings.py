"""Findings as stewards look at them: listed, counted, and one with its repairs.

What belongs here: reading. Findings are written by a sync (quarantine.py), what
stewards say of them by repairs.py. A finding that a repair was made for is
``waiting`` until its source is staged the next time.
"""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from onefold.errors import NotThere
from warehouse.engine import BOTH, Warehouse
from warehouse.moments import utc
from warehouse.review_tables import repair
from warehouse.tables import quarantine

STATES = ("open", "waiting", "accepted", "repaired")
"""open: nobody said anything; waiting: it is applied when the source is staged next;
accepted: used or left as it is; repaired: no longer found, mended here or in the source."""


@dataclass(frozen=True)
class Filter:
    """Which findings; None: any.

    Attributes:
        source: the source.
        rule: name of the rule.
        severity: error or warning.
        field: a staged column; empty: findings on whole records.
        state: one of STATES.
    """

    source: str | None = None
    rule: str | None = None
    severity: str | None = None
    field: str | None = None
    state: str | None = "open"

    def plain(self) -> dict[str, str]:
        """What is asked, as JSON takes it."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Finding:
    """A finding with the repair in force, if there is one.

    Attributes:
        quarantine_id … last_seen: columns of quarantine.
        state: one of STATES.
        repair_id, kind, value, repaired_by, repaired_at: of the repair; None without one.
    """

    quarantine_id: str
    record_id: str
    source: str
    source_key: str
    position: str | None
    field: str | None
    rule: str
    severity: str
    reason: str
    raw_value: str | None
    whole_record: bool
    first_seen: str
    last_seen: str | None
    state: str
    repair_id: str | None
    kind: str | None
    value: str | None
    repaired_by: str | None
    repaired_at: datetime | None


@dataclass(frozen=True)
class Page:
    """Some of the findings; ``after`` is for the next page, None on the last."""

    rows: list[Finding]
    after: str | None


@dataclass(frozen=True)
class Count:
    """How many findings of a rule a source has, by state."""

    source: str
    rule: str
    severity: str
    field: str | None
    findings: int


_MADE = (quarantine.c.quarantine_id == repair.c.quarantine_id) & repair.c.undone_at.is_(None)
_BOTH = quarantine.outerjoin(repair, _MADE)
_STATE = sa.case(
    ((quarantine.c.status == "open") & repair.c.repair_id.is_not(None), "waiting"),
    else_=quarantine.c.status,
)
_OF_REPAIR = ("repair_id", "kind", "value", "repaired_by", "repaired_at")
_COLUMNS = (
    *(quarantine.c[one.name] for one in fields(Finding) if one.name in quarantine.c),
    _STATE.label("state"),
    *(repair.c[name] for name in _OF_REPAIR),
)
_KINDS = ("source", "rule", "severity", "field")
_ORDER = (quarantine.c.severity, quarantine.c.quarantine_id)
"""Errors first."""
_STANDING = quarantine.c.status.not_in(("accepted", "repaired"))
"""Open, said so that no index serves it: where repairs are asked for too, they are few and lead."""


def _finding(row: sa.Row[Any]) -> Finding:
    values = dict(row._mapping)
    values["repaired_at"] = values["repaired_at"] and utc(values["repaired_at"])
    return Finding(**values)


def conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    """What quarantine and the repairs in force must meet for a filter."""
    found: list[sa.ColumnElement[bool]] = [
        quarantine.c[name] == getattr(wanted, name)
        for name in ("source", "rule", "severity")
        if getattr(wanted, name) is not None
    ]
    if wanted.field is not None:
        field = quarantine.c.field
        found.append(field == wanted.field if wanted.field else field.is_(None))
    match wanted.state:
        case "open":
            found += [quarantine.c.status == "open", repair.c.repair_id.is_(None)]
        case "waiting":
            found += [_STANDING, repair.c.repair_id.is_not(None)]
        case None:
            pass
        case state:
            found.append(quarantine.c.status == state)
    return found


def page(
    wh: Warehouse, wanted: Filter | None = None, after: str | None = None, limit: int = 50
) -> Page:
    """Some findings, errors first.

    Args:
        wh: the warehouse.
        wanted: which; open ones if not told.
        after: ``Page.after`` of the page before.
        limit: findings on a page.
    """
    query = sa.select(*_COLUMNS).select_from(_BOTH).where(*conditions(wanted or Filter()))
    if after:
        query = query.where(sa.tuple_(*_ORDER) > sa.tuple_(*after.partition(":")[::2]))
    query = query.order_by(*_ORDER).limit(limit + 1)
    with wh.read(BOTH) as connection:
        rows = [_finding(one) for one in connection.execute(query)]
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], f"{last.severity}:{last.quarantine_id}" if last else None)


def neighbors(wh: Warehouse, wanted: Filter, one: Finding) -> tuple[str | None, str | None]:
    """The findings of a filter before and after one."""
    query = sa.select(quarantine.c.quarantine_id).select_from(_BOTH)
    query = query.where(*conditions(wanted)).limit(1)
    place, this = sa.tuple_(*_ORDER), sa.tuple_(one.severity, one.quarantine_id)
    with wh.read(BOTH) as connection:
        before = query.where(place < this).order_by(*(key.desc() for key in _ORDER))
        after = query.where(place > this).order_by(*_ORDER)
        return connection.execute(before).scalar(), connection.execute(after).scalar()


def counts(wh: Warehouse, wanted: Filter | None = None) -> list[Count]:
    """Findings of a filter by source, rule, severity and field; the most first."""
    asked = wanted or Filter()
    columns = [quarantine.c[name] for name in _KINDS]
    number = sa.func.count()
    every = Filter(**{**asked.plain(), "state": None})
    with wh.read(BOTH) as connection:
        if asked.state == "open":  # few wait: count all that stand, and take those off
            query = sa.select(*columns, number).where(
                quarantine.c.status == "open", *conditions(every)
            )
            found = _counted(connection, query.group_by(*columns))
            less = sa.select(*columns, number).select_from(repair.join(quarantine, _MADE))
            less = less.where(_STANDING, *conditions(every))
            for kind, many in _counted(connection, less.group_by(*columns)).items():
                found[kind] -= many
        else:
            query = sa.select(*columns, number).select_from(_BOTH).where(*conditions(asked))
            found = _counted(connection, query.group_by(*columns))
    counted = [Count(*kind, findings=many) for kind, many in found.items() if many]
    return sorted(counted, key=lambda one: (-one.findings, one.source, one.rule, one.field or ""))


def standing(connection: sa.Connection) -> int:
    """Open findings of which nobody said anything yet.

    Args:
        connection: to both stores.
    """
    every = sa.select(sa.func.count()).select_from(quarantine)
    still = connection.execute(every.where(quarantine.c.status == "open")).scalar_one()
    return int(still) - _waiting(connection)


def waiting(wh: Warehouse) -> int:
    """Findings with a repair that is used when their source is staged next."""
    with wh.read(BOTH) as connection:
        return _waiting(connection)


def _waiting(connection: sa.Connection) -> int:
    query = sa.select(sa.func.count()).select_from(repair.join(quarantine, _MADE))
    return int(connection.execute(query.where(_STANDING)).scalar_one())


def _counted(
    connection: sa.Connection, query: sa.Select[Any]
) -> dict[tuple[str, str, str, str | None], int]:
    return {tuple(kind): int(many) for *kind, many in connection.execute(query)}


def get(wh: Warehouse, quarantine_id: str) -> Finding:
    """A finding.

    Raises:
        NotThere: there is none with this id.
    """
    query = sa.select(*_COLUMNS).select_from(_BOTH)
    with wh.read(BOTH) as connection:
        row = connection.execute(query.where(quarantine.c.quarantine_id == quarantine_id)).first()
    if row is None:
        raise NotThere(f"finding {quarantine_id}", "there is no such finding")
    return _finding(row)


def of_record(wh: Warehouse, record_id: str) -> list[Finding]:
    """All that was and is found on a record, by field and rule."""
    query = sa.select(*_COLUMNS).select_from(_BOTH).where(quarantine.c.record_id == record_id)
    with wh.read(BOTH) as connection:
        rows = [_finding(one) for one in connection.execute(query)]
    return sorted(rows, key=lambda one: (one.field or "", one.rule, one.quarantine_id))

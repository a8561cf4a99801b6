"""One golden customer with all that is known of it: values, their origin, its history.

What belongs here: reading, for pages and API. Nothing is masked here; that is
for whoever shows it.
"""

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from onefold.errors import NotThere
from rules.customer import BY_NAME, GOLDEN_FIELDS
from warehouse import staged_records
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.review_tables import decision, judgement
from warehouse.tables import (
    case_member,
    crosswalk,
    customer_relation,
    golden_customer,
    golden_customer_history,
    golden_field,
    lineage_event,
    quarantine,
    redirect,
    review_case,
    sync_run,
)

_FIELDS = [field.name for field in GOLDEN_FIELDS]


@dataclass(frozen=True)
class Origin:
    """Where one value of a golden field came from.

    Attributes:
        item: place in a list from 0, else 0.
        source, source_key: the record; None where nobody holds it (a steward's value).
        rule: the survivorship rule that chose it.
    """

    item: int
    source: str | None
    source_key: str | None
    rule: str


@dataclass(frozen=True)
class Version:
    """A version of a golden customer.

    Attributes:
        valid_from, valid_to: when it held, UTC; valid_to None: still.
        change: created, changed or restored.
        publish_id: the publish that wrote it.
        differs: field → (value before, value), for the fields that changed; empty for the first.
    """

    valid_from: datetime
    valid_to: datetime | None
    change: str
    publish_id: str
    differs: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Event:
    """Something that happened to a customer or to its ids.

    Attributes:
        at: UTC.
        kind: created, absorbed, split, retired, restored, erased; version; decision, revoked.
        golden_id: the id it happened to.
        other_golden_id: the other id of a lineage event.
        detail: record_count and reason of a lineage event, the Version, or the decision's row.
    """

    at: datetime
    kind: str
    golden_id: str
    other_golden_id: str | None
    detail: Any


@dataclass(frozen=True)
class Customer:
    """A golden customer.

    Attributes:
        golden_id: the live id.
        asked_id: the id that was asked for, if it was retired since; else None.
        values: golden field → value (lists as lists, attributes as an object).
        record_count, source_count: as published.
        first_published_at, published_at: UTC.
        origins: golden field → where its values came from.
        records: its source records as staged, newest first; each a dict of staged columns.
        synced_at: source → when it was synced last, UTC.
        timeline: latest first.
        relations: kind, basis, golden_id and name of the other, whether the other is the person.
        case_ids: open cases that it is in.
        findings: open quarantine rows of its records: record_id, field, rule, severity, reason.
        decisions: in force on its records or on itself, latest first.
        waiting: what waits for a second person and began at this customer: judgement_id, kind,
            field (override), judged_by, judged_at; oldest first.
        former_ids: retired ids that lead here.
    """

    golden_id: str
    asked_id: str | None
    values: Mapping[str, Any]
    record_count: int
    source_count: int
    first_published_at: datetime
    published_at: datetime
    origins: Mapping[str, list[Origin]]
    records: list[dict[str, Any]]
    synced_at: Mapping[str, datetime]
    timeline: list[Event]
    relations: list[dict[str, Any]]
    case_ids: list[str]
    findings: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    waiting: list[dict[str, Any]]
    former_ids: list[str]


@dataclass(frozen=True)
class Ended:
    """A customer that is no more: its records are gone from their sources, or it was erased.

    Attributes:
        golden_id: its id.
        retired_at: when, UTC.
        timeline: latest first.
        erased: whether it was erased on request: nothing else is known of it.
    """

    golden_id: str
    retired_at: datetime
    timeline: list[Event]
    erased: bool = False


def get(wh: Warehouse, golden_id: str) -> Customer | Ended:
    """A customer by its id, or by an id that leads to it.

    Raises:
        NotThere: the id was never published.
    """
    asked = None
    with wh.read() as connection:
        row = _live(connection, golden_id)
        if row is None:
            retired = connection.execute(
                sa.select(redirect).where(redirect.c.golden_id == golden_id)
            ).first()
            if retired is None:
                raise NotThere(f"customer {golden_id}", "this id was never published")
            if retired.successor is None:
                ids = [golden_id]
                timeline = _lineage(connection, ids)
                gone = [one for one in timeline if one.kind == "erased"]
                if gone:
                    return Ended(golden_id, gone[0].at, _latest_first(timeline), erased=True)
                timeline += _versions(connection, ids)
                return Ended(golden_id, _utc(retired.retired_at), _latest_first(timeline))
            asked, golden_id = golden_id, retired.successor
            row = _live(connection, golden_id)
            if row is None:
                raise NotThere(f"customer {golden_id}", "its successor is not published")
        former = list(
            connection.execute(
                sa.select(redirect.c.golden_id)
                .where(redirect.c.successor == golden_id)
                .order_by(redirect.c.golden_id)
            ).scalars()
        )
        members = list(
            connection.execute(
                sa.select(crosswalk.c.record_id).where(crosswalk.c.golden_id == golden_id)
            ).scalars()
        )
        timeline = _lineage(connection, [golden_id, *former])
        timeline += _versions(connection, [golden_id])
        origins = _origins(connection, golden_id)
        relations = _relations(connection, golden_id)
        cases = list(
            connection.execute(
                sa.select(case_member.c.case_id)
                .join(review_case, review_case.c.case_id == case_member.c.case_id)
                .where(case_member.c.golden_id == golden_id)
                .distinct()
                .order_by(case_member.c.case_id)
            ).scalars()
        )
        findings = _findings(connection, members)
    records = staged_records.read(wh, members).to_pylist()
    records.sort(key=lambda one: one["record_id"])
    records.sort(key=lambda one: _moment(one["updated_at"]), reverse=True)
    synced = synced_at(wh, {one["source"] for one in records})
    said = _decisions(wh, [golden_id, *former], members)
    timeline += [_said(one) for one in said] + [
        _revoked(one) for one in said if one["revoked_at"] is not None
    ]
    return Customer(
        golden_id=golden_id,
        asked_id=asked,
        values={name: _value(name, row[name]) for name in _FIELDS},
        record_count=row["record_count"],
        source_count=row["source_count"],
        first_published_at=_utc(row["first_published_at"]),
        published_at=_utc(row["published_at"]),
        origins=origins,
        records=records,
        synced_at=synced,
        timeline=_latest_first(timeline),
        relations=relations,
        case_ids=cases,
        findings=findings,
        decisions=[one for one in said if one["revoked_at"] is None],
        waiting=_waiting(wh, {golden_id, *former}),
        former_ids=former,
    )


def of_record(wh: Warehouse, record_id: str) -> str | None:
    """The golden id that a record is published with; None: there is no such record."""
    source, _, key = record_id.partition(":")
    query = sa.select(crosswalk.c.golden_id).where(
        crosswalk.c.source == source, crosswalk.c.source_key == key
    )
    with wh.read() as connection:
        return connection.execute(query).scalar()


def _waiting(wh: Warehouse, golden_ids: Set[str]) -> list[dict[str, Any]]:
    query = sa.select(judgement).where(
        judgement.c.case_id.is_(None), judgement.c.state == "waiting"
    )
    with wh.read(REVIEW) as connection:
        rows = connection.execute(query.order_by(judgement.c.judged_at, judgement.c.judgement_id))
        return [
            {
                "judgement_id": row.judgement_id,
                "kind": row.kind,
                "field": row.evidence.get("pinned", {}).get("field"),
                "judged_by": row.judged_by,
                "judged_at": _utc(row.judged_at),
            }
            for row in rows
            if not golden_ids.isdisjoint(row.evidence["before"])
        ]


def pinned(wh: Warehouse, golden_id: str) -> list[dict[str, Any]]:
    """The overrides in force on a live customer, also on ids that lead to it; latest first."""
    former = sa.select(redirect.c.golden_id).where(redirect.c.successor == golden_id)
    with wh.read() as connection:
        ids = [golden_id, *connection.execute(former).scalars()]
    return [one for one in _decisions(wh, ids, []) if one["revoked_at"] is None]


def brief(wh: Warehouse, golden_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Golden values and counts of several live customers, for lists: by golden_id."""
    with wh.read() as connection:
        found = connection.execute(
            sa.select(golden_customer).where(golden_customer.c.golden_id.in_(list(golden_ids)))
        ).mappings()
        return {
            row["golden_id"]: {
                **{name: _value(name, row[name]) for name in _FIELDS},
                "record_count": row["record_count"],
                "source_count": row["source_count"],
                "sources": row["sources"],
            }
            for row in found
        }


def _live(connection: sa.Connection, golden_id: str) -> sa.RowMapping | None:
    query = sa.select(golden_customer).where(golden_customer.c.golden_id == golden_id)
    return connection.execute(query).mappings().first()


def _value(name: str, value: Any) -> Any:
    """Objects of the canonical model are JSON text in Arrow and an object in the database."""
    if BY_NAME[name].kind == "json" and isinstance(value, str):
        return json.loads(value)
    return value


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _moment(value: datetime | None) -> datetime:
    return value or datetime.min.replace(tzinfo=UTC)


def _latest_first(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda one: one.at, reverse=True)


def _origins(connection: sa.Connection, golden_id: str) -> dict[str, list[Origin]]:
    query = (
        sa.select(golden_field)
        .where(golden_field.c.golden_id == golden_id)
        .order_by(golden_field.c.field, golden_field.c.item)
    )
    found: dict[str, list[Origin]] = {}
    for row in connection.execute(query):
        origin = Origin(row.item, row.source, row.source_key, row.rule)
        found.setdefault(row.field, []).append(origin)
    return found


def _lineage(connection: sa.Connection, golden_ids: list[str]) -> list[Event]:
    query = sa.select(lineage_event).where(
        lineage_event.c.golden_id.in_(golden_ids) | lineage_event.c.other_golden_id.in_(golden_ids)
    )
    return [
        Event(
            _utc(row.at),
            row.event,
            row.golden_id,
            row.other_golden_id,
            {"record_count": row.record_count, "reason": row.reason},
        )
        for row in connection.execute(query)
    ]


def _versions(connection: sa.Connection, golden_ids: list[str]) -> list[Event]:
    history = golden_customer_history
    query = (
        sa.select(history)
        .where(history.c.golden_id.in_(golden_ids))
        .order_by(history.c.golden_id, history.c.valid_from)
    )
    found: list[Event] = []
    before: tuple[str, dict[str, Any]] | None = None
    for row in connection.execute(query).mappings():
        values = {name: _value(name, row[name]) for name in _FIELDS}
        differs: dict[str, tuple[Any, Any]] = {}
        if before is not None and before[0] == row["golden_id"]:
            was = before[1]
            differs = {
                name: (was[name], values[name]) for name in _FIELDS if was[name] != values[name]
            }
        version = Version(
            _utc(row["valid_from"]),
            _utc(row["valid_to"]) if row["valid_to"] else None,
            row["change"],
            row["publish_id"],
            differs,
        )
        found.append(Event(version.valid_from, "version", row["golden_id"], None, version))
        before = (row["golden_id"], values)
    return found


def _relations(connection: sa.Connection, golden_id: str) -> list[dict[str, Any]]:
    table = customer_relation
    found = []
    for mine, other in (("person_id", "organization_id"), ("organization_id", "person_id")):
        query = (
            sa.select(
                table.c.kind, table.c.basis, table.c[other].label("other"), golden_customer.c.name
            )
            .join(golden_customer, golden_customer.c.golden_id == table.c[other])
            .where(table.c[mine] == golden_id)
            .order_by(table.c.kind, table.c[other])
        )
        found += [
            {
                "kind": row.kind,
                "basis": row.basis,
                "golden_id": row.other,
                "name": row.name,
                "is_person": other == "person_id",
            }
            for row in connection.execute(query)
        ]
    return found


def _findings(connection: sa.Connection, record_ids: list[str]) -> list[dict[str, Any]]:
    columns = ("quarantine_id", "record_id", "field", "rule", "severity", "reason")
    query = (
        sa.select(*(quarantine.c[name] for name in columns))
        .where(quarantine.c.record_id.in_(record_ids), quarantine.c.status == "open")
        .order_by(quarantine.c.record_id, quarantine.c.field, quarantine.c.quarantine_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def synced_at(wh: Warehouse, sources: Iterable[str]) -> dict[str, datetime]:
    """When sources were synced last, UTC."""
    query = (
        sa.select(sync_run.c.source, sa.func.max(sync_run.c.finished_at).label("at"))
        .where(sync_run.c.source.in_(list(sources)), sync_run.c.status.in_(("synced", "unchanged")))
        .group_by(sync_run.c.source)
    )
    with wh.read() as connection:
        return {row.source: _utc(row.at) for row in connection.execute(query)}


def _decisions(wh: Warehouse, golden_ids: list[str], record_ids: list[str]) -> list[dict[str, Any]]:
    """Decisions about the customer or its records, revoked ones too, latest first."""
    about = sa.or_(
        decision.c.golden_id.in_(golden_ids),
        decision.c.left_id.in_(record_ids),
        decision.c.right_id.in_(record_ids),
    )
    query = (
        sa.select(decision, judgement.c.case_id)
        .outerjoin(judgement, judgement.c.judgement_id == decision.c.judgement_id)
        .where(about)
        .order_by(decision.c.decided_at.desc(), decision.c.decision_id.desc())
    )
    with wh.read(REVIEW) as connection:
        found = [dict(row) for row in connection.execute(query).mappings()]
    for one in found:
        one.pop("evidence")
        one["decided_at"] = _utc(one["decided_at"])
        if one["revoked_at"] is not None:
            one["revoked_at"] = _utc(one["revoked_at"])
    return found


def _said(one: dict[str, Any]) -> Event:
    return Event(one["decided_at"], "decision", one["golden_id"] or "", None, one)


def _revoked(one: dict[str, Any]) -> Event:
    return Event(one["revoked_at"], "revoked", one["golden_id"] or "", None, one)


def plain(value: Any) -> Any:
    """A value of a customer as JSON has it: dates and times in ISO form."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value

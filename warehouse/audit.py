"""Who saw and changed what: events that are only ever added, each sealed by a hash.

What belongs here: the table ``audit_event``. A change and its event are one
transaction: the writer hands its connection. Every event's hash covers its own
content and the hash of the event before, so that a row that was changed,
removed or slipped in later breaks the chain at that place. Rows cut off at the
end leave an intact chain: note number and hash of the last event elsewhere,
and give them to :func:`verify`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.moments import now, utc
from warehouse.review_tables import audit_event

NOBODY = "-"
"""The login of events before anybody is logged in."""
_AT_ONCE = 10_000


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        number: from 1, without gaps.
        at: when, UTC.
        login: who; ``-`` before anybody is logged in.
        action: what; see review/actions.py.
        object_kind: case, customer, account, ...
        object_id: which.
        detail: more, without customer values.
        previous_hash: hash of the event before; empty for the first.
        hash: of this event and previous_hash, SHA-256 in hex.
    """

    number: int
    at: datetime
    login: str
    action: str
    object_kind: str | None
    object_id: str | None
    detail: dict[str, Any] | None
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Verified:
    """What a walk along the chain found.

    Attributes:
        events: events that were looked at.
        head: number and hash of the last one; (0, "") if there are none.
        broken_at: number of the first event that does not fit; None if all do.
        why: what does not fit there, in words.
    """

    events: int
    head: tuple[int, str]
    broken_at: int | None = None
    why: str = ""

    @property
    def ok(self) -> bool:
        """Whether every event fits."""
        return self.broken_at is None


def append(
    connection: sa.Connection,
    login: str,
    action: str,
    object_kind: str | None = None,
    object_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Add an event inside the transaction of the change it describes.

    Args:
        connection: of ``wh.write(REVIEW)``, which lets only one writer in at a time.
        login: who.
        action: what.
        object_kind: kind of the thing it was done to.
        object_id: which one.
        detail: more, as plain JSON values; never a customer's values.

    Returns:
        The event's number.
    """
    last = connection.execute(
        sa.select(audit_event.c.number, audit_event.c.hash)
        .order_by(audit_event.c.number.desc())
        .limit(1)
    ).first()
    number, previous = (last.number + 1, last.hash) if last else (1, "")
    row: dict[str, Any] = {
        "number": number,
        "at": now(),
        "login": login,
        "action": action,
        "object_kind": object_kind,
        "object_id": object_id,
        "detail": dict(detail) if detail else None,
        "previous_hash": previous,
    }
    connection.execute(sa.insert(audit_event).values(**row, hash=_seal(row)))
    return int(number)


def note(
    wh: Warehouse,
    login: str,
    action: str,
    object_kind: str | None = None,
    object_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Add an event that goes with no change, such as a look at a customer.

    Raises:
        WarehouseError: the database refuses.
    """
    with wh.write(REVIEW) as connection:
        return append(connection, login, action, object_kind, object_id, detail)


def _seal(row: Mapping[str, Any]) -> str:
    """Hash of an event: of a JSON list, so that no two contents read alike."""
    content = [
        row["number"],
        utc(row["at"]).isoformat(timespec="microseconds"),
        row["login"],
        row["action"],
        row["object_kind"],
        row["object_id"],
        row["detail"],
        row["previous_hash"],
    ]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def verify(wh: Warehouse, expected: tuple[int, str] | None = None) -> Verified:
    """Walk the whole chain and name the first event that does not fit.

    Args:
        wh: the warehouse.
        expected: number and hash of an event as noted earlier: it must still be there.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    count, head = 0, (0, "")
    for event in _all(wh):
        count += 1
        if event.number < 1:
            return Verified(count, head, event.number, "it was slipped in: numbers begin at 1")
        if event.number != head[0] + 1:
            return Verified(count, head, head[0] + 1, "the event is missing")
        if event.previous_hash != head[1]:
            return Verified(count, head, event.number, "it does not follow the event before it")
        if event.hash != _seal(event.__dict__):
            return Verified(count, head, event.number, "its content was changed")
        head = (event.number, event.hash)
        if expected is not None and event.number == expected[0] and event.hash != expected[1]:
            return Verified(count, head, event.number, "its hash is not the one noted earlier")
    if expected is not None and head[0] < expected[0]:
        return Verified(count, head, head[0] + 1, "the event is missing")
    return Verified(count, head)


def _all(wh: Warehouse) -> Iterator[Event]:
    """Every event from the first, read in pieces that see one and the same state."""
    with wh.read(REVIEW) as connection:
        last: int | None = None
        while True:
            query = sa.select(audit_event).order_by(audit_event.c.number).limit(_AT_ONCE)
            if last is not None:
                query = query.where(audit_event.c.number > last)
            rows = connection.execute(query).all()
            yield from map(_event, rows)
            if len(rows) < _AT_ONCE:
                return
            last = rows[-1].number


def _event(row: sa.Row[Any]) -> Event:
    values = dict(row._mapping)
    return Event(**{**values, "at": utc(values["at"])})


def show(
    wh: Warehouse,
    *,
    login: str | None = None,
    action: str | None = None,
    object_kind: str | None = None,
    object_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Event]:
    """Events, newest first.

    Args:
        wh: the warehouse.
        login: only by this login.
        action: only of this kind.
        object_kind: only to things of this kind.
        object_id: only to this one.
        since: only from this moment on.
        until: only before this moment.
        before: only events with a smaller number (the next page).
        limit: at most so many.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    query = sa.select(audit_event).order_by(audit_event.c.number.desc()).limit(limit)
    for column, value in (
        (audit_event.c.login, login),
        (audit_event.c.action, action),
        (audit_event.c.object_kind, object_kind),
        (audit_event.c.object_id, object_id),
    ):
        if value:
            query = query.where(column == value)
    if since is not None:
        query = query.where(audit_event.c.at >= since)
    if until is not None:
        query = query.where(audit_event.c.at < until)
    if before is not None:
        query = query.where(audit_event.c.number < before)
    with wh.read(REVIEW) as connection:
        return [_event(row) for row in connection.execute(query)]

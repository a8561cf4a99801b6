"""The audit log: who saw and changed what. For admins."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from review.pages import Stores
from review.routes.api.parts import LARGEST, After, Body, Moment, Shown, Word, part, place, token
from review.security.roles import Admin
from warehouse import audit

router = part("/audit", "audit")


class Asked(Body):
    """Which events, and from where on."""

    login: Word | None = None
    action: Word | None = Field(None, description="judge, view_customer, login, …")
    object_kind: Word | None = None
    object_id: Word | None = None
    since: Moment | None = Field(None, description="From this moment on")
    until: Moment | None = Field(None, description="Before this moment")
    after: After = None
    limit: int = Field(50, ge=1, le=200)


class Event(Shown):
    """An event; its hash covers it and the hash of the one before."""

    number: int
    at: datetime
    login: str = Field(description="Who; - before anybody was logged in")
    action: str
    object_kind: str | None
    object_id: str | None
    detail: dict[str, Any] | None
    previous_hash: str
    hash: str


class Events(Shown):
    """Some events, newest first."""

    events: list[Event]
    after: str | None = Field(description="For the next page; null on the last")


@router.get("")
def list_events(caller: Admin, wh: Stores, asked: Annotated[Asked, Query()]) -> Events:
    """Events, newest first."""
    at = place(asked.after, int)
    found = audit.show(
        wh,
        login=asked.login,
        action=asked.action,
        object_kind=asked.object_kind,
        object_id=asked.object_id,
        since=asked.since,
        until=asked.until,
        before=min(at[0], LARGEST) if at else None,
        limit=asked.limit + 1,
    )
    if at is None:
        audit.note(wh, caller.login, "view_audit")
    shown = found[: asked.limit]
    last = shown[-1].number if len(found) > asked.limit else None
    return Events(
        events=[Event.model_validate(one) for one in shown],
        after=token(last) if last is not None else None,
    )

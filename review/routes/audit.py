"""Who saw and changed what. For admins."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from review import pages
from review.actions import ACTIONS
from review.pages import Stores
from review.security.roles import Admin
from warehouse import audit

router = APIRouter(prefix="/audit", include_in_schema=False)

PAGE = 50
LARGEST = 2**31 - 1
"""Numbers of events fit an integer of both databases."""


@router.get("")
def events(
    request: Request,
    caller: Admin,
    wh: Stores,
    login: Annotated[str, Query(max_length=200)] = "",
    action: Annotated[str, Query(max_length=100)] = "",
    object_kind: Annotated[str, Query(max_length=100)] = "",
    object_id: Annotated[str, Query(max_length=500)] = "",
    day: str = "",
    before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> Response:
    """Events, newest first, filtered."""
    since, until = _span(day, request)
    found = audit.show(
        wh,
        login=login.strip().lower(),
        action=action,
        object_kind=object_kind,
        object_id=object_id.strip(),
        since=since,
        until=until,
        before=before,
        limit=PAGE + 1,
    )
    if before is None:
        audit.note(wh, caller.login, "view_audit")
    filters = {
        "login": login,
        "action": action,
        "object_kind": object_kind,
        "object_id": object_id,
        "day": day if since else "",
    }
    return pages.render(
        request,
        "audit/list.html",
        events=found[:PAGE],
        older=found[PAGE - 1].number if len(found) > PAGE else None,
        first=before is None,
        filters=filters,
        actions=ACTIONS,
    )


def _span(day: str, request: Request) -> tuple[datetime | None, datetime | None]:
    """From and to of a day in the deployment's time zone; nothing for what is no day."""
    try:
        start = datetime.combine(date.fromisoformat(day), time(), request.app.state.zone)
        return start.astimezone(UTC), (start + timedelta(days=1)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, None

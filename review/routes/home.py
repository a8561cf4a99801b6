"""The first page: what waits, what was done, and by whom."""

from datetime import UTC, datetime, time, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from review import pages
from review.pages import Stores
from review.security.roles import Viewer
from warehouse import dashboard
from warehouse.dashboard import Overview
from warehouse.engine import Warehouse

router = APIRouter()


@router.get("/", include_in_schema=False)
def home(request: Request, caller: Viewer, wh: Stores) -> Response:
    """The dashboard."""
    return pages.render(request, "home/dashboard.html", now=_overview(request, wh, caller.login))


@router.get("/api/v1/overview", tags=["overview"])
def overview(request: Request, caller: Viewer, wh: Stores) -> Overview:
    """What waits, what was done, and by whom: the figures of the dashboard."""
    return _overview(request, wh, caller.login)


def _overview(request: Request, wh: Warehouse, login: str) -> Overview:
    zone = request.app.state.zone
    today = datetime.combine(datetime.now(zone).date(), time(), zone).astimezone(UTC)
    return dashboard.overview(wh, login, today, today - timedelta(days=6))

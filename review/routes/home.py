"""The first page: what waits, what was done, and by whom."""

from datetime import UTC, datetime, time, timedelta

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from review import pages
from review.pages import Stores
from review.security.roles import Viewer
from warehouse import dashboard, health
from warehouse.dashboard import Overview
from warehouse.engine import Warehouse

router = APIRouter()


@router.get("/", include_in_schema=False)
def home(request: Request, caller: Viewer, wh: Stores) -> Response:
    """The dashboard."""
    return pages.render(
        request,
        "home/dashboard.html",
        now=overview(request, wh, caller.login),
        late=health.not_in_step(request.app.state.settings),
    )


def overview(request: Request, wh: Warehouse, login: str) -> Overview:
    """The figures, with today as the deployment has it."""
    zone = request.app.state.zone
    today = datetime.combine(datetime.now(zone).date(), time(), zone).astimezone(UTC)
    return dashboard.overview(wh, login, today, today - timedelta(days=6))

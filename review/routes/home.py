"""The first page: what waits, what was done, and by whom."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from review import pages
from review.pages import Stores
from review.security.roles import Viewer

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request, caller: Viewer, wh: Stores) -> Response:
    """The dashboard."""
    return pages.render(request, "home.html")

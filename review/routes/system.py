"""What programs ask: is the app alive, who am I, what is the API."""

from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse

from onefold import __version__
from review.pages import Stores
from review.security.roles import Anyone, Viewer
from warehouse import accounts
from warehouse.accounts import Role

router = APIRouter()


@router.get("/health", include_in_schema=False)
def health(caller: Anyone, wh: Stores) -> dict[str, str]:
    """Whether the app serves and reaches its database; 503 where not."""
    accounts.reachable(wh)
    return {"status": "ok", "version": __version__}


class Me(BaseModel):
    """Who the session belongs to."""

    login: str
    full_name: str
    role: Role
    csrf_token: str
    """Every write must bring it in the header X-CSRF-Token."""


@router.get("/api/v1/me", tags=["session"])
def me(caller: Viewer) -> Me:
    """Who the session belongs to, and the token that writes must bring."""
    return Me(
        login=caller.login,
        full_name=caller.account.full_name,
        role=caller.role,
        csrf_token=caller.csrf_token,
    )


@router.get("/api/openapi.json", include_in_schema=False)
def openapi(request: Request, caller: Viewer) -> JSONResponse:
    """The description of the API."""
    return JSONResponse(description(request.app.routes))


def description(routes: Any) -> dict[str, Any]:
    """OpenAPI of the routes below /api/."""
    ours = [route for route in routes if getattr(route, "path", "").startswith("/api/")]
    return get_openapi(title="Onefold", version=__version__, routes=ours)

"""The API described: OpenAPI for programs, and a page of it for people."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from onefold import __version__
from review import pages
from review.presenters import described
from review.problems import Problem, documented
from review.security import csrf, roles
from review.security.cookies import Cookies
from review.security.roles import Viewer

router = APIRouter()

ABOUT = """What the pages show and do, for programs: the same checks, roles and audit log.

Log in with `POST /api/v1/session`. Lists go on with `after`.
Errors are problems (RFC 9457). Personal values are masked for viewers."""


@router.get("/api/openapi.json", include_in_schema=False)
def openapi(request: Request, caller: Viewer) -> JSONResponse:
    """The description of the API."""
    return JSONResponse(description(request.app.routes, request.app.state.cookies))


@router.get("/api", include_in_schema=False)
def page(request: Request, caller: Viewer) -> Response:
    """The description to read."""
    said = description(request.app.routes, request.app.state.cookies)
    return pages.render(request, "api/list.html", parts_of_api=described.parts(said))


def ours(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """The routes of the API that are described."""
    for route in routes:
        if isinstance(route, APIRoute) and route.path.startswith("/api/v1/"):
            yield route


def description(routes: Iterable[BaseRoute], cookies: Cookies) -> dict[str, Any]:
    """OpenAPI of the routes below /api/v1."""
    found = list(ours(routes))
    said = get_openapi(title="Onefold", version=__version__, description=ABOUT, routes=found)
    parts = said.setdefault("components", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts.setdefault("schemas", {}).update(schema.pop("$defs", {}))
    parts["schemas"]["Problem"] = schema
    parts["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": cookies.session},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
    }
    for route in found:
        for method in route.methods or ():
            _complete(said["paths"][route.path][method.lower()], route, method)
    return said


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    """Say which role an operation needs, and what every write may answer."""
    needed = roles.declared(route)
    role = needed.role if needed else None
    operation["x-role"] = role or "anyone"
    write = method not in csrf.SAFE
    if write:
        for status, answer in documented(413).items():
            operation["responses"][str(status)] = answer
    keys: dict[str, list[str]] = {"session": []} if role else {}
    if write:
        keys["csrf"] = []
    operation["security"] = [keys] if keys else []

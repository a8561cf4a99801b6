"""Every route refuses whoever may not call it: one walk over all, so that none is forgotten."""

import re
from collections.abc import Callable, Iterator

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from onefold.settings import Settings
from review import routes
from review.app import create_app
from review.security import csrf, roles
from warehouse.accounts import ROLES
from warehouse.engine import Warehouse

PUBLIC = {
    ("GET", "/api/v1/session"),
    ("POST", "/api/v1/session"),
    ("GET", "/health"),
    ("GET", "/login"),
    ("GET", "/openid"),
    ("GET", "/openid/callback"),
    ("POST", "/login"),
    ("POST", "/preferences"),
}
"""What needs no login. A new entry is a decision, not a fix of this test."""


def walk(app: FastAPI) -> Iterator[tuple[str, str, roles.Needs]]:
    """Method, path with its placeholders filled, and what it needs, of every route."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            needed = roles.declared(route)
            assert needed is not None
            for method in route.methods:
                yield method, re.sub(r"{[^}]+}", "1", route.path), needed


def test_only_the_known_routes_are_public(app: FastAPI) -> None:
    found = {(method, path) for method, path, needed in walk(app) if needed.role is None}
    assert found == PUBLIC


def test_every_route_refuses_who_is_not_logged_in(
    app: FastAPI, client: Callable[..., TestClient]
) -> None:
    nobody = client(None)
    nobody.get("/login")  # gives the cookie from which the token before the login is made
    token = re.search(r'name="csrf_token" value="(\w+)"', nobody.get("/login").text)
    assert token
    checked = 0
    for method, path, needed in walk(app):
        if needed.role is None:
            continue
        answer = nobody.request(method, path, headers={"X-CSRF-Token": token.group(1)})
        if path.startswith("/api/"):
            assert answer.status_code == 401, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
        else:
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/login?next=/")
        checked += 1
    assert checked > 5


def test_every_route_refuses_lesser_roles(app: FastAPI, client: Callable[..., TestClient]) -> None:
    clients = {role: client(role) for role in ROLES}
    checked = 0
    for method, path, needed in walk(app):
        if needed.role is None:
            continue
        for role in ROLES[: ROLES.index(needed.role)]:
            answer = clients[role].request(method, path)
            assert answer.status_code == 403, (method, path, role)
            checked += 1
    assert checked > 5


def test_every_write_refuses_a_request_without_or_with_another_token(
    app: FastAPI, client: Callable[..., TestClient]
) -> None:
    admin, nobody = client("admin", csrf=False), client(None)
    checked = 0
    for method, path, _needed in walk(app):
        if method in csrf.SAFE:
            continue
        for one in (admin, nobody):
            assert one.request(method, path).status_code == 403, (method, path)
            wrong = {"X-CSRF-Token": "0" * 64}
            assert one.request(method, path, headers=wrong).status_code == 403, (method, path)
            form = {"csrf_token": "0" * 64}
            assert one.request(method, path, data=form).status_code == 403, (method, path)
        checked += 1
    assert checked > 5
    assert admin.get("/api/v1/me").status_code == 200, "no refused write ended the session"


def test_a_route_without_a_role_does_not_start(
    empty_home: Settings, wh: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()

    @router.get("/forgotten")
    def forgotten() -> None:
        """Declares nothing."""

    monkeypatch.setattr(routes, "ROUTERS", (*routes.ROUTERS, router))
    with pytest.raises(TypeError, match="/forgotten"):
        create_app(empty_home, wh)


def test_a_route_that_cannot_be_checked_does_not_start(
    empty_home: Settings, wh: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = APIRouter()
    router.mount("/hidden", FastAPI())
    monkeypatch.setattr(routes, "ROUTERS", (*routes.ROUTERS, router))
    with pytest.raises(TypeError, match="hidden"):
        create_app(empty_home, wh)

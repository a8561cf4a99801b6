"""Logging in with a password, and out."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from review import pages
from review.language import N_
from review.pages import Policy, SealingKey, Stores
from review.security import entering, sessions
from review.security.roles import Anyone, Viewer
from warehouse import sessions as store

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login_page(request: Request, caller: Anyone, policy: Policy, next: str = "/") -> Response:
    """The form."""
    if caller is not None:
        return RedirectResponse(pages.own_path(next), status_code=303)
    return _form(request, next)


@router.post("/login")
def log_in(
    request: Request,
    caller: Anyone,
    wh: Stores,
    policy: Policy,
    key: SealingKey,
    login: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Begin a session; the answer says as little about known as about unknown logins."""
    tried = entering.attempt(request, wh, policy, key, login, password)
    if tried.wait:
        refused = _form(request, next, tried.login, 429, wait=tried.wait)
        refused.headers["Retry-After"] = str(tried.wait)
        return refused
    if not tried.is_right:
        return _form(request, next, tried.login, 401, wrong=True)
    answer = RedirectResponse(pages.own_path(next), status_code=303)
    lifetime = timedelta(hours=policy.session_hours)
    sessions.start(request, answer, wh, tried.login, lifetime, "login")
    return answer


@router.post("/logout")
def log_out(request: Request, caller: Viewer, wh: Stores) -> Response:
    """End the session."""
    store.end(wh, caller.session_hash, caller.login, action="logout")
    answer = pages.redirect(request, "/login", N_("You are logged out."))
    cookies = request.app.state.cookies
    cookies.drop(answer, cookies.session)
    return answer


def _form(
    request: Request,
    next: str,
    login: str = "",
    status: int = 200,
    *,
    wrong: bool = False,
    wait: int = 0,
) -> Response:
    return pages.render(
        request,
        "login.html",
        status=status,
        next=pages.own_path(next),
        login=login,
        wrong=wrong,
        wait=wait,
    )

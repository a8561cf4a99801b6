"""Logging in and out, and who one is."""

from datetime import timedelta

from fastapi import Response
from pydantic import Field
from starlette.requests import Request

from review.errors import Refused, Throttled
from review.language import N_
from review.pages import Policy, SealingKey, Stores
from review.problems import documented
from review.routes.api.parts import Body, Shown, part
from review.security import entering, sessions
from review.security.roles import Anyone, Viewer
from warehouse import sessions as store
from warehouse.accounts import Role

router = part("", "session")


class Csrf(Shown):
    """What writes must bring in the header X-CSRF-Token, also the login."""

    csrf_token: str


class Login(Body):
    """A login with its password."""

    login: str = Field(max_length=200, pattern=r"^[^\x00]*$")
    password: str = Field(max_length=2000)


class Me(Shown):
    """Who the session or token belongs to."""

    login: str
    full_name: str
    role: Role
    csrf_token: str = Field(
        description="Every write must bring it in the header X-CSRF-Token; empty with a token"
    )


@router.get("/session")
def start_session(request: Request, caller: Anyone) -> Csrf:
    """The token that the login must bring, and the cookie that belongs to it."""
    return Csrf(csrf_token=request.state.csrf_token)


@router.post("/session", status_code=204, responses=documented(429))
def log_in(
    request: Request,
    caller: Anyone,
    wh: Stores,
    policy: Policy,
    key: SealingKey,
    body: Login,
    response: Response,
) -> None:
    """Begin a session, kept in a cookie. `/api/v1/me` then gives the token for writes."""
    tried = entering.attempt(request, wh, policy, key, body.login, body.password)
    if tried.wait:
        raise Throttled(tried.wait)
    if not tried.is_right:
        raise Refused(401, N_("Login or password is not right."))
    lifetime = timedelta(hours=policy.session_hours)
    sessions.start(request, response, wh, tried.login, lifetime, "login")


@router.delete("/session", status_code=204)
def log_out(request: Request, caller: Viewer, wh: Stores, response: Response) -> None:
    """End the session."""
    store.end(wh, caller.session_hash, caller.login, action="logout")
    cookies = request.app.state.cookies
    cookies.drop(response, cookies.session)


@router.get("/me")
def get_me(caller: Viewer) -> Me:
    """Who one is, and the token that writes must bring."""
    return Me(
        login=caller.login,
        full_name=caller.account.full_name,
        role=caller.role,
        csrf_token=caller.csrf_token,
    )

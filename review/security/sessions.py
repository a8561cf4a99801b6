"""Sessions: a random token in a cookie, of which the store knows the hash only."""

import hashlib
import secrets
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from review.security.caller import Caller
from review.security.cookies import Cookies
from warehouse import sessions as store
from warehouse.engine import Warehouse


def _hash(token: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()


def new(
    wh: Warehouse,
    login: str,
    lifetime: timedelta,
    *,
    action: str = "login",
    replaces: str | None = None,
) -> str:
    """Begin a session and return the token for its cookie.

    Raises:
        WarehouseError: the database refuses.
    """
    token = secrets.token_urlsafe(32)
    store.begin(
        wh,
        login,
        _hash(token),
        secrets.token_urlsafe(32),
        lifetime,
        action=action,
        replaces=_hash(replaces) if replaces else None,
    )
    return token


def caller_of(wh: Warehouse, token: str | None, idle: timedelta) -> Caller | None:
    """Whose session the token of a cookie is, if it holds.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    if not token:
        return None
    found = store.find(wh, _hash(token), idle)
    return Caller(found.account, found.session_hash, found.csrf_token) if found else None


def start(
    request: Request,
    response: Response,
    wh: Warehouse,
    login: str,
    lifetime: timedelta,
    action: str,
) -> None:
    """Log somebody in by a new token: none from before the login is worth anything.

    Raises:
        WarehouseError: the database refuses.
    """
    cookies: Cookies = request.app.state.cookies
    before = request.cookies.get(cookies.session)
    token = new(wh, login, lifetime, action=action, replaces=before)
    cookies.set(response, cookies.session, token)
    cookies.drop(response, cookies.visit)

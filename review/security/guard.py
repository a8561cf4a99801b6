"""What every request passes before a route sees it: host, session, CSRF token, headers.

A middleware, so that no route can be made without it. It notes the caller and
the token on ``request.state``; which role a route needs is said there
(roles.py).
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onefold.errors import WarehouseError
from review.errors import CsrfMissing, Refused
from review.language import N_
from review.security import bodies, csrf, headers, texts
from review.security.cookies import Cookies
from review.security.key import Key
from review.security.sessions import caller_of
from warehouse.engine import Warehouse

STATIC = "/static"
UNFIT = N_("It holds a character that cannot be kept: NUL, or one half of a pair.")


class Guard:
    """The middleware.

    Args:
        app: what it guards.
        warehouse: where sessions stand.
        key: the deployment's key.
        cookies: their names and attributes.
        idle: a session ends when it was not used for this time.
        hosts: names under which browsers may ask; empty: any.
        refuse: makes the page or problem for a refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        warehouse: Warehouse,
        key: Key,
        cookies: Cookies,
        idle: timedelta,
        hosts: frozenset[str],
        refuse: Callable[[Request, Exception], Response],
    ) -> None:
        self.app = app
        self.warehouse = warehouse
        self.key = key
        self.cookies = cookies
        self.idle = idle
        self.hosts = hosts
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        static = request.url.path.startswith(f"{STATIC}/")
        fresh = ""
        request.state.caller = None
        refused: Exception | None = None
        if not self._is_ours(request.headers):
            refused = Refused(400, N_("The app is not served under this name."))
        elif not static:
            try:
                request.state.caller = await run_in_threadpool(
                    caller_of, self.warehouse, request.cookies.get(self.cookies.session), self.idle
                )
            except WarehouseError as error:
                refused = error
        if refused is None and not texts.is_fit_address(request):
            refused = Refused(400, UNFIT)
        if request.state.caller:
            token = request.state.caller.csrf_token
        else:
            before = request.cookies.get(self.cookies.visit, "")
            if not before:
                before = fresh = secrets.token_urlsafe(24)
            token = self.key.mark("csrf", before)
        request.state.csrf_token = token
        if request.method not in csrf.SAFE and refused is None:
            try:
                receive = await _checked(request, receive, token)
            except Refused as error:
                refused = error

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in headers.ALWAYS.items():
                    sent.setdefault(name, value)
                cache = headers.STATIC_CACHE if static else headers.PAGE_CACHE
                sent.setdefault("Cache-Control", cache)
                if self.cookies.secure:
                    sent.setdefault("Strict-Transport-Security", headers.HTTPS_ONLY)
                if fresh and not static:
                    sent.append("Set-Cookie", self.cookies.line(self.cookies.visit, fresh))
            await send(message)

        answer = self.refuse(request, refused) if refused else self.app
        await answer(scope, receive, with_headers)

    def _is_ours(self, asked: Headers) -> bool:
        """Whether the browser asks for one of our names, and not a name that was made ours.

        A page of another site can lead its own name to 127.0.0.1 (DNS rebinding); the
        browser then sends that name.
        """
        if not self.hosts:
            return True
        return urlsplit(f"//{asked.get('host', '')}").hostname in self.hosts


async def _checked(request: Request, receive: Receive, token: str) -> Receive:
    """Look for the token and at the texts; gives a ``receive`` that has the body again.

    Raises:
        Refused: there is no token, or another one, or the body is too large or holds a text
            that cannot be kept.
    """
    try:
        body = await bodies.whole(receive)
    except bodies.TooLarge:
        raise Refused(413, N_("What was sent is too large.")) from None
    if not csrf.same(await csrf.brought(request.headers, body), token):
        raise CsrfMissing
    if not await texts.is_fit_body(request.headers, body):
        raise Refused(400, UNFIT)
    return bodies.replay(body, receive)

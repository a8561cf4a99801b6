"""The token that every write must bring, so that no other site can write in a user's name.

Whoever is logged in has a random token in the session. Before the login it is
the keyed hash of a random cookie: another site can neither read nor set it.

Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, synchronizer
token and signed double-submit cookie.
"""

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "x-csrf-token"
FIELD = "csrf_token"
LARGEST_BODY = 2 * 1024 * 1024
"""Bytes; larger requests are refused."""


class TooLarge(Exception):
    """The body is larger than LARGEST_BODY."""


async def whole_body(receive: Callable[[], Awaitable[Message]]) -> bytes:
    """The request's body.

    Raises:
        TooLarge: it has more than LARGEST_BODY bytes.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            raise TooLarge
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def replay(
    body: bytes, receive: Callable[[], Awaitable[Message]]
) -> Callable[[], Awaitable[Message]]:
    """A ``receive`` that gives the body again, then goes on with the original one."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def brought(headers: Headers, body: bytes) -> str:
    """The token that a request brings, in its header or in a field of its form."""
    if headers.get(HEADER):
        return headers[HEADER]
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10_000)
        return fields.get(FIELD, [""])[0]
    if kind == "multipart/form-data":
        scope = {"type": "http", "method": "POST", "headers": headers.raw}

        async def nothing() -> Message:
            return {"type": "http.disconnect"}

        try:
            form = await Request(scope, replay(body, nothing)).form()
        except MultiPartException:
            return ""
        token = form.get(FIELD)
        await form.close()
        return token if isinstance(token, str) else ""
    return ""


def same(one: str, other: str) -> bool:
    """Whether two tokens are equal, in a time that does not tell how much of them is."""
    return bool(one) and hmac.compare_digest(one.encode(), other.encode())

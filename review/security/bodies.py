"""What a request's body brings, read before a route does: for the token, and for its texts."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

LARGEST = 2 * 1024 * 1024
"""Bytes; larger requests are refused."""
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class TooLarge(Exception):
    """The body is larger than LARGEST."""


async def whole(receive: Callable[[], Awaitable[Message]]) -> bytes:
    """The request's body.

    Raises:
        TooLarge: it has more than LARGEST bytes.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST:
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


def kind_of(headers: Headers) -> str:
    """The media type of a request's body, without parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def fields(headers: Headers, body: bytes) -> list[tuple[str, str]]:
    """The fields of a form that are text, read as routes read them; none if it cannot be read."""
    if kind_of(headers) not in FORMS:
        return []

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "headers": headers.raw}
    try:
        form = await Request(scope, replay(body, nothing)).form()
    except (MultiPartException, HTTPException):
        return []
    found = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    await form.close()
    return found

"""Texts that every database keeps: a request with another one is refused before a route sees it.

PostgreSQL keeps no NUL character, and half of a surrogate pair has no UTF-8. Both come from
programs and broken clipboards only; nobody typed them.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import Request

from review.security import bodies

_UNFIT = re.compile("[\\x00\\ud800-\\udfff]")


def is_fit(text: str) -> bool:
    """Whether a text can be kept.

    >>> is_fit("欧阳 𠮷"), is_fit("a\\0b"), is_fit("\\ud83d")
    (True, False, False)
    """
    return _UNFIT.search(text) is None


def is_fit_address(request: Request) -> bool:
    """Whether path and query of a request can be kept."""
    query = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return is_fit(request.scope["path"]) and all(is_fit(text) for pair in query for text in pair)


async def is_fit_body(headers: Headers, body: bytes) -> bool:
    """Whether every text that a request's body brings can be kept; True for one of no known kind.

    What cannot be read at all is for the route to refuse.
    """
    kind = bodies.kind_of(headers)
    if kind in bodies.FORMS:
        fields = await bodies.fields(headers, body)
        return all(is_fit(text) for pair in fields for text in pair)
    if kind == "application/json" or kind.endswith("+json"):
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            return True
        return all(map(is_fit, _texts(found)))
    return True


def _texts(value: Any) -> Iterator[str]:
    """Every text of a value out of JSON, keys too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            yield from one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)

"""The token that every write must bring, so that no other site can write in a user's name.

Whoever is logged in has a random token in the session. Before the login it is
the keyed hash of a random cookie: another site can neither read nor set it.

Source: OWASP Cross-Site Request Forgery Prevention Cheat Sheet, synchronizer
token and signed double-submit cookie.
"""

import hmac

from starlette.datastructures import Headers

from review.security import bodies

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "x-csrf-token"
FIELD = "csrf_token"


async def brought(headers: Headers, body: bytes) -> str:
    """The token that a request brings, in its header or in a field of its form."""
    if headers.get(HEADER):
        return headers[HEADER]
    found = (value for name, value in await bodies.fields(headers, body) if name == FIELD)
    return next(found, "")


def same(one: str, other: str) -> bool:
    """Whether two tokens are equal, in a time that does not tell how much of them is."""
    return bool(one) and hmac.compare_digest(one.encode(errors="replace"), other.encode())

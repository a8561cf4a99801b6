"""What the parts of the API have in common: their routers, and the types of what they take.

Bodies and queries with names that are not known are refused: a filter with a
typing mistake must not mean everything.
"""

import base64
import binascii
import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from starlette.requests import Request

from review import pages
from review.errors import Refused
from review.language import N_
from review.problems import documented

Whole = r"^[^\x00]*$"
"""A text without the one character that PostgreSQL does not keep."""
LARGEST = 2**31 - 1
"""Fits an integer of both databases."""

Word = Annotated[str, Field(max_length=200, pattern=Whole)]
Said = Annotated[str, Field(max_length=4000, pattern=Whole)]
RecordId = Annotated[str, Field(max_length=500, pattern=Whole, examples=["crm:1001"])]
Groups = Annotated[
    list[Annotated[list[RecordId], Field(min_length=1)]],
    Field(description="Record ids of each customer: every record once"),
]
Version = Annotated[
    int,
    Field(ge=0, le=LARGEST, description="The case's version as you saw it; another one is refused"),
]
Key = Annotated[str, Path(max_length=500, pattern=Whole)]
"""An id in a path."""
Language = Annotated[
    Literal["zh", "en"] | None, Query(description="Of sentences; else your account's")
]


def _written(value: object) -> object:
    """Refuse a number, which pydantic would take for seconds since 1970."""
    if isinstance(value, str) and not re.match(r"\d{4}-", value):
        raise ValueError("write a date and a time with its zone, as 2026-11-22T09:30:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
After = Annotated[
    str | None, Field(max_length=1000, description="`after` of the page before; opaque")
]


class Body(BaseModel):
    """What a program sends."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """What a program gets, made from an object's attributes."""

    model_config = ConfigDict(from_attributes=True)


def part(path: str, tag: str) -> APIRouter:
    """The router of a part of the API."""
    return APIRouter(
        prefix=f"/api/v1{path}",
        tags=[tag],
        responses=documented(400, 401, 403, 422),
        generate_unique_id_function=lambda route: route.name,
    )


def language_of(request: Request, asked: str | None) -> str:
    """The language of sentences: as asked, else the reader's."""
    return asked or pages.language_of(request)


def token(*keys: str | float) -> str:
    """Where a list goes on, as text that programs hand back as it is.

    >>> place(token(1.5, "C1"), float, str)
    (1.5, 'C1')
    """
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def place(after: str | None, *kinds: type) -> Any:
    """The keys of :func:`token`; None for none.

    Raises:
        Refused: it is no such text.
    """
    if after is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(after.encode("ascii") + b"=" * (-len(after) % 4))
        found = json.loads(raw)
    except (ValueError, binascii.Error, RecursionError):
        found = None
    fits = isinstance(found, list) and list(map(type, found)) == list(kinds)
    if not fits or any("\0" in one for one in found if isinstance(one, str)):
        raise Refused(422, N_("There is no such place in this list."))
    return tuple(found)


def moment(text: str) -> datetime:
    """A moment out of a token.

    Raises:
        Refused: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Refused(422, N_("There is no such place in this list."))
    return found

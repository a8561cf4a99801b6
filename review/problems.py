"""What a program gets that is refused: a problem in JSON (RFC 9457), and how the API's
description tells of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from onefold.errors import CaseTaken, DecisionConflict
from review.errors import TITLES

MEDIA = "application/problem+json"


class Earlier(BaseModel):
    """A decision in force that a new one contradicts."""

    model_config = ConfigDict(from_attributes=True)

    decision_id: str
    kind: str = Field(description="link, no_link or override")
    left_id: str | None
    right_id: str | None
    decided_by: str
    decided_at: datetime
    reason: str
    judgement_id: str | None


class Problem(BaseModel):
    """Why a request was refused. What is not known is left out."""

    type: str = "about:blank"
    title: str = Field(description="The kind of refusal, in the reader's language")
    status: int
    detail: str = Field(description="What was wrong, in words")
    places: list[str] | None = Field(
        default=None, description="422: the parameters and fields that are missing or wrong"
    )
    chain: list[Earlier] | None = Field(
        default=None,
        description="409: the decisions in force that it contradicts, from one record to the other",
    )
    state: str | None = Field(
        default=None, description="409: what the case is now, where somebody was first"
    )
    by: str | None = Field(default=None, description="409: who was first")
    at: datetime | None = Field(default=None, description="409: when, UTC")


def answer(
    status: int, title: str, detail: str, error: Exception, headers: Mapping[str, str] | None
) -> JSONResponse:
    """The problem for an error."""
    made = Problem(title=title, status=status, detail=detail)
    if isinstance(error, DecisionConflict) and error.chain:
        made.chain = [Earlier.model_validate(one) for one in error.chain]
    if isinstance(error, CaseTaken):
        made.state, made.by, made.at = error.state, error.by, error.at
    if isinstance(error, RequestValidationError):
        made.places = places(error)
    told = made.model_dump(mode="json")
    content = {name: value for name, value in told.items() if value is not None}
    return JSONResponse(content, status, media_type=MEDIA, headers=dict(headers or {}))


def places(error: RequestValidationError) -> list[str]:
    """The parameters and fields that are missing or wrong."""
    return sorted({".".join(str(part) for part in one["loc"][1:]) for one in error.errors()})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route that may refuse with these statuses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": TITLES[status], "content": {MEDIA: {"schema": schema}}}
        for status in statuses
    }

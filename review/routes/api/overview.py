"""Figures: the dashboard, cases per state, and per band with the model's expectation."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.requests import Request

from review.pages import Stores
from review.routes import home
from review.routes.api.cases import Band, Which
from review.routes.api.parts import Shown, part
from review.security.roles import Viewer
from warehouse import cases

router = part("", "overview")


class BandByKind(Band):
    """Open cases of one tenth of the probability."""

    by_kind: dict[str, int]


class Person(Shown):
    """What somebody decided."""

    login: str
    today: int
    week: int


class Overview(Shown):
    """What waits, what was done, and by whom."""

    customers: int
    published_at: datetime | None
    pending: int = Field(description="Cases that wait for a decision")
    states: dict[str, int] = Field(description="Cases by state")
    mine: int = Field(description="Open cases that are assigned to you")
    bands: list[BandByKind] = Field(description="Open cases, highest probability first")
    oldest_id: str | None
    oldest_since: datetime | None
    people: list[Person] = Field(description="Of the last seven days, who did most first")
    second_open: int
    second_done: int
    second_agree: int
    agreement: float | None = Field(description="Share of second looks that agree, 0 to 1")
    findings: int = Field(description="Open findings in the quarantine")


class Counts(Shown):
    """Cases per state."""

    open: int
    skipped: int
    unsure: int
    waiting: int
    decided: int


class Bands(Shown):
    """Cases per tenth of the probability."""

    bands: list[Band]


@router.get("/overview")
def get_overview(request: Request, caller: Viewer, wh: Stores) -> Overview:
    """What waits, what was done, and by whom: the figures of the dashboard."""
    return Overview.model_validate(home.overview(request, wh, caller.login))


@router.get("/counts")
def get_counts(caller: Viewer, wh: Stores) -> Counts:
    """Cases per state."""
    return Counts(**cases.counts(wh))


@router.get("/bands")
def get_bands(caller: Viewer, wh: Stores, which: Annotated[Which, Query()]) -> Bands:
    """Cases per tenth of the probability; the filter's own band and bounds do not count."""
    return Bands.model_validate({"bands": cases.bands(wh, which.filter(), caller.login)})

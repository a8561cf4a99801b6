"""The API's part for quality: the figures that the pages show."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.requests import Request

from review.pages import Stores
from review.routes import quality as page
from review.routes.api.parts import Body, Shown, Word, part
from review.security.roles import Viewer
from warehouse import quality
from warehouse.quality import Measure

router = part("/quality", "quality")


class Asked(Body):
    """Of which source, and from when on."""

    source: Word | None = Field(None, description="Else all")
    days: int = Field(0, ge=0, le=3660, description="How many days back; 0: the last figures only")


class Figure(Shown):
    """A share: good of counted."""

    day: date
    source: str
    field: str = Field(description="Column of a customer; empty: the records as a whole")
    measure: str = Field(description="accepted, single, completeness, validity, …")
    good: int
    counted: int
    share: float = Field(description="0 to 1")
    target: float | None = Field(description="What it should be")


class Figures(Shown):
    """Figures, oldest day first."""

    figures: list[Figure]


@router.get("")
def list_figures(
    request: Request, caller: Viewer, wh: Stores, asked: Annotated[Asked, Query()]
) -> Figures:
    """How good the sources are: the last figures, or those of some days."""
    policy = page.policy_of(request)
    latest = quality.latest(wh)
    wanted = sorted({one.source for one in latest if asked.source in (None, one.source)})
    if asked.days:
        since = page.today(request) - timedelta(days=asked.days)
        found = [one for name in wanted for one in quality.trend(wh, name, since)]
    else:
        found = [one for one in latest if one.source in wanted]

    def shown(one: Measure) -> Figure:
        target = policy.target(one.measure, one.field)
        return Figure(
            day=one.day, source=one.source, field=one.field, measure=one.measure,
            good=one.good, counted=one.counted, share=one.share, target=target,
        )  # fmt: skip

    return Figures(figures=[shown(one) for one in found])

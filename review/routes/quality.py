"""Quality: how good every source is, how that went, and what its owner should mend."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from review import pages
from review.errors import Refused
from review.language import N_
from review.pages import Stores
from review.presenters import fields
from review.presenters import quality as shown
from review.security.roles import Steward, Viewer
from warehouse import audit, export, quality, quality_policy, staged_records
from warehouse.engine import Warehouse
from warehouse.outcomes import DATA_DOCS, FIRST_PAGE
from warehouse.quality_policy import QualityPolicy

router = APIRouter(prefix="/quality", include_in_schema=False)

_PAGES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8"}
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Source = Annotated[str, Query(max_length=200)]


@router.get("")
def show_quality(request: Request, caller: Viewer, wh: Stores, source: Source = "") -> Response:
    """All sources, or one of them by field."""
    figures = quality.latest(wh)
    known = sorted({one.source for one in figures})
    if source and source not in known:
        raise Refused(404, N_("Nothing was measured of this source."))
    policy = policy_of(request)
    since = today(request) - shown.SPAN
    if source:
        of_source = [one for one in figures if one.source == source]
        rows = shown.by_field(of_source, quality.trend(wh, source, since), policy)
    else:
        past = [one for name in known for one in quality.trend(wh, name, since)]
        rows = shown.by_source(figures, past, policy)
    return pages.render(
        request,
        "quality/list.html",
        source=source,
        sources=known,
        rows=rows,
        columns=shown.columns(rows),
        measured=max((one.day for one in figures), default=None),
        names=shown.NAMES,
        meanings=shown.MEANINGS,
        labels=fields.LABELS,
        may_fetch=caller.may("steward"),
        has_docs=(_docs(request) / FIRST_PAGE).is_file(),
    )


@router.get("/docs/{path:path}")
def show_docs(request: Request, caller: Viewer, path: str) -> Response:
    """A page of Great Expectations' Data Docs: counts of the checks, no customer's value."""
    folder = _docs(request).resolve()
    file = (folder / (path or FIRST_PAGE)).resolve()
    if not (file.is_relative_to(folder) and file.is_file() and file.suffix in _PAGES):
        raise Refused(404, N_("There is no such page."))
    return Response(file.read_bytes(), media_type=_PAGES[file.suffix])


@router.get("/to-mend")
def fetch_to_mend(
    request: Request, caller: Steward, wh: Stores, source: Annotated[str, Query(max_length=200)]
) -> Response:
    """A source's open findings as a workbook."""
    name = _staged(wh, source)
    found = export.read_to_mend(wh, name)
    audit.note(
        wh, caller.login, "fetch_to_mend", object_kind="source", object_id=name,
        detail={"findings": found.num_rows},
    )  # fmt: skip
    file = f"{today(request):%Y-%m-%d}-to-mend.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "Cache-Control": "no-store"}
    return Response(export.workbook(found, "to mend"), media_type=_EXCEL, headers=headers)


def _docs(request: Request) -> Path:
    home: Path = request.app.state.settings.home
    return home / DATA_DOCS


def policy_of(request: Request) -> QualityPolicy:
    """Section ``quality`` of the deployment."""
    return quality_policy.load(request.app.state.settings.sections.get("quality"))


def _staged(wh: Warehouse, source: str) -> str:
    if source not in staged_records.sources(wh):
        raise Refused(404, N_("There is no such source."))
    return source


def today(request: Request) -> date:
    """Today, as the deployment has it."""
    return datetime.now(UTC).astimezone(request.app.state.zone).date()

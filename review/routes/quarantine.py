"""Quarantine: rejected values and records; mending a value, accepting, taking back."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from review import mending, pages, records
from review.errors import Refused
from review.language import N_
from review.pages import Stores
from review.presenters import fields
from review.presenters import quarantine as words
from review.presenters.quarantine import Asked
from review.security.roles import Steward, Viewer
from warehouse import audit, findings, repairs, staged_records
from warehouse.engine import Warehouse
from warehouse.findings import Finding

router = APIRouter(prefix="/quarantine", include_in_schema=False)

PAGE = 50

Text = Annotated[str, Query(max_length=200)]
Value = Annotated[str, Form(max_length=repairs.LONGEST)]
Said = Annotated[str, Form(max_length=2000)]


def asked_for(source: Text = "", rule: Text = "", severity: Text = "", state: Text = "") -> Asked:
    """The filter of an address."""
    return words.asked(source, rule, severity, state)


Wanted = Annotated[Asked, Depends(asked_for)]


@router.get("")
def show_list(
    request: Request, caller: Viewer, wh: Stores, asked: Wanted, after: Text = ""
) -> Response:
    """Findings: counts by source and rule, and a page of them."""
    found = findings.page(wh, asked.filter, after or None, PAGE)
    every_rule = findings.counts(wh, replace(asked.filter, rule=None))
    counted = [one for one in every_rule if asked.filter.rule in (None, one.rule)]
    counted.sort(key=lambda one: one.severity)  # errors first, the most of them before
    audit.note(wh, caller.login, "view_quarantine", detail={"shown": len(found.rows)})
    return pages.render(
        request,
        "quarantine/list.html",
        found=found,
        asked=asked,
        counted=counted,
        total=sum(one.findings for one in counted),
        choices=words.choices(
            asked, list(staged_records.sources(wh)), every_rule, language=pages.language_of(request)
        ),
        waiting=findings.waiting(wh),
        next=asked.query(after=found.after) if found.after else "",
        first=bool(after),
        may_decide=caller.may("steward"),
        words=words,
        labels=fields.LABELS,
    )


@router.get("/repairs")
def show_repairs(
    request: Request, caller: Viewer, wh: Stores, after: Text = "", act: Text = ""
) -> Response:
    """What was mended and accepted, newest first; with ``act`` whether to undo that whole."""
    made = repairs.listed(wh, after=after or None, limit=PAGE + 1)
    audit.note(wh, caller.login, "view_repairs", detail={"shown": len(made[:PAGE])})
    return pages.render(
        request,
        "quarantine/repairs.html",
        made=made[:PAGE],
        act=act,
        after=made[PAGE - 1].repair_id if len(made) > PAGE else "",
        first=bool(after),
        may_decide=caller.may("steward"),
        words=words,
        labels=fields.LABELS,
    )


@router.get("/accept")
def ask_accept(request: Request, caller: Steward, wh: Stores, asked: Wanted) -> Response:
    """Ask before many findings are accepted: how many, of what."""
    counted = findings.counts(wh, asked.filter) if asked.filter.state == "open" else []
    if not counted:
        return pages.redirect(
            request, f"/quarantine{asked.query()}", N_("There is nothing open to accept.")
        )
    return pages.render(
        request,
        "quarantine/accept.html",
        asked=asked,
        counted=counted,
        total=sum(one.findings for one in counted),
        labels=fields.LABELS,
    )


@router.post("/accept")
def accept_many(
    request: Request,
    caller: Steward,
    wh: Stores,
    asked: Wanted,
    expected: Annotated[int, Form(ge=1)],
    reason: Said = "",
) -> Response:
    """Accept every open finding of a filter, if they are as many as was said."""
    act, count = mending.accept_all(wh, asked.filter, caller.login, expected, reason)
    return pages.redirect(
        request,
        "/quarantine",
        N_("Accepted: %(count)s findings."),
        values={"count": count},
        undo=f"/quarantine/repairs?act={act}",
    )


@router.post("/repairs/{repair_id}/undo")
def undo(request: Request, caller: Steward, wh: Stores, repair_id: str) -> Response:
    """Take a repair or a whole act back."""
    count = mending.take_back(wh, repair_id, caller.login)
    return pages.redirect(
        request,
        "/quarantine/repairs",
        N_("Taken back: %(count)s; the source's own values count again after the next sync."),
        values={"count": count},
    )


@router.get("/{quarantine_id}")
def show(
    request: Request, caller: Viewer, wh: Stores, asked: Wanted, quarantine_id: str
) -> Response:
    """A finding with its record."""
    one = findings.get(wh, quarantine_id)
    audit.note(wh, caller.login, "view_finding", "finding", quarantine_id)
    return _page(request, wh, asked, one, may_see_all=caller.may("steward"))


def _page(
    request: Request,
    wh: Warehouse,
    asked: Asked,
    one: Finding,
    *,
    may_see_all: bool,
    entered: str | None = None,
    wrong: str = "",
) -> Response:
    before, after = findings.neighbors(wh, asked.filter, one)
    record = records.find(request.app.state.settings, one.source, one.source_key)
    cells = records.cells(record)
    accepted = None
    if may_see_all and one.state == "open" and one.severity == "error":
        accepted = records.attempt(wh, record, one, "accept")
    others = findings.of_record(wh, one.record_id)
    return pages.render(
        request,
        "quarantine/finding.html",
        422 if wrong else 200,
        one=one,
        asked=asked,
        before=before,
        after=after,
        cells=words.cells_seen(cells, may_see_all),
        at_fault=words.at_fault(cells, one),
        value=words.value_seen(one, may_see_all),
        entered=(one.raw_value or "") if entered is None else entered,
        wrong=wrong,
        others=[other for other in others if other.quarantine_id != one.quarantine_id],
        history=repairs.listed(wh, quarantine_id=one.quarantine_id),
        accepted=accepted,
        may_decide=may_see_all,
        longest=repairs.LONGEST,
        words=words,
        labels=fields.LABELS,
    )


@router.post("/{quarantine_id}/check")
def check(
    request: Request, caller: Steward, wh: Stores, quarantine_id: str, value: Value = ""
) -> Response:
    """Part of a page: whether a value would pass, and what it would become."""
    one = findings.get(wh, quarantine_id)
    return pages.render(
        request,
        "quarantine/check.html",
        one=one,
        tried=mending.tried(request, wh, one, value),
        same=mending.same(one, value),
        words=words,
    )


@router.post("/{quarantine_id}/repair")
def mend(
    request: Request,
    caller: Steward,
    wh: Stores,
    asked: Wanted,
    quarantine_id: str,
    value: Value = "",
    reason: Said = "",
) -> Response:
    """Use another value in place of the source's, and lead to the next finding."""
    one = findings.get(wh, quarantine_id)
    try:
        mending.mend(request, wh, one, caller.login, value, reason)
    except Refused as refused:
        if refused.status != 422:
            raise
        wrong = pages.say(request, refused.text, **refused.values)
        return _page(request, wh, asked, one, may_see_all=True, entered=value, wrong=wrong)
    return _on(request, wh, asked, one, N_("Mended; used from the next sync on."))


@router.post("/{quarantine_id}/accept")
def accept(
    request: Request,
    caller: Steward,
    wh: Stores,
    asked: Wanted,
    quarantine_id: str,
    reason: Said = "",
) -> Response:
    """Accept a finding, and lead to the next one."""
    one = findings.get(wh, quarantine_id)
    mending.accept(request, wh, one, caller.login, reason)
    return _on(request, wh, asked, one, N_("Accepted; used from the next sync on."))


def _on(request: Request, wh: Warehouse, asked: Asked, one: Finding, text: str) -> Response:
    _, after = findings.neighbors(wh, asked.filter, one)
    to = f"/quarantine/{after}{asked.query()}" if after else f"/quarantine{asked.query()}"
    undo = f"/quarantine/{one.quarantine_id}{asked.query()}"
    return pages.redirect(request, to, text, undo=undo)

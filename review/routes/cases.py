"""The queue, a case, and what a steward says of it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from dedupe import survivorship
from onefold.errors import CaseTaken, NotThere
from review import deciding, pages
from review.errors import NotFound
from review.language import N_
from review.pages import Policy, Stores
from review.presenters import compared, evidence, fields, golden, masking, pinning, queue
from review.presenters.queue import Asked
from review.routes.forms import form_fields, grouped
from review.security.roles import Steward, Viewer
from warehouse import (
    accounts,
    audit,
    batches,
    case_states,
    cases,
    customers,
    overrides,
    staged_records,
    taken_in,
)
from warehouse.engine import Warehouse

router = APIRouter(prefix="/cases", include_in_schema=False)

PAGE = 50

Text = Annotated[str, Query(max_length=200)]
Said = Annotated[str, Form(max_length=4000)]


def _asked(
    kind: Text = "",
    type: Text = "",
    source: Text = "",
    reason: Text = "",
    band: Text = "",
    state: Text = "",
    assignee: Text = "",
    days: Text = "",
    batch: Text = "",
) -> Asked:
    return queue.asked(kind, type, source, reason, band, state, assignee, days, batch)


Wanted = Annotated[Asked, Depends(_asked)]


@router.get("")
def show_queue(
    request: Request, caller: Viewer, wh: Stores, asked: Wanted, after: Text = ""
) -> Response:
    """A page of the queue."""
    found = cases.queue(wh, asked.filter, queue.place_of(after), PAGE, caller.login)
    return pages.render(
        request,
        "cases/queue.html",
        found=found,
        asked=asked,
        bands=cases.bands(wh, asked.filter, caller.login),
        counts=cases.counts(wh),
        choices=queue.choices(
            asked, staged_records.source_names(wh), _people(wh), language=pages.language_of(request)
        ),
        next=asked.query(after=queue.place_text(found.after)) if found.after else "",
        first=bool(after),
        may_see_all=caller.may("steward"),
        words=queue,
        masked=masking.masked,
        type_names=fields.VALUES,
    )


def _people(wh: Warehouse) -> list[str]:
    return [one.login for one in accounts.everybody(wh) if one.is_active]


@router.get("/next")
def next_case(request: Request, caller: Viewer, wh: Stores, asked: Wanted) -> Response:
    """Lead to the first case of a filter."""
    if asked.batch:
        return pages.redirect(request, f"/batches/{asked.batch}")
    found = cases.queue(wh, asked.filter, limit=1, login=caller.login).rows
    if not found:
        return pages.redirect(request, f"/cases{asked.query()}", N_("That was the last one."))
    return pages.redirect(request, f"/cases/{found[0].case_id}{asked.query()}")


@router.get("/{case_id}")
def show(request: Request, caller: Viewer, wh: Stores, asked: Wanted, case_id: str) -> Response:
    """A case."""
    case = cases.get(wh, case_id)
    audit.note(wh, caller.login, "view_case", "case", case_id)
    return _page(request, caller, wh, asked, case)


def _page(
    request: Request, caller: Any, wh: Warehouse, asked: Asked, case: cases.Case, **more: Any
) -> Response:
    may_see_all = caller.may("steward")
    sample = batches.get(wh, asked.batch) if asked.batch else None
    before, after = _neighbors(wh, asked, case.row, caller.login)
    brief = customers.brief(wh, case.row.golden_ids)
    policy = survivorship.load_policy(request.app.state.settings.sections.get("survivorship"))
    moved = pinning.moved(case.evidence) if case.row.kind == "override" and case.evidence else None
    sides, facts = {}, None
    if case.evidence and moved is None:
        sides = evidence.parts(case.evidence)
        facts = evidence.of(case.evidence, pages.language_of(request))
    return pages.render(
        request,
        "cases/case.html",
        case=case,
        row=case.row,
        unpublished=taken_in.unpublished(
            wh, [one["record_id"] for one in case.members], case.row.golden_ids
        ),
        asked=asked,
        sample=sample,
        before=before,
        after=after,
        brief=brief,
        compared=compared.compare(
            case.members,
            case.row.golden_ids,
            customers.synced_at(wh, case.row.sources),
            may_see_all=may_see_all,
            sides=sides,
        ),
        preview=golden.preview(
            case.members, policy, brief.get(case.row.golden_ids[0]), may_see_all=may_see_all
        ),
        facts=facts if may_see_all else None,
        sides=sides,
        moved=moved,
        pins=pinning.pins(customers.pinned(wh, case.row.golden_ids[0]), may_see_all=may_see_all),
        controls=pinning.CONTROLS,
        seen=lambda field, value: masking.seen(field, value, may_see_all),
        people=_people(wh),
        may_decide=caller.may("steward"),
        may_see_all=may_see_all,
        words=queue,
        masked=masking.masked,
        type_names=fields.VALUES,
        **more,
    )


def _neighbors(
    wh: Warehouse, asked: Asked, row: cases.Row, login: str
) -> tuple[str | None, str | None]:
    """The cases before and after one: of the filter, or of the batch's sample."""
    if asked.batch is None:
        return cases.neighbors(wh, asked.filter, row.place, login)
    found = batches.get(wh, asked.batch)
    return batches.around(found, row.case_id)


def _asked_about(wh: Warehouse, case_id: str) -> cases.Row:
    """The case that somebody answers.

    Raises:
        CaseTaken: a run settled it after it was shown.
    """
    try:
        return cases.row(wh, case_id)
    except NotThere as gone:
        raise CaseTaken(case_id, "settled", None, None) from gone


def _onward(asked: Asked, after: str | None) -> str:
    """Where to go from a case: to the next one, else back to the batch or the queue."""
    if after:
        return f"/cases/{after}{asked.query()}"
    return f"/batches/{asked.batch}" if asked.batch else f"/cases{asked.query()}"


@router.post("/{case_id}/judge")
def judge(
    request: Request,
    caller: Steward,
    wh: Stores,
    policy: Policy,
    asked: Wanted,
    case_id: str,
    form: Annotated[dict[str, str], Depends(form_fields)],
) -> Response:
    """Decide a case, and lead to the next one of the filter.

    Form: kind (link, no_link, groups), version, reason, and for groups one field
    ``group:RECORD_ID`` per record with the number of its customer.
    """
    kind = form.get("kind", "")
    if kind not in ("link", "no_link", "groups"):
        raise NotFound(N_("There is no such answer."))
    row = _asked_about(wh, case_id)
    _, after = _neighbors(wh, asked, row, caller.login)
    done = deciding.judge(
        wh,
        policy,
        row,
        kind,  # type: ignore[arg-type]  # checked above
        caller.login,
        _version(form),
        grouped(form),
        form.get("reason", ""),
    )
    text = {
        "link": N_("One customer: %(title)s."),
        "no_link": N_("Different customers: %(title)s."),
        "groups": N_("Grouped: %(title)s."),
    }[kind]
    if done.state == "waiting":
        text = N_("Noted: %(title)s. A second person must approve it.")
    return pages.redirect(
        request,
        _onward(asked, after),
        text,
        values={"title": row.title},
        undo=f"/judgements/{done.judgement_id}",
    )


@router.post("/{case_id}/pinned")
def pinned(
    request: Request,
    caller: Steward,
    wh: Stores,
    policy: Policy,
    asked: Wanted,
    case_id: str,
    kind: Annotated[Literal["keep", "drop"], Form()],
    reason: Annotated[str, Form(max_length=2000)] = "",
    version: Annotated[int, Form()] = 0,
) -> Response:
    """Keep a pinned value for what its records say now, or let the rules choose again."""
    _asked_about(wh, case_id)
    case = cases.get(wh, case_id)
    if case.row.kind != "override" or case.evidence is None:
        raise NotFound(N_("There is no such answer."))
    _, after = _neighbors(wh, asked, case.row, caller.login)
    told, undo = case.evidence, ""
    text = N_("Kept: %(title)s.") if kind == "keep" else N_("Unpinned: %(title)s.")
    if kind == "keep":
        done = overrides.override(
            wh,
            told["golden_id"],
            told["field"],
            told["value"],
            caller.login,
            reason=reason.strip() or pages.say(request, N_("still right")),
            replaces=told["decision_id"],
            case_id=case_id,
            version=version,
            terms=policy.terms,
        )
        if done.state == "waiting":
            text = N_("Noted: %(title)s. A second person must approve it.")
        undo = f"/judgements/{done.judgement_id}"
    else:
        said = reason.strip() or pages.say(request, N_("no longer right"))
        overrides.withdraw(
            wh, told["decision_id"], caller.login, reason=said, case_id=case_id, version=version
        )
    return pages.redirect(
        request, _onward(asked, after), text, values={"title": case.row.title}, undo=undo
    )


def _version(form: dict[str, str]) -> int:
    text = form.get("version", "0")
    return int(text) if text.isdecimal() else -1


@router.post("/{case_id}/mark")
def mark(
    request: Request,
    caller: Steward,
    wh: Stores,
    asked: Wanted,
    case_id: str,
    state: Annotated[str, Form(max_length=20)],
    version: Annotated[int, Form()] = 0,
) -> Response:
    """Skip a case, say that one is not sure, or open it again; leads to the next one."""
    if state not in ("open", "skipped", "unsure"):
        raise NotFound(N_("There is no such answer."))
    row = _asked_about(wh, case_id)
    _, after = _neighbors(wh, asked, row, caller.login)
    case_states.mark(wh, case_id, state, caller.login, version)  # type: ignore[arg-type]
    if state == "open":
        return pages.redirect(request, f"/cases/{case_id}{asked.query()}")
    to = _onward(asked, after)
    text = N_("Skipped: %(title)s.") if state == "skipped" else N_("Not sure: %(title)s.")
    return pages.redirect(request, to, text, values={"title": row.title})


@router.post("/{case_id}/assign")
def assign(
    request: Request,
    caller: Steward,
    wh: Stores,
    asked: Wanted,
    case_id: str,
    assignee: Annotated[str, Form(max_length=200)] = "",
    version: Annotated[int, Form()] = 0,
) -> Response:
    """Say who should look at a case; nobody if empty."""
    deciding.assign(wh, case_id, assignee or None, caller.login, version)
    return pages.redirect(request, f"/cases/{case_id}{asked.query()}", N_("Assigned."))


@router.post("/{case_id}/comment")
def comment(
    request: Request, caller: Steward, wh: Stores, asked: Wanted, case_id: str, said: Said = ""
) -> Response:
    """Say something about a case."""
    deciding.comment(wh, case_id, said, caller.login)
    return pages.redirect(
        request, f"/cases/{case_id}{asked.query()}#comments", N_("Comment added.")
    )

"""A judgement: what it said, what taking it back would do, and the second person's answer."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from review import deciding, pages
from review.language import N_
from review.pages import Stores
from review.security.roles import Steward, Viewer
from warehouse import audit, judgements

router = APIRouter(prefix="/judgements", include_in_schema=False)


@router.get("")
def waiting(request: Request, caller: Viewer, wh: Stores) -> Response:
    """Judgements that wait for a second person, and the latest ones."""
    return pages.render(
        request,
        "judgements/list.html",
        waiting=judgements.listed(wh, state="waiting"),
        latest=judgements.listed(wh, limit=50),
        may_decide=caller.may("steward"),
        kinds=KINDS,
        states=STATES,
    )


@router.get("/last")
def last(request: Request, caller: Steward, wh: Stores) -> Response:
    """Lead to the caller's latest judgement that can be taken back."""
    found = judgements.last_of(wh, caller.login)
    if found is None:
        return pages.redirect(request, "/judgements", N_("You decided nothing yet."), kind="info")
    return pages.redirect(request, f"/judgements/{found}")


@router.get("/{judgement_id}")
def show(request: Request, caller: Viewer, wh: Stores, judgement_id: str) -> Response:
    """A judgement, and what taking it back would do."""
    found = judgements.get(wh, judgement_id)
    audit.note(wh, caller.login, "view_judgement", "judgement", judgement_id)
    return pages.render(
        request,
        "judgements/judgement.html",
        one=found,
        own=found["judged_by"] == caller.login,
        may_decide=caller.may("steward"),
        kinds=KINDS,
        states=STATES,
    )


@router.post("/{judgement_id}/undo")
def undo(
    request: Request,
    caller: Steward,
    wh: Stores,
    judgement_id: str,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Take a judgement back."""
    found = judgements.get(wh, judgement_id)
    deciding.undo(request, wh, judgement_id, caller.login, reason)
    to = f"/cases/{found['case_id']}" if found["case_is_live"] else f"/judgements/{judgement_id}"
    return pages.redirect(request, to, N_("Undone."))


@router.post("/{judgement_id}/approve")
def approve(request: Request, caller: Steward, wh: Stores, judgement_id: str) -> Response:
    """Say yes as the second person."""
    judgements.approve(wh, judgement_id, caller.login)
    return pages.redirect(request, "/judgements", N_("Approved."))


@router.post("/{judgement_id}/refuse")
def refuse(request: Request, caller: Steward, wh: Stores, judgement_id: str) -> Response:
    """Say no as the second person; the case is open again."""
    judgements.refuse(wh, judgement_id, caller.login)
    return pages.redirect(request, "/judgements", N_("Refused; the case is open again."))


KINDS = {
    "link": N_("one customer"),
    "no_link": N_("different customers"),
    "groups": N_("grouped"),
    "override": N_("a value set"),
    "unmerge": N_("split"),
}
STATES = {
    "in_force": N_("in force"),
    "waiting": N_("waits for a second person"),
    "refused": N_("refused"),
    "undone": N_("undone"),
}

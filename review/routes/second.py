"""The second look: a share of judgements, judged again by somebody who does not see the first."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from dedupe import survivorship
from review import pages
from review.language import N_
from review.pages import Stores
from review.presenters import compared, golden
from review.routes.forms import form_fields, grouped
from review.routes.judgements import KINDS, STATES
from review.security.roles import Steward, Viewer
from warehouse import audit, customers, second_reviews
from warehouse.engine import Warehouse

router = APIRouter(prefix="/second", include_in_schema=False)


@router.get("")
def overview(request: Request, caller: Viewer, wh: Stores) -> Response:
    """How many wait, how often two people agree, and where they did not."""
    may_decide = caller.may("steward")
    return pages.render(
        request,
        "second/overview.html",
        waiting=second_reviews.waiting(wh, caller.login) if may_decide else 0,
        found=second_reviews.agreement(wh),
        differing=second_reviews.differing(wh) if may_decide else [],
        may_decide=may_decide,
        kinds=KINDS,
        states=STATES,
    )


@router.get("/next")
def next_one(request: Request, caller: Steward, wh: Stores, after: str = "") -> Response:
    """Lead to the next one that waits for the caller."""
    return pages.redirect(request, _next(wh, caller.login, after))


def _next(wh: Warehouse, login: str, after: str = "") -> str:
    """The page of the first one after another that can still be judged, else the overview."""
    found = second_reviews.queue(wh, login)
    ids = [one.judgement_id for one in found]
    at = ids.index(after) + 1 if after in ids else 0
    for one in [*found[at:], *found[:at]]:
        if one.judgement_id != after and _is_whole(wh, one):
            return f"/second/{one.judgement_id}"
    return "/second"


def _is_whole(wh: Warehouse, one: second_reviews.Waiting) -> bool:
    """Whether all records that the first person saw are still there."""
    return len(one.members(wh)) == sum(map(len, one.customers.values()))


@router.get("/{judgement_id}")
def show(request: Request, caller: Steward, wh: Stores, judgement_id: str) -> Response:
    """The records as the first person grouped them before deciding, and nothing of the answer."""
    one = second_reviews.get(wh, judgement_id, caller.login)
    if not _is_whole(wh, one):
        text = N_("Records of it are gone from their sources: it cannot be judged any more.")
        return pages.redirect(request, "/second", text, kind="info")
    audit.note(wh, caller.login, "view_case", "case", one.case_id)
    number = {golden_id: str(at) for at, golden_id in enumerate(one.customers, 1)}
    members = [{**row, "golden_id": number[row["golden_id"]]} for row in one.members(wh)]
    rules = survivorship.load_policy(request.app.state.settings.sections.get("survivorship"))
    return pages.render(
        request,
        "second/case.html",
        judgement_id=judgement_id,
        title=next((row["name"] for row in members if row["name"]), one.case_id),
        record_count=len(members),
        customer_count=len(number),
        waiting=second_reviews.waiting(wh, caller.login),
        compared=compared.compare(
            members,
            list(number.values()),
            customers.synced_at(wh, {row["source"] for row in members}),
            may_see_all=True,
        ),
        preview=golden.preview(members, rules, None, may_see_all=True),
    )


@router.post("/{judgement_id}")
def answer(
    request: Request,
    caller: Steward,
    wh: Stores,
    judgement_id: str,
    kind: Annotated[Literal["link", "no_link", "groups"], Form()],
    form: Annotated[dict[str, str], Depends(form_fields)],
) -> Response:
    """Note the second answer, and lead to the next one."""
    groups: Any = grouped(form) if kind == "groups" else None
    second_reviews.answer(wh, judgement_id, kind, caller.login, groups)
    text = N_("Noted. It changes no decision.")
    return pages.redirect(request, _next(wh, caller.login), text)

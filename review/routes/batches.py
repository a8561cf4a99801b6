"""Batches: one answer for many cases of a filter, once a sample of them was judged by hand."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from review import pages
from review.language import N_
from review.pages import Policy, Stores
from review.presenters import masking, queue
from review.routes import judgements
from review.routes.cases import Wanted
from review.security.roles import Steward, Viewer
from warehouse import batches, cases
from warehouse.batches import Batch
from warehouse.engine import Warehouse
from warehouse.judgements import Terms

router = APIRouter(prefix="/batches", include_in_schema=False)

SIZES = (5, 10, 20, 50, 100, 200)
"""How large a sample may be asked for."""
USUAL = 20
DOUBTFUL = 0.9
"""Below this share a batch warns: more than one answer of ten may be wrong."""
SHOWN = 20
KINDS = {"link": N_("one customer"), "no_link": N_("different customers")}
STATES = {
    "sampling": N_("sample is judged"),
    "applied": N_("applied"),
    "undone": N_("undone"),
    "dropped": N_("dropped"),
}
TONES = {"sampling": "warn", "applied": "good"}

Size = Annotated[int, Form(ge=1, le=max(SIZES))]
Reason = Annotated[str, Form(max_length=2000)]


@router.get("")
def every(request: Request, caller: Viewer, wh: Stores) -> Response:
    """All batches, newest first."""
    return pages.render(
        request,
        "batches/list.html",
        found=batches.recent(wh),
        may_decide=caller.may("steward"),
        **_words(request),
    )


def _words(request: Request) -> dict[str, Any]:
    language = pages.language_of(request)
    return {
        "kinds": KINDS,
        "states": STATES,
        "tones": TONES,
        "said": lambda wanted: queue.said(wanted, language),
    }


@router.get("/new")
def new(request: Request, caller: Steward, wh: Stores, asked: Wanted) -> Response:
    """What would be judged alike, and how large the sample shall be."""
    counts = {kind: batches.count(wh, asked.filter, kind, caller.login) for kind in KINDS}
    most = max(counts.values())
    sizes = [one for one in SIZES if one < most] or [most]
    return pages.render(
        request,
        "batches/new.html",
        asked=asked,
        counts=counts,
        sizes=[(one, batches.wilson(one, one)[0]) for one in sizes],
        usual=max(one for one in sizes if one <= USUAL),
        **_words(request),
    )


@router.post("/new")
def start(
    request: Request,
    caller: Steward,
    wh: Stores,
    asked: Wanted,
    kind: Annotated[Literal["link", "no_link"], Form()],
    size: Size = USUAL,
) -> Response:
    """Fix the cases and draw the sample; leads to its first case."""
    made = batches.start(wh, asked.filter, kind, size, caller.login)
    return pages.redirect(
        request,
        f"/cases/{made.to_judge[0]}?batch={made.batch_id}",
        N_("The sample is drawn. Judge each of its cases as you see it."),
        kind="info",
    )


@router.get("/{batch_id}")
def show(request: Request, caller: Viewer, wh: Stores, policy: Policy, batch_id: str) -> Response:
    """A batch: its sample, how often its answer was right, and what became of it."""
    return _page(request, caller, wh, policy.terms, batches.get(wh, batch_id))


def _page(
    request: Request, caller: Any, wh: Warehouse, terms: Terms, one: Batch, **more: Any
) -> Response:
    judged = one.state == "sampling" and one.judged > 0 and not one.to_judge
    return pages.render(
        request,
        "batches/batch.html",
        one=one,
        effect=batches.effect(wh, one, terms) if judged else None,
        left_open=batches.left_open(wh, one.batch_id) if one.state == "applied" else (),
        outcome=batches.outcome(wh, one.batch_id),
        titles=cases.titles(wh, one.sample),
        masked=masking.masked,
        judged_as=judgements.KINDS,
        doubtful=one.judged > 0 and one.low < DOUBTFUL,
        shown=SHOWN,
        may_decide=caller.may("steward"),
        **_words(request),
        **more,
    )


@router.post("/{batch_id}/apply")
def apply(
    request: Request,
    caller: Steward,
    wh: Stores,
    policy: Policy,
    batch_id: str,
    sure: Annotated[str, Form(max_length=1)] = "",
) -> Response:
    """Give the answer to all cases: first what would change, then for good (``sure``)."""
    if not sure:
        standing = batches.get(wh, batch_id)
        batches.require_judged(standing)
        return pages.render(
            request,
            "batches/apply.html",
            one=standing,
            effect=batches.effect(wh, standing, policy.terms),
            doubtful=standing.low < DOUBTFUL,
            **_words(request),
        )
    done = batches.apply(wh, batch_id, caller.login, policy.terms)
    text = N_("%(judged)s cases are decided.")
    if done.waiting:
        text = N_("%(judged)s cases are decided; %(waiting)s of them wait for a second person.")
    if done.refused:
        text = N_(
            "%(judged)s cases are decided; %(refused)s contradict earlier decisions and stay open."
        )
    values = {"judged": done.judged, "waiting": done.waiting, "refused": len(done.refused)}
    return pages.redirect(request, f"/batches/{batch_id}", text, values=values)


@router.post("/{batch_id}/undo")
def undo(
    request: Request, caller: Steward, wh: Stores, batch_id: str, reason: Reason = ""
) -> Response:
    """Undo all that the batch decided; what was judged by hand stays."""
    said = reason.strip() or pages.say(request, N_("undone"))
    many = batches.undo(wh, batch_id, caller.login, said)
    return pages.redirect(
        request,
        f"/batches/{batch_id}",
        N_("%(count)s decisions were undone; their cases are open again."),
        values={"count": many},
    )


@router.post("/{batch_id}/drop")
def drop(request: Request, caller: Steward, wh: Stores, batch_id: str) -> Response:
    """End a batch that is not to be applied."""
    batches.drop(wh, batch_id, caller.login)
    return pages.redirect(
        request, "/batches", N_("Dropped. What was judged by hand stays decided.")
    )

"""A judgement: what it said, what undoing it would do, and the second person's answer."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from review import deciding, pages
from review.language import N_
from review.pages import Policy, Stores
from review.presenters import compared, evidence, fields, masking, pinning
from review.security.roles import Steward, Viewer
from warehouse import audit, cases, customers, judgements, previews, staged_records
from warehouse.engine import Warehouse

router = APIRouter(prefix="/judgements", include_in_schema=False)


@router.get("")
def waiting(request: Request, caller: Viewer, wh: Stores) -> Response:
    """Judgements that wait for a second person, and the latest ones."""
    waiting, latest = judgements.listed(wh, state="waiting"), judgements.listed(wh, limit=50)
    of_cases = {one["case_id"] for one in [*waiting, *latest] if one["case_id"]}
    titles = {
        case_id: masking.seen("name", title, caller.may("steward"))
        for case_id, title in cases.titles(wh, sorted(of_cases)).items()
    }
    return pages.render(
        request,
        "judgements/list.html",
        waiting=waiting,
        latest=latest,
        titles=titles,
        kinds=KINDS,
        states=STATES,
    )


@router.get("/last")
def last(request: Request, caller: Steward, wh: Stores) -> Response:
    """Lead to the caller's latest judgement that can be undone."""
    found = judgements.last_of(wh, caller.login)
    if found is None:
        return pages.redirect(request, "/judgements", N_("You decided nothing yet."), kind="info")
    return pages.redirect(request, f"/judgements/{found}")


@router.get("/{judgement_id}")
def show(request: Request, caller: Viewer, wh: Stores, judgement_id: str) -> Response:
    """A judgement, and what undoing it would do."""
    found = judgements.get(wh, judgement_id)
    audit.note(wh, caller.login, "view_judgement", "judgement", judgement_id)
    may_see_all = caller.may("steward")
    in_force = found["state"] == "in_force" and found["kind"] != "override"
    pinned = found["pinned"]
    return pages.render(
        request,
        "judgements/judgement.html",
        one=found,
        own=found["judged_by"] == caller.login,
        may_decide=may_see_all,
        may_see_all=may_see_all,
        kinds=KINDS,
        states=STATES,
        preview=previews.of_undo(wh, judgement_id) if in_force else None,
        records=_records(wh, found["before"], may_see_all) if found["before"] else None,
        facts=_evidence(request, wh, found) if may_see_all else None,
        label=fields.LABELS.get(pinned["field"], pinned["field"]) if pinned else "",
        value=_lines(pinned, pinned, may_see_all),
        put_back=_lines(pinned, found["puts_back"], may_see_all),
    )


def _lines(
    pinned: dict[str, Any] | None, said: dict[str, Any] | None, may_see_all: bool
) -> list[str]:
    """A value of the pinned field as lines, as somebody may see it."""
    if pinned is None or said is None:
        return []
    field = pinned["field"]
    found: list[str] = masking.seen(field, pinning.told(field, said["value"]), may_see_all)
    return found


def _records(wh: Warehouse, before: dict[str, list[str]], may_see_all: bool) -> compared.Compared:
    """The records that were judged, side by side, as they were grouped before."""
    at = {record: golden_id for golden_id, ids in before.items() for record in ids}
    rows = [{"golden_id": at[one["record_id"]], **one} for one in _staged(wh, sorted(at))]
    synced = customers.synced_at(wh, {one["source"] for one in rows})
    return compared.compare(rows, list(before), synced, may_see_all=may_see_all)


def _staged(wh: Warehouse, record_ids: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = staged_records.read(wh, record_ids).to_pylist()
    return found


def _evidence(request: Request, wh: Warehouse, found: dict[str, Any]) -> evidence.Evidence | None:
    """What spoke for and against it, as long as its case is there."""
    if found["state"] != "waiting" or not found["case_is_live"]:
        return None
    facts = cases.get(wh, found["case_id"]).evidence
    return evidence.of(facts, pages.language_of(request)) if facts else None


@router.post("/{judgement_id}/undo")
def undo(
    request: Request,
    caller: Steward,
    wh: Stores,
    judgement_id: str,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Undo a judgement."""
    found = judgements.get(wh, judgement_id)
    deciding.undo(request, wh, judgement_id, caller.login, reason)
    to = f"/cases/{found['case_id']}" if found["case_is_live"] else f"/judgements/{judgement_id}"
    return pages.redirect(request, to, N_("Undone."))


@router.post("/{judgement_id}/approve")
def approve(
    request: Request, caller: Steward, wh: Stores, policy: Policy, judgement_id: str
) -> Response:
    """Say yes as the second person."""
    judgements.approve(wh, judgement_id, caller.login, policy.terms)
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

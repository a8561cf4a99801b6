"""Golden customers: searching, one with all that is known of it, parting it, setting a value."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from dedupe import survivorship
from review import pages
from review.language import N_
from review.pages import Policy, Stores
from review.presenters import compared, fields, golden, masking, pinning, quarantine, timeline
from review.routes.forms import form_fields, grouped
from review.security.roles import Steward, Viewer
from warehouse import audit, cases, customers, judgements, overrides, previews, search, taken_in
from warehouse.customers import Ended
from warehouse.engine import Warehouse

router = APIRouter(prefix="/customers", include_in_schema=False)

LIMIT = 50
FOUND_BY = {
    "golden_id": N_("by its id"),
    "name": N_("by name"),
    "reading": N_("by pinyin"),
    "phone": N_("by phone"),
    "email": N_("by e-mail"),
    "identifier": N_("by number"),
    "source_key": N_("by a source's key"),
}


@router.get("")
def find(
    request: Request, caller: Viewer, wh: Stores, q: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Customers by name, pinyin, phone, e-mail, number, source key or id."""
    found = search.find(wh, q, LIMIT + 1) if q.strip() else []
    if len(found) == 1 and found[0].kind == "golden_id":
        return pages.redirect(request, f"/customers/{found[0].retired_id or found[0].golden_id}")
    if not found and (gone := search.ended(wh, q)):
        return pages.redirect(request, f"/customers/{gone}")
    if q.strip():
        audit.note(wh, caller.login, "search_customers", detail={"found": len(found)})
    return pages.render(
        request,
        "customers/search.html",
        q=q,
        found=found[:LIMIT],
        more=len(found) > LIMIT,
        brief=customers.brief(wh, [one.golden_id for one in found[:LIMIT]]),
        found_by=FOUND_BY,
        by_whole=[fields.LABELS[name] for name in search.by_whole(wh)],
        seen=lambda field, value: masking.seen(field, value, caller.may("steward")),
        type_names=fields.VALUES,
    )


@router.get("/{golden_id}")
def show(request: Request, caller: Viewer, wh: Stores, golden_id: str) -> Response:
    """A customer; an id that was retired leads to its successor."""
    found = customers.get(wh, golden_id)
    audit.note(wh, caller.login, "view_customer", "customer", found.golden_id)
    if isinstance(found, customers.Customer) and found.asked_id is not None:
        return pages.redirect(
            request,
            f"/customers/{found.golden_id}",
            N_("%(old)s was merged into this customer."),
            kind="info",
            values={"old": found.asked_id},
        )
    return _page(request, caller, wh, found)


def _page(
    request: Request, caller: Any, wh: Warehouse, found: customers.Customer | Ended
) -> Response:
    may_see_all = caller.may("steward")
    if isinstance(found, Ended):
        return pages.render(
            request,
            "customers/ended.html",
            one=found,
            events=timeline.told(found.timeline, may_see_all=may_see_all),
        )
    records = [{**one, "golden_id": found.golden_id} for one in found.records]
    origins = {
        field: [(f"{one.source}:{one.source_key}", one.rule) for one in trail]
        for field, trail in found.origins.items()
    }
    pinned = pinning.pins(found.decisions, may_see_all=may_see_all)
    policy = survivorship.load_policy(request.app.state.settings.sections.get("survivorship"))
    told = golden.reasons(found, policy, pages.language_of(request), may_see_all=may_see_all)
    values = golden.chosen(found.values, origins, told=told, may_see_all=may_see_all)
    shown = {one.field for one in values}
    return pages.render(
        request,
        "customers/customer.html",
        one=found,
        unpublished=taken_in.unpublished(
            wh, [one["record_id"] for one in records], [found.golden_id]
        ),
        title=masking.seen("name", found.values["name"], may_see_all) or found.golden_id,
        values=values,
        compared=compared.compare(
            records, [found.golden_id], dict(found.synced_at), may_see_all=may_see_all
        ),
        events=timeline.told(found.timeline, may_see_all=may_see_all),
        may_decide=may_see_all,
        may_see_all=may_see_all,
        masked=masking.masked,
        labels=fields.LABELS,
        pins=pinned,
        controls=pinning.CONTROLS,
        unset=[one for one in fields.EDITABLE if one not in shown and one not in pinned],
        type_names=fields.VALUES,
        reason=quarantine.reason,
    )


@router.post("/{golden_id}/unmerge")
def unmerge(
    request: Request,
    caller: Steward,
    wh: Stores,
    policy: Policy,
    golden_id: str,
    form: Annotated[dict[str, str], Depends(form_fields)],
) -> Response:
    """Part a customer into groups of its records: first what would change, then for good.

    Form: ``group:RECORD_ID`` with the number of the group, reason, and ``sure`` once the
    effect was shown.
    """
    groups = grouped(form)
    if not form.get("sure"):
        return _shown_first(request, wh, golden_id, groups, form.get("reason", ""))
    done = judgements.unmerge(
        wh,
        golden_id,
        groups,
        caller.login,
        reason=form.get("reason", ""),
        terms=policy.terms,
    )
    text = N_("Split; the golden table follows within a minute.")
    if done.state == "waiting":
        text = N_("Noted. A second person must approve it.")
    return pages.redirect(
        request, f"/customers/{golden_id}", text, undo=f"/judgements/{done.judgement_id}"
    )


def _shown_first(
    request: Request, wh: Warehouse, golden_id: str, groups: list[list[str]], reason: str
) -> Response:
    return pages.render(
        request,
        "customers/unmerge.html",
        golden_id=golden_id,
        groups=groups,
        reason=reason,
        preview=previews.of_unmerge(wh, golden_id, groups),
    )


Said = Annotated[str, Form(max_length=4000)]
Why = Annotated[str, Form(max_length=2000)]
Key = Annotated[str, Form(max_length=200)]


@router.post("/{golden_id}/set")
def set_value(
    request: Request,
    caller: Steward,
    wh: Stores,
    policy: Policy,
    golden_id: str,
    field: Key,
    reason: Why = "",
    value: Said = "",
    replaces: Key = "",
    case_id: Key = "",
) -> Response:
    """Pin a value; from a case's preview it holds for what the case's records say."""
    done = overrides.override(
        wh,
        golden_id,
        field,
        pinning.typed(field, value, request.app.state.settings.country),
        caller.login,
        reason=reason,
        replaces=replaces or None,
        seen=[one["record_id"] for one in cases.get(wh, case_id).members] if case_id else None,
        terms=policy.terms,
    )
    text = N_("Pinned: %(field)s. The golden table follows within a minute.")
    if done.state == "waiting":
        text = N_("Noted: %(field)s. A second person must approve it.")
    return pages.redirect(
        request,
        f"/cases/{case_id}" if case_id else f"/customers/{golden_id}",
        text,
        values={"field": pages.say(request, fields.LABELS[field])},
        undo=f"/judgements/{done.judgement_id}",
    )


@router.post("/{golden_id}/unset")
def unset_value(
    request: Request,
    caller: Steward,
    wh: Stores,
    golden_id: str,
    decision_id: Key,
    reason: Why = "",
    case_id: Key = "",
) -> Response:
    """Take a pinned value back: the rules choose again."""
    said = reason.strip() or pages.say(request, N_("unpinned"))
    overrides.withdraw(wh, decision_id, caller.login, reason=said)
    return pages.redirect(
        request,
        f"/cases/{case_id}" if case_id else f"/customers/{golden_id}",
        N_("Unpinned; the rules choose the value again within a minute."),
    )

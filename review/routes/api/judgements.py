"""Judgements: what was decided, undoing it, and the second person's answer."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from starlette.requests import Request

from review import deciding
from review.pages import Policy, Stores
from review.presenters.masking import words
from review.problems import documented
from review.routes.api.effects import Done, Effect
from review.routes.api.parts import After, Body, Key, Said, Shown, moment, part, place, token
from review.security.caller import Caller
from review.security.roles import Steward, Viewer
from warehouse import audit, judgements, previews

router = part("/judgements", "judgements")

State = Literal["in_force", "waiting", "refused", "undone"]


class Asked(Body):
    """Which judgements, and from where on."""

    state: State | None = None
    after: After = None
    limit: int = Field(50, ge=1, le=200)


class JudgementRow(Shown):
    """What somebody decided."""

    judgement_id: str = Field(examples=["J000001"])
    case_id: str | None = Field(description="Null where it began at a golden customer")
    kind: Literal["link", "no_link", "groups", "override", "unmerge"]
    state: State
    reason: str
    expected_cost: float | None
    judged_by: str
    judged_at: datetime
    approved_by: str | None = Field(description="The second person who said yes or no")
    approved_at: datetime | None
    undone_by: str | None
    undone_at: datetime | None
    batch_id: str | None


class JudgementInList(JudgementRow):
    """A judgement in a list."""

    record_count: int
    golden_ids: list[str] = Field(description="The customers that it was about")


class Judgements(Shown):
    """Some judgements, latest first."""

    judgements: list[JudgementInList]
    after: str | None = Field(description="For the next page; null on the last")


class Judgement(JudgementRow):
    """A judgement with what it said and what holds of it."""

    groups: list[list[str]] | None = Field(description="Record ids of each customer as judged")
    before: dict[str, list[str]] = Field(description="Golden customer → its records before")
    decision_count: int = Field(description="Its decisions in force")
    customers: list[str] = Field(description="Golden customers that hold its records now")
    case_is_live: bool


class Undo(Body):
    """Undoing a judgement."""

    reason: Said = ""


class Undone(Shown):
    """What was undone."""

    judgement_id: str
    decisions_revoked: int


class Refused(Shown):
    """The second person said no; the case is open again."""

    judgement_id: str
    state: Literal["refused"]


@router.get("")
def list_judgements(caller: Viewer, wh: Stores, asked: Annotated[Asked, Query()]) -> Judgements:
    """Judgements, latest first."""
    at = place(asked.after, str, str)
    found = judgements.listed(
        wh,
        state=asked.state,
        limit=asked.limit + 1,
        after=(moment(at[0]), at[1]) if at else None,
    )
    shown = [JudgementInList(**_told(one, caller)) for one in found[: asked.limit]]
    last = shown[-1] if len(found) > asked.limit else None
    return Judgements(
        judgements=shown,
        after=token(last.judged_at.isoformat(), last.judgement_id) if last else None,
    )


@router.get("/{judgement_id}", responses=documented(404))
def get_judgement(caller: Viewer, wh: Stores, judgement_id: Key) -> Judgement:
    """A judgement."""
    found = judgements.get(wh, judgement_id)
    audit.note(wh, caller.login, "view_judgement", "judgement", judgement_id)
    return Judgement(**_told(found, caller))


def _told(found: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """A judgement as the caller may see it."""
    return {**found, "reason": words(found["reason"], caller.may("steward"))}


@router.get("/{judgement_id}/undo", responses=documented(404))
def preview_undo(caller: Viewer, wh: Stores, judgement_id: Key) -> Effect:
    """What undoing a judgement would change, if matching groups the records as before."""
    return Effect.model_validate(previews.of_undo(wh, judgement_id))


@router.post("/{judgement_id}/undo", responses=documented(404, 409))
def undo_judgement(
    request: Request, caller: Steward, wh: Stores, judgement_id: Key, body: Undo
) -> Undone:
    """Undo a judgement: its decisions hold no longer, its case is open again."""
    revoked = deciding.undo(request, wh, judgement_id, caller.login, body.reason)
    return Undone(judgement_id=judgement_id, decisions_revoked=revoked)


@router.post("/{judgement_id}/approve", responses=documented(404, 409))
def approve_judgement(caller: Steward, wh: Stores, policy: Policy, judgement_id: Key) -> Done:
    """Say yes as the second person: it is in force then."""
    return Done.model_validate(judgements.approve(wh, judgement_id, caller.login, policy.terms))


@router.post("/{judgement_id}/refuse", responses=documented(404, 409))
def refuse_judgement(caller: Steward, wh: Stores, judgement_id: Key) -> Refused:
    """Say no as the second person: the case is open again."""
    judgements.refuse(wh, judgement_id, caller.login)
    return Refused(judgement_id=judgement_id, state="refused")

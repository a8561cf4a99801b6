"""Golden customers: searching, one with all that is known of it, parting it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field
from starlette.requests import Request

from review.pages import Policy, Stores
from review.presenters import plain, timeline
from review.presenters.masking import seen
from review.problems import documented
from review.routes.api.effects import Done, Effect
from review.routes.api.parts import (
    Body,
    Groups,
    Key,
    Language,
    Said,
    Shown,
    Word,
    language_of,
    part,
)
from review.routes.api.records import Record, Values
from review.security.roles import Steward, Viewer
from warehouse import audit, customers, judgements, previews, search

router = part("/customers", "customers")


class Wanted(Body):
    """What to look for."""

    q: Annotated[
        Word, Field(description="Name, pinyin, phone, e-mail, number, key of a source, or id")
    ]
    limit: int = Field(50, ge=1, le=50)


class Hit(Shown):
    """A customer that was found."""

    golden_id: str
    found_by: str = Field(
        description="golden_id, name, reading, phone, email, identifier or source_key"
    )
    exact: bool = Field(description="Whether the whole key was given")
    retired_id: str | None = Field(description="The id that was given, where it leads to this one")
    values: Values
    record_count: int
    sources: list[str]


class Hits(Shown):
    """Customers that fit, whole keys first."""

    customers: list[Hit]
    more: bool = Field(description="Whether there are more than the limit")


class Origin(Shown):
    """Where one value of a field came from."""

    item: int = Field(description="Place in a list from 0")
    source: str | None = Field(description="Null: set by a steward")
    source_key: str | None
    rule: str


class Relation(Shown):
    """A customer that belongs to this one."""

    kind: str
    basis: str | None
    golden_id: str
    name: str | None
    is_person: bool


class Finding(Shown):
    """An open finding in the quarantine."""

    quarantine_id: str
    record_id: str | None
    field: str | None
    rule: str
    severity: str
    reason: str


class Decision(Shown):
    """A decision in force."""

    decision_id: str
    kind: Literal["link", "no_link", "override"]
    left_id: str | None
    right_id: str | None
    field: str | None
    value: str | None = Field(description="Of an override; null for viewers where it is personal")
    decided_by: str
    decided_at: datetime
    reason: str
    judgement_id: str | None
    case_id: str | None


class Awaited(Shown):
    """What a steward said of a customer, before a second person approved it."""

    judgement_id: str
    kind: Literal["override", "unmerge"]
    field: str | None = Field(description="Of an override")
    judged_by: str
    judged_at: datetime


class Customer(Shown):
    """A golden customer."""

    state: Literal["live"] = "live"
    golden_id: str
    asked_id: str | None = Field(description="The id that was asked for, if it was retired since")
    values: Values
    origins: dict[str, list[Origin]]
    record_count: int
    source_count: int
    first_published_at: datetime
    published_at: datetime
    records: list[Record] = Field(description="Newest first")
    synced_at: dict[str, datetime]
    relations: list[Relation]
    case_ids: list[str]
    findings: list[Finding]
    decisions: list[Decision]
    waiting: list[Awaited] = Field(description="For a second person, oldest first")
    former_ids: list[str] = Field(description="Retired ids that lead here")


class EndedCustomer(Shown):
    """A customer that is no more: its records are gone from their sources, or it was erased."""

    state: Literal["ended", "erased"] = "ended"
    golden_id: str
    retired_at: datetime


class Change(Shown):
    """A field that changed between two versions."""

    field: str
    before: list[str]
    after: list[str]


class Event(Shown):
    """Something that happened to a customer or its ids."""

    at: datetime
    kind: str = Field(description="lineage, version, decision or revoked")
    says: str
    who: str | None = Field(description="Login of the steward; null: the program")
    why: str | None
    changes: list[Change]
    judgement_id: str | None


class History(Shown):
    """What became of a customer, latest first."""

    golden_id: str
    events: list[Event]


class Unmerge(Body):
    """Parting a customer."""

    groups: Groups
    reason: Annotated[Said, Field(min_length=1)]
    dry_run: bool = Field(False, description="Only say what would change")


@router.get("")
def search_customers(caller: Viewer, wh: Stores, wanted: Annotated[Wanted, Query()]) -> Hits:
    """Customers by name, pinyin, phone, e-mail, number, key of a source, or id."""
    found = search.find(wh, wanted.q, wanted.limit + 1) if wanted.q.strip() else []
    audit.note(wh, caller.login, "search_customers", detail={"found": len(found)})
    some = found[: wanted.limit]
    brief = customers.brief(wh, [one.golden_id for one in some])
    may_see_all = caller.may("steward")
    hits = [
        Hit(
            golden_id=one.golden_id,
            found_by=one.kind,
            exact=one.exact,
            retired_id=one.retired_id,
            values=plain.values(brief[one.golden_id], may_see_all),
            record_count=brief[one.golden_id]["record_count"],
            sources=brief[one.golden_id]["sources"],
        )
        for one in some
        if one.golden_id in brief
    ]
    return Hits(customers=hits, more=len(found) > wanted.limit)


@router.get("/{golden_id}", responses=documented(404))
def get_customer(caller: Viewer, wh: Stores, golden_id: Key) -> Customer | EndedCustomer:
    """A customer; a retired id gives its successor, with `asked_id`."""
    found = customers.get(wh, golden_id)
    audit.note(wh, caller.login, "view_customer", "customer", found.golden_id)
    if isinstance(found, customers.Ended):
        state: Literal["ended", "erased"] = "erased" if found.erased else "ended"
        return EndedCustomer(state=state, golden_id=found.golden_id, retired_at=found.retired_at)
    may_see_all = caller.may("steward")
    return Customer(
        **{
            **vars(found),
            "values": plain.values(found.values, may_see_all),
            "origins": {
                field: [Origin.model_validate(one) for one in trail]
                for field, trail in found.origins.items()
            },
            "records": [
                Record(**plain.record({**one, "golden_id": found.golden_id}, may_see_all))
                for one in found.records
            ],
            "relations": [
                {**one, "name": seen("name", one["name"], may_see_all)} for one in found.relations
            ],
            "decisions": [plain.decided(one, may_see_all) for one in found.decisions],
        }
    )


@router.get("/{golden_id}/history", responses=documented(404))
def get_history(
    request: Request, caller: Viewer, wh: Stores, golden_id: Key, language: Language = None
) -> History:
    """What became of a customer: versions, ids, decisions; latest first."""
    found = customers.get(wh, golden_id)
    audit.note(wh, caller.login, "view_customer", "customer", found.golden_id)
    told = timeline.told(found.timeline, may_see_all=caller.may("steward"))
    events = plain.events(told, language_of(request, language))
    return History(golden_id=found.golden_id, events=[Event(**one) for one in events])


@router.post("/{golden_id}/unmerge", responses=documented(404, 409))
def unmerge_customer(
    caller: Steward, wh: Stores, policy: Policy, golden_id: Key, body: Unmerge
) -> Done:
    """Part a customer into groups of its records; former ids come back with the next run."""
    if body.dry_run:
        effect = previews.of_unmerge(wh, golden_id, body.groups)
        return Done(state="not_done", effect=Effect.model_validate(effect))
    done = judgements.unmerge(
        wh,
        golden_id,
        body.groups,
        caller.login,
        reason=body.reason,
        terms=policy.terms,
    )
    return Done.model_validate(done)

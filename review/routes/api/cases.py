"""Cases: the queue, one with its records and evidence, and what a steward says of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from starlette.requests import Request

from dedupe import survivorship
from review import deciding
from review.pages import Policy, Stores
from review.presenters import evidence, golden, plain, queue
from review.presenters.masking import seen, words
from review.problems import documented
from review.routes.api.effects import Done, Effect
from review.routes.api.parts import (
    After,
    Body,
    Groups,
    Key,
    Language,
    Said,
    Shown,
    Version,
    Word,
    language_of,
    part,
    place,
    token,
)
from review.routes.api.records import Chosen, Record
from review.security.roles import Steward, Viewer
from warehouse import audit, case_states, cases, customers, previews
from warehouse.cases import Filter

router = part("/cases", "cases")

Kind = Literal["merge", "split", "override"]
State = Literal["open", "skipped", "unsure", "waiting", "decided"]


class Which(Body):
    """Which cases; what is not named does not matter."""

    kind: Kind | None = Field(None, description="merge: may be one customer; split: may be two")
    type: Literal["person", "organization"] | None = None
    source: Word | None = Field(None, description="Holds one of its records")
    reason: Word | None = Field(None, description="Why it is in doubt, as `reason` of a case")
    band: int | None = Field(None, ge=0, le=9, description="Tenth of the probability")
    low: float | None = Field(None, ge=0, le=1, description="Probability at least")
    high: float | None = Field(None, ge=0, le=1, description="Probability at most")
    state: list[State] = Field(["open"], max_length=5)
    assignee: Word | None = Field(None, description="A login, `me` or `nobody`")
    days: int | None = Field(None, ge=1, le=9999, description="There for so many days at least")

    def filter(self) -> Filter:
        """As the queue takes it."""
        age = timedelta(days=self.days) if self.days else None
        return Filter(
            kind=self.kind,
            customer_type=self.type,
            source=self.source,
            reason=self.reason,
            band=self.band,
            low=self.low,
            high=self.high,
            states=tuple(dict.fromkeys(self.state)) or cases.STATES,
            assignee=self.assignee,
            before=datetime.now(UTC) - age if age else None,
        )


class Asked(Which):
    """A page of the queue."""

    after: After = None
    limit: int = Field(50, ge=1, le=200)


class CaseRow(Shown):
    """A case: these customers may be one, or this one may be two."""

    case_id: str = Field(examples=["C2f1c…"])
    kind: Kind
    customer_type: str
    title: str = Field(description="Names in question; masked for viewers")
    golden_ids: list[str] = Field(description="Its golden customers, largest first")
    sources: list[str]
    record_count: int
    customer_count: int
    source_count: int
    probability: float | None = Field(description="That it is one customer, 0 to 1")
    band: int = Field(description="Tenth of the probability, 0 to 9")
    expected_cost: float = Field(description="Of a wrong answer: the queue's order")
    reason: str = Field(description="Why it is in doubt")
    reason_said: str = Field(description="The same as a sentence")
    strongest: str | None = Field(description="What speaks most for one customer")
    weakest: str | None = Field(description="What speaks most against")
    since: datetime
    state: State
    assignee: str | None
    version: int = Field(description="What a write must name")
    changed_by: str | None
    changed_at: datetime | None
    judgement_id: str | None = Field(description="The judgement that decided it, or waits")


class Cases(Shown):
    """A page of the queue, the most important first."""

    cases: list[CaseRow]
    after: str | None = Field(description="For the next page; null on the last")


class Band(Shown):
    """Cases of one tenth of the probability."""

    band: int
    cases: int
    expected: float | None = Field(description="The share that the model expects to be one")


class Step(Shown):
    """One weight of a pair."""

    kind: str = Field(description="prior, level, cap, rarity, veto, other, check or total")
    field: str
    says: str
    values: str
    bits: float = Field(description="Log2 odds; above 0 it speaks for one customer")


class Told(Shown):
    """A pair of records in words."""

    left_id: str
    right_id: str
    left_name: str
    right_name: str
    verdict: str
    reasons: list[str]
    steps: list[Step]
    probability: float
    not_compared: list[str]


class Loss(Shown):
    """What would become of a customer without a piece of its evidence."""

    without: str
    parts: list[list[str]] = Field(description="Record ids of each customer that would remain")


class Evidence(Shown):
    """What speaks for and against, in sentences."""

    verdict: str
    pairs: list[Told]
    losses: list[Loss]


class Pinned(Shown):
    """A value set by hand whose records say something else than when it was set."""

    decision_id: str
    golden_id: str
    field: str
    value: str | None = Field(description="As text; a list as JSON; null: empty on purpose")
    before: dict[str, str | None] = Field(description="Record → what it said then")
    now: dict[str, str | None]
    decided_by: str
    decided_at: datetime


class Comment(Shown):
    """What somebody said about a case."""

    comment_id: str
    said: str
    said_by: str
    said_at: datetime


class Judged(Shown):
    """A judgement of a case."""

    judgement_id: str
    kind: str
    state: str
    reason: str
    judged_by: str
    judged_at: datetime


class Case(CaseRow):
    """A case with all that is known of it."""

    records: list[Record]
    would_be: list[Chosen] = Field(description="The golden customer that all of them would be")
    evidence: Evidence | None = Field(
        description="Null for viewers, since it quotes values, and where there is none yet"
    )
    pinned: Pinned | None = Field(
        description="Of kind override: the value in question; null for viewers"
    )
    comments: list[Comment]
    judgements: list[Judged] = Field(description="Former and present ones, newest first")


class Judge(Body):
    """A steward's answer."""

    kind: Literal["link", "no_link", "groups"] = Field(
        description="link: one customer; no_link: its customers are different; groups: as grouped"
    )
    version: Version
    groups: Groups | None = Field(None, description="With kind groups: every record once")
    reason: Said = ""
    dry_run: bool = Field(False, description="Only say what would change")


class Mark(Body):
    """Skipped, not sure, or open again."""

    state: Literal["open", "skipped", "unsure"]
    version: Version


class Assign(Body):
    """Who should look at it."""

    assignee: Word | None = Field(description="A login; null: nobody")
    version: Version


class Say(Body):
    """A comment."""

    said: Annotated[Said, Field(min_length=1)]


class Changed(Shown):
    """A case was changed."""

    case_id: str
    version: int = Field(description="What the next write must name")


class Commented(Shown):
    """A comment was kept."""

    comment_id: str


def _row(one: cases.Row, language: str, may_see_all: bool) -> dict[str, Any]:
    return {
        **vars(one),
        "title": seen("name", one.title, may_see_all),
        "reason_said": queue.reason_words(one.reason, language),
    }


@router.get("")
def list_cases(
    request: Request,
    caller: Viewer,
    wh: Stores,
    asked: Annotated[Asked, Query()],
) -> Cases:
    """A page of the queue: the highest expected cost of a wrong answer first."""
    at = place(asked.after, float, str)
    found = cases.queue(wh, asked.filter(), at, asked.limit, caller.login)
    language = language_of(request, None)
    return Cases(
        cases=[CaseRow(**_row(one, language, caller.may("steward"))) for one in found.rows],
        after=token(*found.after) if found.after else None,
    )


@router.get("/{case_id}", responses=documented(404))
def get_case(
    request: Request, caller: Viewer, wh: Stores, case_id: Key, language: Language = None
) -> Case:
    """A case: its records, what speaks for and against, what it would become."""
    found = cases.get(wh, case_id)
    audit.note(wh, caller.login, "view_case", "case", case_id)
    spoken = language_of(request, language)
    may_see_all = caller.may("steward")
    policy = survivorship.load_policy(request.app.state.settings.sections.get("survivorship"))
    before = customers.brief(wh, found.row.golden_ids).get(found.row.golden_ids[0])
    facts = found.evidence if may_see_all else None
    overriding = found.row.kind == "override"
    would_be = golden.preview(found.members, policy, before, may_see_all=may_see_all)
    return Case(
        **_row(found.row, spoken, may_see_all),
        records=_records(found.members, may_see_all),
        would_be=[Chosen(**one) for one in plain.chosen(would_be, spoken)],
        evidence=_evidence(facts, spoken) if facts and not overriding else None,
        pinned=Pinned(**facts) if facts and overriding else None,
        comments=[
            Comment(**{**one, "said": words(one["said"], may_see_all)}) for one in found.comments
        ],
        judgements=[
            Judged(**{**one, "reason": words(one["reason"], may_see_all)})
            for one in found.judgements
        ],
    )


def _records(members: Sequence[dict[str, Any]], may_see_all: bool) -> list[Record]:
    return [Record(**plain.record(one, may_see_all)) for one in members]


def _evidence(facts: dict[str, Any], language: str) -> Evidence:
    found = evidence.of(facts, language)
    pairs = [
        Told(
            **{name: getattr(one, name) for name in Told.model_fields if name != "steps"},
            steps=[
                Step(
                    kind=bar.kind,
                    field=bar.field,
                    says=bar.says,
                    values=bar.values,
                    bits=float(bar.bits.replace("\N{MINUS SIGN}", "-")),
                )
                for bar in one.bars
            ],
        )
        for one in found.pairs
    ]
    losses = [Loss(without=without, parts=parts) for without, parts in found.losses]
    return Evidence(verdict=found.verdict, pairs=pairs, losses=losses)


@router.post("/{case_id}/judge", responses=documented(404, 409))
def judge_case(caller: Steward, wh: Stores, policy: Policy, case_id: Key, body: Judge) -> Done:
    """Decide a case. Refused with 409 if somebody was first, or it contradicts decisions."""
    row = cases.row(wh, case_id)
    if body.dry_run:
        effect = previews.of_judgement(wh, case_id, body.kind, body.groups)
        return Done(state="not_done", effect=Effect.model_validate(effect))
    done = deciding.judge(
        wh, policy, row, body.kind, caller.login, body.version, body.groups, body.reason
    )
    return Done.model_validate(done)


@router.post("/{case_id}/mark", responses=documented(404, 409))
def mark_case(caller: Steward, wh: Stores, case_id: Key, body: Mark) -> Changed:
    """Skip a case, say that one is not sure, or open it again."""
    cases.row(wh, case_id)
    version = case_states.mark(wh, case_id, body.state, caller.login, body.version)
    return Changed(case_id=case_id, version=version)


@router.post("/{case_id}/assign", responses=documented(404, 409))
def assign_case(caller: Steward, wh: Stores, case_id: Key, body: Assign) -> Changed:
    """Say who should look at a case."""
    version = deciding.assign(wh, case_id, body.assignee, caller.login, body.version)
    return Changed(case_id=case_id, version=version)


@router.post("/{case_id}/comments", status_code=201, responses=documented(404, 409))
def comment_case(caller: Steward, wh: Stores, case_id: Key, body: Say) -> Commented:
    """Say something about a case."""
    return Commented(comment_id=deciding.comment(wh, case_id, body.said, caller.login))

"""Batches: one answer for many cases of a filter, once a sample of them was judged by hand."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from review.pages import Policy, Stores
from review.problems import documented
from review.routes.api.cases import Which
from review.routes.api.parts import Body, Key, Said, Shown, part
from review.security.roles import Steward, Viewer
from warehouse import batches

router = part("/batches", "batches")

State = Literal["sampling", "applied", "undone", "dropped"]


class Start(Body):
    """What to say of which cases, and how many of them to judge by hand first."""

    kind: Literal["link", "no_link"]
    which: Which = Field(description="Of these the open ones")
    size: int = Field(20, ge=1, le=200, description="Cases of the sample")


class SampleAnswer(Shown):
    """How a case of the sample was judged."""

    judgement_id: str
    kind: str
    judged_by: str
    right: bool = Field(description="Whether the batch would judge it alike")


class BatchRow(Shown):
    """A batch, and how its sample went."""

    batch_id: str = Field(examples=["B000001"])
    kind: Literal["link", "no_link"]
    state: State
    started_by: str
    started_at: datetime
    applied_by: str | None
    applied_at: datetime | None
    cases: int = Field(description="How many there are, the sample among them")
    judged: int = Field(description="Cases of the sample that were judged")
    right: int = Field(description="Of these, judged as the batch would")
    precision: float | None = Field(description="right of judged, 0 to 1")
    low: float = Field(description="Lower end of its interval, 95 percent")
    high: float


class Batches(Shown):
    """The latest batches, newest first."""

    batches: list[BatchRow]


class BatchEffect(Shown):
    """What applying it would do now."""

    open: list[str] = Field(description="Cases that are still open, the sample's left out")
    waiting: int = Field(description="Of these, for a second person")
    customers: int
    after: int = Field(description="How many customers those would be")


class Batch(BatchRow):
    """A batch with its cases."""

    case_ids: list[str]
    sample: list[str] = Field(description="Cases to judge by hand")
    to_judge: list[str] = Field(description="Of these, those that were not judged yet")
    answers: dict[str, SampleAnswer] = Field(description="Case → how it was judged")
    effect: BatchEffect
    outcome: dict[str, int] = Field(description="What became of its judgements, by state")


class Applied(Shown):
    """What applying did."""

    judged: int
    waiting: int = Field(description="Of these, for a second person")
    settled: int = Field(description="Cases that a run or a steward settled since")
    refused: list[str] = Field(description="Cases whose answer contradicts decisions in force")


class UndoBatch(Body):
    """Undoing a batch."""

    reason: Annotated[Said, Field(min_length=1)]


class UndoneBatch(Shown):
    """What was undone."""

    batch_id: str
    judgements: int


class Dropped(Shown):
    """The batch will not be applied."""

    batch_id: str
    state: Literal["dropped"]


def _told(one: batches.Batch) -> dict[str, object]:
    return {
        **vars(one),
        "cases": one.case_count,
        "judged": one.judged,
        "right": one.right,
        "precision": one.precision,
    }


@router.get("")
def list_batches(caller: Viewer, wh: Stores) -> Batches:
    """The latest batches."""
    return Batches.model_validate({"batches": [_told(one) for one in batches.recent(wh)]})


@router.post("", status_code=201, responses=documented(409))
def start_batch(caller: Steward, wh: Stores, policy: Policy, body: Start) -> Batch:
    """Fix the open cases of a filter, and draw the sample to judge by hand."""
    made = batches.start(wh, body.which.filter(), body.kind, body.size, caller.login)
    return _batch(wh, policy, made)


def _batch(wh: Stores, policy: Policy, one: batches.Batch) -> Batch:
    effect = batches.effect(wh, one, policy.terms)
    outcome = batches.outcome(wh, one.batch_id)
    answers = {name: SampleAnswer.model_validate(each) for name, each in one.answers.items()}
    every = batches.case_ids(wh, one.batch_id)
    said = {**_told(one), "case_ids": every, "answers": answers, "outcome": outcome}
    return Batch.model_validate({**said, "effect": BatchEffect.model_validate(effect)})


@router.get("/{batch_id}", responses=documented(404))
def get_batch(caller: Viewer, wh: Stores, policy: Policy, batch_id: Key) -> Batch:
    """A batch: its sample, how often its answer was right, what applying would do."""
    return _batch(wh, policy, batches.get(wh, batch_id))


@router.post("/{batch_id}/apply", responses=documented(404, 409))
def apply_batch(caller: Steward, wh: Stores, policy: Policy, batch_id: Key) -> Applied:
    """Give the answer to all its open cases; 409 until its sample was judged whole."""
    done = batches.apply(wh, batch_id, caller.login, policy.terms)
    return Applied.model_validate(done)


@router.post("/{batch_id}/undo", responses=documented(404, 409))
def undo_batch(caller: Steward, wh: Stores, batch_id: Key, body: UndoBatch) -> UndoneBatch:
    """Undo every judgement of an applied batch; what was judged by hand stays."""
    undone = batches.undo(wh, batch_id, caller.login, body.reason)
    return UndoneBatch(batch_id=batch_id, judgements=undone)


@router.post("/{batch_id}/drop", responses=documented(404, 409))
def drop_batch(caller: Steward, wh: Stores, batch_id: Key) -> Dropped:
    """End a batch that is not to be applied."""
    batches.drop(wh, batch_id, caller.login)
    return Dropped(batch_id=batch_id, state="dropped")

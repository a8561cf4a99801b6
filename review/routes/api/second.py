"""Second looks: judgements, judged again by somebody who does not see the first answer."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from review.pages import Stores
from review.presenters import plain
from review.problems import documented
from review.routes.api.parts import Body, Groups, Key, Shown, part
from review.routes.api.records import Record
from review.security.roles import Steward, Viewer
from warehouse import audit, second_reviews

router = part("/second-reviews", "second reviews")


class Waiting(Shown):
    """A judgement to judge again, without its answer."""

    judgement_id: str
    case_id: str
    customers: dict[str, list[str]] = Field(description="Golden customer → its records then")
    drawn_at: datetime
    records: list[Record]


class Agreement(Shown):
    """How often two people grouped the records of a case alike."""

    answered: int
    agreed: int
    waiting: int
    rate: float | None = Field(description="0 to 1; null before the first answer")
    low: float = Field(description="Lower end of its interval, 95 percent")
    high: float


class Queue(Shown):
    """What waits for you, oldest first: not what you judged yourself."""

    waiting: list[Waiting]
    agreement: Agreement


class Again(Body):
    """The second person's answer."""

    kind: Literal["link", "no_link", "groups"]
    groups: Groups | None = Field(None, description="With kind groups: every record once")


class Compared(Shown):
    """Whether both said the same."""

    judgement_id: str
    agrees: bool


@router.get("")
def list_second_reviews(caller: Viewer, wh: Stores) -> Queue:
    """Second looks that wait, and how often the answers agreed so far."""
    may_see_all = caller.may("steward")
    waiting = []
    for one in second_reviews.queue(wh, caller.login):
        audit.note(wh, caller.login, "view_case", "case", one.case_id)
        records = [Record(**plain.record(each, may_see_all)) for each in one.members(wh)]
        waiting.append(Waiting(**vars(one), records=records))
    agreement = Agreement.model_validate(second_reviews.agreement(wh))
    return Queue(waiting=waiting, agreement=agreement)


@router.post("/{judgement_id}", responses=documented(404, 409))
def answer_second_review(caller: Steward, wh: Stores, judgement_id: Key, body: Again) -> Compared:
    """Answer a second look; it changes no decision."""
    agrees = second_reviews.answer(wh, judgement_id, body.kind, caller.login, body.groups)
    return Compared(judgement_id=judgement_id, agrees=agrees)

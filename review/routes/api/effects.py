"""What a write did, or what it would change: shared by cases, judgements and customers."""

from typing import Literal

from pydantic import Field

from review.routes.api.parts import Shown


class Outcome(Shown):
    """A golden customer as it would be."""

    golden_id: str | None = Field(description="Null: it would get a new id")
    record_ids: list[str]
    was: list[str] = Field(description="The customers that its records are in now")
    restored: bool = Field(description="Whether the id was retired and would come back")


class Effect(Shown):
    """What would change with the next run, as far as nothing else joins or leaves."""

    changes: bool
    outcomes: list[Outcome]
    joined: list[str] = Field(description="Ids that another one would absorb")
    restored: list[str] = Field(description="Retired ids that would come back")
    created: int = Field(description="Customers that would get a new id")


class Done(Shown):
    """What was written."""

    state: Literal["in_force", "waiting", "not_done"] = Field(
        description="waiting: for a second person; not_done: a dry run"
    )
    judgement_id: str | None = None
    decision_ids: list[str] = Field(default_factory=list)
    effect: Effect | None = Field(None, description="Of a dry run")

"""Values of golden customers that stewards set by hand, until they are withdrawn."""

from typing import Annotated

from pydantic import Field

from review.pages import Policy, Stores
from review.problems import documented
from review.routes.api.effects import Done
from review.routes.api.parts import Body, Key, Said, Shown, Version, Word, part
from review.security.roles import Steward
from warehouse import overrides

router = part("", "overrides")


class Override(Body):
    """A value to set."""

    value: Said | None = Field(description="As text; a list as JSON; null: empty on purpose")
    reason: Annotated[Said, Field(min_length=1)]
    replaces: Word | None = Field(
        None, description="The decision in force on the field, which this one takes the place of"
    )
    case_id: Word | None = Field(None, description="The case of kind override that it answers")
    version: Version = 0


class Withdraw(Body):
    """Taking a value back."""

    reason: Annotated[Said, Field(min_length=1)]
    case_id: Word | None = Field(None, description="The case of kind override that it answers")
    version: Version = 0


class Withdrawn(Shown):
    """The rules choose the value again with the next run."""

    decision_id: str


@router.put("/customers/{golden_id}/fields/{field}", responses=documented(404, 409))
def set_value(
    caller: Steward, wh: Stores, policy: Policy, golden_id: Key, field: Key, body: Override
) -> Done:
    """Pin the value of a field; it comes back to the queue when its evidence changes."""
    done = overrides.override(
        wh,
        golden_id,
        field,
        body.value,
        caller.login,
        reason=body.reason,
        replaces=body.replaces,
        case_id=body.case_id,
        version=body.version,
        terms=policy.terms,
    )
    return Done.model_validate(done)


@router.post("/decisions/{decision_id}/withdraw", responses=documented(404, 409))
def withdraw_value(caller: Steward, wh: Stores, decision_id: Key, body: Withdraw) -> Withdrawn:
    """Take a pinned value back."""
    overrides.withdraw(
        wh,
        decision_id,
        caller.login,
        reason=body.reason,
        case_id=body.case_id,
        version=body.version,
    )
    return Withdrawn(decision_id=decision_id)

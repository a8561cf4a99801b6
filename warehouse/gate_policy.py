"""Section ``gate`` of onefold.yml: how much a publish may change before somebody must look.

gate:
  ended: 5%                        # of the customers before, and of each source's
  merged: {percent: 5, count: 200} # more than both
  changed: 40%
  sources:
    legacy: {ended: 50%}           # of this source's customers
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from onefold.settings import validated
from warehouse.restatement import ENDED, MERGED, MOVED_OUT, NEW, SPLIT

CHANGED, SUGGESTIONS = "changed", "suggestions"
OF_ALL = (CHANGED, SUGGESTIONS)
"""Counted over all customers only; the others also for each source."""


class Budget(BaseModel):
    """How much of something is allowed; more than both percent and count is too much."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    percent: float = Field(default=0.0, ge=0)
    """Of the customers before the publish."""
    count: int = Field(default=0, ge=0)

    def allowed(self, before: int) -> int:
        """How many are allowed."""
        return max(int(before * self.percent / 100), self.count)

    def __str__(self) -> str:
        parts = [f"{self.percent:g} %"] if self.percent else []
        parts += [f"{self.count:,}"] if self.count or not parts else []
        return " or ".join(parts)


def _read(said: Any) -> Any:
    """``5%`` and ``200`` are short for a percentage and a count."""
    if isinstance(said, bool):
        raise ValueError("write a percentage such as 5%, a number, or both")
    if isinstance(said, int):
        return {"count": said}
    if isinstance(said, str) and said.strip().endswith("%"):
        return {"percent": said.strip()[:-1]}
    return said


Spent = Annotated[Budget | None, BeforeValidator(_read)]
_USUAL = Budget(percent=10, count=100)


class SourceBudgets(BaseModel):
    """Budgets of one source, in place of the general ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    new: Spent = None
    merged: Spent = None
    split: Spent = None
    ended: Spent = None
    moved_out: Spent = None


class GatePolicy(BaseModel):
    """The section ``gate``; null switches a budget off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    new: Spent = None
    """Customers that are there for the first time."""
    merged: Spent = _USUAL
    """Customers absorbed by others; also of those that each source holds."""
    split: Spent = _USUAL
    """Customers that took records from others."""
    ended: Spent = _USUAL
    """Customers without a record left."""
    moved_out: Spent = None
    """Customers that a source does not hold any more, though they stay."""
    changed: Spent = None
    """Customers that stay with other golden values."""
    suggestions: Spent = None
    """Merge suggestions opened."""
    sources: dict[str, SourceBudgets] = {}
    """Source → budgets that hold for it in place of the general ones."""

    def of(self, cause: str, source: str = "") -> Budget | None:
        """The budget of a cause: a source's own, else the general one."""
        own = self.sources.get(source)
        found: Budget | None = None
        if own is not None and cause in own.model_fields_set:
            found = getattr(own, cause)
        else:
            found = getattr(self, cause, None)
        return found


CAUSES = (NEW, MERGED, SPLIT, ENDED, MOVED_OUT)
"""Causes of a restatement that have budgets."""


def load(section: Mapping[str, Any] | None) -> GatePolicy:
    """Validate the section.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """
    do = "Write a percentage such as 5%, a number, {percent: 5, count: 200}, or null."
    return validated(GatePolicy, section, "gate", do)

"""Section ``quality`` of onefold.yml: what share of records and values should be good.

quality:
  targets:
    completeness: {phones: 0.9, national_id: 0.6}
    validity: {"*": 0.98}
    single: 0.95
  timely_days: 365
"""

import difflib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from onefold.settings import validated

MEASURES = (
    "accepted", "single", "completeness", "validity", "uniqueness", "timeliness", "consistency",
)  # fmt: skip
OF_RECORDS = ("accepted", "single")
"""Measures of the records as a whole; the others are of a field."""
EVERY = "*"
"""In place of a field: every field without a target of its own."""
_USUAL: Mapping[str, Mapping[str, float]] = {
    "accepted": {EVERY: 0.99},
    "single": {EVERY: 0.95},
    "validity": {EVERY: 0.98},
    "uniqueness": {EVERY: 0.98},
    "consistency": {EVERY: 0.95},
}


class QualityPolicy(BaseModel):
    """The section ``quality``; every field has a sensible default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: dict[str, dict[str, float]] = {}
    """Measure → field, or ``*`` for every other one, → share from 0 to 1."""
    timely_days: int = Field(default=365, ge=1)
    """A record changed longer ago is not timely."""

    @field_validator("targets", mode="before")
    @classmethod
    def _whole(cls, said: Any) -> Any:
        """``single: 0.95`` is short for ``single: {"*": 0.95}``."""
        if not isinstance(said, Mapping):
            return said
        for name in said:
            if name not in MEASURES:
                near = difflib.get_close_matches(str(name), MEASURES, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(MEASURES)}"
                raise ValueError(f"there is no measure {name}; {hint}")
        return {
            name: {EVERY: each} if isinstance(each, int | float) else each
            for name, each in said.items()
        }

    @field_validator("targets")
    @classmethod
    def _shares(cls, said: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for name, of in said.items():
            for field, share in of.items():
                if not 0 <= share <= 1:
                    raise ValueError(f"{name} of {field} must be from 0 to 1, it is {share}")
        return said

    @property
    def timely(self) -> timedelta:
        """Since when a record must have been changed."""
        return timedelta(days=self.timely_days)

    def target(self, measure: str, field: str) -> float | None:
        """The share that is usual or was asked for, or None where nothing is."""
        asked = self.asked(measure, field)
        return asked if asked is not None else _of(_USUAL, measure, field)

    def asked(self, measure: str, field: str) -> float | None:
        """The share that onefold.yml asks for, or None where it asks for nothing."""
        return _of(self.targets, measure, field)


def _of(targets: Mapping[str, Mapping[str, float]], measure: str, field: str) -> float | None:
    of = targets.get(measure, {})
    return of.get(field, of.get(EVERY))


def load(section: Mapping[str, Any] | None) -> QualityPolicy:
    """Validate the section.

    Raises:
        ConfigError: a setting is unknown or out of range.
    """
    return validated(QualityPolicy, section, "quality", "See docs/quality.md.")

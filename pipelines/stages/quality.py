"""Staged, quarantine and golden → the day's figures of quality."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pipelines.stages.deployment import Deployment
from pipelines.timezone import time_zone
from rules.suites import Check
from warehouse import quality
from warehouse.quality import Measure
from warehouse.quality_policy import QualityPolicy

log = logging.getLogger("onefold.refresh")


_TOLD = 5
"""Figures that a check names."""


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        written: figures written now; 0 if nothing changed since the last time.
        figures: the figures that stand.
        policy: section ``quality`` of onefold.yml.
    """

    written: int
    figures: list[Measure]
    policy: QualityPolicy

    @property
    def asked(self) -> list[tuple[Measure, float]]:
        """The figures that onefold.yml sets a target for, with it."""
        found = [(one, self.policy.asked(one.measure, one.field)) for one in self.figures]
        return [(one, target) for one, target in found if target is not None]

    @property
    def below(self) -> list[Measure]:
        """Those of them that do not reach it."""
        return [one for one, target in self.asked if one.share < target]

    def check(self) -> Check:
        """Whether every figure reaches the target that onefold.yml sets."""
        below = self.below
        told = ", ".join(
            f"{' '.join(filter(None, (one.source, one.measure, one.field)))} {one.share:.1%}"
            for one in below[:_TOLD]
        )
        more = f" and {len(below) - _TOLD} more" if len(below) > _TOLD else ""
        return Check(
            name="quality_targets",
            passed=not below,
            severity="warning",
            blocking=False,
            evaluated=len(self.asked),
            failed=len(below),
            description=f"below target: {told}{more}." if below else "every target is reached.",
        )


def measure(deployment: Deployment) -> Measured:
    """Count how good every source is, unless nothing changed since it was counted last.

    Raises:
        WarehouseError: the database cannot be reached or refuses.
    """
    now = datetime.now(UTC)
    day = now.astimezone(ZoneInfo(time_zone(deployment.settings))).date()
    written = quality.measure(deployment.warehouse, now, day, deployment.quality)
    log.info("data_quality: %s", f"{written:,} figures" if written else "unchanged")
    return Measured(written, quality.latest(deployment.warehouse), deployment.quality)

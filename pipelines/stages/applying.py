"""Decisions → golden table, without a sync: what waits, and taking it in.

Only where the staged records are the published ones. Records that were staged
since wait for the refresh that publishes them: a check may hold them back, and
a decision is no way around it.
"""

import logging
from dataclasses import dataclass

from onefold.errors import PublishError
from pipelines import fingerprint
from pipelines.report import PublishedReport
from pipelines.stages import invariants, matching, publishing
from pipelines.stages.deployment import Deployment
from rules.suites import Check
from warehouse import sync_runs, taken_in
from warehouse.engine import Warehouse

log = logging.getLogger("onefold.refresh")


@dataclass(frozen=True)
class Waiting:
    """Whether decisions wait to be taken in.

    Attributes:
        decisions: made or taken back since the last publish.
        ready: whether they can be taken in now.
        words: why not, or how many there are.
        key: names what there is to do: the same until more is decided or published.
    """

    decisions: int
    ready: bool
    words: str
    key: str = ""


def waiting(warehouse: Warehouse) -> Waiting:
    """What stewards decided that the golden table does not know; cheap."""
    now, last = taken_in.decided(warehouse), taken_in.last(warehouse)
    if last is None:
        return Waiting(0, False, "Nothing is published yet: the first refresh takes decisions in.")
    count = now.made - last.made + now.revoked - last.revoked
    if count == 0:
        return Waiting(0, False, "Nothing was decided since the last publish.")
    if sync_runs.content_fingerprint(warehouse) != last.staged:
        words = "Records were staged that are not published: the refresh takes the decisions in."
        return Waiting(count, False, words)
    key = fingerprint.of(now.made, now.revoked, last.plain())
    return Waiting(count, True, f"{count} decisions were not in the golden table.", key)


def apply(deployment: Deployment) -> tuple[Waiting, PublishedReport | None]:
    """Take waiting decisions in: cluster again what they touch, and publish.

    Returns:
        what waited, and the publish; None if there was nothing to do or it cannot be done now.

    Raises:
        DecisionConflict: stewards' decisions in force contradict each other.
        PublishError: a check holds the result back; nothing is published.
    """
    found = waiting(deployment.warehouse)
    if not found.ready:
        return found, None
    log.info("decisions: taking in %s", f"{found.decisions:,}")
    grouped = matching.clusters(deployment)
    _require(invariants.clustering_checks(deployment, grouped))
    report = publishing.publish(deployment)
    _require(invariants.published_checks(deployment))
    return found, report


def _require(checks: list[Check]) -> None:
    failed = [check for check in checks if not check.passed]
    if failed:
        raise PublishError(
            "golden table",
            "a check failed",
            found=f"{failed[0].name}: {failed[0].failed} of {failed[0].evaluated}",
            do="Run: onefold refresh.",
        )

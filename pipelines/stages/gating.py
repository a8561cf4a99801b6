"""The gate before a publish: held against its budgets, and why it changes so much.

What a publish stands on (models, settings, program) is kept with it, so that
the next one can say what is another thing now.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from onefold.errors import PublishHeld
from pipelines import fingerprint
from pipelines.stages import matching
from pipelines.stages.deployment import Deployment
from warehouse import gate, restatement, sync_runs, taken_in
from warehouse import publish as publishing
from warehouse.gate import Excess
from warehouse.publish import Published
from warehouse.restatement import Restatement
from warehouse.taken_in import TakenIn

log = logging.getLogger("onefold.refresh")

_WORDS = {
    "models": "the matching model is another one",
    "matching": "section matching of onefold.yml changed",
    "survivorship": "section survivorship of onefold.yml changed",
    "program": "Onefold itself is another version",
}


Publish = Callable[[publishing.Look | None], Published]


class _Over(Exception):
    """Breaks the publish's transaction off; never leaves this module."""

    def __init__(self, made: Restatement, over: tuple[Excess, ...]) -> None:
        super().__init__("over budget")
        self.made, self.over = made, over


def basis(deployment: Deployment) -> dict[str, Any]:
    """What the golden table stands on besides records and decisions."""
    models = matching.saved_models(deployment)
    return {
        "models": {kind: one.version for kind, one in sorted(models.items())},
        "matching": fingerprint.of(deployment.matching.model_dump(mode="json")),
        "survivorship": fingerprint.of(deployment.policy.model_dump(mode="json")),
        "program": fingerprint.of_code("rules", "dedupe"),
    }


def look(deployment: Deployment) -> publishing.Look:
    """Breaks a publish off that exceeds a budget."""

    def looks(connection: sa.Connection, published: Published, made: Restatement) -> None:
        changed = published.count("golden_customer", "changed")
        opened = published.count("merge_suggestion", "added")
        over = gate.exceeded(made, changed, opened, deployment.gate)
        if over:
            raise _Over(restatement.inside(connection, made.since, made.until), over)

    return looks


def publish(
    deployment: Deployment, name: str, decided: TakenIn, do: Publish
) -> publishing.Published:
    """Publish, unless it exceeds a budget and nobody accepted just this.

    Args:
        deployment: the opened home.
        name: fingerprint of all that the golden table depends on.
        decided: what the publish takes in.
        do: publishes, with a look before it is committed; None: without.

    Raises:
        PublishHeld: it exceeds a budget; nothing is published, and the hold is kept.
    """
    warehouse, budgets = (
        deployment.warehouse,
        fingerprint.of(deployment.gate.model_dump(mode="json")),
    )
    last = gate.latest(warehouse)
    same = last is not None and last.fingerprint == name
    if last is not None and same and last.accepted_at is not None:
        return do(None)
    if last is not None and same and last.report.get("budgets") == budgets:
        raise _held(last.hold_id, last.report)  # without making it all once more
    try:
        return do(look(deployment))
    except _Over as found:
        report = gate.report_of(found.made, found.over, reasons(deployment, decided))
        hold_id = gate.hold(warehouse, name, {**report, "budgets": budgets})
        log.warning("golden_customer: held as %s. %s", hold_id, found.made.sentence)
        raise _held(hold_id, report) from None


def _held(hold_id: str, report: Mapping[str, Any]) -> PublishHeld:
    because = f"Since the last publish {'; '.join(report['why'])}. " if report["why"] else ""
    return PublishHeld(
        "golden table",
        "it would change more than the budgets of gate: in onefold.yml allow",
        found="; ".join(report["over"]),
        do=f"{because}The published table stays. Look at it with 'onefold publish'; if it is right,"
        f" 'onefold publish --accept {hold_id} --by NAME --reason TEXT'.",
    )


def reasons(deployment: Deployment, decided: TakenIn) -> list[str]:
    """What is another thing than at the last publish, as clauses."""
    before, at = publishing.last_basis(deployment.warehouse)
    found = _synced(deployment, at)
    last = taken_in.last(deployment.warehouse)
    if last is not None:
        made, revoked = decided.made - last.made, decided.revoked - last.revoked
        if made or revoked:
            found.append(f"stewards made {made:,} decisions and took {revoked:,} back")
    now = basis(deployment)
    return found + [words for one, words in _WORDS.items() if _differs(before, now, one)]


def _differs(before: Mapping[str, Any], now: Mapping[str, Any], name: str) -> bool:
    return name in before and before[name] != now[name]


def _synced(deployment: Deployment, since: datetime | None) -> list[str]:
    """Sources that brought other records since a moment, and how many."""
    found = []
    for source, added, changed, deleted in sync_runs.changed_since(deployment.warehouse, since):
        parts = [(added, "new"), (changed, "changed"), (deleted, "deleted")]
        told = ", ".join(f"{count:,} {word}" for count, word in parts if count)
        if told:
            found.append(f"source {source} brought {told} records")
    return found

"""What the daemon watches: runs that fail, and states to be told to the hooks of ``alerts:``.

Runs started from the command line note and tell for themselves; what both see is
told once (pipelines/alerting).
"""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from onefold import settings
from pipelines import alerting, endings
from pipelines.alerting import Delivery
from warehouse import outcomes

INTERVAL_SECONDS = 60
"""How often the state is looked at: staleness is told within this time."""


def failures_sensor(home: Path) -> dg.SensorDefinition:
    """The sensor of failed runs, running as soon as the daemon does."""

    @dg.run_failure_sensor(
        name="failures_sensor",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Keeps why a run failed, for 'onefold status', and tells the hooks of alerts.",
    )
    def failed(context: dg.RunFailureSensorContext) -> None:
        run_id = context.dagster_run.run_id
        record = context.instance.get_run_record_by_id(run_id)
        ended = record.end_time if record and record.end_time else None
        at = datetime.fromtimestamp(ended, UTC) if ended else datetime.now(UTC)
        entries = context.instance.all_logs(run_id)
        events = [entry.dagster_event for entry in entries if entry.dagster_event is not None]
        outcome = endings.golden(events, run_id, at.isoformat(timespec="seconds"))
        outcomes.note_golden(home, outcome)
        _log(context, alerting.tell(settings.load(home)))

    return failed


def alerts_sensor(home: Path) -> dg.SensorDefinition:
    """The sensor of everything that alerts tell of, running as soon as the daemon does."""

    @dg.sensor(
        name="alerts_sensor",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the hooks of alerts what failed, is held, went stale or recovered.",
    )
    def watched(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        told = alerting.tell(settings.load(home))
        _log(context, told)
        return dg.SkipReason(_words(told))

    return watched


def _words(told: list[Delivery]) -> str:
    if not told:
        return "Nothing changed that is to be told."
    return " ".join(
        one.error or f"{one.hook} was told of {one.alerts} change{'s' * (one.alerts != 1)}."
        for one in told
    )


def _log(
    context: dg.SensorEvaluationContext | dg.RunFailureSensorContext, told: list[Delivery]
) -> None:
    for one in told:
        if one.error:
            context.log.warning(one.error)
        else:
            context.log.info(_words([one]))

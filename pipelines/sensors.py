"""One sensor per file source: its files changed → sync it.

A file's state is its path, size and time of change. Whether the content
changed too is for the sync to find out; an unchanged one writes nothing.
"""

import time
from collections.abc import Mapping

import dagster as dg

from connectors import source as sources_module
from connectors.source import SourceConfig
from pipelines import fingerprint
from pipelines.jobs import sync_job_name

INTERVAL_SECONDS = 60
SETTLED_SECONDS = 5
"""A file changed less than this ago may still be being written; it is looked at next time."""


def _sensor(name: str, config: SourceConfig) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{sync_job_name(name)}_sensor",
        job_name=sync_job_name(name),
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Syncs source {name} when its files change.",
    )
    def changed(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        states = sources_module.files(config)
        now = fingerprint.of(states)
        if now == context.cursor:
            return dg.SkipReason(f"{len(states)} files, none changed.")
        newest = max((changed_at for _, _, changed_at in states), default=0)
        if 0 <= time.time_ns() - newest < SETTLED_SECONDS * 1_000_000_000:
            return dg.SkipReason("A file changed a moment ago and may still be being written.")
        return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=now)

    return changed


def file_sensors(sources: Mapping[str, SourceConfig]) -> list[dg.SensorDefinition]:
    """The sensors of the sources that are files, running as soon as the daemon does."""
    return [_sensor(name, config) for name, config in sources.items() if config.connector != "sql"]

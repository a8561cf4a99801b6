"""One schedule per source whose YAML has a cron line."""

from collections.abc import Mapping

import dagster as dg

from connectors.source import SourceConfig
from pipelines.jobs import sync_job_name


def source_schedules(
    sources: Mapping[str, SourceConfig], time_zone: str
) -> list[dg.ScheduleDefinition]:
    """The schedules, running as soon as the daemon does.

    Args:
        sources: by name.
        time_zone: IANA name of the zone in which the cron lines are meant.
    """
    return [
        dg.ScheduleDefinition(
            name=f"{sync_job_name(name)}_schedule",
            job_name=sync_job_name(name),
            cron_schedule=config.schedule,
            execution_timezone=time_zone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=f"Syncs source {name} by the schedule in its YAML file.",
        )
        for name, config in sources.items()
        if config.schedule
    ]

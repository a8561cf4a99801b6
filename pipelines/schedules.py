"""One schedule per source whose YAML has a cron line."""

import logging
from collections.abc import Mapping

import dagster as dg

from connectors.source import SourceConfig
from pipelines.jobs import sync_job_name

log = logging.getLogger("onefold.schedules")


def source_schedules(
    sources: Mapping[str, SourceConfig], time_zone: str
) -> list[dg.ScheduleDefinition]:
    """The schedules, running as soon as the daemon does.

    A cron line that connectors.config lets pass and Dagster does not (30 February)
    makes no schedule and is logged; it keeps nothing else back.

    Args:
        sources: by name.
        time_zone: IANA name of the zone in which the cron lines are meant.
    """
    made = (_schedule(config, time_zone) for config in sources.values() if config.schedule)
    return [schedule for schedule in made if schedule is not None]


def _schedule(config: SourceConfig, time_zone: str) -> dg.ScheduleDefinition | None:
    job = sync_job_name(config.name)
    try:
        return dg.ScheduleDefinition(
            name=f"{job}_schedule",
            job_name=job,
            cron_schedule=config.schedule,
            execution_timezone=time_zone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=f"Syncs source {config.name} by the schedule in its YAML file.",
        )
    except dg.DagsterInvalidDefinitionError:
        log.error(
            "%s, schedule: Dagster does not take this cron line (found %s). Mend it.",
            config.file,
            config.schedule,
        )
        return None

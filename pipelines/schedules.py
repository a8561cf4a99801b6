"""One schedule per source whose YAML has a cron line."""

from collections.abc import Mapping

import dagster as dg

from connectors.source import SourceConfig
from onefold.errors import ConfigError
from pipelines.jobs import sync_job_name


def source_schedules(
    sources: Mapping[str, SourceConfig], time_zone: str
) -> list[dg.ScheduleDefinition]:
    """The schedules, running as soon as the daemon does.

    Args:
        sources: by name.
        time_zone: IANA name of the zone in which the cron lines are meant.

    Raises:
        ConfigError: a cron line is wrong.
    """
    return [_schedule(config, time_zone) for config in sources.values() if config.schedule]


def _schedule(config: SourceConfig, time_zone: str) -> dg.ScheduleDefinition:
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
    except dg.DagsterInvalidDefinitionError as error:
        raise ConfigError(
            f"{config.file}, schedule",
            "this is no cron line",
            found=str(config.schedule),
            do="Write minute, hour, day of month, month and day of week, such as '0 2 * * *'.",
        ) from error

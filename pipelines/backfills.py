"""Reading a source again, day by day: a job with a partition for every day of its cursor.

A backfill of its partitions, started in Dagster's page, reads the rows of those days again and
puts them over the last snapshot: what changed comes in, what is gone from the source leaves;
how far the source was read does not change. Staged records follow; the golden table does with the
next refresh.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

from connectors.source import SourceConfig
from pipelines import stages
from pipelines.naming import asset_name
from pipelines.report import as_plain
from pipelines.resources import Home


def backfill_jobs(sources: Mapping[str, SourceConfig]) -> list[Any]:
    """One job for every source that names the first day of its cursor."""
    return [_job(config) for config in sources.values() if config.backfill_from]


def _job(config: SourceConfig) -> dg.JobDefinition:
    source, name = config.name, f"backfill_{asset_name(config.name)}"
    server = config.server

    @dg.op(
        name=f"read_again_{asset_name(source)}",
        description=f"Read the rows of one day of source {source} again.",
        pool=server and f"server:{server}",
    )
    def read_again(context: dg.OpExecutionContext, home: Home) -> None:
        day = context.partition_time_window.start.date()
        between = (day.isoformat(), (day + timedelta(days=1)).isoformat())
        with home.working() as deployment:
            synced = stages.sync(deployment, source, between=between)
            if not synced.good:
                raise dg.Failure(synced.message, metadata=as_plain(synced), allow_retries=False)
            staged = stages.stage(deployment, source)
        context.add_output_metadata(
            {f"raw_{key}": value for key, value in as_plain(synced).items()}
            | {f"staged_{key}": value for key, value in as_plain(staged).items()}
        )

    @dg.job(
        name=name,
        partitions_def=dg.DailyPartitionsDefinition(
            start_date=str(config.backfill_from), timezone=config.time_zone, end_offset=1
        ),
        description=f"Read days of source {source} again and put them over its last snapshot.",
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        read_again()

    return job

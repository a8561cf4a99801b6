"""What stewards mended or accepted → sync the source it belongs to.

A source is due when the repairs in force for it are not those that it was
staged with last. Each difference asks for one run; what a run cannot mend (a
source that fails) is for the source's own sensor and schedule.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg

from onefold import settings
from onefold.errors import WarehouseError
from pipelines.jobs import sync_job_name
from pipelines.stages.sources import repairs_fingerprint
from warehouse import engine, repairs, sync_runs
from warehouse.engine import Warehouse

NAME = "repairs_sensor"
INTERVAL_SECONDS = 20
"""A repair reaches the golden table within a minute: this, and a sync."""


def repairs_sensor(home: Path, sources: Sequence[str], jobs: Sequence[Any]) -> dg.SensorDefinition:
    """The sensor of a home, running as soon as the daemon does.

    Args:
        home: the home folder.
        sources: names of its sources; one at least.
        jobs: of pipelines.jobs, with one per source.
    """

    @dg.sensor(
        name=NAME,
        jobs=[job for job in jobs if job.name in {sync_job_name(source) for source in sources}],
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Syncs a source when stewards repaired or accepted something in it.",
    )
    def repaired(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            with closing(engine.connect(settings.load(home))) as warehouse:
                asked = json.loads(context.cursor or "{}")
                now = {source: _due(warehouse, source) for source in sources}
        except WarehouseError as error:
            return dg.SkipReason(str(error))  # the first refresh makes the tables
        due = {source: name for source, name in now.items() if name is not None}
        new = [source for source, name in due.items() if asked.get(source) != name]
        if not new:
            return dg.SkipReason("No repair waits.")
        return dg.SensorResult(
            run_requests=[dg.RunRequest(job_name=sync_job_name(source)) for source in new],
            cursor=json.dumps(due, sort_keys=True),
        )

    return repaired


def _due(warehouse: Warehouse, source: str) -> str | None:
    """Name of the repairs in force, if the source was staged with others; else None."""
    run = sync_runs.last_sync(warehouse, source)
    if run is None:
        return None
    table = repairs.in_force(warehouse, source)
    used = ((run.manifest or {}).get("repairs") or {}).get("fingerprint")
    name = repairs_fingerprint(table)
    return None if name == used or (used is None and not table.num_rows) else name

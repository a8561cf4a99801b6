"""Everything that Dagster runs, by hand; importing it connects to nothing.

The home is ONEFOLD_HOME. Without one there are no sources, only what all
homes share, so that the definitions can be checked anywhere.
"""

import os
from pathlib import Path

import dagster as dg

from connectors.source import Declared, declared
from onefold import settings
from pipelines.alert_sensors import alerts_sensor, failures_sensor
from pipelines.alerting import AlertPolicy
from pipelines.backfills import backfill_jobs
from pipelines.golden import golden_customer
from pipelines.jobs import all_jobs
from pipelines.matching import candidates_asset, clusters, scored_pairs
from pipelines.quality import data_quality
from pipelines.raw import raw_asset
from pipelines.repair_sensor import repairs_sensor
from pipelines.resources import Home
from pipelines.schedules import source_schedules
from pipelines.sensors import decisions_sensor, file_sensors
from pipelines.source import source_spec
from pipelines.staged import quarantine_asset, staged_asset
from pipelines.timezone import DEFAULT, time_zone


def build(home: Path | None) -> dg.Definitions:
    """The definitions of one home; reads its YAML files, nothing else.

    A wrong file in sources/ makes an asset that fails and says why, and neither
    schedule nor sensor.

    Raises:
        ConfigError: onefold.yml is wrong.
    """
    found = declared(home) if home else Declared({}, {})
    sources, names = found.sources, found.names
    jobs = all_jobs(names)
    config = settings.load(home) if home else None
    zone = time_zone(config) if config else DEFAULT
    policy = AlertPolicy.of(config) if config else AlertPolicy()
    return dg.Definitions(
        assets=[
            *(source_spec(name, sources.get(name) or found.broken[name], zone) for name in names),
            *(raw_asset(name, sources.get(name) or found.broken[name]) for name in names),
            *(staged_asset(name) for name in names),
            quarantine_asset(names),
            candidates_asset(names),
            scored_pairs,
            clusters,
            golden_customer,
            data_quality,
        ],
        jobs=[*jobs, *backfill_jobs(sources)],
        schedules=source_schedules(sources, zone),
        sensors=[
            *(file_sensors(home, sources) if home else []),
            *([decisions_sensor(home)] if home else []),
            *([failures_sensor(home)] if home else []),
            *([alerts_sensor(home)] if home and policy.hooks else []),
            *([repairs_sensor(home, names, jobs)] if home and names else []),
        ],
        resources={"home": Home(path=str(home) if home else dg.EnvVar("ONEFOLD_HOME"))},
        executor=dg.in_process_executor,
    )


def _home_of_environment() -> Path | None:
    return settings.find_home() if os.environ.get("ONEFOLD_HOME") else None


defs = build(_home_of_environment())

"""What starts a run by itself: changed files a sync, new decisions their way to the golden table.

One sensor per file source; that of files elsewhere is in remote_sensor.py. A file's
state is its path, size and time of change; a state that a good sync read, whoever
ran it, or that was asked for once, is known. Whether the content changed too is for
the sync to find out; an unchanged one writes nothing. That files are those that were
read is told of the source's asset now and then, which its freshness policy counts.

One sensor for what stewards decide: what was decided is compared with what the
last publish took in, whoever made that. While any run is under way or waits
nothing is asked: every run ends with a publish, which takes the decisions in.
A run that ended without taking them in is asked for again, ever more rarely:
the cause may pass (a database that was down), and decisions must not wait for
the next one to be made.
"""

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import dagster as dg

from connectors import file_state
from connectors import source as sources_module
from connectors.remote import is_remote
from connectors.source import SourceConfig
from onefold import settings
from pipelines import dead_runs, remote_sensor
from pipelines.jobs import APPLY, sync_job_name
from pipelines.source import confirmation, source_key
from pipelines.stages import applying
from warehouse import engine, outcomes

INTERVAL_SECONDS = 60
DECISIONS_SECONDS = 15
"""How often the review store is asked: two counts."""
AGAIN_SECONDS = 60
"""A run that did not take the decisions in is asked for again after this, then after twice it, …"""
AGAIN_AT_MOST_SECONDS = 3600
CONFIRM_SECONDS = 6 * 3600
"""Files that were read and did not change since are told of this often: a source whose files
change once a year is fresh all the same, and none once nobody looks any more."""
SETTLED_SECONDS = 5
"""A file changed less than this ago may still be being written; it is looked at next time."""


def _sensor(home: Path, name: str, config: SourceConfig) -> dg.SensorDefinition:
    elsewhere = any(map(is_remote, config.path))

    @dg.sensor(
        name=f"{sync_job_name(name)}_sensor",
        job_name=sync_job_name(name),
        minimum_interval_seconds=remote_sensor.INTERVAL_SECONDS if elsewhere else INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Syncs source {name} when its files change.",
    )
    def changed(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if elsewhere:
            return remote_sensor.look(home, config, context.cursor)
        return _look(home, config, context)

    return changed


def _look(
    home: Path, config: SourceConfig, context: dg.SensorEvaluationContext
) -> dg.SensorResult | dg.SkipReason:
    """What follows from how a source's files on disk are now."""
    states = sources_module.files(config)
    now = file_state.name(config)
    known = outcomes.read(home).sources.get(config.name)
    is_read = known is not None and known.good and now == known.files
    if now == context.cursor or is_read:
        reason = f"{len(states)} file{'s' * (len(states) != 1)}, none changed."
        events = _confirmations(config, len(states), context) if is_read else []
        return dg.SensorResult(skip_reason=reason, cursor=now, asset_events=events)
    newest = max((changed_at for _, _, changed_at in states), default=0)
    if 0 <= time.time_ns() - newest < SETTLED_SECONDS * 1_000_000_000:
        return dg.SkipReason("A file changed a moment ago and may still be being written.")
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=now)


def _confirmations(
    config: SourceConfig, files: int, context: dg.SensorEvaluationContext
) -> list[dg.AssetMaterialization]:
    """What the source's freshness policy is to count, from time to time."""
    if not file_state.is_watched(config):
        return []
    last = context.instance.get_latest_materialization_event(source_key(config.name))
    if last is not None and time.time() - last.timestamp < CONFIRM_SECONDS:
        return []
    return [confirmation(config.name, files)]


def file_sensors(home: Path, sources: Mapping[str, SourceConfig]) -> list[dg.SensorDefinition]:
    """The sensors of the sources that are files, running as soon as the daemon does."""
    return [_sensor(home, name, config) for name, config in sources.items() if config.path]


def decisions_sensor(home: Path) -> dg.SensorDefinition:
    """The sensor of stewards' decisions, running as soon as the daemon does."""

    @dg.sensor(
        name="decisions_sensor",
        job_name=APPLY,
        minimum_interval_seconds=DECISIONS_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Brings what stewards decided or took back into the golden table.",
    )
    def decided(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        with closing(engine.connect(settings.load(home))) as warehouse:
            waiting = applying.waiting(warehouse)
        if not waiting.ready:
            return dg.SkipReason(waiting.words)
        dead_runs.end(context.instance)
        if context.instance.get_runs_count(dg.RunsFilter(statuses=_UNDER_WAY)):
            return dg.SkipReason("A run is under way; its publish takes the decisions in.")
        tags = {DECISIONS_TAG: waiting.key}
        tried = context.instance.get_run_records(dg.RunsFilter(job_name=APPLY, tags=tags))
        if tried:
            last = max(one.create_timestamp.timestamp() for one in tried)
            left = last + pause(len(tried)) - time.time()
            if left > 0:
                return dg.SkipReason(
                    f"{len(tried)} runs did not take the decisions in: again in {left:.0f} s."
                )
        return dg.RunRequest(run_key=f"{waiting.key}-{len(tried)}", tags=tags)

    return decided


def pause(tried: int) -> float:
    """Seconds from one run to the next one after so many that did not take the decisions in.

    >>> [pause(tried) for tried in (1, 2, 3, 100)]
    [60.0, 120.0, 240.0, 3600.0]
    """
    return float(min(AGAIN_SECONDS * 2 ** min(tried - 1, 20), AGAIN_AT_MOST_SECONDS))


DECISIONS_TAG = "onefold/decisions"
"""Tag of a run that the sensor asked for: names the decisions that it shall take in."""

_UNDER_WAY = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

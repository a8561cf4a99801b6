"""Runs whose process is gone: marked as failed, and their places in pools given back.

What belongs here: runs of the command line, which no launcher watches. A killed
one would stay "started" for hours, keep decisions waiting, and hold its server's
pool for ever.
"""

import os
import socket
from pathlib import Path

import dagster as dg

BY_TAG = "onefold/by"
BY_COMMAND = "command line"
PROCESS_TAG = "dagster/onefold_process"
"""Named as Dagster's own tags are, which its list of runs does not show."""


def tags() -> dict[str, str]:
    """Tags of a run that this process executes; the daemon does not start it again."""
    return {
        BY_TAG: BY_COMMAND,
        PROCESS_TAG: f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())}",
        "dagster/max_retries": "0",
    }


def end(instance: dg.DagsterInstance) -> None:
    """Mark this machine's dead runs as failed and free the places in pools of ended ones."""
    unfinished = dg.RunsFilter(
        tags={BY_TAG: BY_COMMAND},
        statuses=[
            dg.DagsterRunStatus.NOT_STARTED,
            dg.DagsterRunStatus.STARTING,
            dg.DagsterRunStatus.STARTED,
            dg.DagsterRunStatus.CANCELING,
        ],
    )
    for run in instance.get_runs(unfinished):
        if _is_dead(run.tags.get(PROCESS_TAG, "")):
            instance.report_run_failed(run, "Its process was killed.")
    events = instance.event_log_storage
    if not events.supports_global_concurrency_limits:
        return
    for pool in events.get_concurrency_keys():
        for slot in events.get_concurrency_info(pool).claimed_slots:
            holder = instance.get_run_by_id(slot.run_id)
            if holder is None or holder.is_finished:
                events.free_concurrency_slots_for_run(slot.run_id)


def _is_dead(process: str) -> bool:
    """Whether a process of this machine is gone; of another machine nothing is known."""
    host, _, rest = process.partition(" ")
    number, _, began = rest.partition(" ")
    return host == socket.gethostname() and number.isdecimal() and _began(int(number)) != began


def _began(pid: int) -> str:
    """When a process began, in ticks since the machine did; empty if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]

"""A killed refresh does not stay "started", nor keep its place in a pool."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import dagster as dg

from pipelines import dead_runs
from pipelines.run import instance, write_instance

ROOT = Path(__file__).parents[2]
HOLD = """
    import sys, time
    from pathlib import Path
    import dagster as dg
    from pipelines import dead_runs
    from pipelines.run import instance

    @dg.op(pool="server:db.example.com")
    def hold():
        print("held", flush=True)
        time.sleep(float(sys.argv[2]))

    @dg.job(executor_def=dg.in_process_executor)
    def holding():
        hold()

    with instance(Path(sys.argv[1])) as dagster:
        dead_runs.end(dagster)
        run = holding.execute_in_process(instance=dagster, tags=dead_runs.tags())
        print(run.success, flush=True)
"""


def _start(home: Path, seconds: float) -> subprocess.Popen[str]:
    """A process that reads from the server, as a refresh does."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD), str(home), str(seconds)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_the_next_run_is_not_kept_waiting_by_a_killed_one(tmp_path: Path) -> None:
    write_instance(tmp_path)
    first = _start(tmp_path, 60)
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    with instance(tmp_path) as dagster:
        (run,) = dagster.get_runs()
        dead_runs.end(dagster)
        assert dagster.get_runs()[0].status == dg.DagsterRunStatus.STARTED  # it lives
        pool = dagster.event_log_storage.get_concurrency_info("server:db.example.com")
        assert pool.active_slot_count == 1
        first.send_signal(signal.SIGKILL)
        first.wait(30)
        dead_runs.end(dagster)
        ended = dagster.get_run_by_id(run.run_id)
        assert ended is not None
        assert ended.status == dg.DagsterRunStatus.FAILURE
        pool = dagster.event_log_storage.get_concurrency_info("server:db.example.com")
        assert pool.active_slot_count == 0
    second = _start(tmp_path, 0)
    said, _ = second.communicate(timeout=120)
    assert said == "held\nTrue\n"

"""Killed writers, readers meanwhile, writers at once."""

import importlib.util
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from warehouse import decisions, publish, staged_records, sync_runs
from warehouse.review_tables import decision
from warehouse.tables import crosswalk, golden_customer, staged_customer

_PROGRAM = Path(__file__).with_name("killed.py")
_SPEC = importlib.util.spec_from_file_location("killed", _PROGRAM)
assert _SPEC is not None
assert _SPEC.loader is not None
killed = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(killed)


class Writers:
    """The program that forks writers."""

    def __init__(self, world):
        settings = world.wh.settings.model_dump_json()
        self.process = subprocess.Popen(
            [sys.executable, str(_PROGRAM), settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def run(self, line: str, kill_after: float | None = None) -> tuple[float, int]:
        """Run a writer, killed after some seconds if told: how long it took, its status."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        pid, began = int(self.process.stdout.readline()), time.monotonic()
        if kill_after is not None:
            time.sleep(kill_after)
            with suppress(ProcessLookupError):  # it had finished
                os.kill(pid, signal.SIGKILL)
        status = int(self.process.stdout.readline())
        return time.monotonic() - began, status


@pytest.fixture
def writers(world):
    """Writers in processes of their own, on the same warehouse."""
    found = Writers(world)
    yield found
    found.process.stdin.close()
    found.process.wait(30)


def _names(world, table):
    return sorted(row["name"] for row in world.rows(table))


def _kill_often(world, writers, line, finished, longest):
    """Kill a writer at random moments: each leaves the state before it, or it had finished.

    ``longest`` is how many seconds a writer that is not killed takes.

    Returns how many kills came before the commit, and how long a writer takes by what was seen.
    """
    chance = random.Random(f"{line} {longest}")
    before = world.dump()
    early = 0
    for _ in range(8):
        taken, status = writers.run(line, chance.uniform(0, longest))
        if world.dump() == before:
            early += status == signal.SIGKILL
            longest = max(longest, taken * 1.3)
            continue
        assert finished()
        longest = min(longest, taken)
        break
    return early, longest


def test_a_killed_sync_leaves_the_old_state_and_the_next_one_completes(world, writers):
    longest, status = writers.run("sync a")
    assert status == 0
    for name in ("b", "c", "d", "e", "f"):

        def finished(name=name):
            return _names(world, staged_customer) == sorted(killed.names(name).values())

        early, longest = _kill_often(world, writers, f"sync {name}", finished, longest)
        assert writers.run(f"sync {name}")[1] == 0
        assert finished()
        run = sync_runs.last_sync(world.wh, "erp")
        assert run is not None
        assert run.rows_staged == killed.COUNT
        if early:
            return
    pytest.fail("no kill came before a commit")


def test_a_killed_publish_leaves_the_old_state_and_the_next_one_completes(world, writers):
    writers.run("sync a")
    longest, status = writers.run("publish a")
    assert status == 0
    ids = {row["golden_id"] for row in world.rows(golden_customer)}
    for name in ("b", "c", "d", "e", "f"):
        writers.run(f"sync {name}")

        def finished(name=name):
            found = {row["record_id"] for row in world.rows(crosswalk)}
            shown = _names(world, golden_customer)
            return (
                found == {f"erp:{key}" for key in killed.names(name)}
                and len(shown) == killed.COUNT // 2
                and all(one.startswith(name) for one in shown)
            )

        early, longest = _kill_often(world, writers, f"publish {name}", finished, longest)
        assert writers.run(f"publish {name}")[1] == 0
        assert finished()
        known = publish.redirects(world.wh).keys() | {
            row["golden_id"] for row in world.rows(golden_customer)
        }
        assert ids <= known
        if early:
            return
    pytest.fail("no kill came before a commit")


def test_a_reader_never_sees_half_a_sync(world):
    names = {name: {f"{name}{number}": name for number in range(80)} for name in "ab"}
    wrong: list[object] = []
    done = threading.Event()
    world.put("erp", names["a"])

    def read():
        times = 0
        while not done.is_set():
            found = staged_records.read(world.wh)["name"].to_pylist()
            times += 1
            if found not in (["a"] * 80, ["b"] * 80):
                wrong.append(found)
        return times

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        for name in "bababa":
            world.put("erp", names[name])
        done.set()
        assert reader.result() > 1
    assert wrong == []


def test_sources_can_be_synced_at_once(world):
    names = {str(number): "a" for number in range(50)}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda source: world.put(source, names), ["erp", "crm", "excel", "legacy"]))
    assert staged_records.sources(world.wh) == dict.fromkeys(["crm", "erp", "excel", "legacy"], 50)


def test_decisions_made_at_once_are_all_kept_under_their_own_ids(world):
    def decide(number):
        return decisions.add(
            world.wh,
            "link",
            left_id=f"a:{number}",
            right_id=f"b:{number}",
            reason="same phone",
            decided_by="ann",
        )

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(decide, range(20)))
    assert len(set(ids)) == 20
    assert {row["decision_id"] for row in world.rows(decision)} == set(ids)


def test_of_two_contradicting_decisions_made_at_once_one_is_refused(world):
    def decide(kind):
        try:
            return decisions.add(
                world.wh, kind, left_id="a:1", right_id="b:1", reason="x", decided_by="ann"
            )
        except decisions.DecisionConflict:
            return None

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(decide, ["link", "no_link"]))
    assert made.count(None) == 1
    assert decisions.read(world.wh).num_rows == 1


def test_a_steward_does_not_wait_for_a_publish(world):
    with world.wh.write() as connection:
        connection.execute(sa.insert(crosswalk), [_row(number) for number in range(10)])
        began = time.monotonic()
        decisions.add(world.wh, "link", left_id="a:1", right_id="b:1", reason="x", decided_by="ann")
        assert time.monotonic() - began < 5


def _row(number):
    return {
        "source": "erp",
        "source_key": str(number),
        "record_id": f"erp:{number}",
        "golden_id": "G1",
        "since": datetime.now(UTC),
    }

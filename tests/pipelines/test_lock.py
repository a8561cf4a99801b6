"""One refresh at a time."""

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from onefold.errors import PublishError
from pipelines.lock import exclusive


def _hold(home: Path, held: "multiprocessing.synchronize.Event") -> None:
    with exclusive(home):
        held.set()
        time.sleep(60)


def test_a_second_process_is_refused_and_a_killed_one_gives_the_lock_up(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held = context.Event()
    holder = context.Process(target=_hold, args=(tmp_path, held))
    holder.start()
    assert held.wait(10)
    with pytest.raises(PublishError, match="another refresh is running"), exclusive(tmp_path, 0.3):
        pass
    assert holder.pid
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(10)
    with exclusive(tmp_path, 0):
        pass


def test_a_waiting_run_starts_when_the_other_ends(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with exclusive(tmp_path):
            order.append("second")

    with exclusive(tmp_path):
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.3)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"]

"""Run a command as a process of its own and measure it: time, CPU and memory.

CPU seconds are user and system time of the process and of all children it
waited for, imports included. Peak memory is the largest sum of the resident
memory of the process and its descendants, sampled where /proc is there, and
never less than what the system says about the process itself.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

_NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
SAMPLE_SECONDS = 0.05


class Spent(NamedTuple):
    """CPU seconds that a process had used at a moment (seconds since 1970)."""

    at: float
    cpu: float


@dataclass(frozen=True)
class Measured:
    """What a run took.

    Attributes:
        status: done, failed (exit code other than 0) or timeout.
        exit_code: of the process; negative for a signal.
        wall_seconds, cpu_user_seconds, cpu_system_seconds: times.
        peak_memory_mb: MiB, of the process tree.
    """

    status: str
    exit_code: int
    wall_seconds: float
    cpu_user_seconds: float
    cpu_system_seconds: float
    peak_memory_mb: int

    def as_dict(self) -> dict[str, object]:
        """The figures by name, with the sum of user and system time as cpu_seconds."""
        total = round(self.cpu_user_seconds + self.cpu_system_seconds, 2)
        return {**asdict(self), "cpu_seconds": total}


def run(
    command: Sequence[str | Path],
    log: Path,
    timeout: float,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    spent: list[Spent] | None = None,
) -> Measured:
    """Run a command to its end, or kill it with its children after ``timeout`` seconds.

    Args:
        command: program and arguments.
        log: file for what it prints.
        environment: variables added to those of this process, without that which keeps
            Python from storing bytecode.
        folder: where it runs.
        spent: filled with its CPU time every SAMPLE_SECONDS, where /proc is there.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    # An installed program has its bytecode; to compile its sources is no part of a run.
    kept = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**kept, **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )
        watch = _Watch(process.pid, start + timeout, spent)
        watch.start()
        _, status, used = os.wait4(process.pid, 0)
        watch.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    done = "done" if process.returncode == 0 else "failed"
    return Measured(
        status="timeout" if watch.killed else done,
        exit_code=process.returncode,
        wall_seconds=round(time.perf_counter() - start, 2),
        cpu_user_seconds=round(used.ru_utime, 2),
        cpu_system_seconds=round(used.ru_stime, 2),
        peak_memory_mb=max(watch.peak_bytes >> 20, used.ru_maxrss >> 10),
    )


class _Watch(threading.Thread):
    """Samples the memory of a process tree, and kills its group when its time is over."""

    def __init__(self, pid: int, deadline: float, spent: list[Spent] | None = None) -> None:
        super().__init__(daemon=True)
        self.spent = spent
        self.pid = pid
        self.deadline = deadline
        self.peak_bytes = 0
        self.killed = False
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, resident(self.pid))
            if self.spent is not None and (used := cpu_seconds(self.pid)) is not None:
                self.spent.append(Spent(time.time(), used))
            if time.perf_counter() > self.deadline:
                self.killed = True
                os.killpg(self.pid, signal.SIGKILL)
                return

    def stop(self) -> None:
        self._over.set()
        self.join()


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a process and of children it waited for; None without /proc."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Resident bytes of a process and its descendants; 0 where there is no /proc."""
    total, pending = 0, [pid]
    while pending:
        one = pending.pop()
        place = Path(f"/proc/{one}")
        try:
            total += int((place / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in (place / "task").iterdir():
                pending += [int(child) for child in (task / "children").read_text().split()]
        except (OSError, IndexError):
            continue  # it ended meanwhile
    return total

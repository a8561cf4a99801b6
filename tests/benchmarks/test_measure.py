import sys
from pathlib import Path

import pytest

from benchmarks import measure

BUSY = "import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass\n"


def python(code: str, log: Path, timeout: float = 60) -> measure.Measured:
    return measure.run([sys.executable, "-c", code], log, timeout)


def test_cpu_time_is_that_of_the_process(tmp_path: Path) -> None:
    found = python(BUSY, tmp_path / "log")
    assert found.status == "done"
    assert 0.5 <= found.cpu_user_seconds + found.cpu_system_seconds < 3


def test_cpu_time_and_memory_of_children_count(tmp_path: Path) -> None:
    child = f"import time\nheld = bytearray(60 << 20)\n{BUSY}time.sleep(0.5)"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    found = python(code, tmp_path / "log")
    assert found.cpu_user_seconds + found.cpu_system_seconds >= 0.5
    assert found.peak_memory_mb >= 60


def test_waiting_takes_no_cpu(tmp_path: Path) -> None:
    found = python("import time; time.sleep(1)", tmp_path / "log")
    assert found.wall_seconds >= 1
    assert found.cpu_user_seconds < 0.8


def test_a_run_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    child = "import time; time.sleep(60)"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    found = python(code, tmp_path / "log", timeout=1)
    assert found.status == "timeout"
    assert found.wall_seconds < 30


def test_a_failure_is_told_and_its_words_are_kept(tmp_path: Path) -> None:
    found = python("raise SystemExit('no such thing')", tmp_path / "log")
    assert (found.status, found.exit_code) == ("failed", 1)
    assert "no such thing" in (tmp_path / "log").read_text()


def test_programs_keep_their_bytecode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every run would compile its sources, which an installed program does not."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    python("import sys; print(sys.dont_write_bytecode)", tmp_path / "log")
    assert (tmp_path / "log").read_text().split() == ["False"]

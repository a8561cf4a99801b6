"""How the installed program ends: with its exit code and what waits for it, and nothing freed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = """
import atexit, sys, threading, time
from onefold.cli import app, ending

class Node:
    def __del__(self):
        print("freed")

def command():
    node = Node()
    node.itself = node
    atexit.register(print, "waited for")
    {does}

ending.main = command
sys.stdout.write("said ")
ending.program()
"""


@pytest.mark.parametrize(
    "does, status, out, err",
    [
        ("pass", 0, "said waited for\n", ""),
        ("sys.exit(3)", 3, "said waited for\n", ""),
        ("sys.exit()", 0, "said waited for\n", ""),
        ("sys.exit('why')", 1, "said waited for\n", "why\n"),
        # A thread goes on: Python waits for it, and frees what there is, as always.
        (
            "threading.Thread(target=lambda: (time.sleep(.2), print('worked'))).start()",
            0,
            "said worked\nwaited for\nfreed\n",
            "",
        ),
    ],
)
def test_the_program_ends(does: str, status: int, out: str, err: str) -> None:
    code = RUN.format(does=does)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (status, out, err)


def test_what_fails_unexpectedly_is_told_as_ever() -> None:
    code = RUN.format(does="raise RuntimeError('why')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback") and done.stderr.endswith("RuntimeError: why\n")


def test_nobody_reads_any_more() -> None:
    """As in ``onefold status | head``: what was not written yet is dropped without a word."""
    code = RUN.format(does="time.sleep(0.5); sys.exit(3)")
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    program = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=buffered,
    )
    assert program.stdout is not None and program.stderr is not None
    program.stdout.close()
    with program.stderr:
        assert program.stderr.read() == ""
    assert program.wait() == 3


def test_nobody_ever_read() -> None:
    """As in ``onefold refresh >&-``: Python has no stream then."""
    code = RUN.format(does="sys.exit(3)").replace('sys.stdout.write("said ")', "sys.stdout = None")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_what_cannot_be_written_is_an_error() -> None:
    code = RUN.format(does="pass")
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
            env=buffered,
        )
    assert done.returncode != 0 and "No space left" in done.stderr

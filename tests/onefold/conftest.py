"""Commands as a user types them, without a process for each: importing takes longer than most."""

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from onefold.cli import main


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def onefold(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """``onefold("export", file, cwd=folder, said="y\\n", ONEFOLD_HOME=...)``: run a command.

    It goes through ``main``, as the installed program does, in a folder, with what is typed
    and the environment, wide enough that tables do not wrap.
    """

    def run(*arguments: object, cwd: Path, said: str = "", **environment: str) -> Done:
        out, err, status = io.StringIO(), io.StringIO(), 0
        with monkeypatch.context() as changed, redirect_stdout(out), redirect_stderr(err):
            changed.chdir(cwd)
            changed.setattr(sys, "argv", ["onefold", *map(str, arguments)])
            changed.setattr(sys, "stdin", io.StringIO(said))
            for name, value in {"COLUMNS": "200", **environment}.items():
                changed.setenv(name, value)
            try:
                main()
            except SystemExit as ended:
                status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        return Done(status, out.getvalue(), err.getvalue())

    return run

"""Run by test_kill.py: forks children that run the stages and kill themselves on the way.

Reads lines ``HOME<tab>KIND<tab>POINT<tab>ACT`` and answers each with the child's exit
code (-9: killed). Everything is imported once, and every stage ran once, on the sources
of the home that is the argument; a fork costs neither an import nor a dictionary.
ACT is ``run`` (all stages), ``open`` (only that), ``erase KEY`` (of crm) or ``rehearse FOLDER``.
KIND is ``message`` (die when the stages say a line that starts with POINT),
``sql`` (die before the first statement that contains POINT), ``write`` (the
same, but not before a SELECT), ``file`` (die when a file is flushed whose
path contains POINT, before it gets its name) or ``rename`` (die before a file gets a name
that contains POINT).
"""

import logging
import os
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path

import great_expectations  # noqa: F401
import sqlalchemy as sa

from onefold import settings
from pipelines import stages
from pipelines.stages import erasing, held, rehearsing


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(kind: str, point: str) -> None:
    if kind == "message":
        handler = logging.Handler(logging.INFO)
        handler.emit = lambda record: (  # type: ignore[method-assign]
            _die() if record.getMessage().startswith(point) else None
        )
        logging.getLogger("onefold").addHandler(handler)
        logging.getLogger("onefold").setLevel(logging.INFO)
    elif kind in ("sql", "write"):

        @sa.event.listens_for(sa.Engine, "before_cursor_execute")
        def _before(_c: object, _u: object, statement: str, *_rest: object) -> None:
            if point in statement and (kind == "sql" or not statement.startswith("SELECT")):
                _die()
    elif kind == "file":
        flush = os.fsync

        def _flush(descriptor: int) -> None:
            flush(descriptor)
            if point in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
                _die()

        os.fsync = _flush
    elif kind == "rename":

        def _hear(event: str, args: tuple[object, ...]) -> None:
            if event == "os.rename" and point in str(args[1]):
                _die()

        sys.addaudithook(_hear)


def _act(home: Path, act: str) -> None:
    name, _, what = act.partition(" ")
    if name == "run":
        _run(home)
    elif name == "rehearse":
        with rehearsing.varied(home, settings.load(home), Path(what)) as opened:
            stages.rehearse(opened)
    else:
        with stages.opened(home) as opened:
            if name == "erase":
                whom = [held.Whom(source="crm", source_key=what)]
                erasing.erase(opened, whom, "dpo", "12")


def _run(home: Path) -> None:
    with stages.opened(home) as opened:
        for source in opened.sources:
            stages.sync(opened, source)
            stages.stage(opened, source)
        stages.canonical(opened)
        stages.publish(opened)


def _warm(home: Path) -> None:
    """Run every stage on the sources of a home, elsewhere, so that all is loaded."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "home"
        for name in ("sources", "data"):
            shutil.copytree(home / name, folder / name)
        shutil.copy(home / "onefold.yml", folder)
        _run(folder)


def main() -> None:
    """Answer every line of standard input."""
    _warm(Path(sys.argv[1]))
    for line in sys.stdin:
        home, kind, point, act = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            _arm(kind, point)
            code = 1
            try:
                _act(Path(home), act)
                code = 0
            finally:
                if code:
                    traceback.print_exc()
                os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()

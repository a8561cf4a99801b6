"""The installed program: the command line, in a process that is its own.

What belongs here: how the process ends. When Python ends it looks at every object once more and
frees each one: a third of the CPU time of a refresh that finds nothing new. All of that goes with
the process anyway.
"""

import atexit
import os
import sys
import threading

from onefold.cli.app import main


def program() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        _end(ended.code if isinstance(ended.code, int) else int(bool(ended.code)))
        raise
    _end(0)


def _end(status: int) -> None:
    """End the process, once all that waits for its end is done.

    Where a thread still works, or not all that was said can be written, the caller goes on, and
    Python ends as it does by itself.
    """
    if any(not one.daemon for one in threading.enumerate() if one is not threading.main_thread()):
        return
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None: it was closed from the start
        try:
            stream.flush()
        except BrokenPipeError:  # nobody reads any more
            continue
        except OSError:
            return
    os._exit(status)

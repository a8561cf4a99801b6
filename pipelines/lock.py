"""One refresh at a time in a home.

The lock is the kernel's on an open file (flock): a killed process gives it up
by dying, so nothing has to be cleaned away, and the file itself means nothing.
The command line and the daemon's runs both take it.
"""

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onefold.errors import PublishError

log = logging.getLogger("onefold.lock")

LOCK_FILE = ".onefold.lock"
_POLL_SECONDS = 0.2


@contextmanager
def exclusive(home: Path, wait_seconds: float | None = None) -> Iterator[None]:
    """Hold the home's lock for the duration of the block.

    Args:
        home: the home folder.
        wait_seconds: how long to wait for another holder; None waits for ever.

    Raises:
        PublishError: another process still holds the lock after wait_seconds.
    """
    path = home / LOCK_FILE
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        began, said = time.monotonic(), False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waited = time.monotonic() - began
                if wait_seconds is not None and waited >= wait_seconds:
                    raise PublishError(
                        str(home),
                        "another refresh is running in this home",
                        do="Wait for it to end, then run again.",
                    ) from None
                if not said:
                    log.info("waiting: another refresh is running in this home")
                    said = True
                time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(handle)

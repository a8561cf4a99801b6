"""Files of the lake: written under a temporary name, synced to disk, renamed.

What belongs here: that a file is there whole or not at all, whatever is killed when.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_TEMPORARY = ".tmp"


@contextmanager
def temporary(place: Path, stem: str) -> Iterator[IO[bytes]]:
    """A locked temporary file; removed on the way out unless it was published."""
    path = place / f".{stem}{_TEMPORARY}"
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield file
        finally:
            path.unlink(missing_ok=True)


def publish(file: IO[bytes], final: Path) -> None:
    """Give a finished file its name; on disk when this returns."""
    file.flush()
    os.fsync(file.fileno())
    Path(file.name).replace(final)
    directory = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def clean(place: Path) -> None:
    """Remove what a killed run left; the files of a run that lives are locked."""
    for path in place.glob(f".*{_TEMPORARY}"):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue

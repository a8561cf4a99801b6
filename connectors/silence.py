"""Servers that fall silent: a connection on which nothing comes any more is cut.

What belongs here: the watch over a connection whose driver would wait for ever.
A peer that is gone without a word is found by TCP itself; one that holds the
connection and sends nothing, by nobody else.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import event

_LOOKS = 5
"""How often within the time allowed the watch looks."""


class Watch:
    """Cuts a connection on which nothing was heard for some time, while somebody listens.

    Attributes:
        beats: to be counted up with everything that comes.
        silent: whether it had to cut.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.beats = 0
        self.silent = False
        self._descriptor: int | None = None
        self._listening = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="onefold-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def over(self, engine: sa.Engine) -> None:
        """Watch the connection of an engine of psycopg, and all statements on it."""

        def connected(driver: Any, *_: object) -> None:
            self._descriptor = driver.pgconn.socket
            self.listen()

        # Before the dialect asks its own first questions.
        event.listen(engine, "connect", connected, insert=True)
        event.listen(engine, "before_cursor_execute", lambda *_: self.listen())
        event.listen(engine, "after_cursor_execute", lambda *_: self.rest())

    def listen(self) -> None:
        """From now on the server is expected to say something."""
        self.beats += 1
        self._listening = True

    def rest(self) -> None:
        """From now on it is not."""
        self._listening = False

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Time, while listening, in which nobody reads what comes."""
        self.rest()
        try:
            yield
        finally:
            self.listen()

    def _look(self) -> None:
        heard, since = self.beats, time.monotonic()
        while not self._over.wait(self.seconds / _LOOKS):
            now = time.monotonic()
            if not self._listening or heard != self.beats:
                heard, since = self.beats, now
            elif now - since >= self.seconds:
                self.silent = True
                self.cut()
                return

    def cut(self) -> None:
        """Shut the connection in both directions: whoever reads on it sees its end."""
        if self._descriptor is None:
            return
        with socket.socket(fileno=os.dup(self._descriptor)) as same:
            try:
                same.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is gone already

"""The server's log and a reading: asked before the rows are read, released when they are kept.

What belongs here: the connections for it, and what becomes of the slot whatever becomes of the
reading. What is asked stands in connectors/replication.py.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from connectors import publications, replication
from connectors.config import SourceConfig
from connectors.database_connections import connected, session_settings
from connectors.reading import Reading, Since
from connectors.replication import Log
from onefold.errors import SourceError

_LOG = logging.getLogger("onefold.refresh")


@dataclass
class Followed:
    """What the log said, and whether what came of it was kept.

    Attributes:
        config: the source.
        log: what its slot said.
        kept: whether it is on disk.
    """

    config: SourceConfig
    log: Log
    kept: bool = False

    def give(self, reading: Reading) -> None:
        """Tell a reading why it is whole, and have it release the slot once it is kept."""
        if self.log.why:
            reading.report.note(f"everything was read: {self.log.why}")
        reading.release = lambda: self._release(reading.mark)

    def _release(self, mark: str) -> None:
        self.kept = True
        _tell(self.config, lambda server: replication.release(server, self.log.slot, mark))


@contextmanager
def followed(config: SourceConfig, since: Since | None) -> Iterator[Followed | None]:
    """Ask the log of a source that goes by it; a slot that was made for nothing is taken away.

    Raises:
        SourceError: as :func:`connectors.replication.ask`.
    """
    if not has_slot(config):
        yield None
        return
    with _server(config) as server:
        found = Followed(config, replication.ask(config, server, since))
    try:
        yield found
    finally:
        if found.log.made and not found.kept:
            _tell(config, lambda server: replication.drop(server, found.log.slot))


def check(config: SourceConfig) -> None:
    """Look whether the log of a source that goes by it could be asked; nothing is made.

    Raises:
        SourceError: something is missing on the server; says what to run.
    """
    if has_slot(config):
        with _server(config) as server:
            publications.followed(config, server)


def has_slot(config: SourceConfig) -> bool:
    """Whether a source goes by a log that the server keeps for it."""
    return config.changes is not None and bool(config.changes.slot)


def kept(config: SourceConfig) -> int | None:
    """Bytes of log that the server keeps for a source's slot; None: there is none.

    Raises:
        SourceError: the server cannot be asked.
    """
    with _server(config) as server:
        return replication.kept(config, server)


def abandon(config: SourceConfig) -> bool:
    """Take away the slot of a source that is not synced any more; whether there was one.

    Raises:
        SourceError: it stays; says why.
    """
    with _server(config) as server:
        return replication.abandon(config, server)


@contextmanager
def _server(config: SourceConfig) -> Iterator[sa.Connection]:
    """A connection on which every statement stands for itself, and values are text as in rows."""
    with connected(config) as connection:
        server = connection.execution_options(isolation_level="AUTOCOMMIT")
        told = session_settings("postgresql", config.timeout)
        settings = (one.replace("LOCAL", "SESSION") for one in told)
        server.exec_driver_sql("; ".join((*settings, "SET client_encoding = 'UTF8'")))
        yield server


def _tell(config: SourceConfig, do: Callable[[sa.Connection], None]) -> None:
    """Tell the server; where that fails, the next sync will."""
    try:
        with _server(config) as server:
            do(server)
    except SourceError as error:
        _LOG.warning("%s: the replication slot stays as it is. %s", config.name, error)

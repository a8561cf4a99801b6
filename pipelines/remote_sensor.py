"""What starts a sync when files elsewhere change: on web servers, in S3, on SFTP servers.

What belongs here: a look at names, sizes and ETags or times of change from time to time,
without fetching a file, and what follows from it. A state is known if the last snapshot was
read from it, whoever synced, or if it was asked for once. A server that does not answer is
looked at again the next time; files that are gone, and a server that refuses, ask for one
run, which says so as every failed sync does.

What the sensor keeps is a hash of what it saw. No message has user, password or query of a URL.
"""

from pathlib import Path

import dagster as dg

from connectors import holding, snapshot
from connectors import source as sources_module
from connectors.holding import Seen
from connectors.remote import is_remote
from connectors.source import SourceConfig
from onefold import settings
from onefold.errors import OnefoldError, SourceUnreachable
from pipelines import fingerprint, lake
from pipelines.resources import InWords

INTERVAL_SECONDS = 120
"""How often a server is asked: one listing, or one request for each file."""


def look(home: Path, config: SourceConfig, cursor: str | None) -> dg.SensorResult | dg.SkipReason:
    """What follows from how a source's files elsewhere are now; ``cursor``: from the last look."""
    with InWords():
        return _look(home, config, cursor)


def _look(home: Path, config: SourceConfig, cursor: str | None) -> dg.SensorResult | dg.SkipReason:
    try:
        seen = holding.look(config)
    except SourceUnreachable as error:
        return dg.SkipReason(str(error))
    except OnefoldError as error:
        now = fingerprint.of(type(error).__name__, error.where, error.what)
        if now == cursor:
            return dg.SkipReason(str(error))
        return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=now)
    now = fingerprint.of(
        [[one.name, one.size, one.stamp] for one in seen], sources_module.files(config)
    )
    if now == cursor or _is_read(home, config, seen):
        reason = f"{len(seen)} file{'s' * (len(seen) != 1)} elsewhere, none changed."
        return dg.SensorResult(skip_reason=reason, cursor=now)
    if not all(one.settled for one in seen):
        return dg.SkipReason("A file changed a moment ago and may still be being written.")
    return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=now)


def _is_read(home: Path, config: SourceConfig, seen: list[Seen]) -> bool:
    """Whether the last snapshot was read from these files."""
    if not all(map(is_remote, config.path)):
        return False
    manifest = snapshot.latest(lake.folder(settings.load(home)), config.name)
    if manifest is None or not all(one.version for one in seen):
        return False
    read = {(one.name, one.size, one.version) for one in manifest.files}
    return read == {(one.name, one.size, one.version) for one in seen}

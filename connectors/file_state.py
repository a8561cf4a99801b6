"""The state of a source's files on this machine: is what lies there what was read?

What belongs here: a name for the state, and since when a change of it waits. Whether that is
too long is for warehouse/health.py; what starts the sync is a sensor in pipelines/sensors.py.
"""

import hashlib
import json
from datetime import UTC, datetime

from connectors.config import SourceConfig
from connectors.remote import is_remote
from connectors.source import files

_LENGTH = 16


def name(config: SourceConfig) -> str:
    """Names the state of a source's files: another name, and one of them changed."""
    text = json.dumps([files(config)], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


def is_watched(config: SourceConfig) -> bool:
    """Whether a source is in time while its files are those that were read, however old.

    So it is where all of them lie on this machine and nothing says how often they come:
    neither ``schedule`` nor ``fresh_within``.
    """
    return config.fresh_for is None and bool(config.path) and not any(map(is_remote, config.path))


def unread_since(config: SourceConfig, read: str, since: datetime) -> datetime | None:
    """Since when a change of its files waits to be read; None: they are those that were read.

    Args:
        read: name of the state that the last good sync read; '' if there was none.
        since: when that sync ended, UTC, or where there was none, when the source was declared.

    Returns:
        the oldest time of change after ``since``; ``since`` where no file tells, as a file that
        is gone or was put there with an old time.
    """
    if name(config) == read:
        return None
    changed = (datetime.fromtimestamp(at / 1e9, UTC) for _, _, at in files(config))
    return min((at for at in changed if at > since), default=since)

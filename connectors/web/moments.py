"""When a record of a web service changed: its text as a moment, and back.

What belongs here: reading what services write, and where the next reading begins.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.change_settings import Overlap
from connectors.marks import OVERLAP

_UNIX = re.compile(r"\d{9,11}(\.\d+)?|\d{12,14}")
_DAY = timedelta(days=1)
_TEN_DIGITS = 11
"""Digits up to which a number is seconds since 1970; more are milliseconds."""


@dataclass(frozen=True)
class Span:
    """What is asked for: records that changed from one moment on.

    Attributes:
        begin: the moment, with its zone.
        until: where to stop, exclusive; None: at the end.
    """

    begin: datetime
    until: datetime | None = None


def read(text: str | None, zone: ZoneInfo) -> datetime | None:
    """A moment, UTC; None if the text is none.

    Args:
        text: ISO 8601, a date, or seconds or milliseconds since 1970.
        zone: of moments that name none.

    >>> utc = ZoneInfo("UTC")
    >>> str(read("2026-01-31T08:00:00.000+0100", utc)), str(read("1767168000000", utc))
    ('2026-01-31 07:00:00+00:00', '2025-12-31 08:00:00+00:00')
    >>> str(read("2026-01-31", ZoneInfo("Asia/Shanghai"))), read("soon", utc), read(None, utc)
    ('2026-01-30 16:00:00+00:00', None, None)
    """
    if not text:
        return None
    try:
        if _UNIX.fullmatch(text):
            whole = text.partition(".")[0]
            seconds = float(text) if len(whole) <= _TEN_DIGITS else int(text) / 1000
            return datetime.fromtimestamp(seconds, UTC)
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def is_date(text: str | None) -> bool:
    """Whether a text is a day without hours."""
    try:
        return bool(text) and date.fromisoformat(str(text).strip()) is not None
    except ValueError:
        return False


def begin(mark: datetime, overlap: Overlap | None, *, days: bool) -> datetime:
    """Where to begin after a mark.

    Args:
        overlap: how long before it; None: the default.
        days: whether the cursor has no hours.
    """
    length = overlap if isinstance(overlap, timedelta) else _DAY if days else OVERLAP
    return mark - (max(length, _DAY) if days else length)


def written(moment: datetime, form: str) -> str:
    """A moment as a parameter has it.

    Args:
        form: iso, date, unix, unix_ms.

    >>> at = datetime(2026, 1, 31, 8, tzinfo=UTC)
    >>> [written(at, form) for form in ("iso", "date", "unix", "unix_ms")]
    ['2026-01-31T08:00:00Z', '2026-01-31', '1769846400', '1769846400000']
    """
    moment = moment.astimezone(UTC)
    if form == "date":
        return moment.date().isoformat()
    if form == "unix":
        return str(int(moment.timestamp()))
    if form == "unix_ms":
        return str(int(moment.timestamp() * 1000))
    # Rounded down: a service may compare whole seconds.
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"

"""When a record of a web service changed: its text as a moment or a number, and back.

What belongs here: reading what services write, and where the next reading begins. Numbers
are versions that only grow; digits alone do not say which they are, the source or the
service's metadata does.
"""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from connectors.change_settings import Overlap
from connectors.marks import OVERLAP

_UNIX = re.compile(r"\d{9,11}(\.\d+)?|\d{12,14}")
_DAY = timedelta(days=1)
_TEN_DIGITS = 11
"""Digits up to which a number is seconds since 1970; more are milliseconds."""


Point = datetime | int
"""A value of a cursor: a moment with its zone, or a number."""


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


def number(text: str | None) -> int | None:
    """A whole number; None if the text is none.

    >>> number("9007199254740993"), number("17.0"), number("1e3"), number("1.5"), number("x")
    (9007199254740993, 17, 1000, None, None)
    """
    try:
        found = Decimal(text or "")
    except InvalidOperation:
        return None
    return int(found) if found.is_finite() and found == found.to_integral_value() else None


def is_date(text: str | None) -> bool:
    """Whether a text is a day without hours."""
    try:
        return bool(text) and date.fromisoformat(str(text).strip()) is not None
    except ValueError:
        return False


def begin(mark: Point, overlap: Overlap | None, *, days: bool) -> Point:
    """Where to begin after a mark.

    Args:
        overlap: how far before it; None, and what is of the other kind: the default.
        days: whether the cursor has no hours.

    >>> begin(1000, None, days=False), begin(1000, 50, days=False)
    (1000, 950)
    """
    if isinstance(mark, int):
        return mark - (overlap if isinstance(overlap, int) else 0)
    length = overlap if isinstance(overlap, timedelta) else _DAY if days else OVERLAP
    return mark - (max(length, _DAY) if days else length)


def written(moment: Point, form: str) -> str:
    """A moment or a number as a parameter has it.

    Args:
        form: of moments: iso, date, unix, unix_ms.

    >>> at = datetime(2026, 1, 31, 8, tzinfo=UTC)
    >>> [written(at, form) for form in ("iso", "date", "unix", "unix_ms")]
    ['2026-01-31T08:00:00Z', '2026-01-31', '1769846400', '1769846400000']
    """
    if isinstance(moment, int):
        return str(moment)
    moment = moment.astimezone(UTC)
    if form == "date":
        return moment.date().isoformat()
    if form == "unix":
        return str(int(moment.timestamp()))
    if form == "unix_ms":
        return str(int(moment.timestamp() * 1000))
    # Rounded down: a service may compare whole seconds.
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"

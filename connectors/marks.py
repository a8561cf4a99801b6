"""How far a source has been read: the greatest value of a cursor, kept as text.

What belongs here: a value as a driver gives it to text and back, where the next reading
begins (the overlap), and which values lie in the future. What is asked with it stands in
connectors/changes.py.

A cursor of text counts as a moment where it is written like one: ISO 8601 or the digits of
SAP (``20240501``, ``20240501103000``); its order as text is then its order in time.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from connectors.change_settings import Overlap

OVERLAP = timedelta(minutes=10)
"""Default: longer than transactions usually stay open. A row is stamped before it is seen."""

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)(?:([ T])(\d\d:\d\d:\d\d)[.,\d]*(Z|[+-]\d\d(?::?\d\d)?)?)?")
_DIGITS = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True)
class Mark:
    """One value of a cursor.

    Attributes:
        value: as the driver gives it and takes it: datetime, date, int, Decimal, bytes or str.
    """

    value: Any

    def __str__(self) -> str:
        kind = next(kind for kind, types in _KINDS.items() if isinstance(self.value, types))
        if isinstance(self.value, bytes):
            return f"{kind} {self.value.hex()}"
        written = self.value.isoformat() if isinstance(self.value, date) else str(self.value)
        return f"{kind} {written}"

    @property
    def written_like(self) -> str:
        """How a text that is a moment is written; '' for all else."""
        return _pattern(self.value) if isinstance(self.value, str) else ""

    def before(self, overlap: Overlap | None) -> "Mark":
        """Where to begin.

        Args:
            overlap: how far before this; None: the default of its kind.

        Raises:
            ValueError: a length of time for a number, or a number for a moment.
        """
        value, pattern = self.value, self.written_like
        timed = isinstance(value, date) or bool(pattern)
        if overlap is None:
            if not timed:
                return self
            overlap = OVERLAP
        if not isinstance(overlap, timedelta):
            if timed:
                raise ValueError("a length of time, such as 10m")
            return self._lower(overlap)
        if not timed:
            raise ValueError("a number, such as 1000")
        if not isinstance(value, datetime) and not _has_hours(pattern):
            # Part of a day is a whole one, as a date has no hours.
            overlap = timedelta(days=-(-overlap // timedelta(days=1)))
        try:
            if pattern:
                begun = datetime.strptime(value[: _length(pattern)], pattern) - overlap
                return Mark(begun.strftime(pattern))
            return Mark(value - overlap)
        except OverflowError:
            return self  # the first days of the calendar

    def _lower(self, number: int) -> "Mark":
        if isinstance(self.value, bytes):
            lower = max(int.from_bytes(self.value) - number, 0)
            return Mark(lower.to_bytes(len(self.value)))
        return self if isinstance(self.value, str) else Mark(self.value - number)

    def is_after(self, now: datetime, zone: str) -> bool:
        """Whether a moment lies in the future; never for numbers and other text.

        Args:
            now: a moment with its zone.
            zone: the one of moments that name none.
        """
        latest = self.latest(now, zone)
        if isinstance(self.value, str):
            return latest is not None and self.value[: len(latest.value)] > latest.value
        return latest is not None and bool(self.value > latest.value)

    def latest(self, now: datetime, zone: str) -> "Mark | None":
        """This moment as the source would write it; None for numbers and other text."""
        local = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if isinstance(self.value, datetime):
            return Mark(now if self.value.tzinfo else local)
        if isinstance(self.value, date):
            return Mark(local.date())
        pattern = self.written_like
        if not pattern:
            return None
        match = _ISO.fullmatch(self.value)
        named = bool(match and match.group(4))
        return Mark((now.astimezone(UTC) if named else local).strftime(pattern))


_KINDS: dict[str, tuple[type, ...]] = {
    "moment": (datetime,),
    "date": (date,),
    "number": (int, Decimal),
    "bytes": (bytes,),
    "text": (str,),
}


def of(value: Any) -> Mark | None:
    """The mark of a driver's value; None where there is nothing.

    Raises:
        ValueError: values of this kind have no order that a sync could use.
    """
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bytearray | memoryview):
        value = bytes(value)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(
        value, tuple(t for k in _KINDS.values() for t in k)
    ):
        raise ValueError(type(value).__name__)
    return Mark(value)


def parse(text: str) -> Mark:
    """A mark from its text.

    >>> for value in (datetime(2024, 5, 1, 10, 30), date(2024, 5, 1), 42, b"\\x07", "2024-05-01"):
    ...     assert parse(str(Mark(value))) == Mark(value), value

    Raises:
        ValueError: it is none.
    """
    kind, _, written = text.partition(" ")
    if kind == "moment":
        return Mark(datetime.fromisoformat(written))
    if kind == "date":
        return Mark(date.fromisoformat(written))
    if kind == "number":
        return Mark(int(written) if re.fullmatch(r"-?\d+", written) else Decimal(written))
    if kind == "bytes":
        return Mark(bytes.fromhex(written))
    if kind == "text":
        return Mark(written)
    raise ValueError(text)


def like(mark: Mark, text: str, zone: str = "UTC") -> Mark:
    """A value of a cursor that somebody wrote, as one of the mark's kind.

    >>> like(Mark(datetime(2024, 5, 1)), "2024-04-01").value
    datetime.datetime(2024, 4, 1, 0, 0)
    >>> like(Mark("20240501"), "2024-04-01").value, like(Mark(7), "12").value
    ('20240401', 12)

    Raises:
        ValueError: it cannot be one.
    """
    pattern = mark.written_like
    if pattern:
        return Mark(datetime.fromisoformat(text).strftime(pattern))
    if isinstance(mark.value, datetime):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None and mark.value.tzinfo is not None:
            moment = moment.replace(tzinfo=ZoneInfo(zone))
        return Mark(moment)
    if isinstance(mark.value, date):
        return Mark(date.fromisoformat(text))
    if isinstance(mark.value, int | Decimal):
        return Mark(int(text))
    return Mark(bytes.fromhex(text) if isinstance(mark.value, bytes) else text)


def may_lie(text: str, low: Mark, high: Mark, zone: str = "UTC") -> bool:
    """Whether a cursor, as a snapshot has it, lies in a range; true, too, where it does not say.

    >>> may = Mark(datetime(2024, 5, 1)), Mark(datetime(2024, 6, 1))
    >>> [may_lie(text, *may) for text in ("2024-05-31 23:59:59.5", "2024-06-01 00:00:00", "?")]
    [True, False, True]

    Args:
        low, high: of one kind; the end excluded.
        zone: the one of moments that name none.
    """
    value: Any = text
    try:
        if isinstance(low.value, datetime):
            value = _clocked(datetime.fromisoformat(text), low.value, zone)
        elif isinstance(low.value, date):
            value = date.fromisoformat(text)
        elif isinstance(low.value, int | Decimal):
            value = Decimal(text)
        elif isinstance(low.value, bytes):
            value = bytes.fromhex(text)
    except (ValueError, InvalidOperation):
        return True
    return bool(low.value <= value < high.value)


def _clocked(moment: datetime, like: datetime, zone: str) -> datetime:
    """A moment with or without its zone, as another one is."""
    if like.tzinfo is None:
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))


def _pattern(value: str) -> str:
    """How a text is written as a moment, up to the second; '' if it is none.

    >>> _pattern("2024-05-01T10:30:00.5Z"), _pattern("20240501"), _pattern("C-17")
    ('%Y-%m-%dT%H:%M:%S', '%Y%m%d', '')
    """
    match = _ISO.fullmatch(value)
    if match:
        pattern = f"%Y-%m-%d{match.group(2)}%H:%M:%S" if match.group(2) else "%Y-%m-%d"
    else:
        pattern = _DIGITS.get(len(value), "") if value.isdecimal() else ""
    try:
        if pattern:
            datetime.strptime(value[: _length(pattern)], pattern)
    except ValueError:
        return ""
    return pattern


def _has_hours(pattern: str) -> bool:
    return "%H" in pattern


def _length(pattern: str) -> int:
    return len(datetime(2000, 1, 1).strftime(pattern))

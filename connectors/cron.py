"""Cron lines of five fields: are they right, when did one come round, how long till the next.

>>> is_cron("30 2 * * *"), is_cron("daily")
(True, False)
>>> str(longest_gap("30 2 * * *")), str(longest_gap("0 8-18 * * mon-fri"))
('1 day, 0:00:00', '2 days, 14:00:00')
"""

import re
from datetime import date, datetime, time, timedelta
from itertools import pairwise

_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_WORDS = {
    3: ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    4: ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
}
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_FIRST_DAY = date(2000, 1, 1)
_DAYS = 2 * 1461 + 1
"""Days looked at: two leap years, so that every date, the last of February too, comes twice."""


def is_cron(line: str) -> bool:
    """Whether a line is cron with five fields.

    >>> [is_cron(line) for line in ("0 2 * * *", "*/15 8-18 * * mon-fri", "0 0 1,15 * *")]
    [True, True, True]
    >>> [is_cron(line) for line in ("0 2 * *", "60 2 * * *", "daily", "0 2 * * someday")]
    [False, False, False, False]
    """
    fields = line.split()
    return len(fields) == len(_RANGES) and all(
        _values(field, place) is not None for place, field in enumerate(fields)
    )


def longest_gap(line: str) -> timedelta | None:
    """The longest time from one moment of a cron line to the next, clock changes left out.

    A day is meant where day of month or day of week says so, if both name some.

    Args:
        line: a line for which :func:`is_cron` holds.

    Returns:
        the gap; None where the line never comes round (30 February).
    """
    days, times = _Days(line), _minutes(line)
    found = [number for number in range(_DAYS) if _FIRST_DAY + timedelta(number) in days]
    if len(found) < 2:
        return None
    within = max((after - before for before, after in pairwise(times)), default=0)
    nights = max(after - before for before, after in pairwise(found))
    return timedelta(minutes=max(within, nights * 24 * 60 + times[0] - times[-1]))


def latest(line: str, moment: datetime) -> datetime | None:
    """When a cron line last came round, by the clock of the moment's zone.

    >>> from datetime import UTC
    >>> str(latest("30 2 * * sun", datetime(2026, 11, 23, 1, tzinfo=UTC)))
    '2026-11-22 02:30:00+00:00'

    Args:
        line: a line for which :func:`is_cron` holds.
        moment: until when, inclusive.

    Returns:
        the moment; None where the line never comes round (30 February).
    """
    days, times = _Days(line), _minutes(line)
    for back in range(_DAYS):
        day = moment.date() - timedelta(back)
        if day not in days:
            continue
        for minutes in reversed(times):
            found = datetime.combine(day, time(*divmod(minutes, 60)), moment.tzinfo)
            if found <= moment:
                return found
    return None


class _Days:
    """The days of a cron line."""

    def __init__(self, line: str) -> None:
        fields = line.split()
        self._days, self._months, self._weekdays = (
            _values(fields[place], place) or set() for place in (2, 3, 4)
        )
        self._either = not fields[2].startswith("*") and not fields[4].startswith("*")

    def __contains__(self, day: date) -> bool:
        on_day = day.day in self._days
        on_weekday = day.isoweekday() % 7 in self._weekdays
        named = on_day or on_weekday if self._either else on_day and on_weekday
        return named and day.month in self._months


def _minutes(line: str) -> list[int]:
    """The times of day of a cron line, in minutes from midnight."""
    minutes, hours = (
        _values(field, place) or set() for place, field in enumerate(line.split()[:2])
    )
    return sorted(60 * hour + minute for hour in hours for minute in minutes)


def _values(field: str, place: int) -> set[int] | None:
    """What a field of a cron line names; None if it is wrong. Sunday is 0."""
    found: set[int] = set()
    for part in field.lower().split(","):
        values = _part(part, place)
        if values is None:
            return None
        found |= values
    return {value % 7 for value in found} if place == 4 else found


def _part(part: str, place: int) -> set[int] | None:
    match = _PART.fullmatch(part)
    if not match or match.group(4) == "0":
        return None
    low, high = _RANGES[place]
    step = int(match.group(4) or 1)
    if match.group(1):
        return set(range(low, high + 1, step))
    words = _WORDS.get(place, ())
    ends = []
    for end in match.group(2, 3):
        if end in words:
            ends.append(words.index(end) + low)
        elif end is not None:
            if not end.isdecimal() or not low <= int(end) <= high:
                return None
            ends.append(int(end))
    if ends != sorted(ends):
        return None
    last = ends[-1] if len(ends) == 2 else high if match.group(4) else ends[0]
    return set(range(ends[0], last + 1, step))

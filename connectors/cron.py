"""Cron lines of five fields: are they right, and how long they leave a source alone.

>>> is_cron("30 2 * * *"), is_cron("daily")
(True, False)
>>> str(longest_gap("30 2 * * *")), str(longest_gap("0 8-18 * * mon-fri"))
('1 day, 0:00:00', '2 days, 14:00:00')
"""

import re
from datetime import date, timedelta
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
    fields = line.split()
    minutes, hours, days, months, weekdays = (
        _values(field, place) or set() for place, field in enumerate(fields)
    )
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    found = [
        number
        for number in range(_DAYS)
        if (day := _FIRST_DAY + timedelta(number)).month in months
        and _is_day(day, days, weekdays, either)
    ]
    times = sorted(60 * hour + minute for hour in hours for minute in minutes)
    if len(found) < 2:
        return None
    within = max((after - before for before, after in pairwise(times)), default=0)
    nights = max(after - before for before, after in pairwise(found))
    return timedelta(minutes=max(within, nights * 24 * 60 + times[0] - times[-1]))


def _is_day(day: date, days: set[int], weekdays: set[int], either: bool) -> bool:
    on_day = day.day in days
    on_weekday = day.isoweekday() % 7 in weekdays
    return on_day or on_weekday if either else on_day and on_weekday


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

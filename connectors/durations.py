"""Lengths of time as people write them: ``26h``, ``90m``, ``2d``."""

import re
from datetime import timedelta

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WRITTEN = re.compile(r"\s*(\d{1,6})\s*([mhdw])\s*", re.IGNORECASE)


def parse(text: str) -> timedelta:
    """The length of time that a text says: a number and m, h, d or w.

    >>> parse("26h"), parse("2 d")
    (datetime.timedelta(days=1, seconds=7200), datetime.timedelta(days=2))

    Raises:
        ValueError: it says none, or none at all.
    """
    match = _WRITTEN.fullmatch(text)
    if not match or int(match.group(1)) == 0:
        raise ValueError("a length of time is a number and m, h, d or w, such as 26h")
    return timedelta(**{_UNITS[match.group(2).lower()]: int(match.group(1))})


def shown(length: timedelta) -> str:
    """A length of time in its two largest units.

    >>> [shown(timedelta(minutes=m)) for m in (0, 59, 60, 61, 26 * 60, 1500 * 3)]
    ['0m', '59m', '1h', '1h 1m', '1d 2h', '3d 3h']
    """
    minutes = max(0, int(length.total_seconds() // 60))
    days, hours, left = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days}d" if days else "", f"{hours}h" if hours else ""]
    parts.append(f"{left}m" if left and not days else "")
    return " ".join(part for part in parts if part) or "0m"

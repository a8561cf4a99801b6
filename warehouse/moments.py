"""Moments as the stores keep them: UTC, also where a driver drops the zone."""

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def utc(moment: datetime) -> datetime:
    """A moment read from a store, with its zone (SQLite gives none: it is UTC)."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

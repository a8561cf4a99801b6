"""Is every source in step: when it was last read, whether that is late, what came of it.

What belongs here: putting together what sources/ declares, what the stores hold
and what operations/ says of the last syncs. It reads; nothing has to run for it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from connectors import file_state
from connectors.config import SourceConfig
from connectors.source import Declared, declared
from onefold.errors import ConfigError
from onefold.settings import Settings
from warehouse import erasures, outcomes, staged_records, sync_runs
from warehouse.engine import Warehouse
from warehouse.moments import utc
from warehouse.outcomes import GoldenOutcome, SourceOutcome
from warehouse.tables import publish_run

Status = Literal["ok", "failed", "held", "never", "undeclared"]
Freshness = Literal["fresh", "stale", "unwatched"]

UNREAD_WITHIN = timedelta(hours=26)
"""How long a change of files may wait to be read: a nightly sync keeps it."""


@dataclass(frozen=True)
class SourceHealth:
    """One source.

    Attributes:
        source: its name.
        status: of the last sync: ok, failed or held; never: it was not synced yet;
            undeclared: it has records and no file in sources/.
        message: why it failed or was held; no customer values.
        since: since when it is well, or is not, UTC; None where that is not known.
        last_good_at: when the last good sync ended, UTC; None: never.
        last_tried_at: when the last one ended, good or not, UTC; None: never.
        age: time since the last good sync; None: never.
        fresh_within: how old it may be, or if it is watched by its files, how long a change of
            them may wait; None: nobody said.
        freshness: fresh, stale, or unwatched (a database with no ``fresh_within`` and no
            ``schedule``, files elsewhere, and files of which is not known what was read).
        unread_since: since when a change of its files waits, UTC; None: none does, or the
            source is not watched by its files.
        read, staged, held, findings: of the last good sync: rows read, records live, records
            kept out whole, open findings.
        added, changed, deleted: records that the last sync brought, changed and took away.
        quarantine_rate: share of the rows that is kept out, 0..1; None where there are none.
        newest_at: latest ``updated_at`` of its records, UTC; None where they have none.
    """

    source: str
    status: Status
    message: str
    since: datetime | None
    last_good_at: datetime | None
    last_tried_at: datetime | None
    age: timedelta | None
    fresh_within: timedelta | None
    freshness: Freshness
    unread_since: datetime | None
    read: int
    staged: int
    held: int
    findings: int
    added: int
    changed: int
    deleted: int
    newest_at: datetime | None

    @property
    def quarantine_rate(self) -> float | None:
        """Share of the rows of the last good sync that is kept out whole."""
        return self.held / self.read if self.read else None

    @property
    def lag(self) -> timedelta | None:
        """How far the newest record was behind when it was last read; None: not known."""
        if self.newest_at is None or self.last_good_at is None:
            return None
        return max(self.last_good_at - self.newest_at, timedelta())

    @property
    def well(self) -> bool:
        """Whether nobody has to look at it."""
        return self.status in ("ok", "never") and self.freshness != "stale"

    def as_plain(self) -> dict[str, Any]:
        """Plain values by name; moments as ISO 8601, lengths of time in seconds."""
        return {
            "source": self.source,
            "status": self.status,
            "freshness": self.freshness,
            "message": self.message,
            "since": _iso(self.since),
            "last_good_at": _iso(self.last_good_at),
            "last_tried_at": _iso(self.last_tried_at),
            "age_seconds": _seconds(self.age),
            "fresh_within_seconds": _seconds(self.fresh_within),
            "unread_since": _iso(self.unread_since),
            "lag_seconds": _seconds(self.lag),
            "rows_read": self.read,
            "records": self.staged,
            "new": self.added,
            "changed": self.changed,
            "deleted": self.deleted,
            "held": self.held,
            "findings": self.findings,
            "quarantine_rate": self.quarantine_rate,
        }


@dataclass(frozen=True)
class GoldenHealth:
    """The golden table.

    Attributes:
        status: ok, held (a check holds it back), failed (the last run did not end) or never.
        message: why; no customer values.
        since: since when it is well, or is not, UTC; None where that is not known.
        published_at: when it was last written, UTC; None: never.
    """

    status: Literal["ok", "held", "failed", "never"]
    message: str
    since: datetime | None
    published_at: datetime | None

    @property
    def well(self) -> bool:
        """Whether nobody has to look at it."""
        return self.status in ("ok", "never")

    def as_plain(self) -> dict[str, Any]:
        """Plain values by name; moments as ISO 8601."""
        return {
            "status": self.status,
            "message": self.message,
            "since": _iso(self.since),
            "published_at": _iso(self.published_at),
        }


@dataclass(frozen=True)
class Health:
    """All of a deployment, at one moment."""

    at: datetime
    sources: list[SourceHealth]
    golden: GoldenHealth
    erasing: tuple[str, ...] = ()
    """Erasures that are under way: begun, and not finished yet."""

    @property
    def well(self) -> bool:
        """Whether nobody has to look at anything."""
        return not self.erasing and self.golden.well and all(one.well for one in self.sources)


def examine(settings: Settings, wh: Warehouse, now: datetime | None = None) -> Health:
    """Look at every source of a home and at its golden table.

    Args:
        settings: the home's.
        wh: its warehouse.
        now: the moment to judge by, UTC; this one.

    Raises:
        WarehouseError: the database cannot be reached.
    """
    now = now or datetime.now(UTC)
    found, known = declared(settings.home), outcomes.read(settings.home)
    orphans = set(staged_records.source_names(wh)) - set(found.names)
    sources = [
        _source(name, found, known.sources.get(name), wh, now, _declared_at(settings, found, name))
        for name in sorted({*found.names, *orphans})
    ]
    erasing = tuple(one.erasure_id for one in erasures.under_way(wh))
    return Health(now, sources, _golden(wh, known.golden), erasing)


@dataclass(frozen=True)
class Late:
    """A source that is not in step: failed, held or stale."""

    source: str
    state: Literal["failed", "held", "stale"]


def not_in_step(settings: Settings, now: datetime | None = None) -> list[Late]:
    """Sources to look at, by what was noted of their last syncs: one small file, for pages.

    Files are not looked at.
    """
    now = now or datetime.now(UTC)
    found = []
    for name, one in outcomes.read(settings.home).sources.items():
        good_at = _moment(one.good_at)
        limit = timedelta(seconds=one.fresh_for) if one.fresh_for else None
        if not one.good:
            found.append(Late(name, "held" if one.status == "held" else "failed"))
        elif good_at and fresh(good_at, limit, good_at, now) == "stale":
            found.append(Late(name, "stale"))
    return found


def fresh(
    last_good_at: datetime | None, fresh_for: timedelta | None, since: datetime, now: datetime
) -> Freshness:
    """Whether a source is in time.

    Args:
        last_good_at: when its last good sync ended; None: never.
        fresh_for: how old that may be; None: nobody said.
        since: from when it counts where there was none: when it was declared.
        now: the moment to judge by.
    """
    if fresh_for is None:
        return "unwatched"
    return "stale" if now - (last_good_at or since) > fresh_for else "fresh"


def _source(
    name: str,
    found: Declared,
    noted: SourceOutcome | None,
    wh: Warehouse,
    now: datetime,
    declared_at: datetime,
) -> SourceHealth:
    good, last = sync_runs.last_sync(wh, name), sync_runs.last_sync(wh, name, good=False)
    outcome = noted or _of_tables(good, last)
    config: SourceConfig | None = found.sources.get(name)
    broken: ConfigError | None = found.broken.get(name)
    last_good_at = _moment(outcome.good_at)
    status: Status = "ok" if outcome.good else _status(outcome.status)
    message = outcome.message
    if broken is not None:
        status, message = "failed", str(broken)
    elif config is None:
        status = "undeclared"
        message = (
            f"sources/{name}.yml is gone; its {outcome.staged:,} records stay."
            f" Bring the file back, or run 'onefold source remove {name}'."
        )
    fresh_for = config.fresh_for if config else None
    if broken is not None and outcome.fresh_for:
        fresh_for = timedelta(seconds=outcome.fresh_for)
    freshness, unread = fresh(last_good_at, fresh_for, declared_at, now), None
    if config and file_state.is_watched(config) and (outcome.files or last_good_at is None):
        unread = file_state.unread_since(config, outcome.files, last_good_at or declared_at)
        fresh_for = UNREAD_WITHIN
        freshness = fresh(unread or now, fresh_for, declared_at, now)
    return SourceHealth(
        source=name,
        status=status,
        message=message,
        since=_moment(outcome.since),
        last_good_at=last_good_at,
        last_tried_at=_moment(outcome.tried_at),
        age=now - last_good_at if last_good_at else None,
        fresh_within=fresh_for,
        freshness=freshness,
        unread_since=unread,
        read=outcome.read,
        staged=outcome.staged,
        held=outcome.quarantined,
        findings=outcome.findings,
        added=outcome.added,
        changed=outcome.changed,
        deleted=outcome.deleted,
        newest_at=_moment(outcome.newest_at),
    )


def _status(status: str) -> Status:
    return "held" if status == "held" else "never" if status == "never" else "failed"


def _of_tables(good: sync_runs.SyncRun | None, last: sync_runs.SyncRun | None) -> SourceOutcome:
    """What sync_run says, where operations/ says nothing."""
    if last is None:
        return SourceOutcome("never")
    return SourceOutcome(
        status=last.status if last.status in ("failed", "held") else "unchanged",
        message=last.message or "",
        tried_at=last.finished_at.isoformat(),
        good_at=good.finished_at.isoformat() if good else "",
        since="",
        read=good.rows_read if good else 0,
        staged=good.rows_staged if good else 0,
        quarantined=good.rows_quarantined if good else 0,
        findings=good.findings if good else 0,
        added=good.rows_added if good else 0,
        changed=good.rows_changed if good else 0,
        deleted=good.rows_deleted if good else 0,
    )


def _golden(wh: Warehouse, noted: GoldenOutcome | None) -> GoldenHealth:
    with wh.read() as connection:
        at = connection.execute(sa.select(sa.func.max(publish_run.c.at))).scalar()
    published_at = utc(at) if at else None
    if noted is None:
        return GoldenHealth("ok" if published_at else "never", "", None, published_at)
    status: Literal["ok", "held", "failed"] = (
        "ok" if noted.good else "held" if noted.status == "held" else "failed"
    )
    return GoldenHealth(status, noted.message, _moment(noted.since), published_at)


def _declared_at(settings: Settings, found: Declared, name: str) -> datetime:
    """When a source's file was last written: since when it could have been synced."""
    config = found.sources.get(name)
    file = settings.home / config.file if config else settings.sources_dir
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _moment(text: str) -> datetime | None:
    return utc(datetime.fromisoformat(text)) if text else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _seconds(length: timedelta | None) -> int | None:
    return int(length.total_seconds()) if length is not None else None

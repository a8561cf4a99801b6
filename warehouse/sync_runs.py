"""What each sync did: the table sync_run, and what it tells of the staged records."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
import sqlalchemy as sa

from warehouse.engine import Warehouse
from warehouse.tables import staged_customer, sync_run

_GOOD = ("synced", "unchanged")


@dataclass(frozen=True)
class Sync:
    """What is known of a sync before it is written.

    Attributes:
        sync_id: names the sync within its source; a repeated one is written once.
        started_at: when it began, UTC.
        rows_read: records in the snapshot.
        snapshot: path of the Parquet snapshot.
        content_hash: hash of the snapshot's records.
        key_basis: columns or content.
        fingerprint: of all that staged depends on: snapshot, YAML, rules.
        manifest: what the connector reported, as plain values.
    """

    sync_id: str
    started_at: datetime
    rows_read: int
    snapshot: str = ""
    content_hash: str = ""
    key_basis: str = "columns"
    fingerprint: str = ""
    manifest: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Changes:
    """What a sync wrote: records added, changed, moved (position only) and deleted.

    ``staged`` and ``quarantined`` (records kept out whole) are totals after it;
    ``findings`` are open quarantine rows, ``opened`` and ``closed`` those that
    came and went. ``looked_at`` are the ids of the records that were compared with
    what was staged: no other was added, changed or deleted; None: all were.
    """

    added: int
    changed: int
    moved: int
    deleted: int
    staged: int
    quarantined: int
    findings: int
    opened: int
    closed: int
    looked_at: pa.Array | None = field(default=None, compare=False, repr=False)

    @property
    def unchanged(self) -> int:
        """Records whose content stayed as it was."""
        return self.staged - self.added - self.changed

    def __bool__(self) -> bool:
        return any((self.added, self.changed, self.moved, self.deleted, self.opened, self.closed))


@dataclass(frozen=True)
class SyncRun:
    """A row of sync_run; its columns are explained in warehouse/tables.py."""

    source: str
    sync_id: str
    status: str
    started_at: datetime
    finished_at: datetime
    rows_read: int
    rows_staged: int
    rows_quarantined: int
    rows_added: int
    rows_changed: int
    rows_deleted: int
    findings: int
    snapshot: str | None
    content_hash: str | None
    key_basis: str | None
    fingerprint: str | None
    staged_hash: str | None
    manifest: dict[str, Any] | None
    message: str | None


def changed_since(wh: Warehouse, since: datetime | None) -> list[tuple[str, int, int, int]]:
    """Sources that brought other records since a moment, UTC; None: ever.

    Returns:
        source, and records added, changed, deleted by all its syncs since then.
    """
    of = sync_run.c
    sums = [sa.func.sum(one) for one in (of.rows_added, of.rows_changed, of.rows_deleted)]
    query = sa.select(of.source, *sums).where(of.status == "synced")
    if since is not None:
        query = query.where(of.finished_at > since)
    with wh.read() as connection:
        found = connection.execute(query.group_by(of.source).order_by(of.source))
        return [(source, *map(int, counts)) for source, *counts in found]


def write(
    connection: sa.Connection, source: str, sync: Sync, changes: Changes, staged_hash: str
) -> None:
    """Note a sync that was written, within the transaction that writes it; once.

    Args:
        staged_hash: of the source's records after it.
    """
    this = (sync_run.c.source == source) & (sync_run.c.sync_id == sync.sync_id)
    before = connection.execute(sa.select(sync_run.c.status).where(this)).scalar()
    if before in _GOOD and not changes:
        return  # the same sync once more, after a kill between commit and report
    connection.execute(sa.delete(sync_run).where(this))
    connection.execute(
        sa.insert(sync_run).values(
            source=source,
            sync_id=sync.sync_id,
            status="synced" if changes else "unchanged",
            started_at=sync.started_at.astimezone(UTC),
            finished_at=_next_moment(connection, source),
            rows_read=sync.rows_read,
            rows_staged=changes.staged,
            rows_quarantined=changes.quarantined,
            rows_added=changes.added,
            rows_changed=changes.changed,
            rows_deleted=changes.deleted,
            findings=changes.findings,
            snapshot=sync.snapshot,
            content_hash=sync.content_hash,
            key_basis=sync.key_basis,
            fingerprint=sync.fingerprint,
            staged_hash=staged_hash,
            manifest=sync.manifest,
            message=None,
        )
    )


def _next_moment(connection: sa.Connection, source: str) -> datetime:
    """Now, but after the source's last sync even if the clock was set back."""
    query = sa.select(sa.func.max(sync_run.c.finished_at)).where(sync_run.c.source == source)
    last, now = connection.execute(query).scalar(), datetime.now(UTC)
    return now if last is None else max(now, _utc(last) + timedelta(microseconds=1))


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def record_failure(
    wh: Warehouse,
    source: str,
    status: Literal["failed", "held"],
    message: str,
    started_at: datetime | None = None,
) -> SyncRun:
    """Note that a source could not be synced; its staged records stay as they are.

    Args:
        wh: the warehouse.
        source: the source's name.
        status: failed or held.
        message: the error's text; it names no customer values.
        started_at: when the sync began, UTC; now if not known.
    """
    with wh.write() as connection:
        moment = _next_moment(connection, source)
        sync_id = f"{moment:%Y%m%dT%H%M%S%f}-{status}"
        live = sa.select(sa.func.count()).where(staged_customer.c.source == source)
        connection.execute(
            sa.insert(sync_run).values(
                source=source,
                sync_id=sync_id,
                status=status,
                started_at=started_at.astimezone(UTC) if started_at else moment,
                finished_at=moment,
                rows_read=0,
                rows_staged=connection.execute(live).scalar(),
                rows_quarantined=0,
                rows_added=0,
                rows_changed=0,
                rows_deleted=0,
                findings=0,
                message=message,
            )
        )
        return runs(connection, sync_run.c.sync_id == sync_id, sync_run.c.source == source)[0]


def runs(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[SyncRun]:
    """Syncs, the last first."""
    query = sa.select(sync_run).where(*where).order_by(sync_run.c.finished_at.desc())
    found = []
    for row in connection.execute(query).mappings():
        values: dict[str, Any] = dict(row)
        for name in ("started_at", "finished_at"):
            values[name] = _utc(values[name])
        found.append(SyncRun(**values))
    return found


def last_good(source: str) -> list[sa.ColumnElement[bool]]:
    """The condition for the source's last sync that was written."""
    where = [sync_run.c.source == source, sync_run.c.status.in_(_GOOD)]
    latest = sa.select(sa.func.max(sync_run.c.finished_at)).where(*where).scalar_subquery()
    return [*where, sync_run.c.finished_at == latest]


def last_sync(wh: Warehouse, source: str, *, good: bool = True) -> SyncRun | None:
    """The source's last sync.

    Args:
        wh: the warehouse.
        source: the source's name.
        good: the last that was written; False: the last of all, failed and held ones too.
    """
    where = [sync_run.c.source == source]
    latest = sa.select(sa.func.max(sync_run.c.finished_at)).where(*where).scalar_subquery()
    last = last_good(source) if good else [*where, sync_run.c.finished_at == latest]
    with wh.read() as connection:
        found = runs(connection, *last)
    return found[0] if found else None


def _latest_hashes() -> sa.Select[Any]:
    """Each source with the hash of its records after its last sync."""
    runs = sync_run.alias()
    latest = (
        sa.select(runs.c.source, sa.func.max(runs.c.finished_at).label("finished_at"))
        .where(runs.c.status.in_(_GOOD))
        .group_by(runs.c.source)
        .subquery()
    )
    return (
        sa.select(sync_run.c.source, sync_run.c.staged_hash)
        .join(
            latest,
            (latest.c.source == sync_run.c.source)
            & (latest.c.finished_at == sync_run.c.finished_at),
        )
        .where(sync_run.c.rows_staged > 0)
        .order_by(sync_run.c.source)
    )


_HASHES = _latest_hashes()  # asked many times in a run


def content_fingerprint(wh: Warehouse) -> str:
    """A hash of all staged records, without their positions.

    Equal content gives an equal fingerprint, whatever syncs led to it; it is
    put together from one stored hash per source, so it costs no scan.
    """
    with wh.read() as connection:
        parts = sorted(f"{source}\0{staged}\n" for source, staged in connection.execute(_HASHES))
    return hashlib.blake2b("".join(parts).encode(), digest_size=16).hexdigest()

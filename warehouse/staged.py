"""raw → staged: what one sync changed, written in one transaction.

What belongs here: staged_customer, quarantine and sync_run. A reader sees the
source as it was before the sync or as it is after, and a killed sync leaves no
trace: the next one starts from the old state.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as dataclass_replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from onefold.errors import WarehouseError
from rules.customer import STAGED_SCHEMA
from rules.suite_rules import FORMED
from rules.suites import Part, Standing
from warehouse import moved as moves
from warehouse import quarantine, rows, staged_counts, text_form
from warehouse.engine import Warehouse
from warehouse.staged_counts import Counts
from warehouse.tables import moved_record, staged_customer, sync_run
from warehouse.waiting import Waiting

_HASH = "content_hash"
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


@dataclass(frozen=True)
class Rest:
    """The records of a source that were not cleaned again, because they did not change.

    Attributes:
        gone: ids of records that the source has no more.
        moved: ``record_id`` and ``position`` of those that stand elsewhere in it now. There
            may be records among both of which nothing is stored.
    """

    gone: pa.ChunkedArray
    moved: pa.Table


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


def replace(
    wh: Warehouse,
    source: str,
    staged: pa.Table,
    quarantined: pa.Table,
    sync: Sync,
    accepted: pa.Array | None = None,
) -> Changes:
    """Make the source's staged records and open findings equal to these.

    Args:
        wh: the warehouse.
        source: the source's name.
        staged: STAGED_SCHEMA, all live records of the source; empty removes it.
        quarantined: QUARANTINE_SCHEMA, all findings of the source.
        sync: what is known of the sync.
        accepted: for each finding whether a steward accepted it; None: none.

    Raises:
        as for write.
    """
    if accepted is None:
        accepted = pa.repeat(pa.scalar(False), quarantined.num_rows)
    return write(wh, source, [Part(staged["record_id"], staged, quarantined, accepted)], sync)


def write(
    wh: Warehouse,
    source: str,
    parts: Iterable[Part],
    sync: Sync,
    rest: Rest | None = None,
    describe: Callable[[Standing], Mapping[str, Any]] = lambda _: {},
) -> Changes:
    """Make the source's staged records and open findings equal to cleaned ones.

    Only rows that differ are written, and one row of sync_run. Repeating a sync that
    was written changes nothing. Memory holds a part, and keys and hashes of all records
    of the parts and of what is compared with them.

    Args:
        wh: the warehouse.
        source: the source's name.
        parts: its records as cleaned, and their findings; each record in one part.
        sync: what is known of the sync.
        rest: the parts are of the records that changed since the source's last good sync,
            and this is known of the others. None: they are of all its records.
        describe: more for the sync's manifest, by how the source stands when all is written.

    Raises:
        WarehouseError: rows of another source or a record twice; the database refuses.
        Whatever the parts raise; nothing is written then.
    """
    with (
        Waiting([*STAGED_SCHEMA.names, _HASH], ["record_id", _HASH, "position"]) as records,
        Waiting(quarantine.COLUMNS, quarantine.COMPARED) as findings,
    ):
        cleaned = []
        for part in parts:
            records.add(_hashed(source, part.staged, wh.sealer.row_key))
            findings.add(
                quarantine.identified(
                    part.quarantine, sync.sync_id, part.accepted, wh.sealer.row_key
                )
            )
            cleaned.append(part.records)
        _once(source, records.compared)
        touched = None
        if rest is not None:
            ids = [pa.array([], pa.string()), *(chunk for one in cleaned for chunk in one.chunks)]
            touched = pc.unique(pa.chunked_array([*ids, *rest.gone.chunks]))
        with wh.write() as connection:
            known, was = _counted_before(connection, source, touched)
            staged_hash, counts = _write_records(connection, source, records, touched)
            opened, closed = quarantine.write(connection, source, findings, sync.sync_id, touched)
            if rest is not None:
                still = pc.invert(pc.is_in(rest.moved["record_id"], value_set=touched))
                counts["moved"] += _move(connection, source, rest.moved.filter(still))
            there = _counted(connection, source, touched, known, was)
            standing, statuses = _standing(connection, source, sync.rows_read, there)
            changes = Changes(
                **counts,
                staged=there[staged_counts.RECORDS],
                quarantined=standing.kept_out,
                findings=pc.sum(pc.equal(statuses, "open")).as_py() or 0,
                opened=opened,
                closed=closed,
                looked_at=touched,
            )
            told = {**describe(standing), **staged_counts.told(there)}
            sync = dataclass_replace(sync, manifest={**sync.manifest, **told})
            _write_run(connection, source, sync, changes, staged_hash)
    return changes


def _hashed(source: str, staged: pa.Table, key: bytes) -> pa.Table:
    """Staged records in text form with the hash of their content."""
    text = text_form.encode(staged.select(STAGED_SCHEMA.names))
    strangers = pc.sum(pc.fill_null(pc.not_equal(text["source"], source), True)).as_py() or 0
    if strangers:
        raise WarehouseError(
            f"staged records of {source}",
            "some are of another source",
            found=f"{strangers} of {text.num_rows}",
        )
    return text.append_column(_HASH, text_form.hashes(text.drop_columns(["position"]), key))


def _once(source: str, compared: pa.Table) -> None:
    twice = compared.num_rows - pc.count_distinct(compared["record_id"]).as_py()
    if twice:
        raise WarehouseError(
            f"staged records of {source}", "a record stands twice", found=f"{twice} times"
        )


def _where(source: str) -> str:
    return rows.one_of("source", [source])


def _write_records(
    connection: sa.Connection, source: str, records: Waiting, touched: pa.Array | None
) -> tuple[str, dict[str, int]]:
    """Write the records that differ; the hash of all of the source's, and what was written."""
    new, names = records.compared, ["record_id", _HASH, "position"]
    if touched is None:
        stored = rows.read(connection, staged_customer, names, _where(source))
        before = 0
    else:
        stored = rows.read_of(connection, staged_customer, names, "record_id", touched.to_pylist())
        known = int(_runs(connection, *_last_good(source))[0].staged_hash or "0", 16)
        before = known - text_form.total(stored[_HASH])
    change = rows.compare(stored, new, ["record_id"], [_HASH])
    elsewhere = moves.of(connection, stored)
    stood = moves.placed(stored, elsewhere)
    moved = rows.compare(stood, new, ["record_id"], ["position"]).changed & ~change.changed
    placed = rows.compare(stored, new, ["record_id"], ["position"]).changed & ~change.changed
    gone = stored.filter(pa.array(change.deleted))
    rows.delete(connection, staged_customer, gone, ["record_id"])
    for text in records.only(change.changed):
        rows.update(connection, staged_customer, text, ["record_id"])
    rows.delete(connection, moved_record, elsewhere, ["record_id"])
    names = ["record_id", "position"]
    rows.update(connection, staged_customer, new.filter(pa.array(placed)).select(names), names[:1])
    for text in records.only(change.added):
        rows.insert(connection, staged_customer, text)
    total = (before + text_form.total(new[_HASH])) % text_form.HASHES
    return f"{total:032x}", {
        "added": int(change.added.sum()),
        "changed": int(change.changed.sum()),
        "moved": int(moved.sum()),
        "deleted": gone.num_rows,
    }


def _move(connection: sa.Connection, source: str, moved: pa.Table) -> int:
    """Write where unchanged records and their findings stand now; how many records moved."""
    if not moved.num_rows:
        return 0
    quarantine.move(connection, source, moved)
    return moves.write(connection, source, moved)


def _counted_before(
    connection: sa.Connection, source: str, touched: pa.Array | None
) -> tuple[Counts | None, Counts]:
    """Counts of a source's records and of the touched ones; (None, ...): all are to be counted."""
    if touched is None:
        return None, {}
    known = staged_counts.read(_runs(connection, *_last_good(source))[0].manifest)
    if known is None:
        return None, {}
    return known, staged_counts.count(connection, source, touched.to_pylist())


def _counted(
    connection: sa.Connection,
    source: str,
    touched: pa.Array | None,
    known: Counts | None,
    was: Counts,
) -> Counts:
    """Counts of a source's records after they were written, by what they were before."""
    if touched is None or known is None:
        return staged_counts.count(connection, source)
    now = staged_counts.count(connection, source, touched.to_pylist())
    return staged_counts.changed(known, was, now)


def _standing(
    connection: sa.Connection, source: str, rows_read: int, there: Counts
) -> tuple[Standing, pa.ChunkedArray]:
    """How a source stands, and the status of each finding."""
    findings = quarantine.standing(connection, source)
    by_name = {name: there[f"formed/{name}"] for name in FORMED}
    return Standing(rows_read, by_name, findings.select(Standing.COLUMNS)), findings["status"]


def _write_run(
    connection: sa.Connection, source: str, sync: Sync, changes: Changes, staged_hash: str
) -> None:
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
        return _runs(connection, sync_run.c.sync_id == sync_id, sync_run.c.source == source)[0]


def _runs(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[SyncRun]:
    query = sa.select(sync_run).where(*where).order_by(sync_run.c.finished_at.desc())
    found = []
    for row in connection.execute(query).mappings():
        values: dict[str, Any] = dict(row)
        for name in ("started_at", "finished_at"):
            values[name] = _utc(values[name])
        found.append(SyncRun(**values))
    return found


def _last_good(source: str) -> list[sa.ColumnElement[bool]]:
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
    last = _last_good(source) if good else [*where, sync_run.c.finished_at == latest]
    with wh.read() as connection:
        found = _runs(connection, *last)
    return found[0] if found else None


def sources(wh: Warehouse) -> dict[str, int]:
    """Live records by source, sorted by name; sources without any are left out."""
    query = sa.select(staged_customer.c.source, sa.func.count()).group_by(staged_customer.c.source)
    with wh.read() as connection:
        return dict(sorted((name, count) for name, count in connection.execute(query)))


def source_names(wh: Warehouse) -> list[str]:
    """Sources with live records, sorted: one look into the index each, however many records."""
    with wh.read() as connection:
        return _names(connection)


def _names(connection: sa.Connection) -> list[str]:
    column = staged_customer.c.source
    found = sa.select(sa.func.min(column).label("source")).cte("found", recursive=True)
    following = sa.select(sa.func.min(column)).where(column > found.c.source).scalar_subquery()
    found = found.union_all(sa.select(following).where(found.c.source.is_not(None)))
    names = connection.execute(sa.select(found.c.source)).scalars()
    return sorted(str(one) for one in names if one is not None)


def read(wh: Warehouse, record_ids: Sequence[str] | None = None) -> pa.Table:
    """Live records as STAGED_SCHEMA, sorted by record_id: all, or those of the given that live."""
    names = STAGED_SCHEMA.names
    with wh.read() as connection:
        if record_ids is None:
            text = rows.read(connection, staged_customer, names)
        else:
            text = rows.read_of(connection, staged_customer, names, "record_id", record_ids)
        text = moves.placed(text, moves.of(connection, text))
    return text_form.decode(text, STAGED_SCHEMA).sort_by("record_id")


def columns(wh: Warehouse, source: str, names: Sequence[str]) -> pa.Table:
    """Columns of a source's live records, in no particular order; ``content_hash`` is one too."""
    schema = pa.schema([*STAGED_SCHEMA, pa.field(_HASH, pa.string())])
    asked = dict.fromkeys([*names, "record_id"] if "position" in names else names)
    with wh.read() as connection:
        text = rows.read(connection, staged_customer, [*asked], _where(source))
        if "position" in names:
            text = moves.placed(text, moves.of(connection, text))
    return text_form.decode(text.select(names), pa.schema([schema.field(name) for name in names]))


def counts(connection: sa.Connection) -> dict[str, Counts]:
    """What is counted of the live records of every source that has some, by source."""
    found = {}
    for source in _names(connection):
        good = _runs(connection, *_last_good(source))
        kept = staged_counts.read(good[0].manifest) if good else None
        found[source] = kept or staged_counts.count(connection, source)
    return found


def newest(wh: Warehouse, source: str | None = None) -> datetime | None:
    """The latest updated_at of all live records, or of a source's; None if none has one."""
    query = sa.select(sa.func.max(staged_customer.c.updated_at))
    if source is not None:
        query = query.where(staged_customer.c.source == source)
    with wh.read() as connection:
        found = connection.execute(query).scalar()
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def hashes(wh: Warehouse, record_ids: Sequence[str] | None = None) -> pa.Table:
    """record_id and content_hash of live records, sorted by record_id: all, or some."""
    names = ["record_id", _HASH]
    with wh.read() as connection:
        if record_ids is None:
            return rows.read(connection, staged_customer, names).sort_by("record_id")
        some = rows.read_of(connection, staged_customer, names, "record_id", record_ids)
        return some.sort_by("record_id")


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

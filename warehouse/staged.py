"""raw → staged: what one sync changed, written in one transaction.

What belongs here: writing staged_customer, quarantine and sync_run. A reader sees
the source as it was before the sync or as it is after, and a killed sync leaves no
trace: the next one starts from the old state.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from onefold.errors import WarehouseError
from rules.customer import STAGED_SCHEMA
from rules.suite_rules import FORMED
from rules.suites import Part, Standing
from warehouse import moved as moves
from warehouse import quarantine, rows, staged_counts, staged_records, sync_runs, text_form
from warehouse.engine import Warehouse
from warehouse.staged_counts import Counts
from warehouse.staged_records import CONTENT_HASH
from warehouse.sync_runs import Changes, Sync
from warehouse.tables import staged_customer
from warehouse.waiting import Waiting


@dataclass(frozen=True)
class Rest:
    """The records of a source that were not cleaned again, because they did not change.

    Attributes:
        gone: ids of records that the source has no more. There may be some of which nothing is
            stored.
        stays: ``source_key``, ``position_before``, ``position`` of all others, those that are
            kept out too; none if none of them stands elsewhere now.
    """

    gone: pa.ChunkedArray
    stays: pa.Table


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
        Waiting(
            [*STAGED_SCHEMA.names, CONTENT_HASH], ["record_id", CONTENT_HASH, "position"]
        ) as records,
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
                quarantine.move(connection, source, rest.stays)
                places = records.compared.select(["record_id", "position"])
                counts["moved"] += moves.write(connection, source, rest.stays, places)
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
            sync_runs.write(connection, source, sync, changes, staged_hash)
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
    return text.append_column(CONTENT_HASH, text_form.hashes(text.drop_columns(["position"]), key))


def _once(source: str, compared: pa.Table) -> None:
    twice = compared.num_rows - pc.count_distinct(compared["record_id"]).as_py()
    if twice:
        raise WarehouseError(
            f"staged records of {source}", "a record stands twice", found=f"{twice} times"
        )


def _write_records(
    connection: sa.Connection, source: str, records: Waiting, touched: pa.Array | None
) -> tuple[str, dict[str, int]]:
    """Write the records that differ; the hash of all of the source's, and what was written."""
    new, names = records.compared, ["record_id", CONTENT_HASH, "position"]
    if touched is None:
        stored = rows.read(connection, staged_customer, names, staged_records.of_source(source))
        before = 0
    else:
        stored = rows.read_of(connection, staged_customer, names, "record_id", touched.to_pylist())
        known = int(
            sync_runs.runs(connection, *sync_runs.last_good(source))[0].staged_hash or "0", 16
        )
        before = known - text_form.total(stored[CONTENT_HASH])
    change = rows.compare(stored, new, ["record_id"], [CONTENT_HASH])
    stood = moves.placed(connection, stored, source)
    moved = rows.compare(stood, new, ["record_id"], ["position"]).changed & ~change.changed
    placed = rows.compare(stored, new, ["record_id"], ["position"]).changed & ~change.changed
    gone = stored.filter(pa.array(change.deleted))
    rows.delete(connection, staged_customer, gone, ["record_id"])
    for text in records.only(change.changed):
        rows.update(connection, staged_customer, text, ["record_id"])
    moves.forget(connection, source, None if touched is None else stored["record_id"])
    names = ["record_id", "position"]
    rows.update(connection, staged_customer, new.filter(pa.array(placed)).select(names), names[:1])
    for text in records.only(change.added):
        rows.insert(connection, staged_customer, text)
    total = (before + text_form.total(new[CONTENT_HASH])) % text_form.HASHES
    return f"{total:032x}", {
        "added": int(change.added.sum()),
        "changed": int(change.changed.sum()),
        "moved": int(moved.sum()),
        "deleted": gone.num_rows,
    }


def _counted_before(
    connection: sa.Connection, source: str, touched: pa.Array | None
) -> tuple[Counts | None, Counts]:
    """Counts of a source's records and of the touched ones; (None, ...): all are to be counted."""
    if touched is None:
        return None, {}
    known = staged_counts.read(sync_runs.runs(connection, *sync_runs.last_good(source))[0].manifest)
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

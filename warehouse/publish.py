"""clusters → golden_customer: a publish, whole or not at all.

What belongs here: the tables that readers of golden customers see, written in
one transaction, only where they differ. Ids are chosen in dedupe/identity.py,
values in dedupe/survivorship.py; this module refuses a publish that would
lose a record, use an id twice or lead a redirect nowhere.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from dedupe.identity import CROSSWALK_SCHEMA, Identity, resolve
from dedupe.survivorship import Consolidated
from onefold.errors import PublishError
from rules.customer import GOLDEN_FIELDS
from warehouse import rows
from warehouse.engine import Warehouse
from warehouse.tables import (
    crosswalk,
    golden_customer,
    golden_customer_history,
    golden_field,
    id_sequence,
    lineage_event,
    merge_suggestion,
    publish_run,
    redirect,
    staged_customer,
)

_WHERE = "golden table"
_SEQUENCE = "golden_id"
_GOLDEN = [*(each.name for each in GOLDEN_FIELDS), "record_count", "source_count", "sources"]
_TRAIL_KEYS, _TRAIL = ["golden_id", "field", "item"], ["source", "source_key", "rule"]
_NAMED = 1000
"""Up to so many customers are read by name; beyond, the whole table is read."""
_AGAIN = "Run the refresh again."


@dataclass(frozen=True)
class PublishedIdentity:
    """The identity side of the last publish; the arguments of dedupe.identity.assign.

    Attributes:
        crosswalk: record_id, golden_id, sorted by record_id.
        live: golden ids in golden_customer, sorted.
        next_number: the first number never given out.
        publish_id: the publish it was read from; None before the first.
    """

    crosswalk: pa.Table
    live: list[str]
    next_number: int
    publish_id: str | None


@dataclass(frozen=True)
class Published:
    """What a publish wrote.

    Attributes:
        publish_id: the publish; the earlier one if nothing was written.
        written: whether anything was written.
        counts: rows added, changed, deleted, by table.
        golden: golden customers after it.
        suggestions: merge suggestions after it.
    """

    publish_id: str
    written: bool
    golden: int
    suggestions: int
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def count(self, table: str, what: str) -> int:
        """Rows of a table that were added, changed or deleted."""
        return self.counts.get(table, {}).get(what, 0)


@dataclass(frozen=True)
class _Run:
    """The publish under way."""

    connection: sa.Connection
    publish_id: str
    at: datetime

    @property
    def at_text(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S.%f}"


def read_identity(wh: Warehouse) -> PublishedIdentity:
    """Crosswalk, live ids and next number as last published."""
    with wh.read() as connection:
        pairs = rows.read(connection, crosswalk, ["record_id", "golden_id"])
        live = rows.read(connection, golden_customer, ["golden_id"])
        last = _last(connection)
        return PublishedIdentity(
            crosswalk=pairs.sort_by("record_id").cast(CROSSWALK_SCHEMA),
            live=sorted(live["golden_id"].to_pylist()),
            next_number=_next_number(connection),
            publish_id=last.publish_id if last else None,
        )


def redirects(wh: Warehouse) -> dict[str, str | None]:
    """Every retired golden id with the live id to use instead, or None where it ended."""
    with wh.read() as connection:
        return _redirects(connection)


def _redirects(connection: sa.Connection) -> dict[str, str | None]:
    stored = rows.read(connection, redirect, ["golden_id", "successor"])
    return dict(zip(stored["golden_id"].to_pylist(), stored["successor"].to_pylist(), strict=True))


def _last(connection: sa.Connection) -> sa.Row | None:
    query = sa.select(publish_run).order_by(publish_run.c.at.desc()).limit(1)
    return connection.execute(query).first()


def _next_number(connection: sa.Connection) -> int:
    query = sa.select(id_sequence.c.next_number).where(id_sequence.c.name == _SEQUENCE)
    return int(connection.execute(query).scalar() or 1)


def publish(
    wh: Warehouse,
    identity: Identity,
    consolidated: Consolidated,
    suggestions: pa.Table,
    fingerprint: str,
    *,
    base: PublishedIdentity | None = None,
) -> Published:
    """Publish golden customers in one transaction; write only rows that differ.

    Args:
        wh: the warehouse.
        identity: from dedupe.identity.assign on :func:`read_identity`.
        consolidated: the golden customers of the same crosswalk.
        suggestions: left_id, right_id, probability, kind, reason.
        fingerprint: of all that the arguments depend on. If it is the last
            publish's, nothing is written.
        base: what ``identity`` was made from; if given, a publish in between is noticed.

    Raises:
        PublishError: another publish came between, or the arguments contradict
            each other or what was published; nothing is written.
        WarehouseError: the database refuses.
    """
    with wh.write() as connection:
        last = _last(connection)
        if last is not None and last.fingerprint == fingerprint:
            return _stands(connection, last)
        if base is not None and base.publish_id != (last.publish_id if last else None):
            raise PublishError(_WHERE, "another run published meanwhile", do=_AGAIN)
        run = _Run(connection, *_name(connection, last))
        return _publish(run, identity, consolidated, suggestions, fingerprint)


def standing(wh: Warehouse, fingerprint: str) -> Published | None:
    """The last publish if it had this fingerprint: there is nothing to work out then."""
    with wh.read() as connection:
        found = _last(connection)
        if found is None or found.fingerprint != fingerprint:
            return None
        return _stands(connection, found)


def _stands(connection: sa.Connection, last: sa.Row) -> Published:
    """What stands published, with nothing written."""
    return Published(
        last.publish_id,
        False,
        _size(connection, golden_customer),
        _size(connection, merge_suggestion),
    )


def _name(connection: sa.Connection, last: sa.Row | None) -> tuple[str, datetime]:
    """The next publish's id and moment: after the last one's even if the clock was set back."""
    now = datetime.now(UTC)
    if last is not None:
        before = last.at if last.at.tzinfo else last.at.replace(tzinfo=UTC)
        now = max(now, before + timedelta(microseconds=1))
    return f"P{_size(connection, publish_run) + 1:06d}", now


def _size(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _publish(
    run: _Run,
    identity: Identity,
    consolidated: Consolidated,
    suggestions: pa.Table,
    fingerprint: str,
) -> Published:
    golden = rows.encode(consolidated.golden.select(["golden_id", *_GOLDEN]))
    pairs = rows.encode(identity.crosswalk.select(["record_id", "golden_id"]))
    before = rows.read(
        run.connection, golden_customer, ["golden_id", "content_hash", "provenance_hash"]
    )
    live, was_live = set(golden["golden_id"].to_pylist()), set(before["golden_id"].to_pylist())
    earlier = _redirects(run.connection)
    restored = pc.any(pc.equal(identity.events["event"], "restored")).as_py()
    _check(run.connection, identity, golden, pairs, live, was_live, earlier)
    _check_records(run.connection, pairs)

    provenance = rows.encode(consolidated.provenance.select([*_TRAIL_KEYS, *_TRAIL]))
    golden_counts, new, touched = _write_golden(run, before, golden, provenance)
    counts = {"golden_customer": golden_counts}
    _write_history(run, restored)
    counts["golden_field"] = _write_fields(run, provenance, new, touched)
    counts["crosswalk"] = _write_crosswalk(run, pairs)
    counts["redirect"] = _write_redirects(run, identity, live, was_live, earlier)
    counts["merge_suggestion"] = _write_suggestions(run, suggestions, pairs)
    counts["lineage_event"] = _write_events(run, identity, was_live - live)
    run.connection.execute(sa.delete(id_sequence).where(id_sequence.c.name == _SEQUENCE))
    run.connection.execute(
        sa.insert(id_sequence).values(name=_SEQUENCE, next_number=identity.next_number)
    )
    run.connection.execute(
        sa.insert(publish_run).values(
            publish_id=run.publish_id, at=run.at, fingerprint=fingerprint, counts=counts
        )
    )
    return Published(
        run.publish_id,
        True,
        golden.num_rows,
        _size(run.connection, merge_suggestion),
        counts,
    )


# ------------------------------------------------------------------ what is refused
def _check(
    connection: sa.Connection,
    identity: Identity,
    golden: pa.Table,
    pairs: pa.Table,
    live: set[str],
    was_live: set[str],
    earlier: Mapping[str, str | None],
) -> None:
    if len(live) != golden.num_rows:
        raise PublishError(_WHERE, "a golden id stands twice among the golden customers")
    if len(pc.unique(pairs["record_id"])) != pairs.num_rows:
        raise PublishError(_WHERE, "a record is in more than one golden customer")
    used = set(pc.unique(pairs["golden_id"]).to_pylist())
    if used != live:
        raise PublishError(
            _WHERE,
            "crosswalk and golden customers do not name the same ids",
            found=f"{len(used - live)} without a customer, {len(live - used)} without a record",
        )
    number = _next_number(connection)
    if identity.next_number < number:
        raise PublishError(
            _WHERE,
            "ids would be given out twice",
            found=f"next number {identity.next_number}, published already up to {number - 1}",
            do=_AGAIN,
        )
    restored = {
        row["golden_id"] for row in identity.events.to_pylist() if row["event"] == "restored"
    }
    reused = (live & earlier.keys()) - restored
    if reused:
        raise PublishError(_WHERE, "a retired id would be used again", found=min(reused), do=_AGAIN)
    strays = {
        row["golden_id"]
        for row in identity.redirects.to_pylist()
        if row["golden_id"] in live or row["golden_id"] not in was_live | earlier.keys()
    }
    if strays:
        raise PublishError(
            _WHERE, "an id would be redirected that was not retired", found=min(strays)
        )


def _check_records(connection: sa.Connection, pairs: pa.Table) -> None:
    """No published record that is still live may drop out.

    A live record that was never published may be missing: a sync can bring it
    while customers are being matched, and the next publish has it.
    """
    staged = rows.read(connection, staged_customer, ["record_id"])["record_id"]
    known = rows.read(connection, crosswalk, ["record_id"])["record_id"]
    published = known.filter(pc.is_in(known, value_set=staged))
    lost = pc.sum(pc.invert(pc.is_in(published, value_set=pairs["record_id"]))).as_py() or 0
    if lost:
        raise PublishError(
            _WHERE, "live records would have no golden customer", found=f"{lost} records", do=_AGAIN
        )


# ------------------------------------------------------------------ what is written
def _write_golden(
    run: _Run, before: pa.Table, golden: pa.Table, provenance: pa.Table
) -> tuple[dict[str, int], pa.Table, pa.Table]:
    """Write golden_customer.

    Returns:
        Rows added, changed, deleted; and two tables whose golden_id are the
        customers that are new, and the ones whose provenance changed or ended.
    """
    keys = ["golden_id"]
    golden = golden.append_column("content_hash", rows.hashes(golden.drop_columns(keys)))
    trails = rows.grouped_hashes(provenance, "golden_id")
    trail = pa.array(
        [trails.get(name, "") for name in golden["golden_id"].to_pylist()], pa.string()
    )
    golden = golden.append_column("provenance_hash", trail)
    change = rows.difference(before, golden, keys, ["content_hash"])
    trail_change = rows.difference(before, golden, keys, ["provenance_hash"])
    stamp = {"published_at": run.at_text, "publish_id": run.publish_id}
    rows.delete(run.connection, golden_customer, change.deleted, keys)
    rows.update(run.connection, golden_customer, rows.with_constant(change.changed, **stamp), keys)
    rows.insert(
        run.connection,
        golden_customer,
        rows.with_constant(change.added, first_published_at=run.at_text, **stamp),
    )
    rehashed = trail_change.changed.select([*keys, "provenance_hash"])
    rows.update(run.connection, golden_customer, rehashed, keys)
    touched = pa.concat_tables([rehashed.select(keys), trail_change.deleted.select(keys)])
    return change.counts, change.added, touched


def _write_history(run: _Run, restored: bool | None) -> None:
    """Close the versions that no longer hold and open the ones just written.

    A restored customer gets back the moment when its id was published first.
    """
    golden = rows.sql_name(run.connection, golden_customer)
    history = rows.sql_name(run.connection, golden_customer_history)
    values = {"at": run.at, "publish_id": run.publish_id}
    if run.connection.dialect.name == "sqlite":
        values["at"] = run.at_text
    run.connection.execute(
        sa.text(
            f"UPDATE {history} SET valid_to = :at, is_current = false WHERE is_current"
            f" AND NOT EXISTS (SELECT 1 FROM {golden} g"
            f" WHERE g.golden_id = {history}.golden_id AND g.publish_id <> :publish_id)"
        ),
        values,
    )
    columns = ", ".join(f'"{name}"' for name in _GOLDEN)
    run.connection.execute(
        sa.text(
            f"INSERT INTO {history} (golden_id, valid_from, valid_to, is_current, change,"
            f" publish_id, {columns})"
            " SELECT golden_id, :at, NULL, true, CASE"
            f" WHEN NOT EXISTS (SELECT 1 FROM {history} h WHERE h.golden_id = g.golden_id)"
            " THEN 'created'"
            f" WHEN EXISTS (SELECT 1 FROM {history} h WHERE h.golden_id = g.golden_id"
            "  AND h.valid_to = :at) THEN 'changed' ELSE 'restored' END,"
            f" publish_id, {columns} FROM {golden} g WHERE publish_id = :publish_id"
        ),
        values,
    )
    if restored:
        first = f"SELECT MIN(h.valid_from) FROM {history} h WHERE h.golden_id = {golden}.golden_id"
        run.connection.execute(
            sa.text(
                f"UPDATE {golden} SET first_published_at = ({first})"
                " WHERE publish_id = :publish_id AND first_published_at = :at"
            ),
            values,
        )


def _write_fields(
    run: _Run, provenance: pa.Table, new: pa.Table, touched: pa.Table
) -> dict[str, int]:
    """Write golden_field, looking only at customers whose provenance hash differs."""
    ids = touched["golden_id"].to_pylist()
    stored = provenance.slice(0, 0)
    if ids:
        where = rows.one_of("golden_id", ids) if len(ids) <= _NAMED else ""
        stored = rows.read(run.connection, golden_field, [*_TRAIL_KEYS, *_TRAIL], where)
        stored = stored.filter(_among(stored, touched))
    found = provenance.filter(pc.or_(_among(provenance, new), _among(provenance, touched)))
    return _apply(
        run, golden_field, rows.difference(stored, found, _TRAIL_KEYS, _TRAIL), _TRAIL_KEYS
    )


def _among(table: pa.Table, others: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(table["golden_id"], value_set=others["golden_id"])


def _write(
    run: _Run, table: sa.Table, new: pa.Table, keys: list[str], compared: list[str], **first: str
) -> dict[str, int]:
    """Make a table equal to a text table; ``first`` are columns of added rows only."""
    stored = rows.read(run.connection, table, [*keys, *compared])
    return _apply(run, table, rows.difference(stored, new, keys, compared), keys, **first)


def _apply(
    run: _Run, table: sa.Table, change: rows.Difference, keys: list[str], **first: str
) -> dict[str, int]:
    rows.delete(run.connection, table, change.deleted, keys)
    rows.update(run.connection, table, change.changed, keys)
    rows.insert(run.connection, table, rows.with_constant(change.added, **first))
    return change.counts


def _write_crosswalk(run: _Run, pairs: pa.Table) -> dict[str, int]:
    """Record id is source and key joined by a colon; a source's name has none."""
    parts = pc.split_pattern(pairs["record_id"], ":", max_splits=1).combine_chunks()
    keys = {"source": pc.list_element(parts, 0), "source_key": pc.list_element(parts, 1)}
    new = rows.with_constant(
        pa.table({**keys, "record_id": pairs["record_id"], "golden_id": pairs["golden_id"]}),
        since=run.at_text,
    )
    return _write(run, crosswalk, new, ["source", "source_key"], ["golden_id"])


def _write_redirects(
    run: _Run,
    identity: Identity,
    live: set[str],
    was_live: set[str],
    earlier: Mapping[str, str | None],
) -> dict[str, int]:
    """Every id that is not live, in one step to the live one, or to its end."""
    latest: dict[str, str | None] = {**earlier, **dict.fromkeys(was_live - live)}
    for row in identity.redirects.to_pylist():
        latest[row["golden_id"]] = row["successor"]
    latest = {retired: successor for retired, successor in latest.items() if retired not in live}
    final: dict[str, str | None] = {}
    for retired in latest:
        _no_cycle(retired, latest)
        final[retired] = resolve(retired, latest)
        if final[retired] is not None and final[retired] not in live:
            raise PublishError(
                _WHERE, "a redirect leads to an id that is not published", found=str(retired)
            )
    new = pa.table(
        {
            "golden_id": pa.array(list(final), pa.string()),
            "successor": pa.array(list(final.values()), pa.string()),
        }
    )
    stamp = {"retired_at": run.at_text, "publish_id": run.publish_id}
    return _write(run, redirect, new, ["golden_id"], ["successor"], **stamp)


def _no_cycle(start: str, latest: Mapping[str, str | None]) -> None:
    seen = {start}
    current = latest[start]
    while current is not None and current in latest:
        if current in seen:
            raise PublishError(_WHERE, "redirects lead in a circle", found=start)
        seen.add(current)
        current = latest[current]


def suggestion_id(kind: str, left_id: str, right_id: str) -> str:
    """The id of a suggestion: it follows from its kind and pair.

    >>> suggestion_id("merge", "erp:1", "crm:2") == suggestion_id("merge", "crm:2", "erp:1")
    True
    """
    low, high = sorted((left_id, right_id))
    text = f"{kind}\0{low}\0{high}".encode()
    return "S" + hashlib.blake2b(text, digest_size=10).hexdigest()


def _write_suggestions(run: _Run, suggestions: pa.Table, pairs: pa.Table) -> dict[str, int]:
    columns = ["left_id", "right_id", "probability", "kind", "reason"]
    golden_of = dict(
        zip(pairs["record_id"].to_pylist(), pairs["golden_id"].to_pylist(), strict=True)
    )
    best: dict[str, dict[str, Any]] = {}
    for row in suggestions.select(columns).to_pylist():
        if row["left_id"] not in golden_of or row["right_id"] not in golden_of:
            continue  # the record is gone since
        name = suggestion_id(row["kind"], row["left_id"], row["right_id"])
        row["left_golden_id"] = golden_of[row["left_id"]]
        row["right_golden_id"] = golden_of[row["right_id"]]
        known = best.get(name)
        if known is None or (row["probability"] or 0) > (known["probability"] or 0):
            best[name] = {"suggestion_id": name, **row}
    text_columns = ["suggestion_id", *columns, "left_golden_id", "right_golden_id"]
    schema = pa.schema(
        [(name, pa.float64() if name == "probability" else pa.string()) for name in text_columns]
    )
    new = rows.encode(pa.Table.from_pylist([best[name] for name in sorted(best)], schema=schema))
    new = new.append_column("content_hash", rows.hashes(new.drop_columns(["suggestion_id"])))
    new = rows.with_constant(new, publish_id=run.publish_id)
    return _write(
        run, merge_suggestion, new, ["suggestion_id"], ["content_hash"], since=run.at_text
    )


def _write_events(run: _Run, identity: Identity, gone: set[str]) -> dict[str, int]:
    names = ["event", "golden_id", "other_golden_id", "record_count", "reason"]
    events = identity.events.select(names).to_pylist()
    told = {row["golden_id"] for row in events if row["event"] in {"absorbed", "retired"}}
    for golden_id in sorted(gone - told):
        events.append(
            {
                "event": "retired",
                "golden_id": golden_id,
                "other_golden_id": None,
                "record_count": 0,
                "reason": "no record belongs to it any more",
            }
        )
    table = pa.Table.from_pylist(events, schema=identity.events.schema).select(names)
    numbers = pa.array([str(number + 1) for number in range(table.num_rows)], pa.string())
    text = rows.with_constant(
        rows.encode(table).append_column("number", numbers),
        publish_id=run.publish_id,
        at=run.at_text,
    )
    rows.insert(run.connection, lineage_event, text)
    return {"added": text.num_rows, "changed": 0, "deleted": 0}

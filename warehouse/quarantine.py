"""Findings → quarantine: rejected values and records until they are repaired.

What belongs here: the table ``quarantine``. It is written within the
transaction of the sync that found them (warehouse/staged.py). What stewards
mend and accept stands in repairs.py; how pages list findings in findings.py.
"""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from rules.quarantine import QUARANTINE_SCHEMA
from warehouse import rows, text_form
from warehouse.engine import Warehouse
from warehouse.tables import quarantine
from warehouse.waiting import Waiting

_STATUS = pa.field("status", pa.string())
COMPARED = ("quarantine_id", "position", "whole_record", "status")
"""The id of a finding, and what may change of it."""
COLUMNS = (*QUARANTINE_SCHEMA.names, "status", "quarantine_id", "first_seen")
"""What is known of a finding when it is found."""
_STANDS = "\"status\" <> 'repaired'"


def identified(found: pa.Table, sync_id: str, accepted: pa.Array, key: bytes = b"") -> pa.Table:
    """Findings in text form, with an id that follows from what was found, not from where or when.

    Equal findings (a key that stands twice) are counted through, by position.

    Args:
        found: QUARANTINE_SCHEMA; all findings of its records.
        sync_id: the sync that found them.
        accepted: for each whether a steward accepted it.
        key: of the ids, where values are kept encrypted.

    Returns:
        COLUMNS.
    """
    text = text_form.encode(found.select(QUARANTINE_SCHEMA.names))
    text = text.append_column("status", pc.if_else(accepted, "accepted", "open"))
    text = text.sort_by([("record_id", "ascending"), ("position", "ascending")])
    seen: dict[str, int] = {}
    ids = []
    content = text.drop_columns(["position", "whole_record", "status"])
    for name in text_form.hashes(content, key).to_pylist():
        seen[name] = seen.get(name, 0) + 1
        ids.append(f"{name[:24]}-{seen[name]}")
    text = text.append_column("quarantine_id", pa.array(ids, pa.string()))
    return text_form.with_constant(text, first_seen=sync_id)


def write(
    connection: sa.Connection,
    source: str,
    findings: Waiting,
    sync_id: str,
    touched: pa.Array | None = None,
) -> tuple[int, int]:
    """Insert new findings, close the ones that are gone, open closed ones again.

    Args:
        connection: within the transaction of the sync.
        source: the source.
        findings: COLUMNS.
        sync_id: the sync.
        touched: ids of the records that the findings may be about; None: all of the source.

    Returns:
        how many became open or accepted, and how many closed. A finding that was
        accepted, or is not any more, counts in both.
    """
    keys, told = ["quarantine_id"], ["position", "whole_record", "status"]
    if touched is None:
        where = rows.one_of("source", [source])
        stored = rows.read(connection, quarantine, COMPARED, where)
    else:
        ids = touched.to_pylist()
        stored = rows.read_of(
            connection, quarantine, [*COMPARED, "record_id"], "record_id", ids
        ).select(COMPARED)
    found = findings.compared
    change = rows.difference(stored, found, keys, told)
    for text in findings.only(rows.compare(stored, found, keys, told).added):
        rows.insert(connection, quarantine, text)
    again = change.changed.select([*keys, *told])
    again = again.append_column("last_seen", pa.nulls(again.num_rows, pa.string()))
    rows.update(connection, quarantine, again, keys)
    gone = change.deleted.filter(pc.not_equal(change.deleted["status"], "repaired"))
    closing = text_form.with_constant(gone.select(keys), status="repaired", last_seen=sync_id)
    rows.update(connection, quarantine, closing, keys)
    turned = rows.difference(stored, found, keys, ["status"]).changed.num_rows
    stood = stored.filter(pc.not_equal(stored["status"], "repaired"))
    turned_of_these = rows.difference(stood, found, keys, ["status"]).changed.num_rows
    return change.added.num_rows + turned, gone.num_rows + turned_of_these


def move(connection: sa.Connection, source: str, stays: pa.Table) -> None:
    """Write where records stand now to the findings about them that stand.

    Args:
        connection: within the transaction of the sync.
        source: the source.
        stays: ``source_key``, ``position`` of its records; nothing is written if there are none.
    """
    if not stays.num_rows:
        return
    where = f"{rows.one_of('source', [source])} AND {_STANDS}"
    names = ["quarantine_id", "source_key", "position"]
    stored = rows.read(connection, quarantine, names, where)
    # The findings are few and the records that moved may be all.
    moved = stays.filter(pc.is_in(stays["source_key"], value_set=stored["source_key"]))
    at = pc.index_in(stored["source_key"], value_set=moved["source_key"])
    stored, at = stored.filter(at.is_valid()), at.drop_null()
    placed = pa.table(
        {"quarantine_id": stored["quarantine_id"], "position": moved["position"].take(at)}
    )
    change = rows.difference(stored, placed, ["quarantine_id"], ["position"]).changed
    rows.update(connection, quarantine, change, ["quarantine_id"])


def standing(connection: sa.Connection, source: str) -> pa.Table:
    """The findings of a source that stand, accepted ones too: QUARANTINE_SCHEMA in part, status."""
    names = ["record_id", "position", "field", "rule", "severity", "whole_record"]
    where = f"{rows.one_of('source', [source])} AND {_STANDS}"
    text = rows.read(connection, quarantine, [*names, "status"], where)
    schema = pa.schema([*(QUARANTINE_SCHEMA.field(name) for name in names), _STATUS])
    return text_form.decode(text, schema)


def source_keys(wh: Warehouse, source: str, rules: Iterable[str], *, kept_out: bool) -> list[str]:
    """Keys of the records about which findings of some rules stand.

    Args:
        wh: the warehouse.
        source: the source.
        rules: their names.
        kept_out: whether records that are kept out count, whatever rule did it.
    """
    which = rows.one_of("rule", sorted(rules)) + (' OR "whole_record"' if kept_out else "")
    where = f"{rows.one_of('source', [source])} AND {_STANDS} AND ({which})"
    with wh.read() as connection:
        found = rows.read(connection, quarantine, ["source_key"], where)
    return [str(key) for key in found["source_key"].unique().to_pylist()]


def read(wh: Warehouse, source: str | None = None, status: str = "open") -> pa.Table:
    """Quarantine rows of a status, sorted by record and field.

    Returns:
        quarantine_id, QUARANTINE_SCHEMA, first_seen, last_seen, status.
    """
    schema = pa.schema(
        [
            pa.field("quarantine_id", pa.string()),
            *QUARANTINE_SCHEMA,
            pa.field("first_seen", pa.string()),
            pa.field("last_seen", pa.string()),
            _STATUS,
        ]
    )
    with wh.read() as connection:
        text = rows.read(
            connection,
            quarantine,
            schema.names,
            rows.one_of("source", [source]) if source is not None else "",
        )
    table = text_form.decode(text, schema)
    order = [(name, "ascending") for name in ("record_id", "field", "quarantine_id")]
    return table.filter(pc.equal(table["status"], status)).sort_by(order)

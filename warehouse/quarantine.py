"""Findings → quarantine: rejected values and records until they are repaired.

What belongs here: the table ``quarantine``. It is written within the
transaction of the sync that found them (warehouse/staged.py). What stewards
mend and accept stands in repairs.py; how pages list findings in findings.py.
"""

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from rules.quarantine import QUARANTINE_SCHEMA
from warehouse import rows, text_form
from warehouse.engine import Warehouse
from warehouse.tables import quarantine


def identified(text: pa.Table, sync_id: str, accepted: pa.Array | None = None) -> pa.Table:
    """Findings with an id that follows from what was found, not from where or when.

    Equal findings (a key that stands twice) are counted through, by position.

    Args:
        text: the findings.
        sync_id: the sync that found them.
        accepted: for each whether a steward accepted it; None: none.
    """
    if accepted is None:
        status = pa.array(["open"] * text.num_rows, pa.string())
    else:
        status = pc.if_else(accepted, "accepted", "open")
    text = text.append_column("status", status)
    text = text.sort_by([("record_id", "ascending"), ("position", "ascending")])
    seen: dict[str, int] = {}
    ids = []
    content = text.drop_columns(["position", "whole_record", "status"])
    for name in text_form.hashes(content).to_pylist():
        seen[name] = seen.get(name, 0) + 1
        ids.append(f"{name[:24]}-{seen[name]}")
    text = text.append_column("quarantine_id", pa.array(ids, pa.string()))
    return text_form.with_constant(text, first_seen=sync_id)


def write(connection: sa.Connection, source: str, found: pa.Table, sync_id: str) -> tuple[int, int]:
    """Insert new findings, close the ones that are gone, open closed ones again.

    Returns:
        how many became open or accepted, and how many closed. A finding that was
        accepted, or is not any more, counts in both.
    """
    keys, told = ["quarantine_id"], ["position", "whole_record", "status"]
    stored = rows.read(connection, quarantine, [*keys, *told], rows.one_of("source", [source]))
    change = rows.difference(stored, found, keys, told)
    rows.insert(connection, quarantine, change.added)
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
            pa.field("status", pa.string()),
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

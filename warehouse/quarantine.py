"""Findings → quarantine: rejected values and records until they are repaired.

What belongs here: the table ``quarantine``. It is written within the
transaction of the sync that found them (warehouse/staged.py).
"""

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from rules.quarantine import QUARANTINE_SCHEMA
from warehouse import rows, text_form
from warehouse.engine import Warehouse
from warehouse.tables import quarantine


def identified(text: pa.Table, sync_id: str) -> pa.Table:
    """Findings with an id that follows from what was found, not from where or when.

    Equal findings (a key that stands twice) are counted through, by position.
    """
    text = text.sort_by([("record_id", "ascending"), ("position", "ascending")])
    seen: dict[str, int] = {}
    ids = []
    for name in text_form.hashes(text.drop_columns(["position"])).to_pylist():
        seen[name] = seen.get(name, 0) + 1
        ids.append(f"{name[:24]}-{seen[name]}")
    text = text.append_column("quarantine_id", pa.array(ids, pa.string()))
    return text_form.with_constant(text, first_seen=sync_id, status="open")


def write(connection: sa.Connection, source: str, found: pa.Table, sync_id: str) -> tuple[int, int]:
    """Insert new findings, close the ones that are gone, open closed ones again."""
    keys = ["quarantine_id"]
    columns = ["quarantine_id", "position", "status"]
    stored = rows.read(connection, quarantine, columns, rows.one_of("source", [source]))
    change = rows.difference(stored, found, keys, ["position"])
    rows.insert(connection, quarantine, change.added)
    rows.update(connection, quarantine, change.changed.select(["quarantine_id", "position"]), keys)
    gone = change.deleted.filter(pc.not_equal(change.deleted["status"], "repaired"))
    closing = text_form.with_constant(gone.select(keys), status="repaired", last_seen=sync_id)
    rows.update(connection, quarantine, closing, keys)
    repaired = stored.filter(pc.equal(stored["status"], "repaired"))
    again = found.filter(
        pc.is_in(found["quarantine_id"], value_set=repaired["quarantine_id"].combine_chunks())
    ).select(keys)
    opening = text_form.with_constant(again, status="open").append_column(
        "last_seen", pa.nulls(again.num_rows, pa.string())
    )
    rows.update(connection, quarantine, opening, keys)
    return change.added.num_rows + again.num_rows, gone.num_rows


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


def accept(wh: Warehouse, quarantine_ids: list[str]) -> int:
    """Mark open findings as accepted: a steward saw them and lets them be.

    Returns:
        How many were open and are accepted now.
    """
    wanted = quarantine.c.quarantine_id.in_(quarantine_ids) & (quarantine.c.status == "open")
    with wh.write() as connection:
        return connection.execute(
            sa.update(quarantine).where(wanted).values(status="accepted")
        ).rowcount

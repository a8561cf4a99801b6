"""Stored rows, written again as the settings want them encrypted now.

What belongs here: the columns of both stores that may be encrypted, the hashes of rows that
are keyed where any is, and the keys of the search. Only rows that differ are written, in one
transaction per store; a killed run leaves the store as it was, and is simply run again.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from rules.customer import STAGED_SCHEMA
from rules.quarantine import QUARANTINE_SCHEMA
from warehouse import export, rows, sealing, search, text_form
from warehouse.columns import REVIEW, WAREHOUSE
from warehouse.engine import Warehouse
from warehouse.golden_tables import GOLDEN, without_nul
from warehouse.review_tables import repair, review
from warehouse.sealing import Sealed
from warehouse.tables import (
    crosswalk,
    golden_customer,
    quarantine,
    staged_customer,
    sync_run,
    warehouse,
)

_HASH = "content_hash"
_KEPT = 24
"""Digits of a hash that a finding's id begins with."""


def rekey(wh: Warehouse) -> dict[str, int]:
    """Bring both stores to what the settings say.

    Returns:
        table → rows written, where there are any.

    Raises:
        ConfigError: a key that values were encrypted with is not declared.
        WarehouseError: the database refuses.
    """
    counts: dict[str, int] = {}
    with wh.write(WAREHOUSE) as connection:
        _columns(connection, warehouse, counts)
        _staged_hashes(connection, wh, counts)
        _golden_hashes(connection, wh, counts)
        renamed = _findings(connection, wh)
        _search(connection, counts)
    with wh.write(REVIEW) as connection:
        _columns(connection, review, counts)
        _follow(connection, renamed)
    return {name: count for name, count in counts.items() if count}


def _columns(connection: sa.Connection, tables: sa.MetaData, counts: dict[str, int]) -> None:
    """Encrypt and decrypt values, where they are stored otherwise than they would be now."""
    for table in tables.sorted_tables:
        names = [column.name for column in table.columns if isinstance(column.type, Sealed)]
        if not names:
            continue
        keys = [column.name for column in table.primary_key.columns]
        kept = rows.stored(connection, table, [*keys, *names])
        clear = sealing.opened(connection.dialect, table, kept)
        new = sealing.sealed(connection.dialect, table, clear)
        differs = np.zeros(kept.num_rows, dtype=bool)
        for name in names:
            same = pc.fill_null(pc.equal(kept[name], new[name]), True)  # null stays null
            differs |= ~np.asarray(same)
        rows.update(connection, table, clear.filter(pa.array(differs)), keys)
        counts[table.name] = int(differs.sum())


def _staged_hashes(connection: sa.Connection, wh: Warehouse, counts: dict[str, int]) -> None:
    """Hashes of staged records, and of all of a source's."""
    text = rows.read(connection, staged_customer, [*STAGED_SCHEMA.names, _HASH])
    content = text_form.encode(text_form.decode(text, STAGED_SCHEMA)).drop_columns(["position"])
    made = _rehashed(content, text[_HASH], wh)
    other = pc.not_equal(made, text[_HASH])
    found = pa.table({"record_id": text["record_id"], "source": text["source"], _HASH: made})
    if not pc.any(other).as_py():
        return
    rows.update(
        connection, staged_customer, found.filter(other).drop_columns(["source"]), ["record_id"]
    )
    counts["staged_customer"] = max(counts["staged_customer"], int(pc.sum(other).as_py()))
    for source in pc.unique(found["source"]).to_pylist():
        mine = found.filter(pc.equal(found["source"], source))
        good = sync_run.c.status.in_(("synced", "unchanged"))
        last = sa.select(sa.func.max(sync_run.c.finished_at)).where(
            good, sync_run.c.source == source
        )
        connection.execute(
            sa.update(sync_run)
            .where(good, sync_run.c.source == source)
            .where(sync_run.c.finished_at == last.scalar_subquery())
            .values(staged_hash=f"{text_form.total(mine[_HASH]):032x}")
        )


def _golden_hashes(connection: sa.Connection, wh: Warehouse, counts: dict[str, int]) -> None:
    """Hashes of golden customers: another one would be another version at the next publish."""
    schema = pa.schema([export.GOLDEN_SCHEMA.field(name) for name in GOLDEN])
    text = rows.read(connection, golden_customer, ["golden_id", *GOLDEN, _HASH])
    content = without_nul(text_form.encode(text_form.decode(text, schema)))
    made = _rehashed(content, text[_HASH], wh)
    other = pc.not_equal(made, text[_HASH])
    found = pa.table({"golden_id": text["golden_id"], _HASH: made}).filter(other)
    rows.update(connection, golden_customer, found, ["golden_id"])
    counts["golden_customer"] = max(counts["golden_customer"], found.num_rows)


def _findings(connection: sa.Connection, wh: Warehouse) -> list[dict[str, str]]:
    """Ids of findings, which follow from hashes: those that are others now."""
    names = QUARANTINE_SCHEMA.names
    text = rows.read(connection, quarantine, ["quarantine_id", *names])
    content = text_form.encode(text_form.decode(text, QUARANTINE_SCHEMA))
    content = content.drop_columns(["position", "whole_record"])
    made = text_form.hashes(content, wh.sealer.row_key).to_pylist()
    renamed = []
    for was, name in zip(text["quarantine_id"].to_pylist(), made, strict=True):
        now = f"{name[:_KEPT]}{was[_KEPT:]}"
        if now != was:
            renamed.append({"was": was, "now": now})
    if renamed:
        connection.execute(
            sa.update(quarantine)
            .where(quarantine.c.quarantine_id == sa.bindparam("was"))
            .values(quarantine_id=sa.bindparam("now")),
            renamed,
        )
    return renamed


def _follow(connection: sa.Connection, renamed: Sequence[dict[str, str]]) -> None:
    """Repairs name the findings that they were made for."""
    if renamed:
        connection.execute(
            sa.update(repair)
            .where(repair.c.quarantine_id == sa.bindparam("was"))
            .values(quarantine_id=sa.bindparam("now")),
            list(renamed),
        )


def _search(connection: sa.Connection, counts: dict[str, int]) -> None:
    golden = rows.read(connection, golden_customer, search.READ)
    known = rows.read(connection, crosswalk, ["source", "source_key", "golden_id"])
    written = search.write(connection, golden, known, None)
    counts["customer_search"] = written["added"] + written["deleted"]


def _rehashed(content: pa.Table, stored: pa.ChunkedArray, wh: Warehouse) -> pa.Array:
    """The hashes that rows should have, from those that they have.

    PostgreSQL gives an object back in other words than it was hashed in: what such a row says
    cannot be told from its hash, and what is true of the others is taken to be true of it.
    """
    stored = stored.combine_chunks()
    sealer = wh.sealer
    if not sealer.opens:
        return stored
    key = sealer.keys.hash_key("row")
    plain, keyed = text_form.hashes(content), text_form.hashes(content, key)
    is_plain, is_keyed = pc.equal(stored, plain), pc.equal(stored, keyed)
    if not sealer.columns:
        return pc.if_else(is_keyed, plain, stored)
    if not pc.any(is_plain).as_py() and pc.any(is_keyed).as_py():
        return stored
    return pc.if_else(is_keyed, stored, text_form.keyed(stored, key))


def forget(wh: Warehouse) -> None:
    """Let SQLite overwrite what it freed: rows as they were stand in free pages and in the WAL."""
    if wh.is_postgresql:
        return
    for store in (WAREHOUSE, REVIEW):
        raw: Callable[[], sa.PoolProxiedConnection] = wh.engines[store].raw_connection
        connection = raw()
        try:
            cursor = connection.cursor()
            for statement in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                cursor.execute(statement)
                cursor.fetchall()
        finally:
            connection.close()

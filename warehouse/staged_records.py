"""Staged records as they are read: all, some, a source's, or how many."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa
import sqlalchemy as sa

from rules.customer import STAGED_SCHEMA
from warehouse import moved as moves
from warehouse import rows, staged_counts, sync_runs, text_form
from warehouse.engine import Warehouse
from warehouse.staged_counts import Counts
from warehouse.tables import staged_customer

CONTENT_HASH = "content_hash"
"""Column: hash of a record without its position."""


def sources(wh: Warehouse) -> dict[str, int]:
    """Live records by source, sorted by name; sources without any are left out.

    The rows of a whole table are counted in a tenth of the time that those of a source take, so
    that the largest has what the others leave.
    """
    one = staged_customer.c.source
    every = sa.select(sa.func.count()).select_from(staged_customer)
    with wh.read() as connection:
        names = _names(connection)
        if not names:
            return {}
        runs = {name: sync_runs.runs(connection, *sync_runs.last_good(name)) for name in names}
        largest = max(names, key=lambda name: runs[name][0].rows_staged if runs[name] else 0)
        found = {
            name: int(connection.execute(every.where(one == name)).scalar_one())
            for name in names
            if name != largest
        }
        rest = int(connection.execute(every).scalar_one()) - sum(found.values())
    return {name: found.get(name, rest) for name in names}


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
        text = moves.placed(connection, text)
    return text_form.decode(text, STAGED_SCHEMA).sort_by("record_id")


def of_source(source: str) -> str:
    """The condition for a source's records, as rows.read takes it."""
    return rows.one_of("source", [source])


def columns(wh: Warehouse, source: str, names: Sequence[str]) -> pa.Table:
    """Columns of a source's live records, in no particular order; ``content_hash`` is one too."""
    schema = pa.schema([*STAGED_SCHEMA, pa.field(CONTENT_HASH, pa.string())])
    asked = dict.fromkeys([*names, "record_id"] if "position" in names else names)
    with wh.read() as connection:
        text = rows.read(connection, staged_customer, [*asked], of_source(source))
        if "position" in names:
            text = moves.placed(connection, text, source)
    return text_form.decode(text.select(names), pa.schema([schema.field(name) for name in names]))


def counts(connection: sa.Connection) -> dict[str, Counts]:
    """What is counted of the live records of every source that has some, by source."""
    found = {}
    for source in _names(connection):
        good = sync_runs.runs(connection, *sync_runs.last_good(source))
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
    names = ["record_id", CONTENT_HASH]
    with wh.read() as connection:
        if record_ids is None:
            return rows.read(connection, staged_customer, names).sort_by("record_id")
        some = rows.read_of(connection, staged_customer, names, "record_id", record_ids)
        return some.sort_by("record_id")

"""Taking a source's records out for good: what that would do, and doing it.

What belongs here: the records' way out of staged_customer and quarantine, noted as
a sync that deleted them. The golden table follows with the next publish.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from rules.customer import STAGED_SCHEMA
from rules.quarantine import QUARANTINE_SCHEMA
from warehouse import decisions, staged
from warehouse.engine import Warehouse
from warehouse.sync_runs import Changes, Sync
from warehouse.tables import crosswalk, staged_customer


@dataclass(frozen=True)
class Impact:
    """What hangs on a source's records.

    Attributes:
        records: live records of the source.
        customers: published customers that have some of them.
        ending: of these, those that have no record of another source.
        decisions: stewards' decisions in force that name one of the records.
    """

    records: int
    customers: int
    ending: int
    decisions: int


def impact(wh: Warehouse, source: str) -> Impact:
    """What would happen without the source's records; reads only."""
    theirs = sa.select(crosswalk.c.golden_id).where(crosswalk.c.source == source).distinct()
    others = (
        sa.select(crosswalk.c.golden_id)
        .where(crosswalk.c.source != source, crosswalk.c.golden_id.in_(theirs))
        .distinct()
    )
    live = sa.select(sa.func.count()).where(staged_customer.c.source == source)
    with wh.read() as connection:
        records = int(connection.execute(live).scalar_one())
        customers = _count(connection, theirs)
        staying = _count(connection, others)
    prefix = f"{source}:"
    named = sum(
        any((row[end] or "").startswith(prefix) for end in ("left_id", "right_id"))
        for row in decisions.read(wh).select(["left_id", "right_id"]).to_pylist()
    )
    return Impact(records, customers, customers - staying, named)


def remove(wh: Warehouse, source: str) -> Changes:
    """Take every record and finding of a source out, in one transaction, as a sync of its own."""
    now = datetime.now(UTC)
    sync = Sync(
        sync_id=f"{now:%Y%m%dT%H%M%S%f}Z-removed",
        started_at=now,
        rows_read=0,
        manifest={"removed": True},
    )
    return staged.replace(
        wh, source, STAGED_SCHEMA.empty_table(), QUARANTINE_SCHEMA.empty_table(), sync
    )


def _count(connection: sa.Connection, query: sa.Select[tuple[str]]) -> int:
    rows = sa.select(sa.func.count()).select_from(query.subquery())
    return int(connection.execute(rows).scalar_one())

"""Taking customers out of the warehouse store."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from warehouse import customer_counts, staged_counts, text_form
from warehouse.columns import WAREHOUSE
from warehouse.engine import Warehouse
from warehouse.erasing import shown
from warehouse.erasing.files import writing
from warehouse.erasing.held import Named, treated
from warehouse.erasing.whom import erased, pieces
from warehouse.erasures import Target
from warehouse.moments import now
from warehouse.tables import (
    crosswalk,
    golden_customer,
    golden_customer_history,
    lineage_event,
    quarantine,
    redirect,
    staged_customer,
    sync_run,
)

_WHY = "erased on request"
Settled = Callable[[str], Mapping[str, Any]]
"""Source → columns of its last good sync_run as they must be for the snapshot it stands on."""


def from_warehouse(
    wh: Warehouse, targets: Mapping[str, Target], settled: Settled
) -> dict[str, int]:
    """Take customers out of the warehouse store, in one transaction.

    Args:
        wh: the warehouse.
        targets: erasure → whom it erases.
        settled: what the last good sync of a source that loses records is to say.

    Returns:
        table → rows that went or were blanked.
    """
    named = Named(targets.values())
    with writing(wh, WAREHOUSE) as connection:
        sources = _sources(connection, named)
        before = {source: _standing(connection, source, named) for source in sources}
        shown.blank(connection, targets.values(), named.ids["records"])
        for golden_id in named.ids["customers"]:
            shown.note_equal(connection, golden_id)
        found = treated(connection, WAREHOUSE, named)
        for source, gone in before.items():
            _settle(connection, source, gone, settled(source))
        at = now()
        for erasure_id, target in targets.items():
            _end(connection, erasure_id, target, at)
        _close(connection, named.ids["customers"], at)
        if any(found.get(f"{WAREHOUSE}.{one.name}") for one in (golden_customer, crosswalk)):
            customer_counts.forget(connection)
    return found


def _sources(connection: sa.Connection, named: Named) -> list[str]:
    """Sources that the records are of."""
    every = connection.execute(sa.select(sync_run.c.source).distinct()).scalars()
    prefixes = {one.partition(":")[0] for one in named.ids["records"]}
    return sorted(prefixes.intersection(every))


def _standing(connection: sa.Connection, source: str, named: Named) -> tuple[int, int]:
    """How many of a source's staged records go, and the sum of their hashes."""
    hashes: list[str] = []
    for some in pieces(named.ids["records"]):
        query = sa.select(staged_customer.c.content_hash).where(
            staged_customer.c.record_id.in_(some), staged_customer.c.source == source
        )
        hashes += connection.execute(query).scalars()
    return len(hashes), text_form.total(pa.array(hashes, pa.string()))


def _settle(
    connection: sa.Connection, source: str, gone: tuple[int, int], settled: Mapping[str, Any]
) -> None:
    """Make the last good sync of a source say what is there now."""
    query = (
        sa.select(
            sync_run.c.sync_id, sync_run.c.rows_staged, sync_run.c.staged_hash, sync_run.c.manifest
        )
        .where(sync_run.c.source == source, sync_run.c.status.in_(("synced", "unchanged")))
        .order_by(sync_run.c.finished_at.desc())
        .limit(1)
    )
    last = connection.execute(query).first()
    if last is None:
        return
    open_findings = sa.select(sa.func.count()).where(
        quarantine.c.source == source, quarantine.c.status == "open"
    )
    kept_out = sa.select(sa.func.count(quarantine.c.record_id.distinct())).where(
        quarantine.c.source == source,
        quarantine.c.status == "open",
        quarantine.c.whole_record.is_(True),
    )
    manifest = staged_counts.without(settled.get("manifest", last.manifest))
    left = (int(last.staged_hash or "0", 16) - gone[1]) % text_form.HASHES
    connection.execute(
        sa.update(sync_run)
        .where(sync_run.c.source == source, sync_run.c.sync_id == last.sync_id)
        .values(
            rows_staged=last.rows_staged - gone[0],
            staged_hash=f"{left:032x}",
            findings=connection.execute(open_findings).scalar_one(),
            rows_quarantined=connection.execute(kept_out).scalar_one(),
            **{**settled, "manifest": manifest},
        )
    )


def _end(connection: sa.Connection, erasure_id: str, target: Target, at: datetime) -> None:
    """Lead every id of a customer to its end, and say once that it was erased."""
    known = erased(connection, target.golden_ids)
    publish = sa.select(sa.func.max(golden_customer_history.c.publish_id))
    for number, golden_id in enumerate(sorted(target.golden_ids), 1):
        if golden_id in known:
            continue
        of = redirect.c.golden_id == golden_id
        if connection.execute(sa.select(redirect.c.golden_id).where(of)).first() is None:
            connection.execute(
                sa.insert(redirect).values(
                    golden_id=golden_id,
                    successor=None,
                    retired_at=at,
                    publish_id=connection.execute(publish).scalar() or erasure_id,
                )
            )
        else:
            connection.execute(sa.update(redirect).where(of).values(successor=None, retired_at=at))
        connection.execute(
            sa.insert(lineage_event).values(
                publish_id=erasure_id,
                number=number,
                at=at,
                event="erased",
                golden_id=golden_id,
                record_count=0,
                reason=_WHY,
            )
        )


def _close(connection: sa.Connection, golden_ids: Sequence[str], at: datetime) -> None:
    """End the versions that still held."""
    for some in pieces(golden_ids):
        connection.execute(
            sa.update(golden_customer_history)
            .where(
                golden_customer_history.c.golden_id.in_(some),
                golden_customer_history.c.is_current.is_(True),
            )
            .values(is_current=False, valid_to=at)
        )

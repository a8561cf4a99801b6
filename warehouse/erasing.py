"""Taking customers out of every table of both stores.

What belongs here: whom an erasure is about, and the statements; which table is treated how is
warehouse/holdings.py's. Each store is one transaction, and doing it again changes nothing, so
that a killed erasure is finished by doing it again. SQLite overwrites what it deletes, and
:func:`compact` leaves nothing of earlier versions in either file.
"""

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from onefold.errors import NotThere, WarehouseError
from warehouse import text_form
from warehouse.columns import REVIEW, STORES, WAREHOUSE
from warehouse.engine import Warehouse, place
from warehouse.erasures import Target
from warehouse.holdings import ERASED, HOLDINGS, By, Holding
from warehouse.moments import now
from warehouse.review_tables import decision, judgement, repair, second_review
from warehouse.tables import (
    case_member,
    crosswalk,
    earlier_member,
    former_member,
    golden_customer_history,
    lineage_event,
    quarantine,
    redirect,
    staged_customer,
    sync_run,
)

_AT_ONCE = 400
_NOBODY = "onefold erase"
_WHY = "erased on request"
Settled = Callable[[str], Mapping[str, Any]]
"""Source → columns of its last good sync_run as they must be for the snapshot it stands on."""


# ------------------------------------------------------------------ whom
def customer(wh: Warehouse, golden_id: str) -> Target:
    """All that names a customer; a retired id stands for the customer it became.

    Raises:
        NotThere: the id was never published, or the customer was erased.
    """
    with wh.read() as connection:
        successor = connection.execute(
            sa.select(redirect.c.successor).where(redirect.c.golden_id == golden_id)
        ).first()
        if successor is not None and successor[0] is not None:
            golden_id = successor[0]
        known = connection.execute(
            sa.select(golden_customer_history.c.golden_id)
            .where(golden_customer_history.c.golden_id == golden_id)
            .limit(1)
        ).first()
        if known is None:
            raise NotThere(f"customer {golden_id}", "this id was never published")
        if golden_id in erased(connection, [golden_id]):
            raise NotThere(f"customer {golden_id}", "it was erased already")
        led = connection.execute(
            sa.select(redirect.c.golden_id).where(redirect.c.successor == golden_id)
        ).scalars()
        return _target(connection, golden_id, sorted({golden_id, *led}), [])


def record(wh: Warehouse, source: str, source_key: str) -> Target:
    """All that names the customer whom a record belongs to.

    If it is in none: the record, and the ended customers it was.
    """
    record_id = f"{source}:{source_key}"
    with wh.read() as connection:
        found = connection.execute(
            sa.select(crosswalk.c.golden_id).where(
                crosswalk.c.source == source, crosswalk.c.source_key == source_key
            )
        ).scalar()
    if found is None:
        return with_records(wh, Target(None, (), ()), [record_id])
    return customer(wh, found)


def with_records(wh: Warehouse, target: Target, record_ids: Iterable[str]) -> Target:
    """A target with further records that are nobody's now, and the ended customers they were."""
    every = sorted({*target.record_ids, *record_ids})
    ids = set(target.golden_ids)
    with wh.read() as connection:
        last = {one for ids in _last(connection, record_ids).values() for one in ids}
        for some in _some(sorted(last)):
            query = sa.select(redirect.c.golden_id).where(
                redirect.c.golden_id.in_(some), redirect.c.successor.is_(None)
            )
            ids |= set(connection.execute(query).scalars())
        ids -= erased(connection, sorted(ids))
        return _target(connection, target.golden_id, sorted(ids), every)


def _target(
    connection: sa.Connection, golden_id: str | None, golden_ids: list[str], records: list[str]
) -> Target:
    mine = sa.select(crosswalk.c.record_id).where(crosswalk.c.golden_id.in_(golden_ids))
    live = {*records, *connection.execute(mine).scalars()}
    named = set(live)
    for table in (former_member, earlier_member):
        chosen = sa.select(table.c.record_id).where(table.c.golden_id.in_(golden_ids))
        named |= set(connection.execute(chosen).scalars())
    # A record that left this customer and is another one's now is that one's.
    others = sa.select(crosswalk.c.record_id).where(
        crosswalk.c.golden_id.not_in(golden_ids or [""])
    )
    for some in _some(sorted(named)):
        named -= set(connection.execute(others.where(crosswalk.c.record_id.in_(some))).scalars())
    # So is one that moved to another customer before both were gone.
    named -= {
        one for one, last in _last(connection, named - live).items() if not last & set(golden_ids)
    }
    cases: set[str] = set()
    for column, ids in ((case_member.c.record_id, named), (case_member.c.golden_id, golden_ids)):
        for some in _some(sorted(ids)):
            query = sa.select(case_member.c.case_id).where(column.in_(some))
            cases |= set(connection.execute(query).scalars())
    return Target(golden_id, tuple(golden_ids), tuple(sorted(named)), tuple(sorted(cases)))


def _last(connection: sa.Connection, record_ids: Iterable[str]) -> dict[str, set[str]]:
    """Record that left a customer → the customer that it left last: it was nobody else's since."""
    found: dict[str, set[str]] = {}
    when: dict[str, Any] = {}
    for some in _some(sorted(set(record_ids))):
        former = former_member.c.record_id.in_(some)
        for row in connection.execute(sa.select(former_member).where(former)):
            found.setdefault(row.record_id, set()).add(row.golden_id)
        left = earlier_member.c.record_id.in_(some)
        order = earlier_member.c.left_at
        for row in connection.execute(sa.select(earlier_member).where(left).order_by(order)):
            if when.get(row.record_id) != row.left_at:  # later than all before
                found[row.record_id] = set()
            when[row.record_id] = row.left_at
            found[row.record_id].add(row.golden_id)
    return found


def erased(connection: sa.Connection, golden_ids: Sequence[str]) -> set[str]:
    """Which of these customers were erased."""
    found: set[str] = set()
    for some in _some(golden_ids):
        query = sa.select(lineage_event.c.golden_id).where(
            lineage_event.c.golden_id.in_(some), lineage_event.c.event == "erased"
        )
        found |= set(connection.execute(query).scalars())
    return found


def _some(values: Iterable[str]) -> Iterator[list[str]]:
    every = list(values)
    for start in range(0, len(every), _AT_ONCE):
        yield every[start : start + _AT_ONCE]


# ------------------------------------------------------------------ what is there
class _Named:
    """The ids of some targets, by what they name, and the words of their marks."""

    def __init__(self, targets: Iterable[Target]) -> None:
        every = list(targets)
        self.ids: dict[By, list[str]] = {
            "records": sorted({one for each in every for one in each.record_ids}),
            "customers": sorted({one for each in every for one in each.golden_ids}),
            "cases": sorted({one for each in every for one in each.case_ids}),
            "judgements": [],
        }
        marks = sorted({one for each in every for one in each.marks}, key=len, reverse=True)
        self._marks = re.compile("|".join(map(re.escape, marks)), re.IGNORECASE) if marks else None

    def says(self, text: str | None) -> bool:
        """Whether a text has one of the marks."""
        return bool(text and self._marks and self._marks.search(text))

    def where(self, holding: Holding) -> Iterator[sa.ColumnElement[bool]]:
        """Conditions, each in pieces, for the rows of a table that are theirs."""
        for name, by in holding.by.items():
            column = holding.table.c[name]
            if holding.table is repair:
                yield from self._repairs()
                continue
            for some in _some(self.ids[by]):
                yield column.in_(some)

    def _repairs(self) -> Iterator[sa.ColumnElement[bool]]:
        whole = repair.c.source + ":" + repair.c.source_key
        for some in _some(self.ids["records"]):
            yield whole.in_(some)


def count(wh: Warehouse, targets: Iterable[Target]) -> dict[str, int]:
    """Rows of each table that are about some customers; reads only."""
    named, found = _Named(targets), Counter[str]()
    for store in STORES:
        with wh.read(store) as connection:
            if store == REVIEW:
                named.ids["judgements"] = _judgements(connection, named)
            for holding in HOLDINGS:
                if holding.store == store and holding.by:
                    found[_place(holding)] += len(_keys(connection, holding, named))
    return {name: rows for name, rows in found.items() if rows}


def _place(holding: Holding) -> str:
    return f"{holding.store}.{holding.table.name}"


def _keys(connection: sa.Connection, holding: Holding, named: _Named) -> set[tuple[Any, ...]]:
    keys = list(holding.table.primary_key.columns)
    return {
        tuple(row)
        for where in named.where(holding)
        for row in connection.execute(sa.select(*keys).where(where))
    }


def held(wh: Warehouse, target: Target) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that is about a customer, by table; reads only.

    Columns that may tell of other people are left out.
    """
    named = _Named([target])
    found: dict[str, list[dict[str, Any]]] = {}
    for store in STORES:
        with wh.read(store) as connection:
            if store == REVIEW:
                named.ids["judgements"] = _judgements(connection, named)
            for holding in HOLDINGS:
                if holding.store != store or not holding.by:
                    continue
                shown = [one for one in holding.table.columns if one.name not in holding.others]
                keys = [one.name for one in holding.table.primary_key.columns]
                rows = {
                    tuple(getattr(row, name, None) for name in keys): dict(row._mapping)
                    for where in named.where(holding)
                    for row in connection.execute(sa.select(*shown).where(where))
                }
                if rows:
                    found[_place(holding)] = list(rows.values())
    return found


# ------------------------------------------------------------------ the warehouse store
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
    named = _Named(targets.values())
    with _writing(wh, WAREHOUSE) as connection:
        sources = _sources(connection, named)
        before = {source: _standing(connection, source, named) for source in sources}
        found = _treated(connection, WAREHOUSE, named)
        for source, gone in before.items():
            _settle(connection, source, gone, settled(source))
        at = now()
        for erasure_id, target in targets.items():
            _end(connection, erasure_id, target, at)
        _close(connection, named.ids["customers"], at)
    return found


def _sources(connection: sa.Connection, named: _Named) -> list[str]:
    """Sources that the records are of."""
    every = connection.execute(sa.select(sync_run.c.source).distinct()).scalars()
    prefixes = {one.partition(":")[0] for one in named.ids["records"]}
    return sorted(prefixes.intersection(every))


def _standing(connection: sa.Connection, source: str, named: _Named) -> tuple[int, int]:
    """How many of a source's staged records go, and the sum of their hashes."""
    hashes: list[str] = []
    for some in _some(named.ids["records"]):
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
        sa.select(sync_run.c.sync_id, sync_run.c.rows_staged, sync_run.c.staged_hash)
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
    left = (int(last.staged_hash or "0", 16) - gone[1]) % text_form.HASHES
    connection.execute(
        sa.update(sync_run)
        .where(sync_run.c.source == source, sync_run.c.sync_id == last.sync_id)
        .values(
            rows_staged=last.rows_staged - gone[0],
            staged_hash=f"{left:032x}",
            findings=connection.execute(open_findings).scalar_one(),
            rows_quarantined=connection.execute(kept_out).scalar_one(),
            **settled,
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
    for some in _some(golden_ids):
        connection.execute(
            sa.update(golden_customer_history)
            .where(
                golden_customer_history.c.golden_id.in_(some),
                golden_customer_history.c.is_current.is_(True),
            )
            .values(is_current=False, valid_to=at)
        )


# ------------------------------------------------------------------ both stores
def _treated(connection: sa.Connection, store: str, named: _Named) -> dict[str, int]:
    found: Counter[str] = Counter()
    for holding in HOLDINGS:
        if holding.store != store:
            continue
        if holding.by:
            found[_place(holding)] += len(_keys(connection, holding, named))
            for where in named.where(holding):
                if holding.becomes is None:
                    connection.execute(sa.delete(holding.table).where(where))
                elif holding.becomes:
                    values = {
                        name: sa.null() if value is None else value
                        for name, value in holding.becomes.items()
                    }
                    connection.execute(sa.update(holding.table).where(where).values(values))
        if holding.texts:
            found[_place(holding)] += _swept(connection, holding, named)
    return {name: rows for name, rows in found.items() if rows}


def _swept(connection: sa.Connection, holding: Holding, named: _Named) -> int:
    """Take the customers' values out of free text; rows that held some."""
    keys = list(holding.table.primary_key.columns)
    texts = [holding.table.c[name] for name in holding.texts]
    told = [text.is_not(None) for text in texts]
    rows = connection.execute(sa.select(*keys, *texts).where(sa.or_(*told))).all()
    found = 0
    for row in rows:
        said = {name: ERASED for name in holding.texts if named.says(getattr(row, name))}
        if said:
            found += 1
            this = [column == value for column, value in zip(keys, row, strict=False)]
            connection.execute(sa.update(holding.table).where(*this).values(said))
    return found


def from_review(wh: Warehouse, targets: Mapping[str, Target]) -> dict[str, int]:
    """Take customers out of the review store, in one transaction.

    Decisions and repairs that named their records are revoked, what waits for a second person
    is taken back. Groups of records keep the records of others.

    Returns:
        table → rows that went or were blanked.
    """
    named = _Named(targets.values())
    with _writing(wh, REVIEW) as connection:
        named.ids["judgements"] = _judgements(connection, named)
        _revoke(connection, named)
        gone = set(named.ids["records"])
        for judgement_id in named.ids["judgements"]:
            _ungroup(connection, judgement_id, gone)
        return _treated(connection, REVIEW, named)


def _judgements(connection: sa.Connection, named: _Named) -> list[str]:
    """Judgements about the customers: by the records they group, by case, by their decisions."""
    records, customers = set(named.ids["records"]), set(named.ids["customers"])
    cases = set(named.ids["cases"])
    found = set()
    columns = [judgement.c[name] for name in ("judgement_id", "case_id", "groups", "evidence")]
    for row in connection.execute(sa.select(*columns)):
        held = {one for group in row.groups or () for one in group}
        before = (row.evidence or {}).get("before") or {}
        held |= {one for group in before.values() for one in group}
        if row.case_id in cases or held & records or customers & before.keys():
            found.add(row.judgement_id)
    for column, ids in (
        (decision.c.left_id, named.ids["records"]),
        (decision.c.right_id, named.ids["records"]),
        (decision.c.golden_id, named.ids["customers"]),
    ):
        for some in _some(ids):
            query = sa.select(decision.c.judgement_id).where(column.in_(some))
            found |= {one for one in connection.execute(query).scalars() if one}
    return sorted(found)


def _revoke(connection: sa.Connection, named: _Named) -> None:
    """Take back what is in force for the customers' records, or waits for a second person."""
    at = now()
    ended = {"revoked_at": at, "revoked_by": _NOBODY}
    for column, by in (("left_id", "records"), ("right_id", "records"), ("golden_id", "customers")):
        for some in _some(named.ids[by]):  # type: ignore[index]
            connection.execute(
                sa.update(decision)
                .where(decision.c[column].in_(some), decision.c.revoked_at.is_(None))
                .values(ended)
            )
    for where in named._repairs():
        connection.execute(
            sa.update(repair)
            .where(where, repair.c.undone_at.is_(None))
            .values(undone_by=_NOBODY, undone_at=repair.c.repaired_at)
        )
    for some in _some(named.ids["judgements"]):
        connection.execute(
            sa.update(judgement)
            .where(judgement.c.judgement_id.in_(some), judgement.c.state == "waiting")
            .values(state="undone", undone_by=_NOBODY, undone_at=at)
        )
        connection.execute(
            sa.delete(second_review).where(
                second_review.c.judgement_id.in_(some), second_review.c.answered_at.is_(None)
            )
        )


def _ungroup(connection: sa.Connection, judgement_id: str, gone: set[str]) -> None:
    """Leave the records of others in what a judgement grouped, and nothing of its evidence."""
    this = judgement.c.judgement_id == judgement_id
    columns = (judgement.c.groups, judgement.c.evidence)
    row = connection.execute(sa.select(*columns).where(this)).one()
    before = (row.evidence or {}).get("before") or {}
    connection.execute(
        sa.update(judgement)
        .where(this)
        .values(
            groups=_others(row.groups or (), gone),
            evidence={
                "before": {
                    name: left
                    for name, group in before.items()
                    if (left := [one for one in group if one not in gone])
                }
            },
        )
    )
    told = {"reason": ERASED, "revoked_reason": sa.null(), "evidence": sa.null()}
    of = decision.c.judgement_id == judgement_id
    connection.execute(sa.update(decision).where(of).values(told))
    again = second_review.c.judgement_id == judgement_id
    second = connection.execute(sa.select(second_review.c.groups).where(again)).first()
    if second is not None and second.groups:
        left = _others(second.groups, gone)
        connection.execute(sa.update(second_review).where(again).values(groups=left))


def _others(groups: Iterable[Iterable[str]], gone: set[str]) -> list[list[str]]:
    """Groups of records without some of them."""
    left = ([one for one in group if one not in gone] for group in groups)
    return [group for group in left if group]


# ------------------------------------------------------------------ what deleting leaves behind
@contextmanager
def _writing(wh: Warehouse, store: str) -> Iterator[sa.Connection]:
    """A transaction whose deleted rows are overwritten in SQLite's file."""
    with wh.write(store) as connection:
        if not wh.is_postgresql:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        yield connection


def compact(wh: Warehouse, wait: float = 60.0) -> None:
    """Leave nothing of deleted rows, or of what updated rows were, in either store.

    SQLite's files are written anew, with their logs. PostgreSQL is asked to free the rows; its
    own log and backups keep them for as long as they are kept.

    Args:
        wh: the warehouse.
        wait: how long to wait for readers of a SQLite file, seconds.

    Raises:
        WarehouseError: somebody reads a file all the time; do it again later.
    """
    if wh.is_postgresql:
        engine = wh.engines[WAREHOUSE].execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for holding in HOLDINGS:
                if holding.by or holding.texts:
                    name = f'"{holding.store}"."{holding.table.name}"'
                    connection.exec_driver_sql(f"VACUUM {name}")
        return
    for store in STORES:
        _compact(wh.engines[store].url, wait)


def _compact(url: sa.URL, wait: float) -> None:
    until = time.monotonic() + wait
    with closing(sqlite3.connect(str(url.database), timeout=wait, isolation_level=None)) as own:
        own.execute("VACUUM")
        while own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > until:
                raise WarehouseError(
                    place(url),
                    "its log cannot be emptied while somebody reads",
                    do="The erasure is finished by the next run.",
                )
            time.sleep(0.2)

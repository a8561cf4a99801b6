"""How good the sources are: measures per source and field, counted from the tables.

What belongs here: what is measured, counting it, keeping one figure per day,
and reading figures back. A measure is a share: ``good`` of ``counted``. Nothing
here holds a customer's value.

| measure | of | good are |
|---|---|---|
| accepted | records read | those not kept out whole |
| single | live records | distinct customers: what is missing to 1 are duplicates |
| completeness | records to which the field applies | those that have a value |
| validity | values the source gives | those that keep the field's rules |
| uniqueness | values of a number that one customer has | distinct ones |
| timeliness | records that say when they were changed | those changed within `timely_days` |
| consistency | values of customers that two sources hold | those equal to the golden value |
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from rules.customer import ORGANIZATION, PERSON
from warehouse import customer_counts, staged_records
from warehouse.bi import sql
from warehouse.engine import Warehouse
from warehouse.quality_policy import QualityPolicy
from warehouse.staged_counts import FIELDS, OF
from warehouse.tables import (
    crosswalk,
    golden_customer,
    publish_run,
    quality_measure,
    quality_state,
    quarantine,
    staged_customer,
)

_NUMBERS = ("national_id", "tax_id")
_COMPARED = (
    "national_id", "tax_id", "birth_date", "sex", "city", "region", "postal_code", "country",
    "status",
)  # fmt: skip
_STATE = "quality"


@dataclass(frozen=True)
class Measure:
    """One figure.

    Attributes:
        source: of which source.
        field: column of the canonical model; empty: the records as a whole.
        measure: one of ``quality_policy.MEASURES``.
        good: records or values that are as they should be.
        counted: records or values looked at; never 0.
        day: the day it is of.
    """

    source: str
    field: str
    measure: str
    good: int
    counted: int
    day: date

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.good / self.counted


def measure(wh: Warehouse, now: datetime, day: date, policy: QualityPolicy) -> int:
    """Count everything and keep it as the day's figures, if anything changed since.

    Args:
        wh: the warehouse.
        now: this moment, UTC.
        day: today in the deployment's time zone.
        policy: what timely means.

    Returns:
        Figures written; 0 if nothing changed.

    Raises:
        WarehouseError: the database cannot be reached or refuses.
    """
    with wh.read() as connection:
        stands_on = _fingerprint(connection, policy)
        query = sa.select(quality_state.c.fingerprint).where(quality_state.c.name == _STATE)
        if connection.execute(query).scalar() == stands_on:
            return 0
        found = [*_all(connection, now - policy.timely)]
    rows = [
        {"day": day, "source": source, "field": field, "measure": name, "good": good,
         "counted": counted, "at": now}
        for source, field, name, good, counted in found
        if counted
    ]  # fmt: skip
    with wh.write() as connection:
        connection.execute(sa.delete(quality_measure).where(quality_measure.c.day == day))
        if rows:
            connection.execute(sa.insert(quality_measure), rows)
        connection.execute(sa.delete(quality_state).where(quality_state.c.name == _STATE))
        connection.execute(sa.insert(quality_state).values(name=_STATE, fingerprint=stands_on))
    return len(rows)


def latest(wh: Warehouse) -> list[Measure]:
    """The figures of the last day there are some, sorted by source, field and measure."""
    newest = sa.select(sa.func.max(quality_measure.c.day)).scalar_subquery()
    return _read(wh, quality_measure.c.day == newest)


def together(measures: Iterable[Measure]) -> dict[tuple[str, str], float]:
    """The share of each measure by source, all fields together."""
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for one in measures:
        good, counted = counts.get((one.source, one.measure), (0, 0))
        counts[one.source, one.measure] = (good + one.good, counted + one.counted)
    return {name: good / counted for name, (good, counted) in counts.items()}


def trend(wh: Warehouse, source: str, since: date) -> list[Measure]:
    """A source's figures from a day on, oldest first."""
    of = quality_measure.c
    return _read(wh, (of.source == source) & (of.day >= since))


def _read(wh: Warehouse, where: sa.ColumnElement[bool]) -> list[Measure]:
    of = quality_measure.c
    query = (
        sa.select(of.source, of.field, of.measure, of.good, of.counted, of.day)
        .where(where)
        .order_by(of.day, of.source, of.field, of.measure)
    )
    with wh.read() as connection:
        return [Measure(*row) for row in connection.execute(query)]


# -- counting

_Found = tuple[str, str, str, int, int]
"""source, field, measure, good, counted."""


def _fingerprint(connection: sa.Connection, policy: QualityPolicy) -> str:
    """Of the last publish and of what is in quarantine: all that is measured hangs on them."""
    published = sa.select(sa.func.max(publish_run.c.at))
    open_ones = sa.select(sa.func.count()).where(quarantine.c.status == "open")
    staged = sa.select(sa.func.count()).select_from(staged_customer)
    told = [connection.execute(query).scalar() for query in (published, open_ones, staged)]
    return "|".join(map(str, (*told, policy.timely_days)))


def _all(connection: sa.Connection, since: datetime) -> Iterable[_Found]:
    records, filled = _filled(connection, since)
    failed, kept_out = _failed(connection)
    for source in sorted({*(name for name, _ in records), *kept_out}):
        live = sum(count for (name, _), count in records.items() if name == source)
        yield source, "", "accepted", live, live + kept_out.get(source, 0)
    yield from _single(connection)
    for field in FIELDS:
        for source in sorted({name for name, _ in records}):
            kinds = [kind for kind, of in OF.items() if field in of] or [PERSON, ORGANIZATION]
            counted = sum(records.get((source, kind), 0) for kind in kinds)
            good = filled[source, field]
            yield source, field, "completeness", good, counted
            wrong = failed.get((source, field), 0)
            if good or wrong:
                yield source, field, "validity", good, good + wrong
    for source in sorted({name for name, _ in records}):
        changed, fresh = filled[source, "updated_at"], filled[source, "fresh"]
        yield source, "updated_at", "timeliness", fresh, changed
    yield from _unique(connection)
    if len({source for source, _ in records}) > 1:
        yield from _consistent(connection)


def _filled(
    connection: sa.Connection, since: datetime
) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """Records by source and type; values by source and field.

    In place of a field there are also the records that were changed since a moment (fresh).
    """
    of = staged_customer.c
    records: dict[tuple[str, str], int] = {}
    filled: dict[tuple[str, str], int] = {}
    for source, counts in staged_records.counts(connection).items():
        fresh = sa.select(sa.func.count()).where(of.source == source, of.updated_at >= since)
        records |= {(source, kind): counts[f"of/{kind}"] for kind in OF}
        filled |= {(source, field): counts[f"filled/{field}"] for field in FIELDS}
        filled[source, "fresh"] = connection.execute(fresh).scalar_one()
    return records, filled


def _failed(connection: sa.Connection) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """Records whose value failed, by source and field; records kept out whole, by source."""
    of = quarantine.c
    failing = (of.status == "open") & (of.severity == "error")
    records = sa.func.count(of.record_id.distinct())
    values = (
        sa.select(of.source, of.field, records)
        .where(failing, of.whole_record.is_(False), of.field.in_(FIELDS))
        .group_by(of.source, of.field)
    )
    whole = (
        sa.select(of.source, sa.func.count(sa.distinct(of.record_id.op("||")(of.position))))
        .where(failing, of.whole_record.is_(True))
        .group_by(of.source)
    )
    return (
        {(source, field): count for source, field, count in connection.execute(values)},
        dict(connection.execute(whole).all()),
    )


def _single(connection: sa.Connection) -> Iterable[_Found]:
    of = crosswalk.c
    customers = customer_counts.last(connection)
    if customers is None:
        distinct = sa.select(of.source, sa.func.count(of.golden_id.distinct())).group_by(of.source)
        customers = dict(connection.execute(distinct).all())
    query = sa.select(of.source, sa.func.count()).group_by(of.source).order_by(of.source)
    for source, records in connection.execute(query):
        yield source, "", "single", customers[source], records


def _unique(connection: sa.Connection) -> Iterable[_Found]:
    """A number that two records of one source have is one customer twice, or a wrong number."""
    for field in _NUMBERS:
        column = staged_customer.c[field]
        query = (
            sa.select(
                staged_customer.c.source, sa.func.count(column.distinct()), sa.func.count(column)
            )
            .where(column.is_not(None))
            .group_by(staged_customer.c.source)
        )
        for source, distinct, values in connection.execute(query):
            yield source, field, "uniqueness", distinct, values


def _consistent(connection: sa.Connection) -> Iterable[_Found]:
    """Values against the golden ones, of customers that more than one source holds."""
    of, golden = staged_customer.c, golden_customer.c
    sums: list[Any] = []
    for field in _COMPARED:
        both = of[field].is_not(None) & golden[field].is_not(None)
        own, chosen = (sa.type_coerce(one[field], sa.Text()) for one in (of, golden))
        same = own == sql.token_of(chosen)  # where it is encrypted, a mask stands behind the other
        sums.append(sa.func.sum(sa.case((both & same, 1), else_=0)))
        sums.append(sa.func.sum(sa.case((both, 1), else_=0)))
    joined = staged_customer.join(crosswalk, crosswalk.c.record_id == of.record_id).join(
        golden_customer, golden.golden_id == crosswalk.c.golden_id
    )
    query = (
        sa.select(of.source, *sums)
        .select_from(joined)
        .where(golden.source_count > 1)
        .group_by(of.source)
    )
    for source, *counts in connection.execute(query):
        for place, field in enumerate(_COMPARED):
            yield source, field, "consistency", counts[2 * place], counts[2 * place + 1]

"""What the stores hold of customers: the rows of every table that warehouse/holdings.py names."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from warehouse.columns import REVIEW, STORES
from warehouse.engine import Warehouse
from warehouse.erasing.whom import pieces
from warehouse.erasures import Target
from warehouse.holdings import ERASED, HOLDINGS, By, Holding
from warehouse.review_tables import decision, judgement, repair


class Named:
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
                yield from self.repairs()
                continue
            for some in pieces(self.ids[by]):
                yield column.in_(some)

    def repairs(self) -> Iterator[sa.ColumnElement[bool]]:
        whole = repair.c.source + ":" + repair.c.source_key
        for some in pieces(self.ids["records"]):
            yield whole.in_(some)


def count(wh: Warehouse, targets: Iterable[Target]) -> dict[str, int]:
    """Rows of each table that are about some customers; reads only."""
    named, found = Named(targets), Counter[str]()
    for store in STORES:
        with wh.read(store) as connection:
            if store == REVIEW:
                named.ids["judgements"] = judgements_of(connection, named)
            for holding in HOLDINGS:
                if holding.store == store and holding.by:
                    found[_place(holding)] += len(_keys(connection, holding, named))
    return {name: rows for name, rows in found.items() if rows}


def _place(holding: Holding) -> str:
    return f"{holding.store}.{holding.table.name}"


def _keys(connection: sa.Connection, holding: Holding, named: Named) -> set[tuple[Any, ...]]:
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
    named = Named([target])
    found: dict[str, list[dict[str, Any]]] = {}
    for store in STORES:
        with wh.read(store) as connection:
            if store == REVIEW:
                named.ids["judgements"] = judgements_of(connection, named)
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


def judgements_of(connection: sa.Connection, named: Named) -> list[str]:
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
        for some in pieces(ids):
            query = sa.select(decision.c.judgement_id).where(column.in_(some))
            found |= {one for one in connection.execute(query).scalars() if one}
    return sorted(found)


def treated(connection: sa.Connection, store: str, named: Named) -> dict[str, int]:
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


def _swept(connection: sa.Connection, holding: Holding, named: Named) -> int:
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

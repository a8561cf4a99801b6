"""How many staged records a source has, and in how many of them a column has a value.

Kept with the source's last good sync (``counts`` of its manifest). Where a sync changed some
records, their share is counted before and after, and the others are not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from rules.customer import BY_NAME, ORGANIZATION, PERSON
from rules.suite_rules import FORMED
from warehouse.tables import staged_customer

OF = {
    PERSON: ("family_name", "given_name", "national_id", "birth_date", "sex", "employer_name"),
    ORGANIZATION: ("tax_id", "contact_name", "legal_representative"),
}
"""Fields that only one kind of customer has."""
_OF_BOTH = (
    "name", "emails", "phones", "address_line", "district", "city", "region", "postal_code",
    "country", "status", "consent_marketing", "updated_at",
)  # fmt: skip
FIELDS = (*_OF_BOTH[:1], *OF[PERSON], *OF[ORGANIZATION], *_OF_BOTH[1:])
"""The fields whose quality is measured, in the order in which they are shown."""
KEY = "counts"
"""Name in the manifest of a sync."""
_MADE_SO = 1
"""Another number, and all is counted again."""
_AT_ONCE = 500
RECORDS = "records"

Counts = Mapping[str, int]
"""RECORDS, ``of/TYPE``, ``filled/FIELD`` (of the type that the field applies to; an empty list is
no value) and ``formed/FIELD`` (any value, of FORMED) → records of one source."""


def read(manifest: Mapping[str, Any] | None) -> Counts | None:
    """What a sync's manifest keeps; None if that is nothing, or was counted otherwise."""
    told = (manifest or {}).get(KEY) or {}
    return told["found"] if told.get("made_so") == _MADE_SO else None


def told(found: Counts) -> dict[str, Any]:
    """As a manifest keeps it."""
    return {KEY: {"made_so": _MADE_SO, "found": dict(found)}}


def without(manifest: Mapping[str, Any] | None) -> dict[str, Any]:
    """A manifest that keeps no counts, as its source's records are not what they were."""
    return {name: value for name, value in (manifest or {}).items() if name != KEY}


def count(
    connection: sa.Connection, source: str, record_ids: Sequence[str] | None = None
) -> dict[str, int]:
    """Count a source's records, all or some, in one look at them."""
    of = staged_customer.c
    terms = dict(_terms())
    query = sa.select(*terms.values())
    if record_ids is None:
        queries = [query.where(of.source == source)]
    else:  # all of them the source's: no index of sources leads to a few records
        starts = range(0, len(record_ids), _AT_ONCE)
        pieces = (record_ids[start : start + _AT_ONCE] for start in starts)
        queries = [query.where(of.record_id.in_(some)) for some in pieces]
    found = dict.fromkeys(terms, 0)
    for one in queries:
        for name, number in zip(terms, connection.execute(one).one(), strict=True):
            found[name] += int(number)
    return found


def _terms() -> Iterator[tuple[str, sa.ColumnElement[int]]]:
    of = staged_customer.c
    yield RECORDS, sa.func.count()
    for kind in OF:
        yield f"of/{kind}", sa.func.count(sa.case((of.customer_type == kind, 1)))
    for field in FIELDS:
        yield f"filled/{field}", sa.func.count(_values(field))
    for field in FORMED:
        yield f"formed/{field}", sa.func.count(of[field])


def _values(field: str) -> sa.ColumnElement[Any]:
    """A field of the records that it applies to; null where it has no value."""
    of = staged_customer.c
    column: sa.ColumnElement[Any] = of[field]
    if BY_NAME[field].kind == "list":
        column = sa.func.nullif(sa.cast(column, sa.Text()), "[]")
    for kind, fields in OF.items():
        if field in fields:
            return sa.case((of.customer_type == kind, column))
    return column


def changed(before: Counts, was: Counts, now: Counts) -> dict[str, int]:
    """Counts of all records, of which some changed.

    Args:
        before: of all, before.
        was, now: of those that changed, before and after.

    >>> changed({"records": 9}, {"records": 2}, {"records": 1})
    {'records': 8}
    """
    return {name: before[name] - was[name] + now[name] for name in before}

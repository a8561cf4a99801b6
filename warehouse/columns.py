"""What both stores' tables are made of: column kinds, names of constraints, comments.

Lists and objects are JSON: text in SQLite; in PostgreSQL ``json``, which keeps
the text as written, or ``jsonb``, which can be compared, grouped and indexed.
Times are UTC.
"""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, DateTime, Float, Integer, Text
from sqlalchemy.dialects import postgresql

from rules.customer import Field
from rules.protection import PROTECTABLE
from warehouse.sealing import SealedDate, SealedJson, SealedText, mask_of

WAREHOUSE, REVIEW = "warehouse", "review"
STORES = (WAREHOUSE, REVIEW)

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}
Json = sa.JSON(none_as_null=True)
Jsonb = Json.with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Time = DateTime(timezone=True)
_KINDS: dict[str, sa.types.TypeEngine] = {
    "text": Text(),
    "timestamp": Time,
    "boolean": Boolean(),
}


def metadata(store: str) -> sa.MetaData:
    """An empty collection of a store's tables."""
    return sa.MetaData(schema=store, naming_convention=_NAMES)


def _kind(field: Field, *, golden: bool) -> sa.types.TypeEngine:
    if field.name in PROTECTABLE:
        mask = mask_of(field.name) if golden else None
        if field.kind in {"list", "json"}:
            items = field.kind == "list"
            return SealedJson(field.name, items=items, binary=golden, mask=mask if items else None)
        return (SealedDate if field.kind == "date" else SealedText)(field.name, mask)
    if field.kind in {"list", "json"}:
        return Jsonb if golden else Json
    return _KINDS[field.kind]


def columns(fields: Iterable[Field], key: str = "", *, golden: bool = False) -> list[Column]:
    """The columns of canonical fields, as staged or as golden."""
    return [
        Column(
            field.name,
            _kind(field, golden=golden),
            primary_key=field.name == key,
            nullable=field.name not in {key, "source", "source_key"},
            comment=field.doc,
        )
        for field in fields
    ]


def text(name: str, comment: str, *, key: bool = False, null: bool = True) -> Column:
    """A text column."""
    return Column(name, Text(), primary_key=key, nullable=null and not key, comment=comment)


def sealed(name: str, comment: str, *, null: bool = True) -> Column:
    """A text column that may hold a value of a customer: encrypted where any is."""
    return Column(name, SealedText(), nullable=null, comment=comment)


def sealed_json(name: str, comment: str, *, null: bool = True) -> Column:
    """A list or object that may hold values of customers: encrypted where any is."""
    return Column(name, SealedJson(), nullable=null, comment=comment)


def count(name: str, comment: str) -> Column:
    """A number that is always there."""
    return Column(name, Integer(), nullable=False, comment=comment)


def number(name: str, comment: str, *, null: bool = True) -> Column:
    """A fraction, such as a probability."""
    return Column(name, Float(53), nullable=null, comment=comment)


def flag(name: str, comment: str) -> Column:
    """Yes or no, always there."""
    return Column(name, Boolean(), nullable=False, comment=comment)


def json(name: str, comment: str) -> Column:
    """A list or object, kept as text."""
    return Column(name, Json, comment=comment)


def at(name: str, comment: str, *, key: bool = False, null: bool = False) -> Column:
    """A moment, UTC."""
    return Column(name, Time, primary_key=key, nullable=null and not key, comment=comment)


def golden_counts() -> list[Column]:
    """How many records and sources a golden customer has."""
    return [
        count("record_count", "Source records held to be this customer."),
        count("source_count", "Sources that hold it."),
        Column("sources", Jsonb, comment="Names of the sources that hold it."),
    ]


def one_of(column: str, *values: str) -> sa.CheckConstraint:
    """The values a text column may have."""
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)

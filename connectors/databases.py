"""Which table of a database lists customers.

What belongs here: the tables that there are, and how much each looks like one
of customers, by its name and its columns' headings. Rows are not read, except
to see whether there is one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind

from connectors import mapping, templates
from connectors.config import SourceConfig
from connectors.database_connections import opened
from connectors.fields import NAME_FIELDS
from connectors.templates import Recognized
from onefold.errors import SourceMissing

_CUSTOMERS = re.compile(
    r"custom|client|cust_|_cust|partner|member|debtor|kna1|kehu|khxx|khda|khjb|t_kh|account"
    "|客户|顾客|会员|往来"
)
_NO_CUSTOMERS = re.compile(
    r"order|invoice|item|line|histor|log|audit|user|staff|employee|supplier|vendor|product|stock"
    r"|bak|backup|tmp|temp|test|payment|message|role|type|class|group|categor|addr|contact"
    "|订单|日志|供应商|员工|备份|明细"
)
_TELLING = frozenset(
    {"phone", "mobile", "email", "address", "tax_id", "national_id", "identifier", "birth_date"}
    | {"contact_name", "customer_type", "postal_code", "city", "region", "sex", "short_name"}
)
_LOOKED_AT = 40


@dataclass(frozen=True)
class Fit:
    """How well a table fits.

    Attributes:
        table: its name, ``schema.table`` outside the default schema.
        score: higher is likelier; from 4 on it may be one of customers.
        fields: input fields that its headings mean.
    """

    table: str
    score: int
    fields: tuple[str, ...]


_SYSTEM = 0.9
"""Score from which a database is of a known system: nearly all that its template expects is
there."""
LIKELY = 4
"""Score from which a table may be one of customers."""


@dataclass(frozen=True)
class Found:
    """What a database holds.

    Attributes:
        tables: those that may list customers and have rows, the likeliest first.
        system: the known system that it is of, if its tables say so without doubt.
    """

    tables: tuple[Fit, ...]
    system: Recognized | None


def look(config: SourceConfig) -> Found:
    """The tables and views of a database that may list customers, and whose they are.

    Raises:
        SourceError: the database cannot be read; SourceMissing if it has no tables.
    """
    with opened(config) as connection:
        inspector = sa.inspect(connection)
        found: dict[str, tuple[str | None, str, list[str]]] = {}
        default = inspector.default_schema_name
        for schema in _schemas(inspector):
            columns = inspector.get_multi_columns(schema=schema, kind=ObjectKind.ANY)
            for (_, table), these in columns.items():
                place = None if schema in (None, default) else schema
                names = [str(column["name"]) for column in these]
                found[f"{place}.{table}" if place else table] = (place, table, names)
        if not found:
            raise SourceMissing(
                config.name,
                "the database has no tables that may be read",
                do="Give the user the right to read them.",
            )
        fits = [fit(name, names) for name, (_, _, names) in found.items()]
        fits.sort(key=lambda one: (-one.score, one.table))
        likely = [one for one in fits if one.score >= LIKELY][:_LOOKED_AT]
        tables = [one for one in likely if _has_rows(connection, *found[one.table][:2])]
        systems = templates.recognize({name: names for name, (_, _, names) in found.items()})
        sure = [
            one for one in systems if one.score >= _SYSTEM and templates.load(one.template).main
        ]
        return Found(tuple(tables), sure[0] if len(sure) == 1 else None)


def _schemas(inspector: sa.Inspector) -> list[str | None]:
    """Schemas of users: the default one first."""
    if inspector.dialect.name not in ("postgresql", "mssql"):
        return [None]
    others = [
        name
        for name in inspector.get_schema_names()
        if name != inspector.default_schema_name
        and not name.startswith(("pg_", "db_"))
        and name not in ("information_schema", "sys", "guest", "INFORMATION_SCHEMA")
    ]
    return [None, *others]


def fit(table: str, columns: Sequence[str]) -> Fit:
    """How much a table looks like one of customers, by its name and headings.

    >>> fit("bd_customer", ["name", "mobile", "address"]).score
    7
    >>> fit("order_line", ["name", "amount"]).score
    0
    """
    meant = {found.field for found in map(mapping.meaning, columns) if found}
    name = table.casefold().rpartition(".")[2]
    if not meant & set(NAME_FIELDS):
        return Fit(table, 0, tuple(sorted(meant)))
    score = 2 + len(meant & _TELLING)
    score += 3 if _CUSTOMERS.search(name) else 0
    score -= 4 if _NO_CUSTOMERS.search(name) else 0
    return Fit(table, max(score, 0), tuple(sorted(meant)))


def _has_rows(connection: sa.Connection, schema: str | None, table: str) -> bool:
    one = sa.select(sa.literal(1)).select_from(sa.table(table, schema=schema)).limit(1)
    return connection.execute(one).first() is not None


def primary_key(config: SourceConfig) -> tuple[str, ...]:
    """The primary key of a source's table; empty for a view, a query or a table without.

    Raises:
        SourceError: the database cannot be read.
    """
    if not config.table:
        return ()
    schema, _, table = config.table.rpartition(".")
    with opened(config) as connection:
        inspector = sa.inspect(connection)
        for name, place in ((config.table, None), (table, schema or None)):
            if inspector.has_table(name, schema=place):
                found = inspector.get_pk_constraint(name, schema=place)["constrained_columns"]
                return tuple(map(str, found))
    return ()

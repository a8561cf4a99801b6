"""How databases differ in what we ask of them: values as text, the latest of moments, lists.

What belongs here: SQL that SQLAlchemy renders for every dialect alike by nothing of its
own. PostgreSQL, MariaDB, MySQL, SQLite, SQL Server and Oracle have their forms; SAP HANA,
Db2 and others get the common ones.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from connectors.fields import SEPARATOR

_TEXTS = {
    "postgresql": "TEXT",
    "sqlite": "TEXT",
    "mysql": "CHAR",
    "mariadb": "CHAR",
    "mssql": "NVARCHAR(max)",
    "oracle": "VARCHAR2(4000)",
    "hana": "NVARCHAR(5000)",
}
_OTHER_TEXT = "VARCHAR(4000)"


class as_text(FunctionElement[str]):  # noqa: N801  (reads as the SQL function that it is)
    """A value as text: dates in ISO 8601, bits as 0 and 1, numbers in full.

    >>> from sqlalchemy.dialects import mssql
    >>> moment = sa.column("dModifyDate", sa.DateTime)
    >>> print(as_text(moment).compile(dialect=mssql.dialect()))
    CONVERT(NVARCHAR(40), [dModifyDate], 121)
    """

    type = sa.Text()
    inherit_cache = True


class latest(FunctionElement[Any]):  # noqa: N801
    """The greatest of several values that are there; null if none is.

    ``GREATEST`` itself is null in MySQL and Oracle as soon as one value is, and SQL
    Server has it since 2022 only.

    >>> print(latest(sa.column("a"), sa.column("b")))
    GREATEST(coalesce(a, b), coalesce(b, a))
    """

    inherit_cache = True

    def __init__(self, *values: sa.ColumnElement[Any]) -> None:
        super().__init__(*values)
        self.type = values[0].type


class listed(FunctionElement[str]):  # noqa: N801
    """The different texts of a group's rows as one, in a given order.

    The first argument is the text, the others are what to order by. In SQLite, whose
    older versions cannot order inside, the rows have to come in their order.
    """

    type = sa.Text()
    inherit_cache = True


@compiles(as_text)
def _as_text(element: as_text, compiler: Any, **options: Any) -> str:
    (value,) = element.clauses
    written = compiler.process(value, **options)
    dialect = compiler.dialect.name
    dated = isinstance(value.type, sa.DateTime | sa.Date | sa.Time)
    if is_moment(value.type) and dialect in ("mysql", "mariadb"):
        # The session's zone is UTC (connectors/database_connections.py); a date of zeros has none.
        text = f"CAST({written} AS {text_type(compiler.dialect)})"
        return f"CONCAT({text}, IF({written} = 0, '', '+00:00'))"
    if dialect in ("mysql", "mariadb") and str(value.type).startswith("BIT"):
        written = f"{written} + 0"
    elif dialect == "mssql" and dated:
        return f"CONVERT(NVARCHAR(40), {written}, 121)"
    elif dialect == "mssql" and isinstance(value.type, sa.Float):
        return f"CONVERT(NVARCHAR(40), {written}, 3)"
    elif dialect == "oracle" and dated:
        return f"TO_CHAR({written}, 'YYYY-MM-DD HH24:MI:SS')"
    elif dialect == "ibm_db_sa" and isinstance(value.type, sa.DateTime):
        return f"VARCHAR_FORMAT({written}, 'YYYY-MM-DD HH24:MI:SS')"  # else 2024-05-01-10.30.00
    elif dialect == "oracle" and isinstance(value.type, sa.Text | sa.LargeBinary):
        return str(written)
    return f"CAST({written} AS {text_type(compiler.dialect)})"


def is_moment(kind: sa.types.TypeEngine[Any]) -> bool:
    """Whether a type of MariaDB and MySQL holds moments, which are told in the session's zone."""
    return isinstance(kind, mysql.TIMESTAMP)


def text_type(dialect: sa.Dialect) -> str:
    """The type that holds any text, as the dialect writes it."""
    return _TEXTS.get(dialect.name, _OTHER_TEXT)


@compiles(latest)
def _latest(element: latest, compiler: Any, **options: Any) -> str:
    return _greatest(element, compiler, "GREATEST", options)


@compiles(latest, "sqlite")
def _latest_of_sqlite(element: latest, compiler: Any, **options: Any) -> str:
    return _greatest(element, compiler, "MAX", options)


@compiles(latest, "mssql")
def _latest_of_mssql(element: latest, compiler: Any, **options: Any) -> str:
    values = [compiler.process(value, **options) for value in element.clauses]
    if len(values) == 1:
        return str(values[0])
    rows = ", ".join(f"({value})" for value in values)
    return f"(SELECT MAX(moment) FROM (VALUES {rows}) AS moments (moment))"


def _greatest(element: latest, compiler: Any, name: str, options: dict[str, Any]) -> str:
    values = list(element.clauses)
    if len(values) == 1:
        return str(compiler.process(values[0], **options))
    filled = [sa.func.coalesce(*_from(values, place)) for place in range(len(values))]
    return f"{name}({', '.join(compiler.process(value, **options) for value in filled)})"


def _from(values: Sequence[Any], place: int) -> list[Any]:
    """The values, beginning with one of them."""
    return [values[place], *values[:place], *values[place + 1 :]]


@compiles(listed)
def _listed(element: listed, compiler: Any, **options: Any) -> str:
    value, *order = element.clauses
    text, sorts = _parts(value, order, compiler, options)
    return f"STRING_AGG({text}, '{SEPARATOR}' ORDER BY {sorts})"


@compiles(listed, "mssql")
def _listed_of_mssql(element: listed, compiler: Any, **options: Any) -> str:
    value, *order = element.clauses
    text, sorts = _parts(value, order, compiler, options)
    return f"STRING_AGG({text}, '{SEPARATOR}') WITHIN GROUP (ORDER BY {sorts})"


@compiles(listed, "oracle", "ibm_db_sa")
def _listed_of_oracle(element: listed, compiler: Any, **options: Any) -> str:
    value, *order = element.clauses
    text, sorts = _parts(value, order, compiler, options)
    return f"LISTAGG({text}, '{SEPARATOR}') WITHIN GROUP (ORDER BY {sorts})"


@compiles(listed, "mysql", "mariadb")
def _listed_of_mysql(element: listed, compiler: Any, **options: Any) -> str:
    value, *order = element.clauses
    text, sorts = _parts(value, order, compiler, options)
    return f"GROUP_CONCAT({text} ORDER BY {sorts} SEPARATOR '{SEPARATOR}')"


@compiles(listed, "sqlite")
def _listed_of_sqlite(element: listed, compiler: Any, **options: Any) -> str:
    value, *order = element.clauses
    text, _ = _parts(value, order, compiler, options)
    return f"group_concat({text}, '{SEPARATOR}')"


def _parts(
    value: Any, order: Sequence[Any], compiler: Any, options: dict[str, Any]
) -> tuple[str, str]:
    sorts = ", ".join(compiler.process(part, **options) for part in (*order, value))
    return str(compiler.process(value, **options)), sorts


_FAMILIES: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
    (sa.Boolean, "boolean"),
    (sa.Integer, "whole numbers"),
    (sa.Float, "floating numbers"),
    (sa.Numeric, "decimal numbers"),
    (sa.DateTime, "moments"),
    (sa.Date, "dates"),
    (sa.Time, "times"),
    (sa.Interval, "intervals"),
    (sa.Uuid, "uuid"),
    (sa.JSON, "json"),
    (sa.ARRAY, "lists"),
    (sa.LargeBinary, "bytes"),
    (sa.String, "text"),
)


def family(kind: sa.types.TypeEngine[Any]) -> str:
    """What a type holds, whatever its length: a longer column is no other one.

    >>> family(sa.String(50)) == family(sa.Text()), family(sa.BigInteger()), family(sa.Date())
    (True, 'whole numbers', 'dates')
    """
    return next((name for one, name in _FAMILIES if isinstance(kind, one)), "")

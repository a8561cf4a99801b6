"""The records of a source in a database as one query, whatever it was declared as.

What belongs here: which rows and columns, as SQLAlchemy expressions of the database's own
types, and the SELECT that gives them as text. Where they come from (a table, a query, a
template's tables) stands in connectors/sql.py and connectors/templates/statement.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from connectors.dialects import as_text

Expression = sa.ColumnElement[Any]
EVERY_ROW: Expression = sa.literal_column("1") == sa.literal_column("1")
NO_ROW: Expression = sa.literal_column("1") == sa.literal_column("0")
"""Conditions that every database takes; Oracle and SQL Server know no true and false there."""


@dataclass(frozen=True)
class Query:
    """Rows and columns of one source.

    Attributes:
        columns: the columns by name, as the database has them.
        origin: the FROM.
        where: conditions on every row.
        gone: true for rows that the system keeps as deleted; None if there are none.
    """

    columns: Mapping[str, Expression]
    origin: Any
    where: tuple[Expression, ...] = ()
    gone: Expression | None = None

    def select(
        self, names: Sequence[str] | None = None, *further: Expression, gone: bool = False
    ) -> sa.Select[Any]:
        """Columns as text.

        Args:
            names: which columns; None: all.
            further: conditions on top of the query's own.
            gone: the rows that are kept as deleted, in place of the others.
        """
        wanted = list(self.columns) if names is None else names
        columns: list[Any] = [as_text(self.columns[name]).label(name) for name in wanted]
        selected = sa.select(*columns)
        return selected.select_from(self.origin).where(*self.where, *self._side(gone), *further)

    def greatest(self, name: str, *further: Expression) -> sa.Select[Any]:
        """The greatest value of a column over all rows, as the driver gives it."""
        value = sa.type_coerce(sa.func.max(self.columns[name]), sa.types.NullType())
        return sa.select(value).select_from(self.origin).where(*self.where, *further)

    def without(self, column: str, values: Sequence[str]) -> "Query":
        """The same, where rows with one of these values are kept as deleted.

        Args:
            column: the column that says so.
            values: as :meth:`select` gives them; none: where anything stands there.
        """
        value = self.columns[column]
        if values:
            gone = is_among(value, values)
        else:
            gone = value.is_not(None)
            if isinstance(value.type, sa.String | sa.types.NullType):
                gone = sa.and_(gone, sa.func.ltrim(as_text(value)) != "")
        return replace(self, gone=gone if self.gone is None else sa.or_(self.gone, gone))

    def _side(self, gone: bool) -> list[Expression]:
        if self.gone is None:
            return [NO_ROW] if gone else []
        return [sa.case((self.gone, 1), else_=0) == (1 if gone else 0)]


def is_among(value: Expression, texts: Sequence[str]) -> Expression:
    """Whether a column has one of the values, compared as what it is."""
    if isinstance(value.type, sa.Boolean):
        wanted = {text.casefold() in ("true", "1", "y") for text in texts}
        return sa.or_(*(value == (sa.true() if flag else sa.false()) for flag in sorted(wanted)))
    if isinstance(value.type, sa.Integer):
        return value.in_([int(text) for text in texts if text.lstrip("-").isdecimal()])
    if isinstance(value.type, sa.String):
        return value.in_(texts)
    return as_text(value).in_(texts)


def written(query: str) -> Any:
    """A query that somebody wrote, as a FROM; nothing in it is taken for a parameter.

    >>> print(written("SELECT '%', ':a' FROM t WHERE x::text = '1:2'"))
    (SELECT '%', ':a' FROM t WHERE x::text = '1:2'
    ) onefold_query
    """
    plain = query.strip().rstrip(";").strip()
    return sa.text(f"({plain}\n) onefold_query".replace(":", r"\:"))

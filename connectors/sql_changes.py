"""What changed in a database: rows by a cursor or a change table, keys, rows of some keys.

What belongs here: the conditions, and which of them a reading of changes needs. How a
reading of changes becomes a snapshot stands in connectors/merging.py; the query itself in
connectors/sql.py, what a server's log says in connectors/replication.py.

The mark is the greatest value of the cursor when the reading began, asked before any row is
read and never later than now: a row stamped in the future (a clock that is wrong) is read
again by every sync, and hides nothing. Rows whose cursor is null are always read.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa

from connectors import mapping, marks
from connectors.config import SourceConfig
from connectors.dialects import as_text, is_moment
from connectors.marks import Mark
from connectors.queries import EVERY_ROW, NO_ROW, Expression, Query
from connectors.reading import Changes, Key, Report, Row, Since
from connectors.replication import Log
from onefold.errors import ConfigError

_KEYS_AT_ONCE = 500
_FIRST_YEAR = date(1000, 1, 1)
"""What lies before is a date of zeros, which MySQL has where others have null."""


class AsGiven(sa.types.UserDefinedType[Any]):
    """A value that goes to the driver as it came from it."""

    cache_ok = True


@dataclass(frozen=True)
class Database:
    """An opened source in a database, as far as changes are read from it.

    Attributes:
        config: its settings.
        connection: opened, for reading.
        query: its records.
        change_query: its change table, if it has one.
        log: what the server's own log says, if the source goes by that.
        rows: runs a SELECT; every column of it is text.
        report: for notes.
    """

    config: SourceConfig
    connection: sa.Connection
    query: Query
    change_query: Query | None
    log: Log | None
    rows: Callable[[sa.Select[Any]], Iterator[Row]]
    report: Report

    def mark(self) -> str:
        """How far everything reaches now; '' if nothing has a cursor yet."""
        if self.log is not None:
            return self.log.mark(self.connection)
        found = {
            name: self._greatest(query, column) for name, (query, column) in self._cursors().items()
        }
        if "cursor" in found and found["cursor"] is None:
            return ""
        return json.dumps({name: str(mark or "") for name, mark in found.items()})

    def changed(self, since: Since, mark: str) -> tuple[sa.Select[Any], Changes] | None:
        """The SELECT of new and changed rows, and what completes it; None: read everything.

        Args:
            since: where the last sync left off.
            mark: how far everything reaches now.

        Raises:
            ConfigError: the overlap, or an end of the range, does not suit the cursor.
        """
        if self.log is not None:
            return self._logged(self.log)
        if since.until:
            return self._range(since)
        begin, reached = _parsed(since.mark), _parsed(mark)
        cursors = self._cursors()
        if not begin.keys() == reached.keys() == cursors.keys():
            return None
        both = [(now, then) for name, then in begin.items() if then and (now := reached[name])]
        if any(type(now.value) is not type(then.value) for now, then in both):
            return None
        newer = {
            name: self._newer(query, column, begin[name])
            for name, (query, column) in cursors.items()
        }
        key = self._key()
        names = [*key, *([self._cursor()] if self.config.cursor else [])]
        changes = Changes(
            listing=lambda: self.rows(self.query.select(names)),
            fetch=self.fetch,
            went_back=any(now.value < then.value for now, then in both),
        )
        select = self.query.select(None, newer.get("cursor", NO_ROW))
        if self.query.gone is not None and "cursor" in newer:
            changes.deleted = self.rows(self.query.select(key, newer["cursor"], gone=True))
        if self.change_query is not None and self.config.changes:
            columns = [_column(self.config, self.change_query, n) for n in self.config.changes.key]
            changes.touched = self.rows(self.change_query.select(columns, newer["changes"]))
        return select, changes

    def fetch(self, keys: Sequence[Key]) -> Iterator[Row]:
        """The rows of some keys; other writings of a key (in another case) may come with them."""
        columns = [self.query.columns[name] for name in self._key()]
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            if len(columns) == 1:
                condition = _among(columns[0], [key[0] for key in some])
            else:
                condition = sa.or_(
                    *(
                        sa.and_(*(_among(c, [v]) for c, v in zip(columns, key, strict=True)))
                        for key in some
                    )
                )
            yield from self.rows(self.query.select(None, condition))

    def _logged(self, log: Log) -> tuple[sa.Select[Any], Changes] | None:
        if log.decoded is None:
            return None
        changes = Changes(
            touched=(Row("", key) for key in log.keys),
            listing=lambda: self.rows(self.query.select(self._key())),
            fetch=self.fetch,
        )
        return self.query.select(None, NO_ROW), changes

    def _range(self, since: Since) -> tuple[sa.Select[Any], Changes] | None:
        column = self.query.columns[self._cursor()]
        highest = self._value(self.query.greatest(self._cursor()))
        if highest is None:
            return None
        try:
            low, high = (
                marks.like(highest, text, self.config.time_zone)
                for text in (since.mark, since.until)
            )
        except ValueError:
            raise ConfigError(
                f"{self.config.name}, {since.mark} to {since.until}",
                "this is no range of the cursor",
                found=f"a cursor like {highest.value}",
                do="Write both ends as the cursor is written.",
            ) from None
        select = self.query.select(None, column >= _bound(low), column < _bound(high))
        zone = self.config.time_zone
        return select, Changes(
            fetch=self.fetch, within=lambda text: marks.may_lie(text, low, high, zone)
        )

    def _cursors(self) -> dict[str, tuple[Query, str]]:
        """What only grows: the source's cursor and that of its change table."""
        found: dict[str, tuple[Query, str]] = {}
        if self.config.mode == "cursor":
            found["cursor"] = (self.query, self._cursor())
        if self.change_query is not None and self.config.changes:
            name = _column(self.config, self.change_query, self.config.changes.cursor)
            found["changes"] = (self.change_query, name)
        return found

    def _cursor(self) -> str:
        return _column(self.config, self.query, self.config.cursor or "")

    def _key(self) -> list[str]:
        found = (mapping.find_column(list(self.query.columns), n.removesuffix("?"))
                 for n in self.config.key)  # fmt: skip
        return list(dict.fromkeys(name for name in found if name))

    def _greatest(self, query: Query, name: str) -> Mark | None:
        now = datetime.now(UTC)
        zone = "UTC" if is_moment(query.columns[name].type) else self.config.time_zone
        found = self._value(query.greatest(name))
        if found is None or not found.is_after(now, zone):
            return found
        self.report.note(
            f"'{name}' lies in the future in some rows; they are read again by every sync"
            f" (is time_zone: {zone} right?)"
        )
        latest = found.latest(now, zone)
        assert latest is not None  # it is a moment
        return self._value(query.greatest(name, query.columns[name] <= _bound(latest)))

    def _value(self, select: sa.Select[Any]) -> Mark | None:
        value = self.connection.execute(select).scalar()
        try:
            return marks.of(value)
        except ValueError as error:
            raise ConfigError(
                f"{self.config.file}, cursor",
                "values of this kind have no order in time",
                found=str(error),
                do="Name a column with a moment, a date or a number that only grows.",
            ) from None

    def _newer(self, query: Query, name: str, mark: Mark | None) -> Expression:
        """Rows from the mark on, less the overlap, and those without a cursor."""
        if mark is None:
            return EVERY_ROW
        column = query.columns[name]
        try:
            begin = mark.before(self.config.overlap)
        except ValueError as error:
            raise ConfigError(
                f"{self.config.file}, overlap",
                f"'{name}' needs {error}",
                found=str(self.config.overlap),
                do="Mend it, or leave it out.",
            ) from None
        parts = [column >= _bound(begin), column.is_(None)]
        if mark.written_like:
            parts.append(column < _bound(Mark("1")))  # '' and dates of zeros
        elif isinstance(mark.value, date) and self.connection.dialect.name in ("mysql", "mariadb"):
            parts.append(column < _bound(Mark(_FIRST_YEAR)))
        return sa.or_(*parts)


def _parsed(mark: str) -> dict[str, Mark | None]:
    """The cursors of a mark, None where there was nothing yet; empty if it is not one of ours."""
    try:
        return {name: marks.parse(one) if one else None for name, one in json.loads(mark).items()}
    except ValueError:
        return {}


def _column(config: SourceConfig, query: Query, name: str) -> str:
    found = mapping.find_column(list(query.columns), name)
    if found is None:
        raise mapping.missing_column(config, name, list(query.columns), "cursor")
    return found


def _bound(mark: Mark) -> Any:
    return sa.bindparam(None, mark.value, type_=AsGiven())


def _among(column: Expression, texts: Sequence[str | None]) -> Expression:
    """Whether a column is one of some values, each written as the column is read.

    Compared as what it is where that is sure, so that an index helps; else as text.
    """
    there = [text for text in texts if text is not None]
    if not there:
        return column.is_(None)
    values = _typed(column, there)
    if values is None:
        one_of: Expression = as_text(column).in_(there)
    else:
        # One parameter for all: of 500 it takes 3 ms to write, of 500 parameters 23.
        one_of = column.in_(sa.bindparam(None, values, type_=AsGiven(), expanding=True))
    return one_of if len(there) == len(texts) else sa.or_(column.is_(None), one_of)


def _typed(column: Expression, texts: Sequence[str]) -> list[Any] | None:
    if isinstance(column.type, sa.String):
        return list(texts)
    try:
        if isinstance(column.type, sa.Integer):
            return [int(text) for text in texts]
        if isinstance(column.type, sa.Numeric) and not isinstance(column.type, sa.Float):
            return [Decimal(text) for text in texts]
    except (ValueError, InvalidOperation):
        return None  # SQLite keeps any text in a column of numbers
    return None

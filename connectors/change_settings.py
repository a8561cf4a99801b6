"""How a source tells what changed and what was deleted: parts of its settings.

What belongs here: the settings ``deleted`` and ``changes``, the overlap, and what each mode
needs. How they are carried out stands in connectors/changes.py and connectors/merging.py.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from connectors import cron, durations

Mode = Literal["snapshot", "cursor", "changes", "files"]


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _overlap(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return int(value) if value.isdecimal() else durations.parse(value)


def _how_often(value: Any) -> Any:
    if not isinstance(value, str) or value == "never":
        return value
    line = " ".join(value.split())
    if cron.is_cron(line):
        if cron.longest_gap(line) is None:
            raise ValueError(f"'{line}' never comes round; write 'never' if that is meant")
        return line
    try:
        return durations.parse(value)
    except ValueError:
        raise ValueError(
            "keys are compared after a length of time such as 1d, by cron (minute, hour, day of"
            " month, month, day of week) such as '0 3 * * sun', or never"
        ) from None


_SLOT = re.compile(r"[a-z0-9_]{1,63}")
Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
Overlap = Annotated[timedelta | int, BeforeValidator(_overlap)]
FullEvery = Annotated[timedelta | str, BeforeValidator(_how_often)]
"""A length of time, a cron line, or ``never``."""


class Deleted(BaseModel):
    """Which rows the source keeps although they are deleted: switched off by a column."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    """The column that says so."""
    values: Texts = ()
    """Its values in deleted rows, as read; none: deleted where anything stands there."""

    def holds(self, value: str | None) -> bool:
        """Whether a row with this value is deleted.

        >>> Deleted(column="deleted_at").holds("2024-05-01"), Deleted(column="x").holds(" ")
        (True, False)
        >>> Deleted(column="state", values=("D", "X")).holds("D ")
        True
        """
        plain = (value or "").strip()
        return plain in self.values if self.values else bool(plain)


class ChangeFeed(BaseModel):
    """Where a source notes the keys of changed or deleted records: a table, or a server's log."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str = ""
    """The table or view, ``schema.table`` where it has a schema."""
    query: str = ""
    """A SELECT in place of a table."""
    key: Texts = ()
    """Its columns that hold the key, in the order of the source's ``key``."""
    cursor: str = ""
    """Its column that only grows: a number or a moment."""
    slot: str = ""
    """PostgreSQL's own log in place of a table: the name of the replication slot."""
    publication: str = ""
    """With ``slot``: the publication of the tables; default: of the slot's name."""
    tables: dict[str, Texts] = {}
    """With ``slot``: table → its columns that hold the key; default: the source's table and key."""

    @property
    def published(self) -> str:
        """The publication's name."""
        return self.publication or self.slot

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(map(bool, (self.table, self.query, self.slot))) != 1:
            raise ValueError("say either 'table', 'query' or 'slot'")
        if self.slot:
            if not _SLOT.fullmatch(self.slot):
                raise ValueError("a slot's name has small letters, digits and '_' only")
            if self.key or self.cursor:
                raise ValueError("'key' and 'cursor' are for a table of changes, not for a slot")
        else:
            if self.publication or self.tables:
                raise ValueError("'publication' and 'tables' are for a slot")
            if not (self.key and self.cursor):
                raise ValueError("a table of changes needs 'key' and 'cursor'")
        return self

"""The publish under way, and how one of its tables is made equal to what is published."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from warehouse import rows, text_form
from warehouse.sealing import sealer_of


@dataclass(frozen=True)
class Run:
    """The publish under way: its transaction, id and moment."""

    connection: sa.Connection
    publish_id: str
    at: datetime

    @property
    def row_key(self) -> bytes:
        """Of the rows' hashes."""
        sealer = sealer_of(self.connection.dialect)
        return sealer.row_key if sealer else b""

    @property
    def at_text(self) -> str:
        """The moment in its text form."""
        return f"{self.at:%Y-%m-%d %H:%M:%S.%f}"


def among(table: pa.Table, column: str, values: Collection[str]) -> pa.Table:
    """The rows with one of these values."""
    return table.filter(pc.is_in(table[column], value_set=pa.array(sorted(values), pa.string())))


def is_one_of(table: pa.Table, others: pa.Table) -> pa.ChunkedArray:
    """Per row whether its customer is among the others."""
    return pc.is_in(table["golden_id"], value_set=others["golden_id"])


def write_rows(
    run: Run, table: sa.Table, new: pa.Table, keys: list[str], compared: list[str], **first: str
) -> dict[str, int]:
    """Make a table equal to a text table; ``first`` are columns of added rows only."""
    stored = rows.read(run.connection, table, [*keys, *compared])
    return apply(run, table, rows.difference(stored, new, keys, compared), keys, **first)


def apply(
    run: Run, table: sa.Table, change: rows.Difference, keys: list[str], **first: str
) -> dict[str, int]:
    """Write a difference; how many rows it adds, changes, deletes."""
    rows.delete(run.connection, table, change.deleted, keys)
    rows.update(run.connection, table, change.changed, keys)
    rows.insert(run.connection, table, text_form.with_constant(change.added, **first))
    return change.counts

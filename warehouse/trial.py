"""A warehouse in which everything can be tried: one transaction that is never committed.

What is written in it is seen by what reads in it, and by nobody else; at the end,
or when the process dies, the database takes it back by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from warehouse.columns import WAREHOUSE
from warehouse.engine import Warehouse, translated


@dataclass(frozen=True)
class _Trial(Warehouse):
    """Reads and writes of the warehouse store go through one connection."""

    connection: sa.Connection | None = None

    @contextmanager
    def read(self, store: str = WAREHOUSE) -> Iterator[sa.Connection]:
        if store != WAREHOUSE or self.connection is None:
            with super().read(store) as connection:
                yield connection
            return
        with translated(self.engines[store].url):
            yield self.connection

    @contextmanager
    def write(self, store: str = WAREHOUSE) -> Iterator[sa.Connection]:
        if store != WAREHOUSE or self.connection is None:
            with super().write(store) as connection:
                yield connection
            return
        with translated(self.engines[store].url), self.connection.begin_nested():
            yield self.connection


class _Back(Exception):
    """Takes the transaction back; never leaves this module."""


@contextmanager
def tried(wh: Warehouse) -> Iterator[Warehouse]:
    """The warehouse to try things in; other writers of it wait meanwhile.

    Raises:
        WarehouseError: the database refuses.
    """
    try:
        with wh.write() as connection:
            yield _Trial(wh.settings, wh.engines, connection=connection)
            raise _Back
    except _Back:
        pass

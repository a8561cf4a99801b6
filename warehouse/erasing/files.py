"""What deleting leaves behind in files of databases, and taking that out too."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import sqlalchemy as sa

from onefold.errors import WarehouseError
from warehouse.columns import STORES, WAREHOUSE
from warehouse.engine import Warehouse, place
from warehouse.holdings import HOLDINGS


@contextmanager
def writing(wh: Warehouse, store: str) -> Iterator[sa.Connection]:
    """A transaction whose deleted rows are overwritten in SQLite's file."""
    with wh.write(store) as connection:
        if not wh.is_postgresql:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        yield connection


def compact(wh: Warehouse, wait: float = 60.0) -> None:
    """Leave nothing of deleted rows, or of what updated rows were, in either store.

    SQLite's files are written anew, with their logs. PostgreSQL is asked to free the rows; its
    own log and backups keep them for as long as they are kept.

    Args:
        wh: the warehouse.
        wait: how long to wait for readers of a SQLite file, seconds.

    Raises:
        WarehouseError: somebody reads a file all the time; do it again later.
    """
    if wh.is_postgresql:
        engine = wh.engines[WAREHOUSE].execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for holding in HOLDINGS:
                if holding.by or holding.texts:
                    name = f'"{holding.store}"."{holding.table.name}"'
                    connection.exec_driver_sql(f"VACUUM {name}")
        return
    for store in STORES:
        _compact(wh.engines[store].url, wait)


def _compact(url: sa.URL, wait: float) -> None:
    until = time.monotonic() + wait
    with closing(sqlite3.connect(str(url.database), timeout=wait, isolation_level=None)) as own:
        own.execute("VACUUM")
        while own.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > until:
                raise WarehouseError(
                    place(url),
                    "its log cannot be emptied while somebody reads",
                    do="The erasure is finished by the next run.",
                )
            time.sleep(0.2)

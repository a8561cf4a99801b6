"""Filling an empty table: its rows first, then its keys and indexes.

What belongs here: the order of both, within the caller's transaction. An index that is kept row
by row costs three times as much as one made of all rows at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex


def is_empty(connection: sa.Connection, table: sa.Table) -> bool:
    """Whether a table has no row that the transaction sees."""
    one = sa.select(sa.literal(1)).select_from(table).limit(1)
    return connection.execute(one).first() is None


@contextmanager
def indexes_last(connection: sa.Connection, table: sa.Table) -> Iterator[None]:
    """Keys and indexes of an empty table are made at the end of the block; a full one keeps its.

    On PostgreSQL readers of the table then wait until the transaction ends. The block never waits
    for them: where somebody reads the empty table just then, it keeps its indexes, too.
    """
    if not is_empty(connection, table) or not _alone(connection, table):
        yield
        return
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    # SQLite keeps the rows of a table within its primary key.
    keyed = connection.dialect.name == "postgresql"
    for index in indexes:
        connection.execute(DropIndex(index))
    if keyed:
        _renew(connection, table)
        connection.execute(DropConstraint(table.primary_key))
    yield
    if keyed:
        connection.execute(AddConstraint(table.primary_key))
    for index in indexes:
        connection.execute(CreateIndex(index))


def _renew(connection: sa.Connection, table: sa.Table) -> None:
    """Give a table of PostgreSQL that has no page yet a file of this transaction.

    COPY then appends in the order of the rows. Else it also fills, in no order, pages that a COPY
    before added and left empty, and a key made of rows that are nearly sorted takes three times as
    much as one of sorted rows. A table with pages is left alone: what readers with older snapshots
    still see may stand on them.
    """
    name = f'"{table.schema}"."{table.name}"'
    if connection.exec_driver_sql(f"SELECT pg_relation_size('{name}')").scalar_one() == 0:
        connection.exec_driver_sql(f"TRUNCATE {name}")


def _alone(connection: sa.Connection, table: sa.Table) -> bool:
    """Take the table for this transaction alone, unless somebody reads it."""
    if connection.dialect.name != "postgresql":
        return True
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(
                f'LOCK TABLE "{table.schema}"."{table.name}" IN ACCESS EXCLUSIVE MODE NOWAIT'
            )
    except sa.exc.DBAPIError as error:
        import psycopg  # loaded by SQLAlchemy, where it is used

        if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise
        return False
    return True

"""How many customers the last publish left, of all and of each source.

Kept with the publish, so that the next one needs no look at all customers to say how
many there were. An erasure takes customers out between two publishes and forgets it.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from warehouse.tables import publish_run

_KEY = "customers"
"""Name in the counts of a publish."""


def last(connection: sa.Connection) -> dict[str, int] | None:
    """Source → its customers, '' → all, after the last publish; None if that is not known."""
    found = _last(connection)
    return (found.counts or {}).get(_KEY) if found is not None else None


def note(connection: sa.Connection, customers: Mapping[str, int]) -> None:
    """Keep with the last publish how many customers it left."""
    _set(connection, {_KEY: dict(customers)})


def forget(connection: sa.Connection) -> None:
    """Customers went since the last publish: they are to be counted again."""
    _set(connection, {})


def _set(connection: sa.Connection, told: Mapping[str, dict[str, int]]) -> None:
    found = _last(connection)
    if found is not None:
        rest = {name: value for name, value in (found.counts or {}).items() if name != _KEY}
        this = publish_run.c.publish_id == found.publish_id
        connection.execute(sa.update(publish_run).where(this).values(counts={**rest, **told}))


def _last(connection: sa.Connection) -> sa.Row | None:
    query = sa.select(publish_run).order_by(publish_run.c.at.desc()).limit(1)
    return connection.execute(query).first()

"""What follows from the last publish alone, worked out once for each publish.

What belongs here: counts over cases and customers. Only a publish writes these
tables, so a count holds until the next one; what stewards do is in the review
store and is counted anew every time.
"""

from collections.abc import Callable, Hashable
from typing import TypeVar, cast

import sqlalchemy as sa

from warehouse.engine import Warehouse
from warehouse.tables import publish_run

_Found = TypeVar("_Found")
_MOST = 500
"""Counts kept at a time; a filter of the queue is one."""


def once(
    wh: Warehouse, connection: sa.Connection, name: Hashable, make: Callable[[], _Found]
) -> _Found:
    """What ``make`` gives, made once for each publish.

    Args:
        wh: the warehouse that keeps it.
        connection: sees one publish; ``make`` must read through it.
        name: tells it from what else is kept.
        make: works it out.
    """
    query = sa.select(publish_run.c.publish_id).order_by(publish_run.c.at.desc()).limit(1)
    published = connection.execute(query).scalar()
    if published is None:  # nothing that a publish would end
        return make()
    key = (published, name)
    with wh.lock:
        if key in wh.kept:
            return cast(_Found, wh.kept[key])
    made = make()
    with wh.lock:
        if len(wh.kept) >= _MOST or any(of != published for of, _ in wh.kept):
            wh.kept.clear()
        wh.kept[key] = made
    return made

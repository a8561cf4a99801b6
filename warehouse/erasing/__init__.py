"""Taking customers out of every table of both stores.

What belongs here: whom an erasure is about (whom.py), what the stores hold of them (held.py),
what old versions of others show of them (shown.py), and the statements; which table is treated
how is warehouse/holdings.py's. Each store is one transaction, and doing it again changes nothing,
so that a killed erasure is finished by doing it again. SQLite overwrites what it deletes, and
:func:`compact` leaves nothing of earlier versions in either file.
"""

from warehouse.erasing.files import compact
from warehouse.erasing.held import count, held
from warehouse.erasing.review_store import from_review
from warehouse.erasing.shown import once_with, said
from warehouse.erasing.warehouse_store import from_warehouse
from warehouse.erasing.whom import customer, erased, record, with_records

__all__ = [
    "compact",
    "count",
    "customer",
    "erased",
    "from_review",
    "from_warehouse",
    "held",
    "once_with",
    "record",
    "said",
    "with_records",
]

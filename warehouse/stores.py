"""The two stores: ``warehouse``, written by the pipeline, and ``review``, written by stewards.

On PostgreSQL they are two schemas of one database, on SQLite two files, so
that a steward's click never waits for a bulk publish.
"""

from warehouse.columns import REVIEW, STORES, WAREHOUSE
from warehouse.review_tables import review
from warehouse.tables import warehouse

METADATA = {WAREHOUSE: warehouse, REVIEW: review}

__all__ = ["METADATA", "REVIEW", "STORES", "WAREHOUSE"]

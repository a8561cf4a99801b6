"""First rows and counts, for the pages that show a stage."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from pipelines import lake
from pipelines.report import Computed
from pipelines.stages.deployment import Deployment
from warehouse import tables

SAMPLE_ROWS = 10


def quarantine_counts(deployment: Deployment) -> list[dict[str, Any]]:
    """Open findings by source, field, rule and severity, most frequent first."""
    table = tables.quarantine
    by = [table.c[name] for name in ("source", "field", "rule", "severity")]
    query = (
        sa.select(*by, sa.func.count().label("findings"))
        .where(table.c.status == "open")
        .group_by(*by)
    )
    with deployment.warehouse.read() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return sorted(rows, key=lambda row: (-row["findings"], row["source"], row["rule"]))


def sample(deployment: Deployment, report: Computed) -> pa.Table:
    """The first rows of a table in the lake."""
    stored = lake.stored(deployment.lake, report.table, report.fingerprint)
    return stored.take(np.arange(min(SAMPLE_ROWS, stored.num_rows)))


def staged_sample(
    deployment: Deployment, source: str, columns: Sequence[str]
) -> list[dict[str, Any]]:
    """These columns of the source's first staged records."""
    table = tables.staged_customer
    # Its records' ids all begin with its name: they are found in the order of the table's key.
    its = (table.c.record_id >= f"{source}:", table.c.record_id < f"{source};")
    return _rows(deployment, table, columns, table.c.record_id, *its)


def golden_sample(deployment: Deployment, columns: Sequence[str]) -> list[dict[str, Any]]:
    """These columns of the first golden customers."""
    table = tables.golden_customer
    return _rows(deployment, table, columns, table.c.golden_id)


def _rows(
    deployment: Deployment,
    table: sa.Table,
    columns: Sequence[str],
    order: sa.ColumnElement[Any],
    *where: sa.ColumnElement[bool],
) -> list[dict[str, Any]]:
    query = sa.select(*(table.c[name] for name in columns)).where(*where)
    with deployment.warehouse.read() as connection:
        found = connection.execute(query.order_by(order).limit(SAMPLE_ROWS))
        return [dict(row) for row in found.mappings()]

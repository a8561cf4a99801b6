"""Rows that a source keeps although they are deleted: left out of its records.

What belongs here: ``deleted`` of a source's settings, for every connector that does not ask
the source itself for the others (databases do, connectors/queries.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from connectors import mapping
from connectors.config import SourceConfig
from connectors.reading import Changes, Reading, Row, batch

WHAT = "deleted in the source"


def leave_out(reading: Reading, config: SourceConfig, key: Sequence[int]) -> None:
    """Take switched-off rows out of a reading; in one of changes their keys are gone.

    Args:
        reading: an opened source.
        key: indexes of the key columns.

    Raises:
        SourceLayout: there is no such column.
    """
    if config.deleted is None or config.connector == "sql":
        return
    name = mapping.find_column(reading.columns, config.deleted.column)
    if name is None:
        raise mapping.missing_column(
            config, config.deleted.column, reading.columns, "deleted.column"
        )
    place = 2 + reading.columns.index(name)
    holds = config.deleted.holds
    gone: list[pa.RecordBatch] = []
    rows, changes = reading.rows, reading.changes

    def living(rows: Iterator[Row | pa.RecordBatch], *, told: bool) -> Iterator[pa.RecordBatch]:
        for one in replace(reading, rows=rows).batches():
            off = pa.array([holds(value) for value in one.column(place).to_pylist()], pa.bool_())
            count = pc.sum(off).as_py() or 0
            if count and told:
                reading.report.skip(reading.origin, WHAT, count)
                if changes is not None:
                    gone.append(batch("", [one.filter(off).column(2 + i) for i in key]))
            yield one.filter(pc.invert(off)) if count else one

    reading.rows = living(rows, told=True)
    if changes is not None:
        fetch = changes.fetch
        reading.changes = replace(
            changes,
            deleted=_then(changes, gone),
            fetch=fetch and (lambda keys: living(fetch(keys), told=False)),
        )


def _then(changes: Changes, gone: list[pa.RecordBatch]) -> Iterator[Row | pa.RecordBatch]:
    yield from changes.deleted
    yield from gone

"""Pairs to counted rows: what training reads of pairs, whatever their number.

Pairs that agree in all that training looks at are one row with a count, so that
millions of pairs become some thousand rows, chunk by chunk.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from dedupe.comparing.columns import decoded

STANDS_FOR = "stands_for"
"""Column with how many pairs a row counts for; without it or null, one."""


def pairs_of(table: pa.Table) -> np.ndarray:
    """How many pairs each row counts for, float64."""
    if STANDS_FOR not in table.column_names:
        return np.ones(table.num_rows)
    return table.column(STANDS_FOR).fill_null(1).to_numpy().astype(np.float64)


def distinct(table: pa.Table, columns: Sequence[str]) -> pa.Table:
    """The distinct rows of some columns, and how many pairs have each, as ``stands_for``."""
    keys = decoded(table.select(columns))
    counted = keys.append_column(STANDS_FOR, pa.array(pairs_of(table).astype(np.int64)))
    grouped = counted.group_by(keys.column_names, use_threads=False)
    return grouped.aggregate([(STANDS_FOR, "sum")]).rename_columns([*columns, STANDS_FOR])


def together(counted: Iterable[pa.Table]) -> pa.Table:
    """Several tables of :func:`distinct` as one."""
    table = pa.concat_tables(counted)
    return distinct(table, [name for name in table.column_names if name != STANDS_FOR])

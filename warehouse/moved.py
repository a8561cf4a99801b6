"""Where records stand that only moved in their source since staged_customer got them.

One record more or less in a file moves all below it. A row of staged_customer is wide, so that
writing its position again costs three times what a row of this table does.
"""

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from warehouse import rows
from warehouse.tables import moved_record, quarantine, staged_customer

_COLUMNS = ["record_id", "position"]


def of(connection: sa.Connection, staged: pa.Table) -> pa.Table:
    """record_id, position of those of some staged records that moved.

    Args:
        connection: within a transaction.
        staged: rows of staged_customer as a text table, with their ``record_id``.
    """
    ids = staged["record_id"].to_pylist() if staged.num_rows <= rows.NAMED else []
    if ids:
        return rows.read_of(connection, moved_record, _COLUMNS, "record_id", ids)
    found = rows.read(connection, moved_record, _COLUMNS)
    return found.filter(pc.is_in(found["record_id"], value_set=staged["record_id"]))


def placed(staged: pa.Table, moved: pa.Table) -> pa.Table:
    """Rows of staged_customer with the positions of those that moved.

    >>> staged = pa.table({"record_id": ["a", "b"], "position": ["1", "2"]})
    >>> placed(staged, pa.table({"record_id": ["b"], "position": ["1"]}))["position"].to_pylist()
    ['1', '1']
    """
    if not moved.num_rows:
        return staged
    at = pc.index_in(staged["record_id"], value_set=moved["record_id"])
    now = pc.coalesce(moved["position"].combine_chunks().take(at), staged["position"])
    return staged.set_column(staged.column_names.index("position"), "position", now)


def write(connection: sa.Connection, source: str, moved: pa.Table) -> int:
    """Keep where staged records stand now.

    Args:
        connection: writing.
        source: whose records they are.
        moved: record_id, position; also of records that are kept out of staged_customer.

    Returns:
        how many of them are staged.
    """
    whole = f"{rows.one_of('source', [source])} AND whole_record"
    out = pc.unique(rows.read(connection, quarantine, ["record_id"], whole)["record_id"])
    live = rows.read_of(connection, staged_customer, ["record_id"], "record_id", out.to_pylist())[
        "record_id"
    ]
    out = out.filter(pc.invert(pc.is_in(out, value_set=live)))
    moved = moved.filter(pc.invert(pc.is_in(moved["record_id"], value_set=out)))
    rows.put(connection, moved_record, moved.select(_COLUMNS), ["record_id"])
    return moved.num_rows

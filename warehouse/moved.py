"""Where records stand that only moved in their source since staged_customer got them.

One record more or less in a file moves all below it. So what is kept are runs of positions that
moved by the same number (moved_run), and the position of each record that no run tells right
(moved_record). A record of which neither says anything stands where staged_customer says.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from warehouse import rows
from warehouse.position_runs import Places, Runs, found
from warehouse.tables import moved_record, moved_run, quarantine, staged_customer

LEAST = 32
"""Records that make a run; fewer have a row each, so that a million have 30,000 runs at most."""
_COLUMNS = ["record_id", "position"]
_ENDS = ["first_number", "last_number", "now_number"]
_RUN = ["head", "now_head", *_ENDS]


def placed(connection: sa.Connection, staged: pa.Table, source: str | None = None) -> pa.Table:
    """Rows of staged_customer with the positions that their records have now.

    Args:
        connection: within a transaction.
        staged: a text table with record_id, position and, unless ``source`` is given, source.
        source: the source of all rows.
    """
    if not staged.num_rows:
        return staged
    position = staged["position"].combine_chunks()
    names = [source] if source is not None else pc.unique(staged["source"]).to_pylist()
    for name in names:
        places = Places()
        runs = _runs(connection, name, places)
        if len(runs.first):
            own = None if source is not None else pc.equal(staged["source"], name)
            position = _shifted(position, own, places, runs)
    alone = _alone(connection, staged["record_id"])
    if alone.num_rows:
        at = pc.index_in(staged["record_id"], value_set=alone["record_id"])
        position = pc.coalesce(alone["position"].combine_chunks().take(at), position)
    return staged.set_column(staged.column_names.index("position"), "position", position)


def _shifted(
    position: pa.Array, own: pa.ChunkedArray | None, places: Places, runs: Runs
) -> pa.Array:
    """Positions, of which those of a source (None: all) are shifted by its runs."""
    before = places.of(pa.chunked_array([position]))
    shift = runs.shifts(before)
    if own is not None:
        shift[~np.asarray(own)] = 0
    moved = shift != 0
    return pc.replace_with_mask(position, pa.array(moved), places.texts((before + shift)[moved]))


def _alone(connection: sa.Connection, ids: pa.ChunkedArray) -> pa.Table:
    """record_id, position of those of some records that have a row of their own."""
    if len(ids) <= rows.NAMED:
        return rows.read_of(connection, moved_record, _COLUMNS, "record_id", ids.to_pylist())
    return rows.read(connection, moved_record, _COLUMNS)


def _of_source(source: str) -> str:
    """The condition for a source's rows of moved_record; no index of theirs leads there."""
    name = f"{source}:".replace("'", "''")
    return f"substr(\"record_id\", 1, {len(source) + 1}) = '{name}'"


def _runs(connection: sa.Connection, source: str, places: Places) -> Runs:
    table = rows.read(connection, moved_run, _RUN, rows.one_of("source", [source]))
    first, last = (places.joined(table["head"], table[name]) for name in _ENDS[:2])
    shift = places.joined(table["now_head"], table["now_number"]) - first
    at = np.argsort(first)
    return Runs(first[at], last[at], shift[at])


def _write_runs(connection: sa.Connection, source: str, places: Places, runs: Runs) -> None:
    connection.execute(sa.delete(moved_run).where(moved_run.c.source == source))
    head, first = places.split(runs.first)
    now_head, now = places.split(runs.first + runs.shift)
    ends = (first, places.split(runs.last)[1], now)
    numbers = {n: pa.array(each).cast(pa.string()) for n, each in zip(_ENDS, ends, strict=True)}
    source_of = pa.repeat(pa.scalar(source), len(first))
    table = pa.table({"source": source_of, "head": head, "now_head": now_head, **numbers})
    rows.insert(connection, moved_run, table)


def forget(connection: sa.Connection, source: str, ids: pa.ChunkedArray | None = None) -> None:
    """Records stand where staged_customer says: some, or all of a source."""
    if ids is not None:
        rows.delete(connection, moved_record, pa.table({"record_id": ids}), ["record_id"])
        return
    connection.execute(sa.delete(moved_record).where(sa.text(_of_source(source))))
    connection.execute(sa.delete(moved_run).where(moved_run.c.source == source))


def write(connection: sa.Connection, source: str, stays: pa.Table, staged: pa.Table) -> int:
    """Keep where a source's records stand now.

    Args:
        connection: writing.
        source: whose records they are.
        stays: ``source_key``, ``position_before``, ``position`` of all records whose rows of
            staged_customer were not looked at, also of those that are kept out of it; none if
            none of them moved.
        staged: record_id, position of the rows of staged_customer that were, with the positions
            as they are now; :func:`forget` was told of them.

    Returns:
        how many records of ``stays`` moved and are staged.
    """
    places, moved = Places(), 0
    runs = _runs(connection, source, places)
    if stays.num_rows:
        runs, moved = _move(connection, source, stays, places, runs)
    if len(runs.first):
        # What a run says of positions is no word on records that came or were written later.
        at = places.of(staged["position"])
        told = (runs.shifts(at) != 0) | (runs.inverse.shifts(at) != 0)
        rows.put(connection, moved_record, staged.filter(pa.array(told)), ["record_id"])
    return moved


def _move(
    connection: sa.Connection, source: str, stays: pa.Table, places: Places, runs: Runs
) -> tuple[Runs, int]:
    keys = stays["source_key"]
    then, now = places.of(stays["position_before"]), places.of(stays["position"])
    moved = then != now
    own = rows.read(connection, moved_record, ["record_id"], _of_source(source))["record_id"]
    own = pc.utf8_slice_codeunits(own, len(source) + 1)
    alone = np.asarray(pc.is_in(keys, value_set=own))
    before = then + runs.inverse.shifts(then)
    rest = np.flatnonzero(~alone)
    later, wrong = found(before[rest], now[rest], LEAST)
    _write_runs(connection, source, places, later)
    out = np.asarray(pc.is_in(keys, value_set=_kept_out(connection, source)))
    noted = alone & moved
    noted[rest[wrong]] = True
    some = stays.filter(pa.array(noted & ~out))
    ids = pc.binary_join_element_wise(pa.scalar(source), some["source_key"], ":")
    text = pa.table({"record_id": ids, "position": some["position"]})
    rows.put(connection, moved_record, text, ["record_id"])
    return later, int((moved & ~out).sum())


def _kept_out(connection: sa.Connection, source: str) -> pa.Array:
    """Keys of the records that are kept out of staged_customer."""
    whole = f"{rows.one_of('source', [source])} AND whole_record"
    out = rows.read(connection, quarantine, ["record_id", "source_key"], whole)
    ids = pc.unique(out["record_id"]).to_pylist()
    live = rows.read_of(connection, staged_customer, ["record_id"], "record_id", ids)["record_id"]
    return pc.unique(
        out.filter(pc.invert(pc.is_in(out["record_id"], value_set=live)))["source_key"]
    )

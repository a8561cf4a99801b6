"""Keys of records without one: an edited row stays the record that it was.

What belongs here: which row of the last snapshot each row of a new one is,
where the source declares no key. A row that says what a row said before is that
row. Of the others, an edited row is found by what it still says: it shares most
of its cells with a row that is gone, one of them a value that no other row
that is gone or new has in that column, and no other pair is as alike. It keeps
that row's key, so that a corrected telephone number does not end a customer and
begin another. All else gets a key made of its content.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.landing import Landed
from connectors.reading import ROW_HASH, SOURCE_KEY

ALIKE = 0.6
"""Share of the filled cells of both rows that an edited row has in common with what it was."""
MOST = 20_000
"""More rows that are gone, or new, are another file and no edits."""


def keys(landed: Landed, written: Path, previous: Path, columns: Sequence[str]) -> dict[int, str]:
    """Keys that differ from the ones made of content, by the row's number.

    Args:
        landed: the rows of the new snapshot, with keys made of their content.
        written: the Parquet file that holds them, closed.
        previous: the last snapshot.
        columns: of the new snapshot.

    Returns:
        the same for any order of rows.
    """
    before = pq.read_table(previous, columns=[SOURCE_KEY, ROW_HASH])
    found = _that_stayed(landed, before)
    edited = _edited(landed, before, written, previous, columns)
    found |= {row: key for row, key in edited.items() if row not in found}
    found |= _displaced(landed, found)
    own = landed.keys.take(pa.array(list(found), pa.int64())).to_pylist()
    return {row: key for (row, key), made in zip(found.items(), own, strict=True) if key != made}


def _that_stayed(landed: Landed, before: pa.Table) -> dict[int, str]:
    """Rows that say what rows said before whose keys are not those of what they say."""
    other = pc.not_equal(before[SOURCE_KEY], before[ROW_HASH])
    hashes = pc.unique(before.filter(other)[ROW_HASH])
    known = before.filter(pc.is_in(before[ROW_HASH], value_set=hashes))
    names: dict[str, list[str]] = defaultdict(list)
    for row_hash, key in zip(
        known[ROW_HASH].to_pylist(), known[SOURCE_KEY].to_pylist(), strict=True
    ):
        names[row_hash].append(key)
    rows = pc.indices_nonzero(pc.is_in(landed.hashes, value_set=hashes))
    picked = (landed.hashes.take(rows), landed.positions.take(rows))
    same: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for row, row_hash, position in zip(
        rows.to_pylist(), *(one.to_pylist() for one in picked), strict=True
    ):
        same[row_hash].append((position, row))
    return {
        row: key
        for row_hash, members in same.items()
        for (_, row), key in zip(sorted(members), sorted(names[row_hash]), strict=False)
    }


def _edited(
    landed: Landed, before: pa.Table, written: Path, previous: Path, columns: Sequence[str]
) -> dict[int, str]:
    gone = _rows_without(before[ROW_HASH], landed.hashes)
    fresh = _rows_without(landed.hashes, before[ROW_HASH])
    if not len(gone) or not len(fresh) or max(len(gone), len(fresh)) > MOST:
        return {}
    known = set(pq.read_schema(previous).names)
    shared = [name for name in columns if name in known]
    old, new = _taken(previous, gone, shared), _taken(written, fresh, shared)
    old_keys = before[SOURCE_KEY].take(gone).to_pylist()
    new_keys = landed.keys.take(fresh).to_pylist()
    ranked = sorted(
        (-share, old_keys[a], new_keys[b], a, b) for (a, b), share in _alike(old, new).items()
    )
    found: dict[int, str] = {}
    taken: set[int] = set()
    tied = _tied(ranked)
    for _, old_key, _, a, b in ranked:
        row = int(fresh[b])
        if a not in taken and row not in found and (a, b) not in tied:
            taken.add(a)
            found[row] = old_key
    return found


def _rows_without(rows: pa.ChunkedArray, others: pa.ChunkedArray) -> np.ndarray:
    return np.flatnonzero(~np.asarray(pc.is_in(rows, value_set=others)))


def _taken(path: Path, rows: np.ndarray, columns: Sequence[str]) -> pa.Table:
    """Some rows of a file, read one row group at a time."""
    found, start = [], 0
    with pq.ParquetFile(path, pre_buffer=False) as file:
        empty = file.schema_arrow.empty_table().select(list(columns))
        for number in range(file.num_row_groups):
            count = file.metadata.row_group(number).num_rows
            inside = rows[(rows >= start) & (rows < start + count)] - start
            if len(inside):
                group = file.read_row_group(number, columns=list(columns), use_threads=False)
                found.append(group.select(list(columns)).take(pa.array(inside)))
            start += count
    return pa.concat_tables(found) if found else empty


def _alike(old: pa.Table, new: pa.Table) -> dict[tuple[int, int], float]:
    """Pairs of rows that share a value of their own, and the share of their cells they have alike.

    Returns:
        (row of old, row of new) → share, ALIKE at least.
    """
    pairs: set[tuple[int, int]] = set()
    columns = []
    for name in old.column_names:
        left, right = (_codes(one) for one in _together(old[name], new[name]))
        columns.append((left, right))
        singles = np.intersect1d(_once(left), _once(right))
        if len(singles):
            at_left = {int(code): row for row, code in enumerate(left)}
            at_right = {int(code): row for row, code in enumerate(right)}
            pairs |= {(at_left[int(code)], at_right[int(code)]) for code in singles}
    found = {}
    for a, b in pairs:
        same = sum(int(left[a] == right[b] >= 0) for left, right in columns)
        filled = sum(int(left[a] >= 0 or right[b] >= 0) for left, right in columns)
        if same / filled >= ALIKE:
            found[a, b] = same / filled
    return found


def _together(
    old: pa.ChunkedArray, new: pa.ChunkedArray
) -> tuple[tuple[pa.ChunkedArray, pa.Array], tuple[pa.ChunkedArray, pa.Array]]:
    values = pc.unique(pa.chunked_array([*old.chunks, *new.chunks], pa.string())).drop_null()
    return (old, values), (new, values)


def _codes(coded: tuple[pa.ChunkedArray, pa.Array]) -> np.ndarray:
    """The number of each cell's value; -1 where the cell is empty."""
    cells, values = coded
    found = pc.fill_null(pc.index_in(cells, value_set=values, skip_nulls=True), -1)
    empty = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(cells), ""), True)
    return np.where(np.asarray(empty), -1, np.asarray(found))


def _once(codes: np.ndarray) -> np.ndarray:
    """Values that stand in one cell only."""
    values, counts = np.unique(codes[codes >= 0], return_counts=True)
    return values[counts == 1]


def _tied(ranked: Sequence[tuple[float, str, str, int, int]]) -> set[tuple[int, int]]:
    """Pairs as alike as another pair of one of their rows: none of them can be trusted."""
    best: dict[tuple[str, int], list[tuple[int, int]]] = {}
    top: dict[tuple[str, int], float] = {}
    for share, _, _, a, b in ranked:  # the most alike first
        for side in (("old", a), ("new", b)):
            if top.setdefault(side, share) == share:
                best.setdefault(side, []).append((a, b))
    return {pair for pairs in best.values() if len(pairs) > 1 for pair in pairs}


def _displaced(landed: Landed, found: Mapping[int, str]) -> dict[int, str]:
    """Rows whose own key an edited row has kept: they say what that row said before."""
    if not found:
        return {}  # nearly always
    kept = pa.array(sorted(set(found.values())), pa.string())
    rows = pc.indices_nonzero(pc.is_in(landed.keys, value_set=kept)).to_pylist()
    taken = set(found.values())
    others: dict[int, str] = {}
    wanted = [row for row in rows if row not in found]
    at = pa.array(wanted, pa.int64())
    picked = (landed.keys.take(at).to_pylist(), landed.positions.take(at).to_pylist())
    for key, _, row in sorted(zip(*picked, wanted, strict=True)):
        number = 2
        while f"{key}-{number}" in taken:
            number += 1
        others[row] = f"{key}-{number}"
        taken.add(others[row])
    return others

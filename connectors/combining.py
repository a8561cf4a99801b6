"""Rows of the previous snapshot and rows that were read now: one new snapshot.

What belongs here: keys that occur on both sides, sums that are carried on, what changed, and
writing it. Which rows stay is decided in connectors/merging.py and connectors/file_merging.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import drift, row_hashes, snapshot
from connectors.config import SourceConfig
from connectors.landing import Landed
from connectors.parts import Part
from connectors.reading import POSITION, PROBLEM, ROW_HASH, SOURCE_KEY
from connectors.repeated_keys import Repair, repair, replaced
from connectors.snapshot import Counts, Extraction, Manifest


@dataclass(frozen=True)
class Kept:
    """Rows of the previous snapshot.

    Attributes:
        path: its file.
        keep: for every row whether it stays.
        shared: rows that stay and whose key may occur elsewhere too, by their number: what
            they were before any key was found to occur twice; hash and problem included.
    """

    path: Path
    keep: pa.Array
    shared: Mapping[int, Repair] = field(default_factory=dict)


@dataclass(frozen=True)
class Fresh:
    """Rows that were read now.

    Attributes:
        path: the file that they landed in.
        landed: what is known of them.
        keep: for every row whether it counts; None: all do.
    """

    path: Path
    landed: Landed
    keep: pa.Array | None = None


def combine(
    kept: Kept,
    fresh: Sequence[Fresh],
    config: SourceConfig,
    lake: Path,
    previous: Manifest,
    told: Manifest,
    *,
    compared: bool,
) -> Extraction:
    """Put the rows together, unless they are what they were.

    Args:
        previous: the manifest of the snapshot that ``kept`` is of.
        told: the manifest so far: all that does not depend on rows.
        compared: whether this sync looked at the whole source.

    Raises:
        SourceEmpty, SourceHeld: as :func:`connectors.snapshot.write`.
    """
    whole = _Whole(kept, fresh, by_content=told.key_basis == "content")
    for one in fresh:
        snapshot.hold_back(config, lake, previous, replace(one.landed, rows=whole.rows))
    before = snapshot.progress(lake, previous)
    removed = _Rows.of_file(kept.path, pc.invert(whole.untouched))
    total = int(previous.rows_sum, 16) - removed.total + whole.written.total
    placed = int(previous.positions_hash, 16) - removed.placed + whole.written.placed
    total, placed = total & row_hashes.MASK, placed & row_hashes.MASK
    manifest = told.model_copy(
        update={
            "rows": whole.rows,
            "sealed_with": told.sealed_with or previous.sealed_with,
            "sealed": tuple(sorted({*told.sealed, *previous.sealed}.intersection(told.columns))),
            "kinds": {**(fresh[0].landed.kinds if fresh else {}), **previous.kinds},
            "mapped_as": drift.mapped_as(config),
            "content_hash": snapshot.content_hash(total, told.columns, told.key),
            "rows_sum": f"{total:032x}",
            "positions_hash": f"{placed:032x}",
            "compared_at": told.compared_at if compared else before.compared_at,
            "problems": whole.problems,
            "counts": _counts(removed, whole.written, sum(one.landed.rows for one in fresh)),
        }
    )
    if snapshot.is_same(lake, previous, manifest):
        return snapshot.stands(lake, previous, manifest, manifest.counts.read)
    final = snapshot.path_of(lake, manifest)
    snapshot.assemble(whole.parts, manifest, final)
    return Extraction("changed", final, manifest, withheld=manifest.withheld)


@dataclass(frozen=True)
class _Rows:
    """Keys, hashes and positions of some rows, as they stand in a snapshot."""

    keys: pa.Array
    hashes: pa.Array
    positions: pa.Array

    @classmethod
    def of_file(cls, path: Path, which: pa.Array) -> "_Rows":
        table = pq.read_table(path, columns=[SOURCE_KEY, ROW_HASH, POSITION]).filter(which)
        return cls(*(table[name].combine_chunks() for name in (SOURCE_KEY, ROW_HASH, POSITION)))

    @property
    def total(self) -> int:
        return row_hashes.total(self._bytes)

    @property
    def placed(self) -> int:
        return row_hashes.placed(self._bytes, self.positions)

    @property
    def _bytes(self) -> bytes:
        return bytes.fromhex("".join(self.hashes.to_pylist()))


class _Whole:
    """The rows of the new snapshot: where they come from and what they are called.

    Attributes:
        rows: how many there are.
        problems: how many of them have one.
        untouched: for every row of the previous snapshot whether it stays as it is.
        written: all other rows.
        parts: what the new file is made of.
    """

    def __init__(self, kept: Kept, fresh: Sequence[Fresh], *, by_content: bool) -> None:
        shared = sorted(kept.shared)
        wanted = [_rows(one) for one in fresh]
        starts = np.cumsum([0, *map(len, wanted)]).tolist()
        union = _union(fresh, wanted, [kept.shared[row] for row in shared])
        repairs = repair(union, by_content=by_content)
        untouched = np.array(kept.keep, bool)
        untouched[shared] = False
        self.untouched = pa.array(untouched)
        self.rows = int(untouched.sum()) + union.rows
        self.written = _Rows(
            replaced(union.keys, {row: one.key for row, one in repairs.items()}),
            replaced(union.hashes, {row: one.row_hash for row, one in repairs.items()}),
            union.positions.combine_chunks(),
        )
        stayed = pq.read_table(kept.path, columns=[PROBLEM])[PROBLEM].is_valid()
        said = union.marked | {row for row, one in repairs.items() if one.problem}
        self.problems = (pc.sum(pc.and_(stayed, self.untouched)).as_py() or 0) + len(said)
        was = dict(enumerate((kept.shared[row] for row in shared), starts[-1]))
        renamed = {
            row: _after(was[place], repairs.get(place))
            for place, row in enumerate(shared, starts[-1])
        }
        self.parts = [Part(kept.path, kept.keep, renamed)]
        for one, rows, start in zip(fresh, wanted, starts, strict=False):
            own = {int(rows[row - start]): found for row, found in repairs.items()
                   if start <= row < start + len(rows)}  # fmt: skip
            self.parts.append(Part(one.path, one.keep, own))


def _rows(fresh: Fresh) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The numbers of the rows that count."""
    if fresh.keep is None:
        return np.arange(fresh.landed.rows)
    return pc.indices_nonzero(fresh.keep).to_numpy().astype(np.int64)


def _union(
    fresh: Sequence[Fresh],
    wanted: Sequence[np.ndarray[tuple[int], np.dtype[np.int64]]],
    shared: Sequence[Repair],
) -> Landed:
    """The rows that count, then the shared ones, as if they had all been read now."""
    marked: set[int] = set()
    start = 0
    for one, rows in zip(fresh, wanted, strict=True):
        if one.landed.marked:
            own = np.isin(rows, list(one.landed.marked)).nonzero()[0]
            marked.update((own + start).tolist())
        start += len(rows)
    marked.update(start + place for place, one in enumerate(shared) if one.problem)
    columns = {
        "keys": [one.key for one in shared],
        "hashes": [one.row_hash for one in shared],
        "positions": [one.position for one in shared],
    }
    arrays = {
        name: pa.chunked_array(
            [
                *(
                    chunk
                    for one, rows in zip(fresh, wanted, strict=True)
                    for chunk in getattr(one.landed, name).take(pa.array(rows)).chunks
                ),
                pa.array(last, pa.string()),
            ]
        )
        for name, last in columns.items()
    }
    return Landed(start + len(shared), 0, 0, **arrays, marked=frozenset(marked))


def _after(was: Repair, now: Repair | None) -> Repair:
    """What is written of a row of the previous snapshot."""
    if now is None:
        return replace(was, alone=True)
    both = [text for text in (was.problem, now.problem) if text]
    return replace(now, problem="; ".join(both) or None, alone=True)


def _counts(removed: _Rows, written: _Rows, read: int) -> Counts:
    known = pc.is_in(written.keys, removed.keys)
    stayed = pc.and_(known, pc.is_in(written.hashes, removed.hashes))
    there = pc.sum(known).as_py() or 0
    return Counts(
        read=read,
        new=len(written.keys) - there,
        changed=there - (pc.sum(stayed).as_py() or 0),
        deleted=len(removed.keys) - there,
    )

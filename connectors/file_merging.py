"""New and changed files over the previous snapshot: the next whole one.

What belongs here: which rows of the previous snapshot are of files that are what they were,
and which of them share a key with rows of other files. The snapshot that comes out is
connectors/combining.py's.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import landing, row_hashes, sealing, snapshot
from connectors.combining import Fresh, Kept, combine
from connectors.config import SourceConfig
from connectors.lake_files import temporary
from connectors.landing import EMPTY_KEY
from connectors.reading import (
    POSITION,
    PROBLEM,
    ROW_HASH,
    SOURCE_KEY,
    FileFacts,
    Reading,
    Report,
    Since,
    batch,
)
from connectors.repeated_keys import Repair, is_renamed, original, replaced, without_repeats
from connectors.sealing import Seal
from connectors.snapshot import Extraction, Manifest
from connectors.snapshot_writer import SnapshotWriter
from onefold.errors import SourceLayout, SourceMissing

_DIGITS = 2 * row_hashes.SIZE

Opened = Callable[[Since], AbstractContextManager[Reading]]


def merge(
    opened: Opened,
    prepared: Callable[[Reading], Sequence[int]],
    config: SourceConfig,
    lake: Path,
    previous: Manifest,
    facts: Sequence[FileFacts],
    *,
    settings_hash: str,
    again: bool = False,
) -> Extraction | None:
    """Bring the previous snapshot up to date with the files that are new or changed.

    Args:
        opened: opens the source without some files.
        prepared: refuses a reading that cannot be used; where its key's columns are.
        previous: the manifest of the last good snapshot.
        facts: the files that are there now.
        settings_hash: goes into the manifest.
        again: whether every file that is there is read; rows of files that are gone may stay.

    Returns:
        the outcome; None if everything has to be read instead, and no row can stay.

    Raises:
        SourceEmpty, SourceHeld: as :func:`connectors.snapshot.write`.
        SourceError: whatever the connector raises; nothing is left behind.
    """
    there, before = {one.name for one in facts}, {one.name: one.sha256 for one in previous.files}
    unchanged = frozenset(
        one.name for one in facts if not again and before.get(one.name) == one.sha256
    )
    stay = unchanged
    if config.removed_files == "keep":
        stay |= {name for name, _ in previous.file_rows} - there
    if sum(count for _, count in previous.file_rows) != previous.rows or not stay:
        return None
    path = snapshot.path_of(lake, previous)
    keep = np.repeat(
        np.array([name in stay for name, _ in previous.file_rows], bool),
        [count for _, count in previous.file_rows],
    )
    if unchanged == there:
        reading = Reading([], iter(()), Report(), "no new file")
        return _merged(
            reading, prepared, config, lake, previous, facts, settings_hash, stay, path, keep
        )
    try:
        with opened(Since(unchanged=unchanged)) as reading:
            return _merged(
                reading, prepared, config, lake, previous, facts, settings_hash, stay, path, keep
            )
    except (SourceLayout, SourceMissing):
        return None  # what is wrong with a file beside good ones, reading all of them tells


def _merged(
    reading: Reading,
    prepared: Callable[[Reading], Sequence[int]],
    config: SourceConfig,
    lake: Path,
    previous: Manifest,
    facts: Sequence[FileFacts],
    settings_hash: str,
    stay: frozenset[str],
    path: Path,
    keep: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Extraction | None:
    same = stay.issuperset(one.name for one in previous.files)
    lost = (
        set() if same else _lost_columns(path, keep, set(previous.columns) - set(reading.columns))
    )
    if lost and not stay.isdisjoint(one.name for one in facts):
        return None  # a file that is not read may have them, with nothing in them
    _widen(reading, [name for name in previous.columns if name not in lost])
    key = prepared(reading)
    names = tuple(reading.columns[place] for place in key)
    if names != previous.key:
        return None
    place, sync_id = snapshot.begin(lake, config.name)
    with temporary(place, f"{sync_id}-rows") as file:
        with SnapshotWriter(file, reading.columns) as writer:
            landed = landing.land(reading, writer, key)
        file.flush()
        reading.report.files = list(facts)
        told = snapshot.describe(reading, config.name, sync_id, names, settings_hash)
        new = landed.keys.combine_chunks()
        kept = [(name, count) for name, count in previous.file_rows if name in stay]
        told = told.model_copy(
            update={
                "file_rows": (*kept, *landing.file_rows(landed, facts)),
                "skipped": (
                    *(one for one in previous.skipped if one.where.partition("|")[0] in stay),
                    *told.skipped,
                ),
            }
        )
        shared = _shared(path, keep, new, reading.seal, by_content=not names)
        return combine(
            Kept(path, pa.array(keep), shared),
            [Fresh(Path(file.name), landed)],
            config,
            lake,
            previous,
            told,
            compared=True,
        )


def _widen(reading: Reading, before: Sequence[str]) -> None:
    """Give a reading the columns that the source had before, empty where its files lack them."""
    columns = list(dict.fromkeys([*before, *reading.columns]))
    if columns == reading.columns:
        return
    places = {name: 2 + place for place, name in enumerate(reading.columns)}
    narrow = replace(reading)

    def widened() -> Iterator[pa.RecordBatch]:
        for one in narrow.batches():
            nothing = pa.nulls(one.num_rows, pa.string())
            values = [one.column(places[n]) if n in places else nothing for n in columns]
            yield batch(one.column(0), values, one.column(1))

    reading.rows, reading.columns = widened(), columns


def _lost_columns(
    path: Path, keep: np.ndarray[tuple[int], np.dtype[np.bool_]], columns: set[str]
) -> set[str]:
    """Columns that went with a file: nothing stands in them any more."""
    if not columns:
        return set()
    table = pq.read_table(path, columns=sorted(columns)).filter(pa.array(keep))
    return {name for name in columns if table[name].null_count == table.num_rows}


def _shared(
    path: Path,
    keep: np.ndarray[tuple[int], np.dtype[np.bool_]],
    new: pa.Array,
    seal: Seal | None,
    *,
    by_content: bool,
) -> dict[int, Repair]:
    """Rows that stay and whose key is in new rows too, or was in rows that do not stay."""
    table = pq.read_table(path, columns=[SOURCE_KEY, PROBLEM])
    given = table[SOURCE_KEY].combine_chunks()
    keys = pc.utf8_slice_codeunits(given, 0, _DIGITS) if by_content else _own_keys(table)
    left = keys.filter(pa.array(~keep))
    among = pc.is_in(keys, pa.concat_arrays([new, left]))
    rows = pc.indices_nonzero(pc.and_(among, pa.array(keep)))
    if not len(rows):
        return {}
    names = keys.take(rows).to_pylist()
    found: dict[int, Repair] = {}
    numbers = rows.to_pylist()
    for row, name, values in zip(numbers, names, _records(path, among, keep), strict=True):
        problem = values[PROBLEM]
        row_hash, own = values[ROW_HASH] or "", without_repeats(problem)
        if own != problem:
            columns = [column for column in values if column not in _ADDED]
            arrays = [pa.array([values[column]], pa.string()) for column in columns]
            row_hash = _digest(columns, arrays, seal).hex()
            row_hash = row_hashes.of(row_hash, own).hex() if own else row_hash
        found[row] = Repair(name, row_hash, own, position=values[POSITION] or "")
    return found


def _digest(columns: Sequence[str], arrays: Sequence[pa.Array], seal: Seal | None) -> bytes:
    """The hash of a record as landing makes it, from what a snapshot holds."""
    if seal is None:
        return row_hashes.digests(columns, arrays)
    clear = sealing.opened(pa.table(list(arrays), list(columns)), sorted(seal.columns), seal.keys)
    values = [column.combine_chunks() for column in clear.columns]
    return seal.hashes(row_hashes.digests(columns, values))


_ADDED = {SOURCE_KEY, POSITION, ROW_HASH, PROBLEM}


def _own_keys(table: pa.Table) -> pa.Array:
    """Of every row the key that it had before any was found to occur twice."""
    keys = table[SOURCE_KEY].combine_chunks()
    odd = pc.indices_nonzero(table[PROBLEM].is_valid())
    given, problems = keys.take(odd).to_pylist(), table[PROBLEM].take(odd).to_pylist()
    names = {}
    for row, name, problem in zip(odd.to_pylist(), given, problems, strict=True):
        if EMPTY_KEY in problem:
            names[row] = name[: 1 + _DIGITS]
        elif is_renamed(problem):
            names[row] = original(name)
    return replaced(keys, names)


def _records(
    path: Path, among: pa.Array, keep: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Iterator[dict[str, str | None]]:
    wanted = pc.and_(among, pa.array(keep))
    start = 0
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for one in file.iter_batches(use_threads=False):
            mask = wanted.slice(start, one.num_rows)
            start += one.num_rows
            yield from one.filter(mask).to_pylist()

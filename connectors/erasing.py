"""Taking records out of kept snapshots: the one way in which a snapshot is ever changed.

What belongs here: the same snapshot under the same name without some rows, its manifest true
for what is left. Whose rows these are is decided elsewhere. A snapshot is replaced whole or not
at all; without the rows already, it is not touched, so that a killed erasure is finished by
doing it again.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import row_hashes, sealing, snapshot
from connectors.parts import Part
from connectors.reading import POSITION, PROBLEM, ROW_HASH, SOURCE_KEY
from connectors.repeated_keys import is_renamed, original
from connectors.snapshot import Counts, Manifest
from onefold.keys import Keys


@dataclass(frozen=True)
class Found:
    """Rows of a snapshot.

    Attributes:
        path: the snapshot.
        manifest: its manifest.
        rows: the rows, as a snapshot has them.
        content: the hash of what each row holds, hexadecimal, whatever was found wrong with it.
        shared: for each row whether others of the snapshot have the same key.
    """

    path: Path
    manifest: Manifest
    rows: pa.Table
    content: tuple[str, ...]
    shared: tuple[bool, ...]


def others(
    lake: Path, source: str, keys: pa.Array, secrets: Keys | None = None
) -> Iterator[pa.Table]:
    """The rows of a source's snapshots whose key is none of some, the oldest first.

    Args:
        keys: as ``_source_key`` has them.
        secrets: the home's keys, to read encrypted values.
    """
    for path in sorted(snapshot.folder(lake, source).glob("*.parquet")):
        named = pq.read_table(path, columns=[SOURCE_KEY])[SOURCE_KEY]
        chosen = named.filter(pc.invert(pc.is_in(named, value_set=keys)))
        if len(chosen):
            yield _rows(path, chosen.combine_chunks(), snapshot.read_manifest(path), secrets)


def _rows(path: Path, keys: pa.Array, manifest: Manifest, secrets: Keys | None) -> pa.Table:
    rows = pq.read_table(path, filters=pc.field(SOURCE_KEY).isin(keys))
    return sealing.opened(rows, manifest.sealed, secrets)


def find(
    lake: Path, source: str, keys: Collection[str], secrets: Keys | None = None
) -> Iterator[Found]:
    """The snapshots of a source that hold rows with one of some keys, the oldest first.

    Args:
        keys: as ``_source_key`` has them.
        secrets: the home's keys, to read encrypted values.
    """
    wanted = pa.array(sorted(keys), pa.string())
    for path in sorted(snapshot.folder(lake, source).glob("*.parquet")):
        named = pq.read_table(path, columns=[SOURCE_KEY, PROBLEM])
        chosen = pc.is_in(named[SOURCE_KEY], value_set=wanted)
        if not pc.any(chosen).as_py():
            continue
        manifest = snapshot.read_manifest(path)
        rows = _rows(path, wanted, manifest, secrets)
        content = row_hashes.digests(
            manifest.columns, [rows[name].combine_chunks() for name in manifest.columns]
        )
        size = row_hashes.SIZE
        hashes = tuple(
            content[place : place + size].hex() for place in range(0, len(content), size)
        )
        twice = _repeated(named)
        shared = tuple(_own(key, problem) in twice for key, problem in _named(rows))
        yield Found(path, manifest, rows, hashes, shared)


def _repeated(table: pa.Table) -> set[str]:
    """Keys that more than one row has, as the source has them."""
    odd = table.filter(table[PROBLEM].is_valid())
    return {original(key) for key, problem in _named(odd) if is_renamed(problem or "")}


def _own(key: str, problem: str | None) -> str:
    return original(key) if problem is not None and is_renamed(problem) else key


def _named(table: pa.Table) -> Iterator[tuple[str, str | None]]:
    yield from zip(table[SOURCE_KEY].to_pylist(), table[PROBLEM].to_pylist(), strict=True)


def without(path: Path, keys: Collection[str]) -> Manifest | None:
    """Write a snapshot anew without the rows of some keys.

    Counts and hashes of the manifest become what they would be had the rows never been there;
    ``counts``, what the sync changed, loses as many new rows as it can have brought.

    Args:
        path: the snapshot.
        keys: as ``_source_key`` has them.

    Returns:
        the new manifest; None if it held none of them.

    Raises:
        SourceMissing: the file is no snapshot.
    """
    manifest = snapshot.read_manifest(path)
    names = [SOURCE_KEY, ROW_HASH, POSITION, PROBLEM]
    table = pq.read_table(path, columns=names)
    gone = pc.is_in(table[SOURCE_KEY], value_set=pa.array(sorted(keys), pa.string()))
    count = int(pc.sum(gone).as_py() or 0)
    if not count:
        return None
    keep = pc.invert(gone).combine_chunks()
    left = table.filter(keep)
    hashes = bytes.fromhex("".join(left[ROW_HASH].to_pylist()))
    total = row_hashes.total(hashes)
    placed = row_hashes.placed(hashes, left[POSITION].combine_chunks())
    counts = manifest.counts
    changed = manifest.model_copy(
        update={
            "rows": left.num_rows,
            "content_hash": snapshot.content_hash(total, manifest.columns, manifest.key),
            "rows_sum": f"{total:032x}",
            "positions_hash": f"{placed:032x}",
            "file_rows": _file_rows(manifest, keep),
            "problems": left.num_rows - left[PROBLEM].null_count,
            "counts": Counts(
                read=max(counts.read - count, 0),
                new=min(counts.new, left.num_rows),
                changed=min(counts.changed, left.num_rows),
                deleted=counts.deleted,
            ),
        }
    )
    snapshot.assemble([Part(path, keep)], changed, path)
    return changed


def _file_rows(manifest: Manifest, keep: pa.Array) -> tuple[tuple[str, int], ...]:
    """How many rows each file still has, in the rows' order."""
    ends = list(accumulate((count for _, count in manifest.file_rows), initial=0))
    return tuple(
        (name, int(pc.sum(keep.slice(start, count)).as_py() or 0))
        for (name, count), start in zip(manifest.file_rows, ends, strict=False)
    )

"""Raw snapshots: one immutable Parquet file per source and sync.

What belongs here: how rows become a file (written under a temporary name,
synced to disk, renamed), their keys and hashes, the manifest, and when nothing
is written at all. Which rows a source has is the connector's part.

A row's hash (connectors/row_hashes.py) covers its values by column name, so
neither the order of rows, files or columns nor a further empty column changes
it. The content hash is the sum of the rows' hashes: the same rows in another
order are the same content. The positions hash is the sum over rows and where
they stand: rows that moved within a file make a new snapshot, so that every
position stays true. The rows of a database all stand at its table, so that
their order means nothing.
"""

import datetime as dt
import fcntl
import os
import re
import secrets
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from connectors import landing, row_hashes
from connectors.config import SourceConfig
from connectors.landing import Landed
from connectors.reading import (
    PROBLEM,
    ROW_HASH,
    SOURCE_KEY,
    FileFacts,
    Reading,
    Skipped,
)
from onefold.errors import SourceEmpty, SourceHeld, SourceMissing

MANIFEST = b"onefold"
_REWRITTEN_ROWS = 20_000
_TEMPORARY = ".tmp"


class Manifest(BaseModel):
    """What a snapshot holds; kept in the Parquet file's metadata."""

    model_config = ConfigDict(frozen=True)

    source: str
    sync_id: str
    """When the sync began, UTC, and a random part; sorts by time."""
    rows: int
    columns: tuple[str, ...]
    """The source's own columns, in the source's order."""
    content_hash: str
    """The same for the same rows in any order; hexadecimal."""
    positions_hash: str = ""
    """The same for the same rows at the same positions; hexadecimal."""
    key_basis: Literal["columns", "content"]
    """Whether ``_source_key`` comes from declared columns or from the row's content."""
    skipped: tuple[Skipped, ...] = ()
    """What was left out as no record."""
    files: tuple[FileFacts, ...] = ()
    """The files read; empty for a database."""
    notes: tuple[str, ...] = ()
    """What else is worth a look; names no values."""
    problems: int = 0
    """Rows with a ``_problem``."""
    settings_hash: str = ""
    """Of all settings that shape a reading."""


@dataclass(frozen=True)
class Extraction:
    """Outcome of one sync of one source.

    Attributes:
        status: changed (a snapshot was written) or unchanged (nothing was).
        path: the snapshot that holds the source now, new or old.
        manifest: the manifest of that snapshot.
    """

    status: Literal["changed", "unchanged"]
    path: Path
    manifest: Manifest


def folder(lake: Path, source: str) -> Path:
    """Where a source's snapshots are."""
    return Path(lake) / "raw" / source


def path_of(lake: Path, manifest: Manifest) -> Path:
    """The snapshot that a manifest describes."""
    return folder(lake, manifest.source) / f"{manifest.sync_id}.parquet"


def read_manifest(path: Path) -> Manifest:
    """The manifest of a snapshot.

    Raises:
        SourceMissing: the file is no snapshot.
    """
    try:
        metadata = pq.read_metadata(path).metadata or {}
        return Manifest.model_validate_json(metadata[MANIFEST])
    except (OSError, pa.ArrowInvalid, KeyError, ValidationError) as error:
        raise SourceMissing(str(path), "this is no raw snapshot", do="Sync again.") from error


def latest(lake: Path, source: str) -> Manifest | None:
    """The manifest of a source's newest snapshot, or None."""
    newest = max(folder(lake, source).glob("*.parquet"), default=None)
    return None if newest is None else read_manifest(newest)


def read(path: Path) -> pa.Table:
    """A snapshot as a table of text."""
    return pq.read_table(path)


def slices(path: Path, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """A snapshot in parts, in its order; one at least.

    Args:
        path: the snapshot.
        rows: how many records a part has, but for the last one.
        columns: which columns; None: all.
    """
    # Read ahead, Parquet would keep all of the file that was read.
    with pq.ParquetFile(path, pre_buffer=False) as file:
        schema = file.schema_arrow.remove_metadata()
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns])
        batches = file.iter_batches(rows, columns=schema.names, use_threads=False)
        batch = None
        for batch in batches:
            yield pa.Table.from_batches([batch]).select(schema.names)
        if batch is None:
            yield schema.empty_table()


def write(
    reading: Reading,
    config: SourceConfig,
    lake: Path,
    previous: Manifest | None,
    *,
    key: tuple[int, ...],
    settings_hash: str,
) -> Extraction:
    """Read a source to its end and keep it, unless it is what it was.

    Args:
        reading: the opened source; memory stays bounded by one batch and the keys.
        previous: the manifest of the last good snapshot.
        key: indexes of the key columns; empty: made of the content.
        settings_hash: goes into the manifest.

    Raises:
        SourceEmpty: no rows, and there used to be some.
        SourceHeld: more rows are gone than ``hold_if_shrinks_by`` allows.
        SourceError: whatever the connector raises; nothing is left behind.
    """
    place = folder(lake, config.name)
    place.mkdir(parents=True, exist_ok=True)
    _clean(place)
    sync_id = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(3)}"
    with (
        _temporary(place, sync_id) as file,
        landing.writer(file, reading.columns) as writer,
    ):
        landed = landing.land(reading, writer, key)
        _hold_back(config, previous, landed.rows)
        content_hash = row_hashes.of(
            str(landed.total), *sorted(reading.columns), "", *(reading.columns[i] for i in key)
        ).hex()
        positions_hash = f"{landed.placed:032x}"
        if previous and (previous.content_hash, previous.positions_hash) == (
            content_hash,
            positions_hash,
        ):
            old = path_of(lake, previous)
            if old.is_file():
                return Extraction("unchanged", old, previous)
        repairs = _repair(landed, by_content=not key)
        manifest = Manifest(
            source=config.name,
            sync_id=sync_id,
            rows=landed.rows,
            columns=tuple(reading.columns),
            content_hash=content_hash,
            positions_hash=positions_hash,
            key_basis="columns" if key else "content",
            skipped=tuple(reading.report.skipped),
            files=tuple(reading.report.files),
            notes=tuple(reading.report.lines),
            problems=len(landed.marked | {row for row, r in repairs.items() if r.problem}),
            settings_hash=settings_hash,
        )
        final = place / f"{sync_id}.parquet"
        if not repairs:
            writer.add_key_value_metadata({MANIFEST: manifest.model_dump_json().encode()})
        writer.close()
        if repairs:
            with _temporary(place, sync_id + "-keys") as second:
                _rewrite(file, second, repairs, manifest)
                _publish(second, final)
        else:
            _publish(file, final)
    return Extraction("changed", final, manifest)


_FROM_CONTENT = re.compile(r"#[0-9a-f]{32}")


# -- keys that occur more than once


@dataclass(frozen=True)
class _Repair:
    key: str
    row_hash: str
    problem: str | None


def _repair(landed: Landed, *, by_content: bool) -> dict[int, _Repair]:
    """New keys for rows whose key another row has too, by the row's number.

    Every row gets a key of its own, whatever the order of the rows: of the rows that
    have no other problem the one with the smallest hash keeps the key, the others
    get part of their hash to it.
    """
    counts = landed.keys.value_counts()
    repeated = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")
    if not len(repeated):
        return {}
    rows = pc.indices_nonzero(pc.is_in(landed.keys, value_set=repeated)).to_pylist()
    groups: dict[str, list[tuple[bool, str, str, int]]] = defaultdict(list)
    picked = (landed.keys.take(rows), landed.hashes.take(rows), landed.positions.take(rows))
    for row, key, row_hash, position in zip(rows, *(p.to_pylist() for p in picked), strict=True):
        groups[key].append((row in landed.marked, row_hash, position, row))
    repairs = {}
    for key, members in groups.items():
        seen: Counter[str] = Counter()
        for place, (_, row_hash, _, row) in enumerate(sorted(members)):
            seen[row_hash] += 1
            if place == 0:
                continue
            again = f"-{seen[row_hash]}" if seen[row_hash] > 1 else ""
            if by_content or _FROM_CONTENT.fullmatch(key):
                repairs[row] = _Repair(f"{key}{again}", row_hash, None)
                continue
            problem = f"the key occurs {len(members)} times in the source; another row was kept"
            new_hash = row_hashes.of(row_hash, problem).hex()
            repairs[row] = _Repair(f"{key}#{row_hash[:8]}{again}", new_hash, problem)
    return repairs


def _rewrite(
    first: IO[bytes], second: IO[bytes], repairs: dict[int, _Repair], manifest: Manifest
) -> None:
    first.flush()
    source = pq.ParquetFile(first.name)
    writer = landing.writer(second, manifest.columns)
    start = 0
    for batch in source.iter_batches(batch_size=_REWRITTEN_ROWS):
        touched = [row for row in range(start, start + batch.num_rows) if row in repairs]
        if touched:
            batch = _repaired(batch, {row - start: repairs[row] for row in touched})
        writer.write_batch(batch)
        start += batch.num_rows
    writer.add_key_value_metadata({MANIFEST: manifest.model_dump_json().encode()})
    writer.close()


def _repaired(batch: pa.RecordBatch, repairs: dict[int, _Repair]) -> pa.RecordBatch:
    keys, hashes, problems = (
        batch.column(name).to_pylist() for name in (SOURCE_KEY, ROW_HASH, PROBLEM)
    )
    for row, repair in repairs.items():
        keys[row], hashes[row] = repair.key, repair.row_hash
        both = [text for text in (problems[row], repair.problem) if text]
        problems[row] = "; ".join(both) or None
    for name, values in ((SOURCE_KEY, keys), (ROW_HASH, hashes), (PROBLEM, problems)):
        index = batch.schema.get_field_index(name)
        batch = batch.set_column(index, batch.schema.field(index), pa.array(values, pa.string()))
    return batch


# -- held back


def _hold_back(config: SourceConfig, previous: Manifest | None, rows: int) -> None:
    if previous is None or previous.rows == 0:
        return
    if rows == 0:
        raise SourceEmpty(
            config.name,
            "there is nothing to read where there used to be records",
            found=f"0 rows, {previous.rows} at the last sync",
            do="Mend the source; its last good records stay in use.",
        )
    if config.hold_if_shrinks_by < 1 and rows <= previous.rows * (1 - config.hold_if_shrinks_by):
        raise SourceHeld(
            config.name,
            "too many rows are gone since the last sync",
            found=f"{rows} rows, {previous.rows} before",
            do="Mend the source, or, if that is right, set hold_if_shrinks_by: 1 in "
            f"{config.file} for one sync. Its last good records stay in use.",
        )


# -- files


@contextmanager
def _temporary(place: Path, stem: str) -> Iterator[IO[bytes]]:
    """A locked temporary file; removed on the way out unless it was published."""
    path = place / f".{stem}{_TEMPORARY}"
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield file
        finally:
            path.unlink(missing_ok=True)


def _publish(file: IO[bytes], final: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    Path(file.name).replace(final)
    directory = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _clean(place: Path) -> None:
    """Remove what a killed run left; the files of a run that lives are locked."""
    for path in place.glob(f".*{_TEMPORARY}"):
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue

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
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from connectors import compared, continuity, drift, landing, row_hashes, sealing
from connectors.compared import Compared
from connectors.config import SourceConfig
from connectors.key_places import places
from connectors.known_rows import KnownRows
from connectors.lake_files import clean, publish, temporary
from connectors.landing import Landed
from connectors.parts import Part, copy
from connectors.reading import SOURCE_KEY, FileFacts, Reading, Skipped
from connectors.repeated_keys import Repair, adjusted, repair, replaced
from connectors.snapshot_writer import SnapshotWriter
from onefold.errors import SourceEmpty, SourceHeld, SourceMissing
from onefold.keys import Keys

MANIFEST = b"onefold"
_BEGAN = "%Y%m%dT%H%M%S%f"


class Counts(BaseModel):
    """What one sync did to the rows of a source."""

    model_config = ConfigDict(frozen=True)

    read: int = 0
    """Rows that were read from the source, whether they changed or not."""
    new: int = 0
    changed: int = 0
    deleted: int = 0


class Manifest(BaseModel):
    """What a snapshot holds; kept in the Parquet file's metadata."""

    model_config = ConfigDict(frozen=True)

    source: str
    sync_id: str
    """When the sync began, UTC, and a random part; sorts by time."""
    rows: int
    columns: tuple[str, ...]
    """The source's own columns, in the source's order."""
    key: tuple[str, ...] = ()
    """The key's columns; empty if it is made of the content."""
    content_hash: str
    """The same for the same rows in any order; hexadecimal."""
    rows_sum: str = ""
    """The sum of the rows' hashes, hexadecimal: what content_hash is made of."""
    positions_hash: str = ""
    """The same for the same rows at the same positions; hexadecimal."""
    key_basis: Literal["columns", "content"]
    """Whether ``_source_key`` comes from declared columns or from the row's content."""
    skipped: tuple[Skipped, ...] = ()
    """What was left out as no record."""
    files: tuple[FileFacts, ...] = ()
    """The files that were there; empty for a database."""
    file_rows: tuple[tuple[str, int], ...] = ()
    """Mode files: the files that rows come from, in the rows' order, and how many of each."""
    notes: tuple[str, ...] = ()
    """What else is worth a look; names no values."""
    problems: int = 0
    """Rows with a ``_problem``."""
    settings_hash: str = ""
    """Of all settings that shape a reading."""
    mark: str = ""
    """How far the source was read (connectors.reading.Reading); '' if it is read whole."""
    compared_at: dt.datetime | None = None
    """When the last sync began that read everything or compared all keys, for such a source."""
    counts: Counts = Counts()
    """What changed since the snapshot before."""
    withheld: int = 0
    """Rows that this sync read and did not land: of customers who were erased."""
    types: dict[str, str] = {}
    """Column → its type in the database; empty for what has none."""
    kinds: dict[str, str] = {}
    """Column → what kind of values it holds (connectors/value_kinds.py)."""
    sealed: tuple[str, ...] = ()
    """Columns whose values are encrypted; then the hashes of rows are keyed, too."""
    sealed_with: str = ""
    """The key's id."""
    mapped_as: str = ""
    """Of the settings that say which column means what (connectors/drift.py)."""


class Progress(BaseModel):
    """How far a source that is read by its changes was looked through."""

    model_config = ConfigDict(frozen=True)

    mark: str
    compared_at: dt.datetime | None

    @classmethod
    def of(cls, manifest: Manifest) -> "Progress":
        """What a snapshot itself says."""
        return cls(mark=manifest.mark, compared_at=manifest.compared_at)


@dataclass(frozen=True)
class Extraction:
    """Outcome of one sync of one source.

    Attributes:
        status: changed (a snapshot was written) or unchanged (nothing was).
        path: the snapshot that holds the source now, new or old.
        manifest: the manifest of that snapshot.
        read: rows that were read though nothing changed.
        withheld: of the rows that were read, those that did not land: of customers who were
            erased.
        compared: with the snapshot before, where that followed from landing.
    """

    status: Literal["changed", "unchanged"]
    path: Path
    manifest: Manifest
    read: int = 0
    withheld: int = 0
    compared: Compared | None = None

    @property
    def counts(self) -> Counts:
        """What this sync read and changed."""
        return self.manifest.counts if self.status == "changed" else Counts(read=self.read)


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


def kept(lake: Path, source: str) -> list[Manifest]:
    """The manifests of all snapshots of a source, the oldest first."""
    return [read_manifest(path) for path in sorted(folder(lake, source).glob("*.parquet"))]


def read(path: Path, keys: Keys | None = None) -> pa.Table:
    """A snapshot as a table of text; without the home's keys, encrypted values stay so."""
    sealed = read_manifest(path).sealed if keys else ()
    return sealing.opened(pq.read_table(path), sealed, keys)


def slices(
    path: Path, rows: int, columns: Sequence[str] | None = None, *, keys: Keys | None = None
) -> Iterator[pa.Table]:
    """A snapshot in parts, in its order; one at least.

    Args:
        path: the snapshot.
        rows: how many records a part has, but for the last one.
        columns: which columns; None: all; none: one part of all columns and without records.
        keys: the home's, for who looks at values; None: encrypted ones stay so.

    Raises:
        ConfigError: the key that they were encrypted with is not declared.
    """
    # Read ahead, Parquet would keep all of the file that was read.
    with pq.ParquetFile(path, pre_buffer=False) as file:
        schema = file.schema_arrow.remove_metadata()
        if columns is not None and not columns:
            yield schema.empty_table()
            return
        sealed = read_manifest(path).sealed if keys else ()
        if columns is not None:
            schema = pa.schema([schema.field(name) for name in columns])
        batches = file.iter_batches(rows, columns=schema.names, use_threads=False)
        batch = None
        for batch in batches:
            table = pa.Table.from_batches([batch]).select(schema.names)
            yield sealing.opened(table, sealed, keys)
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
    place, sync_id = begin(lake, config.name)
    with (
        temporary(place, sync_id) as file,
        SnapshotWriter(file, reading.columns) as writer,
    ):
        with _known(reading, lake, previous, key, settings_hash) as rows:
            landed = landing.land(reading, writer, key, rows)
            stood = rows.places(landed.keys) if rows else None
        hold_back(config, lake, previous, landed)
        known: dict[int, str] = {}
        if not key and config.mode != "files" and previous and path_of(lake, previous).is_file():
            writer.close()
            file.flush()
            known = continuity.keys(
                landed, Path(file.name), path_of(lake, previous), reading.columns
            )
            landed.keys = pa.chunked_array([replaced(landed.keys, known)])
        before, at = stood or _before(lake, previous, landed.keys)
        repairs = repair(landed, by_content=not key, at=at)
        if known:
            hashes = landed.hashes.take(list(known)).to_pylist()
            repairs |= {
                row: Repair(key_, row_hash, None)
                for (row, key_), row_hash in zip(known.items(), hashes, strict=True)
            }
        total, placed = adjusted(landed, repairs)
        names = tuple(reading.columns[i] for i in key)
        manifest = describe(reading, config.name, sync_id, names, settings_hash).model_copy(
            update={
                "rows": landed.rows,
                "kinds": dict(landed.kinds),
                "mapped_as": drift.mapped_as(config),
                "content_hash": content_hash(total, reading.columns, names),
                "rows_sum": f"{total:032x}",
                "positions_hash": f"{placed:032x}",
                "file_rows": landing.file_rows(landed, reading.report.files)
                if config.mode == "files"
                else (),
                "problems": len(landed.marked | {row for row, r in repairs.items() if r.problem}),
            }
        )
        if previous and is_same(lake, previous, manifest):
            return stands(lake, previous, manifest, landed.rows)
        changes = _compared(landed, repairs, before, at)
        counts = _counts(landed, before, changes)
        manifest = manifest.model_copy(update={"counts": counts})
        final = place / f"{sync_id}.parquet"
        if writer.is_open and not repairs:
            writer.add_metadata({MANIFEST: manifest.model_dump_json().encode()})
            writer.close()
            publish(file, final)
        else:
            writer.close()
            file.flush()
            assemble([Part(Path(file.name), None, repairs)], manifest, final)
    return Extraction("changed", final, manifest, withheld=manifest.withheld, compared=changes)


def _known(
    reading: Reading,
    lake: Path,
    previous: Manifest | None,
    key: Sequence[int],
    settings_hash: str,
) -> AbstractContextManager[KnownRows | None]:
    """The rows of the last snapshot, if their hashes are made of the same and as now."""
    if (
        previous is None
        or not key
        or reading.seal
        or previous.sealed
        or previous.settings_hash != settings_hash
        or sorted(previous.columns) != sorted(reading.columns)
        or not path_of(lake, previous).is_file()
    ):
        return nullcontext()
    return KnownRows(path_of(lake, previous), reading.columns)


def describe(
    reading: Reading, source: str, sync_id: str, key: Sequence[str], settings_hash: str
) -> Manifest:
    """What a manifest says of a reading that is at its end, without its rows."""
    return Manifest(
        source=source,
        sync_id=sync_id,
        rows=0,
        columns=tuple(reading.columns),
        key=tuple(key),
        content_hash="",
        key_basis="columns" if key else "content",
        skipped=tuple(reading.report.skipped),
        files=tuple(reading.report.files),
        notes=tuple(reading.report.lines),
        withheld=reading.report.withheld,
        settings_hash=settings_hash,
        types=dict(reading.types),
        sealed=tuple(sorted(reading.seal.columns)) if reading.seal else (),
        sealed_with=reading.seal.keys.key.id if reading.seal else "",
        mark=reading.mark,
        compared_at=began_at(sync_id) if reading.mark else None,
    )


def begin(lake: Path, source: str) -> tuple[Path, str]:
    """Where the snapshots of a source go, and the name of a new one."""
    place = folder(lake, source)
    place.mkdir(parents=True, exist_ok=True)
    clean(place)
    return place, f"{dt.datetime.now(dt.UTC):{_BEGAN}}Z-{secrets.token_hex(3)}"


def began_at(sync_id: str) -> dt.datetime:
    """When a sync began."""
    return dt.datetime.strptime(sync_id.partition("Z")[0], _BEGAN).replace(tzinfo=dt.UTC)


def content_hash(total: int, columns: Sequence[str], key: Sequence[str]) -> str:
    """Of the sum of the rows' hashes, the columns' names in any order and the key's."""
    return row_hashes.of(str(total), *sorted(columns), "", *key).hex()


def is_same(lake: Path, previous: Manifest, manifest: Manifest) -> bool:
    """Whether the previous snapshot is there and holds the same rows at the same places."""
    return (previous.content_hash, previous.positions_hash) == (
        manifest.content_hash,
        manifest.positions_hash,
    ) and path_of(lake, previous).is_file()


def stands(lake: Path, previous: Manifest, manifest: Manifest, read: int) -> Extraction:
    """The outcome of a sync that found nothing new: how far it looked is noted, if it matters."""
    before, now = progress(lake, previous), Progress.of(manifest)
    if now.mark and now != before:
        path = _progress_path(lake, previous)
        with temporary(path.parent, f"{manifest.sync_id}-progress") as file:
            file.write(now.model_dump_json().encode())
            publish(file, path)
    return Extraction("unchanged", path_of(lake, previous), previous, read, manifest.withheld)


def progress(lake: Path, manifest: Manifest) -> Progress:
    """How far the syncs up to now looked: the snapshot's, or a later one's that changed nothing."""
    try:
        return Progress.model_validate_json(_progress_path(lake, manifest).read_bytes())
    except (OSError, ValidationError):
        return Progress.of(manifest)


def _progress_path(lake: Path, manifest: Manifest) -> Path:
    return path_of(lake, manifest).with_suffix(".progress")


def assemble(parts: Sequence[Part], manifest: Manifest, final: Path) -> None:
    """Write a snapshot out of parts of others."""
    with temporary(final.parent, f"{manifest.sync_id}-whole") as file:
        with SnapshotWriter(file, manifest.columns) as writer:
            copy(parts, writer, manifest.columns)
            writer.add_metadata({MANIFEST: manifest.model_dump_json().encode()})
        publish(file, final)


def _before(
    lake: Path, previous: Manifest | None, keys: pa.ChunkedArray
) -> tuple[pa.Table, pa.Array] | tuple[None, None]:
    """What is compared of the last snapshot, if there is one, and the place there of keys."""
    if previous is None or not path_of(lake, previous).is_file():
        return None, None
    before = pq.read_table(path_of(lake, previous), columns=compared.COLUMNS)
    return before, places(keys, before[SOURCE_KEY])


def _compared(
    landed: Landed,
    repairs: Mapping[int, Repair],
    before: pa.Table | None,
    at: pa.Array | None,
) -> Compared | None:
    """What changed since the last snapshot; a row without a key of its own is new or gone.

    Args:
        before: what is compared of the last snapshot; None: there is none.
        at: the place there of each key that landed.
    """
    if before is None or at is None:
        return None
    keys: pa.Array | pa.ChunkedArray = landed.keys
    hashes: pa.Array | pa.ChunkedArray = landed.hashes
    if repairs:
        keys = replaced(keys, {row: one.key for row, one in repairs.items()})
        hashes = replaced(hashes, {row: one.row_hash for row, one in repairs.items()})
        at = places(keys, before[SOURCE_KEY])
    found = compared.of(before, pa.table([keys, hashes, landed.positions], compared.COLUMNS), at)
    if landed.fresh is None or repairs:
        return found
    differs = np.zeros(landed.rows, dtype=bool)
    differs[found.changed] = True
    changed = [
        rows.take(pa.array(np.flatnonzero(differs[numbers]))) for numbers, rows in landed.fresh
    ]
    return replace(found, rows=pa.Table.from_batches(changed) if changed else None)


def _counts(landed: Landed, before: pa.Table | None, found: Compared | None) -> Counts:
    if before is None or found is None:
        return Counts(read=landed.rows, new=landed.rows)
    gone = len(found.gone)
    new = landed.rows - (before.num_rows - gone)
    return Counts(read=landed.rows, new=new, changed=len(found.changed) - new, deleted=gone)


def hold_back(config: SourceConfig, lake: Path, previous: Manifest | None, landed: Landed) -> None:
    """Keep the last snapshot in use if too many rows are gone, or columns hold something else.

    Raises:
        SourceEmpty: all rows are gone.
        SourceHeld: more than ``hold_if_shrinks_by`` allows; or a column that is used holds
            values of another kind. Not if that was accepted.
    """
    rows = landed.rows
    if previous is None or previous.rows == 0:
        return
    if rows == 0:
        raise SourceEmpty(
            config.name,
            "there is nothing to read where there used to be records",
            found=f"0 rows, {previous.rows} at the last sync",
            do="Mend the source; its last good records stay in use.",
        )
    if drift.is_accepted(folder(lake, config.name), previous.sync_id):
        return
    if config.hold_if_shrinks_by < 1 and rows <= previous.rows * (1 - config.hold_if_shrinks_by):
        held = SourceHeld(
            config.name,
            "too many rows are gone since the last sync",
            found=f"{rows} rows, {previous.rows} before",
            do="Mend the source, or, if that is right, set hold_if_shrinks_by: 1 in "
            f"{config.file} for one sync, or 'onefold source accept {config.name}'. "
            "Its last good records stay in use.",
        )
        held.gone = previous.rows - rows
        raise held
    if previous.mapped_as == drift.mapped_as(config):
        drift.check_kinds(config, previous.columns, previous.key, previous.kinds, landed.kinds)

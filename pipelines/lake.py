"""Tables in the lake that are named by the fingerprint of what they depend on.

What belongs here: reading, writing and forgetting them. A table is written
under a temporary name, flushed and renamed: a killed writer leaves only a
temporary file, which the next run removes, and never half a table. Raw
snapshots are connectors' (they are never removed).
"""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dedupe.comparing.columns import decoded
from onefold.errors import ConfigError
from onefold.settings import Settings

TABLES = (
    "canonical_checks", "records", "kin", "features", "keys", "candidates", "scored_pairs",
    "clusters", "suggestions", "decided", "kinships", "crosswalk",
)  # fmt: skip
KEPT = 2
"""Fingerprints that stay per table: the current one and the one before."""
GROUP_ROWS = 1 << 16
"""Rows of a row group: what is read at least where some rows of a table are asked for."""
_NOTE = b"onefold"


def folder(settings: Settings) -> Path:
    """The lake's folder.

    Raises:
        ConfigError: the lake is on an object store, which is not supported yet.
    """
    if "://" in settings.lake.removeprefix("file://"):
        raise ConfigError(
            "onefold.yml, lake",
            "the lake must be a folder",
            found=settings.lake.split("://", 1)[0],
            do="Write a path.",
        )
    return Path(settings.lake.removeprefix("file://"))


def path_of(lake: Path, table: str, fingerprint: str) -> Path:
    """Where the table with this fingerprint is, or will be."""
    return lake / table / f"{fingerprint}.parquet"


def has(lake: Path, table: str, fingerprint: str) -> bool:
    """Whether the table was written, whole."""
    return path_of(lake, table, fingerprint).is_file()


def read(
    lake: Path, table: str, fingerprint: str, columns: Sequence[str] | None = None
) -> pa.Table:
    """The table, or some columns of it; FileNotFoundError if it was never written."""
    path = path_of(lake, table, fingerprint)
    return pq.read_table(path, columns=columns and list(columns), partitioning=None)


def read_of(lake: Path, table: str, fingerprint: str, wanted: Mapping[str, pa.Array]) -> pa.Table:
    """The rows of the table that have one of the wanted values in each of some text columns.

    Reads these columns whole, and of the others only the row groups that hold such rows: few
    where the table is sorted by them and few rows are asked for.

    Args:
        wanted: column → its values.
    """
    path = path_of(lake, table, fingerprint)
    file, coded = pq.ParquetFile(path), pq.ParquetFile(path, read_dictionary=list(wanted))
    found = []
    for number in range(file.num_row_groups):
        has = np.ones(file.metadata.row_group(number).num_rows, dtype=bool)
        for name, values in wanted.items():
            if has.any():
                has &= _one_of(coded.read_row_group(number, [name])[name], values)
        rows = np.flatnonzero(has)
        if len(rows):
            found.append(file.read_row_group(number).take(pa.array(rows)))
    return pa.concat_tables(found) if found else file.schema_arrow.empty_table()


def _one_of(column: pa.ChunkedArray, values: pa.Array) -> np.ndarray:
    """Which values of a dictionary column are among some."""
    parts = [np.zeros(0, dtype=bool)]
    for chunk in column.chunks:
        among = np.asarray(pc.is_in(chunk.dictionary, value_set=values))
        parts.append(np.append(among, False)[pc.fill_null(chunk.indices, -1).to_numpy()])
    return np.concatenate(parts)


def names(lake: Path, table: str) -> list[str]:
    """The fingerprints of a table that are there, newest first."""
    paths = (lake / table).glob("*.parquet")
    ordered = sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    return [path.stem for path in ordered]


def rows(lake: Path, table: str, fingerprint: str) -> int:
    """Rows of the table, from its footer."""
    return int(pq.read_metadata(path_of(lake, table, fingerprint)).num_rows)


def counts(lake: Path, table: str, fingerprint: str) -> dict[str, Any]:
    """What was counted when the table was written."""
    stored = pq.read_metadata(path_of(lake, table, fingerprint)).metadata or {}
    return dict(json.loads(stored.get(_NOTE, b"{}")))


def write(
    lake: Path,
    table: str,
    fingerprint: str,
    data: pa.Table | Iterable[pa.Table],
    counts: Mapping[str, Any] | None = None,
    repeated: Sequence[str] | None = None,
) -> Path:
    """Write the table and what was counted on the way, durably, unless it is there already.

    Dictionary columns are written plain: a reader asks for codes where it wants them.

    Args:
        data: the table, or its chunks, of which one at a time is in memory.
        repeated: columns of which most values repeat; None: found out from the first rows.
    """
    path = path_of(lake, table, fingerprint)
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    note = {_NOTE: json.dumps(dict(counts or {})).encode()}
    chunks = map(decoded, [data] if isinstance(data, pa.Table) else data)
    first = next(iter(chunks))
    schema = first.schema.with_metadata({**(first.schema.metadata or {}), **note})
    _write(path, schema, chain([first], chunks), repeated)
    return path


def replace(path: Path, data: pa.Table) -> None:
    """Write a table that is there again, whole, with the note that its schema carries."""
    _write(path, data.schema, [data])


def _write(
    path: Path,
    schema: pa.Schema,
    chunks: Iterable[pa.Table],
    repeated: Sequence[str] | None = None,
) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        groups = _grouped(chunks)
        first = next(groups, schema.empty_table())
        names = _repeated(first) if repeated is None else [*repeated]
        with pq.ParquetWriter(file, schema, compression="lz4", use_dictionary=names) as writer:
            for group in chain([first], groups):
                writer.write_table(group.replace_schema_metadata(schema.metadata))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


def _repeated(rows: pa.Table) -> list[str]:
    """The columns of which most values repeat: a dictionary of others costs half of the writing."""
    flat = [field.name for field in rows.schema if not pa.types.is_nested(field.type)]
    return [name for name in flat if 2 * pc.count_distinct(rows[name]).as_py() <= rows.num_rows]


def _grouped(chunks: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Chunks of any size as tables of GROUP_ROWS rows, and the rest; one at least."""
    rest: pa.Table | None = None
    for chunk in chunks:
        rest = chunk if rest is None else pa.concat_tables([rest, chunk])
        while rest.num_rows > GROUP_ROWS:
            yield rest.slice(0, GROUP_ROWS)
            rest = rest.slice(GROUP_ROWS)
    if rest is not None:
        yield rest


def forget(lake: Path, current: dict[str, str]) -> int:
    """Remove tables of older fingerprints, except the newest before the current one.

    Args:
        lake: the lake's folder.
        current: table → fingerprint in use now; never removed.

    Returns:
        number of files removed.
    """
    removed = 0
    for table, fingerprint in current.items():
        others = [name for name in names(lake, table) if name != fingerprint]
        for name in others[KEPT - 1 :]:
            path_of(lake, table, name).unlink()
            removed += 1
    return removed


def clean(*folders: Path) -> int:
    """Remove what killed writers left in these folders and the tables' folders below them.

    Only for the holder of the home's lock: nobody else is writing then.
    """
    removed = 0
    for folder in folders:
        for place in (folder, *(folder / table for table in TABLES)):
            for path in place.glob("*.tmp"):
                path.unlink()
                removed += 1
    return removed


_TRIAL = "rehearsal"


@contextmanager
def tried(lake: Path) -> Iterator[Path]:
    """A lake to try things in: it has all that the lake has, and what is written in it goes.

    Only for the holder of the home's lock; :func:`clean_trial` removes what a killed run left.
    """
    place = clean_trial(lake)
    place.mkdir(parents=True)
    try:
        (place / "raw").symlink_to((lake / "raw").absolute())
        for table in TABLES:
            (place / table).mkdir()
            for path in (lake / table).glob("*.parquet"):
                (place / table / path.name).symlink_to(path.absolute())
        yield place
    finally:
        clean_trial(lake)


def clean_trial(lake: Path) -> Path:
    """Remove what was tried in a lake; where it stands, or stood."""
    place = lake / _TRIAL
    if place.exists():
        shutil.rmtree(place)
    return place


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

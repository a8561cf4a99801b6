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

import pyarrow as pa
import pyarrow.dataset as ds

from dedupe.comparing.columns import decoded
from onefold.errors import ConfigError
from onefold.settings import Settings
from pipelines import table_files
from pipelines.stored import BASE, NOTE, ROWS, Stored, note_of
from pipelines.stored import base_of as base

TABLES = (
    "canonical_checks", "records", "kin", "features", "keys", "candidates", "scored_pairs",
    "clusters", "suggestions", "decided", "kinships", "crosswalk",
)  # fmt: skip
MAPPED = frozenset({"features", "keys", "candidates"})
"""Tables that are read as they lie on disk; see table_files.py."""
CODED = frozenset({"candidates"})
"""Tables that are written with their codes, so that no value is written twice."""
KEPT = 2
"""Fingerprints that stay per table: the current one and the one before."""
GROUP_ROWS = 1 << 16
"""Rows of a row group: what is read at least where some rows of a table are asked for."""
GROUPED = frozenset({"keys"})
"""Tables whose chunks are their groups of rows, as they are given."""


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
    return lake / table / f"{fingerprint}{_suffix(table)}"


def _suffix(table: str) -> str:
    return table_files.ARROW if table in MAPPED else table_files.PARQUET


def has(lake: Path, table: str, fingerprint: str) -> bool:
    """Whether the table was written, whole, or changes to one that is there."""
    path = path_of(lake, table, fingerprint)
    return path.is_file() and base(path).is_file()


def stored(lake: Path, table: str, fingerprint: str) -> Stored:
    """The table, to read what is asked for; FileNotFoundError if it was never written."""
    return Stored.of(path_of(lake, table, fingerprint))


def read(
    lake: Path, table: str, fingerprint: str, columns: Sequence[str] | None = None
) -> pa.Table:
    """The table, or some columns of it; FileNotFoundError if it was never written."""
    return stored(lake, table, fingerprint).read(columns)


def groups(lake: Path, table: str, fingerprint: str) -> Iterator[pa.Table]:
    """The table in the groups of rows that its file has; mapped, of a table that is MAPPED."""
    file = table_files.opened(path_of(lake, table, fingerprint))
    return (file.group(number, file.schema.names) for number in range(len(file.sizes)))


def dataset(lake: Path, table: str, fingerprint: str) -> ds.Dataset:
    """The table to look rows up in: on disk where it is one file."""
    path = path_of(lake, table, fingerprint)
    if base(path) != path:
        return ds.dataset(Stored.of(path).read())
    return ds.dataset(path, format="ipc" if path.suffix == table_files.ARROW else "parquet")


def base_of(lake: Path, table: str, fingerprint: str) -> str:
    """The fingerprint of the whole file that the table is changes of; its own if it is whole."""
    return base(path_of(lake, table, fingerprint)).stem


def names(lake: Path, table: str) -> list[str]:
    """The fingerprints of a table that are there, newest first."""
    paths = (lake / table).glob(f"*{_suffix(table)}")
    ordered = sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    return [path.stem for path in ordered]


def schema(lake: Path, table: str, fingerprint: str) -> pa.Schema:
    """Columns of the table, without what was noted."""
    whole = base(path_of(lake, table, fingerprint))
    return table_files.opened(whole).schema.remove_metadata()


def rows(lake: Path, table: str, fingerprint: str) -> int:
    """Rows of the table, from its footer."""
    path = path_of(lake, table, fingerprint)
    told = note_of(path).get(ROWS)
    return int(sum(table_files.opened(path).sizes) if told is None else told)


def counts(lake: Path, table: str, fingerprint: str) -> dict[str, Any]:
    """What was counted when the table was written."""
    noted = note_of(path_of(lake, table, fingerprint))
    return {name: value for name, value in noted.items() if name not in (BASE, ROWS)}


def write(
    lake: Path,
    table: str,
    fingerprint: str,
    data: pa.Table | Iterable[pa.Table],
    counts: Mapping[str, Any] | None = None,
    repeated: Sequence[str] | None = None,
) -> Path:
    """Write the table and what was counted on the way, durably, unless it is there already.

    Dictionary columns are written plain, but of CODED tables: a reader asks for codes where it
    wants them.

    Args:
        data: the table, or its chunks, of which one at a time is in memory.
        repeated: columns of which most values repeat; None: found out from the first rows.
    """
    path = path_of(lake, table, fingerprint)
    if has(lake, table, fingerprint):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    note = {NOTE: json.dumps(dict(counts or {})).encode()}
    chunks = iter([data] if isinstance(data, pa.Table) else data)
    if table not in CODED:
        chunks = map(decoded, chunks)
    first = next(iter(chunks))
    schema = first.schema.with_metadata({**(first.schema.metadata or {}), **note})
    _write(path, schema, chain([first], chunks), repeated)
    return path


def write_stored(
    lake: Path, table: str, fingerprint: str, data: Stored, counts: Mapping[str, Any] | None = None
) -> Path:
    """Write a table that another was changed to: what changed since a whole file, or all anew.

    Durably, as :func:`write` does, and only if it is not there already.

    Args:
        data: of Stored.changed; its base is a file of this table.
    """
    path, noted = path_of(lake, table, fingerprint), dict(counts or {})
    if has(lake, table, fingerprint):
        return path
    changes = data.changes()
    if changes is None:
        return write(lake, table, fingerprint, data.chunks(), noted)
    noted |= {BASE: data.base.stem, ROWS: data.num_rows}
    schema = changes.schema.with_metadata({NOTE: json.dumps(noted).encode()})
    _write(path, schema, [changes])
    return path


def settle(lake: Path, table: str, fingerprint: str) -> None:
    """Have the table in a file of its own, so that its base may go."""
    path = path_of(lake, table, fingerprint)
    if base(path) != path:
        noted = {NOTE: json.dumps(counts(lake, table, fingerprint)).encode()}
        data = Stored.of(path)
        _write(path, data.schema.with_metadata(noted), data.chunks())


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
        groups = chunks if path.parent.name in GROUPED else _grouped(chunks)
        table_files.write(file, path.suffix, schema, groups, repeated)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_folder(path.parent)


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
    """Remove tables of older fingerprints, except the newest before the current one, and what
    these are changes of.

    Args:
        lake: the lake's folder.
        current: table → fingerprint in use now; never removed.

    Returns:
        number of files removed.
    """
    removed = 0
    for table, fingerprint in current.items():
        others = [name for name in names(lake, table) if name != fingerprint]
        stay = [fingerprint, *others[: KEPT - 1]]
        needed = {base_of(lake, table, name) for name in stay if has(lake, table, name)}
        for name in others[KEPT - 1 :]:
            if name not in needed:
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


def clean_others(lake: Path) -> None:
    """Remove tables that an earlier version kept in files of another kind."""
    for table in MAPPED:
        for path in (lake / table).glob(f"*{table_files.PARQUET}"):
            path.unlink()


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
            for path in (lake / table).glob(f"*{_suffix(table)}"):
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

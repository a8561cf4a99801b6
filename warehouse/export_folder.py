"""Golden customers as a folder of Parquet files by segment, and the crosswalk by source.

What belongs here: files that are written anew only where they say something
else. A partition's file is named by what it holds, so that an unchanged one is
known without reading it; a new file appears whole, then the old one goes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from onefold.errors import ConfigError
from warehouse import export, text_form
from warehouse.engine import Warehouse

PARTS = ("customer_type", "region", "country", "status")
"""Columns by which golden customers can be partitioned."""
NONE = "__HIVE_DEFAULT_PARTITION__"
"""What stands for no value in the name of a partition, as Spark and DuckDB read it."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        rows: in all files.
        files: files there are now.
        written: of these, written by this run.
        removed: files of partitions that changed or are gone.
    """

    rows: int
    files: int
    written: int
    removed: int


def partitioned(wh: Warehouse, folder: Path, by: Sequence[str]) -> Written:
    """Write the golden customers as ``FOLDER/COLUMN=VALUE/…/HASH.parquet``.

    Readers that list the folder while it is written may see a changed partition's old and
    new file together for a moment, never half a file.

    Args:
        wh: the warehouse.
        folder: made if it is not there; holds nothing else.
        by: columns of PARTS.

    Raises:
        ConfigError: a column cannot part customers, or the folder holds something else.
        WarehouseError: the database refuses.
    """
    for name in by:
        if name not in PARTS:
            raise ConfigError(
                "--by",
                "customers are not parted by this",
                found=name,
                do=f"Use {', '.join(PARTS)}.",
            )
    _own(folder)
    table = export.read_golden(wh)
    wanted: dict[Path, pa.Table] = {}
    for place, part in _parts(table, by, folder):
        rest = part.drop_columns(list(by))
        digest = hashlib.blake2b(digest_size=16)
        for name in text_form.hashes(text_form.encode(rest)).to_pylist():
            digest.update(name.encode())
        wanted[place / f"{digest.hexdigest()}.parquet"] = rest
    stale = set(folder.rglob("*.parquet")) - wanted.keys()
    new = [path for path in wanted if not path.is_file()]
    for path in new:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".partial")
        parquet.write_table(wanted[path], temporary, compression="zstd")
        temporary.replace(path)
    for path in stale:
        path.unlink()
    for place in sorted({path.parent for path in stale}, reverse=True):
        _drop_empty(place, folder)
    return Written(table.num_rows, len(wanted), len(new), len(stale))


def crosswalks(wh: Warehouse, folder: Path, suffix: str = ".csv") -> dict[str, int]:
    """Write ``FOLDER/SOURCE.csv`` for each source: key, position, golden id; for its owner.

    Args:
        suffix: .csv, .parquet or .xlsx.

    Returns:
        source → records.

    Raises:
        ConfigError: the suffix is another one, or a file cannot be written.
        WarehouseError: the database refuses, or a table does not fit a sheet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = export.read_crosswalk(wh)
    written = {}
    for source in sorted(pc.unique(found["source"]).to_pylist()):
        own = found.filter(pc.equal(found["source"], source)).drop_columns(["source"])
        written[source] = export.write(
            own, folder / f"{quote(source, safe='')}{suffix}", "crosswalk"
        )
    return written


def _parts(table: pa.Table, by: Sequence[str], place: Path) -> "list[tuple[Path, pa.Table]]":
    """The table's parts by the columns, in order, each with its folder."""
    if not by:
        return [(place, table)] if table.num_rows else []
    name, *rest = by
    found = []
    for value in sorted(pc.unique(table[name]).to_pylist(), key=lambda one: (one is None, one)):
        column = table[name]
        chosen = pc.is_null(column) if value is None else pc.equal(column, value)
        part = table.filter(pc.fill_null(chosen, False))
        segment = NONE if value is None else quote(value, safe="")
        found += _parts(part, rest, place / f"{name}={segment}")
    return found


def _own(folder: Path) -> None:
    """Refuse a folder with files that are not ours: partitions that are gone are removed."""
    if folder.is_dir():
        strange = [
            path
            for path in folder.rglob("*")
            if path.is_file() and path.suffix not in (".parquet", ".partial")
        ]
        if strange:
            raise ConfigError(
                str(folder),
                "the folder holds other files, and old partitions are removed from it",
                found=strange[0].name,
                do="Name a folder of its own.",
            )
    folder.mkdir(parents=True, exist_ok=True)


def _drop_empty(place: Path, folder: Path) -> None:
    while place != folder and not any(place.iterdir()):
        place.rmdir()
        place = place.parent

"""Where exports and lists for sources' owners were written, and taking customers out of it again.

What belongs here: ``operations/exports.json`` of a home, and the rows of customers in files,
folders and databases. An address of a database is kept as it was given, with ``${NAME}`` for
its password; one with a password in it is not kept, and such an export has to be made again.
"""

import csv
import json
import zipfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from onefold.errors import ConfigError, OnefoldError
from onefold.settings import expand_environment
from warehouse import export_database
from warehouse.outcomes import FOLDER, alone, write_json

FILE = "exports.json"
TO_MEND = "to mend"
"""Kind of a list of findings that was written for a source's owner; its prefix is the source."""
_ID, _KEY = "golden_id", "source_key"


@dataclass(frozen=True)
class Place:
    """Something that was exported.

    Attributes:
        kind: file, folder, database or TO_MEND.
        where: path or URL.
        prefix: of a database's tables; of TO_MEND the source.
        at: when it was written last, UTC, ISO 8601.
    """

    kind: str
    where: str
    prefix: str = ""
    at: str = ""


def listed(home: Path) -> list[Place]:
    """Every export that the home knows of.

    Raises:
        ConfigError: the file is damaged.
    """
    path = home / FOLDER / FILE
    try:
        return [Place(**one) for one in json.loads(path.read_text(encoding="utf-8"))["places"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError):
        raise ConfigError(
            str(path), "this is not what Onefold wrote", do="Restore it from a backup."
        ) from None


def note(home: Path, kind: str, where: str, prefix: str = "") -> None:
    """Remember where something was exported to."""
    made = Place(kind, where, prefix, datetime.now(UTC).isoformat(timespec="seconds"))
    with alone(home, "exports"):
        others = [one for one in listed(home) if replace(one, at=made.at) != made]
        _write(home, [*others, made])


def drop(home: Path, where: str) -> int:
    """Forget exports to a place that is gone for good; how many there were."""
    with alone(home, "exports"):
        before = listed(home)
        left = [one for one in before if one.where != where]
        _write(home, left)
    return len(before) - len(left)


def _write(home: Path, places: list[Place]) -> None:
    write_json(home / FOLDER / FILE, {"places": [asdict(one) for one in places]})


def forget(
    home: Path, golden_ids: Collection[str], record_ids: Collection[str] = ()
) -> list[tuple[Place, str]]:
    """Take customers out of every export.

    Args:
        home: the home.
        golden_ids: the customers.
        record_ids: their records, for lists of what is to be mended.

    Returns:
        exports that could not be reached or changed, and where and why in words.
    """
    waiting = []
    for place in listed(home):
        try:
            if place.kind == "database":
                _from_database(place, golden_ids)
            elif place.kind == TO_MEND:
                named = (one.partition(":") for one in record_ids)
                keys = {key for source, _, key in named if source == place.prefix}
                for path in _files(place) if keys else ():
                    _from_file(path, _KEY, keys)
            else:
                for path in _files(place):
                    _from_file(path, _ID, golden_ids)
        except OnefoldError as error:
            waiting.append((place, str(error)))
        except OSError as error:
            waiting.append((place, f"{place.where}: {error.strerror or type(error).__name__}."))
    return waiting


def _files(place: Place) -> Iterator[Path]:
    """The files of an export that are still there."""
    path = Path(place.where)
    if path.is_dir():
        yield from sorted(one for one in path.rglob("*") if one.suffix.lower() in _WRITERS)
    elif path.is_file():
        yield path


def _from_file(path: Path, column: str, gone: Collection[str]) -> None:
    """Write a file anew without the rows that have some values in a column, if it has any."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        if _WRITERS[path.suffix.lower()](path, partial, column, gone):
            partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _parquet(path: Path, to: Path, column: str, gone: Collection[str]) -> bool:
    table = parquet.read_table(path, partitioning=None)
    if column not in table.column_names:
        return False
    theirs = pc.is_in(table[column], value_set=pa.array(sorted(gone), pa.string()))
    if not pc.any(theirs).as_py():
        return False
    parquet.write_table(table.filter(pc.invert(theirs)), to, compression="zstd")
    return True


def _csv(path: Path, to: Path, column: str, gone: Collection[str]) -> bool:
    """Lines that stay are as they were."""
    with path.open(encoding="utf-8", newline="") as file:
        lines = file.readlines()
    reader = csv.reader(lines)
    head = next(reader, [])
    if column not in head:
        return False
    at, kept, start = head.index(column), lines[: reader.line_num], reader.line_num
    for row in reader:
        if len(row) <= at or row[at] not in gone:
            kept += lines[start : reader.line_num]
        start = reader.line_num
    if len(kept) == len(lines):
        return False
    with to.open("w", encoding="utf-8", newline="") as file:
        file.writelines(kept)
    return True


def _xlsx(path: Path, to: Path, column: str, gone: Collection[str]) -> bool:
    if not _holds(path, gone):
        return False
    import openpyxl  # only exports to workbooks need it

    book = openpyxl.load_workbook(path, read_only=True)
    made = openpyxl.Workbook(write_only=True)
    for name in book.sheetnames:
        sheet, to_sheet = book[name], made.create_sheet(name)
        to_sheet.freeze_panes = "B2"
        rows = sheet.iter_rows(values_only=True)
        head = list(next(rows, ()))
        to_sheet.append(head)
        at = head.index(column) if column in head else None
        for row in rows:
            if at is None or row[at] not in gone:
                to_sheet.append([_cell(to_sheet, value) for value in row])
    book.close()
    made.save(to)
    return True


def _cell(sheet: Any, value: Any) -> Any:
    """Text stays text: none becomes a formula."""
    if not isinstance(value, str):
        return value
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    return cell


def _holds(path: Path, values: Collection[str]) -> bool:
    """Whether one of some values stands anywhere in a workbook; its parts are read once."""
    wanted = [escape(one).encode() for one in values]
    with zipfile.ZipFile(path) as book:
        return any(
            one in part for name in book.namelist() for part in [book.read(name)] for one in wanted
        )


_WRITERS: dict[str, Callable[[Path, Path, str, Collection[str]], bool]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".xlsx": _xlsx,
}


def _from_database(place: Place, golden_ids: Collection[str]) -> None:
    url = expand_environment(place.where, f"export to {place.where}")
    export_database.forget(url, golden_ids, prefix=place.prefix)

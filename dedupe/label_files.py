"""Files of labeled pairs: pairs of records that somebody judged before.

What belongs here: reading them and joining them with stewards' decisions.
What a label is stands in labels.py, how it enters the model in learning.py.
"""

import csv
from collections.abc import Callable, Collection, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from dedupe.labels import SCHEMA
from onefold.errors import ConfigError

YES = frozenset({"1", "true", "t", "yes", "y", "match", "link", "是"})
NO = frozenset({"0", "false", "f", "no", "n", "no_match", "no_link", "non_match", "否"})


def read(path: Path) -> pa.Table:
    """A file of labeled pairs.

    Args:
        path: CSV or Parquet with left_id, right_id (record ids, ``source:key``)
            and is_match (yes/no, true/false, 1/0, match/no_match, link/no_link).

    Raises:
        ConfigError: no such file, neither CSV nor Parquet, a column is missing,
            or a line has no two different records or no clear answer.
    """
    if not path.is_file():
        raise ConfigError(str(path), "there is no such file", do="Mend the path.")
    try:
        if path.suffix.lower() == ".parquet":
            table = pyarrow.parquet.read_table(path)
        else:
            text = pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(SCHEMA.names, pa.string()), strings_can_be_null=True
            )
            table = pyarrow.csv.read_csv(path, convert_options=text)
    except pa.ArrowInvalid as error:
        raise ConfigError(
            str(path), "this is neither Parquet nor CSV", do="Give a .parquet or .csv file."
        ) from error
    missing = [name for name in SCHEMA.names if name not in table.column_names]
    if missing:
        raise ConfigError(
            str(path),
            f"there is no column {', '.join(missing)}",
            found=", ".join(table.column_names),
            do="Name the columns left_id, right_id and is_match.",
        )
    rows = table.select(SCHEMA.names).to_pydict()
    answers: list[bool] = []
    for number, (left, right, said) in enumerate(zip(*rows.values(), strict=True), start=1):
        where = f"{path}, pair {number}"
        if not left or not right or left == right:
            raise ConfigError(where, "it does not name two different records")
        answer = str(said).strip().casefold()
        if answer not in YES | NO:
            raise ConfigError(where, "is_match is neither yes nor no", do="Write yes or no.")
        answers.append(answer in YES)
    return _ordered(
        pa.table(
            {"left_id": rows["left_id"], "right_id": rows["right_id"], "is_match": answers},
            schema=SCHEMA,
        )
    )


def read_folder(folder: Path) -> pa.Table:
    """Every file of labeled pairs in a folder; none if there is no such folder.

    Raises:
        ConfigError: as for :func:`read`, or two files contradict each other.
    """
    files = sorted(p for p in folder.glob("*") if p.suffix.lower() in (".csv", ".parquet"))
    return combined((read(file) for file in files), str(folder))


def forget(folder: Path, record_ids: Collection[str]) -> int:
    """Take the pairs with some records out of every file of a folder; how many there were.

    A file appears whole or not at all; a CSV keeps its other lines as they are.
    """
    found = 0
    for path in sorted(folder.glob("*")):
        if path.suffix.lower() == ".parquet":
            table = pyarrow.parquet.read_table(path)
            ends = pa.array(sorted(record_ids), pa.string())
            gone = pc.or_(*(pc.is_in(table[name], value_set=ends) for name in SCHEMA.names[:2]))
            count = pc.sum(gone).as_py() or 0
            if count:
                _replace(path, partial(pyarrow.parquet.write_table, table.filter(pc.invert(gone))))
        elif path.suffix.lower() == ".csv":
            kept, count = _lines_without(path, record_ids)
            if count:
                _replace(path, partial(Path.write_text, data=kept, encoding="utf-8"))
        else:
            continue
        found += count
    return found


def _lines_without(path: Path, record_ids: Collection[str]) -> tuple[str, int]:
    """A CSV file without the lines that name some records, and how many these are."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    reader, kept, count, start = csv.reader(lines), [], 0, 0
    for row in reader:
        if set(row) & set(record_ids):
            count += 1
        else:
            kept += lines[start : reader.line_num]
        start = reader.line_num
    return "".join(kept), count


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    write(temporary)
    temporary.replace(path)


def combined(tables: Iterable[pa.Table], where: str) -> pa.Table:
    """Labels of several origins, each pair once.

    Raises:
        ConfigError: a pair is labeled both ways.
    """
    table = pa.concat_tables([SCHEMA.empty_table(), *tables])
    grouped = table.group_by(["left_id", "right_id"]).aggregate(
        [("is_match", "min"), ("is_match", "max")]
    )
    both = grouped.filter(pc.not_equal(grouped["is_match_min"], grouped["is_match_max"]))
    if both.num_rows:
        first = both.sort_by([("left_id", "ascending"), ("right_id", "ascending")]).slice(0, 1)
        raise ConfigError(
            where,
            "pairs are labeled both as a match and as none",
            found=f"{both.num_rows}, first {first['left_id'][0]} and {first['right_id'][0]}",
            do="Remove one of the two labels.",
        )
    table = grouped.select(["left_id", "right_id", "is_match_min"]).rename_columns(SCHEMA.names)
    return table.sort_by([("left_id", "ascending"), ("right_id", "ascending")]).combine_chunks()


def overruled(files: pa.Table, decisions: pa.Table) -> pa.Table:
    """The labels of files and decisions; where they differ, the decision holds."""
    said = pa.concat_tables([_ordered(decisions), files])
    first = pa.array(np.arange(said.num_rows))
    kept = (
        said.append_column("row", first)
        .group_by(["left_id", "right_id"])
        .aggregate([("row", "min")])["row_min"]
    )
    table = said.take(kept).sort_by([("left_id", "ascending"), ("right_id", "ascending")])
    return table.combine_chunks()


def _ordered(table: pa.Table) -> pa.Table:
    """Labels with left_id < right_id."""
    swapped = pc.greater(table["left_id"], table["right_id"])
    left = pc.if_else(swapped, table["right_id"], table["left_id"])
    right = pc.if_else(swapped, table["left_id"], table["right_id"])
    columns = {"left_id": left, "right_id": right, "is_match": table["is_match"]}
    return pa.table(columns).cast(SCHEMA)

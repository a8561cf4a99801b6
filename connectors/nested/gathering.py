"""Records whose columns are known only when the last one is read.

What belongs here: keeping flat records in a temporary folder, column by column, until all
columns are known, and giving them as the rows of a reading.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyarrow import feather

from connectors.flattening import Flat
from connectors.reading import batch, text
from onefold.errors import SourceLayout

MOST_COLUMNS = 2_000
"""Records whose values are names of columns have no end of them."""
_BATCH_ROWS = 10_000
_POSITION, _PROBLEM = 0, 1


class Found(NamedTuple):
    """One record.

    Attributes:
        position: where it stands.
        flat: its values by column.
        problem: why it cannot be trusted as a whole, or None.
    """

    position: str
    flat: Flat
    problem: str | None = None


@contextmanager
def gathered(
    records: Iterable[Found], where: str
) -> Iterator[tuple[list[str], Iterator[pa.RecordBatch]]]:
    """All columns of some records in the order in which they are first seen, and their rows.

    Raises:
        SourceLayout: the records have no end of columns.
    """
    columns: dict[str, None] = {}
    parts: list[Path] = []
    some: list[Found] = []
    with tempfile.TemporaryDirectory(prefix="onefold-") as folder:
        for record in records:
            some.append(record)
            if record.flat.keys() - columns.keys():
                columns.update(dict.fromkeys(record.flat))
                _bound(columns, where)
            if len(some) == _BATCH_ROWS:
                parts.append(_kept(some, Path(folder) / f"{len(parts)}.arrow"))
                some = []
        if some:
            parts.append(_kept(some, Path(folder) / f"{len(parts)}.arrow"))
        yield list(columns), (_aligned(part, list(columns)) for part in parts)


def _bound(columns: dict[str, None], where: str) -> None:
    if len(columns) > MOST_COLUMNS:
        raise SourceLayout(
            where,
            f"the records have more than {MOST_COLUMNS:,} columns",
            found=f"the last ones are named {', '.join(list(columns)[-3:])[:120]}",
            do="Say which part is the record with 'record'.",
        )


def _kept(some: list[Found], path: Path) -> Path:
    names = list(dict.fromkeys(name for one in some for name in one.flat))
    values = [text(one.flat.get(name) for one in some) for name in names]
    places = [text(one.position for one in some), text(one.problem for one in some)]
    # Records may name their columns as they like, so the two of our own go without a name.
    table = pa.Table.from_arrays([*places, *values], names=["", "", *names])
    feather.write_feather(table, path, compression="lz4")
    return path


def _aligned(path: Path, columns: list[str]) -> pa.RecordBatch:
    table = feather.read_table(path, memory_map=False).combine_chunks()
    place = {name: i for i, name in enumerate(table.column_names) if i > _PROBLEM}
    none = pa.nulls(table.num_rows, pa.string())
    arrays = [
        table.column(place[name]).combine_chunks() if name in place else none for name in columns
    ]
    own = [table.column(i).combine_chunks() for i in (_POSITION, _PROBLEM)]
    return batch(_plain(own[0]), [_plain(one) for one in arrays], _plain(own[1]))


def _plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column

"""Slices are all of a table once, in order; what is spilled comes back and leaves no file."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors import comparing, snapshot
from rules.slices import Spill, column_names, of_table

TABLE = pa.table(
    {"name": ["Ann", "Bob", None, "Dan", "Eve"], "lists": [["a"], [], None, ["b"], []]}
)


@pytest.mark.parametrize("rows", [1, 2, 5, 6])
def test_slices_are_the_table_in_order(rows: int) -> None:
    parts = list(of_table(TABLE, rows)(None))
    assert pa.concat_tables(parts).equals(TABLE)
    assert max(part.num_rows for part in parts) == min(rows, 5)


def test_of_no_columns_the_schema_is_told(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "one.parquet")
    with Spill(TABLE.schema) as spill:
        spill.add(TABLE)
        for slices in (
            of_table(TABLE, 2),
            partial(snapshot.slices, tmp_path / "one.parquet", 2),
            partial(comparing.chosen, tmp_path / "one.parquet", np.array([1, 3]), 2),
            spill.tables,
        ):
            (told,) = slices(())
            assert told.equals(TABLE.slice(0, 0))
            assert column_names(slices) == TABLE.column_names


def test_a_table_without_rows_has_one_slice() -> None:
    assert [part.num_rows for part in of_table(TABLE.slice(0, 0), 2)(["name"])] == [0]


@pytest.mark.parametrize("rows", [2, 100])
def test_a_snapshot_s_slices_are_the_snapshot(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "one.parquet"
    with pq.ParquetWriter(path, TABLE.schema) as writer:
        writer.write_table(TABLE.slice(0, 3))
        writer.write_table(TABLE.slice(3))
    assert pa.concat_tables(snapshot.slices(path, rows)).equals(TABLE)
    names = [part.column_names for part in snapshot.slices(path, rows, ["lists"])]
    assert set(map(tuple, names)) == {("lists",)}
    assert all(part.num_rows <= rows for part in snapshot.slices(path, rows))


def test_an_empty_snapshot_has_one_slice(tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    pq.write_table(TABLE.slice(0, 0), path)
    assert [part.num_rows for part in snapshot.slices(path, 10)] == [0]


def test_spilled_tables_come_back_one_by_one_and_by_column() -> None:
    with Spill(TABLE.schema) as spill:
        for part in of_table(TABLE, 2)(None):
            spill.add(part)
        spill.add(TABLE.slice(0, 0))
        assert [part.num_rows for part in spill.tables()] == [2, 2, 1, 0]
        assert pa.concat_tables(spill.tables()).equals(TABLE)
        assert spill.column("name").to_pylist() == TABLE["name"].to_pylist()
        assert spill.num_rows == 5


def test_a_spill_is_no_file_that_anyone_finds_even_while_it_is_used(tmp_path: Path) -> None:
    with Spill(TABLE.schema, tmp_path) as spill:
        spill.add(TABLE)
        assert list(tmp_path.iterdir()) == []
        assert next(iter(spill.tables())).equals(TABLE)

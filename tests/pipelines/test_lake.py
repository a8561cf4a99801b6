"""Tables named by fingerprints."""

import os
from pathlib import Path

import pyarrow as pa

from pipelines import lake

ROWS = pa.table({"left_id": ["a:1", "a:2"]})


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    lake.write(tmp_path, "candidates", "f1", ROWS, {"left_out": 3, "keys": [{"kind": "name"}]})
    assert lake.read(tmp_path, "candidates", "f1").equals(ROWS)
    assert lake.rows(tmp_path, "candidates", "f1") == 2
    assert lake.counts(tmp_path, "candidates", "f1") == {"left_out": 3, "keys": [{"kind": "name"}]}


def test_a_table_given_in_chunks_is_one_table_with_plain_columns(tmp_path: Path) -> None:
    coded = pa.table({"left_id": ROWS["left_id"].dictionary_encode()})
    lake.write(tmp_path, "scored_pairs", "f1", (coded.slice(n, 1) for n in range(2)), {"model": 3})
    assert lake.read(tmp_path, "scored_pairs", "f1", ["left_id"]).equals(ROWS)
    assert lake.counts(tmp_path, "scored_pairs", "f1") == {"model": 3}


def test_a_table_is_never_written_twice(tmp_path: Path) -> None:
    path = lake.write(tmp_path, "candidates", "f1", ROWS)
    before = path.stat().st_mtime_ns
    lake.write(tmp_path, "candidates", "f1", ROWS.slice(0, 1))
    assert path.stat().st_mtime_ns == before
    assert lake.rows(tmp_path, "candidates", "f1") == 2


def test_what_a_killed_writer_left_is_removed_and_tables_stay(tmp_path: Path) -> None:
    path = lake.write(tmp_path, "clusters", "f1", ROWS)
    half = path.with_name("f2.parquet.99.tmp")
    half.write_bytes(b"PAR1")
    assert not lake.has(tmp_path, "clusters", "f2")
    assert lake.clean(tmp_path) == 1
    assert sorted(path.parent.iterdir()) == [path]


def test_the_current_table_and_the_one_before_are_kept(tmp_path: Path) -> None:
    for number in range(4):
        path = lake.write(tmp_path, "clusters", f"f{number}", ROWS)
        os.utime(path, ns=(number, number))
    assert lake.forget(tmp_path, {"clusters": "f0"}) == 2
    assert sorted(path.stem for path in (tmp_path / "clusters").iterdir()) == ["f0", "f3"]
    assert lake.forget(tmp_path, {"clusters": "f0"}) == 0

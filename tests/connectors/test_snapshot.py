"""Snapshots: all or nothing, the same content for the same rows in any order."""

import itertools
import os
import signal
import subprocess
import sys
import textwrap
import time

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import snapshot
from connectors.config import SourceConfig
from connectors.reading import Reading, Report, Row
from onefold.errors import SourceHeld, SourceMissing

CONFIG = SourceConfig(name="customers", connector="delimited", path=("a.csv",), headings="auto")


def _write(lake, columns, rows, *, key=(), previous=None, config=CONFIG):
    counter = itertools.count(1)
    made = (Row(f"a.csv|{next(counter)}", row) for row in rows)
    reading = Reading(list(columns), made, Report(), "a.csv")
    return snapshot.write(reading, config, lake, previous, key=key, settings_hash="")


_ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.sampled_from(["1", "2", "", " "])),
        st.one_of(st.none(), st.sampled_from(["a", "b", "ab", "王"]), st.text(max_size=3)),
    ),
    max_size=12,
)


@settings(max_examples=30, deadline=None)
@given(rows=_ROWS, random=st.randoms(use_true_random=False), keyed=st.booleans())
def test_order_of_rows_changes_neither_content_nor_keys(tmp_path_factory, rows, random, keyed):
    rows = [tuple(v and v.encode("utf-8", "replace").decode() for v in row) for row in rows]
    shuffled = random.sample(rows, len(rows))
    key = (0,) if keyed else ()

    def keys(done):
        return sorted(
            (r["_source_key"], r["_row_hash"], r["_problem"] or "")
            for r in snapshot.read(done.path).to_pylist()
        )

    lake = tmp_path_factory.mktemp("lake")
    first = _write(lake, "ab", rows, key=key)
    second = _write(lake, "ab", shuffled, key=key)
    assert keys(first) == keys(second)
    assert first.manifest.content_hash == second.manifest.content_hash
    assert len({k for k, _, _ in keys(first)}) == len(rows) == first.manifest.rows
    again = _write(lake, "ab", rows, key=key, previous=first.manifest)
    assert (again.status, again.path) == ("unchanged", first.path)


def test_rows_that_moved_make_a_new_snapshot_of_the_same_content(tmp_path):
    first = _write(tmp_path, "x", [("a",), ("b",)])
    moved = _write(tmp_path, "x", [("b",), ("a",)], previous=first.manifest)
    assert moved.status == "changed"
    assert moved.manifest.content_hash == first.manifest.content_hash
    table = snapshot.read(moved.path)
    found = dict(zip(table["x"].to_pylist(), table["_position"].to_pylist(), strict=True))
    assert found == {"b": "a.csv|1", "a": "a.csv|2"}


def test_rows_without_positions_of_their_own_may_come_in_any_order(tmp_path):
    def extract(rows, previous=None):
        reading = Reading(["x"], (Row("table", row) for row in rows), Report(), "table")
        return snapshot.write(reading, CONFIG, tmp_path, previous, key=(), settings_hash="")

    first = extract([("a",), ("b",)])
    assert extract([("b",), ("a",)], first.manifest).status == "unchanged"


def test_order_of_columns_and_empty_columns_change_no_row(tmp_path):
    first = _write(tmp_path, ["name", "phone"], [("Ann", "1")])
    second = _write(tmp_path, ["phone", "fax", "name"], [("1", None, "Ann")])
    hashes = [snapshot.read(done.path)["_row_hash"].to_pylist() for done in (first, second)]
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([("a", "b")], [("ab", None)]),
        ([("a", None)], [("a", "")]),
        ([("a", None)], [(None, "a")]),
        ([("a", None)], [("a", None), (None, None)]),
        ([("a", "b")], [("a", "b"), ("a", "b")]),
        ([("a", "b"), ("c", "d")], [("a", "d"), ("c", "b")]),
    ],
)
def test_other_rows_are_other_content(tmp_path, one, other):
    first = _write(tmp_path, "xy", one)
    second = _write(tmp_path, "xy", other, previous=first.manifest)
    assert second.status == "changed"


def test_other_key_is_other_content(tmp_path):
    first = _write(tmp_path, "xy", [("a", "b")], key=(0,))
    assert _write(tmp_path, "xy", [("a", "b")], key=(1,), previous=first.manifest).status == (
        "changed"
    )


def test_key_of_two_columns_cannot_be_confused(tmp_path):
    rows = [("a|b", "c"), ("a", "b|c"), ("a\\", "c")]
    done = _write(tmp_path, "xy", rows, key=(0, 1))
    assert snapshot.read(done.path)["_source_key"].to_pylist() == ["a\\|b|c", "a|b\\|c", "a\\\\|c"]
    assert done.manifest.problems == 0


def test_manifest_is_in_the_file_and_the_newest_is_found(tmp_path):
    assert snapshot.latest(tmp_path, "customers") is None
    _write(tmp_path, "x", [("a",)])
    done = _write(tmp_path, "x", [("b",)])
    assert snapshot.read_manifest(done.path) == done.manifest
    assert snapshot.latest(tmp_path, "customers") == done.manifest
    assert snapshot.path_of(tmp_path, done.manifest) == done.path
    assert pq.read_schema(done.path).names == [
        "_source_key",
        "_position",
        "_row_hash",
        "_problem",
        "x",
    ]


def test_file_that_is_no_snapshot_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"nothing")
    with pytest.raises(SourceMissing, match="no raw snapshot"):
        snapshot.read_manifest(path)


def test_lost_snapshot_is_written_again(tmp_path):
    first = _write(tmp_path, "x", [("a",)])
    first.path.unlink()
    assert _write(tmp_path, "x", [("a",)], previous=first.manifest).status == "changed"


def test_error_in_the_middle_leaves_nothing(tmp_path):
    def rows():
        yield ("a",)
        raise SourceMissing("a.csv", "the file has gone")

    with pytest.raises(SourceMissing):
        _write(tmp_path, "x", rows())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("left", "held"), [(51, False), (50, True)])
def test_source_that_loses_half_its_rows_is_held(tmp_path, left, held):
    first = _write(tmp_path, "x", [(str(i),) for i in range(100)])
    fewer = [(str(i),) for i in range(left)]
    if not held:
        assert _write(tmp_path, "x", fewer, previous=first.manifest).manifest.rows == left
        return
    with pytest.raises(SourceHeld, match=r"50 rows, 100 before.*hold_if_shrinks_by"):
        _write(tmp_path, "x", fewer, previous=first.manifest)
    assert snapshot.latest(tmp_path, "customers") == first.manifest
    never = CONFIG.model_copy(update={"hold_if_shrinks_by": 1.0})
    done = _write(tmp_path, "x", fewer, previous=first.manifest, config=never)
    assert done.manifest.rows == left


def test_large_values_go_to_disk_in_small_batches(tmp_path):
    done = _write(tmp_path, "x", ((f"{i}" + "长" * 10_000_000,) for i in range(5)))
    assert pq.read_metadata(done.path).num_row_groups >= 2
    assert done.manifest.rows == 5


def test_killed_run_leaves_no_trace_in_the_next(tmp_path):
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from connectors import snapshot
        from connectors.config import SourceConfig
        from connectors.reading import Reading, Report, Row

        def rows():
            for i in range(40_000):
                yield Row("a", (str(i),))
            print("halfway", flush=True)
            time.sleep(60)

        config = SourceConfig(name="customers", connector="delimited", path=("a",), headings="auto")
        reading = Reading(["x"], rows(), Report(), "a")
        snapshot.write(reading, config, Path(sys.argv[1]), None, key=(), settings_hash="")
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"halfway\n"
        place = snapshot.folder(tmp_path, "customers")
        left = list(place.iterdir())
        assert [path.suffix for path in left] == [".tmp"]

        beside = _write(tmp_path, "x", [("a",)])
        assert left[0].exists(), "the file of a run that lives was taken away"

        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert left[0].exists()
        assert snapshot.latest(tmp_path, "customers") == beside.manifest
        done = _write(tmp_path, "x", [("b",)])
        assert sorted(place.iterdir()) == sorted([beside.path, done.path])
    finally:
        process.kill()
        process.wait()


def test_sync_ids_sort_by_time(tmp_path):
    first = _write(tmp_path, "x", [("a",)])
    time.sleep(0.001)
    assert _write(tmp_path, "x", [("b",)]).manifest.sync_id > first.manifest.sync_id

"""Tables in two files, against the same tables in one."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import lake, stored
from pipelines.stored import Stored

TABLE = "features"
Rows = dict[str, list[str] | None]


def as_table(rows: Rows) -> pa.Table:
    columns = {"id": sorted(rows), "words": [rows[one] for one in sorted(rows)]}
    schema = pa.schema([("id", pa.string()), ("words", pa.list_(pa.string()))])
    return pa.table(columns, schema=schema)


def as_rows(table: pa.Table) -> Rows:
    return dict(zip(table["id"].to_pylist(), table["words"].to_pylist(), strict=True))


def renewed(before: Stored, gone: set[str], new: Rows) -> Stored:
    ids = before.read(["id"])["id"].to_pylist()
    at = np.searchsorted(np.array(ids, dtype=object), sorted(new)) if new else np.zeros(0, int)
    stands = np.array([one not in gone and one not in new for one in ids], dtype=bool)
    return before.changed(stands, as_table(new), at)


IDS = st.text(alphabet="abcd", min_size=1, max_size=3)
WORDS = st.one_of(st.none(), st.lists(st.text(max_size=2), max_size=2))
ROWS = st.dictionaries(IDS, WORDS, max_size=12)


@settings(max_examples=40, deadline=None)
@given(start=ROWS, steps=st.lists(st.tuples(st.sets(IDS, max_size=6), ROWS), max_size=4))
def test_changes_of_changes_are_the_table(
    tmp_path_factory: pytest.TempPathFactory, start: Rows, steps: list[tuple[set[str], Rows]]
) -> None:
    folder = tmp_path_factory.mktemp("lake")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lake, "GROUP_ROWS", 4)
        patched.setattr(stored, "MOST", 1000)
        lake.write(folder, TABLE, "0", as_table(start))
        rows = dict(start)
        for number, (gone, new) in enumerate(steps, start=1):
            before = lake.stored(folder, TABLE, str(number - 1))
            lake.write_stored(folder, TABLE, str(number), renewed(before, gone, new), {"n": number})
            was, rows = rows, {one: rows[one] for one in rows if one not in gone} | new
            parts = before.differing(lake.stored(folder, TABLE, str(number)))
            for part, held in zip(map(as_rows, parts), (was, rows), strict=True):
                assert all(held[one] == words for one, words in part.items())
                assert {one for one in held if one in gone or one in new} <= part.keys()
            assert lake.base_of(folder, TABLE, str(number)) == "0"
            assert lake.counts(folder, TABLE, str(number)) == {"n": number}
        check(folder, str(len(steps)), as_table(rows))
        lake.settle(folder, TABLE, str(len(steps)))
        assert lake.base_of(folder, TABLE, str(len(steps))) == str(len(steps))
        check(folder, str(len(steps)), as_table(rows))


def check(folder: Path, name: str, whole: pa.Table) -> None:
    """Every way to read a table."""
    found = lake.stored(folder, TABLE, name)
    assert lake.rows(folder, TABLE, name) == found.num_rows == whole.num_rows
    assert found.read().equals(whole)
    assert found.read(["words", "id"]).equals(whole.select(["words", "id"]))
    some = np.arange(0, whole.num_rows, 2)
    assert found.take(some).equals(whole.take(pa.array(some)))
    lie = [
        (number, row)
        for part, numbers in found.parts(["words", "id"])
        for number, row in zip(numbers.tolist(), part.to_pylist(), strict=True)
    ]
    standing = [row for number, row in sorted(lie, key=lambda one: one[0]) if number >= 0]
    assert standing == whole.select(["words", "id"]).to_pylist()
    coded = pa.concat_tables(found.chunks(["id"], coded=["id"]))["id"]
    assert pa.types.is_dictionary(coded.type)
    assert coded.to_pylist() == whole["id"].to_pylist()
    wanted = pa.array(["a", "b", "abc", "dd"])
    among = whole.filter(pc.is_in(whole["id"], value_set=wanted))
    assert found.of_values({"id": wanted}).equals(among)
    assert lake.dataset(folder, TABLE, name).to_table().equals(whole)


def test_many_changes_are_written_whole(tmp_path: Path) -> None:
    rows: Rows = {f"{number:03d}": None for number in range(100)}
    lake.write(tmp_path, TABLE, "0", as_table(rows))
    few = renewed(lake.stored(tmp_path, TABLE, "0"), {"001"}, {"002": ["other"]})
    lake.write_stored(tmp_path, TABLE, "few", few)
    many = renewed(few, set(list(rows)[:20]), {})
    lake.write_stored(tmp_path, TABLE, "many", many)
    assert lake.base_of(tmp_path, TABLE, "few") == "0"
    assert lake.base_of(tmp_path, TABLE, "many") == "many"


def test_changes_without_their_base_are_no_table(tmp_path: Path) -> None:
    rows: Rows = {f"{number:03d}": None for number in range(100)}
    base = lake.write(tmp_path, TABLE, "0", as_table(rows))
    few = renewed(lake.stored(tmp_path, TABLE, "0"), {"001"}, {})
    lake.write_stored(tmp_path, TABLE, "1", few)
    assert lake.has(tmp_path, TABLE, "1")
    base.rename(tmp_path / "elsewhere")
    assert not lake.has(tmp_path, TABLE, "1")
    lake.write(tmp_path, TABLE, "1", as_table({"x": None}))
    assert lake.read(tmp_path, TABLE, "1").num_rows == 1


def test_what_kept_changes_are_of_stays(tmp_path: Path) -> None:
    rows: Rows = {f"{number:03d}": None for number in range(100)}
    lake.write(tmp_path, TABLE, "0", as_table(rows))
    for number in range(1, 4):
        before = lake.stored(tmp_path, TABLE, str(number - 1))
        lake.write_stored(tmp_path, TABLE, str(number), renewed(before, {f"00{number}"}, {}))
    assert lake.forget(tmp_path, {TABLE: "3"}) == 1
    assert sorted(lake.names(tmp_path, TABLE)) == ["0", "2", "3"]
    assert lake.forget(tmp_path, {TABLE: "3"}) == 0

"""Parquet files are sources like any other."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors import parquet, snapshot
from connectors.config import SourceConfig
from connectors.source import check, extract
from onefold.errors import SourceLayout, SourceMissing


def source(path: Path, **settings: object) -> SourceConfig:
    made = {"name": "p", "connector": "parquet", "path": str(path), "headings": "auto"}
    return SourceConfig.model_validate(made | settings)


def write(folder: Path) -> Path:
    table = pa.table(
        {
            "id": [7, 8, 9],
            "name": pa.array(["Ann Fox", "", "Bob Moore"]).dictionary_encode(),
            "phone": [13800000001.0, None, None],
            "born": [dt.date(1980, 2, 3), None, None],
            "updated": [dt.datetime(2024, 1, 2, 3, 4, 5), None, dt.datetime(2024, 1, 2)],
        }
    )
    path = folder / "people.parquet"
    pq.write_table(table, path)
    return path


def test_every_value_lands_as_text_with_its_row(tmp_path: Path) -> None:
    config = source(write(tmp_path), key="id")
    done = extract(config, tmp_path / "lake", None)
    rows = snapshot.read(done.path).to_pylist()
    assert [row["_source_key"] for row in rows] == ["7", "8", "9"]
    assert [row["_position"] for row in rows] == [f"people.parquet|{n}" for n in (1, 2, 3)]
    assert [rows[0][n] for n in ("name", "phone", "born", "updated")] == [
        "Ann Fox", "13800000001", "1980-02-03", "2024-01-02 03:04:05"
    ]  # fmt: skip
    assert (rows[1]["name"], rows[2]["updated"]) == (None, "2024-01-02")
    assert extract(config, tmp_path / "lake", done.manifest).status == "unchanged"
    assert "5 columns" in check(config)


def test_a_broken_or_missing_file_is_said_in_words(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    with pytest.raises(SourceMissing):
        extract(source(path), tmp_path / "lake", None)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceLayout, match="no Parquet file"):
        extract(source(path), tmp_path / "lake", None)


def test_an_empty_row_is_left_out_and_a_column_that_one_file_lacks_is_empty(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"name": ["Ann", " \u3000", ""], "id": ["1", " ", "3"]}), tmp_path / "a.parquet"
    )
    pq.write_table(pa.table({"note": ["x"], "id": ["4"]}), tmp_path / "b.parquet")
    done = extract(source(tmp_path / "*.parquet", key="id"), tmp_path / "lake", None)
    names = ("_position", "id", "note")
    assert [tuple(row[n] for n in names) for row in snapshot.read(done.path).to_pylist()] == [
        ("a.parquet|1", "1", None), ("a.parquet|3", "3", None), ("b.parquet|1", "4", "x")
    ]  # fmt: skip
    assert [(one.where, one.what, one.count) for one in done.manifest.skipped] == [
        ("a.parquet", "empty row", 1)
    ]


_LETTERS = st.sampled_from([*"a \t\x1c\x85é客", "\xa0", "\u1680", "\u2003", "\u3000", "\U00020000"])
_TEXTS = st.lists(st.one_of(st.none(), st.text(_LETTERS, max_size=3)), max_size=6)


@given(before=_TEXTS, texts=_TEXTS)
@example(before=["a"], texts=["a", None, "客"])
def test_blanks_of_any_alphabet_are_nothing_and_all_else_stays(before, texts):
    column = pa.array([*before, *texts], pa.string()).slice(len(before))
    expected = [None if text is None or not text.strip() else text for text in texts]
    assert parquet.as_text(column).to_pylist() == expected

"""Files as tables: rows with their places and keys, what is no record left out."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors import columnar
from onefold.errors import SourceLayout

REGULAR = """\
Name,Phone,City
Ann Fox,(555) 010-0001,Leeds
"Moore, Bob",(555) 010-0002,
,,
Cy Taylor,,York
Total: 3,,
Name,Phone,City
Total Wine & More,(555) 010-0004,Bath
 ,,Hull
"""


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "people.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_rows_keep_their_line_numbers(encoding: str, newline: str, tmp_path: Path) -> None:
    text = REGULAR.replace("\n", newline)
    read = columnar.read(write(tmp_path, text, encoding), "f")
    assert read.table["_row"].to_pylist() == [2, 3, 5, 8, 9]
    assert read.table["_sheet"].null_count == 5


def test_what_is_no_record_is_counted(tmp_path: Path) -> None:
    read = columnar.read(write(tmp_path, REGULAR), "f")
    assert {one.what: one.count for one in read.report.skipped} == {
        "empty row": 1, "totals row": 1, "repeated headings": 1
    }  # fmt: skip


def test_keys_come_from_the_content_and_copies_are_numbered(tmp_path: Path) -> None:
    text = "Name,City\nAnn,Leeds\nBob,York\nAnn,Leeds\n"
    one = columnar.read(write(tmp_path, text), "f").table
    keys = one["_source_key"].to_pylist()
    assert keys[2] == f"{keys[0]}-2"
    other = columnar.read(write(tmp_path, "Name,City\nBob,York\nAnn,Leeds\nAnn,Leeds\n"), "f").table
    assert sorted(other["_source_key"].to_pylist()) == sorted(keys)


def test_parquet_columns_are_text_and_nested_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    table = pa.table({"name": ["Ann", "Bob"], "phone": [13800000001.0, None], "n": [1, 2]})
    pq.write_table(table, path)
    read = columnar.read(path, "f").table
    assert read["phone"].to_pylist() == ["13800000001", None]
    assert read["_row"].to_pylist() == [1, 2]
    pq.write_table(pa.table({"name": ["Ann"], "tags": [["a", "b"]]}), path)
    with pytest.raises(SourceLayout, match="nested values"):
        columnar.read(path, "f")


def test_a_file_without_headings_loses_no_record(tmp_path: Path) -> None:
    text = "Ann Fox,ann@example.com\nBob Moore,bob@example.com\n"
    read = columnar.read(write(tmp_path, text), "f")
    assert read.table["column 1"].to_pylist() == ["Ann Fox", "Bob Moore"]
    assert read.table["_row"].to_pylist() == [1, 2]
    assert any("no headings" in line for line in read.report.lines)

"""Files of labeled pairs: what is read, and what is refused."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dedupe import label_files
from dedupe.labels import SCHEMA
from onefold.errors import ConfigError


def pairs(*rows: tuple[str, str, bool]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.table(dict(zip(SCHEMA.names, columns, strict=True)), schema=SCHEMA)


def test_a_csv_of_labels_is_read_in_any_of_the_known_words(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("right_id,is_match,left_id\nb:1,Yes,a:1\na:2,否,b:2\nb:3,1,a:3\n", "utf-8")
    expected = [("a:1", "b:1", True), ("a:2", "b:2", False), ("a:3", "b:3", True)]
    assert label_files.read(file).sort_by("left_id") == pairs(*expected)


def test_a_parquet_file_with_booleans_is_read(tmp_path: Path) -> None:
    file = tmp_path / "pairs.parquet"
    pq.write_table(pairs(("a:1", "b:1", True)), file)
    assert label_files.read(file) == pairs(("a:1", "b:1", True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("left_id,right_id\na:1,b:1\n", "no column is_match"),
        ("left_id,right_id,is_match\na:1,a:1,yes\n", "two different records"),
        ("left_id,right_id,is_match\na:1,,yes\n", "two different records"),
        ("left_id,right_id,is_match\na:1,b:1,perhaps\n", "neither yes nor no"),
        ("left_id,right_id,is_match\na:1,b:1,\n", "neither yes nor no"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        label_files.read(file)


def test_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    for name, said in (("a", "yes"), ("b", "no")):
        (tmp_path / f"{name}.csv").write_text(f"left_id,right_id,is_match\na:1,b:1,{said}\n")
    with pytest.raises(ConfigError, match="both as a match and as none"):
        label_files.read_folder(tmp_path)


def test_no_folder_means_no_labels(tmp_path: Path) -> None:
    assert label_files.read_folder(tmp_path / "labels").num_rows == 0


def test_a_decision_overrules_a_file() -> None:
    files = pairs(("a:1", "b:1", True), ("a:2", "b:2", True))
    decided = pairs(("a:1", "b:1", False))
    assert label_files.overruled(files, decided) == pairs(
        ("a:1", "b:1", False), ("a:2", "b:2", True)
    )

"""The published tables as files."""

from datetime import date, datetime

import openpyxl
import pandas as pd
import pytest
from pyarrow import parquet

from onefold.errors import ConfigError
from warehouse import export


@pytest.fixture
def published(world):
    """Two customers of three records, with values that files like to spoil."""
    world.put("erp", {"007": '=1+1, "x"', "2": "张伟"}, emails=["a@example.com", "b@example.com"])
    world.put("excel", {"1": "张伟"}, position="customers.xlsx|Sheet1|5")
    world.publish([["erp:007"], ["erp:2", "excel:1"]])
    return world


def test_golden_customers_are_read_with_their_types(published):
    table = export.read_golden(published.wh)
    assert table.schema == export.GOLDEN_SCHEMA
    by_name = {row["name"]: row for row in table.to_pylist()}
    assert by_name["张伟"]["record_count"] == 2
    assert by_name["张伟"]["sources"] == ["erp", "excel"]
    assert by_name['=1+1, "x"']["emails"] == ["a@example.com", "b@example.com"]


def test_parquet_holds_the_table_as_it_is(published, tmp_path):
    assert export.golden(published.wh, tmp_path / "golden.parquet") == 2
    assert parquet.read_table(tmp_path / "golden.parquet").equals(export.read_golden(published.wh))


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".XLSX"])
def test_text_is_not_spoiled_on_the_way_to_a_sheet(published, tmp_path, suffix):
    path = tmp_path / f"golden{suffix}"
    export.golden(published.wh, path)
    frame = (
        pd.read_csv(path, dtype=str)
        if suffix == ".csv"
        else pd.read_excel(path, dtype=str, engine="openpyxl")
    )
    assert sorted(frame["name"]) == ['=1+1, "x"', "张伟"]
    assert set(frame["phones"]) == {"+8613800138000"}
    assert set(frame["golden_id"]) == {"G0000000001", "G0000000002"}
    assert "a@example.com; b@example.com" in set(frame["emails"])
    assert frame["published_at"].str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").all()


def test_no_cell_becomes_a_formula(published, tmp_path):
    export.golden(published.wh, tmp_path / "golden.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "golden.xlsx").active
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}


def test_a_date_that_excel_cannot_hold_stays_readable(world, tmp_path):
    world.put("erp", {"1": "a"}, birth_date=date(1898, 12, 31))
    world.put("crm", {"1": "b"}, birth_date=date(1980, 1, 2))
    world.publish([["erp:1"], ["crm:1"]])
    export.golden(world.wh, tmp_path / "golden.xlsx")
    frame = pd.read_excel(tmp_path / "golden.xlsx", engine="openpyxl").set_index("name")
    assert frame.loc["a", "birth_date"] == "1898-12-31"
    assert frame.loc["b", "birth_date"] == datetime(1980, 1, 2)


def test_crosswalk_names_position_and_customer_of_every_live_record(published, tmp_path):
    assert export.crosswalk_file(published.wh, tmp_path / "x.parquet") == 3
    table = parquet.read_table(tmp_path / "x.parquet")
    assert table.column_names == ["source", "source_key", "position", "golden_id"]
    rows = {(row["source"], row["source_key"]): row for row in table.to_pylist()}
    assert rows["excel", "1"]["position"] == "customers.xlsx|Sheet1|5"
    assert rows["excel", "1"]["golden_id"] == rows["erp", "2"]["golden_id"]
    assert rows["erp", "007"]["golden_id"] != rows["erp", "2"]["golden_id"]


def test_crosswalk_has_the_position_of_the_last_sync(published):
    published.put("excel", {"1": "张伟"}, position="customers.xlsx|Sheet1|6")
    published.put("erp", {"2": "张伟"}, emails=["a@example.com"])
    rows = export.read_crosswalk(published.wh).to_pylist()
    assert [row["position"] for row in rows if row["source"] == "excel"] == [
        "customers.xlsx|Sheet1|6"
    ]
    assert [row["source_key"] for row in rows if row["source"] == "erp"] == ["2"]


def test_an_empty_warehouse_exports_headings(world, tmp_path):
    for suffix in (".csv", ".xlsx", ".parquet"):
        assert export.golden(world.wh, tmp_path / f"golden{suffix}") == 0
    assert list(pd.read_csv(tmp_path / "golden.csv").columns) == export.GOLDEN_SCHEMA.names


def test_a_file_is_replaced_whole_and_nothing_else_is_left(published, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "golden.csv").write_text("old")
    export.golden(published.wh, folder / "golden.csv")
    assert [file.name for file in folder.iterdir()] == ["golden.csv"]
    assert (folder / "golden.csv").read_text().startswith('"golden_id"')


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("golden.txt", r"cannot be written .found \.txt"),
        ("golden", "found no suffix"),
        ("nowhere/golden.csv", "its folder is not there"),
        ("taken.csv", r"taken\.csv: the file cannot be written .found Is a directory"),
        ("n" * 300 + ".csv", "the file cannot be written .found File name too long"),
    ],
)
def test_what_cannot_be_written_is_refused(published, tmp_path, name, said):
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(ConfigError, match=said):
        export.golden(published.wh, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []

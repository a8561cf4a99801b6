"""Access files, read with the real mdbtools.

fruit.mdb (Access 2000) is the sample of the npm package mdb 0.1.0 by Max Ogden, MIT licence; its
tables are groups of food. Where a test needs Chinese, it is put into the bytes of a row.
"""

import gzip
import os
import shutil
from pathlib import Path

import pytest

from connectors import locating, sampling
from connectors.legacy import access
from onefold.errors import ConfigError, SourceError, SourceHeld, SourceLayout, SourceMissing

MISSING = "mdbtools is not installed"
pytestmark = pytest.mark.skipif(
    shutil.which("mdb-export") is None and not os.environ.get("CI"), reason=MISSING
)
SAMPLE = gzip.decompress(Path(__file__).with_name("fruit.mdb.gz").read_bytes())
COLUMNS = {"name": "Fruit"}


@pytest.fixture
def source(home):
    def declare(data=SAMPLE, table="Fruit", **settings):
        (home.data / "a.mdb").write_bytes(data)
        settings = {"path": "data/a.mdb", "table": table, "columns": COLUMNS, **settings}
        return home.config(connector="access", **settings)

    return declare


def test_table_is_read_with_its_columns_and_positions(home, source):
    manifest, rows = home.sync(source(key="Fruit"))
    assert manifest.rows == len(rows) == 37
    apple = rows[0]
    assert (apple["Fruit"], apple["Fiber"], apple["Vit C"]) == ("Apple", "2", "15")
    assert (apple["_source_key"], apple["_position"]) == ("Apple", "a.mdb|Fruit|1")
    assert not manifest.notes


def test_name_of_a_table_may_have_blanks_and_signs(home, source):
    _, rows = home.sync(source(table="Muffin/Bread", columns=COLUMNS))
    assert len(rows) > 1
    with pytest.raises(SourceMissing, match=r'no table "Meat".*found "Fruit", "Fruit Salad"'):
        home.sync(source(table="Meat"))


def test_text_in_unicode_is_read_right(home, source):
    at = SAMPLE.index(b"\xff\xfeBanana")
    chinese = "示例客户".encode("utf-16-le")
    _, rows = home.sync(source(SAMPLE[:at] + chinese + SAMPLE[at + len(chinese) :]))
    assert "示例客户" in {row["Fruit"] for row in rows}


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (SAMPLE[:300_000], SourceLayout, "ends before it is complete"),
        (b"no database " * 900, SourceLayout, "no Access database"),
        (b"", SourceLayout, "ends before it is complete"),
        (SAMPLE[:4096] + bytes(len(SAMPLE) - 4096), SourceError, "a.mdb"),
    ],
)
def test_damaged_file_is_refused_and_nothing_kept(home, source, data, error, words):
    with pytest.raises(error, match=words):
        home.sync(source(data))
    assert not home.lake_files()


def test_other_number_of_rows_than_the_table_says_holds_the_source(home, source):
    """The number of rows stands at byte 16 of the table's definition (mdbtools, HACKING)."""
    data = bytearray(SAMPLE)
    page = next(
        at
        for at in range(0, len(data), 4096)
        if data[at : at + 2] == b"\x02\x01" and data[at + 16 : at + 20] == b"\x25\0\0\0"
    )
    data[page + 16] = 0x26
    with pytest.raises(SourceHeld, match=r"38 rows by its header.*found 37"):
        home.sync(source(bytes(data)))
    manifest, rows = home.sync(source(bytes(data), check_counts=False))
    assert len(rows) == 37
    assert manifest.notes == ("a.mdb|Fruit: 38 rows by its header, 37 found",)


def test_mdbtools_that_are_missing_are_named_with_how_to_install_them(home, source, monkeypatch):
    config = source()
    monkeypatch.setenv("PATH", str(home.folder))
    with pytest.raises(SourceError, match=r"which is not installed.*apt-get install mdbtools"):
        home.sync(config)


def test_file_is_recognized_and_its_likeliest_table_taken(tmp_path):
    (tmp_path / "food.dat").write_bytes(SAMPLE)
    (place,) = locating.locate(str(tmp_path / "food.dat"), tmp_path, table="Fruit")
    assert place.settings == {"connector": "access", "path": "food.dat", "table": "Fruit"}
    assert sampling.unmapped(place.config)[0].columns[:2] == ["Fruit", "Fiber"]
    (place,) = locating.locate(str(tmp_path / "food.dat"), tmp_path)
    assert place.settings["table"] in access.tables(tmp_path / "food.dat")
    with pytest.raises(SourceMissing, match='no table "Meat"'):
        locating.locate(str(tmp_path / "food.dat"), tmp_path, table="Meat")


def test_table_must_be_named(home):
    with pytest.raises(ConfigError, match="connector access needs 'table'"):
        home.config(connector="access", path="data/a.mdb", columns=COLUMNS)

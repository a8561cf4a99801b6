"""What somebody names becomes the settings that say where a source is."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import dbf
import pytest

import demo
from connectors import columnar, locating, sampling
from connectors.databases import fit
from connectors.declarations import load_source
from onefold.errors import SourceLayout, SourceMissing
from rules.onboarding.proposal import propose
from rules.onboarding.writing import write

WORLD = Path(demo.__file__).parent / "en"


def test_a_password_is_not_written_but_named():
    url = "postgresql://reader:s%40cret@db.example.com:5432/erp"
    parsed = locating.sa.make_url(url)
    written, secret = locating._without_password(url, parsed, "erp-北")
    assert written == "postgresql://reader:${ERP_PASSWORD}@db.example.com:5432/erp"
    assert secret == "ERP_PASSWORD"
    assert locating._without_password(url, parsed, "客户")[1] == "SOURCE_PASSWORD"


def test_a_password_from_the_environment_stays_there():
    url = "postgresql://reader:${DB_PW}@db.example.com/erp"
    parsed = locating.sa.make_url(url.replace("${DB_PW}", "x"))
    assert locating._without_password(url, parsed, "erp") == (url, "DB_PW")
    plain = "postgresql://reader@db.example.com/erp"
    assert locating._without_password(plain, locating.sa.make_url(plain), "erp") == (plain, "")


def test_a_folder_is_one_source_per_kind_of_file(tmp_path):
    for name in ("a_2024.csv", "a_2025.csv"):
        (tmp_path / name).write_text("name,phone\nAnn Lee,555-0100\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("email,surname\na@example.com,Lee\n", encoding="utf-8")
    shutil.copy(WORLD / "erp.db", tmp_path)
    shutil.copy(WORLD / "legacy.txt", tmp_path)
    shutil.copy(WORLD / "legacy_layout.yaml", tmp_path)
    (tmp_path / "readme.pdf").write_bytes(b"%PDF")
    with closing(sqlite3.connect(tmp_path / "stock.db")) as connection:
        connection.execute("CREATE TABLE stock (sku text)")
    places = {place.name: place for place in locating.locate(str(tmp_path), tmp_path)}
    assert {name: place.settings["connector"] for name, place in places.items()} == {
        tmp_path.name.casefold(): "delimited", "b": "delimited", "erp": "sql",
        "legacy": "fixed_width",
    }  # fmt: skip
    assert places[tmp_path.name.casefold()].settings["path"] == "a_*.csv"
    assert places["legacy"].settings["layout"] == "legacy_layout.yaml"


def test_dbf_table_is_known_by_its_ending_and_its_first_bytes(tmp_path):
    rows = [("0001", "Ann Sample", "ann@example.org"), ("0002", "Bob Sample", "bob@example.org")]
    table = dbf.Table(
        str(tmp_path / "kh.dbf"), "KHBH C(6); KHMC C(20); EMAIL C(30)", dbf_type="db3",
        codepage="cp936", on_disk=True,
    )  # fmt: skip
    table.open(dbf.READ_WRITE)
    for row in rows:
        table.append(row)
    table.close()
    (tmp_path / "kh.dat").write_bytes((tmp_path / "kh.dbf").read_bytes())
    for name in ("kh.dbf", "kh.dat"):
        (place,) = locating.locate(str(tmp_path / name), tmp_path)
        assert place.settings == {"connector": "dbf", "path": name}
        proposal = propose(place, sampling.unmapped(place.config), "CN")
        assert proposal.columns["name"] == ("KHMC",)
        assert columnar.read(tmp_path / name, "a").table["KHBH"].to_pylist() == ["0001", "0002"]


def test_paths_outside_the_home_are_absolute(tmp_path):
    (place,) = locating.locate(str(WORLD / "crm.csv"), tmp_path)
    assert place.settings["path"] == str(WORLD / "crm.csv")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [("none.csv", SourceMissing, "no such file"), ("x.pdf", SourceLayout, "not known")],
)
def test_what_cannot_be_a_source_is_refused(tmp_path, name, error, words):
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    with pytest.raises(error, match=words):
        locating.locate(str(tmp_path / name), tmp_path)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (("res_partner", ["name", "phone", "email"]), ("res_users", ["name", "phone", "email"])),
        (("t1", ["khmc", "lxdh", "dz"]), ("t2", ["khmc", "je"])),
        (("CUSTOMERS", ["first_name", "email"]), ("customer_order", ["first_name", "email"])),
    ],
)
def test_the_table_of_customers_is_told_by_its_name_and_headings(better, worse):
    assert fit(*better).score > fit(*worse).score


def test_a_database_of_a_known_system_is_read_by_its_template_unless_a_table_is_named(tmp_path):
    schema = Path(__file__).with_name("templates") / "schemas" / "yonyou_u8.sql"
    connection = sqlite3.connect(tmp_path / "u8.db")
    connection.executescript(schema.read_text(encoding="utf-8"))
    connection.close()
    (place,) = locating.locate(str(tmp_path / "u8.db"), tmp_path)
    assert place.settings == {"template": "yonyou_u8", "url": "sqlite:///u8.db"}
    proposal = propose(place, sampling.unmapped(place.config), "CN")
    config = load_source(write(proposal, tmp_path), tmp_path)
    assert (config.template, config.key) == ("yonyou_u8", place.config.key)
    assert {line.field for line in proposal.lines} >= {"name", "tax_id", "mobile"}
    (plain,) = locating.locate(str(tmp_path / "u8.db"), tmp_path, template="")
    assert plain.settings["table"] == "Customer"

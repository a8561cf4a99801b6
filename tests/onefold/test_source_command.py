"""``onefold source``: add, check, profile, as a user types them."""

import contextlib
import csv
import re
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

import demo
from connectors.declarations import load_source
from onefold.cli import app as commands
from onefold.cli import home as homes
from onefold.errors import ConfigError, SourceLayout

WORLD = Path(demo.__file__).parent / "en"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    homes.create(place)
    return place


def run(*arguments: object, answers: str = "") -> str:
    """What a command says; its error is raised."""
    result = CliRunner().invoke(
        commands.app, ["source", *map(str, arguments)], input=answers, env={"COLUMNS": "160"}
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def lists(path: Path, staff: str) -> Path:
    """A list of customers with a column of salespeople under a heading that says nothing."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Customer name", "Phone", staff])
        for i in range(20):
            name = f"{('Alice', 'Brian', 'Clara')[i % 3]} {('Foster', 'Hunter', 'Baker')[i // 7]}"
            seller = ("Mary Johnson", "Linda Brown")[i % 2]
            writer.writerow([name, f"(555) 010-{i:04d}", seller])
    return path


def test_every_file_of_a_demo_world_is_added_without_a_question(home):
    run("add", WORLD, "--yes", "--home", home)
    run("add", WORLD / "excel", "--yes", "--home", home)
    names = sorted(path.stem for path in (home / "sources").glob("*.yml"))
    assert names == ["crm", "erp", "excel", "legacy"]
    erp = load_source(home / "sources/erp.yml", home)
    declared = load_source(Path(demo.__file__).parent / "sources/erp.yml", home)
    wanted = {k: v for k, v in declared.columns.items() if not k.startswith("attributes.")}
    assert (erp.columns, erp.key, erp.values) == (wanted, declared.key, declared.values)


def test_a_question_is_asked_with_masked_examples_and_the_answer_counts(home, tmp_path):
    file = lists(tmp_path / "list.csv", "Colour")
    said = run("add", file, "--home", home, answers="contact_nam\ncontact_name\n")
    assert "Did you mean 'contact_name'?" in said
    assert "like Aaaa Aa" in said
    assert "Johnson" not in said
    config = load_source(home / "sources/list.yml", home)
    assert config.columns["contact_name"] == ("Colour",)


def test_map_says_what_a_column_is(home, tmp_path):
    file = lists(tmp_path / "list.csv", "Colour")
    run("add", file, "--yes", "--map", "Colour=", "--map", "Phone=mobile", "--home", home)
    config = load_source(home / "sources/list.yml", home)
    assert config.columns == {"name": ("Customer name",), "mobile": ("Phone",)}
    with pytest.raises(ConfigError, match="there is such a source already"):
        run("add", file, "--yes", "--home", home)


def test_check_shows_records_raw_and_staged_and_writes_nothing(home):
    run("add", WORLD / "legacy.txt", "--yes", "--home", home)
    before = {path: path.stat().st_mtime_ns for path in sorted(home.rglob("*"))}
    said = run("check", "legacy", "--show", "2", "--home", home)
    assert {path: path.stat().st_mtime_ns for path in sorted(home.rglob("*"))} == before
    assert said.count("legacy.txt|") == 2
    assert re.search(r"^customer_type +\d +(person|organization)", said, re.MULTILINE)
    assert re.search(r"[\d,]+ records read, [\d,]+ would be staged, \d+ kept out", said)
    assert "Every value for phones can be used." in said
    with pytest.raises(ConfigError, match="there is no such source"):
        run("check", "nothing", "--home", home)


def test_a_profile_stands_alone_and_holds_values_only_if_asked(home, tmp_path):
    page = tmp_path / "profile.html"
    said = run("profile", lists(tmp_path / "list.csv", "Col<b>"), "--out", page)
    text = page.read_text(encoding="utf-8")
    assert "values are masked" in said
    assert "<svg" in text
    assert "Col&lt;b&gt;" in text
    assert not re.search(r"""(?:src|href)=["'](?!#)|@import|url\(""", text)
    assert not {"Johnson", "Foster", "0100"} & set(re.findall(r"\w+", text))
    run("profile", tmp_path / "list.csv", "--out", page, "--show-values")
    assert "Mary Johnson" in page.read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match=r"End it in \.html"):
        run("profile", tmp_path / "list.csv", "--out", tmp_path / "x.pdf")


def test_a_table_of_one_column_is_answered_with_the_option_for_tables(home, tmp_path):
    database = tmp_path / "fruit.db"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE customer (name)")
        connection.execute("INSERT INTO customer VALUES ('Anna Meyer')")
        connection.commit()
    with pytest.raises(SourceLayout, match=r"one column only.*--table TABLE"):
        run("add", database, "--table", "customer", "--yes", "--home", home)

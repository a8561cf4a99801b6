"""``onefold restate``: in the terminal, as JSON, as a page, as a file of ids."""

import csv
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from onefold.cli.app import app
from onefold.cli.restate import moment
from onefold.cli.restate_page import waterfall
from onefold.errors import ConfigError, OnefoldError
from warehouse.restatement import CAUSES, Line

SHANGHAI = ZoneInfo("Asia/Shanghai")


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return result.output


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose second publish lost a customer and got two."""
    folder = tmp_path_factory.mktemp("restate")
    made = folder / "home"
    run("init", str(made))
    file = folder / "people.csv"
    (made / "sources" / "people.yml").write_text(
        f"name: people\nconnector: delimited\npath: {file}\nkey: id\nheadings: auto\n", "utf-8"
    )
    first = "id,name,city\n1,Anna Gruber,Wien\n2,Otto Pichler,Graz\n"
    file.write_text(first, "utf-8")
    run("refresh", "--home", str(made))
    second = "id,name,city\n1,Anna Gruber,Wien\n3,Hedwig Moser,Linz\n4,Egon Lang,Linz\n"
    file.write_text(second, "utf-8")
    run("refresh", "--home", str(made))
    return made


def test_the_latest_publish_is_told_in_a_sentence_and_a_table(home: Path) -> None:
    told = run("restate", "--home", str(home))
    assert "customers 2 → 3 (+50.0%): 2 new, 1 gone from their sources" in told
    assert "by source" in told


def test_json_has_every_line_and_every_id(home: Path) -> None:
    made = json.loads(run("restate", "--home", str(home), "--from", "2020-01-01", "--json"))
    assert (made["lines"][0]["before"], made["lines"][0]["after"]) == (0, 3)
    assert made["publishes"] == 2
    assert len(made["moved"]) == 3


def test_a_page_and_a_file_of_ids_are_written(home: Path, tmp_path: Path) -> None:
    page, ids = tmp_path / "r.html", tmp_path / "ids.csv"
    run("restate", "--home", str(home), "--html", str(page), "--ids", str(ids))
    text = page.read_text("utf-8")
    assert "Customers 2 → 3" in text
    assert "<svg" in text
    assert "Gruber" not in text
    rows = list(csv.DictReader(ids.open(encoding="utf-8")))
    assert sorted(one["cause"] for one in rows) == ["ended", "new", "new"]


def test_publishes_are_listed_and_each_can_be_asked_for(home: Path) -> None:
    names = [line.split()[0] for line in run("restate", "--home", str(home), "--list").splitlines()]
    assert len(names) == 2
    assert "customers 0 → 2: 2 new" in run("restate", "--home", str(home), "--publish", names[1])


@pytest.mark.parametrize(
    "wrong",
    [
        ("--publish", "x", "--from", "2026-01-01"),
        ("--to", "2026-01-01"),
        ("--from", "yesterday"),
        ("--html", "r.txt"),
    ],
)
def test_wrong_arguments_are_refused_in_words(home: Path, wrong: tuple[str, ...]) -> None:
    with pytest.raises(OnefoldError):
        run("restate", "--home", str(home), *wrong)


def test_a_day_ends_in_the_deployments_time_zone() -> None:
    end = moment("2026-10-31", SHANGHAI, "--from")
    assert f"{end:%Y-%m-%d %H:%M:%S %z}" == "2026-10-31 23:59:59 +0800"
    assert moment("2026-10-31T18:00", SHANGHAI, "--from").utcoffset() == end.utcoffset()
    with pytest.raises(ConfigError, match="no day"):
        moment("2026-13-01", SHANGHAI, "--from")


def test_the_plot_says_where_its_bars_begin() -> None:
    nothing = dict.fromkeys(CAUSES, 0)
    near = waterfall(Line("all", "", 1000, nothing | {"new": 5}, 1005))
    assert "The bars begin at" in near
    assert "The bars begin at" not in waterfall(Line("all", "", 0, nothing | {"new": 5}, 5))
    assert "<svg" in waterfall(Line("all", "", 0, nothing, 0))

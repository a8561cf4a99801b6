"""Wrong settings are named by file and field, with what to do."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.fixed_width import Layout
from connectors.source import SourceConfig, declared, load_one, load_sources
from connectors.web.settings import ApiSettings
from onefold.errors import ConfigError

GOOD = {"connector": "delimited", "path": "a.csv", "columns": {"name": "Name"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"colums": {}},
            r"customers\.yml, colums: this setting is not known. Did you mean 'columns'",
        ),
        ({"connector": None}, r"customers\.yml: 'connector' is missing"),
        ({"connector": "oracle"}, r"customers\.yml, connector: input should be 'sql'"),
        ({"columns": {"phones": "Tel"}}, r"'phones' is no input field; did you mean 'phone'"),
        ({"values": {"state": {"A": "active"}}}, r"customers\.yml, values: 'state' is no input"),
        ({"table": "t"}, "'table' has no meaning for connector delimited"),
        ({"path": None}, "connector delimited needs 'path'"),
        ({"columns": None}, "nothing is mapped"),
        ({"country": "China"}, r"customers\.yml, country"),
        ({"time_zone": "Mars/Base"}, r"time_zone: there is no such time zone"),
        ({"template": "odo"}, r"template odo: there is no such template"),
        ({"only": {"id": "1"}}, r"'only' has no meaning for connector delimited"),
        ({"html": ["nmae"]}, r"'nmae' is no input field; did you mean 'name'"),
        ({"schedule": "daily"}, r"customers\.yml, schedule: a schedule is cron"),
        ({"hold_if_shrinks_by": 2}, r"customers\.yml, hold_if_shrinks_by"),
        ({"name": "a:b"}, r"customers\.yml, name"),
        ({"connector": "sql", "path": None, "url": "sqlite:///a"}, "either 'table' or 'query'"),
        ({"connector": "fixed_width"}, "needs 'layout'"),
        ({"path": "${NO_SUCH_VARIABLE}"}, r"customers\.yml, path: the environment has no variable"),
        ({"severity": {"phone": "fatal"}}, r"customers\.yml, severity\.phone"),
    ],
)
def test_wrong_setting_is_named(home, change, message):
    settings = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ConfigError, match=message):
        home.config(**settings)


def test_every_value_stays_text(home):
    (home.folder / "sources/customers.yml").write_text(
        "connector: delimited\npath: a.csv\ncolumns: {name: No, status: on}\n"
        "values: {status: {1: active, 007: closed, NO: closed, true: active}}\n"
        "defaults: {country: NO}\n"
    )
    config = load_sources(home.folder)["customers"]
    assert config.columns == {"name": ("No",), "status": ("on",)}
    assert config.values["status"] == {
        "1": "active",
        "007": "closed",
        "NO": "closed",
        "true": "active",
    }
    assert config.defaults == {"country": "NO"}


def test_paths_are_relative_to_the_home(home):
    config = home.config(**{**GOOD, "path": ["lists/*.csv", "/srv/other.csv"]})
    assert config.path == (str(home.folder / "lists/*.csv"), "/srv/other.csv")
    sql = {"connector": "sql", "table": "t", "columns": {"name": "n"}}
    assert home.config(**sql, url="sqlite:///erp.db").url == f"sqlite:///{home.folder}/erp.db"
    assert home.config(**sql, url="sqlite:////srv/erp.db").url == "sqlite:////srv/erp.db"


def test_sources_come_in_the_order_of_their_names(home):
    for name in ("b", "a"):
        text = f"name: {name}\nconnector: delimited\npath: x\nheadings: auto\n"
        (home.folder / f"sources/z{name}.yml").write_text(text)
    assert list(load_sources(home.folder)) == ["a", "b"]
    (home.folder / "sources/c.yml").write_text(
        "name: a\nconnector: delimited\npath: x\nheadings: auto\n"
    )
    with pytest.raises(ConfigError, match="another source named 'a'"):
        load_sources(home.folder)


def test_file_that_is_no_yaml_names_the_line(home):
    (home.folder / "sources/customers.yml").write_text("connector: delimited\npath: [a\n")
    with pytest.raises(ConfigError, match=r"sources/customers\.yml, line"):
        load_sources(home.folder)


def test_setting_that_stands_twice_is_refused(home):
    (home.folder / "sources/customers.yml").write_text(
        "connector: delimited\npath: a.csv\ncolumns: {name: Name}\ncolumns: {phone: Tel}\n"
    )
    with pytest.raises(
        ConfigError, match=r"customers\.yml, line 4: .*'columns' stands there twice"
    ):
        load_sources(home.folder)


def test_wrong_file_keeps_no_other_back_and_goes_by_the_name_it_declares(home):
    good = "connector: delimited\npath: x\nheadings: auto\n"
    sources = home.folder / "sources"
    (sources / "a.yml").write_text(good)
    (sources / "b.yml").write_text(f"{good}pth: y\n")
    (sources / "c.yml").write_text(f"name: erp  # ours\n{good}columns: [\n")
    (sources / "old list.yml").write_text(good)
    (sources / "d.yml").mkdir()
    (sources / ".#a.yml").write_text("an editor's lock")
    found = declared(home.folder)
    assert list(found.sources) == ["a"]
    assert list(found.broken) == ["b", "d", "erp", "old list"]
    assert str(found.broken["b"]).startswith("sources/b.yml, pth: this setting is not known.")
    assert "sources/c.yml, line 6: this is not YAML" in str(found.broken["erp"])
    assert found.names == ["a", "b", "d", "erp", "old list"]


def test_of_two_files_with_one_name_none_counts(home):
    good = "connector: delimited\npath: x\nheadings: auto\n"
    for name in ("crm", "other"):
        (home.folder / f"sources/{name}.yml").write_text(good)
    (home.folder / "sources/copy.yml").write_text(f"name: crm\n{good}")
    found = declared(home.folder)
    assert list(found.sources) == ["other"]
    assert "sources/copy.yml and sources/crm.yml" in str(found.broken["crm"])


def test_broken_file_never_takes_the_name_of_another_source(home):
    (home.folder / "sources/crm.yml").write_text("columns: [")
    (home.folder / "sources/other.yml").write_text(
        "name: crm\nconnector: delimited\npath: x\nheadings: auto\n"
    )
    found = declared(home.folder)
    assert (list(found.sources), list(found.broken)) == (["crm"], ["crm-yml"])


def test_messages_name_the_file_as_it_is_called(home):
    (home.folder / "sources/list.yaml").write_text(
        "name: dealers\nconnector: delimited\npath: x\nheadings: auto\n"
    )
    assert load_sources(home.folder)["dealers"].file == "sources/list.yaml"


def test_home_without_sources_has_none(tmp_path):
    assert load_sources(tmp_path) == {}


def test_every_setting_is_documented():
    text = (Path(__file__).parents[2] / "docs/sources.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert documented == set(SourceConfig.model_fields)
    documented = set(re.findall(r"^\| `api\.(\w+)` \|", text, re.MULTILINE))
    assert documented == set(ApiSettings.model_fields)
    for name in Layout.model_fields.keys() - {"file"}:
        assert re.search(rf"^{name}:", text, re.MULTILINE), name


def test_numbers_of_expectations_are_numbers(home):
    (home.folder / "sources/customers.yml").write_text(
        "connector: delimited\npath: a.csv\nheadings: auto\nrequired: name\n"
        "expectations:\n  - {type: expect_column_value_lengths_to_be_between, min_value: 2}\n"
    )
    config = load_sources(home.folder)["customers"]
    assert config.expectations[0]["min_value"] == 2
    assert config.required == ("name",)


def test_a_source_is_fresh_as_long_as_it_says_or_as_its_schedule_leaves_it(home):
    def fresh_for(lines):
        text = f"connector: delimited\npath: x\nheadings: auto\n{lines}"
        (home.folder / "sources/customers.yml").write_text(text)
        return load_one(home.folder, "customers").fresh_for

    assert fresh_for("") is None
    assert fresh_for("fresh_within: 90m\n") == timedelta(minutes=90)
    assert fresh_for('schedule: "30 2 * * *"\n') == timedelta(hours=26)
    assert fresh_for('schedule: "*/5 * * * *"\n') == timedelta(minutes=35)
    assert fresh_for('schedule: "30 2 * * *"\nfresh_within: 3d\n') == timedelta(days=3)
    with pytest.raises(ConfigError, match=r"customers\.yml, fresh_within: a length of time"):
        fresh_for("fresh_within: soon\n")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("postgresql://reader:p%40ss@ERP.example.com:5433/erp", "erp.example.com"),
        ("postgresql:///erp?host=db.example.com", "db.example.com"),
        ("mysql://root@127.0.0.1/erp", "127.0.0.1"),
        ("sqlite:///data/erp.db", None),
    ],
)
def test_the_server_of_a_source_is_its_host(home, url, server):
    (home.folder / "sources/erp.yml").write_text(
        f"connector: sql\nurl: {url}\ntable: t\nheadings: auto\n"
    )
    assert load_one(home.folder, "erp").server == server


def test_a_question_in_a_message_is_not_ended_twice():
    assert str(ConfigError("a.yml", "no 'nmae'; did you mean 'name'?", do="Mend it.")) == (
        "a.yml: no 'nmae'; did you mean 'name'? Mend it."
    )

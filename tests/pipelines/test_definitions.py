"""The definitions: what there is, in which order, and that loading them needs nothing."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from onefold.errors import ConfigError
from pipelines import definitions

ROOT = Path(definitions.__file__).parents[1]


def _graph(defs: dg.Definitions) -> dict[str, set[str]]:
    graph = defs.resolve_asset_graph()
    return {
        key.to_user_string(): {one.to_user_string() for one in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }


def test_every_source_has_raw_and_staged_and_all_lead_to_golden(home: Path) -> None:
    assert _graph(definitions.build(home)) == {
        "source/crm": set(),
        "source/erp": set(),
        "raw/crm": {"source/crm"},
        "raw/erp": {"source/erp"},
        "staged/crm": {"raw/crm"},
        "staged/erp": {"raw/erp"},
        "quarantine": {"staged/crm", "staged/erp"},
        "candidates": {"quarantine", "staged/crm", "staged/erp"},
        "scored_pairs": {"candidates"},
        "clusters": {"scored_pairs"},
        "golden_customer": {"clusters"},
        "data_quality": {"golden_customer", "quarantine"},
    }


def test_without_a_home_there_is_what_all_homes_share() -> None:
    assert set(_graph(definitions.build(None))) == {
        "quarantine", "candidates", "scored_pairs", "clusters", "golden_customer", "data_quality",
    }  # fmt: skip


def test_definitions_load_in_a_fresh_process_without_a_home() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ONEFOLD", "DAGSTER"))}
    code = (
        "import sys; import pipelines.definitions;"
        "slow = {'great_expectations', 'duckdb', 'pandas'} & set(sys.modules); print(sorted(slow))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "great_expectations" not in done.stdout


def test_loading_connects_to_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "onefold.yml").write_text(
        "database: postgresql://nobody@127.0.0.1:1/none\n", encoding="utf-8"
    )
    (home / "sources" / "far.yml").write_text(
        "connector: sql\nurl: mysql://nobody@127.0.0.1:1/none\ntable: t\ncolumns: {name: n}\n",
        encoding="utf-8",
    )

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    defs = definitions.build(home)
    assert "raw/far" in _graph(defs)
    dg.Definitions.validate_loadable(defs)
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before


def test_jobs_are_refresh_and_one_sync_per_source_with_all_that_follows(home: Path) -> None:
    defs = definitions.build(home)
    graph = defs.resolve_asset_graph()
    keys = {
        name: {
            key.to_user_string()
            for key in defs.resolve_job_def(name).asset_layer.selected_asset_keys
        }
        for name in ("refresh", "apply_decisions", "sync_crm", "sync_erp")
    }
    everything = {key.to_user_string() for key in graph.executable_asset_keys}
    assert {"source/crm", "source/erp"} == _graph(defs).keys() - everything
    assert keys["refresh"] == everything
    assert keys["apply_decisions"] == {"clusters", "golden_customer"}
    assert keys["sync_crm"] == everything - {"raw/erp", "staged/erp"}
    assert keys["sync_erp"] == everything - {"raw/crm", "staged/crm"}


def test_only_what_guards_the_golden_table_blocks(home: Path) -> None:
    graph = definitions.build(home).resolve_asset_graph()
    blocking = {
        f"{key.asset_key.to_user_string()}:{key.name}"
        for key in graph.asset_check_keys
        if graph.get(key).blocking
    }
    assert blocking == {
        "quarantine:no_record_lost",
        "quarantine:canonical_model",
        "clusters:each_record_once",
        "clusters:decisions_hold",
        "golden_customer:publish_gate",
    }


@pytest.mark.parametrize("name", ["客户", "erp-2", "old.system"])
def test_any_name_a_source_may_have_makes_definitions(home: Path, name: str, world: Any) -> None:
    (home / "sources" / f"{name}.yml").write_text(world.CRM_YML, encoding="utf-8")
    defs = definitions.build(home)
    dg.Definitions.validate_loadable(defs)
    assert sum(key.startswith("raw/") for key in _graph(defs)) == 3


def test_personal_columns_are_marked_and_never_previewed(home: Path) -> None:
    from pipelines import golden, staged
    from rules.customer import PERSONAL

    assert not PERSONAL & {*golden.SHOWN, *staged.SHOWN}
    assert "source_key" not in staged.SHOWN
    graph = definitions.build(home).resolve_asset_graph()
    schema = graph.get(dg.AssetKey("golden_customer")).metadata["dagster/column_schema"]
    marked = {column.name for column in schema.columns if "personal" in column.tags}
    assert {"name", "phones", "emails", "birth_date"} <= marked
    assert "golden_id" not in marked


def test_a_wrong_source_loads_and_says_what_is_wrong(home: Path) -> None:
    (home / "sources" / "bad.yml").write_text("connector: telepathy\n", encoding="utf-8")
    defs = definitions.build(home)
    dg.Definitions.validate_loadable(defs)
    raw = defs.resolve_asset_graph().get(dg.AssetKey(["raw", "bad"]))
    assert "sources/bad.yml, connector" in (raw.description or "")
    assert {one.name for one in defs.schedules or []} == {"sync_crm_schedule"}
    assert {one.name for one in defs.sensors or []} == {
        "sync_crm_sensor", "decisions_sensor", "failures_sensor", "repairs_sensor",
    }  # fmt: skip


def test_a_wrong_home_stops_loading_in_words(home: Path) -> None:
    (home / "onefold.yml").write_text("country: [", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"onefold\.yml, line 1: this is not YAML"):
        definitions.build(home)

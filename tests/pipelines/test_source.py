"""The asset of a source: freshness policy, owner, pool, and what it is told of each sync."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines import definitions
from pipelines.naming import asset_name
from pipelines.run import instance, refresh
from warehouse.health import UNREAD_WITHIN

Edit = Callable[[str, str, str], None]
CRM = dg.AssetKey(["source", "crm"])


def _spec(home: Path, source: str) -> Any:
    return definitions.build(home).resolve_asset_graph().get(dg.AssetKey(["source", source]))


def test_a_source_has_the_freshness_policy_that_onefold_judges_by(synced: Path, edit: Edit) -> None:
    policy = _spec(synced, "crm").freshness_policy
    assert policy.fail_window.to_timedelta() == timedelta(hours=26)
    assert _spec(synced, "erp").freshness_policy is None
    edit("sources/erp.yml", "key: id", "key: id\nfresh_within: 3h")
    assert _spec(synced, "erp").freshness_policy.fail_window.to_timedelta() == timedelta(hours=3)
    edit("sources/crm.yml", 'schedule: "30 2 * * *"', "")
    assert _spec(synced, "crm").freshness_policy.fail_window.to_timedelta() == UNREAD_WITHIN


@pytest.mark.parametrize(
    ("owner", "shown"),
    [("ana@example.com", "ana@example.com"), ("erp", "team:erp"), ("team:销售", "team:销售")],
)
def test_a_source_shows_its_owner(synced: Path, edit: Edit, owner: str, shown: str) -> None:
    edit("sources/erp.yml", "key: id", f"key: id\nowner: {owner}\ndescription: The ERP.")
    spec = _spec(synced, "erp")
    assert list(spec.owners) == [shown]
    assert spec.description.startswith("The ERP.")


def test_sources_of_one_server_share_a_pool_and_files_have_none(synced: Path) -> None:
    for name, database in (("a", "one"), ("b", "two")):
        (synced / "sources" / f"{name}.yml").write_text(
            f"connector: sql\nurl: mysql://root@db.example.com/{database}\ntable: t\n"
            "columns: {name: n}\n",
            encoding="utf-8",
        )
    graph = definitions.build(synced).resolve_asset_graph()
    pools = {name: graph.get(dg.AssetKey(["raw", name])).pools for name in ("a", "b", "crm", "erp")}
    assert pools == {
        "a": {"server:db.example.com"},
        "b": {"server:db.example.com"},
        "crm": set(),
        "erp": set(),
    }


def test_a_good_sync_is_materialized_and_a_bad_one_only_observed(synced: Path) -> None:
    refresh(synced)
    (synced / "data" / "crm.csv").unlink()
    refresh(synced)
    with instance(synced) as dagster:
        good = dagster.fetch_materializations(CRM, limit=5).records
        bad = dagster.fetch_observations(CRM, limit=5).records
        raw = dagster.fetch_materializations(dg.AssetKey(["raw", "crm"]), limit=5).records
    assert len(good) == len(bad) == 1
    event = good[0].asset_materialization
    assert event is not None
    read = raw[-1].asset_materialization
    assert read is not None
    # Else Dagster's page would call what the first sync read 'unsynced'.
    assert (read.tags or {})["dagster/input_data_version/source/crm"] == (
        (event.tags or {})["dagster/data_version"]
    )
    figures = {name: value.value for name, value in event.metadata.items()}
    assert figures["dagster/row_count"] == 8
    assert (figures["records"], figures["rows_held"], figures["rows_new"]) == (7, 1, 0)
    assert figures["quarantine_percent"] == 12.5
    assert figures["lag_hours"] > 24
    observed = bad[0].event_log_entry.dagster_event
    assert observed is not None
    failed = observed.event_specific_data.asset_observation.metadata
    assert failed["status"].value == "failed"
    assert "crm.csv" in failed["message"].value
    assert failed["last_good_sync"].value == figures["last_good_sync"]


def test_names_are_readable_and_no_two_sources_share_one() -> None:
    names = ["erp", "erp-2", "erp.2", "erp_2", "客户", "客戶", "Kunden größer"]
    made = [asset_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert made[0] == "erp"
    assert made[4].startswith("kehu_")
    assert all(name.isascii() and name.replace("_", "").isalnum() for name in made)

"""Schedules from the sources' YAML."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from onefold.errors import ConfigError
from pipelines import definitions


def test_a_source_with_a_cron_line_has_a_running_schedule(home: Path) -> None:
    schedules = list(definitions.build(home).schedules or [])
    assert [one.name for one in schedules] == ["sync_crm_schedule"]
    schedule = definitions.build(home).resolve_schedule_def("sync_crm_schedule")
    assert schedule.cron_schedule == "30 2 * * *"
    assert schedule.execution_timezone == "Asia/Shanghai"
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == "sync_crm"


def test_a_schedule_asks_for_a_run(home: Path) -> None:
    schedule = definitions.build(home).resolve_schedule_def("sync_crm_schedule")
    with dg.build_schedule_context() as context:
        asked = schedule.evaluate_tick(context).run_requests
    assert asked is not None
    assert len(asked) == 1


@pytest.mark.parametrize("cron", ["61 2 * * *", "a b c d e"])
def test_a_wrong_cron_line_is_said_in_words(home: Path, cron: str, world: Any) -> None:
    text = world.CRM_YML.replace("30 2 * * *", cron)
    (home / "sources" / "crm.yml").write_text(text, encoding="utf-8")
    defs = definitions.build(home)
    raw = defs.resolve_asset_graph().get(dg.AssetKey(["raw", "crm"]))
    assert "sources/crm.yml, schedule" in (raw.description or "")
    assert not defs.schedules


def test_a_cron_line_that_only_dagster_refuses_keeps_no_other_back(home: Path, world: Any) -> None:
    text = world.CRM_YML.replace("30 2 * * *", "0 0 30 2 *")
    (home / "sources" / "late.yml").write_text(text, encoding="utf-8")
    names = [one.name for one in definitions.build(home).schedules or []]
    assert "sync_crm_schedule" in names


def test_a_time_zone_that_is_none_is_said_in_words(home: Path) -> None:
    (home / "onefold.yml").write_text("timezone: Mars/Base\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="timezone"):
        definitions.build(home)

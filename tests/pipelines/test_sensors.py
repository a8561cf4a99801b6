"""Sensors: a file source is synced when its files change."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from connectors import file_state
from connectors.source import load_sources
from pipelines import definitions, sensors, stages
from pipelines.run import instance, refresh
from pipelines.source import source_key


@pytest.fixture
def sensor(home: Path) -> dg.SensorDefinition:
    """The sensor of crm, its file settled."""
    _age(home / "data" / "crm.csv", 60)
    return definitions.build(home).resolve_sensor_def("sync_crm_sensor")


def _age(path: Path, seconds: float) -> None:
    at = time.time() - seconds
    os.utime(path, (at, at))


def _tick(sensor: dg.SensorDefinition, cursor: str | None) -> tuple[int, str | None]:
    """Runs asked for, and the cursor after it."""
    with dg.build_sensor_context(cursor=cursor) as context:
        outcome = sensor.evaluate_tick(context)
    return len(outcome.run_requests or []), outcome.cursor


def test_only_file_sources_decisions_failures_and_repairs_have_one(home: Path) -> None:
    found = list(definitions.build(home).sensors or [])
    names = [one.name for one in found]
    assert names == ["sync_crm_sensor", "decisions_sensor", "failures_sensor", "repairs_sensor"]
    assert {one.default_status for one in found} == {dg.DefaultSensorStatus.RUNNING}


def test_unchanged_files_ask_for_no_second_run(sensor: dg.SensorDefinition) -> None:
    asked, cursor = _tick(sensor, None)
    assert asked == 1
    assert cursor
    assert _tick(sensor, cursor)[0] == 0


def test_a_changed_file_asks_for_a_run(sensor: dg.SensorDefinition, home: Path) -> None:
    cursor = _tick(sensor, None)[1]
    path = home / "data" / "crm.csv"
    path.write_text(path.read_text(encoding="utf-8") + "C9,吴敏,person,,,,,\n", encoding="utf-8")
    _age(path, 30)
    asked, after = _tick(sensor, cursor)
    assert asked == 1
    assert after != cursor


def test_a_file_that_is_still_being_written_is_left_for_the_next_time(
    sensor: dg.SensorDefinition, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = _tick(sensor, None)[1]
    _age(home / "data" / "crm.csv", 0)
    assert _tick(sensor, cursor) == (0, cursor)
    monkeypatch.setattr(sensors, "SETTLED_SECONDS", 0)
    assert _tick(sensor, cursor)[0] == 1


def test_a_file_that_vanished_asks_for_a_run_which_will_say_so(
    sensor: dg.SensorDefinition, home: Path
) -> None:
    cursor = _tick(sensor, None)[1]
    (home / "data" / "crm.csv").unlink()
    assert _tick(sensor, cursor)[0] == 1


def test_files_that_a_refresh_has_read_ask_for_no_run(synced: Path) -> None:
    _age(synced / "data" / "crm.csv", 60)
    assert _tick(definitions.build(synced).resolve_sensor_def("sync_crm_sensor"), None)[0] == 1
    with stages.opened(synced) as opened:
        opened.seen["crm"] = file_state.name(opened.sources["crm"])
        read = stages.sync(opened, "crm")
        stages.note_source(opened, read, stages.stage(opened, "crm"))
    sensor = definitions.build(synced).resolve_sensor_def("sync_crm_sensor")
    assert _tick(sensor, None)[0] == 0
    _age(synced / "data" / "crm.csv", 30)
    assert _tick(sensor, None)[0] == 1


def test_files_that_were_read_confirm_their_source_now_and_then(
    synced: Path, edit: Callable[[str, str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else Dagster would call a source late whose files change once a year."""
    edit("sources/crm.yml", 'schedule: "30 2 * * *"', "")
    refresh(synced, ["crm"])
    sensor = definitions.build(synced).resolve_sensor_def("sync_crm_sensor")

    def told() -> int:
        with instance(synced) as dagster, dg.build_sensor_context(instance=dagster) as context:
            outcome = sensor.evaluate_tick(context)
            assert not outcome.run_requests
            for event in outcome.asset_events:
                assert event.asset_key == source_key("crm")
                dagster.report_runless_asset_event(event)
            return len(outcome.asset_events)

    assert told() == 0
    monkeypatch.setattr(sensors, "CONFIRM_SECONDS", 0)
    assert told() == 1
    monkeypatch.setattr(sensors, "CONFIRM_SECONDS", 3600)
    assert told() == 0


def test_files_that_were_not_read_confirm_nothing(
    synced: Path, edit: Callable[[str, str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    edit("sources/crm.yml", 'schedule: "30 2 * * *"', "")
    monkeypatch.setattr(sensors, "CONFIRM_SECONDS", 0)
    refresh(synced, ["crm"])
    _age(synced / "data" / "crm.csv", 30)
    sensor = definitions.build(synced).resolve_sensor_def("sync_crm_sensor")
    with instance(synced) as dagster:
        for cursor in (None, file_state.name(load_sources(synced)["crm"])):
            with dg.build_sensor_context(instance=dagster, cursor=cursor) as context:
                assert not sensor.evaluate_tick(context).asset_events

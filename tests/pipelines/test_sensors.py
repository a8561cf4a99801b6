"""Sensors: a file source is synced when its files change."""

import os
import time
from pathlib import Path

import dagster as dg
import pytest

from pipelines import definitions, sensors, stages


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
        opened.seen["crm"] = stages.files_state(opened.sources["crm"])
        read = stages.sync(opened, "crm")
        stages.note_source(opened, read, stages.stage(opened, "crm"))
    sensor = definitions.build(synced).resolve_sensor_def("sync_crm_sensor")
    assert _tick(sensor, None)[0] == 0
    _age(synced / "data" / "crm.csv", 30)
    assert _tick(sensor, None)[0] == 1

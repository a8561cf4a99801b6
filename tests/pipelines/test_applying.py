"""Decisions reach the golden table without a sync: the sensor asks, the job does it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from pipelines import definitions, sensors, stages
from pipelines.jobs import APPLY
from pipelines.run import instance
from warehouse import decisions, publish


def _decide(home: Path, kind: str, left: str, right: str) -> str:
    with stages.opened(home) as opened:
        return decisions.add(
            opened.warehouse, kind, left_id=left, right_id=right, reason="seen", decided_by="li"
        )


def _revoke(home: Path, decision_id: str) -> None:
    with stages.opened(home) as opened:
        decisions.revoke(opened.warehouse, decision_id, revoked_by="li", reason="an error")


def _apply(home: Path) -> tuple[stages.Waiting, Any]:
    with stages.opened(home) as opened:
        return stages.apply(opened)


def _holders(home: Path, *records: str) -> list[str]:
    """The golden customers of records."""
    with stages.opened(home) as opened:
        crosswalk = publish.read_identity(opened.warehouse).crosswalk
    found = dict(
        zip(crosswalk["record_id"].to_pylist(), crosswalk["golden_id"].to_pylist(), strict=True)
    )
    return [found[record] for record in records]


def test_a_decision_is_taken_in_once(any_synced: Path, world: Any) -> None:
    assert not _apply(any_synced)[0].ready
    _decide(any_synced, "no_link", "crm:C1", "erp:E1")
    waiting, report = _apply(any_synced)
    assert waiting.decisions == 1
    assert report is not None and report.added == 1
    one, other = _holders(any_synced, "crm:C1", "erp:E1")
    assert one != other
    before = world.contents(any_synced, frozenset())
    assert _apply(any_synced)[1] is None
    assert world.contents(any_synced, frozenset()) == before


def test_a_decision_taken_back_brings_back_what_was(any_synced: Path, world: Any) -> None:
    before = _holders(any_synced, "crm:C1", "erp:E1")
    made = _decide(any_synced, "no_link", "crm:C1", "erp:E1")
    _apply(any_synced)
    _revoke(any_synced, made)
    waiting, report = _apply(any_synced)
    assert waiting.decisions == 1 and report is not None
    assert _holders(any_synced, "crm:C1", "erp:E1") == before


def test_a_decision_that_changes_nothing_is_taken_in_too(synced: Path, world: Any) -> None:
    made = _decide(synced, "no_link", "crm:C1", "crm:C2")
    _apply(synced)
    _revoke(synced, made)
    _decide(synced, "no_link", "crm:C1", "crm:C2")
    waiting, report = _apply(synced)
    assert waiting.decisions == 2
    assert report is not None and not report.written
    assert _apply(synced)[0].words == "Nothing was decided since the last publish."


def test_what_a_refresh_took_in_does_not_wait(synced: Path, world: Any) -> None:
    _decide(synced, "link", "crm:C5", "erp:E5")
    world.run_all(synced)
    assert not _apply(synced)[0].ready


def test_records_that_are_not_published_wait_for_their_refresh(
    synced: Path, world: Any, edit: Any
) -> None:
    _decide(synced, "link", "crm:C5", "erp:E5")
    edit("data/crm.csv", "李娜", "李娜娜")
    with stages.opened(synced) as opened:
        stages.sync(opened, "crm")
        stages.stage(opened, "crm")
    waiting, report = _apply(synced)
    assert report is None
    assert waiting.decisions == 1 and not waiting.ready
    world.run_all(synced)
    assert _apply(synced)[0].decisions == 0


def test_only_the_touched_records_are_grouped_again(synced: Path, world: Any) -> None:
    _decide(synced, "no_link", "crm:C1", "erp:E1")
    lines: list[str] = []
    with world.told(lines):
        _apply(synced)
    assert [line for line in lines if line.startswith("clusters: grouped")] == [
        "clusters: grouped 2 records again"
    ]


@pytest.fixture
def ticking(synced: Path) -> Any:
    """Evaluates the sensor on the home's own instance; gives the runs that it asks for."""
    sensor = definitions.build(synced).resolve_sensor_def("decisions_sensor")

    def tick(dagster: dg.DagsterInstance) -> list[dg.RunRequest]:
        with dg.build_sensor_context(instance=dagster) as context:
            return list(sensor.evaluate_tick(context).run_requests or [])

    return tick


def test_the_sensor_asks_for_a_run_that_publishes_the_decision(
    synced: Path, world: Any, ticking: Any
) -> None:
    with instance(synced) as dagster:
        assert ticking(dagster) == []
        _decide(synced, "no_link", "crm:C1", "erp:E1")
        (asked,) = ticking(dagster)
        assert ticking(dagster)[0].run_key == asked.run_key
        job = definitions.build(synced).resolve_job_def(APPLY)
        done = job.execute_in_process(instance=dagster, tags=asked.tags)
        assert done.success
        one, other = _holders(synced, "crm:C1", "erp:E1")
        assert one != other
        assert ticking(dagster) == []


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_the_sensor_waits_while_a_run_is_under_way(
    synced: Path, ticking: Any, status: dg.DagsterRunStatus
) -> None:
    _decide(synced, "no_link", "crm:C1", "erp:E1")
    job = definitions.build(synced).resolve_job_def("refresh")
    with instance(synced) as dagster:
        run = dagster.create_run_for_job(job, status=status)
        assert ticking(dagster) == []
        dagster.delete_run(run.run_id)
        assert len(ticking(dagster)) == 1


def test_a_run_that_failed_is_asked_for_again_ever_more_rarely(
    synced: Path, ticking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _decide(synced, "no_link", "crm:C1", "erp:E1")
    job = definitions.build(synced).resolve_job_def(APPLY)
    keys = []
    with instance(synced) as dagster:
        for seconds in (60, 120, 240):
            (asked,) = ticking(dagster)
            keys.append(asked.run_key)
            run = dagster.create_run_for_job(
                job, status=dg.DagsterRunStatus.FAILURE, tags=asked.tags
            )
            (record,) = dagster.get_run_records(dg.RunsFilter([run.run_id]))
            begun = record.create_timestamp.timestamp()
            for after, asks in ((seconds - 5, 0), (seconds + 5, 1)):
                at = (begun + after).__float__
                monkeypatch.setattr(sensors, "time", SimpleNamespace(time=at))
                assert len(ticking(dagster)) == asks, (seconds, after)
        assert len(set(keys)) == 3, "the daemon starts no second run of one name"
        _decide(synced, "no_link", "crm:C1", "erp:E2")
        monkeypatch.undo()
        assert len(ticking(dagster)) == 1, "what is decided since does not wait"


def test_pauses_have_an_end() -> None:
    assert sensors.pause(1000) == sensors.AGAIN_AT_MOST_SECONDS


def test_each_state_of_decisions_is_asked_for_under_its_own_name(
    synced: Path, ticking: Any
) -> None:
    with instance(synced) as dagster:
        made = _decide(synced, "no_link", "crm:C1", "erp:E1")
        first = ticking(dagster)[0].run_key
        _decide(synced, "no_link", "crm:C1", "erp:E2")
        second = ticking(dagster)[0].run_key
        _revoke(synced, made)
        assert len({first, second, ticking(dagster)[0].run_key}) == 3

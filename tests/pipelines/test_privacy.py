"""What Dagster keeps for ever: counts, states and places, no customer's values."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from onefold.errors import OnefoldError
from pipelines import stages
from pipelines.resources import Working
from pipelines.run import instance, refresh

DAGSTERS = ("history", "storage", "schedules", "logs")
"""Folders of a home that Dagster writes."""
WORDS = {
    "person", "organization", "active", "P", "C", "CN", "南京", "苏州", "无锡", "常州",
}  # fmt: skip
"""Values that are no customer's own."""


def _told_to_dagster(home: Path, values: set[str]) -> set[str]:
    """The values, of these, that are in a file which Dagster wrote, as text or escaped."""
    kept = b"\n".join(
        path.read_bytes()
        for folder in DAGSTERS
        for path in sorted((home / folder).rglob("*"))
        if path.is_file()
    )
    assert b"golden_customer" in kept
    return {
        value
        for value in values
        if value.encode() in kept or json.dumps(value)[1:-1].encode() in kept
    }


def _values(world: Any, home: Path) -> set[str]:
    """Every value in the sources that is a customer's own, and those in the golden table."""
    from onefold import settings
    from warehouse import engine, export

    warehouse = engine.connect(settings.load(home))
    try:
        golden = export.read_golden(warehouse).to_pylist()
    finally:
        warehouse.close()
    own = ("name", "org_brand", "national_id", "tax_id", "address_line", "emails", "phones")
    found = {cell for line in world.CRM.splitlines()[1:] for cell in line.split(",")[1:7]}
    found |= {cell for row in world.ERP for cell in row[1:]}
    for row in golden:
        for name in own:
            found |= set(row[name] if isinstance(row[name], list) else [row[name]])
    return {value for value in found if value and value not in WORDS and len(value) > 1}


def test_dagster_keeps_no_customers_value(home: Path, world: Any) -> None:
    path = home / "sources" / "crm.yml"
    path.write_text(world.CRM_YML.replace("Phone, email", "Phone, tax_id: Tax, email"), "utf-8")
    head, first, *rest = world.CRM.splitlines()
    fourth = rest[2] + ",91320105500000002A"
    lines = [f"{head},Tax", f"{first},110101198001010010", *rest[:2], fourth, *rest[3:]]
    lines = [line if line.count(",") == 8 else f"{line}," for line in lines]
    (home / "data" / "crm.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert refresh(home).ok
    values = _values(world, home)
    assert {"张伟", "13800000001", "+8613800000001", "zhangwei@example.com"} <= values
    assert {"青禾", "南京青禾信息技术有限公司"} <= values
    values |= {"110101198001010010", "91320105500000002A"}
    assert _told_to_dagster(home, values) == set()


def test_an_unexpected_error_fails_the_stage_without_its_words(synced: Path, world: Any) -> None:
    broken = next((synced / "lake" / "candidates").glob("*.arrow"))
    broken.write_bytes("张伟 13800000001".encode())
    with pytest.raises(OnefoldError, match=r"stage candidates: .*found pyarrow.*run ") as caught:
        refresh(synced)
    assert "张伟" not in str(caught.value)
    with instance(synced) as dagster:
        run = dagster.get_runs(limit=1)[0]
        assert run.status == dg.DagsterRunStatus.FAILURE
        failed = [
            record.event_log_entry.dagster_event.step_failure_data
            for record in dagster.get_records_for_run(
                run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE
            ).records
        ]
    shown = failed[0].user_failure_data.metadata["traceback"].value
    assert "pipelines/lake.py" in shown
    assert _told_to_dagster(synced, _values(world, synced)) == set()


def test_the_words_of_an_unexpected_error_are_dropped_with_their_causes(synced: Path) -> None:
    def stop() -> None:
        try:
            int("张伟")
        except ValueError as error:
            raise KeyError("13800000001") from error

    with (
        stages.opened(synced) as deployment,
        pytest.raises(dg.Failure) as caught,
        Working(deployment),
    ):
        stop()
    failure = caught.value
    assert failure.__cause__ is None
    assert failure.__suppress_context__
    said = str(failure.description) + str(failure.metadata)
    assert "KeyError" in said
    assert "in stop" in said
    assert "张伟" not in said.replace('int("张伟")', "")
    assert "did not expect" in said


def test_errors_that_onefold_raises_keep_their_words(synced: Path) -> None:
    with (
        stages.opened(synced) as deployment,
        pytest.raises(dg.Failure, match="no such table"),
        Working(deployment),
    ):
        raise OnefoldError("here", "no such table")


def test_dagsters_own_signals_pass(synced: Path) -> None:
    with (
        stages.opened(synced) as deployment,
        pytest.raises(dg.RetryRequested),
        Working(deployment),
    ):
        raise dg.RetryRequested(max_retries=1)

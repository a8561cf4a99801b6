"""refresh(): the job in process, what it reports, and what shows in Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from onefold.cli import console
from onefold.errors import ConfigError, DecisionConflict, PublishError
from pipelines import stages
from pipelines.lock import exclusive
from pipelines.run import instance, refresh
from warehouse import decisions

OURS = ("lake", "models", "sources", "data", "warehouse.db", "review.db")
"""What of a home is not Dagster's."""


@contextmanager
def _runs(home: Path) -> Iterator[dg.DagsterInstance]:
    with instance(home) as opened:
        yield opened


def _ours(world: Any, home: Path) -> dict[str, bytes]:
    return {name: data for name, data in world.files(home).items() if name.startswith(OURS)}


def test_a_first_refresh_accounts_for_every_record(
    home: Path, world: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    report = refresh(home, on_progress=lines.append)
    assert report.ok
    assert report.changed
    assert not report.blocked
    assert [(one.source, one.status, one.read, one.staged) for one in report.sources] == [
        ("crm", "changed", 8, 7),
        ("erp", "changed", 6, 6),
    ]
    for one in report.sources:
        assert one.read == one.staged + one.quarantined
        assert one.added == one.staged
    stored = world.contents(home)
    assert report.golden == report.clusters == len(stored["golden_customer"])
    assert report.pairs == len(world.lake_rows(home, "scored_pairs"))
    assert report.suggestions == len(stored["merge_suggestion"])
    for stage in ("raw/crm", "staged/erp", "scored_pairs", "golden_customer"):
        assert any(line.startswith(stage) for line in lines)
    assert "DEBUG" not in capfd.readouterr().err
    with _runs(home) as dagster:
        run = dagster.get_run_by_id(report.run_id)
        assert run is not None
        assert (run.job_name, run.status) == ("refresh", dg.DagsterRunStatus.SUCCESS)
        event = dagster.get_latest_materialization_event(dg.AssetKey(["staged", "crm"]))
        assert event is not None
        assert event.asset_materialization is not None
        metadata = event.asset_materialization.metadata
        assert metadata["dagster/row_count"].value == 7
        shown = str(metadata["preview"].value)
    assert "person" in shown
    assert "张伟" not in shown
    assert "13800000001" not in shown


def test_a_second_refresh_says_that_nothing_changed_and_writes_nothing(
    any_synced: Path, world: Any
) -> None:
    refresh(any_synced)
    before = _ours(world, any_synced), world.contents(any_synced, frozenset())
    report = refresh(any_synced)
    assert report.ok
    assert not report.changed
    assert [(one.status, one.unchanged, one.staged) for one in report.sources] == [
        ("unchanged", 7, 7),
        ("unchanged", 6, 6),
    ]
    assert report.golden == len(before[1]["golden_customer"])
    assert _ours(world, any_synced) == before[0]
    assert world.contents(any_synced, frozenset()) == before[1]


def test_a_new_column_is_told_once_and_holds_nothing(
    synced: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = synced / "data" / "crm.csv"
    lines = file.read_text("utf-8").splitlines()
    file.write_text("\n".join([f"{lines[0]},Grade", *(f"{line},A" for line in lines[1:])]), "utf-8")
    report = refresh(synced)
    assert report.ok
    assert report.sources[0].notes == ('new column "Grade"',)
    console.show_refresh(report)
    assert 'crm: new column "Grade"' in capsys.readouterr().out
    with _runs(synced) as dagster:
        records = dagster.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey(["raw", "crm"]), "synced"), limit=1
        )
        said = records[0].event.dagster_event.asset_check_evaluation_data
        assert said.passed
        assert 'New column "Grade".' in said.description
    assert refresh(synced).sources[0].notes == ()


def test_a_failing_source_stops_neither_the_others_nor_the_golden_table(
    synced: Path, world: Any
) -> None:
    (synced / "data" / "crm.csv").unlink()
    changed = (*world.ERP[3][:6], "延陵路41号")
    world.write_erp(synced, [*world.ERP[:3], changed, *world.ERP[4:]])
    report = refresh(synced)
    of = {one.source: one for one in report.sources}
    assert (of["crm"].status, of["crm"].staged) == ("failed", 7)
    assert "sources/crm.yml" in of["crm"].message
    assert (of["erp"].status, of["erp"].changed) == ("changed", 1)
    assert report.published
    assert not report.ok
    assert len(world.contents(synced)["crosswalk"]) == 13
    with _runs(synced) as dagster:
        run = dagster.get_run_by_id(report.run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.SUCCESS
        records = dagster.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey(["raw", "crm"]), "synced"), limit=1
        )
        said = records[0].event.dagster_event.asset_check_evaluation_data
        assert not said.passed
        assert said.severity == dg.AssetCheckSeverity.ERROR
        assert not said.blocking
        assert said.description == of["crm"].message


def test_a_wrong_source_file_fails_alone_and_shows_in_dagster(synced: Path, world: Any) -> None:
    file = synced / "sources" / "crm.yml"
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace("key: Id", "kye: Id"), encoding="utf-8")
    changed = (*world.ERP[3][:6], "延陵路41号")
    world.write_erp(synced, [*world.ERP[:3], changed, *world.ERP[4:]])
    report = refresh(synced)
    of = {one.source: one for one in report.sources}
    assert (of["crm"].status, of["crm"].read, of["crm"].staged) == ("failed", 8, 7)
    assert of["crm"].message == (
        "sources/crm.yml, kye: this setting is not known. Did you mean 'key'?"
    )
    assert (of["erp"].status, of["erp"].changed) == ("changed", 1)
    assert report.published
    assert not report.ok
    assert not report.warnings
    assert len(world.contents(synced)["crosswalk"]) == 13
    with _runs(synced) as dagster:
        for key, name in ((["raw", "crm"], "synced"), (["quarantine"], stages.READABLE)):
            records = dagster.event_log_storage.get_asset_check_execution_history(
                dg.AssetCheckKey(dg.AssetKey(key), name), limit=1
            )
            said = records[0].event.dagster_event.asset_check_evaluation_data
            assert not said.passed
            assert of["crm"].message in said.description
    assert any(of["crm"].message in one for one in refresh(synced, sources=["erp"]).warnings)
    file.write_text(good, encoding="utf-8")
    assert refresh(synced).ok


def test_an_unreachable_source_is_tried_again_and_then_fails_alone(
    synced: Path, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = world.ERP_YML.replace("sqlite:///data/erp.db", "postgresql://a:b@127.0.0.1:1/none")
    (synced / "sources" / "erp.yml").write_text(far, encoding="utf-8")
    monkeypatch.setattr("pipelines.resources.RETRY_SECONDS", 0.1)
    lines: list[str] = []
    report = refresh(synced, on_progress=lines.append)
    assert sum(line == "raw/erp: reading" for line in lines) == 3
    of = {one.source: one for one in report.sources}
    assert (of["erp"].status, of["erp"].staged) == ("failed", 6)
    assert of["crm"].status == "unchanged"
    assert report.published


def test_only_the_named_sources_are_synced(synced: Path) -> None:
    lines: list[str] = []
    report = refresh(synced, sources=["erp"], on_progress=lines.append)
    assert [one.source for one in report.sources] == ["erp"]
    assert report.published
    assert not any(line.startswith("raw/crm") for line in lines)


def test_a_source_that_is_not_declared_is_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match=r"sap.*no such source.*crm, erp"):
        refresh(home, sources=["sap"])


def test_a_home_without_sources_is_told_what_to_do(home: Path) -> None:
    for file in (home / "sources").iterdir():
        file.unlink()
    with pytest.raises(ConfigError, match="no source is declared"):
        refresh(home)


def test_a_lost_record_holds_the_golden_table_back(synced: Path, world: Any) -> None:
    world.execute(synced, "DELETE FROM staged_customer WHERE record_id = 'erp:E4'")
    before = world.contents(synced)
    report = refresh(synced)
    assert not report.published
    assert not report.ok
    assert len(report.blocked) == 1
    assert "no_record_lost" in report.blocked[0]
    assert "6 rows read = 5 staged" in report.blocked[0]
    assert world.contents(synced)["golden_customer"] == before["golden_customer"]
    assert world.contents(synced)["crosswalk"] == before["crosswalk"]


def test_what_stops_a_stage_is_raised_as_it_was_said(synced: Path, world: Any) -> None:
    with stages.opened(synced) as opened:
        said = {"reason": "known", "decided_by": "steward"}
        first = decisions.add(opened.warehouse, "link", left_id="crm:C2", right_id="erp:E4", **said)
    world.execute(
        synced,
        "INSERT INTO decision (decision_id, kind, left_id, right_id, reason, decided_by,"
        " decided_at) VALUES ('D999999', 'no_link', 'crm:C2', 'erp:E4', 'x', 'y',"
        " '2024-01-01 00:00:00.000000')",
        "review",
    )
    with pytest.raises(DecisionConflict) as caught:
        refresh(synced)
    assert (caught.value.where, caught.value.exit_code) == ("decision D999999", 6)
    assert first in caught.value.found
    assert caught.value.do


def test_records_without_a_source_file_are_a_warning(synced: Path) -> None:
    (synced / "sources" / "erp.yml").unlink()
    report = refresh(synced)
    assert report.published
    assert any("sources/erp.yml is gone" in warning for warning in report.warnings)


def test_telemetry_is_off_and_the_run_stands_in_the_home(synced: Path) -> None:
    refresh(synced)
    assert "enabled: false" in (synced / "dagster.yaml").read_text(encoding="utf-8")
    with _runs(synced) as dagster:
        assert not dagster.telemetry_enabled
        assert dagster.root_directory == str(synced)
        assert len(dagster.get_runs()) == 1


def test_a_home_keeps_the_dagster_settings_it_has(synced: Path) -> None:
    text = "telemetry:\n  enabled: false\n# mine\n"
    (synced / "dagster.yaml").write_text(text, encoding="utf-8")
    refresh(synced)
    assert (synced / "dagster.yaml").read_text(encoding="utf-8") == text


def test_the_lock_is_held_for_the_whole_run(synced: Path) -> None:
    free: list[bool] = []

    def look(line: str) -> None:
        if line.startswith(("raw/", "clusters", "golden_customer")):
            try:
                with exclusive(synced, 0):
                    free.append(True)
            except PublishError:
                free.append(False)

    refresh(synced, on_progress=look)
    assert free
    assert not any(free)

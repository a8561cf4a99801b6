"""The stages without Dagster: accounting, last good records, writing nothing twice."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dedupe.model import load
from onefold.errors import ConfigError, DecisionConflict, SourceUnreachable
from pipelines import lake, stages
from warehouse import decisions, staged_records, sync_runs

Edit = Callable[[str, str, str], None]


def test_every_row_read_is_staged_or_in_quarantine(any_synced: Path, world: Any) -> None:
    with stages.opened(any_synced) as opened:
        reports = {name: stages.stage(opened, name) for name in opened.sources}
        checks = stages.accounting(opened)
    assert {name: one.read for name, one in reports.items()} == {"crm": 8, "erp": 6}
    for report in reports.values():
        assert report.read == report.staged + report.quarantined
    assert reports["crm"].quarantined == 1
    assert all(check.passed for check in checks)
    assert [check.evaluated for check in checks] == [8, 6]


def test_a_lost_record_fails_the_accounting(any_synced: Path, world: Any) -> None:
    world.execute(any_synced, "DELETE FROM {}staged_customer WHERE record_id = 'erp:E4'")
    with stages.opened(any_synced) as opened:
        failed = [check for check in stages.accounting(opened) if not check.passed]
    assert [(check.name, check.failed, check.blocking) for check in failed] == [
        ("no_record_lost_erp", 1, True)
    ]


def test_two_systems_become_one_table_of_customers(any_synced: Path, world: Any) -> None:
    together: dict[str, set[str]] = {}
    for row in world.lake_rows(any_synced, "clusters"):
        together.setdefault(row["cluster_id"], set()).add(row["record_id"])
    assert {"crm:C1", "erp:E1"} in together.values()
    assert {"crm:C5"} in together.values()
    assert {"erp:E4"} in together.values()
    stored = world.contents(any_synced)
    assert len(stored["golden_customer"]) == len(together)
    assert len(stored["crosswalk"]) == 13


def test_a_second_run_writes_nothing_at_all(any_synced: Path, world: Any) -> None:
    before = world.files(any_synced), world.contents(any_synced, frozenset())
    world.run_all(any_synced)
    assert world.contents(any_synced, frozenset()) == before[1]
    assert world.files(any_synced) == before[0]


def test_a_failing_source_keeps_its_last_good_records(any_synced: Path, world: Any) -> None:
    before = world.contents(any_synced)
    (any_synced / "data" / "crm.csv").unlink()
    with stages.opened(any_synced) as opened:
        synced = stages.sync(opened, "crm")
        staged = stages.stage(opened, "crm")
        published = stages.publish(opened)
    assert (synced.status, synced.error) == ("failed", "SourceMissing")
    assert "crm" in synced.message
    assert (staged.read, staged.staged) == (8, 7)
    assert not published.written
    after = world.contents(any_synced)
    assert {**after, "sync_run": []} == {**before, "sync_run": []}
    assert len(after["sync_run"]) == len(before["sync_run"]) + 1


def test_a_source_that_fails_again_in_the_same_way_is_noted_once(synced: Path, world: Any) -> None:
    (synced / "data" / "crm.csv").unlink()
    world.run_all(synced)
    before = world.files(synced)
    world.run_all(synced)
    assert world.files(synced) == before


def test_new_settings_are_not_tried_on_records_of_a_failing_source(
    synced: Path, edit: Edit, world: Any
) -> None:
    before = world.contents(synced)["staged_customer"]
    (synced / "data" / "crm.csv").unlink()
    edit("sources/crm.yml", "email: Email, ", "")
    world.run_all(synced)
    assert world.contents(synced)["staged_customer"] == before
    (synced / "data" / "crm.csv").write_text(world.CRM, encoding="utf-8")
    world.run_all(synced)
    assert world.contents(synced)["staged_customer"] != before


def test_a_layout_that_breaks_leaves_the_last_good_records(synced: Path, world: Any) -> None:
    layout = synced / "data" / "old.yml"
    fields = "{name: id, start: 0, width: 3}, {name: name, start: 3, width: 12}"
    kind = '{name: kind, start: 15, width: 1, values: {"1": person}}'
    layout.write_text(f"key: id\nfields: [{fields}, {kind}]\n", encoding="utf-8")
    (synced / "data" / "old.txt").write_bytes("001张伟      1\n002李娜      1\n".encode())
    (synced / "sources" / "old.yml").write_text(
        "connector: fixed_width\npath: data/old.txt\nlayout: data/old.yml\n"
        "columns: {name: name, customer_type: kind}\n",
        encoding="utf-8",
    )
    world.run_all(synced)
    before = world.contents(synced)
    layout.write_text(f"key: id\nfields: [{fields}, {kind}, x]\n", encoding="utf-8")
    world.run_all(synced)
    after = world.contents(synced)
    assert sum("old:00" in row[0] for row in after["staged_customer"]) == 2
    assert {**after, "sync_run": []} == {**before, "sync_run": []}


def test_other_rules_do_not_make_a_failing_source_look_well(
    synced: Path, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (synced / "data" / "crm.csv").unlink()
    world.run_all(synced)
    monkeypatch.setattr("pipelines.fingerprint.of_code", lambda *_: "other rules")
    world.run_all(synced)
    with stages.opened(synced) as opened:
        last = sync_runs.last_sync(opened.warehouse, "crm", good=False)
        good = sync_runs.last_sync(opened.warehouse, "crm")
    assert last is not None
    assert good is not None
    assert (last.status, good.status) == ("failed", "unchanged")
    assert "crm.csv" in (last.message or "")
    before = world.contents(synced, frozenset())
    world.run_all(synced)
    assert world.contents(synced, frozenset()) == before


def test_a_source_that_comes_back_unchanged_is_noted_as_good(synced: Path, world: Any) -> None:
    text = (synced / "data" / "crm.csv").read_bytes()
    (synced / "data" / "crm.csv").unlink()
    world.run_all(synced)
    (synced / "data" / "crm.csv").write_bytes(text)
    world.run_all(synced)
    with stages.opened(synced) as opened:
        last = sync_runs.last_sync(opened.warehouse, "crm", good=False)
    assert last is not None
    assert (last.status, last.rows_staged) == ("unchanged", 7)
    before = world.files(synced)
    world.run_all(synced)
    assert world.files(synced) == before


def test_a_source_that_lost_most_rows_is_held(any_synced: Path, world: Any) -> None:
    path = any_synced / "data" / "crm.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:3]), encoding="utf-8")
    with stages.opened(any_synced) as opened:
        synced = stages.sync(opened, "crm")
        staged = stages.stage(opened, "crm")
        last = sync_runs.last_sync(opened.warehouse, "crm", good=False)
    assert (synced.status, synced.error) == ("held", "SourceHeld")
    assert staged.staged == 7
    assert last is not None
    assert last.status == "held"


def test_a_source_that_was_never_read_says_so(home: Path) -> None:
    (home / "data" / "crm.csv").unlink()
    with stages.opened(home) as opened:
        stages.sync(opened, "crm")
        staged = stages.stage(opened, "crm")
    assert (staged.status, staged.read, staged.staged) == ("failed", 0, 0)


def test_an_unreachable_source_is_handed_back_until_the_last_try(home: Path, world: Any) -> None:
    (home / "sources" / "erp.yml").write_text(
        world.ERP_YML.replace("sqlite:///data/erp.db", "postgresql://nobody:x@127.0.0.1:1/none"),
        encoding="utf-8",
    )
    with stages.opened(home) as opened:
        with pytest.raises(SourceUnreachable):
            stages.sync(opened, "erp", last_try=False)
        assert sync_runs.last_sync(opened.warehouse, "erp", good=False) is None
        assert stages.sync(opened, "erp").status == "failed"


def test_a_mapped_column_that_is_gone_fails_only_its_source(
    synced: Path, edit: Edit, world: Any
) -> None:
    edit("sources/erp.yml", "phone: tel", "phone: telephone")
    with stages.opened(synced) as opened:
        outcomes = {
            name: {stages.sync(opened, name).status, stages.stage(opened, name).status}
            for name in opened.sources
        }
        assert stages.publish(opened).golden > 0
    assert outcomes["crm"] == {"unchanged"}
    assert "failed" in outcomes["erp"]


def test_other_rules_for_a_source_stage_it_again(synced: Path, edit: Edit, world: Any) -> None:
    edit("sources/erp.yml", "P: person, C: organization", "P: person, C: person")
    with stages.opened(synced) as opened:
        assert stages.sync(opened, "erp").status == "unchanged"
        staged = stages.stage(opened, "erp")
        assert (staged.status, staged.changed) == ("changed", 2)
        assert stages.stage(opened, "erp").status == "unchanged"


def test_a_schedule_changes_no_record(synced: Path, edit: Edit, world: Any) -> None:
    before = world.contents(synced, frozenset())
    edit("sources/crm.yml", "30 2 * * *", "0 4 * * *")
    world.run_all(synced)
    assert world.contents(synced, frozenset()) == before


def test_a_changed_record_is_the_only_one_written(any_synced: Path, world: Any) -> None:
    changed = [("E4", "赵磊", "P", "13800000009", "new@example.com", "常州市", "延陵路40号")]
    world.write_erp(any_synced, [*world.ERP[:3], *changed, *world.ERP[4:]])
    with stages.opened(any_synced) as opened:
        assert stages.sync(opened, "erp").status == "changed"
        staged = stages.stage(opened, "erp")
        published = stages.publish(opened)
    assert (staged.added, staged.changed, staged.deleted, staged.unchanged) == (0, 1, 0, 5)
    assert (published.added, published.changed, published.ended) == (0, 1, 0)


def test_rows_that_were_only_sorted_get_their_new_positions(any_synced: Path, world: Any) -> None:
    before = world.contents(any_synced)
    path = any_synced / "data" / "crm.csv"
    head, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([head, *lines[::-1]]), encoding="utf-8")
    with stages.opened(any_synced) as opened:
        assert stages.sync(opened, "crm").status == "changed"
        staged = stages.stage(opened, "crm")
        assert not stages.publish(opened).written
        read = staged_records.read(opened.warehouse).select(["record_id", "position"]).to_pylist()
    assert (staged.added, staged.changed, staged.deleted, staged.unchanged) == (0, 0, 0, 7)
    positions = {row["record_id"]: row["position"] for row in read}
    assert (positions["crm:C7"], positions["crm:C1"]) == ("crm.csv|3", "crm.csv|9")
    after = world.contents(any_synced)
    assert {one for one in after if after[one] != before[one]} == {
        "moved_record", "quarantine", "sync_run",
    }  # fmt: skip
    written = world.contents(any_synced, frozenset())
    world.run_all(any_synced)
    assert world.contents(any_synced, frozenset()) == written


def test_a_saved_model_is_used_until_the_data_has_grown_by_half(synced: Path, world: Any) -> None:
    models = world.files(synced / "models")
    extra = [
        (f"E{n}", f"孙{name}", "P", f"1380000{n:04}", "", "南京市", f"汉中路{n}号")
        for n, name in enumerate("甲乙丙丁戊己庚辛壬癸", 100)
    ]
    world.write_erp(synced, [*world.ERP, extra[0]])
    seen: list[str] = []
    with world.told(seen):
        world.run_all(synced)
    assert not any("training" in line for line in seen)
    assert world.files(synced / "models") == models
    world.write_erp(synced, [*world.ERP, *extra])
    with world.told(seen):
        world.run_all(synced)
    assert any("training" in line for line in seen)


def test_older_results_leave_the_lake_but_raw_stays(synced: Path, world: Any) -> None:
    for number in range(4):
        world.write_erp(synced, [*world.ERP[:3], *[(*world.ERP[3][:6], f"延陵路{number}号")]])
        world.run_all(synced)
    for table in ("features", "candidates", "scored_pairs", "clusters", "suggestions"):
        found = lake.names(synced / "lake", table)
        kept = found[: lake.KEPT]
        assert set(found) == {*kept, *(lake.base_of(synced / "lake", table, one) for one in kept)}
    assert len(list((synced / "lake" / "raw" / "erp").glob("*.parquet"))) == 5


def test_a_clustering_stage_makes_what_it_needs(synced: Path) -> None:
    shutil.rmtree(synced / "lake" / "candidates")
    shutil.rmtree(synced / "lake" / "scored_pairs")
    shutil.rmtree(synced / "lake" / "clusters")
    with stages.opened(synced) as opened:
        report = stages.clusters(opened)
        assert not report.reused
        assert stages.candidates(opened).reused
        assert stages.scored_pairs(opened).reused
        assert all(check.passed for check in stages.clustering_checks(opened, report))


def test_decisions_of_stewards_hold(any_synced: Path, world: Any) -> None:
    with stages.opened(any_synced) as opened:
        said = {"reason": "known", "decided_by": "steward"}
        decisions.add(opened.warehouse, "link", left_id="crm:C2", right_id="erp:E4", **said)
        decisions.add(opened.warehouse, "no_link", left_id="crm:C1", right_id="erp:E1", **said)
        published = stages.publish(opened)
        assert published.written
        report = stages.clusters(opened)
        checks = stages.clustering_checks(opened, report)
        assert [(check.name, check.passed) for check in checks] == [
            ("each_record_once", True),
            ("decisions_hold", True),
        ]
        assert not stages.publish(opened).written
    of = {row["record_id"]: row["cluster_id"] for row in world.lake_rows(any_synced, "clusters")}
    assert of["crm:C2"] == of["erp:E4"]
    assert of["crm:C1"] != of["erp:E1"]


def test_a_broken_decision_fails_its_check(synced: Path, world: Any) -> None:
    with stages.opened(synced) as opened:
        report = stages.clusters(opened)
        said = {"reason": "known", "decided_by": "steward"}
        decisions.add(opened.warehouse, "no_link", left_id="crm:C1", right_id="erp:E1", **said)
        failed = [c.name for c in stages.clustering_checks(opened, report) if not c.passed]
    assert failed == ["decisions_hold"]


def test_contradicting_decisions_are_shown_and_nothing_is_published(
    synced: Path, world: Any
) -> None:
    before = world.contents(synced)
    with stages.opened(synced) as opened:
        said = {"reason": "known", "decided_by": "steward"}
        decisions.add(opened.warehouse, "link", left_id="crm:C2", right_id="erp:E4", **said)
    world.execute(
        synced,
        "INSERT INTO {}decision (decision_id, kind, left_id, right_id, reason, decided_by,"
        " decided_at) VALUES ('D999999', 'no_link', 'crm:C2', 'erp:E4', 'x', 'y',"
        " '2024-01-01 00:00:00.000000')",
        "review",
    )
    with stages.opened(synced) as opened, pytest.raises(DecisionConflict, match="D999999"):
        stages.publish(opened)
    assert world.contents(synced)["golden_customer"] == before["golden_customer"]


def test_an_override_is_published(synced: Path, world: Any) -> None:
    with stages.opened(synced) as opened:
        golden = stages.golden_sample(opened, ["golden_id", "name"])[0]
        decisions.add(
            opened.warehouse,
            "override",
            golden_id=golden["golden_id"],
            field="name",
            value="张维",
            reason="spelt so",
            decided_by="steward",
        )
        published = stages.publish(opened)
        assert (published.written, published.changed) == (True, 1)
        assert stages.golden_sample(opened, ["golden_id", "name"])[0]["name"] == "张维"


def test_records_of_a_source_without_yaml_stay_and_are_reported(synced: Path, world: Any) -> None:
    (synced / "sources" / "erp.yml").unlink()
    with stages.opened(synced) as opened:
        check = stages.orphans(opened)
        assert staged_records.sources(opened.warehouse) == {"crm": 7, "erp": 6}
    assert not check.passed
    assert check.severity == "warning"
    assert "sources/erp.yml is gone; its 6 records stay." in check.description


def test_a_lake_on_an_object_store_is_refused_in_words(synced: Path, edit: Edit) -> None:
    edit("onefold.yml", "country: CN", "lake: s3://bucket/lake\ncountry: CN")
    with pytest.raises(ConfigError, match="must be a folder"), stages.opened(synced):
        pass


def test_messages_name_no_customer(home: Path, world: Any) -> None:
    seen: list[str] = []
    with world.told(seen):
        world.run_all(home)
    text = "\n".join(seen)
    assert "golden_customer" in text
    for row in world.ERP:
        assert not any(value and value in text for value in row[1:])


def test_an_attribute_named_in_onefold_yml_is_compared_as_text(
    synced: Path, edit: Edit, world: Any
) -> None:
    edit("onefold.yml", "timezone:", "matching: {text_fields: [trade]}\ntimezone:")
    edit("sources/crm.yml", "columns: {", "columns: {attributes.trade: Trade, ")
    path = synced / "data" / "crm.csv"
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([f"{head},Trade", *(f"{row},bakery" for row in rows)]), "utf-8")
    world.run_all(synced)
    assert {row["text:trade_level"] for row in world.lake_rows(synced, "scored_pairs")} <= {-1, 2}
    with stages.opened(synced) as opened:
        models = load(opened.settings.models_dir)
    assert all("text:trade" in model.fields for model in models.values())

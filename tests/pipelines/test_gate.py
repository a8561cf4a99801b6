"""The publish gate: what exceeds a budget is held, said, accepted by somebody; and rehearsals."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import yaml
from typer.testing import CliRunner

from onefold import settings
from onefold.cli.app import app
from onefold.errors import ConfigError, PublishError, PublishHeld
from pipelines import run, stages
from warehouse import gate, gate_policy, restatement
from warehouse.engine import connect
from warehouse.restatement import CAUSES, Line, Restatement
from warehouse.tables import golden_customer, publish_run, staged_customer


def configure(home: Path, **sections: Any) -> None:
    file = home / "onefold.yml"
    said = yaml.safe_load(file.read_text("utf-8")) | sections
    file.write_text(yaml.safe_dump(said, allow_unicode=True), "utf-8")


def lose_two(home: Path) -> None:
    """C6 and C7 leave the CRM; C7 stays a customer through the ERP."""
    file = home / "data" / "crm.csv"
    lines = file.read_text("utf-8").splitlines(keepends=True)
    file.write_text("".join(line for line in lines if line[:2] not in ("C6", "C7")), "utf-8")


def run_stages(home: Path) -> None:
    with stages.opened(home) as deployment:
        for source in sorted(deployment.sources):
            stages.sync(deployment, source)
            stages.stage(deployment, source)
        stages.publish(deployment)


def published(home: Path) -> dict[str, Any]:
    wh = connect(settings.load(home))
    with wh.read() as connection:
        rows = connection.execute(sa.select(golden_customer).order_by("golden_id")).all()
        runs = connection.execute(sa.select(sa.func.count()).select_from(publish_run)).scalar()
    wh.close()
    return {"rows": rows, "publishes": runs}


def test_over_budget_nothing_is_published_and_the_run_says_what_why_and_how_to_accept(
    any_synced: Path,
) -> None:
    home = any_synced
    before = published(home)
    configure(home, gate={"ended": 0})
    lose_two(home)
    with pytest.raises(PublishHeld) as held:
        run_stages(home)
    told = str(held.value)
    assert "ended: 1" in told
    assert "source crm brought 2 deleted records" in told
    assert "onefold publish --accept H000001" in told
    assert published(home) == before
    with pytest.raises(PublishHeld, match="H000001"):  # the same again is the same hold
        run_stages(home)
    wh = connect(settings.load(home))
    with pytest.raises(PublishError, match="who accepts it"):
        gate.accept(wh, "H000001", "li.na", " ")
    with pytest.raises(PublishError, match="only the last one"):
        gate.accept(wh, "H000009", "li.na", "moved away")
    gate.accept(wh, "H000001", "li.na", "moved away")
    wh.close()
    run_stages(home)
    after = published(home)
    assert len(after["rows"]) == len(before["rows"]) - 1
    wh = connect(settings.load(home))
    hold = gate.latest(wh)
    wh.close()
    assert hold is not None
    assert (hold.accepted_by, hold.reason) == ("li.na", "moved away")


def test_a_refresh_is_held_with_exit_code_3_and_accepted_by_a_command(synced: Path) -> None:
    configure(synced, gate={"ended": 0})
    lose_two(synced)
    before = published(synced)
    report = run.refresh(synced)
    assert not report.ok
    assert not report.published
    assert "publish_gate" in report.blocked[0]
    assert published(synced) == before
    home = ["--home", str(synced)]
    shown = CliRunner().invoke(app, ["publish", *home])
    assert "over budget: ended: 1" in shown.output
    done = CliRunner().invoke(
        app, ["publish", *home, "--accept", "H000001", "--by", "li.na", "--reason", "moved away"]
    )
    assert done.exit_code == 0, done.output
    assert published(synced)["publishes"] == before["publishes"] + 1
    assert "accepted by li.na" in CliRunner().invoke(app, ["publish", *home]).output
    assert run.refresh(synced).ok


def test_another_change_after_an_acceptance_is_held_again(synced: Path) -> None:
    configure(synced, gate={"ended": 0})
    lose_two(synced)
    with pytest.raises(PublishHeld):
        run_stages(synced)
    wh = connect(settings.load(synced))
    gate.accept(wh, "H000001", "li.na", "moved away")
    wh.close()
    file = synced / "data" / "crm.csv"
    text = file.read_text("utf-8")
    file.write_text("".join(x for x in text.splitlines(True) if x[:2] != "C5"), "utf-8")
    with pytest.raises(PublishHeld, match="H000002"):
        run_stages(synced)


def test_wider_budgets_let_the_same_publish_pass(synced: Path) -> None:
    configure(synced, gate={"ended": 0})
    lose_two(synced)
    with pytest.raises(PublishHeld):
        run_stages(synced)
    configure(synced, gate={"ended": 5})
    run_stages(synced)


def made(
    before: int, causes: dict[str, int], sources: dict[str, Line] | None = None
) -> Restatement:
    line = Line("all", "", before, dict.fromkeys(CAUSES, 0) | causes, before)
    return Restatement(NOW, NOW, (line, *(sources or {}).values()), (), 0, 1)


NOW = restatement.datetime(2026, 11, 22)


def test_a_budget_of_percent_and_count_is_exceeded_only_beyond_both() -> None:
    policy = gate_policy.load({"merged": {"percent": 5, "count": 20}, "ended": None})
    assert not gate.exceeded(made(1000, {"merged": 50, "ended": 900}), 0, 0, policy)
    (over,) = gate.exceeded(made(1000, {"merged": 51}), 0, 0, policy)
    assert str(over) == "merged: 51 (5.1%) of 1,000 customers, allowed 5 % or 20"
    assert not gate.exceeded(made(100, {"merged": 20}), 0, 0, policy)
    assert gate.exceeded(made(100, {"merged": 21}), 0, 0, policy)


def test_a_source_may_have_its_own_budget_and_none() -> None:
    policy = gate_policy.load({"ended": "10%", "sources": {"old": {"ended": None}}})
    lost = dict.fromkeys(CAUSES, 0) | {"ended": 50}
    sources = {name: Line("source", name, 100, lost, 50) for name in ("crm", "old")}
    found = gate.exceeded(made(1000, {"ended": 50}, sources), 0, 0, policy)
    assert [(one.cause, one.source) for one in found] == [("ended", "crm")]


def test_changed_values_and_opened_suggestions_have_budgets_too() -> None:
    policy = gate_policy.load({"changed": "1%", "suggestions": 3})
    assert not gate.exceeded(made(1000, {}), 10, 3, policy)
    found = gate.exceeded(made(1000, {}), 11, 4, policy)
    assert [one.cause for one in found] == ["changed", "suggestions"]


def test_the_first_publish_is_never_held() -> None:
    policy = gate_policy.load({"new": 0})
    assert not gate.exceeded(made(0, {"new": 500}), 0, 0, policy)


@pytest.mark.parametrize(
    "section", [{"lost": 3}, {"ended": "many"}, {"ended": -1}, {"merged": True}, {"sources": 3}, 3]
)
def test_a_wrong_section_is_refused_in_words(section: Any) -> None:
    with pytest.raises(ConfigError, match=r"onefold\.yml, gate"):
        gate_policy.load(section)


def test_a_rehearsal_shows_what_other_settings_would_change_and_publishes_nothing(
    synced: Path, tmp_path: Path
) -> None:
    before = published(synced)
    file = tmp_path / "other.yml"
    file.write_text("matching: {match: 0.9999999, review: 0.5}\n", "utf-8")
    result = CliRunner().invoke(
        app, ["rehearse", "--home", str(synced), "--settings", str(file)], catch_exceptions=False
    )
    assert "from splits" in result.output
    assert "would be parted" in result.output
    assert published(synced) == before
    again = CliRunner().invoke(
        app,
        ["rehearse", "--home", str(synced), "--settings", str(synced / "onefold.yml")],
        catch_exceptions=False,
    )
    assert "Nothing would change" in again.output
    models = shutil.copytree(synced / "models", tmp_path / "models")
    same = CliRunner().invoke(
        app, ["rehearse", "--home", str(synced), "--model", str(models)], catch_exceptions=False
    )
    assert "Nothing would change" in same.output


def test_rehearsing_other_cleaning_shows_it_and_leaves_nothing_behind(
    any_synced: Path, tmp_path: Path
) -> None:
    synced = any_synced

    def everything() -> tuple[dict[str, Any], list[tuple[str, int]], list[Any]]:
        lake = synced / "lake"
        files = sorted((str(p.relative_to(lake)), p.stat().st_size) for p in lake.rglob("*"))
        wh = connect(settings.load(synced))
        with wh.read() as connection:
            records = connection.execute(sa.select(staged_customer).order_by("record_id")).all()
        wh.close()
        return published(synced), files, list(records)

    before = everything()
    rules = tmp_path / "rules"
    shutil.copytree(synced / "sources", rules / "sources")
    file = rules / "sources" / "crm.yml"
    said = yaml.safe_load(file.read_text("utf-8"))
    kept = {name: column for name, column in said["columns"].items() if "name" in name}
    file.write_text(yaml.safe_dump({**said, "columns": kept}, allow_unicode=True), "utf-8")
    left = synced / "lake" / "rehearsal" / "raw"  # of a run that was killed
    left.mkdir(parents=True)
    (left / "x.parquet").write_bytes(b"x")
    command = ["rehearse", "--home", str(synced), "--rules"]
    result = CliRunner().invoke(app, [*command, str(rules)], catch_exceptions=False)
    assert "Would be" in result.output
    assert everything() == before
    same = CliRunner().invoke(app, [*command, str(synced)], catch_exceptions=False)
    assert "Nothing would change" in same.output
    file.write_text(yaml.safe_dump({**said, "columns": {"name": "No such"}}), "utf-8")
    with pytest.raises(ConfigError, match="No such"):
        CliRunner().invoke(app, [*command, str(rules)], catch_exceptions=False)
    assert everything() == before

"""What is learned of sources from stewards and from corrections, in a home that was synced."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dedupe.trust import Estimate, Known
from onefold import keys, settings
from onefold.cli.app import app
from pipelines import stages
from pipelines.stages import trusting
from warehouse import engine, overrides

TELEPHONES = "phones"


def publish(home: Path) -> None:
    with stages.opened(home) as opened:
        for source in opened.sources:
            assert stages.sync(opened, source).good
            assert stages.stage(opened, source).good
        stages.publish(opened)


def estimate(home: Path, field: str, source: str) -> Estimate:
    configured = settings.load(home)
    with closing(engine.connect(configured)) as warehouse:
        learned = trusting.learn(configured, warehouse)
    return next(one for one in learned.fields[field].estimates if one.source == source)


def test_a_source_that_comes_to_say_what_another_said_was_wrong(synced: Path, world: Any) -> None:
    before = estimate(synced, TELEPHONES, "crm")
    assert before.corrections == Known()
    slip = world.CRM.replace("person,13800000003,", "person,13800000030,")
    (synced / "data" / "crm.csv").write_text(slip, encoding="utf-8")
    publish(synced)
    (synced / "data" / "crm.csv").write_text(world.CRM, encoding="utf-8")
    publish(synced)
    assert estimate(synced, TELEPHONES, "crm").corrections == Known(right=0, judged=1)
    assert estimate(synced, TELEPHONES, "erp").corrections == Known(right=1, judged=1)
    assert estimate(synced, TELEPHONES, "crm").trust < before.trust


def test_what_both_sources_changed_proves_nothing(synced: Path, world: Any) -> None:
    (synced / "data" / "crm.csv").write_text(
        world.CRM.replace("13800000003", "13800000030"), encoding="utf-8"
    )
    world.write_erp(
        synced, [tuple(one.replace("13800000003", "13800000030") for one in row)
                 for row in world.ERP]
    )  # fmt: skip
    publish(synced)
    assert estimate(synced, TELEPHONES, "crm").corrections == Known()
    assert estimate(synced, TELEPHONES, "erp").corrections == Known()


def test_a_value_that_a_steward_set_shows_who_was_right(synced: Path, world: Any) -> None:
    (synced / "data" / "crm.csv").write_text(
        world.CRM.replace("人民路300号", "人民路333号"), encoding="utf-8"
    )
    publish(synced)
    with closing(engine.connect(settings.load(synced))) as warehouse:
        with warehouse.read() as connection:
            golden_id = connection.exec_driver_sql(
                "SELECT golden_id FROM crosswalk WHERE source = 'erp' AND source_key = 'E3'"
            ).scalar_one()
        overrides.override(
            warehouse, golden_id, "address_line", "人民路300号", "ann", reason="asked"
        )
    publish(synced)
    assert estimate(synced, "address", "erp").stewards == Known(right=1, judged=1)
    assert estimate(synced, "address", "crm").stewards == Known(right=0, judged=1)


def test_corrections_are_found_in_encrypted_snapshots(
    synced: Path, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_KEY", keys.new())
    path = synced / "onefold.yml"
    path.write_text(
        path.read_text("utf-8") + "privacy: {key: '${ONEFOLD_KEY}', encrypt: [address_line]}\n",
        "utf-8",
    )
    done = CliRunner().invoke(app, ["key", "apply", "--home", str(synced)])
    assert done.exit_code == 0, done.output
    slip = world.CRM.replace("人民路300号", "人民路333号")
    (synced / "data" / "crm.csv").write_text(slip, encoding="utf-8")
    publish(synced)
    (synced / "data" / "crm.csv").write_text(world.CRM, encoding="utf-8")
    publish(synced)
    assert estimate(synced, "address", "erp").corrections == Known(right=1, judged=1)


def test_the_command_shows_shares_and_hides_values(synced: Path) -> None:
    shown = CliRunner().invoke(app, ["trust", "--examples", "--home", str(synced)])
    assert shown.exit_code == 0, shown.output
    assert "customers are of two sources" in shown.output and "too few" in shown.output
    assert not any(one in shown.output for one in ("13800000003", "人民路300号"))
    told = CliRunner().invoke(app, ["trust", "--json", "--least", "1", "--home", str(synced)])
    fields = json.loads(told.output)["fields"]
    assert {one["source"] for one in fields["name"]["sources"]} == {"crm", "erp"}

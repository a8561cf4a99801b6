"""onefold source remove: what will happen is said first, and then happens, on the record."""

from contextlib import closing
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from onefold import settings
from onefold.cli.app import app
from pipelines.run import refresh
from warehouse import engine, outcomes, removal, staged_records, sync_runs


def remove(home: Path, name: str, *options: str, answer: str = "") -> tuple[int, str]:
    command = ["source", "remove", name, "--home", str(home), *options]
    done = CliRunner().invoke(app, command, input=answer)
    return done.exit_code, done.output


def test_without_a_yes_nothing_happens(synced: Path, world: Any) -> None:
    before = world.contents(synced, frozenset()), world.files(synced / "sources")
    status, said = remove(synced, "erp", "--records", answer="n\n")
    assert status == 1
    assert "6 records of erp, in" in said
    assert (world.contents(synced, frozenset()), world.files(synced / "sources")) == before


def test_only_the_file_goes_where_the_records_shall_stay(synced: Path, world: Any) -> None:
    before = world.contents(synced, frozenset())
    assert remove(synced, "erp", answer="y\n")[0] == 0
    assert not (synced / "sources" / "erp.yml").exists()
    assert (synced / "sources" / "erp.yml.removed").is_file()
    assert world.contents(synced, frozenset()) == before


def test_records_go_as_a_recorded_delete_and_come_back_with_the_file(
    synced: Path, world: Any
) -> None:
    published = world.contents(synced)
    with closing(engine.connect(settings.load(synced))) as wh:
        expected = removal.impact(wh, "erp")
    status, said = remove(synced, "erp", "--records", "--yes")
    assert status == 0
    assert f"{expected.ending} customers will end" in said
    after = world.contents(synced)
    left = len(published["golden_customer"]) - len(after["golden_customer"])
    assert left == expected.ending
    assert expected.customers - expected.ending > 0
    with closing(engine.connect(settings.load(synced))) as wh:
        noted = sync_runs.last_sync(wh, "erp")
        assert staged_records.source_names(wh) == ["crm"]
    assert noted is not None
    assert (noted.rows_deleted, noted.rows_staged, noted.findings) == (6, 0, 0)
    assert "erp" not in outcomes.read(synced).sources
    aside = synced / "sources" / "erp.yml.removed"
    aside.rename(aside.with_suffix(""))
    assert refresh(synced).published
    back = world.contents(synced)
    assert len(back["golden_customer"]) == len(published["golden_customer"])
    assert [row[:3] for row in back["crosswalk"]] == [row[:3] for row in published["crosswalk"]]
    stayed = {row[0] for row in after["golden_customer"]}
    assert stayed < {row[0] for row in back["golden_customer"]}


def test_records_whose_file_is_gone_can_be_taken_out_too(synced: Path, world: Any) -> None:
    (synced / "sources" / "erp.yml").unlink()
    status, _ = remove(synced, "erp", "--records", "--yes")
    assert status == 0
    assert {row[0] for row in world.contents(synced)["crosswalk"]} == {"crm"}


def test_the_last_source_leaves_the_golden_table_as_it_was(synced: Path, world: Any) -> None:
    (synced / "sources" / "erp.yml").unlink()
    golden = world.contents(synced)["golden_customer"]
    status, said = remove(synced, "crm", "--records", "--yes")
    assert status == 0
    assert "No source is left" in said
    assert world.contents(synced)["golden_customer"] == golden


def test_a_source_that_is_none_is_refused(synced: Path) -> None:
    done = CliRunner().invoke(app, ["source", "remove", "sap", "--home", str(synced)])
    assert "there is no such source" in str(done.exception)

"""Whether every source is in step: what is kept of syncs, and what `onefold status` says."""

import json
import os
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors import file_state
from onefold import settings
from onefold.cli.app import app
from pipelines import stages
from warehouse import engine, outcomes
from warehouse.health import UNREAD_WITHIN, Health, SourceHealth, examine
from warehouse.outcomes import GoldenOutcome

Edit = Callable[[str, str, str], None]


def sync(home: Path, *sources: str) -> None:
    """Read and stage sources and publish, noting how it went, as the assets do."""
    with stages.opened(home) as opened:
        for source in sources or ("crm", "erp"):
            synced = stages.sync(opened, source)
            stages.note_source(opened, synced, stages.stage(opened, source))
        stages.publish(opened)
        stages.note_golden(opened)


def look(home: Path, now: datetime | None = None) -> Health:
    config = settings.load(home)
    with closing(engine.connect(config)) as wh:
        return examine(config, wh, now)


def of(found: Health) -> dict[str, SourceHealth]:
    return {one.source: one for one in found.sources}


def command(home: Path, *options: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["status", "--home", str(home), *options])
    return done.exit_code, done.output


def test_an_unchanged_sync_makes_a_source_fresh_though_it_writes_nothing(
    synced: Path, world: Any
) -> None:
    before = world.contents(synced, frozenset())
    sync(synced)
    assert world.contents(synced, frozenset()) == before
    crm = of(look(synced))["crm"]
    assert (crm.status, crm.freshness) == ("ok", "fresh")
    assert crm.age is not None
    assert crm.age < timedelta(minutes=5)
    assert (crm.read, crm.staged, crm.held, crm.added) == (8, 7, 1, 0)
    assert crm.quarantine_rate == 1 / 8
    assert crm.newest_at == datetime(2024, 3, 5, tzinfo=UTC)
    assert crm.lag is not None
    assert crm.lag > timedelta(days=365)


def test_a_source_is_stale_when_its_last_good_sync_is_older_than_its_schedule_leaves(
    synced: Path,
) -> None:
    sync(synced)
    last = of(look(synced))["crm"].last_good_at
    assert last is not None
    assert of(look(synced, last + timedelta(hours=26)))["crm"].freshness == "fresh"
    late = look(synced, last + timedelta(hours=26, seconds=1))
    assert of(late)["crm"].freshness == "stale"
    assert of(late)["erp"].freshness == "unwatched"
    assert not late.well


def test_a_failed_sync_neither_makes_a_source_fresh_nor_takes_its_figures(synced: Path) -> None:
    sync(synced)
    good = of(look(synced))["crm"]
    (synced / "data" / "crm.csv").unlink()
    sync(synced)
    first = of(look(synced))["crm"]
    sync(synced)
    bad = of(look(synced))["crm"]
    assert bad.status == "failed"
    assert "crm.csv" in bad.message
    assert bad.last_good_at == good.last_good_at
    assert bad.since == first.since
    assert (bad.read, bad.staged, bad.held) == (8, 7, 1)
    assert not look(synced).well


def test_a_source_that_lost_most_rows_is_held(synced: Path, world: Any) -> None:
    world.write_erp(synced, world.ERP[:1])
    sync(synced)
    erp = of(look(synced))["erp"]
    assert (erp.status, erp.staged) == ("held", 6)


def test_without_the_file_of_outcomes_the_tables_speak(synced: Path) -> None:
    sync(synced)
    noted = of(look(synced))["crm"]
    for file in (synced / outcomes.FOLDER).iterdir():
        file.unlink()
    known = of(look(synced))["crm"]
    assert known.status == "ok"
    assert (known.read, known.staged, known.held) == (noted.read, noted.staged, noted.held)
    assert known.last_good_at is not None
    assert look(synced).golden.status == "ok"


def test_a_damaged_file_of_outcomes_is_as_none(synced: Path) -> None:
    sync(synced)
    (synced / outcomes.FOLDER / "outcomes.json").write_text('{"sources": {"crm"', encoding="utf-8")
    assert of(look(synced))["crm"].status == "ok"
    sync(synced)
    assert of(look(synced))["crm"].added == 0


def test_a_source_never_read_is_stale_once_it_could_have_been(home: Path) -> None:
    engine.migrate(settings.load(home))
    assert (of(look(home))["crm"].status, of(look(home))["crm"].freshness) == ("never", "fresh")
    assert look(home).golden.status == "never"
    assert command(home)[0] == 0
    long_ago = time.time() - 27 * 3600
    os.utime(home / "sources" / "crm.yml", (long_ago, long_ago))
    assert of(look(home))["crm"].freshness == "stale"
    assert command(home)[0] == 3


def test_records_without_a_file_are_said_with_what_to_do(synced: Path) -> None:
    (synced / "sources" / "erp.yml").unlink()
    status, said = command(synced)
    assert status == 3
    assert "undeclared" in said
    assert "onefold source remove erp" in said


def test_the_command_ends_with_3_and_says_why(synced: Path, edit: Edit) -> None:
    sync(synced)
    assert command(synced)[0] == 0
    edit("sources/erp.yml", "key: id", "kye: id")
    status, said = command(synced)
    assert status == 3
    assert "erp: failed; its last good records stay." in said
    assert "Did you mean 'key'?" in said


def test_the_command_says_what_holds_the_golden_table_back(synced: Path) -> None:
    sync(synced)
    held = GoldenOutcome("held", "quarantine, check no_record_lost: 1 of 6 fail.")
    outcomes.note_golden(synced, held)
    status, said = command(synced)
    assert status == 3
    assert "held back by a check" in said
    assert "no_record_lost" in said
    sync(synced)
    assert command(synced)[0] == 0


def test_a_program_gets_the_same_as_json(synced: Path) -> None:
    sync(synced)
    status, said = command(synced, "--json")
    found = json.loads(said)
    assert status == 0
    assert found["well"] is True
    crm = found["sources"][0]
    assert crm["source"] == "crm"
    assert (crm["freshness"], crm["fresh_within_seconds"]) == ("fresh", 26 * 3600)
    assert (crm["rows_read"], crm["records"], crm["held"]) == (8, 7, 1)
    assert crm["quarantine_rate"] == pytest.approx(0.125)
    assert found["golden"]["status"] == "ok"


def _refresh(home: Path) -> None:
    """As the assets do: the state of the files is noted before they are read."""
    with stages.opened(home) as opened:
        opened.seen["crm"] = file_state.name(opened.sources["crm"])
        synced = stages.sync(opened, "crm")
        stages.note_source(opened, synced, stages.stage(opened, "crm"))
        stages.publish(opened)
        stages.note_golden(opened)


@pytest.fixture
def by_files(synced: Path, edit: Edit) -> Path:
    """A home whose source crm has neither schedule nor limit, synced."""
    edit("sources/crm.yml", 'schedule: "30 2 * * *"', "")
    _refresh(synced)
    return synced


def test_files_without_a_schedule_are_fresh_while_they_are_those_that_were_read(
    by_files: Path,
) -> None:
    crm = of(look(by_files, datetime.now(UTC) + timedelta(days=400)))["crm"]
    assert (crm.freshness, crm.unread_since, crm.fresh_within) == ("fresh", None, UNREAD_WITHIN)


def test_files_that_changed_make_a_source_stale_when_they_were_not_read_in_time(
    by_files: Path,
) -> None:
    changed = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
    path = by_files / "data" / "crm.csv"
    os.utime(path, (changed.timestamp(), changed.timestamp()))
    assert of(look(by_files, changed))["crm"].unread_since == changed
    assert of(look(by_files, changed + UNREAD_WITHIN))["crm"].freshness == "fresh"
    late = look(by_files, changed + UNREAD_WITHIN + timedelta(seconds=1))
    assert of(late)["crm"].freshness == "stale"
    assert not late.well
    _refresh(by_files)
    assert of(look(by_files, changed + timedelta(days=400)))["crm"].freshness == "fresh"


def test_a_file_put_there_with_an_old_time_waits_since_the_last_good_sync(by_files: Path) -> None:
    path = by_files / "data" / "crm.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("C1", "C8"), encoding="utf-8")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    crm = of(look(by_files))["crm"]
    assert crm.unread_since == crm.last_good_at


def test_a_failed_sync_leaves_known_which_files_were_read(by_files: Path) -> None:
    path = by_files / "data" / "crm.csv"
    text, times = path.read_bytes(), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.unlink()
    _refresh(by_files)
    crm = of(look(by_files))["crm"]
    assert (crm.status, crm.unread_since) == ("failed", crm.last_good_at)
    path.write_bytes(text)
    os.utime(path, ns=times)
    assert of(look(by_files))["crm"].unread_since is None


def test_the_command_says_since_when_changed_files_wait(by_files: Path) -> None:
    long_ago = (datetime.now(UTC) - timedelta(days=3)).isoformat(timespec="seconds")
    noted = by_files / "operations" / "outcomes.json"
    found = json.loads(noted.read_text(encoding="utf-8"))
    found["sources"]["crm"] |= {"good_at": long_ago, "files": "another"}
    noted.write_text(json.dumps(found), encoding="utf-8")
    path = by_files / "data" / "crm.csv"
    two_days = time.time() - 2 * 86_400
    os.utime(path, (two_days, two_days))
    code, said = command(by_files)
    assert code == 3
    assert "crm: stale; its files changed" in said
    assert "were not read within 1d 2h" in said

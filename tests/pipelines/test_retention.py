"""Raw snapshots end by age, and never the ones that are needed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from connectors import snapshot
from onefold.cli.app import app
from pipelines import stages
from pipelines.stages import retention


def _days(home: Path, days: int) -> None:
    path = home / "onefold.yml"
    path.write_text(path.read_text("utf-8") + f"privacy: {{raw_keep_days: {days}}}\n", "utf-8")


def _aged(home: Path, source: str, ages: list[int]) -> list[str]:
    """Rename a source's snapshots to what they would be called, so many days old."""
    folder = home / "lake" / "raw" / source
    names = []
    for path, age in zip(sorted(folder.glob("*.parquet")), ages, strict=True):
        began = datetime.now(UTC) - timedelta(days=age)
        names.append(f"{began:%Y%m%dT%H%M%S%f}Z-{path.stem[-6:]}")
        path.rename(folder / f"{names[-1]}.parquet")
    return names


def _synced_again(home: Path, world: Any, number: int) -> None:
    line = f"C2{number},周敏,person,1380000002{number},,南京,洪武路{number}号,2024-01-05\n"
    (home / "data" / "crm.csv").write_text(world.CRM + line, encoding="utf-8")
    with stages.opened(home) as opened:
        stages.sync(opened, "crm")
        stages.stage(opened, "crm")


def test_a_snapshot_goes_when_the_next_one_is_older_than_is_kept(synced: Path, world: Any) -> None:
    for number in (1, 2):
        _synced_again(synced, world, number)
    names = _aged(synced, "crm", [90, 40, 10])
    _days(synced, 30)
    with stages.opened(synced) as opened:
        assert retention.prune(opened) == {"crm": 1}
        left = [path.stem for path in sorted((synced / "lake/raw/crm").glob("*.parquet"))]
    assert left == names[1:]  # the second one says how things stood 30 days ago


def test_the_newest_snapshot_and_the_staged_one_stay_whatever_their_age(
    synced: Path, world: Any
) -> None:
    _synced_again(synced, world, 1)
    _days(synced, 1)
    with stages.opened(synced) as opened:
        later = datetime.now(UTC) + timedelta(days=400)
        kept = snapshot.latest(opened.lake, "crm")
        assert retention.prune(opened, later) == {"crm": 1}
        assert snapshot.latest(opened.lake, "crm") == kept
        assert retention.prune(opened, later) == {}
        assert stages.sync(opened, "crm").status == "unchanged"


def test_a_source_may_say_its_own_and_a_dry_run_removes_nothing(synced: Path, world: Any) -> None:
    _synced_again(synced, world, 1)
    _aged(synced, "crm", [90, 60])
    _days(synced, 30)
    path = synced / "sources" / "crm.yml"
    path.write_text(path.read_text("utf-8") + "raw_keep_days: 365\n", "utf-8")
    done = CliRunner().invoke(app, ["prune", "--dry-run", "--home", str(synced)])
    assert "No snapshot" in done.output
    path.write_text(path.read_text("utf-8").replace("365", "20"), "utf-8")
    done = CliRunner().invoke(app, ["prune", "--dry-run", "--home", str(synced)])
    assert "crm: 1 snapshots would be removed" in done.output
    assert len(list((synced / "lake/raw/crm").glob("*.parquet"))) == 2

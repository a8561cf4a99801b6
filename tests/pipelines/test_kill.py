"""kill -9 in the middle of each stage, then a refresh: the same result as without."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

BEFORE_STAGED = [
    ("file", "lake/raw/erp"),
    ("sql", "sync_run (source"),
]
AFTER_STAGED = [
    ("file", "lake/canonical_checks"),
    ("file", "lake/features"),
    ("file", "lake/candidates"),
    ("message", "scored_pairs: training"),
    ("file", "models/person"),
    ("file", "models/organization"),
    ("file", "lake/scored_pairs"),
    ("file", "lake/suggestions"),
    ("file", "lake/clusters"),
    ("message", "golden_customer: choosing"),
    ("sql", "publish_run (publish_id"),
]
"""Where the process dies: kind and point, see killed.py."""

Run = Callable[[Path, str, str], int]


@pytest.fixture(scope="module")
def run(_synced: Path) -> Iterator[Run]:
    """Runs all stages in a process of their own, dying at a point; returns its exit code."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("killed.py")), str(_synced)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin
    assert server.stdout

    def ask(home: Path, kind: str, point: str) -> int:
        server.stdin.write(f"{home}\t{kind}\t{point}\n")
        server.stdin.flush()
        return int(server.stdout.readline())

    yield ask
    server.stdin.close()
    server.wait(10)


@pytest.fixture(scope="module")
def staged_only(_synced: Path, tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """A home whose first run was killed when all records were staged; to be copied."""
    home = tmp_path_factory.mktemp("staged") / "home"
    for name in ("sources", "data"):
        shutil.copytree(_synced / name, home / name)
    shutil.copy(_synced / "onefold.yml", home)
    assert run(home, "message", "quarantine: checking") == -9
    return home


def _outcome(world: Any, home: Path) -> dict[str, Any]:
    """All that must be the same, whether or not a run was killed."""
    tables = ("candidates", "scored_pairs", "clusters", "suggestions")
    return {
        **world.contents(home),
        "models": world.files(home / "models"),
        **{table: world.lake_rows(home, table) for table in tables},
    }


def _ids(points: list[tuple[str, str]]) -> list[str]:
    return [f"{kind} {point}" for kind, point in points]


@pytest.mark.parametrize(("kind", "point"), BEFORE_STAGED, ids=_ids(BEFORE_STAGED))
def test_killed_while_reading_and_staging_the_next_run_mends_it(
    home: Path, _synced: Path, run: Run, world: Any, kind: str, point: str
) -> None:
    assert run(home, kind, point) == -9
    assert run(home, "none", "") == 0
    assert _outcome(world, home) == _outcome(world, _synced)
    assert not list((home / "lake").rglob("*.tmp"))


@pytest.mark.parametrize(("kind", "point"), AFTER_STAGED, ids=_ids(AFTER_STAGED))
def test_killed_while_matching_and_publishing_the_next_run_mends_it(
    staged_only: Path, tmp_path: Path, _synced: Path, run: Run, world: Any, kind: str, point: str
) -> None:
    home = shutil.copytree(staged_only, tmp_path / "home")
    assert run(home, kind, point) == -9
    assert run(home, "none", "") == 0
    assert _outcome(world, home) == _outcome(world, _synced)
    assert not list(home.rglob("*.tmp"))


@pytest.mark.parametrize("point", ["sync_run (", "publish_run ("])
def test_a_killed_update_leaves_readers_the_old_customers(
    any_synced: Path, synced_change: Path, run: Run, world: Any, point: str
) -> None:
    before = world.contents(any_synced)
    shutil.copy(synced_change / "data" / "erp.db", any_synced / "data" / "erp.db")
    assert run(any_synced, "write", point) == -9
    half = world.contents(any_synced)
    assert half["golden_customer"] == before["golden_customer"]
    assert half["crosswalk"] == before["crosswalk"]
    assert run(any_synced, "none", "") == 0
    assert world.contents(any_synced) == world.contents(synced_change)


@pytest.fixture(scope="module")
def synced_change(
    _synced: Path, tmp_path_factory: pytest.TempPathFactory, run: Run, world: Any
) -> Path:
    """A home that nobody killed, after one record changed, one came and one went."""
    home = shutil.copytree(_synced, tmp_path_factory.mktemp("change") / "home")
    changed = (*world.ERP[3][:6], "延陵路41号")
    new = ("E9", "孙悦", "P", "13812345678", "", "南京市", "汉中路1号")
    world.write_erp(home, [*world.ERP[:3], changed, world.ERP[4], new])
    assert run(home, "none", "") == 0
    return home


def test_a_killed_run_keeps_what_it_had_finished(
    staged_only: Path, tmp_path: Path, run: Run
) -> None:
    home = shutil.copytree(staged_only, tmp_path / "home")
    assert run(home, "message", "scored_pairs: scoring") == -9
    tables = ("canonical_checks", "features", "candidates")
    finished = [path for table in tables for path in (home / "lake" / table).iterdir()]
    assert len(finished) == 3
    stamps = {path: path.stat().st_mtime_ns for path in finished}
    assert run(home, "none", "") == 0
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps

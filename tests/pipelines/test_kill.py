"""kill -9 in the middle of each stage, then a refresh: the same result as without."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import lake

POINTS = [
    ("message", "raw/crm: reading"),
    ("file", "lake/raw/erp"),
    ("message", "staged/crm: cleaning"),
    ("message", "staged/erp: writing"),
    ("sql", "sync_run (source"),
    ("file", "lake/canonical_checks"),
    ("file", "lake/features"),
    ("file", "lake/candidates"),
    ("message", "scored_pairs: training"),
    ("file", "models/person"),
    ("file", "models/organization"),
    ("message", "scored_pairs: scoring"),
    ("file", "lake/scored_pairs"),
    ("message", "clusters: grouping"),
    ("file", "lake/suggestions"),
    ("file", "lake/clusters"),
    ("message", "golden_customer: choosing"),
    ("sql", "golden_customer_history"),
    ("sql", "publish_run (publish_id"),
]
"""Where the process dies: kind and point, see killed.py."""

Run = Callable[[Path, str, str], int]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Runs all stages in a process of their own, dying at a point; returns its exit code."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("killed.py"))],
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
def undisturbed() -> dict[str, Any]:
    """Room for what a home holds whose run nobody killed."""
    return {}


def _outcome(world: Any, home: Path) -> dict[str, Any]:
    return {
        **world.contents(home),
        "models": world.files(home / "models"),
        **{
            table: world.lake_rows(home, table)
            for table in ("candidates", "scored_pairs", "clusters", "suggestions")
        },
    }


@pytest.mark.parametrize(("kind", "point"), POINTS, ids=[f"{k}-{p}" for k, p in POINTS])
def test_a_killed_run_leaves_nothing_that_the_next_cannot_mend(
    home: Path,
    tmp_path: Path,
    run: Run,
    undisturbed: dict[str, Any],
    world: Any,
    kind: str,
    point: str,
) -> None:
    if not undisturbed:
        calm = world.write_home(tmp_path / "calm")
        assert run(calm, "none", "") == 0
        undisturbed |= _outcome(world, calm)
    assert run(home, kind, point) == -9
    assert run(home, "none", "") == 0
    assert _outcome(world, home) == undisturbed
    assert not list((home / "lake").rglob("*.tmp"))


@pytest.mark.parametrize("point", ["staged_customer (", "golden_customer_history", "publish_run ("])
def test_postgresql_rolls_back_what_a_killed_run_began(
    tmp_path: Path, postgres_database: str, run: Run, world: Any, point: str
) -> None:
    home = world.write_home(tmp_path / "home", postgres_database)
    assert run(home, "none", "") == 0
    before = world.contents(home)
    changed = [(*world.ERP[3][:6], "延陵路41号"), ("E9", "孙悦", "P", "13800000019", "", "", "")]
    world.write_erp(home, [*world.ERP[:3], *changed, *world.ERP[4:]])
    assert run(home, "sql", point) == -9
    half = world.contents(home)
    assert half["golden_customer"] == before["golden_customer"]
    assert half["crosswalk"] == before["crosswalk"]
    assert run(home, "none", "") == 0
    after = world.contents(home)
    assert len(after["crosswalk"]) == len(before["crosswalk"]) + 1
    calm = world.write_home(tmp_path / "calm")
    assert run(calm, "none", "") == 0
    shutil.copy(home / "data" / "erp.db", calm / "data" / "erp.db")
    assert run(calm, "none", "") == 0
    assert world.contents(calm)["golden_customer"] == after["golden_customer"]


def test_a_killed_run_keeps_what_it_had_finished(home: Path, run: Run) -> None:
    assert run(home, "message", "scored_pairs: scoring") == -9
    finished = {table: list((home / "lake" / table).glob("*.parquet")) for table in lake.TABLES[:3]}
    assert all(len(paths) == 1 for paths in finished.values())
    stamps = {path: path.stat().st_mtime_ns for paths in finished.values() for path in paths}
    assert run(home, "none", "") == 0
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps

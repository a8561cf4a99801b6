"""kill -9 in the middle of each stage, then a refresh: the same result as without."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from onefold import keys, settings
from onefold.cli.app import app
from warehouse import decisions, engine, erasures

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

Run = Callable[..., int]
KEY = keys.new()


@pytest.fixture(scope="module")
def run(_synced: Path) -> Iterator[Run]:
    """Runs all stages, or another act, in a process of its own that dies at a point.

    Returns its exit code.
    """
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("killed.py")), str(_synced)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "ONEFOLD_KEY": KEY},
    )
    assert server.stdin
    assert server.stdout

    def ask(home: Path, kind: str, point: str, act: str = "run") -> int:
        server.stdin.write(f"{home}\t{kind}\t{point}\t{act}\n")
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


ERASING = [
    ("file", "lake/raw/crm"),
    ("write", "decision SET"),
    ("write", "golden_customer_history SET"),
    ("file", "lake/features"),
    ("file", "lake/clusters"),
    ("write", "publish_run ("),
    ("rename", "golden.csv"),
    ("write", "erasure SET remaining"),
    ("write", "erasure SET finished_at"),
]
"""Where an erasure dies, one after the other: each time whoever opens the home goes on with it."""
OF_THE_ERASURE = ("erasure", "suppression", "audit_event")


def _with_export(home: Path) -> Path:
    """A home with a key, a decision on C2 and an export."""
    path = home / "onefold.yml"
    section = "privacy: {key: '${ONEFOLD_KEY}', encrypt: []}\n"
    path.write_text(path.read_text("utf-8") + section, "utf-8")
    wh = engine.connect(settings.load(home))
    decisions.add(
        wh, "no_link", left_id="crm:C2", right_id="crm:C3", reason="李娜", decided_by="ann"
    )
    wh.close()
    done = CliRunner().invoke(app, ["export", f"{home}/golden.csv", "--home", str(home)])
    assert done.exit_code == 0
    return home


def test_an_erasure_that_is_killed_again_and_again_ends_as_one_that_is_not(
    synced: Path, tmp_path: Path, run: Run, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_KEY", KEY)
    at_once = _with_export(shutil.copytree(synced, tmp_path / "at once"))
    home = _with_export(synced)
    values = world.own_values({"李娜"})
    (tmp_path / "none").mkdir()
    before = world.contents(home, frozenset())
    assert run(home, "write", "suppression (", "erase C2") == -9
    assert world.contents(home, frozenset()) == before  # nothing was noted, nothing is begun
    assert world.traces(home, tmp_path / "none", values).keys() == values
    for number, (kind, point) in enumerate(ERASING):
        act = "open" if number else "erase C2"
        assert run(home, kind, point, act) == -9, point
        wh = engine.connect(settings.load(home))
        assert [one.erasure_id for one in erasures.under_way(wh)] == ["E000001"]
        wh.close()
    assert run(home, "none", "", "open") == 0
    assert world.traces(home, tmp_path / "none", values) == {}
    assert run(at_once, "none", "", "erase C2") == 0
    when = frozenset({*world._VARY, "decided_at", "revoked_at"})
    ended, expected = (world.contents(each, when) for each in (home, at_once))
    for table in expected.keys() - OF_THE_ERASURE:
        assert ended[table] == expected[table], table


REHEARSING = [
    ("write", "sync_run ("),
    ("file", "rehearsal/features"),
    ("message", "golden_customer: publishing"),
]


def test_a_killed_rehearsal_of_other_cleaning_leaves_nothing_behind(
    any_synced: Path, tmp_path: Path, run: Run, world: Any
) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(any_synced / "sources", rules / "sources")
    file = rules / "sources" / "crm.yml"
    file.write_text(file.read_text("utf-8").replace("email: Email, ", ""), "utf-8")
    before = world.contents(any_synced, frozenset())
    files = world.files(any_synced / "lake")
    for kind, point in REHEARSING:
        assert run(any_synced, kind, point, f"rehearse {rules}") == -9, point
        assert world.contents(any_synced, frozenset()) == before
    for act in ("open", f"rehearse {rules}"):
        assert run(any_synced, "none", "", act) == 0
        assert world.contents(any_synced, frozenset()) == before
        assert world.files(any_synced / "lake") == files

"""onefold label and onefold train as a user runs them."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from onefold import settings
from warehouse import decisions, engine

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, demo_homes: Callable[[str], Path]) -> Path:
    return shutil.copytree(demo_homes("en"), tmp_path_factory.mktemp("label") / "home")


def in_force(home: Path) -> list[dict[str, object]]:
    with closing(engine.connect(settings.load(home))) as wh:
        return decisions.read(wh).to_pylist()


def test_answers_become_decisions_and_can_be_taken_back(home: Path, onefold: Command) -> None:
    done = onefold(
        *("label", "--count", 4, "--by", "tester", "--home", home),
        cwd=home,
        said="y\nn\nb\n?\nu\nn\n",
    )
    assert done.returncode == 0, done.stderr
    assert "1 of 4" in done.stdout
    assert "Press one of" in done.stdout
    assert "2 decisions kept (1 link, 1 no-link); 1 not sure." in done.stdout
    kept = in_force(home)
    assert [one["kind"] for one in kept] == ["link", "no_link"]
    assert {one["decided_by"] for one in kept} == {"tester"}
    again = onefold("label", "--count", 4, "--home", home, cwd=home, said="q\n")
    shown = [str(kept[0]["left_id"]), str(kept[0]["right_id"])]
    assert not all(name in again.stdout for name in shown)


def test_training_with_labels_makes_a_new_model_once(
    home: Path, onefold: Command, tmp_path: Path
) -> None:
    file = tmp_path / "judged.csv"
    with closing(engine.connect(settings.load(home))) as wh:
        from warehouse import staged_records

        ids = sorted(staged_records.read(wh).column("record_id").to_pylist())
    rows = [f"{ids[i]},{ids[i + 1]},no" for i in range(0, 120, 2)]
    file.write_text("\n".join(["left_id,right_id,is_match", *rows]) + "\n", encoding="utf-8")
    first = onefold("train", "--labels", file, "--home", home, cwd=home)
    assert first.returncode == 0, first.stderr
    assert (home / "labels" / "judged.csv").is_file()
    assert "(new)" in first.stdout
    assert any("organization" in line and " (new)" in line for line in first.stdout.splitlines())
    second = onefold("train", "--home", home, cwd=home)
    assert "The models come out as they were." in second.stdout
    refreshed = onefold("refresh", "--home", home, cwd=home)
    assert refreshed.returncode == 0, refreshed.stderr


def test_a_broken_file_of_labels_is_not_kept(home: Path, onefold: Command, tmp_path: Path) -> None:
    file = tmp_path / "broken.csv"
    file.write_text("left_id,right_id,is_match\na:1,b:1,perhaps\n", encoding="utf-8")
    done = onefold("train", "--labels", file, "--home", home, cwd=home)
    assert done.returncode == 2
    assert "pair 1: is_match is neither yes nor no" in done.stderr
    assert not (home / "labels" / "broken.csv").exists()

"""The command line as a user runs it: its words and its exit code."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

DEMO = Path(__file__).parents[2] / "demo"


Command = Callable[..., Any]


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of the lake and the warehouse, with its bytes."""
    files = [*(folder / "lake").rglob("*"), *folder.glob("*.db*"), *(folder / "models").rglob("*")]
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if f.is_file()}


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory, demo_homes: Callable[[str], Path]
) -> tuple[Path, str]:
    """A finished Chinese demo home and what the command said."""
    home = shutil.copytree(demo_homes("zh"), tmp_path_factory.mktemp("demo") / "home")
    return home, (home / "said.txt").read_text(encoding="utf-8")


def test_demo_ends_with_a_table_of_sources_customers_and_quality(demo: tuple[Path, str]) -> None:
    _, said = demo
    for source in ("erp", "excel", "legacy", "crm"):
        assert source in said
    for line in ("pairs compared", "golden customers", "merge suggestions", "F1 (pairs)"):
        assert line in said


def test_every_record_of_the_demo_has_a_golden_id(
    onefold: Command, demo: tuple[Path, str], tmp_path: Path
) -> None:
    home, _ = demo
    file = tmp_path / "crosswalk.parquet"
    done = onefold("export", "--crosswalk", file, "--home", home, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    crosswalk = pq.read_table(file)
    assert crosswalk.column_names == ["source", "source_key", "position", "golden_id"]
    truth = pq.read_table(DEMO / "zh" / "truth" / "truth.parquet").to_pylist()
    have = {
        (row["source"], row["position"] if row["source"] == "excel" else row["source_key"])
        for row in crosswalk.to_pylist()
    }
    assert have == {(row["source"], row["source_key"]) for row in truth}
    assert crosswalk["golden_id"].null_count == 0


def test_second_refresh_says_that_nothing_changed_and_writes_nothing(
    onefold: Command,
    demo: tuple[Path, str],
) -> None:
    home, _ = demo
    before = bytes_of(home)
    done = onefold("refresh", "--home", home, cwd=home)
    assert done.returncode == 0, done.stderr
    assert "Nothing changed, nothing was written" in done.stdout
    assert bytes_of(home) == before


def test_accuracy_and_calibration_of_the_demo_do_not_rot(
    onefold: Command, demo: tuple[Path, str], tmp_path: Path
) -> None:
    home, _ = demo
    truth = DEMO / "zh" / "truth"
    done = onefold(
        "evaluate",
        "--truth",
        truth / "truth.parquet",
        "--hard-negatives",
        truth / "hard_negatives.parquet",
        "--home",
        home,
        "--plot",
        tmp_path / "calibration.svg",
        "--json",
        tmp_path / "figures.json",
        cwd=home,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    golden, calibration = figures["golden_table"], figures["calibration"]
    assert golden["f1"] >= 0.95
    assert golden["hard_negatives_merged_share"] < 0.05
    assert f"F1 (pairs) {golden['f1']:.3f}" in " ".join(done.stdout.split())
    assert len(calibration["bins"]) == 10
    assert sum(one["pairs"] for one in calibration["bins"]) == calibration["pairs"] > 2000
    assert calibration["expected_error"] < 0.02
    assert calibration["largest_beyond_chance"] < 0.05
    assert "predicted probability" in (tmp_path / "calibration.svg").read_text(encoding="utf-8")


def test_a_plot_of_an_unknown_kind_is_refused_before_any_work(
    onefold: Command, demo: tuple[Path, str], tmp_path: Path
) -> None:
    truth = DEMO / "zh" / "truth" / "truth.parquet"
    done = onefold(
        "evaluate", "--truth", truth, "--plot", "plot.bmp", "--home", demo[0], cwd=tmp_path
    )
    assert done.returncode == 2
    assert ".svg" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_golden_table_is_exported(
    onefold: Command, demo: tuple[Path, str], tmp_path: Path, suffix: str
) -> None:
    home, _ = demo
    done = onefold("export", tmp_path / f"golden.{suffix}", cwd=tmp_path, ONEFOLD_HOME=str(home))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"golden.{suffix}").stat().st_size > 1000


def test_doctor_finds_nothing_wrong_with_a_demo_home(
    onefold: Command, demo: tuple[Path, str]
) -> None:
    home, _ = demo
    done = onefold("doctor", "--home", home, cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bad" not in done.stdout


def test_one_broken_source_exits_with_3_and_the_others_go_on(
    onefold: Command, demo: tuple[Path, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo[0], home)
    file = home / "sources" / "crm.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("crm.csv", "gone.csv"), encoding="utf-8")
    done = onefold("refresh", "--home", home, cwd=tmp_path)
    assert done.returncode == 3
    assert "gone.csv" in done.stderr
    assert "its last good records stay" in done.stderr
    doctor = onefold("doctor", "--home", home, cwd=tmp_path)
    assert doctor.returncode == 1
    assert "gone.csv" in doctor.stdout


def test_doctor_lists_every_broken_source_file(
    onefold: Command, demo: tuple[Path, str], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo[0], home)
    for name, line in (("crm", "kolumns: {}"), ("erp", "table: [")):
        file = home / "sources" / f"{name}.yml"
        file.write_text(f"{line}\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    doctor = onefold("doctor", "--home", home, cwd=tmp_path)
    assert doctor.returncode == 1
    assert "sources/crm.yml, kolumns: this setting is not known" in doctor.stdout
    assert "sources/erp.yml, line" in doctor.stdout
    assert doctor.stdout.count("ok  source") == 2
    done = onefold("refresh", "--home", home, cwd=tmp_path)
    assert done.returncode == 3
    assert "sources/erp.yml, line" in done.stderr


def test_init_makes_a_home_that_doctor_knows(onefold: Command, tmp_path: Path) -> None:
    done = onefold("init", tmp_path / "home", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for name in ("onefold.yml", "dagster.yaml", "sources", "warehouse.db", "review.db"):
        assert (tmp_path / "home" / name).exists()
    doctor = onefold("doctor", "--home", tmp_path / "home", cwd=tmp_path)
    assert "none yet" in doctor.stdout


def test_no_home_is_said_in_words_with_exit_code_2(onefold: Command, tmp_path: Path) -> None:
    done = onefold("refresh", "--home", tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert "this is not an Onefold home" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_refuses_a_folder_that_is_no_world(onefold: Command, tmp_path: Path) -> None:
    done = onefold("demo", "--data", tmp_path, "--home", tmp_path / "h", cwd=tmp_path)
    assert done.returncode == 2
    assert "this is not a demo world" in done.stderr
    assert not (tmp_path / "h").exists()


def test_records_staged_are_counted_over_all_sources_when_one_is_refreshed(
    onefold: Command,
    demo: tuple[Path, str],
) -> None:
    done = onefold("refresh", "--source", "crm", "--home", demo[0], cwd=demo[0])
    assert done.returncode == 0, done.stderr
    assert re.search(r"records staged +2,000\b", done.stdout)

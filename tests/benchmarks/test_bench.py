import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import bench, datasets, environments
from benchmarks.runners import goldenmatch_run, splink_run, splink_tables
from onefold.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(datasets, "CACHE", tmp_path / "cache")
    return tmp_path


def arguments(*words: str) -> object:
    return bench.parser().parse_args(words)


def test_a_fresh_clone_has_febrl_both_demo_worlds_and_people() -> None:
    found = datasets.catalog([ROOT / "demo/zh", ROOT / "demo/en"], [10_000], Path("not-there"))
    assert [data.name for data in found] == [
        "febrl3", "febrl4", "demo-zh", "demo-en", "people-10k",
    ]  # fmt: skip


def test_runs_are_those_asked_for() -> None:
    sets = datasets.catalog([], [1000], None)
    runs = bench.chosen(arguments("--only", "splink:people-1k", "onefold:febrl3"), sets)
    assert {(run.tool, run.data.name) for run in runs} == {
        ("onefold", "febrl3"),
        ("splink", "people-1k"),
    }
    with pytest.raises(ConfigError, match="no such data set"):
        bench.chosen(arguments("--datasets", "zh6k"), sets)


def test_a_failed_run_is_made_again_and_a_slow_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "RESULTS", tmp_path)
    run = bench.Run("splink", datasets.DataSet("people-1k", "people", size=1000), 60)
    assert not run.known()
    for status, known in (("failed", False), ("timeout", True), ("done", True)):
        run.result.write_text(json.dumps({"measured": {"status": status}}))
        assert run.known() is known


def test_people_are_prepared_once_and_alike(cache: Path) -> None:
    data = datasets.DataSet("people-300", "people", size=300)
    about = datasets.prepare(data)
    assert about.records == 300
    assert datasets.prepare(data) == about
    assert [path.name for path in datasets.files(data)] == ["people.csv"]
    assert "entity_id" not in datasets.files(data)[0].read_text()


def test_a_world_is_one_table_of_its_four_systems(cache: Path) -> None:
    data = datasets.catalog([ROOT / "demo/en"], [], None)[-1]
    about = datasets.prepare(data)
    assert (about.records, about.lang) == (2000, "en")
    records = pq.read_table(data.folder / "records.parquet")
    truth = pq.read_table(data.folder / "truth.parquet")
    assert set(records["source"].to_pylist()) == {"crm", "erp", "excel", "legacy"}
    assert set(truth["record_id"].to_pylist()) == set(records["record_id"].to_pylist())


@pytest.mark.parametrize("tool", environments.TOOLS)
def test_a_shown_command_names_no_folder_of_this_machine(tool: str, cache: Path) -> None:
    for data in datasets.catalog([ROOT / "demo/zh"], [1000], None):
        run = bench.Run(tool, data, 60)
        shown = run.shown(run.command(Path("/somewhere/bin/python")))
        assert str(ROOT) not in shown
        assert str(cache) not in shown
        assert "/somewhere" not in shown


def test_every_kind_of_data_has_a_model_and_a_mode() -> None:
    kinds = {"febrl3", "febrl4", "historical", "people", "world"}
    assert set(splink_run.MODELS) == kinds
    assert {name.split("-")[0] for name in goldenmatch_run.MODES} == kinds
    for kind in kinds:
        for lang in ("zh", "en"):
            assert "unique_id" in splink_tables.query(kind, lang)


def test_components_are_named_by_their_smallest_member() -> None:
    assert goldenmatch_run._components(6, [(4, 5), (3, 1), (5, 3)]) == [0, 1, 2, 1, 1, 1]


def test_requirements_pin_every_version_and_name_no_place() -> None:
    for file in (ROOT / "benchmarks").glob("requirements-*.txt"):
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        assert lines
        assert all("==" in line and "/" not in line for line in lines)

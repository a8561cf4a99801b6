import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import bench, datasets, environments, fingerprint
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


ABOUT = datasets.About("people-1k", "people", "en", 1000, 700, 400, "code", "print")


@pytest.mark.parametrize(
    ("changed", "known"),
    [
        ({}, True),
        ({"measured": {"status": "failed"}}, False),
        ({"measured": {"status": "timeout"}}, True),
        ({"measured": {"status": "timeout"}, "timeout_seconds": 30}, False),
        ({"code": "older"}, False),
        ({"data": {"fingerprint": "other"}}, False),
    ],
)
def test_a_run_is_made_again_unless_code_and_data_are_the_same(
    changed: dict[str, object], known: bool, tmp_path: Path
) -> None:
    data = datasets.DataSet("people-1k", "people", size=1000)
    run = bench.Run("splink", data, 60, tmp_path)
    assert not run.known(ABOUT)
    made = {
        "measured": {"status": "done"},
        "timeout_seconds": 60,
        "code": fingerprint.of("splink"),
        "data": {"fingerprint": "print"},
    }
    run.result.write_text(json.dumps({**made, **changed}))
    assert run.known(ABOUT) is known


def test_a_complete_run_forgets_data_sets_that_it_has_no_more(tmp_path: Path) -> None:
    for name in ("old--splink", "zh5k--splink", "ablation-zh5k"):
        (tmp_path / f"{name}.json").write_text("{}")
    bench.forget(tmp_path, {"zh5k--splink"})
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["ablation-zh5k", "zh5k--splink"]


def test_without_a_generator_the_demo_worlds_are_measured(tmp_path: Path) -> None:
    none = str(tmp_path / "none.py")
    sets = bench.catalog(arguments("--generator", none, "--historical", none))
    assert [data.name for data in sets] == [
        "febrl3", "febrl4", "demo-zh", "demo-en", "people-10k", "people-100k", "people-1M",
    ]  # fmt: skip


def test_a_generator_makes_a_world_once(cache: Path, tmp_path: Path) -> None:
    program = tmp_path / "generate.py"
    program.write_text(
        "import shutil, sys\n"
        f"shutil.copytree({str(ROOT / 'demo' / 'zh')!r}, sys.argv[sys.argv.index('--out') + 1])\n"
    )
    data = datasets.generated(program, ["zh5k"])[0]
    assert datasets.prepare(data).lang == "zh"
    program.write_text("raise SystemExit('made again')")
    assert datasets.prepare(data).records == 2000


def test_a_fingerprint_changes_with_a_byte_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "one.py").write_text("x = 1")
    before = fingerprint.of_files(["part"])
    (tmp_path / "part" / "__pycache__").mkdir()
    (tmp_path / "part" / "__pycache__" / "one.pyc").write_text("x")
    assert fingerprint.of_files(["part"]) == before
    (tmp_path / "part" / "one.py").write_text("x = 2")
    assert fingerprint.of_files(["part"]) != before


def test_every_part_of_a_fingerprint_is_there() -> None:
    for parts in (*fingerprint.PARTS.values(), fingerprint.SCORING, fingerprint.DATA):
        assert all((ROOT / part).exists() for part in parts)


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


def test_requirements_pin_every_version_and_name_no_place() -> None:
    for file in (ROOT / "benchmarks").glob("requirements-*.txt"):
        lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
        assert lines
        assert all("==" in line and "/" not in line for line in lines)

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import table
from onefold.errors import ConfigError


def result(tool: str, f1: float, dataset: str = "people-10k", **more: Any) -> dict[str, Any]:
    evaluation = {
        "precision": f1, "recall": f1, "f1": f1, "b_cubed_f1": f1, "hard_negatives": 50,
        "hard_negatives_merged": 3, "hard_negatives_merged_share": 0.06,
    }  # fmt: skip
    made = {
        "tool": tool,
        "dataset": dataset,
        "config": f"how {tool} was set",
        "versions": {"python": "3.11", tool: "1.2"},
        "machine": {"processor": "P", "cores": 2, "memory_gb": 8, "load_before": 0.1},
        "data": {"records": 10_000, "kind": "people"},
        "made_at": "2026-01-02",
        "timeout_seconds": 60.0,
        "measured": {
            "status": "done", "wall_seconds": 5.0, "cpu_seconds": 8.04, "peak_memory_mb": 2048,
        },
        "evaluation": evaluation,
    }  # fmt: skip
    return {**made, **more}


def write(folder: Path, *results: dict[str, Any]) -> None:
    for one in results:
        (folder / f"{one['dataset']}--{one['tool']}.json").write_text(json.dumps(one))


def test_a_loss_is_shown_and_the_best_is_bold(tmp_path: Path) -> None:
    write(tmp_path, result("splink", 0.9), result("onefold", 0.8))
    lines = table.summary(table.load(tmp_path)).splitlines()
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == [
        "people-10k", "10,000", "Onefold", ".800", ".800", ".800", ".800", "3 of 50 (6.0 %)", "",
        "8.0", "5.0", "2.0 GB",
    ]  # fmt: skip
    assert "| Splink | .900 | .900 | **.900** |" in lines[3]


def test_every_row_has_the_cells_of_its_head(tmp_path: Path) -> None:
    late = result("goldenmatch", 0.5)
    del late["evaluation"]
    late["measured"] = {**late["measured"], "status": "timeout"}
    details = {"blocking_recall": 0.99, "pairs_per_record": 2.0, "cpu_seconds": {"pair": 1.0}}
    write(tmp_path, late, result("onefold", 0.9, details=details), result("splink", 0.7))
    (tmp_path / "ablation-zh5k.json").write_text(
        json.dumps({"variants": {"full": {"f1": 0.9, "hard": 0.02}, "x": {"f1": 0.8, "hard": 0.1}}})
    )
    page = table.page(tmp_path)
    assert "stopped after 5 s" in page
    for block in page.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "> 8.0" in page
    assert "| x | -10.0, 10.0 % |" in page


def test_the_best_cut_of_a_tool_is_shown(tmp_path: Path) -> None:
    write(tmp_path, result("splink", 0.9, best={"cut": 0.99, "f1": 0.95}))
    assert ".950 (from 0.99)" in table.summary(table.load(tmp_path))


@pytest.fixture
def documents(tmp_path: Path) -> tuple[Path, Path]:
    both = tmp_path / "page.md", tmp_path / "front.md"
    for one in both:
        one.write_text(f"before\n{table.START}\nstale\n{table.END}\nafter\n")
    return both


def test_the_tables_stand_between_the_marks(tmp_path: Path, documents: tuple[Path, Path]) -> None:
    write(tmp_path, result("onefold", 0.9), result("splink", 0.8))
    table.write(tmp_path, *documents)
    before = [one.read_text() for one in documents]
    for text in before:
        assert text.startswith("before\n")
        assert text.endswith("after\n")
        assert "stale" not in text
        assert table.summary(table.load(tmp_path)) in text
    assert "Growth" in before[0]
    assert "Growth" not in before[1]
    table.write(tmp_path, *documents)
    assert [one.read_text() for one in documents] == before


def test_without_results_the_documents_stay(tmp_path: Path, documents: tuple[Path, Path]) -> None:
    table.write(tmp_path, *documents)
    assert all("stale" in one.read_text() for one in documents)


def test_a_document_without_marks_is_told(tmp_path: Path, documents: tuple[Path, Path]) -> None:
    write(tmp_path, result("onefold", 0.9))
    documents[1].write_text("no marks")
    with pytest.raises(ConfigError, match="0 places"):
        table.write(tmp_path, *documents)


def test_growth_shows_a_run_that_was_stopped(tmp_path: Path) -> None:
    late = result("splink", 0.5)
    del late["evaluation"]
    late["measured"] = {**late["measured"], "status": "timeout"}
    write(tmp_path, late)
    assert "| > 80.4 | 2.0 GB | stopped after 5 s |" in table.growth(table.load(tmp_path))


def test_times_of_a_busy_machine_are_marked_as_such(tmp_path: Path) -> None:
    write(tmp_path, result("onefold", 0.9))
    assert "busy" not in table.page(tmp_path)
    machine = {**result("splink", 0.9)["machine"], "load_before": 7.0}
    write(tmp_path, result("splink", 0.9, machine=machine))
    assert "The machine was busy (load 7)" in table.page(tmp_path)

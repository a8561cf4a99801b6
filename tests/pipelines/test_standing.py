"""What stands of matching when records are erased: all that is about others, as it was."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from onefold import keys
from pipelines import lake, stages
from pipelines.stages import erasing, matching
from pipelines.stages.held import Whom

COLUMNS = {
    "features": ("record_id",),
    "kin": ("record_id",),
    "candidates": ("left_id", "right_id"),
    "scored_pairs": ("left_id", "right_id"),
    "clusters": ("record_id",),
    "suggestions": ("left_id", "right_id"),
    "decided": ("left_id", "right_id"),
    "kinships": ("person_record_id", "organization_record_id"),
}
SHARED = """\
C20,孙悦,person,13800000020,,无锡,汉中路1号,2024-01-05
C21,吴涛,person,13800000020,,常州,,2024-01-05
C22,周敏,person,13800000020,,苏州,,2024-01-05
"""
"""Three who share a telephone: with a limit of two, no key of theirs, until one is erased."""


@pytest.fixture
def crowded(synced: Path, world: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which an erasure makes a block small enough to be paired."""
    monkeypatch.setenv("ONEFOLD_KEY", keys.new())
    path = synced / "onefold.yml"
    more = "privacy: {key: '${ONEFOLD_KEY}', encrypt: []}\nmatching: {block_limit: 2}\n"
    path.write_text(path.read_text("utf-8") + more, "utf-8")
    (synced / "data" / "crm.csv").write_text(world.CRM + SHARED, encoding="utf-8")
    world.run_all(synced)
    return synced


def _tables(opened: Any) -> dict[str, pa.Table]:
    names = matching.names(opened)
    return {table: lake.read(opened.lake, table, names[table]) for table in COLUMNS}


def _without(table: pa.Table, columns: tuple[str, ...], records: list[str]) -> list[Any]:
    for name in columns:
        table = table.filter(pc.invert(pc.is_in(table[name], value_set=pa.array(records))))
    return table.to_pylist()


def test_nobody_is_paired_grouped_or_related_otherwise_because_somebody_is_erased(
    crowded: Path, world: Any
) -> None:
    with stages.opened(crowded) as opened:
        before = _tables(opened)
        erasing.erase(opened, [Whom(source="crm", source_key="C22")], "dpo", "12")
        after = _tables(opened)
    for name, columns in COLUMNS.items():
        assert after[name].to_pylist() == _without(before[name], columns, ["crm:C22"]), name
    published = world.contents(crowded)
    world.run_all(crowded)
    with stages.opened(crowded) as opened:
        assert _tables(opened)["candidates"].equals(after["candidates"])
        found = stages.candidates(opened)
        lake.path_of(opened.lake, "candidates", found.fingerprint).unlink()
        anew = stages.candidates(opened)
    for table in ("golden_customer", "crosswalk", "merge_suggestion", "customer_relation"):
        assert world.contents(crowded)[table] == published[table]
    assert anew.rows > after["candidates"].num_rows  # matching all again would pair two others


def test_what_cannot_stand_is_worked_out_for_those_who_are_left(crowded: Path, world: Any) -> None:
    """Where another change waits to be matched, nothing of before is that of now."""
    world.write_erp(crowded, [*world.ERP, ("E9", "吴涛", "P", "13800000099", "", "", "")])
    with stages.opened(crowded) as opened:
        stages.sync(opened, "erp")
        stages.stage(opened, "erp")
        erasing.erase(opened, [Whom(source="crm", source_key="C22")], "dpo", "12")
        clusters = _tables(opened)["clusters"]["record_id"].to_pylist()
    assert "erp:E9" in clusters and "crm:C22" not in clusters

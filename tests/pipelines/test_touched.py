"""Publishing only what decisions touch leaves every table as publishing everything does."""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from onefold.errors import DecisionConflict
from pipelines import stages
from pipelines.stages import matching, publishing
from warehouse import decisions, publish, taken_in


@pytest.fixture(scope="module")
def _published(demo_homes: Callable[[str], Path]) -> Path:
    """The Chinese demo, published; to be copied, not used."""
    return demo_homes("zh")


def _decide(home: Path, random: Random) -> None:
    """Some decisions of every kind, and some of those in force taken back."""
    with stages.opened(home) as opened:
        wh = opened.warehouse
        crosswalk = publish.read_identity(wh).crosswalk.to_pylist()
        groups: dict[str, list[str]] = {}
        for row in crosswalk:
            groups.setdefault(row["golden_id"], []).append(row["record_id"])
        several = sorted(ids for ids in groups.values() if len(ids) > 1)
        wanted = [
            ("no_link", *sorted(random.sample(group, 2))) for group in random.sample(several, 4)
        ]
        for one, other in (random.sample(sorted(groups.values()), 2) for _ in range(4)):
            wanted.append(("link", *sorted((random.choice(one), random.choice(other)))))
        for kind, left, right in wanted:
            try:
                decisions.add(
                    wh, kind, left_id=left, right_id=right, reason="seen", decided_by="li"
                )
            except DecisionConflict:
                continue
        for golden_id in random.sample(sorted(groups), 2):
            try:
                decisions.add(
                    wh, "override", golden_id=golden_id, field="name", value="别名",
                    reason="asked", decided_by="li",
                )  # fmt: skip
            except DecisionConflict:
                continue
        standing = decisions.read(wh)["decision_id"].to_pylist()
        for decision_id in random.sample(standing, len(standing) // 3):
            decisions.revoke(wh, decision_id, revoked_by="li", reason="an error")


def test_every_table_is_as_if_everything_had_been_published(
    _published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: Any
) -> None:
    random = Random(1)
    part = shutil.copytree(_published, tmp_path / "part")
    for _ in range(3):
        _decide(part, random)
        whole = shutil.copytree(part, tmp_path / "whole")
        lines: list[str] = []
        with stages.opened(part) as opened, world.told(lines):
            waiting, report = stages.apply(opened)
        assert waiting.ready and report is not None and report.written
        (told,) = (line for line in lines if line.startswith("golden_customer: publishing "))
        assert int(told.rsplit(" ", 1)[1]) < 40 < report.golden
        with monkeypatch.context() as patched, stages.opened(whole) as opened:
            patched.setattr(taken_in, "last", lambda wh: None)
            patched.setattr(matching, "_earlier", lambda deployment, name, most: None)
            publishing.publish(opened)
        mine, full = world.contents(part), world.contents(whole)
        for table in full:
            assert mine[table] == full[table], table
        shutil.rmtree(whole)

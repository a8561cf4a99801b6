"""The asset data_quality: measured after a publish, once, and held against the targets."""

from pathlib import Path

import yaml

from pipelines import run, stages


def _targets(home: Path, targets: dict) -> None:
    file = home / "onefold.yml"
    said = yaml.safe_load(file.read_text("utf-8")) | {"quality": {"targets": targets}}
    file.write_text(yaml.safe_dump(said), "utf-8")


def test_a_refresh_measures_and_says_what_is_below_a_target_of_onefold_yml(home: Path) -> None:
    _targets(home, {"completeness": {"name": 0.5, "consent_marketing": 0.99}})
    report = run.refresh(home)
    assert report.ok
    (warning,) = (one for one in report.warnings if "quality_targets" in one)
    assert "completeness consent_marketing 0.0%" in warning
    assert "completeness name" not in warning
    with stages.opened(home) as deployment:
        again = stages.measure(deployment)
    assert again.written == 0
    assert {one.source for one in again.figures} == {"crm", "erp"}


def test_without_targets_nothing_warns(home: Path) -> None:
    report = run.refresh(home)
    assert report.ok
    assert not [one for one in report.warnings if "quality" in one]

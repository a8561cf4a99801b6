"""Every setting and command of the review app is documented."""

import re
from pathlib import Path

import pytest
import typer.main

from onefold.cli.app import app
from review.actions import ACTIONS
from review.policy import OpenID, ReviewPolicy, Throttle

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")


def test_every_setting_is_documented_and_no_other() -> None:
    named = {
        name
        for cells in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", DOCS, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cells)
    }
    known = {*ReviewPolicy.model_fields, *OpenID.model_fields, *Throttle.model_fields}
    assert named == known


@pytest.mark.parametrize("group", ["account", "audit"])
def test_every_command_of_a_group_is_documented(group: str) -> None:
    commands = typer.main.get_command(app).commands[group].commands  # type: ignore[attr-defined]
    assert commands
    for name in commands:
        assert f"onefold {group} {name}" in DOCS


def test_every_action_that_is_written_has_words() -> None:
    pattern = re.compile(r"audit\.(?:append|note)\(\s*[^,]+,\s*[^,]+,\s*\"(\w+)\"")
    written = set()
    for package in ("warehouse", "review"):
        for path in (ROOT / package).rglob("*.py"):
            written |= set(pattern.findall(path.read_text(encoding="utf-8")))
    assert {"set_role", "view_audit"} <= written
    assert written <= ACTIONS.keys()

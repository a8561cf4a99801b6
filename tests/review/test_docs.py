"""Every setting and command of the review app is documented."""

import re
from pathlib import Path

import pytest
import typer.main
from fastapi import FastAPI

from onefold.cli import app as commands
from review.actions import ACTIONS
from review.policy import OpenID, ReviewPolicy, Throttle
from review.routes.api.description import ours

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")


def test_every_setting_is_documented_and_no_other() -> None:
    settings = DOCS.split("\n## Settings")[1].split("\n## ")[0]
    named = {
        name
        for cells in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", settings, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cells)
    }
    known = {*ReviewPolicy.model_fields, *OpenID.model_fields, *Throttle.model_fields}
    assert named == known


@pytest.mark.parametrize("group", ["account", "audit"])
def test_every_command_of_a_group_is_documented(group: str) -> None:
    found = typer.main.get_command(commands.app).commands[group].commands  # type: ignore[attr-defined]
    assert found
    for name in found:
        assert f"onefold {group} {name}" in DOCS


def test_every_action_that_is_written_has_words() -> None:
    pattern = re.compile(
        r"audit\.(?:append|note)\(\s*[^,]+,\s*[^,]+,\s*\"(\w+)\"(?: if .+ else \"(\w+)\")?"
    )
    written = set()
    for package in ("warehouse", "review"):
        for path in (ROOT / package).rglob("*.py"):
            found = pattern.findall(path.read_text(encoding="utf-8"))
            written |= {name for names in found for name in names if name}
    assert {"set_role", "view_audit", "repair_value", "accept_finding"} <= written
    assert written <= ACTIONS.keys()


def test_every_route_of_the_api_is_documented_and_no_other(app: FastAPI) -> None:
    guide = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    known = {(method, route.path) for route in ours(app.routes) for method in route.methods}
    named = set(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/api/v1/[^`]*)`", guide))
    assert named <= known, "the guide names what is not there"
    shown = {path for _, path in named} | {
        re.sub(r"\$(\w+)", "{}", path).rstrip("/")
        for path in re.findall(r"\$ON(/api/v1/[^\s\"?|)]*)", guide)
    }
    missing = {
        (method, path)
        for method, path in known - named
        if re.sub(r"{\w+}", "{}", path) not in shown
    }
    assert not missing, "the guide does not name them"
    patterns = {re.sub(r"{\w+}", "{}", path) for _, path in known}
    assert {re.sub(r"{\w+}", "{}", path) for path in shown} <= patterns

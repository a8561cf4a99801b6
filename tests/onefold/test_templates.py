"""``onefold source templates`` and what docs/sources.md says of templates."""

from pathlib import Path

from typer.testing import CliRunner

from connectors.templates import load, names
from onefold.cli import app as commands

DOCS = Path(__file__).parents[2] / "docs/sources.md"


def run(*arguments):
    return CliRunner().invoke(
        commands.app, ["source", "templates", *arguments], env={"COLUMNS": "200"}
    )


def test_every_template_is_listed():
    result = run()
    assert result.exit_code == 0
    assert all(f"{name} " in result.output for name in names())


def test_one_template_says_what_it_reads_and_what_it_is_unsure_of():
    result = run("kingdee_k3")
    assert result.exit_code == 0
    assert "FTaxNum, FTaxID" in result.output and "unsure: " in result.output


def test_unknown_template_is_named_with_those_there_are():
    result = run("odo")
    assert result.exit_code != 0 and "no such template" in str(result.exception)


def test_every_template_is_documented_with_its_doubts():
    lines = {
        line.split("`")[1]: line
        for line in DOCS.read_text(encoding="utf-8").splitlines()
        if line.count(" | ") == 3 and " | `" in line
    }
    for name in names():
        template = load(name)
        assert name in lines, f"docs/sources.md has no row for {name}"
        for doubt in (*template.unsure, *(template.api.unsure if template.api else ())):
            assert doubt in lines[name], f"{name}: {doubt}"


def test_every_template_with_tables_is_documented_with_its_cursor():
    text = DOCS.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| with `")]
    for name in names():
        if load(name).main:
            (row,) = (line for line in rows if f"`{name}`" in line.split("|")[1])
            assert ("| none: " in row) == (not load(name).cursor), name

"""What is held on a person is written whole, with where it came from, and nothing of others."""

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from onefold.cli.app import app
from onefold.cli.subject_page import TITLES
from pipelines import stages
from warehouse import audit, export
from warehouse.holdings import HOLDINGS


def _id_of(home: Path, name: str) -> str:
    with stages.opened(home) as opened:
        rows = export.read_golden(opened.warehouse).to_pylist()
    return next(str(one["golden_id"]) for one in rows if one["name"] == name)


def _ask(home: Path, out: Path, *whom: str) -> None:
    asked = ["subject", *whom, "--by", "dpo", "--out", str(out), "--home", str(home)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output


def test_every_store_and_source_is_there_and_each_value_names_its_origin(
    synced: Path, tmp_path: Path
) -> None:
    out = tmp_path / "person.json"
    _ask(synced, out, "--customer", _id_of(synced, "张伟"))
    held = json.loads(out.read_text("utf-8"))
    assert {one["source"] for one in held["raw"]} == {"crm", "erp"}
    assert {one["values"].get("Phone") or one["values"].get("tel") for one in held["raw"]} == {
        "13800000001", "138-0000-0001",
    }  # fmt: skip
    named = {one["field"]: one for one in held["golden"]}
    assert named["name"]["value"] == "张伟"
    assert named["name"]["source"] in ("crm", "erp")
    assert {
        "warehouse.staged_customer", "warehouse.golden_customer", "warehouse.golden_field",
        "warehouse.golden_customer_history", "warehouse.crosswalk", "warehouse.customer_search",
    } <= held["tables"].keys()  # fmt: skip
    with stages.opened(synced) as opened:
        (event,) = audit.show(opened.warehouse, action="export_subject")
    assert event.login == "dpo"


@pytest.mark.parametrize("suffix", ["html", "xlsx", "json"])
def test_nobody_elses_values_are_in_it(
    synced: Path, world: Any, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"person.{suffix}"
    _ask(synced, out, "--source-key", "erp", "E4")
    if suffix == "xlsx":
        book = openpyxl.load_workbook(out, read_only=True)
        said = str([row for sheet in book for row in sheet.iter_rows(values_only=True)])
    else:
        said = out.read_text("utf-8")
    assert "赵磊" in said and "13800000009" in said
    others = {one[1] for one in world.ERP if one[0] != "E4"}
    others |= {line.split(",")[1] for line in world.CRM.splitlines()[1:]} - {""}
    assert not [name for name in others if name in said]


def test_the_page_is_in_the_language_asked_for(synced: Path, tmp_path: Path) -> None:
    out = tmp_path / "person.html"
    golden_id = _id_of(synced, "张伟")
    titles = {"zh": (f"所保存的{golden_id}的信息", "电话"), "en": ("What is held on", "Phones")}
    for lang, (title, head) in titles.items():
        _ask(synced, out, "--customer", golden_id, "--lang", lang)
        said = out.read_text("utf-8")
        assert title in said
        assert f'<html lang="{lang}' in said
        assert "+8613800000001" in said
        assert head in said


def test_every_table_with_rows_about_a_person_has_a_title_on_the_page() -> None:
    assert TITLES.keys() == {f"{one.store}.{one.table.name}" for one in HOLDINGS if one.by}

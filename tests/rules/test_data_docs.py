"""Data Docs of checks: what they say, and what they never hold."""

from datetime import UTC, datetime

import pytest
from lxml import html

from connectors.config import SourceConfig
from rules import data_docs, suites
from rules.data_docs import Checked
from rules.suites import Check

CONFIG = SourceConfig.model_validate(
    {
        "name": "crm",
        "connector": "delimited",
        "path": "crm.csv",
        "columns": {"name": "Name", "phone": "Tel"},
        "required": ["name"],
        "expectations": [
            {"type": "expect_column_values_to_match_regex",
             "kwargs": {"column": "city", "regex": "^[^0-9]+$"}},
        ],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages of a source of which every check failed for 3 of 120 but the first."""
    expected = suites.expectations_of(CONFIG, ["name", "phones"])
    checks = [
        Check(name, number == 0, "error", False, 120, 0 if number == 0 else 3, "said")
        for number, name in enumerate(expected)
    ]
    gone = Check("of_an_older_file", False, "error", False, 120, 7, "said")
    one = Checked("crm", "s1", datetime(2026, 3, 1, tzinfo=UTC), [*checks, gone], expected)
    folder = tmp_path_factory.mktemp("home") / "data-docs"
    (folder / "old").mkdir(parents=True)
    index = data_docs.build([one], folder)
    found = {page.relative_to(folder): page.read_text("utf-8") for page in folder.rglob("*.html")}
    assert index == folder / "index.html"
    assert not (folder / "old").exists()
    return folder, found, expected


def test_every_check_is_told_with_its_counts(pages):
    _, found, expected = pages
    (said,) = (text for path, text in found.items() if path.parts[0] == "validations")
    text = html.fromstring(said).text_content()
    assert "120" in text
    assert text.count("2.5%") >= len(expected) - 1
    assert "phones" in text
    assert "city" in text
    assert "of_an_older_file" not in text


def test_pages_need_nothing_from_elsewhere_and_run_nothing(pages):
    folder, found, _ = pages
    assert len(found) == 3
    for path, text in found.items():
        tree = html.fromstring(text)
        assert not tree.xpath("//script | //style | //img | //iframe | //*[@style or @onclick]")
        assert not tree.xpath("//*[starts-with(@href, 'http') or starts-with(@src, 'http')]")
        for link in tree.xpath("//a/@href | //link/@href"):
            target = link.split("#")[0]
            assert not target or ((folder / path).parent / target).resolve().is_file(), link


def test_no_page_lists_values(pages):
    """Results are made of counts: Great Expectations is given no value that it could show."""
    _, found, _ = pages
    for text in found.values():
        assert "unexpected_list" not in text
        assert "Sampled Unexpected Values" not in text

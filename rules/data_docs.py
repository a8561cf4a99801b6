"""Great Expectations' Data Docs of the sources' checks, as pages that need nothing but themselves.

What belongs here: making the pages with Great Expectations, and making them fit
to be served: it writes pages that load scripts and styles from eight hosts on
the internet; here they have none of that, and a style of our own. A page holds
counts and what was expected, never a value: the results are made of counts, so
that there is no list of unexpected values that could hold one.

Great Expectations takes seconds to import, so it is imported inside :func:`build` only.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

from lxml import html

from rules import expectations
from rules.collection import no_collection
from rules.expectations import Expectation
from rules.suites import Check

INDEX = "index.html"
_STYLE = "static/onefold.css"
_LOOSE = (
    "//script", "//style", "//link", "//noscript", "//iframe", "//form", "//img", "//button",
    "//input", "//*[@id='newsletter']", "//footer",
    "//div[contains(@class, 'card') and .//label[contains(@class, 'btn')]]",
)  # fmt: skip
"""What works with scripts only, or is fetched from elsewhere."""


@dataclass(frozen=True)
class Checked:
    """How a source stands.

    Attributes:
        source: its name.
        sync_id: the sync that the checks are of.
        at: when, UTC.
        checks: their results.
        expectations: by name of the check; a check without one is left out.
    """

    source: str
    sync_id: str
    at: datetime
    checks: Sequence[Check]
    expectations: Mapping[str, Expectation]


def build(checked: Iterable[Checked], folder: Path) -> Path:
    """Make the pages anew; the folder is replaced whole.

    Args:
        checked: the sources.
        folder: where they go.

    Returns:
        The first page.

    Raises:
        ConfigError: an expectation of a source's YAML is wrong.
    """
    half = folder.with_name(f".{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    with no_collection():
        _make(checked, half)
    shutil.rmtree(half / "static")
    (half / _STYLE).parent.mkdir()
    style = resources.files("rules") / "resources" / "data_docs.css"
    (half / _STYLE).write_text(style.read_text(encoding="utf-8"), encoding="utf-8")
    for page in half.rglob("*.html"):
        _by_itself(page, "../" * (len(page.relative_to(half).parts) - 1) + _STYLE)
    shutil.rmtree(folder, ignore_errors=True)
    half.rename(folder)
    return folder / INDEX


def _make(checked: Iterable[Checked], folder: Path) -> None:
    context = expectations.context()
    from great_expectations import ExpectationSuite

    for name in list(context.get_site_names()):
        context.delete_data_docs_site(name)
    context.add_data_docs_site(
        "onefold",
        {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(folder),
            },
        },
    )
    for one in checked:
        known = [check for check in one.checks if check.name in one.expectations]
        asked = [expectations.built(one.expectations[check.name]) for check in known]
        suite = context.suites.add(ExpectationSuite(name=one.source, expectations=asked))
        _keep(context, one, [each.configuration for each in suite.expectations])
    context.build_data_docs()


def _keep(context: Any, one: Checked, asked: Sequence[Any]) -> None:
    """Keep the results of a source, made of its counts."""
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
    )
    from great_expectations.core.run_identifier import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    checks = {check.name: check for check in one.checks}
    results = [_result(each, checks[each.meta["name"]]) for each in asked]
    met = sum(each.success for each in results)
    result = ExpectationSuiteValidationResult(
        success=met == len(results),
        results=results,
        suite_name=one.source,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": met,
            "unsuccessful_expectations": len(results) - met,
            "success_percent": 100 * met / len(results) if results else None,
        },
        meta={"run_id": {"run_name": one.sync_id, "run_time": one.at.isoformat()}},
    )
    key = ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(name=one.source),
        run_id=RunIdentifier(run_name=one.sync_id, run_time=one.at),
        batch_identifier=one.source,
    )
    context.validation_results_store.set(key, result)


def _result(asked: Any, check: Check) -> Any:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult

    share = 100 * check.failed / check.evaluated if check.evaluated else 0.0
    return ExpectationValidationResult(
        success=check.passed,
        expectation_config=asked,
        result={
            "element_count": check.evaluated,
            "missing_count": 0,
            "missing_percent": 0.0,
            "unexpected_count": check.failed,
            "unexpected_percent": share,
            "unexpected_percent_total": share,
            "unexpected_percent_nonmissing": share,
        },
        exception_info={
            "raised_exception": False,
            "exception_traceback": None,
            "exception_message": None,
        },
        meta={},
    )


def _by_itself(page: Path, style: str) -> None:
    """Take out of a page what is fetched from elsewhere or needs scripts."""
    tree = html.parse(str(page), html.HTMLParser(encoding="utf-8"))
    for path in _LOOSE:
        for element in tree.xpath(path):
            if element.getparent() is not None:
                element.drop_tree()
    for element in tree.xpath("//a[starts-with(@href, 'http') or @data-toggle]"):
        element.drop_tag()
    for element in tree.xpath("//*[@style or @onclick or @hidden]"):
        for name in ("style", "onclick", "hidden"):
            element.attrib.pop(name, None)
    head = tree.xpath("//head")[0]
    head.append(html.Element("link", rel="stylesheet", href=style))
    page.write_bytes(html.tostring(tree, encoding="utf-8", doctype="<!DOCTYPE html>"))

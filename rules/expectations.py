"""Runs expectations on a frame with Great Expectations, and nothing else.

What belongs here: how Great Expectations is called and how its answers are
read. Which expectations there are stands in rules/suites.py. Great
Expectations takes seconds and 280 MB to import, so it is imported inside
:func:`run` only, and without what only its charts and statistics need.

An expectation that cannot be computed (a column that is not there, mixed
types) is an error, never bad data: Great Expectations would report both as
"not successful".
"""

import functools
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from onefold import postponed
from onefold.errors import ConfigError
from rules.collection import no_collection
from rules.quarantine import Severity

if TYPE_CHECKING:
    import pandas as pd

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|: [^:]*$")
_SELDOM_USED = ("altair", "jsonschema", "scipy.stats")
"""Modules that only charts use, and expectations on distributions and on JSON."""
_OF_ITS_BACKENDS = ("boto3", "botocore", "sqlalchemy", "sqlalchemy.orm")
"""Modules that only its data sources on S3 and in databases use: a fifth of its import, unless
they are loaded already."""
_RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "return_unexpected_index_query": False,
    "include_unexpected_rows": False,
}
_ONE_AT_A_TIME = threading.Lock()
"""The first run imports Great Expectations while other modules are hidden from it."""


@dataclass(frozen=True)
class Expectation:
    """One expectation of Great Expectations, by its own name.

    Attributes:
        name: short lasting name of the check and of the rule in quarantine.
        type: snake_case name, such as ``expect_column_values_to_be_unique``.
        kwargs: its arguments, such as ``column`` and ``regex``.
        severity: error or warning.
        where: the file and place that asked for it, for error messages.
    """

    name: str
    type: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = "error"
    where: str = "canonical model"


@dataclass(frozen=True)
class Result:
    """What Great Expectations found.

    Attributes:
        success: whether it calls the expectation met (``mostly`` counts here).
        evaluated: values looked at; rows, for an expectation on the whole table.
        failing: labels of the failing rows, ascending; empty for an expectation on the whole table.
    """

    success: bool
    evaluated: int
    failing: tuple[int, ...]


def run(frame: "pd.DataFrame", expectations: Sequence[Expectation]) -> list[Result]:
    """Check a frame.

    Args:
        frame: one row per record, labelled 0, 1, 2, ...
        expectations: what to check; names are unique.

    Returns:
        One result per expectation, in the same order.

    Raises:
        ConfigError: an expectation is not known, has wrong arguments or cannot be computed.
    """
    if not expectations:
        return []
    with no_collection(), _ONE_AT_A_TIME:
        return _run(frame, expectations)


def _run(frame: "pd.DataFrame", expectations: Sequence[Expectation]) -> list[Result]:
    place = _context()
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.validator.validator import Validator

    # Not by a batch of a data source: that makes a fingerprint of all values, twice.
    engine = PandasExecutionEngine()
    engine.load_batch_data("staged", frame)
    try:
        outcomes = Validator(execution_engine=engine, data_context=place).graph_validate(
            configurations=[built(e).configuration for e in expectations],
            runtime_configuration={"result_format": _RESULT_FORMAT},
        )
    finally:  # or the frame stays in memory
        engine.batch_manager.batch_data_cache.clear()
    by_name = {e.name: e for e in expectations}
    results = {}
    for outcome in outcomes:
        config = outcome.expectation_config
        name = str(config.meta["name"]) if config and config.meta else ""
        results[name] = _read(outcome, by_name[name], len(frame))
    return [results[e.name] for e in expectations]


@functools.cache
def _context() -> Any:
    return context()


def context() -> Any:
    """A new context of Great Expectations, which keeps nothing and reports nothing home."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    for name in _SELDOM_USED:
        postponed.load_when_used(name)
    with _left_out(_OF_ITS_BACKENDS):
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    made: Any = gx.get_context(mode="ephemeral")
    made.enable_analytics(False)
    made.variables.progress_bars = ProgressBarsConfig(globally=False)
    return made


@contextmanager
def _left_out(names: Sequence[str]) -> Iterator[None]:
    """Let modules that are not loaded yet look as if they were not installed."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def built(expectation: Expectation) -> Any:
    """The expectation as an object of Great Expectations.

    Raises:
        ConfigError: it is not known, or has wrong arguments.
    """
    from great_expectations.exceptions import ExpectationNotFoundError
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.registry import get_expectation_impl
    from pydantic import ValidationError
    from pydantic.v1 import ValidationError as ValidationErrorV1

    where = f"{expectation.where}, {expectation.name}"
    try:
        implementation = get_expectation_impl(expectation.type)
    except ExpectationNotFoundError as error:
        raise ConfigError(
            where,
            f"Great Expectations has no {expectation.type}",
            do="Write it as Great Expectations does, such as expect_column_values_to_be_unique.",
        ) from error
    try:
        return implementation(
            **expectation.kwargs,
            severity=FailureSeverity("critical" if expectation.severity == "error" else "warning"),
            meta={"name": expectation.name},
        )
    except (ValidationError, ValidationErrorV1, TypeError, ValueError) as error:
        raise ConfigError(
            where,
            f"{expectation.type} does not take these arguments",
            found=_first_line(error),
            do="See its arguments in the documentation of Great Expectations.",
        ) from error


def _first_line(error: Exception) -> str:
    """The argument and the complaint of a validation error; never values."""
    errors = getattr(error, "errors", None)
    if callable(errors):
        first = errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error).splitlines()[0]


def _read(outcome: Any, expectation: Expectation, rows: int) -> Result:
    """Result of one expectation; raises if it could not be computed."""
    raised = _exceptions(outcome.exception_info or {})
    result = outcome.result
    if raised or (not outcome.success and not result):
        column = expectation.kwargs.get("column", "the table")
        raise ConfigError(
            f"{expectation.where}, {expectation.name}",
            f"{expectation.type} cannot be computed on {column}",
            found=raised[0] if raised else "no result",
            do="Use an expectation that fits the column's kind (docs/data-dictionary.md).",
        )
    failing = result.get("unexpected_index_list") or ()
    evaluated = result.get("element_count", rows) - (result.get("missing_count") or 0)
    return Result(bool(outcome.success), int(evaluated), tuple(sorted(int(i) for i in failing)))


def _exceptions(info: Mapping[str, Any]) -> list[str]:
    """First lines of the exceptions' messages, without quoted text: that may be a value."""
    entries = [info] if "raised_exception" in info else list(info.values())
    return [
        _QUOTED.sub("...", str(entry.get("exception_message") or "an exception")).split("\n")[0][
            :120
        ]
        for entry in entries
        if isinstance(entry, Mapping) and entry.get("raised_exception")
    ]

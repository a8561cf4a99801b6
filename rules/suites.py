"""Checks staged records, and splits off the values and records that fail.

What belongs here: what follows from an expectation that is not met. Which
expectations there are stands in rules/suite_rules.py, how Great Expectations is
run in rules/expectations.py, what a field rule says about a value in the field
rules.

Great Expectations names the failing rows, and nobody else decides who goes to
quarantine: what the field rules noted in standardize is a column
(``<field>:<severity>``, null where all is well) that its suite looks at like
any other.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from connectors.config import SourceConfig
from rules import customer
from rules.expectations import Result, run
from rules.quarantine import Quarantine, Severity
from rules.standardize import Standardized
from rules.suite_rules import Rule, columns_of, identity_rules, source_rules, value_rules

if TYPE_CHECKING:
    import pandas as pd

BELONGS: dict[str, tuple[str, ...]] = {
    "name": (
        *("name_key", "name_readings", "family_name", "given_name", "middle_name", "name_suffix"),
        *("org_region", "org_brand", "org_industry", "org_legal_form", "org_branch"),
    ),
    "national_id": ("national_id_kind", "id_keys"),
    "tax_id": ("tax_id_kind", "org_code", "license_no", "id_keys"),
    "phones": ("phone_kinds", "phone_extensions", "phone_keys"),
    "address_line": ("street", "house_number", "unit", "address_key"),
}
"""Columns that are made from the same value: when it fails, they are null as well."""

ESSENTIAL = frozenset(field.name for field in customer.IDENTITY) | {"customer_type"}
"""Without one of these a record cannot be staged."""


@dataclass(frozen=True)
class Check:
    """Result of one expectation, in plain words and without customer values.

    Attributes:
        name: lasting name, letters, digits and underscores.
        passed: whether it holds (with the share of exceptions that ``mostly`` allows).
        severity: error or warning.
        blocking: whether what comes after must not run when it fails.
        evaluated: how many records or values were looked at.
        failed: how many of them do not meet it.
        description: what was expected.
        quarantined: rows in quarantine that it wrote.
    """

    name: str
    passed: bool
    severity: Severity
    blocking: bool
    evaluated: int
    failed: int
    description: str
    quarantined: int = 0


@dataclass(frozen=True)
class Validated:
    """A checked source.

    Attributes:
        staged: accepted records; values that failed are null.
        quarantine: one row per finding, ``rules.quarantine.QUARANTINE_SCHEMA``.
        checks: one per expectation.
        rejected: how many records are kept out of staged.
        accepted: for each row of quarantine whether a steward accepted it.
        overtaken: ids of the repairs for which no value or finding was met.
    """

    staged: pa.Table
    quarantine: pa.Table
    checks: list[Check]
    rejected: int
    accepted: pa.Array
    overtaken: list[str]


def validate(standardized: Standardized, config: SourceConfig) -> Validated:
    """Check one standardized source and split off what fails.

    Raises:
        ConfigError: an expectation in the source's YAML is wrong or cannot be computed.
    """
    seen = Seen()
    seen.add(standardized)
    suite = Suite(seen, config, standardized.staged.column)
    staged, found, accepted = suite.split(standardized)
    repairs = standardized.repairs
    return Validated(staged, found, suite.checks(), suite.rejected, accepted, repairs.overtaken)


class Seen:
    """What a suite must know of all slices of a source before it looks at the first.

    Attributes:
        fields: staged fields that the source feeds or that have findings.
        filled: staged columns that hold values.
        rows: how many records there are.
    """

    def __init__(self) -> None:
        self.fields: set[str] = set()
        self.filled: set[str] = set()
        self.rows = 0

    def add(self, part: Standardized) -> None:
        """Take in one slice."""
        self.rows += part.staged.num_rows
        self.fields |= set(part.inputs) | set(part.problems["field"].unique().to_pylist()) - {None}
        self.filled |= _filled(part.staged)


class Suite:
    """The expectations of one source, asked slice by slice.

    Args:
        seen: of all slices.
        config: the source.
        column: gives a staged column of all slices, for the expectations of the source's
            YAML, which may look at all records together.

    Attributes:
        rejected: how many records were kept out of the slices so far.

    Raises:
        ConfigError: an expectation in the source's YAML is wrong or cannot be computed.
    """

    def __init__(
        self,
        seen: Seen,
        config: SourceConfig,
        column: Callable[[str], pa.ChunkedArray],
    ) -> None:
        self.rejected = 0
        values = value_rules(seen.filled, config.severity)
        self._rules = [*source_rules(sorted(seen.fields), config), *values]
        self._tallies = {rule.expectation.name: _Tally() for rule in self._rules}
        together = [rule for rule in self._rules if rule.together]
        names = {name for rule in together for name in _staged_columns(rule)} or {"record_id"}
        staged = pa.table({name: column(name) for name in sorted(names)} if together else {})
        self._whole = _answers(together, _frame(staged, together) if together else None)
        for name, result in self._whole.items():
            self._tallies[name].add(result)
        self._start = 0

    def split(self, part: Standardized) -> tuple[pa.Table, pa.Table, pa.Array]:
        """Check the next slice and split off what fails.

        Returns:
            the accepted records, the findings and for each whether a steward accepted it,
            as in :class:`Validated`.
        """
        staged, rows, outcomes = part.staged, part.staged.num_rows, _outcomes(part.problems)
        filled = _filled(staged)
        asked, results = [], {}
        for rule in self._rules:
            if rule.together:
                results[rule.expectation.name] = _of_slice(self._whole, rule, self._start, rows)
            elif _is_silent(rule, outcomes):
                results[rule.expectation.name] = Result(True, rows, ())
            elif rule.effect == "form" and not filled.issuperset(rule.fields):
                results[rule.expectation.name] = Result(True, 0, ())
            else:
                asked.append(rule)
        frame = _frame(staged, asked)
        _add_outcomes(frame, outcomes)
        results |= _answers(asked, frame)
        quarantine = Quarantine(staged, part.problems, part.raw, part.inputs, part.repairs)
        for rule in self._rules:
            result, tally = results[rule.expectation.name], self._tallies[rule.expectation.name]
            if not rule.together:
                tally.add(result)
            tally.quarantined += _sort(rule, result.failing, quarantine)
        self._start += rows
        self.rejected += quarantine.rejected
        found = quarantine.table()
        return quarantine.accepted(), found, quarantine.accepted_of(found)

    def checks(self) -> list[Check]:
        """One per expectation, over the slices so far."""
        return [
            _check(rule, tally.result(), blocking=False, quarantined=tally.quarantined)
            for rule, tally in zip(self._rules, self._tallies.values(), strict=True)
        ]


class _Tally:
    """What one expectation found in the slices so far, and the findings that it wrote."""

    def __init__(self) -> None:
        self._success, self._evaluated, self.quarantined = True, 0, 0
        self._failing: list[int] = []

    def add(self, result: Result) -> None:
        self._success = self._success and result.success
        self._evaluated += result.evaluated
        self._failing += result.failing

    def result(self) -> Result:
        return Result(self._success, self._evaluated, tuple(self._failing))


def _answers(rules: Sequence[Rule], frame: "pd.DataFrame | None") -> dict[str, Result]:
    """What Great Expectations says of rules, by their names."""
    if frame is None or not rules:
        return {}
    results = run(frame, [rule.expectation for rule in rules])
    return {rule.expectation.name: result for rule, result in zip(rules, results, strict=True)}


def _of_slice(whole: Mapping[str, Result], rule: Rule, start: int, rows: int) -> Result:
    """The failing rows of one slice, counted from its first, out of those of all slices."""
    result = whole[rule.expectation.name]
    first = bisect_left(result.failing, start)
    last = bisect_left(result.failing, start + rows)
    return Result(
        result.success, result.evaluated, tuple(row - start for row in result.failing[first:last])
    )


def _filled(staged: pa.Table) -> set[str]:
    """The columns that hold values."""
    return {name for name in staged.column_names if staged[name].null_count < staged.num_rows}


def _sort(rule: Rule, failing: Sequence[int], quarantine: Quarantine) -> int:
    """Quarantine the rows that fail an expectation; how many findings that makes."""
    severity = rule.expectation.severity
    if rule.effect == "check" or not failing:
        return 0
    name = rule.expectation.name
    standing = _standing(rule, failing, quarantine)
    if rule.effect == "record" or (severity == "error" and ESSENTIAL.intersection(rule.fields)):
        quarantine.reject(standing)
    if rule.effect == "finding":
        return sum(quarantine.take(failing, field, severity) for field in rule.fields)
    if rule.effect == "record" and not rule.fields:
        return quarantine.take(failing, None, severity)
    if rule.effect in ("value", "form") and severity == "error":
        unused = standing if rule.effect == "value" else failing
        for field in set(rule.fields) - ESSENTIAL:
            quarantine.blank(unused, (field, *BELONGS.get(field, ())))
    return sum(
        quarantine.write(failing, field, name, severity, rule.reason) for field in rule.fields
    )


def _standing(rule: Rule, failing: Sequence[int], quarantine: Quarantine) -> list[int]:
    """The failing rows whose findings no steward accepted."""
    severity, name = rule.expectation.severity, rule.expectation.name
    if rule.effect == "finding":
        noted = [set(quarantine.standing_noted(failing, field, severity)) for field in rule.fields]
        return sorted(set().union(*noted))
    if rule.effect == "record" and not rule.fields:
        return quarantine.standing_noted(failing, None, severity)
    return quarantine.standing(failing, rule.fields, name)


def validate_canonical(staged: pa.Table) -> list[Check]:
    """Check all staged records of all sources together; every check is blocking.

    Args:
        staged: ``rules.customer.STAGED_SCHEMA``, one row per live record.
    """
    rules = [*identity_rules(), *value_rules(_filled(staged), {})]
    results = run(_frame(staged, rules), [rule.expectation for rule in rules])
    return [
        _check(rule, result, blocking=True) for rule, result in zip(rules, results, strict=True)
    ]


def _check(rule: Rule, result: Result, *, blocking: bool, quarantined: int = 0) -> Check:
    return Check(
        name=rule.expectation.name,
        passed=result.success,
        severity=rule.expectation.severity,
        blocking=blocking,
        evaluated=result.evaluated,
        failed=len(result.failing) if result.failing else int(not result.success),
        description=rule.description,
        quarantined=quarantined,
    )


# --- the frame that Great Expectations sees


def _frame(staged: pa.Table, rules: Sequence[Rule]) -> "pd.DataFrame":
    """The staged columns that the rules need, labelled 0, 1, 2, ...

    ``name?`` is whether there is a name, ``phones#`` how many phones there are.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    for name in dict.fromkeys(c for rule in rules for c in columns_of(rule.expectation.kwargs)):
        if ":" in name:
            continue  # an outcome, added by _add_outcomes
        column = staged[name.rstrip("?#")]
        if name.endswith("?"):
            column = pc.is_valid(column)
        elif name.endswith("#"):
            column = pc.fill_null(pc.list_value_length(column), 0)
        elif pa.types.is_list(column.type):
            column = pc.binary_join(column, "|")
        elif pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us", tz="UTC"))
        columns[name] = column
    if not columns:
        columns["record_id"] = staged["record_id"]
    return pa.table(columns).to_pandas()


def _staged_columns(rule: Rule) -> list[str]:
    """The staged columns that a rule reads."""
    return [name.rstrip("?#") for name in columns_of(rule.expectation.kwargs) if ":" not in name]


def _outcomes(problems: pa.Table) -> dict[str, dict[int, str]]:
    """``<field>:<severity>`` → row → the rule it failed there; ``:error`` as a record."""
    outcomes: dict[str, dict[int, str]] = {}
    names = ("row", "field", "severity", "rule")
    for row, field, severity, rule in zip(*(problems[n].to_pylist() for n in names), strict=True):
        outcomes.setdefault(f"{field or ''}:{severity}", {})[row] = rule
    return outcomes


def _is_silent(rule: Rule, outcomes: Mapping[str, Mapping[int, str]]) -> bool:
    """Whether a rule asks that there are no findings where standardize noted none.

    Great Expectations takes 10 ms for each expectation, and most fields have no findings.
    """
    columns = columns_of(rule.expectation.kwargs)
    return bool(columns) and all(":" in c and c not in outcomes for c in columns)


def _add_outcomes(frame: "pd.DataFrame", outcomes: Mapping[str, Mapping[int, str]]) -> None:
    """Add the outcomes as columns, null where all is well."""
    import pandas as pd

    for column, found in sorted(outcomes.items()):
        frame[column] = pd.Series(dict(found), dtype="str").reindex(frame.index)

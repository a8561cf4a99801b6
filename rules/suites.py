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

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.config import SourceConfig
from rules import compact, customer
from rules.expectations import Expectation, Result, run
from rules.quarantine import Quarantine, Severity
from rules.standardize import Standardized
from rules.suite_rules import (
    FORMED,
    Rule,
    columns_of,
    identity_rules,
    own_rules,
    required_rules,
    source_rules,
    value_rules,
)

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
class Part:
    """A checked slice.

    Attributes:
        records: ids of its records, kept out or not.
        staged: accepted records; values that failed are null.
        quarantine: one row per finding, ``rules.quarantine.QUARANTINE_SCHEMA``.
        accepted: for each row of quarantine whether a steward accepted it.
    """

    records: pa.ChunkedArray
    staged: pa.Table
    quarantine: pa.Table
    accepted: pa.Array


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


def validated(
    parts: Iterable[Part], config: SourceConfig, fed: Iterable[str], own: Mapping[str, Result]
) -> Validated:
    """The checked slices of a whole source put together, with its checks.

    Args:
        parts: of all slices, one at least.
        config: the source.
        fed: staged fields that the source feeds.
        own: what the expectations of its YAML gave; filled before the first part comes.
    """
    done = list(parts)
    staged = pa.concat_tables([part.staged for part in done])
    found = pa.concat_tables([part.quarantine for part in done])
    standing = Standing(
        rows=sum(len(part.records) for part in done),
        values={name: len(staged) - staged[name].null_count for name in FORMED},
        findings=found.select(Standing.COLUMNS),
    )
    return Validated(
        staged=staged,
        quarantine=found,
        checks=checks(config, fed, standing, own),
        rejected=standing.kept_out,
        accepted=pa.concat_arrays([part.accepted for part in done]),
        overtaken=[],
    )


def validate(standardized: Standardized, config: SourceConfig) -> Validated:
    """Check one standardized source and split off what fails.

    Raises:
        ConfigError: an expectation in the source's YAML is wrong or cannot be computed.
    """
    own = own_results(config, standardized.staged.column)
    part = split(standardized, config, own, np.arange(standardized.staged.num_rows))
    found = validated([part], config, standardized.inputs, own)
    return replace(found, overtaken=standardized.repairs.overtaken)


def own_results(
    config: SourceConfig, column: Callable[[str], pa.ChunkedArray]
) -> dict[str, Result]:
    """What the expectations of the source's YAML give, which may look at all records together.

    Args:
        config: the source.
        column: gives a staged column of all records, before any value was taken out.

    Returns:
        by name; failing rows are counted from 0 through all records.

    Raises:
        ConfigError: an expectation is wrong or cannot be computed.
    """
    rules = own_rules(config)
    if not rules:
        return {}
    names = {name for rule in rules for name in _staged_columns(rule)} or {"record_id"}
    staged = pa.table({name: column(name) for name in sorted(names)})
    results = run(_frame(staged, rules), [rule.expectation for rule in rules])
    return {rule.expectation.name: result for rule, result in zip(rules, results, strict=True)}


def expectations_of(config: SourceConfig, fields: Iterable[str]) -> dict[str, Expectation]:
    """By name, what the checks of a source expect, if these staged fields have findings or values.

    Raises:
        ConfigError: ``required`` or ``expectations`` name what is not there.
    """
    rules = [*source_rules(fields, config), *value_rules(FORMED, config.severity)]
    return {rule.expectation.name: rule.expectation for rule in rules}


def judging(config: SourceConfig) -> set[str]:
    """Names of the rules by which a suite takes out values or records of a source."""
    rules = [*required_rules(config), *value_rules(FORMED, config.severity), *own_rules(config)]
    return {rule.expectation.name for rule in rules}


def split(
    part: Standardized, config: SourceConfig, own: Mapping[str, Result], numbers: np.ndarray
) -> Part:
    """Check a slice and split off what fails.

    Args:
        part: the slice.
        config: the source.
        own: of :func:`own_results`.
        numbers: of the slice's records among all of the source, ascending.

    Raises:
        ConfigError: the source's YAML asks for what is not there.
    """
    staged, outcomes = part.staged, _outcomes(part.problems)
    noted = set(part.problems["field"].unique().to_pylist()) - {None}
    filled = {name for name in FORMED if staged[name].null_count < staged.num_rows}
    rules = [*source_rules(sorted(noted), config), *value_rules(filled, config.severity)]
    asked = [rule for rule in rules if not (rule.together or _is_silent(rule, outcomes))]
    columns = _columns(staged, asked) | _outcome_columns(outcomes, staged.num_rows)
    failing = compact.failing(columns, asked, staged.num_rows)
    failing |= {name: _of_slice(result, numbers) for name, result in own.items()}
    quarantine = Quarantine(staged, part.problems, part.raw, part.inputs, part.repairs)
    for rule in rules:
        _sort(rule, failing.get(rule.expectation.name, _NOBODY).tolist(), quarantine)
    found = quarantine.table()
    return Part(
        records=staged["record_id"],
        staged=quarantine.accepted(),
        quarantine=found,
        accepted=quarantine.accepted_of(found),
    )


# --- how a source stands


@dataclass(frozen=True)
class Standing:
    """How a source stands: what its checks are counted from.

    Attributes:
        rows: how many records it has, kept out or not.
        values: by column of FORMED, how many staged records have a value there.
        findings: COLUMNS of every finding that stands, accepted or not.
    """

    COLUMNS: ClassVar = ["record_id", "position", "field", "rule", "severity", "whole_record"]

    rows: int
    values: Mapping[str, int]
    findings: pa.Table

    @property
    def kept_out(self) -> int:
        """How many records are kept out."""
        return _records(self.findings.filter(self.findings["whole_record"]))


def checks(
    config: SourceConfig, fed: Iterable[str], standing: Standing, own: Mapping[str, Result]
) -> list[Check]:
    """One check per expectation of a source, counted from what stands.

    The expectations were met or not when the records were cleaned, which may be long
    ago; each failure left a finding. Those of the source's YAML are asked each time.

    Args:
        config: the source.
        fed: staged fields that the source feeds.
        standing: how it stands.
        own: of :func:`own_results`.
    """
    found = standing.findings
    formed = value_rules(FORMED, config.severity)
    by_rule = pc.is_in(found["rule"], value_set=pa.array(sorted(judging(config)), pa.string()))
    noted, judged = found.filter(pc.invert(by_rule)), found.filter(by_rule)
    fields = {*fed, *noted["field"].unique().to_pylist()} - {None}
    made = []
    for rule in [*source_rules(sorted(fields), config), *formed]:
        name, severity = rule.expectation.name, rule.expectation.severity
        if rule.effect == "finding":
            of = _where(noted, field=rule.fields[0], severity=severity)
        elif rule.effect == "record" and not rule.fields:
            of = _where(noted, field=None, severity=severity)
        else:
            of = _where(judged, rule=name)
        failed, evaluated = _records(of), standing.rows
        if name in own:
            made.append(_own_check(rule, own[name], of.num_rows))
            continue
        if rule.effect == "form":
            lost = of if severity == "error" else of.filter(of["whole_record"])
            evaluated = standing.values[rule.fields[0]] + _records(lost)
            if not evaluated:
                continue
        made.append(
            Check(
                name=name,
                passed=not failed,
                severity=severity,
                blocking=False,
                evaluated=evaluated,
                failed=failed,
                description=rule.description,
                quarantined=of.num_rows,
            )
        )
    return made


def _where(findings: pa.Table, **values: str | None) -> pa.Table:
    """The findings that have these values."""
    for name, value in values.items():
        column = findings[name]
        findings = findings.filter(column.is_null() if value is None else pc.equal(column, value))
    return findings


def _records(findings: pa.Table) -> int:
    """How many records the findings are about; a key that stands twice is two."""
    return findings.group_by(["record_id", "position"]).aggregate([]).num_rows


_NOBODY = np.empty(0, dtype=np.int64)


def _of_slice(result: Result, numbers: np.ndarray) -> np.ndarray:
    """The failing rows of one slice, counted from its first, out of those of all records."""
    return np.flatnonzero(np.isin(numbers, result.failing))


def _filled(staged: pa.Table) -> set[str]:
    """The columns that hold values."""
    return {name for name in staged.column_names if staged[name].null_count < staged.num_rows}


def _sort(rule: Rule, failing: Sequence[int], quarantine: Quarantine) -> None:
    """Quarantine the rows that fail an expectation."""
    severity = rule.expectation.severity
    if rule.effect == "check" or not failing:
        return
    name = rule.expectation.name
    standing = _standing(rule, failing, quarantine)
    if rule.effect == "record" or (severity == "error" and ESSENTIAL.intersection(rule.fields)):
        quarantine.reject(standing)
    if rule.effect == "finding" or not rule.fields:
        for field in rule.fields or (None,):
            quarantine.take(failing, field, severity)
        return
    if rule.effect in ("value", "form") and severity == "error":
        unused = standing if rule.effect == "value" else failing
        for field in set(rule.fields) - ESSENTIAL:
            quarantine.blank(unused, (field, *BELONGS.get(field, ())))
    for field in rule.fields:
        quarantine.write(failing, field, name, severity, rule.reason)


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
    columns = _columns(staged, rules)
    failing = compact.failing(columns, rules, staged.num_rows)
    return [
        Check(
            name=rule.expectation.name,
            passed=not len(failing[rule.expectation.name]),
            severity=rule.expectation.severity,
            blocking=True,
            evaluated=staged.num_rows - columns[rule.fields[0]].null_count,
            failed=len(failing[rule.expectation.name]),
            description=rule.description,
        )
        for rule in rules
    ]


def _own_check(rule: Rule, result: Result, quarantined: int) -> Check:
    return Check(
        name=rule.expectation.name,
        passed=result.success,
        severity=rule.expectation.severity,
        blocking=False,
        evaluated=result.evaluated,
        failed=len(result.failing) if result.failing else int(not result.success),
        description=rule.description,
        quarantined=quarantined,
    )


# --- the frame that Great Expectations sees


def _columns(staged: pa.Table, rules: Iterable[Rule]) -> dict[str, pa.ChunkedArray]:
    """The columns that the rules name: lists as texts, dates as moments.

    ``name?`` is whether there is a name, ``phones#`` how many phones there are.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    for name in dict.fromkeys(c for rule in rules for c in columns_of(rule.expectation.kwargs)):
        if ":" in name:
            continue  # an outcome, added by _outcome_columns
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
    return columns


def _frame(staged: pa.Table, rules: Sequence[Rule]) -> "pd.DataFrame":
    """The columns that the rules name, one row per record, labelled 0, 1, 2, ..."""
    return pa.table(_columns(staged, rules) or {"record_id": staged["record_id"]}).to_pandas()


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


def _outcome_columns(outcomes: Mapping[str, Mapping[int, str]], rows: int) -> dict[str, pa.Array]:
    """The outcomes as columns, null where all is well."""
    columns = {}
    for name, found in outcomes.items():
        failed = np.full(rows, None, dtype=object)
        failed[list(found)] = list(found.values())
        columns[name] = pa.array(failed, pa.string())
    return columns

"""Which expectations a staged source and the canonical model must meet, and who fails them.

What belongs here: the suites, built from the canonical model plus the source's
YAML (``required``, ``severity``, ``expectations``), and how failing rows become
quarantine. How Great Expectations is run stands in rules/expectations.py; what a
field rule says about a value stands in the field rules.

A source's suite has four parts, and Great Expectations names the failing rows of
each; nobody else decides who goes to quarantine:

- findings: per mapped field, the rule that a value failed must be none
  (``<field>_usable`` for errors, ``<field>_plausible`` for warnings);
- records: no rule on the whole record may have failed (``record_acceptable``),
  required fields must be there (``<field>_required``);
- values: what every staged value must look like (``phones_e164``, ...);
- the source's own ``expectations``.

In expectations, lists are texts joined by ``|``, dates and timestamps are
timestamps without zone (UTC).
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.config import SourceConfig
from onefold.errors import ConfigError
from rules import customer
from rules.expectations import Expectation, Result, run
from rules.quarantine import QUARANTINE_SCHEMA, Severity, shorten
from rules.standardize import Standardized

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

_ESSENTIAL = frozenset(field.name for field in customer.IDENTITY) | {"customer_type"}
"""Without one of these a record cannot be staged."""

_E164 = r"\+[1-9]\d{6,14}"
_EMAIL = r"[^@\s|]+@[^@\s|]+\.[^@\s|]+"
_KIND = r"(mobile|fixed|service|unknown)"


class OwnExpectation(BaseModel):
    """One entry of ``expectations:`` in a source's YAML."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    """Its name in Great Expectations, such as ``expect_column_values_to_match_regex``."""
    kwargs: dict[str, Any] = {}
    """Its arguments; ``column`` is a column of the canonical model."""
    severity: Severity = "error"
    """error: a failing value is not used. warning: it is, and is listed."""
    name: str = ""
    """Name of the rule in quarantine; empty: ``<column>_<type>``."""
    reason: str = ""
    """Sentence for the person who mends the value."""


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
    """

    staged: pa.Table
    quarantine: pa.Table
    checks: list[Check]
    rejected: int


@dataclass(frozen=True)
class _Rule:
    """An expectation with what its failing rows mean.

    Attributes:
        effect: ``finding``: what standardize noted; ``value``: the value is not used;
            ``record``: the record is kept out; ``check``: nothing but the check.
        fields: the staged columns it speaks about.
        reason: sentence for quarantine.
        description: what is expected, for the check.
    """

    expectation: Expectation
    effect: Literal["finding", "value", "record", "check"]
    fields: tuple[str, ...]
    reason: str
    description: str


def validate(standardized: Standardized, config: SourceConfig) -> Validated:
    """Check one standardized source and split off what fails.

    Raises:
        ConfigError: an expectation in the source's YAML is wrong or cannot be computed.
    """
    staged, problems = standardized.staged, standardized.problems
    rules = [
        *_finding_rules(standardized),
        *_required_rules(config),
        *_value_rules(staged, config),
        *_own_rules(config),
    ]
    frame = _frame(staged, rules)
    _add_outcomes(frame, rules, problems)
    results = run(frame, [rule.expectation for rule in rules])
    written = _Quarantine(standardized)
    checks = [
        _check(rule, result, blocking=False, quarantined=written.add(rule, result))
        for rule, result in zip(rules, results, strict=True)
    ]
    return Validated(written.accepted(), written.table(), checks, len(written.rejected))


def validate_canonical(staged: pa.Table) -> list[Check]:
    """Check all staged records of all sources together; every check is blocking.

    Args:
        staged: ``rules.customer.STAGED_SCHEMA``, one row per live record.
    """
    rules = [*_identity_rules(), *_value_rules(staged, None)]
    results = run(_frame(staged, rules), [rule.expectation for rule in rules])
    return [
        _check(rule, result, blocking=True) for rule, result in zip(rules, results, strict=True)
    ]


def _check(rule: _Rule, result: Result, *, blocking: bool, quarantined: int = 0) -> Check:
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


# --- the suites


def _finding_rules(standardized: Standardized) -> list[_Rule]:
    """That no field rule failed: per field and severity, and for the record."""
    fields = sorted(
        set(standardized.inputs) | set(standardized.problems["field"].to_pylist()) - {None}
    )
    rules = [
        _Rule(
            Expectation(
                "record_acceptable", "expect_column_values_to_be_null", {"column": ":error"}
            ),
            "record",
            (),
            "",
            "Every record is complete and has a key of its own.",
        )
    ]
    wanted: tuple[tuple[Severity, str, str], ...] = (
        ("error", "usable", "Every value for {} can be used."),
        ("warning", "plausible", "No value for {} looks wrong."),
    )
    for field in fields:
        for severity, word, description in wanted:
            name = f"{_plain(field)}_{word}"
            kwargs = {"column": f"{field}:{severity}"}
            expectation = Expectation(name, "expect_column_values_to_be_null", kwargs, severity)
            rules.append(
                _Rule(expectation, "finding", (field,), "", description.format(_words(field)))
            )
    return rules


def _required_rules(config: SourceConfig) -> list[_Rule]:
    """That the fields are there which the source's YAML calls required."""
    where = f"sources/{config.name}.yml, required"
    for field in config.required:
        _known_column(field, where)
    return [
        _Rule(
            Expectation(
                f"{field}_required",
                "expect_column_values_to_not_be_null",
                {"column": field},
                where=where,
            ),
            "record",
            (field,),
            f"The source requires {_words(field)}, and the record has none that can be used.",
            f"Every record has {_words(field)}.",
        )
        for field in config.required
    ]


def _value_rules(staged: pa.Table, config: SourceConfig | None) -> list[_Rule]:
    """What every staged value must look like, for the columns that hold any."""
    today = datetime.now(UTC).replace(tzinfo=None)
    regex, in_set, between = (
        "expect_column_values_to_match_regex",
        "expect_column_values_to_be_in_set",
        "expect_column_values_to_be_between",
    )
    past = {"min_value": datetime(1900, 1, 1), "max_value": today + timedelta(days=2)}
    table: tuple[tuple[str, str, str, dict[str, Any], str], ...] = (
        ("phones_e164", "phones", regex, {"regex": _joined(_E164)}, "in E.164: + and 7-15 digits"),
        ("phone_kinds_known", "phone_kinds", regex, {"regex": _joined(_KIND)}, "a known kind"),
        ("emails_address", "emails", regex, {"regex": _joined(_EMAIL)}, "one name, @ and a domain"),
        ("sex_known", "sex", in_set, {"value_set": ["M", "F"]}, "M or F"),
        ("status_known", "status", in_set, {"value_set": ["active", "closed"]}, "active or closed"),
        ("country_code", "country", regex, {"regex": r"^[A-Z]{2}$"}, "an ISO 3166 code"),
        (
            *("postal_code_form", "postal_code", regex, {"regex": r"^[A-Z0-9][A-Z0-9 -]{1,11}$"}),
            "letters, digits, blanks and dashes",
        ),
        ("birth_date_range", "birth_date", between, past, "between 1900 and today"),
        ("created_at_range", "created_at", between, past, "between 1900 and today"),
        ("updated_at_range", "updated_at", between, past, "between 1900 and today"),
        ("attributes_json", "attributes", "expect_column_values_to_be_json_parseable", {}, "JSON"),
    )
    severities = config.severity if config else {}
    return [
        _Rule(
            Expectation(name, type_, {"column": column, **kwargs}, severities.get(name, "error")),
            "value",
            (column,),
            f"The value is not {form}; correct it in the source.",
            f"Every value of {_words(column)} is {form}.",
        )
        for name, column, type_, kwargs, form in table
        if staged[column].null_count < staged.num_rows
    ]


def _own_rules(config: SourceConfig) -> list[_Rule]:
    """The ``expectations`` of the source's YAML."""
    rules = []
    for number, entry in enumerate(config.expectations, 1):
        where = f"sources/{config.name}.yml, expectations, entry {number}"
        try:
            own = OwnExpectation.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ConfigError(where, f"{field or 'the entry'}: {first['msg']}") from error
        columns = _columns(own.kwargs)
        for column in columns:
            _known_column(column, where)
        name = own.name or "_".join((*columns, own.type.removeprefix("expect_")))
        rules.append(
            _Rule(
                Expectation(_plain(name), own.type, _dated(own.kwargs), own.severity, where),
                "value" if columns else "check",
                columns,
                own.reason or f"The source's YAML expects otherwise: {own.type}.",
                own.reason or f"{own.type} holds for {', '.join(columns) or 'the table'}.",
            )
        )
    names = [rule.expectation.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"sources/{config.name}.yml, expectations",
                f"two entries are called {name}",
                do="Give each a name of its own.",
            )
    return rules


def _identity_rules() -> list[_Rule]:
    """What must hold between the columns of a staged record, and between records."""
    not_null, unique = "expect_column_values_to_not_be_null", "expect_column_values_to_be_unique"
    in_set, equal = "expect_column_values_to_be_in_set", "expect_column_pair_values_to_be_equal"
    types = [customer.PERSON, customer.ORGANIZATION]

    def same(name: str, left: str, right: str, words: str) -> tuple[str, str, dict[str, Any], str]:
        return name, equal, {"column_A": left, "column_B": right}, words

    table: tuple[tuple[str, str, dict[str, Any], str], ...] = (
        ("record_id_unique", unique, {"column": "record_id"}, "No record id occurs twice."),
        ("record_id_present", not_null, {"column": "record_id"}, "Every record has an id."),
        ("source_present", not_null, {"column": "source"}, "Every record names its source."),
        ("row_hash_present", not_null, {"column": "row_hash"}, "Every record has its hash."),
        (
            "customer_type_present",
            not_null,
            {"column": "customer_type"},
            "Every record has a type.",
        ),
        (
            *("customer_type_known", in_set, {"column": "customer_type", "value_set": types}),
            "Every record is a person or an organization.",
        ),
        same(
            "name_has_key", "name?", "name_key?", "Every name has its key form, and no other key."
        ),
        same(
            "national_id_has_kind", "national_id?", "national_id_kind?", "Every id says its kind."
        ),
        same("tax_id_has_kind", "tax_id?", "tax_id_kind?", "Every tax number says its kind."),
        same("phones_have_kinds", "phones#", "phone_kinds#", "Every phone has a kind."),
        same(
            "phones_have_places", "phones#", "phone_extensions#", "Every phone has its extension."
        ),
    )
    return [
        _Rule(Expectation(name, type_, kwargs), "check", _columns(kwargs), "", description)
        for name, type_, kwargs, description in table
    ]


def _joined(pattern: str) -> str:
    """Pattern of a list whose every element fits the pattern."""
    return rf"^{pattern}(\|{pattern})*$"


def _columns(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    named = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return tuple(str(name) for name in [*named, *kwargs.get("column_list", ())])


def _dated(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with dates as timestamps, as the frame has them."""
    column = customer.BY_NAME.get(str(kwargs.get("column")))
    is_time = column is not None and column.kind in ("date", "timestamp")

    def dated(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day)
        if is_time and isinstance(value, str):
            try:
                return dated(datetime.fromisoformat(value))
            except ValueError:
                return value
        return value

    return {key: dated(value) for key, value in kwargs.items()}


def _known_column(column: str, where: str) -> None:
    if column not in customer.BY_NAME:
        near = difflib.get_close_matches(column, customer.BY_NAME, 1)
        raise ConfigError(
            where,
            f"the canonical model has no column {column}",
            do=f"Did you mean {near[0]}?" if near else "See docs/data-dictionary.md.",
        )


def _plain(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name)


def _words(field: str) -> str:
    return field.replace("_", " ")


# --- the frame that Great Expectations sees


def _frame(staged: pa.Table, rules: Sequence[_Rule]) -> "pd.DataFrame":
    """The staged columns that the rules need, labelled 0, 1, 2, ...

    ``name?`` is whether there is a name, ``phones#`` how many phones there are.
    """
    columns: dict[str, pa.ChunkedArray] = {}
    for name in dict.fromkeys(c for rule in rules for c in _columns(rule.expectation.kwargs)):
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
            column = column.cast(pa.timestamp("us"))
        columns[name] = column
    if not columns:
        columns["record_id"] = staged["record_id"]
    return pa.table(columns).to_pandas()


def _add_outcomes(frame: "pd.DataFrame", rules: Sequence[_Rule], problems: pa.Table) -> None:
    """Add ``<field>:<severity>``: the rule a row failed there, if any; ``:error`` as a record."""
    import pandas as pd

    outcomes: dict[str, dict[int, str]] = {}
    for row, field, severity, rule in _columnwise(problems, "row", "field", "severity", "rule"):
        outcomes.setdefault(f"{field or ''}:{severity}", {})[row] = rule
    for rule in rules:
        for column in _columns(rule.expectation.kwargs):
            if ":" in column:
                failed = pd.Series(outcomes.get(column, {}), dtype="str")
                frame[column] = failed.reindex(frame.index)


def _columnwise(table: pa.Table, *names: str) -> Iterable[tuple[Any, ...]]:
    return zip(*(table[name].to_pylist() for name in names), strict=True)


# --- failing rows to quarantine


class _Quarantine:
    """Collects who failed, and takes it out of staged."""

    def __init__(self, standardized: Standardized) -> None:
        self.rejected: set[int] = set()
        self._standardized = standardized
        self._noted: dict[tuple[str | None, str, int], list[int]] = {}
        problems = standardized.problems
        noted = _columnwise(problems, "field", "severity", "row")
        for number, (field, severity, row) in enumerate(noted):
            self._noted.setdefault((field, severity, row), []).append(number)
        self._taken: list[int] = []
        self._new: list[tuple[int, str, _Rule]] = []
        self._null: dict[str, set[int]] = {}

    def add(self, rule: _Rule, result: Result) -> int:
        """Quarantine the rows that failed an expectation; how many rows that wrote."""
        if rule.effect == "check" or not result.failing:
            return 0
        severity = rule.expectation.severity
        before = len(self._taken) + len(self._new)
        if rule.effect == "record":
            self.rejected.update(result.failing)
        if rule.effect == "finding" or not rule.fields:
            field = rule.fields[0] if rule.fields else None
            for row in result.failing:
                self._taken += self._noted[field, severity, row]
        else:
            self._new += [(row, field, rule) for row in result.failing for field in rule.fields]
        if rule.effect == "value" and severity == "error":
            for field in rule.fields:
                if field in _ESSENTIAL:
                    self.rejected.update(result.failing)
                for column in (field, *BELONGS.get(field, ())):
                    self._null.setdefault(column, set()).update(result.failing)
        return len(self._taken) + len(self._new) - before

    def accepted(self) -> pa.Table:
        """Staged without the rejected records and without the values that failed."""
        staged = self._standardized.staged
        for column, rows in self._null.items():
            if column not in _ESSENTIAL:
                mask = pa.array(row in rows for row in range(staged.num_rows))
                place = staged.schema.get_field_index(column)
                kept = pc.if_else(
                    mask, pa.scalar(None, staged.schema.field(column).type), staged[column]
                )
                staged = staged.set_column(place, staged.schema.field(column), kept)
        if not self.rejected:
            return staged
        return staged.filter(pa.array(row not in self.rejected for row in range(staged.num_rows)))

    def table(self) -> pa.Table:
        """The quarantine, in order of records."""
        staged, problems = self._standardized.staged, self._standardized.problems
        taken = problems.take(pa.array(self._taken, pa.int32()))
        rows = [row for row, _, _ in self._new]
        at = staged.select(["record_id", "source", "source_key", "position"]).take(
            pa.array(rows, pa.int32())
        )
        new = at.append_column("field", pa.array([field for _, field, _ in self._new], pa.string()))
        for name, values in (
            ("rule", [rule.expectation.name for _, _, rule in self._new]),
            ("severity", [rule.expectation.severity for _, _, rule in self._new]),
            ("reason", [rule.reason for _, _, rule in self._new]),
            ("raw_value", [self._raw(row, field) for row, field, _ in self._new]),
        ):
            new = new.append_column(name, pa.array(values, pa.string()))
        new = new.append_column("row", pa.array(rows, pa.int32()))
        found = pa.concat_tables([taken, new]).sort_by("row")
        whole = pa.array((row in self.rejected for row in found["row"].to_pylist()), pa.bool_())
        return (
            found.drop_columns(["row"]).append_column("whole_record", whole).cast(QUARANTINE_SCHEMA)
        )

    def _raw(self, row: int, field: str) -> str | None:
        """What the source wrote for a field; the staged value if it came from elsewhere."""
        columns = self._standardized.inputs.get(field, ())
        cells = [self._standardized.raw[column][row].as_py() for column in columns]
        written = " | ".join(str(cell) for cell in cells if cell)
        if written:
            return shorten(written)
        value = self._standardized.staged[field][row].as_py()
        return None if value is None else shorten(str(value))

"""Which expectations a staged source and the canonical model must meet.

What belongs here: the expectations, built from the canonical model plus the
source's YAML (``required``, ``severity``, ``expectations``). What follows from
them stands in rules/suites.py, how Great Expectations is run in
rules/expectations.py.

In expectations, lists are texts joined by ``|``; dates and timestamps are
timestamps in UTC, which Great Expectations compares as whole columns. Those
that are not of a source's YAML look at values and never at their absence:
``name?`` says whether there is a name.
"""

import difflib
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from connectors.config import SourceConfig
from onefold.errors import ConfigError
from rules import customer
from rules.expectations import Expectation
from rules.quarantine import Severity

_E164 = r"\+[1-9]\d{3,14}"
_EMAIL = r"[^@\s|]+@[^@\s|]+\.[^@\s|]+"
_KIND = r"(?:mobile|fixed|service|unknown)"
_POSTAL = r"^[A-Za-z0-9][A-Za-z0-9 -]{1,11}$"
FORMED = ("phones", "emails", "postal_code", "birth_date", "created_at", "updated_at")
"""Staged columns whose values have a form that later stages rely on."""
AGING = frozenset({"date_in_future", "birth_date_range", "created_at_range", "updated_at_range"})
"""Rules by which a value that fails today can be right another day."""
_TEXT_ARGUMENTS = ("column", "regex", "like_pattern", "strftime_format", "value_set", "json_schema")


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
class Rule:
    """An expectation with what its failing rows mean.

    Attributes:
        effect: ``finding``: what standardize noted; ``value``: the value is not used, unless
            a steward accepts it; ``form``: the value is not used, as later stages rely on its form;
            ``record``: the record is kept out; ``check``: nothing but the check.
        fields: the staged columns it speaks about.
        reason: sentence for quarantine.
        description: what is expected, for the check.
        together: whether it may look at all records of the source together; else it looks at
            one record at a time.
    """

    expectation: Expectation
    effect: Literal["finding", "value", "form", "record", "check"]
    fields: tuple[str, ...]
    reason: str
    description: str
    together: bool = False


def source_rules(fields: Iterable[str], config: SourceConfig) -> list[Rule]:
    """What a source's records must meet.

    - ``record_acceptable``: no rule on a whole record failed;
    - ``<field>_usable``, ``<field>_plausible``: no field rule failed, no field rule warned;
    - ``<field>_required``: the fields of ``required`` are there;
    - the ``expectations`` of the source's YAML.

    Args:
        fields: the staged fields that the source feeds.
        config: the source.

    Raises:
        ConfigError: ``required`` or ``expectations`` name what is not there.
    """
    rules = [*_finding_rules(fields), *required_rules(config), *own_rules(config)]
    names = [rule.expectation.name for rule in [*rules, *value_rules(FORMED, {})]]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                config.file,
                f"two expectations are called {name}",
                do="Give each a name of its own with 'name'.",
            )
    return rules


def _finding_rules(fields: Iterable[str]) -> list[Rule]:
    """That no field rule failed: per field and severity, and for the record."""
    rules = [
        Rule(
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
                Rule(expectation, "finding", (field,), "", description.format(_words(field)))
            )
    return rules


def required_rules(config: SourceConfig) -> list[Rule]:
    """That the fields are there which the source's YAML calls required."""
    where = f"{config.file}, required"
    for field in config.required:
        _known_column(field, where)
    return [
        Rule(
            Expectation(
                f"{field}_required",
                "expect_column_values_to_be_in_set",
                {"column": f"{field}?", "value_set": [True]},
                where=where,
            ),
            "record",
            (field,),
            f"The source requires {_words(field)}, and the record has none that can be used.",
            f"Every record has {_words(field)}.",
        )
        for field in config.required
    ]


def value_rules(filled: Container[str], severity: Mapping[str, Severity]) -> list[Rule]:
    """What every staged value must look like, for the columns that hold any.

    Args:
        filled: the columns that hold values; the others need no check.
        severity: rule → severity, in place of error.
    """
    today = datetime.now(UTC)
    regex, between = (
        "expect_column_values_to_match_regex",
        "expect_column_values_to_be_between",
    )
    past = {"min_value": datetime(1850, 1, 1, tzinfo=UTC), "max_value": today + timedelta(days=2)}
    born = past | {
        "min_value": datetime(1000, 1, 1, tzinfo=UTC)
    }  # the reader refuses what is too old
    table: tuple[tuple[str, str, str, dict[str, Any], str], ...] = (
        ("phones_e164", "phones", regex, {"regex": _joined(_E164)}, "in E.164: + and 4-15 digits"),
        ("emails_address", "emails", regex, {"regex": _joined(_EMAIL)}, "one name, @ and a domain"),
        ("postal_code_form", "postal_code", regex, {"regex": _POSTAL}, "a postal code"),
        ("birth_date_range", "birth_date", between, born, "between 1000 and today"),
        ("created_at_range", "created_at", between, past, "between 1850 and today"),
        ("updated_at_range", "updated_at", between, past, "between 1850 and today"),
    )
    return [
        Rule(
            Expectation(name, type_, {"column": column, **kwargs}, severity.get(name, "error")),
            "form",
            (column,),
            f"The value is not {form}; correct it in the source.",
            f"Every value of {_words(column)} is {form}.",
        )
        for name, column, type_, kwargs, form in table
        if column in filled
    ]


def own_rules(config: SourceConfig) -> list[Rule]:
    """The ``expectations`` of the source's YAML."""
    rules = []
    for number, entry in enumerate(config.expectations, 1):
        where = f"{config.file}, expectations, entry {number}"
        try:
            own = OwnExpectation.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise ConfigError(where, f"{field or 'the entry'}: {first['msg']}") from error
        columns = columns_of(own.kwargs)
        for column in columns:
            _known_column(column, where)
        short = own.type.removeprefix("expect_").removeprefix("column_").removeprefix("values_to_")
        name = own.name or "_".join((*columns, short))
        rules.append(
            Rule(
                Expectation(_plain(name), own.type, _typed(own.kwargs), own.severity, where),
                "value" if columns else "check",
                columns,
                own.reason or f"The source's YAML expects otherwise: {own.type}.",
                own.reason or f"{own.type} holds for {', '.join(columns) or 'the table'}.",
                together=True,
            )
        )
    return rules


def identity_rules() -> list[Rule]:
    """What must hold between the columns of a staged record, and between records."""
    unique, json = "expect_column_values_to_be_unique", "expect_column_values_to_be_json_parseable"
    in_set, equal = "expect_column_values_to_be_in_set", "expect_column_pair_values_to_be_equal"
    regex = "expect_column_values_to_match_regex"
    types = [customer.PERSON, customer.ORGANIZATION]

    def present(column: str, words: str) -> tuple[str, str, dict[str, Any], str]:
        return f"{column}_present", in_set, {"column": f"{column}?", "value_set": [True]}, words

    def same(name: str, left: str, right: str, words: str) -> tuple[str, str, dict[str, Any], str]:
        return name, equal, {"column_A": left, "column_B": right}, words

    table: tuple[tuple[str, str, dict[str, Any], str], ...] = (
        ("record_id_unique", unique, {"column": "record_id"}, "No record id occurs twice."),
        present("record_id", "Every record has an id."),
        present("source", "Every record names its source."),
        present("row_hash", "Every record has its hash."),
        present("customer_type", "Every record has a type."),
        (
            *("customer_type_known", in_set, {"column": "customer_type", "value_set": types}),
            "Every record is a person or an organization.",
        ),
        (
            *("phone_kinds_known", regex, {"column": "phone_kinds", "regex": _joined(_KIND)}),
            "Every kind of phone is known.",
        ),
        ("sex_known", in_set, {"column": "sex", "value_set": ["M", "F"]}, "Every sex is M or F."),
        (
            *("status_known", in_set, {"column": "status", "value_set": ["active", "closed"]}),
            "Every status is active or closed.",
        ),
        (
            *("country_code", regex, {"column": "country", "regex": "^[A-Z]{2}$"}),
            "Every country is an ISO 3166 code.",
        ),
        ("attributes_json", json, {"column": "attributes"}, "All attributes are JSON."),
        same("name_has_key", "name?", "name_key?", "Every name has a key form, and no other key."),
        same("national_id_has_kind", "national_id?", "national_id_kind?", "Every id has a kind."),
        same("tax_id_has_kind", "tax_id?", "tax_id_kind?", "Every tax number says its kind."),
        same("phones_have_kinds", "phones#", "phone_kinds#", "Every phone has a kind."),
        same("phones_have_places", "phones#", "phone_extensions#", "Every phone has a place."),
    )
    return [
        Rule(Expectation(name, type_, kwargs), "check", columns_of(kwargs), "", description)
        for name, type_, kwargs, description in table
    ]


def _joined(pattern: str) -> str:
    """Pattern of a list whose every element fits the pattern."""
    return rf"^{pattern}(?:\|{pattern})*$"


def columns_of(kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    named = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs]
    return tuple(str(name) for name in [*named, *kwargs.get("column_list", ())])


def _typed(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with numbers, dates and yes/no as such: a source's YAML is read as text."""
    return {
        key: value if key.startswith(_TEXT_ARGUMENTS) else _typed_value(value)
        for key, value in kwargs.items()
    }


def _typed_value(value: Any) -> Any:
    if isinstance(value, str):
        value = yaml.safe_load(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value


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

"""Great Expectations decides who goes to quarantine, and every count agrees with it."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from connectors.config import SourceConfig
from onefold.errors import ConfigError
from rules.customer import STAGED_SCHEMA
from rules.quarantine import QUARANTINE_SCHEMA
from rules.standardize import Standardized, standardize
from rules.suites import Check, Validated, validate, validate_canonical

ROWS: list[dict[str, str | None]] = [
    {"name": "李娜", "phone": "13912340001", "zip": "200001", "born": "1990-01-02"},
    {"name": "王芳", "phone": "7788", "zip": "2000", "born": "1990-13-41"},
    {"name": "张伟", "phone": "1.38E+10", "cell": "7788", "zip": None, "born": None},
    {"name": None, "phone": None, "zip": None, "born": None},
    {"name": "刘洋", "phone": "13912340001", "zip": "510000", "born": "1950-01-02"},
    {"name": "陈静", "phone": "13912340002", "zip": "510000", "born": None},
]
COLUMNS = {
    "name": ["name"],
    "phone": ["phone"],
    "mobile": ["cell"],
    "postal_code": ["zip"],
    "birth_date": ["born"],
}


def source(**more: Any) -> SourceConfig:
    settings = {"name": "list", "connector": "delimited", "path": ["list.csv"], "columns": COLUMNS}
    return SourceConfig.model_validate({**settings, **more})


def raw(rows: list[dict[str, str | None]] = ROWS, **technical: list[str | None]) -> pa.Table:
    columns: dict[str, list[str | None]] = {
        "_source_key": [f"k{number}" for number in range(len(rows))],
        "_position": [f"list.csv|{number + 2}" for number in range(len(rows))],
        "_row_hash": [f"h{number}" for number in range(len(rows))],
        **technical,
    }
    names = ("name", "phone", "cell", "zip", "born")
    columns |= {name: [row.get(name) for row in rows] for name in names}
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def standardized(config: SourceConfig, **technical: list[str | None]) -> Standardized:
    return standardize(raw(**technical), config, "CN")


def validated(**more: Any) -> Validated:
    config = source(**more)
    return validate(standardized(config), config)


def check(result: Validated | list[Check], name: str) -> Check:
    checks = result.checks if isinstance(result, Validated) else result
    (found,) = [check for check in checks if check.name == name]
    return found


def own(type_: str, severity: str = "error", **kwargs: Any) -> dict[str, Any]:
    return {"type": type_, "kwargs": kwargs, "severity": severity}


@pytest.fixture(scope="module")
def plain() -> Validated:
    return validated()


def test_every_record_is_staged_or_quarantined_whole(plain):
    whole = plain.quarantine.filter(plain.quarantine["whole_record"])
    assert plain.staged.schema.equals(STAGED_SCHEMA)
    assert plain.quarantine.schema.equals(QUARANTINE_SCHEMA)
    staged, rejected = (
        set(plain.staged["record_id"].to_pylist()),
        set(whole["record_id"].to_pylist()),
    )
    assert staged | rejected == {f"list:k{number}" for number in range(len(ROWS))}
    assert not staged & rejected
    assert plain.rejected == len(rejected) == 1


def test_every_finding_of_standardize_is_in_quarantine(plain):
    problems = standardized(source()).problems
    names = ["record_id", "field", "rule", "severity", "reason", "raw_value", "position"]
    expected = Counter(tuple(row[name] for name in names) for row in problems.to_pylist())
    found = Counter(tuple(row[name] for name in names) for row in plain.quarantine.to_pylist())
    assert found == expected
    assert problems.num_rows > 3


def test_the_checks_counts_agree_with_the_quarantine(plain):
    rows = plain.quarantine.to_pylist()
    for word, severity in (("usable", "error"), ("plausible", "warning")):
        for field in ("phones", "birth_date", "name", "postal_code"):
            mine = [row for row in rows if (row["field"], row["severity"]) == (field, severity)]
            found = check(plain, f"{field}_{word}")
            assert found.failed == len({row["record_id"] for row in mine})
            assert found.quarantined == len(mine)
            assert found.passed == (not mine)
            assert (found.severity, found.blocking) == (severity, False)
    assert check(plain, "record_acceptable").failed == 1
    assert (check(plain, "phones_usable").failed, check(plain, "phones_usable").quarantined) == (
        2,
        3,
    )
    assert sum(found.quarantined for found in plain.checks) == len(rows)


def test_clean_records_pass_every_check():
    config = source(required=["name"])
    clean = standardize(raw(ROWS[:1]), config, "CN")
    result = validate(clean, config)
    assert all(found.passed and not found.failed for found in result.checks)
    assert (result.staged.num_rows, result.quarantine.num_rows, result.rejected) == (1, 0, 0)


def test_a_source_without_records_passes():
    config = source()
    result = validate(standardize(raw().slice(0, 0), config, "CN"), config)
    assert (result.staged.num_rows, result.quarantine.num_rows) == (0, 0)
    assert all(found.passed for found in result.checks)


def test_check_names_and_descriptions_hold_no_values_and_fit_dagster(plain):
    for found in plain.checks:
        assert found.name.isascii()
        assert found.name.replace("_", "").isalnum()
        assert not any(row["name"] and row["name"] in found.description for row in ROWS)
    assert len({found.name for found in plain.checks}) == len(plain.checks)


def test_records_the_connector_marked_are_kept_out_whole():
    config = source()
    marks = [None, "the line is 60 bytes long, not 130", None, None, None, None]
    result = validate(standardized(config, _problem=marks), config)
    assert "list:k1" not in result.staged["record_id"].to_pylist()
    rows = [row for row in result.quarantine.to_pylist() if row["record_id"] == "list:k1"]
    assert all(row["whole_record"] for row in rows)
    assert {row["rule"] for row in rows} >= {"record_damaged", "phone_length"}
    assert check(result, "record_acceptable").failed == result.rejected == 2


def test_required_fields_keep_records_out_whole():
    result = validated(required=["birth_date"])
    assert result.staged["record_id"].to_pylist() == ["list:k0", "list:k4"]
    assert check(result, "birth_date_required").failed == 4
    rows = [row for row in result.quarantine.to_pylist() if row["rule"] == "birth_date_required"]
    assert {row["raw_value"] for row in rows} == {"1990-13-41", None}
    assert all(row["whole_record"] for row in rows)


def test_an_expectation_of_the_source_makes_failing_values_null_with_what_was_written():
    entry = own("expect_column_values_to_match_regex", column="postal_code", regex="^2")
    result = validated(expectations=[entry | {"reason": "Only Shanghai."}])
    kept = dict(
        zip(
            result.staged["record_id"].to_pylist(),
            result.staged["postal_code"].to_pylist(),
            strict=True,
        )
    )
    assert kept["list:k0"] == "200001"
    assert kept["list:k4"] is None
    rows = [
        row for row in result.quarantine.to_pylist() if row["rule"].startswith("postal_code_match")
    ]
    assert {(row["record_id"], row["raw_value"], row["reason"]) for row in rows} >= {
        ("list:k4", "510000", "Only Shanghai."),
        ("list:k5", "510000", "Only Shanghai."),
    }
    found = check(result, "postal_code_match_regex")
    assert (found.failed, found.quarantined, found.passed) == (len(rows), len(rows), False)


def test_a_warning_of_the_source_keeps_the_value():
    entry = own("expect_column_values_to_match_regex", "warning", column="postal_code", regex="^2")
    result = validated(expectations=[entry])
    assert "510000" in result.staged["postal_code"].to_pylist()
    assert "warning" in result.quarantine["severity"].to_pylist()


def test_a_failing_phone_takes_its_parallel_lists_along():
    entry = own("expect_column_values_to_match_regex", column="phones", regex="0001$")
    staged = validated(expectations=[entry]).staged
    row = staged.filter(pc.equal(staged["record_id"], "list:k5")).to_pylist()[0]
    assert {row[name] for name in ("phones", "phone_kinds", "phone_extensions", "phone_keys")} == {
        None
    }


def test_an_expectation_on_what_every_record_needs_keeps_records_out():
    entry = own(
        "expect_column_values_to_be_in_set", column="customer_type", value_set=["organization"]
    )
    result = validated(expectations=[entry])
    assert result.staged.num_rows == 0
    assert result.rejected == len(ROWS)


def test_numbers_and_dates_of_the_yaml_are_read_as_such():
    entry = own("expect_column_values_to_be_between", column="birth_date", min_value="1960-01-01")
    result = validated(expectations=[entry])
    born = [value for value in result.staged["birth_date"].to_pylist() if value]
    assert [value.year for value in born] == [1990]


def test_mostly_decides_whether_the_check_passes_but_not_who_fails():
    entry = own(
        "expect_column_values_to_match_regex", column="postal_code", regex="^2", mostly="0.1"
    )
    result = validated(expectations=[entry])
    found = check(result, "postal_code_match_regex")
    assert found.passed
    assert found.failed == found.quarantined > 0


def test_an_expectation_on_the_whole_table_is_a_check_only():
    result = validated(expectations=[own("expect_table_row_count_to_be_between", min_value="100")])
    found = check(result, "table_row_count_to_be_between")
    assert (found.passed, found.quarantined) == (False, 0)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            own("expect_column_values_to_be_nice", column="city"),
            "has no expect_column_values_to_be_nice",
        ),
        (own("expect_column_values_to_match_regex", column="town", regex="x"), "no column town"),
        (own("expect_column_values_to_match_regex_list", column="city"), "regex_list"),
        (
            own("expect_column_values_to_match_regex", column="postal_code", regex="("),
            "cannot be computed",
        ),
        (
            own("expect_column_values_to_be_between", column="name", min_value="3"),
            "cannot be computed on name",
        ),
        ({"type": "expect_column_values_to_be_unique", "sevrity": "error"}, "sevrity"),
    ],
)
def test_a_wrong_expectation_is_an_error_that_names_it_and_no_bad_data(entry, said):
    with pytest.raises(ConfigError, match=said) as raised:
        validated(expectations=[entry])
    assert "sources/list.yml, expectations, entry 1" in str(raised.value)
    assert not any(row["name"] and row["name"] in str(raised.value) for row in ROWS)


def test_a_required_column_that_does_not_exist_suggests_the_one_meant():
    with pytest.raises(ConfigError, match="Did you mean phones"):
        validated(required=["phnes"])


def test_two_expectations_of_one_name_are_refused():
    entry = own("expect_column_values_to_match_regex", column="city", regex="x")
    with pytest.raises(ConfigError, match="two expectations are called city_match_regex"):
        validated(expectations=[entry, entry])


def test_what_a_field_rule_let_pass_is_caught_by_the_value_rules():
    config = source()
    good = standardized(config)
    place = good.staged.schema.get_field_index("created_at")
    dates = [datetime(2999, 1, 1, tzinfo=UTC), *[datetime(2020, 1, 1, tzinfo=UTC)] * 5]
    column = pa.array(dates, STAGED_SCHEMA.field("created_at").type)
    spoiled = good.staged.set_column(place, STAGED_SCHEMA.field("created_at"), column)
    result = validate(Standardized(spoiled, good.problems, good.raw, good.inputs), config)
    assert check(result, "created_at_range").failed == 1
    assert result.staged["created_at"].null_count == 1


# --- the canonical model


def test_records_that_standardize_made_pass_the_canonical_suite(plain):
    checks = validate_canonical(plain.staged)
    assert [found.name for found in checks if not found.passed] == []
    assert all(found.blocking and found.severity == "error" for found in checks)
    assert check(checks, "record_id_unique").evaluated == 5


BROKEN = [
    ("record_id", "list:k0", "record_id_unique"),
    ("record_id", None, "record_id_present"),
    ("source", None, "source_present"),
    ("row_hash", None, "row_hash_present"),
    ("customer_type", None, "customer_type_present"),
    ("customer_type", "robot", "customer_type_known"),
    ("name_key", None, "name_has_key"),
    ("phones", ["+8613912340001", "139"], "phones_e164"),
    ("phone_kinds", ["mobile", "fixed"], "phones_have_kinds"),
    ("phone_kinds", ["pager"], "phone_kinds_known"),
    ("phone_extensions", ["1", "2"], "phones_have_places"),
    ("emails", ["x"], "emails_address"),
    ("country", "China", "country_code"),
    ("postal_code", "路", "postal_code_form"),
    ("sex", "W", "sex_known"),
    ("status", "asleep", "status_known"),
    ("national_id_kind", "cn_ric", "national_id_has_kind"),
    ("tax_id_kind", "cn_uscc", "tax_id_has_kind"),
    ("attributes", "{", "attributes_json"),
    ("created_at", datetime(2999, 1, 1, tzinfo=UTC), "created_at_range"),
]


def test_the_canonical_suite_sees_each_thing_that_breaks_the_model(plain):
    record = plain.staged.slice(0, 1).to_pylist()[0]
    rows = [record | {"record_id": f"list:b{number}"} for number in range(len(BROKEN))]
    good = pa.Table.from_pylist([record, *rows], schema=STAGED_SCHEMA)
    assert all(found.passed for found in validate_canonical(good))
    broken = [row | {column: value} for row, (column, value, _) in zip(rows, BROKEN, strict=True)]
    checks = validate_canonical(pa.Table.from_pylist([record, *broken], schema=STAGED_SCHEMA))
    failed = {found.name: found.failed for found in checks if not found.passed}
    assert set(failed) == {name for _, _, name in BROKEN}
    # The repeated id counts twice, and a phone too many also lacks its kind and place.
    more = {"record_id_unique": 2, "phones_have_kinds": 2, "phones_have_places": 2}
    assert failed == dict.fromkeys(failed, 1) | more


def test_an_empty_canonical_table_passes(plain):
    assert all(found.passed for found in validate_canonical(plain.staged.slice(0, 0)))

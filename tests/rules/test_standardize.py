"""Records through the rules: nothing is lost, everything that fails is said."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.config import SourceConfig
from connectors.fields import is_input_field
from onefold.errors import SourceLayout
from rules.customer import STAGED_SCHEMA
from rules.quarantine import PROBLEMS_SCHEMA, RAW_VALUE_LIMIT
from rules.standardize import Standardized, standardize

RESIDENT = "11010519491231002X"  # GB 11643's own example


def raw_table(rows: list[dict[str, str | None]], **technical: list[str | None]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns: dict[str, list[str | None]] = {
        "_source_key": [f"k{number}" for number in range(len(rows))],
        "_position": [f"list.csv|{number + 2}" for number in range(len(rows))],
        "_row_hash": [f"h{number}" for number in range(len(rows))],
        **technical,
    }
    columns |= {name: [row.get(name) for row in rows] for name in names}
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def config(rows: list[dict[str, str | None]], **more: Any) -> SourceConfig:
    """A source whose columns are called as the input fields."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: (name,) for name in names if is_input_field(name)} | more.pop("columns", {})
    settings_ = {"name": "list", "connector": "delimited", "path": ("list.csv",), **more}
    return SourceConfig.model_validate({**settings_, "columns": columns})


def standardized(*rows: dict[str, str | None], country: str = "CN", **more: Any) -> Standardized:
    found = list(rows)
    technical = more.pop("technical", {})
    return standardize(raw_table(found, **technical), config(found, **more), country)


def only(*rows: dict[str, str | None], **more: Any) -> dict[str, Any]:
    """The first staged record."""
    record: dict[str, Any] = standardized(*rows, **more).staged.to_pylist()[0]
    return record


def findings(result: Standardized) -> set[tuple[int, str | None, str]]:
    table = result.problems
    return set(zip(*(table[name].to_pylist() for name in ("row", "field", "rule")), strict=True))


def test_the_staged_table_has_the_canonical_schema_and_one_row_per_raw_row():
    result = standardized({"name": "李娜"}, {"name": None}, {"name": "上海晨光贸易有限公司"})
    assert result.staged.schema.equals(STAGED_SCHEMA)
    assert result.problems.schema.equals(PROBLEMS_SCHEMA)
    assert result.staged["record_id"].to_pylist() == ["list:k0", "list:k1", "list:k2"]
    assert result.staged["position"].to_pylist() == ["list.csv|2", "list.csv|3", "list.csv|4"]
    assert result.staged["row_hash"].to_pylist() == ["h0", "h1", "h2"]


def test_an_empty_table_stays_empty():
    empty = raw_table([{"name": "x"}]).slice(0, 0)
    result = standardize(empty, config([{"name": "x"}]), "CN")
    assert (result.staged.num_rows, result.problems.num_rows) == (0, 0)
    assert result.staged.schema.equals(STAGED_SCHEMA)


def test_a_mapped_column_that_is_missing_is_an_error_that_names_it():
    rows: list[dict[str, str | None]] = [{"name": "李娜"}]
    with pytest.raises(SourceLayout, match="Telefon"):
        standardize(raw_table(rows), config(rows, columns={"phone": ("Telefon",)}), "CN")


cell = st.one_of(
    st.none(), st.text(max_size=30), st.sampled_from([RESIDENT, "13800138001", "李娜"])
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.fixed_dictionaries(
            dict.fromkeys(
                [
                    *("name", "organization_name", "family_name", "given_name", "short_name"),
                    *("customer_type", "national_id", "tax_id", "identifier", "birth_date", "sex"),
                    *("phone", "mobile", "email", "address", "city", "region", "postal_code"),
                    *("country", "contact_name", "legal_representative", "status", "note"),
                    *("consent_marketing", "created_at", "updated_at", "attributes.level"),
                ],
                cell,
            )
        ),
        min_size=1,
        max_size=3,
    )
)
def test_no_text_whatever_loses_a_record_or_raises(rows):
    result = standardized(*rows)
    staged = result.staged.to_pylist()
    assert len(staged) == len(rows)
    rejected = {row for row, field, _ in findings(result) if field is None}
    for number, record in enumerate(staged):
        reachable = record["id_keys"] or record["phone_keys"] or record["emails"]
        assert record["name"] or reachable or number in rejected
        assert record["customer_type"] in ("person", "organization")
        counts = {len(record[n] or ()) for n in ("phones", "phone_kinds", "phone_extensions")}
        assert len(counts) == 1
        assert bool(record["name"]) == bool(record["name_key"])


def test_row_order_changes_no_record():
    rows: list[dict[str, str | None]] = [
        {"name": "李娜", "phone": "13912340001", "birth_date": "3/4/1990"},
        {"name": "Ann Lee", "phone": "x", "birth_date": "25/4/1990"},
        {"name": "上海晨光贸易有限公司", "phone": "021-62345678", "birth_date": None},
    ]
    hashes = {"_row_hash": ["a", "b", "c"], "_source_key": ["1", "2", "3"]}
    forward = standardize(raw_table(rows, **hashes), config(rows), "CN").staged.to_pylist()
    back_hashes = {name: values[::-1] for name, values in hashes.items()}
    back = standardize(raw_table(rows[::-1], **back_hashes), config(rows), "CN").staged.to_pylist()
    for record in (*forward, *back):
        del record["position"]
    assert forward == back[::-1]


# --- type


def test_a_declared_type_is_taken_and_values_translate_it():
    record = only({"name": "李娜", "customer_type": "P"}, values={"customer_type": {"P": "person"}})
    assert (record["customer_type"], record["type_basis"]) == ("person", "declared")
    record = only({"name": "晨光贸易", "customer_type": "企业"})
    assert (record["customer_type"], record["type_basis"]) == ("organization", "declared")


def test_the_type_of_the_whole_source_counts_where_no_column_says_it():
    record = only({"name": "李娜"}, customer_type="person")
    assert (record["customer_type"], record["type_basis"]) == ("person", "declared")


def test_an_unknown_type_is_a_finding_and_the_type_is_inferred():
    result = standardized({"name": "上海晨光贸易有限公司", "customer_type": "7"})
    assert (0, "customer_type", "customer_type_unknown") in findings(result)
    record = result.staged.to_pylist()[0]
    assert (record["customer_type"], record["type_basis"]) == ("organization", "inferred")


def test_family_and_given_name_make_a_person():
    record = only(
        {"organization_name": None, "family_name": "Lee", "given_name": "Ann"}, country="US"
    )
    assert record["customer_type"] == "person"
    assert (record["family_name"], record["given_name"]) == ("Lee", "Ann")


# --- names


def test_the_organization_column_is_the_name_of_an_organization():
    record = only(
        {"customer_type": "organization", "organization_name": "上海晨光贸易有限公司", "name": None}
    )
    assert record["name"] == "上海晨光贸易有限公司"
    assert record["name_key"]
    assert record["employer_name"] is None


def test_the_organization_column_is_the_employer_of_a_person():
    record = only({"name": "李娜", "organization_name": "上海晨光贸易有限公司"})
    assert record["customer_type"] == "person"
    assert (record["name"], record["employer_name"]) == ("李娜", "上海晨光贸易有限公司")


def test_a_full_name_that_holds_given_and_family_name_is_the_person_s_whatever_it_looks_like():
    cells = {"name": "Rick Sailor Lodge", "family_name": "Lodge", "given_name": "Rick"}
    record = only({"customer_type": "person", **cells}, country="GB")
    assert record["employer_name"] is None
    parts = [record[f"{part}_name"] for part in ("given", "middle", "family")]
    assert parts == ["Rick", "Sailor", "Lodge"]


def test_given_and_family_name_say_which_words_of_a_full_name_are_which():
    record = only(
        {"name": "Mark John Currie", "family_name": "Currie", "given_name": "Mark"}, country="GB"
    )
    parts = [record[f"{part}_name"] for part in ("given", "middle", "family")]
    assert parts == ["Mark", "John", "Currie"]


def test_names_of_an_organization_s_contact_come_from_the_first_and_last_name_columns():
    record = only(
        {
            "customer_type": "organization",
            "organization_name": "Harbor Tools Ltd",
            "family_name": "Lee",
            "given_name": "Ann",
        },
        country="GB",
    )
    assert record["name"].startswith("Harbor Tools")
    assert record["contact_name"] == "Ann Lee"


def test_a_phone_in_a_contact_or_name_cell_is_kept_as_a_phone():
    record = only({"name": "上海晨光贸易有限公司", "contact_name": "136 8416 4431"})
    assert record["phones"] == ["+8613684164431"]
    assert record["contact_name"] is None


def test_a_record_without_name_but_with_a_phone_stays_with_a_finding():
    result = standardized({"name": None, "phone": "13912340001"})
    assert findings(result) == {(0, "name", "name_missing")}
    assert result.staged["name"].to_pylist() == [None]


def test_a_record_that_names_and_reaches_nobody_is_rejected_with_what_was_read():
    result = standardized({"name": None, "phone": None, "city": "上海市"})
    assert findings(result) == {(0, None, "record_without_identity")}
    assert json.loads(result.problems["raw_value"][0].as_py()) == {"city": "上海市"}


def test_short_names_and_former_names_in_notes_are_other_names():
    record = only(
        {
            "name": "上海晨光贸易有限公司",
            "short_name": "晨光",
            "note": "曾用名：上海曙光贸易有限公司",
        }
    )
    assert "晨光" in record["other_names"]
    assert "上海曙光贸易有限公司" in record["other_names"]
    assert json.loads(record["attributes"])["note"] == "曾用名:上海曙光贸易有限公司"


# --- numbers and dates


def test_a_number_of_unknown_kind_goes_where_its_kind_belongs():
    person = only({"name": "李娜", "identifier": RESIDENT})
    assert (person["national_id"], person["tax_id"]) == (RESIDENT, None)
    assert person["customer_type"] == "person"
    organization = only({"name": "晨光", "identifier": "91350100M000100Y43"})
    assert (organization["national_id"], organization["tax_id"]) == (None, "91350100M000100Y43")
    assert organization["customer_type"] == "organization"
    assert organization["org_code"] == "M000100Y4"


def test_a_damaged_number_has_no_value_but_keys_for_matching():
    result = standardized({"name": "李娜", "identifier": "110105194912310000"})
    record = result.staged.to_pylist()[0]
    assert record["national_id"] is None
    assert record["id_keys"] == ["ricp15:110105194912310"]
    assert record["birth_date"] == date(1949, 12, 31)  # its digits are not among the lost ones
    assert (0, "national_id", "identifier_excel_damaged") in findings(result)


def test_the_identity_number_gives_a_missing_birth_date_and_sex():
    record = only({"name": "李娜", "national_id": RESIDENT, "birth_date": None, "sex": None})
    assert record["birth_date"] == date(1949, 12, 31)
    assert record["sex"] == "F"


def test_a_birth_date_unlike_the_number_s_is_a_warning_and_the_number_s_is_used():
    result = standardized({"name": "李娜", "national_id": RESIDENT, "birth_date": "1994-12-31"})
    assert result.staged["birth_date"].to_pylist() == [date(1949, 12, 31)]
    found = result.problems.to_pylist()
    assert [(p["rule"], p["severity"], p["raw_value"]) for p in found] == [
        ("birth_date_differs_from_id", "warning", "1994-12-31")
    ]


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        (["03/04/1990", "25/12/1980"], date(1990, 4, 3)),
        (["03/04/1990", "12/25/1980"], date(1990, 3, 4)),
    ],
)
def test_a_column_of_dates_tells_whether_the_day_stands_first(dates, first):
    result = standardized(
        *({"name": "Ann Lee", "birth_date": text} for text in dates), country="GB"
    )
    assert result.staged["birth_date"].to_pylist()[0] == first


def test_a_column_of_people_of_the_past_keeps_their_birth_dates():
    born = [f"{1690 + 7 * n}-03-{1 + n:02d}" for n in range(25)]
    result = standardized(*({"name": "Ann Lee", "birth_date": text} for text in born), country="GB")
    assert result.staged["birth_date"].to_pylist()[0] == date(1690, 3, 1)
    assert result.staged["birth_date"].null_count == 0


def test_a_few_old_dates_among_living_people_are_findings():
    born = ["1790-03-01", *(f"1970-03-{1 + n:02d}" for n in range(25))]
    result = standardized(*({"name": "Ann Lee", "birth_date": text} for text in born), country="GB")
    assert result.staged["birth_date"].to_pylist()[:2] == [None, date(1970, 3, 1)]


@pytest.mark.parametrize(
    "parts", [("1967", "9", "27"), ("27", "9", "1967"), ("1967.0", "9.0", "27.0")]
)
def test_a_birth_date_may_stand_in_three_columns(parts):
    row = {"name": "Ann Lee"} | dict(zip("abc", parts, strict=True))
    made = SourceConfig(
        name="crm", connector="delimited", path="x.csv",
        columns={"name": "name", "birth_date": ["a", "b", "c"]},
    )  # fmt: skip
    (record,) = standardize(raw_table([row]), made, "US").staged.to_pylist()
    assert record["birth_date"] == date(1967, 9, 27)


def test_a_name_beside_a_family_name_that_it_lacks_is_the_given_name():
    record = only({"name": "FRANK", "family_name": "MUELLER"}, country="DE")
    assert (record["customer_type"], record["given_name"], record["family_name"]) == (
        "person", "Frank", "Mueller",
    )  # fmt: skip
    whole = only({"name": "Frank Mueller", "family_name": "Mueller"}, country="DE")
    assert whole["name_key"] == record["name_key"]


def test_names_of_one_kind_in_a_source_tell_the_type_of_one_that_may_be_either():
    kinds = ("Cafe", "Bakery", "Bistro", "Hardware", "Hotel", "Pharmacy")
    firms = [f"{a} {kind}" for a in ("Harbor", "Summit", "Maple", "Orchard", "Delta", "Nova",
             "Crown", "Metro", "Alpine", "Coastal") for kind in kinds]  # fmt: skip
    rows = [{"name": name, "city": "Leeds"} for name in (*firms, "Tony Roma")]
    made = standardized(*rows, country="GB").staged["customer_type"].to_pylist()
    assert made[-1] == "organization"
    assert only({"name": "Tony Roma", "city": "Leeds"}, country="GB")["customer_type"] == "person"


def test_formats_of_the_source_are_used_for_dates_and_moments():
    record = only(
        {"name": "李娜", "birth_date": "811213", "created_at": "070913"},
        formats={"birth_date": "YYMMDD", "created_at": "YYMMDD"},
    )
    assert record["birth_date"] == date(1981, 12, 13)
    assert record["created_at"] == datetime(2007, 9, 13, tzinfo=UTC)


def test_moments_without_a_zone_are_of_the_zone_of_the_source():
    def created(text, **settings):
        record = only({"name": "李娜", "created_at": text}, time_zone="Asia/Shanghai", **settings)
        return record["created_at"]

    morning = datetime(2024, 2, 2, 20, 5, 6, tzinfo=UTC)
    assert created("2024-02-03 04:05:06") == created("2024/2/3 04:05:06") == morning
    assert created("2024-02-03 04:05:06.5") == morning.replace(microsecond=500000)
    assert created("2024-02-02T20:05:06Z") == created("2024-02-02T21:05:06+01:00") == morning
    midnight = datetime(2024, 2, 2, 16, tzinfo=UTC)
    assert created("2024-02-03") == created("20240203", formats={"created_at": "YYYYMMDD"})
    assert created("2024-02-03") == midnight


# --- phones, e-mails, country


def test_phones_come_mobile_first_once_and_with_parallel_lists():
    record = only(
        {
            "name": "上海晨光贸易有限公司",
            "phone": "021-62345678-802/13912340001",
            "mobile": "139 1234 0001",
        }
    )
    assert record["phones"] == ["+8613912340001", "+862162345678"]
    assert record["phone_kinds"] == ["mobile", "fixed"]
    assert record["phone_extensions"] == ["", "802"]


def test_a_cell_for_a_mobile_number_tells_the_kind_where_the_numbering_plan_does_not():
    record = only(
        {"name": "Ann Lee", "phone": "212-555-0123", "mobile": "212-555-0148"}, country="US"
    )
    assert record["phone_kinds"] == ["mobile", "unknown"]
    landline = only({"name": "Ann Lee", "mobile": "020 7946 0018"}, country="GB")
    assert landline["phone_kinds"] == ["fixed"]
    two = only({"name": "Ann Lee", "mobile": "212-555-0123 / 212-555-0148"}, country="US")
    assert two["phone_kinds"] == ["unknown", "unknown"]


def test_every_column_of_a_list_is_read():
    record = only(
        {"name": "李娜", "p1": "13912340001", "p2": "13912340002"},
        columns={"phone": ("p1", "p2")},
    )
    assert record["phones"] == ["+8613912340001", "+8613912340002"]


def test_an_email_in_a_phone_column_is_an_email():
    record = only({"name": "李娜", "phone": "lina@example.com 13912340001", "email": None})
    assert record["emails"] == ["lina@example.com"]
    assert record["phones"] == ["+8613912340001"]


def test_the_country_column_decides_how_a_number_is_read():
    record = only({"name": "陳大文", "country": "台灣", "mobile": "0912-345-678"})
    assert (record["country"], record["phones"]) == ("TW", ["+886912345678"])


def test_an_international_number_tells_the_country_of_a_record_that_says_none():
    assert only({"name": "Ann Lee", "phone": "+44 20 7946 0018"}, country="US")["country"] == "GB"
    assert only({"name": "Ann Lee", "phone": "(212) 555-0123"}, country="US")["country"] == "US"


def test_a_number_filled_up_with_zeros_tells_no_country():
    record = only({"name": "Ann Lee", "identifier": "1804974", "postal_code": "2119"}, country="AU")
    assert (record["country"], record["postal_code"]) == ("AU", "2119")


def test_an_unknown_country_is_a_finding_and_the_default_counts():
    result = standardized({"name": "李娜", "country": "Atlantis"})
    assert findings(result) == {(0, "country", "country_unknown")}
    assert result.staged["country"].to_pylist() == ["CN"]


@pytest.mark.parametrize(
    ("row", "default", "country"),
    [
        ({"name": "Ann Lee", "phone": "020 7946 0018"}, "US", "GB"),
        ({"name": "Ann Lee", "phone": "(602) 510-3143"}, "CN", "US"),
        ({"name": "Wang Wei", "phone": "13912340001"}, "CN", "CN"),
        ({"name": "Ann Lee", "phone": "13912340001"}, "CN", "CN"),
        ({"name": "Ann Lee", "postal_code": "SW1A 1AA"}, "US", "GB"),
        ({"name": "香港晨光有限公司", "phone": "2162 3456"}, "CN", "HK"),
        ({"name": "陳大文", "phone": "0912-345-678"}, "CN", "TW"),
        ({"name": "李娜", "address": "重庆市九龙坡区石桥铺1号"}, "CN", "CN"),
        ({"name": "李娜", "address": "上海市徐汇区淮海中路1号"}, "US", "CN"),
        ({"name": "陈大文", "identifier": "A123456789"}, "CN", "TW"),
        ({"name": "Ann Lee"}, "GB", "GB"),
    ],
)
def test_a_record_s_values_tell_its_country(row, default, country):
    assert only(row, country=default)["country"] == country


# --- cells


def test_defaults_fill_empty_cells_only():
    result = standardized(
        {"name": "李娜", "status": None},
        {"name": "王芳", "status": "closed"},
        defaults={"status": "active", "country": "TW"},
    )
    assert result.staged["status"].to_pylist() == ["active", "closed"]
    assert result.staged["country"].to_pylist() == ["TW", "TW"]


def test_unknown_codes_are_findings_and_null():
    result = standardized(
        {"name": "李娜", "status": "Z9", "sex": "q", "consent_marketing": "vielleicht"}
    )
    assert {(field, rule) for _, field, rule in findings(result)} == {
        ("status", "status_unknown"),
        ("sex", "sex_unknown"),
        ("consent_marketing", "yes_no_unknown"),
    }


def test_no_is_kept_apart_from_missing():
    result = standardized(
        {"name": "李娜", "do_not_contact": "N"}, {"name": "王芳", "do_not_contact": ""}
    )
    assert result.staged["do_not_contact"].to_pylist() == [False, None]


def test_a_formula_error_is_a_finding_and_no_value():
    result = standardized({"name": "李娜", "city": "#REF!", "phone": "#N/A"})
    assert findings(result) == {(0, "city", "formula_error"), (0, "phones", "formula_error")}
    assert result.staged["city"].to_pylist() == [None]


def test_a_cell_of_ten_megabytes_is_a_finding_kept_short():
    result = standardized({"name": "李娜", "address": "路" * 10_000_000})
    assert findings(result) == {(0, "address_line", "value_too_long")}
    assert len(result.problems["raw_value"][0].as_py()) < RAW_VALUE_LIMIT + 50
    assert result.staged["name"].to_pylist() == ["李娜"]


def test_attributes_are_json_with_sorted_keys():
    record = only({"name": "李娜", "attributes.z": "1", "attributes.a": "é", "note": "VIP"})
    assert record["attributes"] == '{"a": "é", "note": "VIP", "z": "1"}'


# --- severities and records the connector marked


def test_a_warning_made_an_error_by_the_source_forbids_the_value():
    row = {"name": "李娜", "national_id": RESIDENT, "birth_date": "12/31/49"}
    before = standardized({"name": "李娜", "birth_date": "12/31/49"})
    assert before.staged["birth_date"].to_pylist() != [None]
    strict = standardized(
        {"name": "李娜", "birth_date": "12/31/49"}, severity={"date_two_digit_year": "error"}
    )
    assert strict.staged["birth_date"].to_pylist() == [None]
    assert strict.problems["severity"].to_pylist() == ["error"]
    by_field = standardized(row, severity={"birth_date": "error"})
    assert set(by_field.problems["severity"].to_pylist()) == {"error"}


@pytest.mark.parametrize("field", ["identifier", "tax_id", "identifier_unknown_kind"])
def test_severity_of_the_identifier_column_reaches_its_numbers(field):
    row = {"organization_name": "Harbor Tools Ltd", "identifier": "AB-12345-Q"}
    usual = standardized(row, country="US")
    assert usual.problems["severity"].to_pylist() == ["warning"]
    strict = standardized(row, country="US", severity={field: "error"})
    assert strict.problems["severity"].to_pylist() == ["error"]
    assert strict.staged["tax_id"].to_pylist() == [None]


def test_what_the_connector_found_broken_is_a_finding_on_the_record():
    result = standardized(
        {"name": "李娜"},
        {"name": "王芳"},
        {"name": "张伟"},
        technical={
            "_problem": [
                "the line is 60 bytes long, not 130",
                None,
                "the key occurs 2 times in the source; this row is not the one kept",
            ]
        },
    )
    assert findings(result) == {(0, None, "record_damaged"), (2, None, "duplicate_key")}
    assert result.problems["reason"][0].as_py() == "The line is 60 bytes long, not 130."


def test_a_key_that_came_before_is_a_finding_on_the_record():
    result = standardized({"name": "李娜"}, {"name": "王芳"}, technical={"_source_key": ["7", "7"]})
    assert findings(result) == {(1, None, "duplicate_key")}


def test_consent_is_carried_with_its_date_and_what_was_verified_with_its_field():
    result = standardized(
        {
            "name": "李娜",
            "consent_marketing": "N",
            "consent_marketing_at": "2024-05-01",
            "verified.email": "2023-01-02 10:00:00",
            "verified.mobile": "yes",
            "verified.address": "0",
        },
        {"name": "王芳", "verified.email": "perhaps"},
    )
    staged = result.staged.to_pylist()
    assert staged[0]["consent_marketing"] is False
    assert staged[0]["consent_marketing_at"] == datetime(2024, 5, 1, tzinfo=UTC)
    assert staged[0]["verified"] == ["emails", "phones"]
    assert staged[1]["verified"] is None
    assert ("verified", "yes_no_unknown") in {found[1:] for found in findings(result)}

"""Findings and what they take out of staged."""

import pyarrow as pa
import pytest

from rules.customer import ALL, STAGED_SCHEMA
from rules.quarantine import (
    PROBLEMS_SCHEMA,
    QUARANTINE_SCHEMA,
    RAW_VALUE_LIMIT,
    Findings,
    Problem,
    Quarantine,
    shorten,
)

SHORT = Problem("phone_length", "Too short.")
DOUBTFUL = Problem("email_domain_corrected", "Corrected.", "warning")


def staged(count: int) -> pa.Table:
    columns = {field.name: pa.nulls(count, field.arrow.type) for field in ALL}
    numbers = range(count)
    columns["record_id"] = pa.array([f"erp:{n}" for n in numbers])
    columns["source"] = pa.array(["erp"] * count)
    columns["source_key"] = pa.array([str(n) for n in numbers])
    columns["position"] = pa.array([f"erp|{n}" for n in numbers])
    columns["city"] = pa.array(["上海市"] * count)
    columns["phones"] = pa.array([["+8613912340001"]] * count)
    return pa.table(columns, schema=STAGED_SCHEMA)


def problems(findings: Findings, count: int) -> pa.Table:
    written = {
        "record_id": [f"erp:{n}" for n in range(count)],
        "source": ["erp"] * count,
        "source_key": [str(n) for n in range(count)],
        "position": [f"erp|{n}" for n in range(count)],
    }
    return findings.table({name: pa.array(column) for name, column in written.items()})


def quarantine(findings: Findings, count: int = 3) -> Quarantine:
    raw = pa.table({"tel": [f"tel {n}" for n in range(count)], "town": ["SH"] * count})
    inputs = {"phones": ["tel"], "city": ["town"]}
    return Quarantine(staged(count), problems(findings, count), raw, inputs)


def test_findings_come_in_order_of_rows_with_who_and_where():
    findings = Findings()
    findings.add(2, "phones", SHORT, "12")
    findings.add(0, "emails", DOUBTFUL, "a@gmial.com")
    table = problems(findings, 3)
    assert table.schema.equals(PROBLEMS_SCHEMA)
    assert table.to_pylist() == [
        {
            "record_id": "erp:0",
            "source": "erp",
            "source_key": "0",
            "position": "erp|0",
            "field": "emails",
            "rule": "email_domain_corrected",
            "severity": "warning",
            "reason": "Corrected.",
            "raw_value": "a@gmial.com",
            "row": 0,
        },
        {
            "record_id": "erp:2",
            "source": "erp",
            "source_key": "2",
            "position": "erp|2",
            "field": "phones",
            "rule": "phone_length",
            "severity": "error",
            "reason": "Too short.",
            "raw_value": "12",
            "row": 2,
        },
    ]


def test_one_rule_speaks_once_of_one_value_but_of_every_value():
    findings = Findings()
    for raw in ("12", "12", "34"):
        findings.add(0, "phones", SHORT, raw)
    assert problems(findings, 1)["raw_value"].to_pylist() == ["12", "34"]


@pytest.mark.parametrize(
    ("raw", "kept"),
    [(None, None), ("", ""), ("x" * RAW_VALUE_LIMIT, "x" * RAW_VALUE_LIMIT)],
)
def test_usual_raw_values_are_kept_whole(raw, kept):
    assert shorten(raw) == kept


def test_a_huge_raw_value_is_cut_and_says_its_length():
    kept = shorten("路" * 5_000_000)
    assert kept is not None
    assert len(kept) < RAW_VALUE_LIMIT + 30
    assert kept.endswith("(5000000 characters)")


def test_only_taken_findings_are_in_the_table():
    findings = Findings()
    findings.add(0, "phones", SHORT, "12")
    findings.add(1, "phones", SHORT, "13")
    found = quarantine(findings)
    found.take([1], "phones", "error")
    table = found.table()
    assert table.schema.equals(QUARANTINE_SCHEMA)
    assert table["record_id"].to_pylist() == ["erp:1"]
    assert table["whole_record"].to_pylist() == [False]
    assert found.accepted().num_rows == 3


def test_a_rejected_record_leaves_staged_and_all_its_rows_say_so():
    findings = Findings()
    findings.add(1, None, Problem("duplicate_key", "Twice."), "{}")
    findings.add(1, "phones", SHORT, "12")
    found = quarantine(findings)
    found.take([1], None, "error")
    found.take([1], "phones", "error")
    found.reject([1])
    assert found.accepted()["record_id"].to_pylist() == ["erp:0", "erp:2"]
    rows = {(row["field"], row["whole_record"]) for row in found.table().to_pylist()}
    assert rows == {(None, True), ("phones", True)}


def test_a_written_finding_has_what_the_source_wrote():
    found = quarantine(Findings())
    found.write([0, 2], "phones", "phones_e164", "error", "Not E.164.")
    found.write([0], "sex", "sex_known", "error", "Not M or F.")
    rows = [(row["record_id"], row["field"], row["raw_value"]) for row in found.table().to_pylist()]
    assert sorted(rows, key=str) == [
        ("erp:0", "phones", "tel 0"),
        ("erp:0", "sex", None),
        ("erp:2", "phones", "tel 2"),
    ]


def test_blanked_columns_are_null_in_those_rows_only():
    found = quarantine(Findings())
    found.blank([1], ["phones", "city"])
    accepted = found.accepted()
    assert accepted.schema.equals(STAGED_SCHEMA)
    assert accepted["city"].to_pylist() == ["上海市", None, "上海市"]
    assert accepted["phones"].to_pylist() == [["+8613912340001"], None, ["+8613912340001"]]


def test_nothing_failing_changes_nothing():
    found = quarantine(Findings(), 0)
    assert found.table().num_rows == 0
    assert found.accepted().num_rows == 0
    assert quarantine(Findings()).accepted().equals(staged(3))

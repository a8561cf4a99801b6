"""Values set by hand: pinned with who and why, asked about when the records change."""

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from review.presenters import pinning
from warehouse import (
    case_tables,
    cases,
    customers,
    decisions,
    judgements,
    overrides,
    publish,
    staged_records,
)
from warehouse.cases import Filter
from warehouse.engine import Warehouse
from warehouse.moments import now
from warehouse.publish_run import Run

Client = Callable[..., TestClient]
pytestmark = pytest.mark.demo_home


@pytest.fixture
def golden_id(wh: Warehouse) -> str:
    """A customer of several records."""
    return cases.queue(wh, Filter(kind="merge")).rows[0].golden_ids[0]


def in_force(wh: Warehouse) -> list[dict[str, Any]]:
    return [one for one in decisions.read(wh).to_pylist() if one["kind"] == "override"]


def test_a_value_is_pinned_with_its_reason_and_shown_with_who_and_when(
    client: Client, wh: Warehouse, golden_id: str
) -> None:
    one = client("steward")
    said = {"field": "phones", "value": "138 0013 8001\n\n13800138002", "reason": "she called"}
    done = one.post(f"/customers/{golden_id}/set", data=said)
    assert done.headers["location"] == f"/customers/{golden_id}"
    (pinned,) = in_force(wh)
    assert json.loads(pinned["value"]) == ["+8613800138001", "+8613800138002"]
    page = one.get(f"/customers/{golden_id}").text
    for part in ("pinned", "she called", "+8613800138002", "steward"):
        assert part in page
    one.post(f"/customers/{golden_id}/unset", data={"decision_id": pinned["decision_id"]})
    assert in_force(wh) == []


def test_another_value_takes_the_place_of_the_pinned_one_it_names(
    client: Client, wh: Warehouse, golden_id: str
) -> None:
    one = client("steward")
    said = {"field": "city", "value": "上海市", "reason": "moved"}
    one.post(f"/customers/{golden_id}/set", data=said)
    (first,) = in_force(wh)
    other = {**said, "value": "北京市"}
    refused = one.post(f"/customers/{golden_id}/set", data=other)
    assert refused.status_code == 409
    assert "moved" in refused.text, "the page shows the decision that stands against it"
    done = one.post(f"/customers/{golden_id}/set", data={**other, "replaces": first["decision_id"]})
    assert done.status_code == 303
    assert [pinned["value"] for pinned in in_force(wh)] == ["北京市"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phones", "123"),
        ("emails", "nobody"),
        ("birth_date", "31/12/1980"),
        ("do_not_contact", "maybe"),
        ("golden_id", "G1"),
        ("customer_type", "person"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_refused(
    client: Client, wh: Warehouse, golden_id: str, field: str, value: str
) -> None:
    said = {"field": field, "value": value, "reason": "x"}
    answer = client("steward").post(f"/customers/{golden_id}/set", data=said)
    assert answer.status_code == 422
    assert in_force(wh) == []


def test_every_field_that_may_be_set_has_a_control_and_words() -> None:
    kinds = {name: one.kind for name, one in pinning.CONTROLS.items()}
    assert (kinds["phones"], kinds["birth_date"], kinds["do_not_contact"], kinds["name"]) == (
        "lines",
        "date",
        "choice",
        "text",
    )


def test_viewers_are_offered_no_control(client: Client, golden_id: str) -> None:
    assert "/set" not in client("viewer").get(f"/customers/{golden_id}").text
    assert "/set" in client("steward").get(f"/customers/{golden_id}").text


def moved(wh: Warehouse, golden_id: str, field: str, value: Any) -> cases.Row:
    """The case that comes when a record of a customer says something else in a pinned field."""
    records = judgements.records_of(wh, golden_id)
    rows = staged_records.read(wh, records)
    changed = rows.to_pylist()
    changed[0][field] = value
    crosswalk = pa.table({"record_id": records, "golden_id": [golden_id] * len(records)})
    found = overrides.changed(wh, pa.Table.from_pylist(changed, rows.schema), crosswalk, {})
    one = customers.get(wh, golden_id)
    assert isinstance(one, customers.Customer)
    golden = {"golden_id": [golden_id], **{name: [one.values[name]] for name in SHOWN}}
    made, evidence = overrides.as_cases(found, pa.table(golden))
    publish_id = publish.read_identity(wh).publish_id
    assert publish_id is not None
    with wh.write() as connection:
        case_tables.write(Run(connection, publish_id, now()), made, evidence)
    (row,) = cases.queue(wh, Filter(kind="override")).rows
    return row


SHOWN = ("name", "customer_type")


@pytest.fixture
def asked(wh: Warehouse, golden_id: str) -> cases.Row:
    """The case of a pinned city whose records say something else."""
    overrides.override(wh, golden_id, "city", "上海市", "li.na", reason="on the phone")
    return moved(wh, golden_id, "city", "海上市")


def test_a_pinned_value_whose_records_changed_is_a_case_with_then_and_now(
    client: Client, wh: Warehouse, asked: cases.Row
) -> None:
    one = client("steward")
    assert asked.case_id in one.get("/cases?kind=override").text
    page = one.get(f"/cases/{asked.case_id}").text
    assert "上海市" in page
    assert "li.na" in page
    assert "海上市" in page.replace("<mark>", "").replace("</mark>", "")
    judged = one.post(f"/cases/{asked.case_id}/judge", data={"kind": "link", "version": "0"})
    assert judged.status_code == 409, "it asks about a value, not about records"


def test_keeping_pins_the_value_for_what_the_records_say_now(
    client: Client, wh: Warehouse, asked: cases.Row
) -> None:
    (before,) = in_force(wh)
    done = client("steward").post(f"/cases/{asked.case_id}/pinned", data={"kind": "keep"})
    assert done.headers["location"] == "/cases"
    (after,) = in_force(wh)
    assert after["value"] == before["value"]
    assert (after["decided_by"], after["decision_id"]) != ("li.na", before["decision_id"])
    assert cases.get(wh, asked.case_id).row.state == "decided"
    again = client("steward").post(f"/cases/{asked.case_id}/pinned", data={"kind": "drop"})
    assert again.status_code == 409
    assert "steward" in again.text, "who was first"


def test_dropping_lets_the_rules_choose_again(
    client: Client, wh: Warehouse, asked: cases.Row
) -> None:
    client("steward").post(f"/cases/{asked.case_id}/pinned", data={"kind": "drop"})
    assert in_force(wh) == []
    assert client("steward").get(f"/cases/{asked.case_id}").status_code == 200


def test_a_value_set_in_a_cases_preview_holds_for_the_cases_records(
    client: Client, wh: Warehouse
) -> None:
    row = cases.queue(wh, Filter(kind="merge")).rows[0]
    said = {"field": "city", "value": "南京市", "reason": "both said so", "case_id": row.case_id}
    golden = row.golden_ids[0]
    done = client("steward").post(f"/customers/{golden}/set", data=said)
    assert done.headers["location"] == f"/cases/{row.case_id}"
    members = [one["record_id"] for one in cases.get(wh, row.case_id).members]
    together = pa.table({"record_id": members, "golden_id": [golden] * len(members)})
    assert overrides.changed(wh, staged_records.read(wh), together, {}) == []
    page = client("steward").get(f"/cases/{row.case_id}").text
    assert "both said so" in page


def test_pinning_and_unpinning_in_a_browser(
    page: Callable[..., Any],
    axe: Callable[[Any], None],
    shot: Callable[..., None],
    wh: Warehouse,
    golden_id: str,
) -> None:
    steward = page("steward", "zh")
    steward.goto(f"/customers/{golden_id}")
    axe(steward)
    steward.get_by_title("设定城市").click()
    steward.locator("#set-city").fill("上海市")
    steward.locator("#why-city").fill("客户来电确认")
    shot(steward, "pin-form", full=True)
    axe(steward)
    steward.get_by_role("button", name="固定此值").first.click()
    expect(steward.locator(".pinned")).to_contain_text("客户来电确认")
    axe(steward)
    shot(steward, "pin-set", full=True)
    row = moved(wh, golden_id, "city", "海上市")
    steward.goto(f"/cases/{row.case_id}")
    axe(steward)
    shot(steward, "pin-case", full=True)
    with steward.expect_navigation():
        steward.keyboard.press("a")
    (kept,) = in_force(wh)
    assert kept["reason"] == "仍然正确"
    steward.goto(f"/customers/{golden_id}")
    steward.get_by_title("设定城市").click()
    steward.get_by_role("button", name="取消固定").click()
    expect(steward.locator(".pinned")).to_have_count(0)

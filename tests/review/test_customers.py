"""Golden customers: searching them, the page of one, and splitting it."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from dedupe.explaining.messages import say
from dedupe.survivorship import load_policy
from warehouse import audit, choosing, customers, judgements
from warehouse.engine import Warehouse
from warehouse.tables import golden_customer

pytestmark = pytest.mark.demo_home

Client = Callable[..., TestClient]
FOUND = re.compile(r'<th scope="row"><a href="/customers/(G\d+)')


def some(wh: Warehouse, number: int = 1, *, records: int = 3) -> list[str]:
    """Golden ids of customers with so many records."""
    query = sa.select(golden_customer.c.golden_id).where(golden_customer.c.record_count == records)
    with wh.read() as connection:
        return list(connection.scalars(query.order_by("golden_id").limit(number)))


def one(wh: Warehouse, golden_id: str) -> customers.Customer:
    found = customers.get(wh, golden_id)
    assert isinstance(found, customers.Customer)
    return found


# ---------------------------------------------------------------- searching
def test_a_customer_is_found_by_all_that_is_known_of_it(client: Client, wh: Warehouse) -> None:
    steward = client("steward")
    golden_id = next(
        golden_id
        for golden_id in some(wh, 200)
        if one(wh, golden_id).values["phones"] and one(wh, golden_id).values["emails"]
    )
    known = one(wh, golden_id)
    phone = known.values["phones"][0].removeprefix("+86")
    for typed in (
        known.values["name"],
        phone,
        known.values["emails"][0],
        known.records[0]["record_id"],
    ):
        assert golden_id in FOUND.findall(steward.get("/customers", params={"q": typed}).text)
    answer = steward.get("/customers", params={"q": golden_id})
    assert answer.headers["location"] == f"/customers/{golden_id}"


@pytest.mark.parametrize("typed", ["", "  ", "zzqqxx", "%", "_", "'; drop table x", "。" * 200])
def test_any_text_may_be_looked_for(client: Client, typed: str) -> None:
    answer = client("viewer").get("/customers", params={"q": typed})
    assert answer.status_code == 200


def test_what_is_looked_for_is_not_in_the_audit_log(client: Client, wh: Warehouse) -> None:
    name = one(wh, some(wh)[0]).values["name"]
    client("viewer").get("/customers", params={"q": name})
    (event,) = audit.show(wh, action="search_customers")
    assert event.login == "viewer"
    assert name not in f"{event.object_id}{event.detail}"


# ---------------------------------------------------------------- what is shown
def test_a_viewer_reads_no_personal_value_of_customers(
    client: Client, wh: Warehouse, reading: Any
) -> None:
    viewer = client("viewer")
    checked = 0
    for golden_id in some(wh, 8) + some(wh, 8, records=2) + some(wh, 4, records=4):
        known = one(wh, golden_id)
        hidden = reading.secrets([*known.records, known.values])
        domains = [mail.partition("@")[2] for mail in known.values["emails"] or []]
        hidden = {value for value in hidden if not any(value in one for one in domains)}
        told = reading.all_of(viewer.get(f"/customers/{golden_id}").text)
        typed = known.values["name"][:1]
        found = viewer.get("/customers", params={"q": typed}).text
        told += reading.all_of(found)
        assert not [value for value in hidden if value in told], golden_id
        checked += len(hidden)
    assert checked > 100


def test_a_steward_reads_every_golden_value_and_its_record(
    client: Client, wh: Warehouse, reading: Any
) -> None:
    for golden_id in some(wh, 3):
        known = one(wh, golden_id)
        page = client("steward").get(f"/customers/{golden_id}").text
        text = reading.text_of(page)
        assert known.values["name"] in text
        assert all(phone in text for phone in known.values["phones"] or [])
        assert all(record["record_id"] in page for record in known.records)


# ---------------------------------------------------------------- splitting
def groups(wh: Warehouse, golden_id: str) -> dict[str, str]:
    records = sorted(record["record_id"] for record in one(wh, golden_id).records)
    return {f"group:{record}": str(min(number, 2)) for number, record in enumerate(records, 1)}


def test_a_split_is_shown_before_it_is_made(client: Client, wh: Warehouse) -> None:
    (golden_id,) = some(wh)
    steward, path = client("steward"), f"/customers/{golden_id}/unmerge"
    page = steward.post(path, data=groups(wh, golden_id)).text
    assert "a new customer" in page
    assert not judgements.listed(wh)
    sure = {**groups(wh, golden_id), "sure": "1", "reason": "two brothers"}
    assert steward.post(path, data=sure).headers["location"] == f"/customers/{golden_id}"
    (made,) = judgements.listed(wh)
    assert (made["kind"], made["reason"], made["state"]) == ("unmerge", "two brothers", "in_force")
    assert {event.action for event in audit.show(wh)} >= {"unmerge"}
    steward.post(f"/judgements/{made['judgement_id']}/undo")
    assert judgements.get(wh, made["judgement_id"])["decision_count"] == 0


def test_a_split_into_one_part_changes_nothing(client: Client, wh: Warehouse) -> None:
    (golden_id,) = some(wh)
    same = dict.fromkeys(groups(wh, golden_id), "1")
    page = client("steward").post(f"/customers/{golden_id}/unmerge", data=same).text
    assert "all records are in one group" in page


@pytest.mark.parametrize("broken", ["missing", "foreign"])
def test_a_split_of_other_records_is_refused(client: Client, wh: Warehouse, broken: str) -> None:
    first, second = some(wh, 2)
    sent = groups(wh, first)
    if broken == "missing":
        sent.popitem()
    else:
        sent |= groups(wh, second)
    answer = client("steward").post(
        f"/customers/{first}/unmerge", data={**sent, "sure": "1", "reason": "x"}
    )
    assert answer.status_code == 409
    assert not judgements.listed(wh)


def test_a_viewer_splits_nothing(client: Client, wh: Warehouse) -> None:
    (golden_id,) = some(wh)
    viewer = client("viewer")
    assert "/unmerge" not in viewer.get(f"/customers/{golden_id}").text.partition("data-key")[2]
    sent = {**groups(wh, golden_id), "sure": "1", "reason": "x"}
    assert viewer.post(f"/customers/{golden_id}/unmerge", data=sent).status_code == 403


def test_the_page_says_whose_value_counts_and_what_lost(client: Client, wh: Warehouse) -> None:
    policy = load_policy(None)
    golden_id, lost = next(
        (golden_id, told.lost[0])
        for golden_id in some(wh, 50)
        for told in choosing.of(one(wh, golden_id), policy)
        if told.lost and told.head == "name"
    )
    for role, shown in (("steward", lost.claim.values["name"]), ("viewer", lost.claim.record_id)):
        page = client(role).get(f"/customers/{golden_id}").text
        reasons = page[
            page.index('class="why"') : page.index("</table>", page.index('class="why"'))
        ]
        assert html.escape(say(lost.why, "en")) in reasons
        assert html.escape(str(shown)) in reasons
    assert html.escape(lost.claim.values["name"]) not in reasons

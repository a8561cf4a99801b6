"""What was decided before: it stands against others in words, or waits for a second person."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from review.policy import ReviewPolicy
from warehouse import accounts, cases, decisions, judgements
from warehouse.cases import Filter, Row
from warehouse.engine import Warehouse

Client = Callable[..., TestClient]
pytestmark = pytest.mark.demo_home


@pytest.fixture
def row(wh: Warehouse) -> Row:
    """A case of two customers."""
    return next(
        one for one in cases.queue(wh, Filter(kind="merge")).rows if one.customer_count == 2
    )


def test_a_contradiction_shows_every_decision_against_it_and_the_way_back(
    client: Client, wh: Warehouse, row: Row
) -> None:
    (left, *_), (right, *_) = cases.get(wh, row.case_id).groups()
    decisions.add(
        wh, "no_link", left_id=left, right_id=right, reason="two passports", decided_by="wang"
    )
    refused = client("steward").post(
        f"/cases/{row.case_id}/judge",
        data={"kind": "link", "version": "0"},
        headers={"Referer": f"http://127.0.0.1:3001/cases/{row.case_id}"},
    )
    assert refused.status_code == 409
    for part in ("are different customers", "wang", "two passports", left, right):
        assert part in refused.text
    assert f'href="/cases/{row.case_id}"' in refused.text
    assert cases.get(wh, row.case_id).row.state == "open"


def test_a_contradiction_is_told_in_the_readers_language_by_page_and_api(
    client: Client, wh: Warehouse, row: Row, reading: Any
) -> None:
    (left, *_), (right, *_) = cases.get(wh, row.case_id).groups()
    decisions.add(wh, "no_link", left_id=left, right_id=right, reason="两本护照", decided_by="wang")
    one = client("steward")
    accounts.set_language(wh, "steward", "zh")
    page = one.post(f"/cases/{row.case_id}/judge", data={"kind": "link", "version": "0"})
    main = page.text.split("<main")[1].split("<dialog")[0]
    told = reading.text_of(f"<main{main}")
    for name in (left, right, "wang", "D000001"):
        told = told.replace(name, "")
    assert not re.findall("[A-Za-z]{2,}", told), told
    assert "是不同客户" in told
    body = {"kind": "link", "version": 0}
    problem = one.post(f"/api/v1/cases/{row.case_id}/judge", json=body).json()
    assert problem["detail"] == "与生效中的决定相矛盾。如果其中某个已不成立，请先撤销它。"
    assert [earlier["decision_id"] for earlier in problem["chain"]] == ["D000001"]
    accounts.set_language(wh, "steward", "en")
    english = one.post(f"/api/v1/cases/{row.case_id}/judge", json=body).json()
    assert "it contradicts decisions in force" in english["detail"]


def test_who_comes_second_is_told_who_was_first_and_led_to_the_next_case(
    client: Client, wh: Warehouse, row: Row
) -> None:
    judgements.judge(wh, row.case_id, "no_link", "li.na", 0)
    taken = client("steward").post(
        f"/cases/{row.case_id}/judge?kind=merge", data={"kind": "link", "version": "0"}
    )
    assert taken.status_code == 409
    for part in ("Somebody was first", "li.na", 'href="/cases/next?kind=merge"'):
        assert part in taken.text


def test_what_waits_is_counted_for_others_and_answered_by_one_of_them(
    client: Client, wh: Warehouse, app: FastAPI, row: Row
) -> None:
    app.state.policy = ReviewPolicy(second_person_above=0.0)
    first, second = client("steward", login="li.na"), client("steward")
    first.post(f"/cases/{row.case_id}/judge", data={"kind": "link", "version": "0"})
    (waiting,) = judgements.listed(wh, state="waiting")
    path = f"/judgements/{waiting['judgement_id']}"
    own, other = first.get(path).text, second.get(path).text
    assert "/approve" not in own
    assert first.post(f"{path}/approve").status_code == 409
    assert "/approve" in other
    for golden_id in row.golden_ids:
        assert golden_id in other
    assert 'class="waterfall"' in other, "the evidence is shown"
    badge = '<span class="count"><span class="hidden">waiting: </span>1</span>'
    assert badge in other
    assert badge not in own
    second.post(f"{path}/approve")
    assert judgements.get(wh, waiting["judgement_id"])["state"] == "in_force"
    assert badge not in second.get("/").text


def test_a_case_is_approved_by_keyboard(
    page: Callable[..., Any],
    axe: Callable[[Any], None],
    shot: Callable[..., None],
    wh: Warehouse,
    row: Row,
) -> None:
    done = judgements.judge(wh, row.case_id, "link", "li.na", 0, terms=judgements.Terms(0.0))
    steward = page("steward", "zh")
    steward.goto("/")
    expect(steward.locator("nav.main .count")).to_contain_text("1")
    steward.goto(f"/judgements/{done.judgement_id}")
    axe(steward)
    shot(steward, "approve", full=True)
    with steward.expect_navigation():
        steward.keyboard.press("a")
    assert judgements.get(wh, done.judgement_id)["state"] == "in_force"
    (left, *_), (right, *_) = cases.get(wh, row.case_id).groups()
    assert decisions.read(wh).num_rows > 0
    judgements.undo(wh, done.judgement_id, "li.na", "wrong")
    decisions.add(wh, "no_link", left_id=left, right_id=right, reason="两本护照", decided_by="wang")
    steward.goto(f"/cases/{row.case_id}")
    with steward.expect_navigation():
        steward.keyboard.press("a")
    axe(steward)
    shot(steward, "conflict")
    page.complaints.clear()  # type: ignore[attr-defined]  # 409 as asked for

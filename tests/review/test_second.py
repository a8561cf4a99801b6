"""The second look: nothing of the first answer is seen before, both where they differ after."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from review.policy import ReviewPolicy
from warehouse import cases, decisions, drawing, judgements, second_reviews
from warehouse.engine import Warehouse

Client = Callable[..., TestClient]
pytestmark = pytest.mark.demo_home


def judge(wh: Warehouse, number: int = 3, login: str = "li.na", share: float = 1.0) -> list[str]:
    """Decide cases of the queue as different, and draw a share; gives the judgements' ids."""
    terms = judgements.Terms(blind_share=share)
    return [
        judgements.judge(
            wh, row.case_id, "no_link", login, row.version, reason="seen on paper", terms=terms
        ).judgement_id
        for row in cases.queue(wh, cases.Filter(kind="merge"), limit=number).rows
    ]


def test_what_is_drawn_waits_for_everybody_but_who_judged_first(
    client: Client, wh: Warehouse
) -> None:
    made = judge(wh)
    assert "/second/next" in client("steward").get("/second").text
    assert second_reviews.waiting(wh, "steward") == 3
    assert "/second/next" not in client("steward", login="li.na").get("/second").text
    own = client("steward", login="li.na")
    assert own.get(f"/second/{made[0]}").status_code == 404
    assert own.post(f"/second/{made[0]}", data={"kind": "link"}).status_code == 409


@pytest.mark.parametrize("by_api", [False, True])
def test_the_share_of_the_policy_is_drawn_as_decisions_are_made(
    client: Client, wh: Warehouse, app: FastAPI, by_api: bool
) -> None:
    app.state.policy = ReviewPolicy(blind_share=0.5)
    one = client("steward", login="li.na")
    made = []
    for row in cases.queue(wh, cases.Filter(kind="merge"), limit=6).rows:
        body = {"kind": "no_link", "version": 0}
        if by_api:
            done = one.post(f"/api/v1/cases/{row.case_id}/judge", json=body)
            assert done.status_code == 200, done.text
        else:
            done = one.post(f"/cases/{row.case_id}/judge", data=body)
            assert done.status_code == 303
        made.append(str(cases.row(wh, row.case_id).judgement_id))
    found = sorted(one.judgement_id for one in second_reviews.queue(wh, "steward"))
    assert found == sorted(one for one in made if drawing.is_drawn(one, 0.5))
    assert 0 < len(found) < len(made)


def test_the_page_shows_the_records_and_no_trace_of_the_first_answer(
    client: Client, wh: Warehouse
) -> None:
    (made,) = judge(wh, 1)
    one = client("steward")
    one.get("/second")
    first = judgements.get(wh, made)
    content = one.get(f"/second/{made}").text.split("<main")[1]
    for record in (record for group in first["before"].values() for record in group):
        assert f'data-record="{record}"' in content
    for trace in ("li.na", "seen on paper", "/judgements/J", "/customers/G", *first["before"]):
        assert trace not in content


def test_answers_lead_on_and_are_counted_without_changing_a_decision(
    client: Client, wh: Warehouse
) -> None:
    judge(wh)
    one, before = client("steward"), decisions.read(wh)
    one.get("/second")
    to, kinds = one.get("/second/next").headers["location"], ["no_link", "link", "no_link"]
    for kind in kinds:
        to = one.post(to, data={"kind": kind}).headers["location"]
    assert to == "/second"
    page = one.get("/second").text
    assert "2 of 3 agree: between 21% and 94%" in page
    assert decisions.read(wh) == before
    (found,) = second_reviews.differing(wh)
    assert (found.judged_by, found.kind, found.answered_by, found.answer) == (
        "li.na",
        "no_link",
        "steward",
        "link",
    )
    assert f'href="/judgements/{found.judgement_id}"' in page


def test_viewers_see_the_rate_but_not_who_differed(client: Client, wh: Warehouse) -> None:
    (made,) = judge(wh, 1)
    client("viewer").get("/second")
    second_reviews.answer(wh, made, "link", "steward")
    page = client("viewer").get("/second").text
    assert "0 of 1 agree" in page
    assert "li.na" not in page


def test_a_second_look_by_keyboard(
    page: Callable[..., Any], axe: Callable[[Any], None], shot: Callable[..., None], wh: Warehouse
) -> None:
    judge(wh, 3)
    steward = page("steward", "zh")
    steward.goto("/second")
    axe(steward)
    shot(steward, "second-before")
    steward.keyboard.press("Enter")
    steward.wait_for_url("**/second/J*")
    axe(steward)
    shot(steward, "second-case", full=True)
    for number, key in enumerate("arr"):
        expect(steward.locator(".progress")).to_contain_text(str(3 - number))
        with steward.expect_navigation():
            steward.keyboard.press(key)
    expect(steward.locator(".estimate")).to_have_text("3 次中 2 次一致：介于 21% 与 94% 之间")
    axe(steward)
    shot(steward, "second-after", full=True)

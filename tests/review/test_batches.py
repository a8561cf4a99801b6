"""Batches: a sample by hand first, what it tells in words, then one answer for the rest."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from warehouse import batches, cases, judgements
from warehouse.cases import Filter
from warehouse.engine import Warehouse

Client = Callable[..., TestClient]
pytestmark = pytest.mark.demo_home


def begin(wh: Warehouse, size: int = 3, kind: Any = "link") -> batches.Batch:
    return batches.start(wh, Filter(kind="merge"), kind, size, "steward")


def judge_sample(wh: Warehouse, batch: batches.Batch, wrong: int = 0) -> None:
    other = {"link": "no_link", "no_link": "link"}[batch.kind]
    for number, case_id in enumerate(batch.sample):
        kind: Any = other if number < wrong else batch.kind
        version = cases.get(wh, case_id).row.version
        judgements.judge(wh, case_id, kind, "steward", version)


def test_the_queue_leads_to_a_batch_of_what_it_shows(client: Client, wh: Warehouse) -> None:
    one = client("steward")
    assert 'href="/batches/new?kind=merge"' in one.get("/cases?kind=merge").text
    many = len(cases.ids(wh, Filter(kind="merge")))
    told = one.get("/batches/new?kind=merge").text
    assert f"{many} cases" in told
    done = one.post("/batches/new?kind=merge", data={"kind": "link", "size": "3"})
    (made,) = batches.recent(wh)
    assert done.headers["location"] == f"/cases/{made.sample[0]}?batch={made.batch_id}"
    assert (made.case_count, len(made.sample), made.wanted.kind) == (many, 3, "merge")
    assert "/batches/new" not in client("viewer").get("/cases").text


def test_each_judgement_of_the_sample_leads_to_the_next_and_the_last_to_the_batch(
    client: Client, wh: Warehouse
) -> None:
    batch, one = begin(wh), client("steward")
    to, seen = f"/cases/{batch.to_judge[0]}?batch={batch.batch_id}", []
    while to.startswith("/cases/"):
        seen.append(to.split("/")[2].split("?")[0])
        page = one.get(to).text
        assert f"{len(seen) - 1} of 3 judged" in page
        form = re.search(r'action="(/cases/[^"]+/judge[^"]*)"', page)
        assert form is not None
        answer = one.post(form.group(1), data={"kind": "link", "version": "0"})
        to = answer.headers["location"]
    assert (seen, to) == (batch.sample, f"/batches/{batch.batch_id}")
    assert "3 of 3 right: between 44% and 100%" in one.get(to).text


def test_a_case_of_the_sample_that_is_put_aside_comes_again(client: Client, wh: Warehouse) -> None:
    batch, one = begin(wh), client("steward")
    first, second, third = batch.sample
    query = f"?batch={batch.batch_id}"
    skipped = one.post(f"/cases/{first}/mark{query}", data={"state": "skipped", "version": "0"})
    assert skipped.headers["location"] == f"/cases/{second}{query}"
    for case_id in (second, third):
        done = one.post(f"/cases/{case_id}/judge{query}", data={"kind": "link", "version": "0"})
    assert done.headers["location"] == f"/cases/{first}{query}"


def test_nothing_is_applied_before_the_sample_is_judged(client: Client, wh: Warehouse) -> None:
    batch, one = begin(wh), client("steward")
    page = one.get(f"/batches/{batch.batch_id}").text
    assert "0 of 3 judged" in page
    assert "/apply" not in page
    for sure in ("", "1"):
        refused = one.post(f"/batches/{batch.batch_id}/apply", data={"sure": sure})
        assert refused.status_code == 409
    assert len(cases.ids(wh, Filter(kind="merge"))) == batch.case_count


def test_applying_asks_again_with_cases_and_customers_then_decides_all(
    client: Client, wh: Warehouse
) -> None:
    batch, one = begin(wh), client("steward")
    judge_sample(wh, batch, wrong=1)
    rest = [
        case_id for case_id in batches.case_ids(wh, batch.batch_id) if case_id not in batch.sample
    ]
    concerned = {
        golden_id for case_id in rest for golden_id in cases.get(wh, case_id).row.golden_ids
    }
    page = one.get(f"/batches/{batch.batch_id}").text
    assert "2 of 3 right: between 21% and 94%" in page
    assert "more than one wrong answer in ten" in page
    asked = one.post(f"/batches/{batch.batch_id}/apply").text
    assert f"Yes, decide {len(rest)} cases" in asked
    assert f"{len(concerned)} golden customers would become" in asked
    assert cases.ids(wh, Filter(kind="merge")), "asking decides nothing"
    one.post(f"/batches/{batch.batch_id}/apply", data={"sure": "1"})
    after = batches.get(wh, batch.batch_id)
    done = batches.outcome(wh, batch.batch_id)
    assert (after.state, done["in_force"]) == (
        "applied",
        len(rest) - len(batches.effect(wh, after).open),
    )
    assert (
        f"{done['in_force']} cases are decided by it" in one.get(f"/batches/{batch.batch_id}").text
    )


def test_the_whole_batch_is_taken_back_and_what_was_judged_by_hand_stays(
    client: Client, wh: Warehouse
) -> None:
    batch, one = begin(wh, kind="no_link"), client("steward")
    judge_sample(wh, batch)
    one.post(f"/batches/{batch.batch_id}/apply", data={"sure": "1"})
    assert cases.ids(wh, Filter(kind="merge")) == []
    one.post(f"/batches/{batch.batch_id}/undo", data={"reason": "too hasty"})
    assert set(cases.ids(wh, Filter(kind="merge"))) == set(
        batches.case_ids(wh, batch.batch_id)
    ) - set(batch.sample)
    page = one.get(f"/batches/{batch.batch_id}").text
    assert f"{batch.case_count - 3} decisions were undone" in page


def test_customers_that_cases_share_are_counted_once(wh: Warehouse) -> None:
    batch = begin(wh)
    found = batches.effect(wh, batch, judgements.Terms(0.0))
    shown = [cases.get(wh, one).row.golden_ids for one in found.open]
    groups: list[set[str]] = []
    for ids in map(set, shown):
        touching = [group for group in groups if group & ids]
        groups = [group for group in groups if not group & ids] + [ids.union(*touching)]
    assert (found.customers, found.after) == (len(set().union(*groups)), len(groups))
    assert found.waiting == len(found.open)
    apart = batches.effect(wh, begin(wh, kind="no_link"))
    assert apart.customers == apart.after == found.customers


def test_a_batch_never_answers_what_its_answer_does_not_fit(wh: Warehouse) -> None:
    for kind, fitting in batches.ANSWERED.items():
        made = batches.start(wh, Filter(), kind, 1, "steward")  # type: ignore[arg-type]
        kinds = {cases.get(wh, one).row.kind for one in batches.case_ids(wh, made.batch_id)}
        assert kinds <= set(fitting)
        assert made.case_count == batches.count(wh, Filter(), kind, "steward")


def test_viewers_see_batches_without_names_or_buttons(client: Client, wh: Warehouse) -> None:
    batch = begin(wh)
    page = client("viewer").get(f"/batches/{batch.batch_id}").text
    assert cases.get(wh, batch.sample[0]).row.title not in page
    assert 'method="post"' not in page.split("<main")[1]


def test_a_steward_decides_many_alike_in_a_browser(
    page: Callable[..., Any], axe: Callable[[Any], None], shot: Callable[..., None], wh: Warehouse
) -> None:
    steward = page("steward", "zh")
    steward.goto("/batches")
    axe(steward)
    steward.goto("/cases?kind=merge")
    shot(steward, "batch-queue")
    steward.get_by_role("link", name="批量处理").click()
    axe(steward)
    shot(steward, "batch-new")
    steward.get_by_label("同一客户").check()
    steward.get_by_label("先人工判定的案例数").select_option("5")
    steward.get_by_role("button", name="抽取样本").click()
    steward.wait_for_url("**/cases/*batch=*")
    shot(steward, "batch-case")
    for number in range(5):
        expect(steward.locator(".progress")).to_contain_text(f"{number} / 5")
        with steward.expect_navigation():
            steward.keyboard.press("r" if number == 2 else "a")
        if number == 2:
            steward.keyboard.press("q")
            steward.wait_for_url("**/batches/*")
            axe(steward)
            shot(steward, "batch-half", full=True)
            steward.keyboard.press("Enter")
            steward.wait_for_url("**/cases/*batch=*")
    expect(steward.locator(".estimate")).to_have_text("5 个中 4 个正确：介于 38% 与 96% 之间")
    axe(steward)
    shot(steward, "batch-judged", full=True)
    steward.keyboard.press("a")
    expect(steward.locator("h1")).to_contain_text("应用批次")
    axe(steward)
    shot(steward, "batch-apply")
    with steward.expect_navigation():
        steward.keyboard.press("y")
    (made,) = batches.recent(wh)
    assert made.state == "applied"
    axe(steward)
    shot(steward, "batch-applied", full=True)
    steward.on("dialog", lambda asked: asked.accept())
    with steward.expect_navigation():
        steward.keyboard.press("u")
    assert batches.get(wh, made.batch_id).state == "undone"
    steward.goto("/batches")
    shot(steward, "batch-list")

"""Deciding, searching and splitting in a real browser, by keys."""

import re
import resource
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from warehouse import cases, judgements
from warehouse.cases import Filter
from warehouse.engine import Warehouse

pytestmark = pytest.mark.demo_home

Page = Callable[..., Any]

SECONDS_PER_CASE = 1.0
"""CPU time of the app, and of Playwright beside it, for showing a case and taking its answer;
0.12 measured."""


def first(wh: Warehouse, kind: str = "merge", at_least: int = 2) -> cases.Row:
    """The first case of a kind with so many records."""
    rows = cases.queue(wh, Filter(kind=kind), limit=500).rows
    return next(one for one in rows if one.record_count >= at_least)


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def at(page: Any, path: str) -> None:
    """Wait until the page is the one with a path (the query apart), and can be used.

    It looks at the address until it is right: `wait_for_url` fails where a second key leaves for
    another page before the first key's is there.
    """
    expect(page).to_have_url(re.compile(rf"https?://[^/]+{path}([?#].*)?$"), timeout=30_000)
    page.wait_for_load_state("load")


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_case_of_the_queue_takes_one_key(page: Page, wh: Warehouse, language: str) -> None:
    waiting = cases.queue(wh, limit=500).rows
    keys = [("a", "r", "s")[number % 3] for number in range(len(waiting))]
    steward = page("steward", language)
    steward.goto("/cases")
    started = cpu()
    press(steward, "Enter")
    for one, key in zip(waiting, keys, strict=True):
        at(steward, f"/cases/{one.case_id}")
        expect(steward.locator("body")).to_be_focused()
        press(steward, key)  # the one keystroke of this case
    at(steward, "/cases")
    assert (cpu() - started) / len(waiting) < SECONDS_PER_CASE
    expect(steward.locator(".empty")).to_be_visible()
    answers = {made["case_id"]: made["kind"] for made in judgements.listed(wh)}
    for one, key in zip(waiting, keys, strict=True):
        refused = "groups" if one.kind == "split" else "no_link"
        wanted = {"a": "link", "r": refused, "s": None}[key]
        assert answers.get(one.case_id) == wanted
        assert cases.row(wh, one.case_id).state == ("decided" if wanted else "skipped")


def test_a_key_that_is_held_decides_one_case_only(page: Page, wh: Warehouse) -> None:
    steward = page("steward")
    one, other = cases.queue(wh, limit=2).rows
    steward.goto(f"/cases/{one.case_id}")
    for _ in range(5):
        steward.keyboard.down("a")  # a browser repeats it, without letting go
    at(steward, f"/cases/{other.case_id}")
    steward.keyboard.down("a")
    steward.keyboard.up("a")
    assert len(judgements.listed(wh)) == 1


def test_the_last_decision_is_undone_by_u_u_at_once_and_later(page: Page, wh: Warehouse) -> None:
    steward = page("steward")
    one, other, *_ = cases.queue(wh).rows
    for late in (False, True):
        steward.goto(f"/cases/{one.case_id}")
        press(steward, "a")
        at(steward, f"/cases/{other.case_id}")
        expect(steward.get_by_role("status").first).to_contain_text("One customer")
        if late:
            press(steward, "j")
            steward.wait_for_url(lambda url: not url.endswith(other.case_id))
            expect(steward.locator(".message")).to_have_count(0)
        press(steward, "u")
        at(steward, r"/judgements/J\d+")
        expect(steward.locator("#undo")).to_be_visible()
        press(steward, "u")
        at(steward, f"/cases/{one.case_id}")
        expect(steward.get_by_role("status").first).to_have_text("Undone.")
        assert cases.row(wh, one.case_id).state == "open"


def test_records_are_put_into_groups_by_digits(page: Page, wh: Warehouse) -> None:
    one = first(wh, at_least=3)
    steward = page("steward", "zh")
    steward.goto(f"/cases/{one.case_id}")
    heads = steward.locator("th[data-record]")
    records = [heads.nth(number).get_attribute("data-record") for number in range(heads.count())]
    digits = ["1", *["2"] * (len(records) - 1)]
    press(steward, "g")
    expect(heads.first).to_be_focused()
    press(steward, *digits)
    expect(steward.get_by_role("button", name="按此分组")).to_be_focused()
    press(steward, "Enter")
    expect(steward.get_by_role("status").first).to_contain_text("已")
    (made,) = judgements.listed(wh)
    said = judgements.get(wh, made["judgement_id"])["groups"]
    assert sorted(map(sorted, said)) == sorted([records[:1], sorted(records[1:])])


def test_a_customer_that_may_be_two_is_split_as_shown(page: Page, wh: Warehouse) -> None:
    one = first(wh, "split")
    steward = page("steward")
    steward.goto(f"/cases/{one.case_id}")
    heads = steward.locator("th[data-record]")
    shown: dict[str, set[str]] = {}
    for number in range(heads.count()):
        part = heads.nth(number).locator(".badge").inner_text()
        shown.setdefault(part, set()).add(str(heads.nth(number).get_attribute("data-record")))
    press(steward, "r")
    at(steward, "/cases.*")
    expect(steward.get_by_role("status").first).to_contain_text("Grouped")
    (made,) = judgements.listed(wh)
    said = {frozenset(group) for group in judgements.get(wh, made["judgement_id"])["groups"]}
    assert said == {frozenset(group) for group in shown.values()}


def test_comment_reason_assignment_and_not_sure(page: Page, wh: Warehouse) -> None:
    one = first(wh)
    steward = page("steward")
    steward.goto(f"/cases/{one.case_id}")
    press(steward, "c")
    steward.keyboard.type("a or r? ask them")  # no key acts while one writes
    press(steward, "Tab", "Enter")
    expect(steward.locator(".said")).to_contain_text("a or r? ask them")
    press(steward, "m")
    expect(steward.locator(".question .badge")).to_have_text("steward")
    press(steward, "n")
    steward.wait_for_url(lambda url: one.case_id not in url)
    assert cases.row(wh, one.case_id).state == "unsure"
    assert cases.row(wh, one.case_id).assignee == "steward"
    steward.goto(f"/cases/{one.case_id}")
    steward.get_by_label("Why, if you like").fill("same phone")
    press(steward, "Escape", "a")
    steward.wait_for_url(lambda url: one.case_id not in url)
    assert judgements.listed(wh)[0]["reason"] == "same phone"


def test_the_help_names_the_keys_and_lets_none_through(page: Page, wh: Warehouse) -> None:
    one = first(wh)
    steward = page("steward")
    steward.goto(f"/cases/{one.case_id}")
    press(steward, "?")
    help = steward.get_by_role("dialog", name="Keys")
    expect(help).to_be_visible()
    told = dict(
        zip(
            help.locator("dl > div:visible kbd").all_inner_texts(),
            help.locator("dl > div:visible dd").all_inner_texts(),
            strict=True,
        )
    )
    assert told.keys() >= set("qarsncmdu/?"), "every key of the page"
    assert (told["a"], told["n"], told["c"]) == ("One customer", "Not sure", "Comment")
    press(steward, "a")
    press(steward, "Escape")
    expect(steward.get_by_role("dialog", name="Keys")).to_be_hidden()
    assert cases.row(wh, one.case_id).state == "open"
    press(steward, "d")
    expect(steward.locator("tbody.repeated")).to_be_visible()
    press(steward, "d")
    expect(steward.locator("tbody.repeated")).to_be_hidden()
    press(steward, "q")
    at(steward, "/cases")


def test_rows_are_walked_by_j_and_k(page: Page, wh: Warehouse) -> None:
    rows = cases.queue(wh).rows
    steward = page("steward", "zh", width=820)
    steward.goto("/cases")
    press(steward, "j", "j", "j", "k")
    expect(steward.locator("tr.cursor a").first).to_be_focused()
    press(steward, "Enter")
    at(steward, f"/cases/{rows[1].case_id}")
    press(steward, "j")
    at(steward, f"/cases/{rows[2].case_id}")
    press(steward, "k")
    at(steward, f"/cases/{rows[1].case_id}")
    press(steward, "q")
    at(steward, "/cases")


def test_who_comes_second_is_told_who_was_first(page: Page, wh: Warehouse) -> None:
    one = first(wh)
    late = page("steward", login="wang")
    late.goto(f"/cases/{one.case_id}")
    judgements.judge(wh, one.case_id, "no_link", "li.na", one.version)
    press(late, "a")
    expect(late.locator("h1")).to_have_text("Somebody was first")
    expect(late.locator("main")).to_contain_text("li.na")
    page.complaints.clear()  # type: ignore[attr-defined]  # the 409 as asked for
    late.goto(f"/cases/{one.case_id}")
    expect(late.locator("main")).to_contain_text("li.na dealt with it")


def test_a_customer_is_found_and_split_by_keys(page: Page, wh: Warehouse) -> None:
    one = first(wh, at_least=3)
    golden_id = next(
        golden_id
        for golden_id in one.golden_ids
        if sum(m["golden_id"] == golden_id for m in cases.get(wh, one.case_id).members) > 1
    )
    steward = page("steward", "zh")
    steward.goto("/cases")
    press(steward, "/")
    at(steward, "/customers")
    expect(steward.locator("#q")).to_be_focused()
    steward.keyboard.type(one.title)
    press(steward, "Enter")
    steward.wait_for_url(re.compile(r"q="), wait_until="load")
    expect(steward.locator(f"a[href='/customers/{golden_id}']")).to_be_visible()
    steward.goto(f"/customers/{golden_id}")
    heads = steward.locator("th[data-record]")
    press(steward, "g", "1", *["2"] * (heads.count() - 1))
    press(steward, "Enter")
    expect(steward.locator("h1")).to_have_text(f"拆分 {golden_id}")
    expect(steward.locator("ul.groups li")).to_have_count(2)
    assert not judgements.listed(wh)
    steward.get_by_label("理由").fill("两兄弟")
    press(steward, "Escape", "a")
    at(steward, f"/customers/{golden_id}")
    expect(steward.get_by_role("status").first).to_contain_text("已拆分")
    press(steward, "u")
    at(steward, r"/judgements/J\d+")
    expect(steward.locator("main")).to_contain_text("两兄弟")


def test_the_language_is_switched_on_the_same_page(page: Page, wh: Warehouse) -> None:
    one = first(wh)
    steward = page("steward", "zh")
    steward.goto(f"/cases/{one.case_id}?kind=merge")
    expect(steward.get_by_role("button", name="同一客户")).to_be_visible()
    steward.get_by_role("button", name="English").click()
    at(steward, rf"/cases/{one.case_id}\?kind=merge")
    expect(steward.get_by_role("button", name="One customer")).to_be_visible()
    assert steward.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("en", "dark", 820), ("zh", "light", 1280)]
)
def test_every_page_is_readable_fits_and_keeps_to_the_policy(
    page: Page,
    axe: Callable[[Any], None],
    shot: Callable[..., None],
    wh: Warehouse,
    language: str,
    theme: str,
    width: int,
) -> None:
    merge, split = first(wh), first(wh, "split")
    decided = cases.queue(wh).rows[-2]
    made = judgements.judge(wh, decided.case_id, "no_link", "li.na", decided.version)
    steward = page("steward", language, theme=theme, width=width)
    paths = {
        "queue": "/cases",
        "queue-empty": "/cases?state=unsure",
        "case": f"/cases/{merge.case_id}",
        "split": f"/cases/{split.case_id}",
        "decided": f"/cases/{decided.case_id}",
        "decisions": "/judgements",
        "decision": f"/judgements/{made.judgement_id}",
        "search": f"/customers?q={merge.title[:1]}",
        "search-none": "/customers?q=zzqq",
        "customer": f"/customers/{merge.golden_ids[0]}",
    }
    for name, path in paths.items():
        steward.goto(path)
        expect(steward.locator("h1")).to_be_visible()
        if name in ("split", "customer"):
            press(steward, "g")
        axe(steward)
        wide = steward.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} px wider than the window"
        shot(steward, f"{name}-{language}-{theme}", full=True)
    viewer = page("viewer", language, theme=theme, width=width)
    viewer.goto(f"/cases/{merge.case_id}")
    axe(viewer)


def test_what_is_in_focus_is_not_covered_by_the_answers(page: Page, wh: Warehouse) -> None:
    steward = page("steward", width=820)
    steward.goto(f"/cases/{first(wh, at_least=3).case_id}")
    press(steward, "g")
    for _ in range(30):
        press(steward, "Tab")
        covered = steward.evaluate(
            """() => {
              const bar = document.querySelector(".answers").getBoundingClientRect();
              const at = document.activeElement;
              const box = at.getBoundingClientRect();
              const apart = at.closest(".answers, .top, .skip");
              if (apart || at.matches("body, .table-frame")) return "";
              return box.top < bar.bottom && box.bottom > bar.top ? at.outerHTML.slice(0, 200) : "";
            }"""
        )
        assert not covered

"""The foundation's pages in a real browser: both languages, both themes, two widths."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize(
    ("language", "theme", "width"), [("en", "light", 1280), ("zh", "dark", 820)]
)
def test_every_page_is_readable_and_keeps_to_the_policy(
    page: Callable[..., Any],
    axe: Callable[[Any], None],
    shot: Callable[..., None],
    language: str,
    theme: str,
    width: int,
) -> None:
    admin = page("admin", language, theme=theme, width=width)
    for path in ("/", "/people", "/audit", "/me", "/nowhere"):
        admin.goto(path)
        expect(admin.locator("h1")).to_be_visible()
        axe(admin)
        wide = admin.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} is {wide} px wider than the window"
        shot(admin, f"{path.strip('/') or 'home'}-{language}-{theme}")
        admin.keyboard.press("?")
        told = set(admin.locator("dialog[open] dl > div:visible kbd").all_inner_texts())
        keys = "els => els.filter(e => e.getClientRects().length).map(e => e.dataset.key)"
        assert told >= {"/", "?", "Esc", *admin.locator("[data-key]").evaluate_all(keys)}, path
        assert "j" not in told or admin.locator("[data-rows], [data-key=j]").count(), path
        assert all(admin.locator("dialog[open] dl > div:visible dd").all_inner_texts()), path
        axe(admin)
        admin.keyboard.press("Escape")
    assert page.complaints.pop().startswith("Failed to load resource")  # type: ignore[attr-defined]


def test_an_admin_makes_an_account_and_its_owner_chooses_language_and_password(
    page: Callable[..., Any], axe: Callable[[Any], None], shot: Callable[..., None]
) -> None:
    admin = page("admin")
    admin.goto("/")
    admin.get_by_role("link", name="People").click()
    admin.get_by_label("Login").fill("li.na")
    admin.get_by_label("Name", exact=True).fill("Li Na")
    admin.get_by_role("button", name="Make", exact=True).click()
    given = admin.locator("code.secret").inner_text()
    axe(admin)
    shot(admin, "people-once-en")
    admin.reload()  # sends the form again: the login is taken, the password is gone
    expect(admin.locator("code.secret")).to_have_count(0)
    expect(admin.get_by_role("alert")).to_have_text("There is such an account already.")

    person = page(None, "zh")
    person.goto("/people")
    axe(person)
    shot(person, "login-zh")
    person.get_by_label("登录名").fill("li.na")
    person.get_by_label("密码").fill("wrong")
    person.keyboard.press("Enter")
    expect(person.get_by_role("alert")).to_have_text("登录名或密码不正确。")
    person.get_by_label("密码").fill(given)
    person.keyboard.press("Enter")
    expect(person.locator("h1")).to_have_text("我的账号")
    axe(person)
    shot(person, "first-login-zh")
    person.get_by_label("当前密码").fill(given)
    person.get_by_label("新密码", exact=True).fill("nine loud hills")
    person.get_by_label("再输一次新密码").fill("nine loud hills")
    person.get_by_role("button", name="修改密码").click()
    expect(person.get_by_role("status").first).to_have_text("密码已修改。")
    person.get_by_role("button", name="English").click()
    expect(person.locator("h1")).to_have_text("Dashboard")
    person.get_by_role("button", name="Dark").click()
    expect(person.locator("html")).to_have_attribute("data-theme", "dark")
    person.goto("/people")
    expect(person.locator("h1")).to_have_text("This is not allowed")
    shot(person, "not-allowed-en-dark")
    person.get_by_role("button", name="Log out").click()
    expect(person.get_by_role("status").first).to_have_text("You are logged out.")
    for complaint in page.complaints:  # type: ignore[attr-defined]
        assert complaint.startswith("Failed to load resource")  # 401, 403 and 422 as asked for
    page.complaints.clear()  # type: ignore[attr-defined]


def test_the_content_can_be_reached_by_keyboard_alone(page: Callable[..., Any]) -> None:
    admin = page("admin")
    admin.goto("/people")
    admin.keyboard.press("Tab")
    skip = admin.locator("a.skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    admin.keyboard.press("Enter")
    expect(admin.locator("#content")).to_be_focused()

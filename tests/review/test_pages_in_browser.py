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
    assert page.complaints.pop().startswith("Failed to load resource")  # type: ignore[attr-defined]

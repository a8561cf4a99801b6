"""A deployment with its web app, clients of every role, and a real browser.

What to take:

``empty_home``  settings of a migrated home without customers (cheap).
``app_home``    settings of a home with the Chinese demo of 2,000 records, refreshed; pairs from
                .15 up are asked about
                once per test session and copied for the test.
``home``        the home of the test's app: ``empty_home``, unless the test (or module)
                says ``@pytest.mark.demo_home``, which makes it ``app_home``.
``wh``          its open warehouse.
``app``         the FastAPI app on it.
``client``      ``client("steward")``: a logged-in TestClient; it sends the CSRF token with
                every write by itself; ``client(None)`` is not logged in. The accounts are
                called like the roles; ``client("steward", login="li.na")`` is another one.
``server``      URL of the app served by uvicorn on a free port of 127.0.0.1.
``page``        ``page("steward", "zh")``: a Chromium page, logged in, language chosen; the
                test fails on console errors, page errors and CSP violations. Also
                ``page(role, language, theme="dark", width=820)``.
``axe``         ``axe(page)``: asserts that axe-core finds no serious violation.
``reading``     what a page tells: ``secrets(records)``, ``all_of(html)``, ``text_of(html)``.
``shot``        ``shot(page, "queue-zh")``: a screenshot into ONEFOLD_SHOTS, if that is set.

Pages end before the server does, the server before the warehouse.
"""

import html
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from onefold import settings as settings_module
from onefold.cli import home as homes
from onefold.settings import Settings
from review.app import create_app
from review.security import passwords, sessions
from rules.customer import PERSONAL
from warehouse import accounts, engine
from warehouse.engine import Warehouse

PASSWORD = "seven quiet lakes"
"""Of every account that the fixtures make."""
BASE = "http://127.0.0.1:3001"
AXE = Path(__file__).parent / "resources" / "axe.min.js"

Client = Callable[..., TestClient]
"""``client(role, login=role)``"""


def pytest_configure(config: pytest.Config) -> None:
    """Declare our mark."""
    config.addinivalue_line("markers", "demo_home: the test's home has the demo's customers")


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No home or database of whoever runs the tests."""
    for name in ("ONEFOLD_HOME", "ONEFOLD_DATABASE_URL", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory, migrated_files: Path) -> Path:
    folder = tmp_path_factory.mktemp("migrated") / "home"
    homes.create(folder)
    return shutil.copytree(migrated_files, folder, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def _refreshed(
    made_once: Callable[[str, Callable[[Path], object]], Path], demo_homes: Callable[[str], Path]
) -> Path:
    from pipelines import stages

    def make(folder: Path) -> None:
        # Without what Dagster keeps and the raw records, which no page shows: a smaller copy.
        left_out = shutil.ignore_patterns("history", "schedules", "storage", "raw", "said.txt")
        home = shutil.copytree(demo_homes("zh"), folder / "home", ignore=left_out)
        with (home / "onefold.yml").open("a") as settings:
            settings.write("matching:\n  review: 0.15\n")  # more cases to decide
        with stages.opened(home) as deployment:
            stages.publish(deployment)

    return made_once("review", make) / "home"


@pytest.fixture
def empty_home(_migrated: Path, tmp_path: Path) -> Settings:
    """A migrated home without customers."""
    return settings_module.load(shutil.copytree(_migrated, tmp_path / "home"))


@pytest.fixture
def app_home(_refreshed: Path, tmp_path: Path) -> Settings:
    """A home with the demo's customers."""
    return settings_module.load(shutil.copytree(_refreshed, tmp_path / "home"))


@pytest.fixture
def home(request: pytest.FixtureRequest) -> Settings:
    """The home of the test's app."""
    marked = request.node.get_closest_marker("demo_home")
    settings: Settings = request.getfixturevalue("app_home" if marked else "empty_home")
    return settings


@pytest.fixture
def wh(home: Settings) -> Iterator[Warehouse]:
    """The home's open warehouse."""
    with closing(engine.connect(home)) as opened:
        yield opened


@pytest.fixture
def app(home: Settings, wh: Warehouse) -> FastAPI:
    """The app on the home."""
    return create_app(home, wh)


@pytest.fixture(scope="session")
def password_hash() -> str:
    """The hash of PASSWORD; hashing takes a while, so once."""
    return passwords.hashed(PASSWORD)


@pytest.fixture
def account(wh: Warehouse, password_hash: str) -> Callable[..., str]:
    """``account("viewer", login="wang")``: makes an account with PASSWORD; gives its login."""

    def make(role: str, login: str | None = None) -> str:
        name = login or role
        if accounts.find(wh, name) is None:
            accounts.add(wh, name, full_name=name.title(), role=role, created_by="test")
            accounts.set_password(wh, name, password_hash, by=name, must_change=False)
        return name

    return make


@pytest.fixture
def client(app: FastAPI, wh: Warehouse, account: Callable[..., str]) -> Iterator[Client]:
    """Makes clients; see the module's docstring."""
    opened: list[TestClient] = []

    def make(role: str | None, login: str | None = None, *, csrf: bool = True) -> TestClient:
        one = TestClient(app, base_url=BASE, follow_redirects=False)
        if role is not None:
            token = sessions.new(wh, account(role, login), timedelta(hours=1))
            one.cookies.set(app.state.cookies.session, token)
            if csrf:
                one.headers["X-CSRF-Token"] = one.get("/api/v1/me").json()["csrf_token"]
        opened.append(one)
        return one

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def server(app: FastAPI) -> Iterator[str]:
    """URL of the app, served by uvicorn in a thread."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    config.timeout_graceful_shutdown = 2
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not running.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert running.started
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    running.should_exit = True
    thread.join(20)
    listener.close()


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Any]:
    """Chromium, started once; skipped where it is not installed, but not in CI."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        message = "chromium is not installed (Debian packages chromium, fonts-noto-cjk)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def _once_loaded(page: Any) -> Callable[..., None]:
    """Presses a key of a page, once its scripts run: what it shows is there a moment earlier."""
    press = page.keyboard.press

    def waits(key: str) -> None:
        page.wait_for_load_state("load")
        press(key)

    return waits


@pytest.fixture
def page(
    _chromium: Any, server: str, app: FastAPI, wh: Warehouse, account: Callable[..., str]
) -> Iterator[Callable[..., Any]]:
    """Makes browser pages; see the module's docstring."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def make(
        role: str | None,
        language: str = "en",
        *,
        theme: str = "light",
        width: int = 1280,
        login: str | None = None,
    ) -> Any:
        context = _chromium.new_context(
            base_url=server,
            viewport={"width": width, "height": 800},
            color_scheme=theme,
            locale="zh-CN" if language == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )
        contexts.append(context)
        if role is not None:
            name = account(role, login)
            accounts.set_language(wh, name, language)
            token = sessions.new(wh, name, timedelta(hours=1))
            cookie = {"name": app.state.cookies.session, "value": token, "url": server}
            context.add_cookies([cookie])
        made = context.new_page()
        made.set_default_timeout(20_000)
        made.keyboard.press = _once_loaded(made)
        made.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        made.on("pageerror", lambda error: complaints.append(str(error)))
        return made

    make.complaints = complaints  # type: ignore[attr-defined]
    yield make
    for context in contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def axe() -> Callable[[Any], None]:
    """Asserts that axe-core finds no serious or critical violation on a page."""

    def check(page: Any) -> None:
        # Playwright's own world: the page's content security policy allows no foreign script.
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        bad = [
            f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert not bad, "\n".join(bad)

    return check


@pytest.fixture
def shot() -> Callable[..., None]:
    """Takes screenshots into the folder ONEFOLD_SHOTS, where that is set."""
    folder = os.environ.get("ONEFOLD_SHOTS")

    def take(page: Any, name: str, *, full: bool = False) -> None:
        if folder:
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=full)

    return take


class Reading:
    """What somebody may read in a page's HTML."""

    @staticmethod
    def secrets(records: Iterable[Mapping[str, Any]]) -> set[str]:
        """Personal values of records that are long enough to be found by no chance."""
        found: set[str] = set()
        for record in records:
            for field in PERSONAL & set(record):
                value = record[field]
                each = value if isinstance(value, list) else [value]
                found |= {str(one) for one in each if one and not isinstance(one, dict)}
        return {one for one in found if len(one) > 4 or (len(one) > 1 and one[0] > "\u2e80")}

    @classmethod
    def all_of(cls, page: str) -> str:
        """A page as a curious one may take it: with its markup, and without."""
        return unquote(html.unescape(page)) + cls.text_of(page)

    @staticmethod
    def text_of(page: str) -> str:
        """What stands between the tags; how characters sound is left out."""
        silent = re.sub(r"<rt>.*?</rt>", "", page)
        return html.unescape(re.sub(r"<[^>]*>", "", silent))


@pytest.fixture(scope="session")
def reading() -> type[Reading]:
    """What somebody may read in a page's HTML: ``secrets``, ``all_of``, ``text_of``."""
    return Reading

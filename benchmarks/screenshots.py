"""Pictures of the review app, in both languages: ``python -m benchmarks.screenshots [FOLDER]``.

Makes a home from each of the demo's worlds, serves it, and shows it to Chromium (Debian
packages chromium and fonts-noto-cjk). The people of the demo are invented.
"""

import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from onefold import settings as settings_module
from onefold.cli import home as homes
from onefold.settings import Settings
from pipelines import stages
from review.app import create_app
from review.security import sessions
from warehouse import accounts, cases, engine, judgements
from warehouse.cases import Filter
from warehouse.engine import Warehouse

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "review"
PEOPLE = {"zh": ("li.na", "李娜", "wang.fang"), "en": ("jo.price", "Jo Price", "sam.reed")}
WIDTH, HEIGHT = 1280, 860
HEIGHTS = {"dashboard": 480, "case": 1340}
"""Of pages that have less or more to show."""
COLORS = 128


def made(folder: Path, world: str) -> Settings:
    """A refreshed home of one of the demo's worlds."""
    homes.create_demo(folder, Path(str(resources.files("demo") / world)), world)
    with stages.opened(folder) as deployment:
        for source in deployment.sources:
            stages.sync(deployment, source)
            stages.stage(deployment, source)
        stages.publish(deployment)
    return settings_module.load(folder)


@contextmanager
def served(settings: Settings, wh: Warehouse) -> Iterator[tuple[str, str]]:
    """The app on a free port: its address, and the name of its session cookie."""
    app = create_app(settings, wh)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", app.state.cookies.session
    running.should_exit = True
    thread.join(20)
    listener.close()


def pages(wh: Warehouse, login: str, other: str) -> dict[str, str]:
    """What to show: name of the picture → path; decides two cases for the dashboard's sake."""
    rows = cases.queue(wh, Filter(kind="merge"), limit=500).rows
    for one, who in zip(rows[-2:], (login, other), strict=True):
        judgements.judge(wh, one.case_id, "no_link", who, one.version)
    shown = next((one for one in rows if one.record_count == 3), rows[0])
    return {
        "dashboard": "/",
        "queue": "/cases",
        "case": f"/cases/{shown.case_id}",
        "customer": f"/customers/{shown.golden_ids[0]}",
        "quarantine": "/quarantine",
    }


def pictures(browser: Browser, wh: Warehouse, at: tuple[str, str], language: str) -> Iterator[Any]:
    """Name and PNG of each page."""
    address, cookie = at
    login, name, other = PEOPLE[language]
    accounts.add(wh, login, full_name=name, role="steward", created_by="-")
    accounts.set_language(wh, login, language)
    context = browser.new_context(
        base_url=address,
        viewport={"width": WIDTH, "height": HEIGHT},
        color_scheme="light",
        timezone_id="Asia/Shanghai" if language == "zh" else "Europe/London",
        reduced_motion="reduce",
    )
    token = sessions.new(wh, login, timedelta(hours=1))
    context.add_cookies([{"name": cookie, "value": token, "url": address}])
    page = context.new_page()
    for picture, path in pages(wh, login, other).items():
        answer = page.goto(path)
        if answer is not None and answer.ok:
            page.set_viewport_size({"width": WIDTH, "height": HEIGHTS.get(picture, HEIGHT)})
            yield picture, page.screenshot()
    context.close()


def saved(png: bytes, path: Path) -> None:
    """Write a picture with few colors: a fifth of its size."""
    image = Image.open(BytesIO(png)).convert("RGB")
    image.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)


def main(folder: Path) -> None:
    """Take every picture in both languages."""
    folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for language in PEOPLE:
            settings = made(Path(scratch) / language, language)
            with closing(engine.connect(settings)) as wh, served(settings, wh) as at:
                for name, png in pictures(browser, wh, at, language):
                    path = folder / f"{name}-{language}.png"
                    saved(png, path)
                    print(f"{path.name}: {path.stat().st_size // 1024} kB")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)

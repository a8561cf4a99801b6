"""The sensor of files elsewhere: what changed there is synced, and nothing is fetched to see it."""

import hashlib
import http.server
import threading
from email.utils import formatdate
from pathlib import Path

import dagster as dg
import pytest

from connectors import remote
from connectors.source import extract, load_sources
from pipelines import definitions
from tests.pipelines.conftest import CRM

SECRET = "pw-of-the-source"


class Web:
    """A web server of one folder of files; ``status`` is what it answers in place of a file."""

    def __init__(self) -> None:
        self.files = {"/crm.csv": CRM.encode()}
        self.headers: dict[str, str | None] = {}
        self.status = 200
        self.asked: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_HEAD(self) -> None:
                outer.asked.append(self.command)
                data = outer.files.get(self.path.partition("?")[0], b"")
                self.send_response(outer.status if data else 404)
                found = {"Content-Length": str(len(data)), "ETag": hashlib.sha1(data).hexdigest()}
                for name, value in {**found, **outer.headers}.items():
                    if value is not None:
                        self.send_header(name, value)
                self.end_headers()
                if self.command == "GET" and outer.status == 200:
                    self.wfile.write(data)

            do_GET = do_HEAD  # noqa: N815

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_port

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(remote, "FIRST_PAUSE", 0.0)
    server = Web()
    yield server
    server.close()


@pytest.fixture
def elsewhere(home: Path, web: Web) -> Path:
    """The home, its file on the web server."""
    file = home / "sources" / "crm.yml"
    url = f"http://reader:{SECRET}@127.0.0.1:{web.port}/crm.csv?sig={SECRET}"
    text = file.read_text(encoding="utf-8").replace("path: data/crm.csv", f'path: "{url}"')
    file.write_text(text, encoding="utf-8")
    return home


def _tick(home: Path, cursor: str | None) -> tuple[int, str | None, str]:
    """Runs asked for, the cursor after it, and why none."""
    sensor = definitions.build(home).resolve_sensor_def("sync_crm_sensor")
    with dg.build_sensor_context(cursor=cursor) as context:
        outcome = sensor.evaluate_tick(context)
    said = f"{outcome.skip_message} {outcome.cursor}"
    assert SECRET not in said
    return len(outcome.run_requests or []), outcome.cursor, said


def test_file_elsewhere_that_changed_asks_for_one_run_and_is_not_fetched(
    elsewhere: Path, web: Web
) -> None:
    asked, cursor, _ = _tick(elsewhere, None)
    assert asked == 1
    assert _tick(elsewhere, cursor)[0] == 0
    web.files["/crm.csv"] += "C9,吴敏,person,,,,,\n".encode()
    asked, after, _ = _tick(elsewhere, cursor)
    assert asked == 1 and after != cursor
    assert set(web.asked) == {"HEAD"}


def test_file_elsewhere_that_any_sync_has_read_asks_for_no_run(elsewhere: Path, web: Web) -> None:
    extract(load_sources(elsewhere)["crm"], elsewhere / "lake", None)
    assert _tick(elsewhere, None)[0] == 0
    web.files["/crm.csv"] += "C9,吴敏,person,,,,,\n".encode()
    assert _tick(elsewhere, None)[0] == 1


def test_server_that_does_not_answer_is_asked_again_the_next_time(
    elsewhere: Path, web: Web
) -> None:
    cursor = _tick(elsewhere, None)[1]
    web.status = 503
    asked, after, said = _tick(elsewhere, cursor)
    assert (asked, after) == (0, cursor) and "the server answers 503" in said
    assert web.asked.count("HEAD") == 2  # no second try within a look
    web.status = 200
    assert _tick(elsewhere, after)[0] == 0


@pytest.mark.parametrize("fault", ["gone", "refused"])
def test_file_that_is_gone_or_refused_asks_for_one_run_which_will_say_so(
    elsewhere: Path, web: Web, fault: str
) -> None:
    cursor = _tick(elsewhere, None)[1]
    if fault == "gone":
        web.files.clear()
    else:
        web.status = 403
    asked, after, _ = _tick(elsewhere, cursor)
    assert asked == 1
    asked, again, said = _tick(elsewhere, after)
    assert (asked, again) == (0, after)
    assert ("no such file" if fault == "gone" else "refuses access") in said


def test_file_elsewhere_that_is_still_being_written_is_left_for_the_next_time(
    elsewhere: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_SETTLED", 1_000_000)
    web.headers = {"ETag": None, "Last-Modified": formatdate(usegmt=True)}
    asked, cursor, said = _tick(elsewhere, None)
    assert (asked, cursor) == (0, None) and "being written" in said
    web.headers["Last-Modified"] = formatdate(1_600_000_000, usegmt=True)
    assert _tick(elsewhere, None)[0] == 1

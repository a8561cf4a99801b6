"""Refused requests: plain words with a way back on pages, problems in the API, no values."""

import logging
from collections.abc import Callable, Iterator

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from onefold.errors import AccountError, DecisionConflict, NotThere, WarehouseError
from onefold.settings import Settings
from review import routes
from review.app import create_app
from review.security.roles import Viewer
from review.serving import WithoutWords
from warehouse.engine import Warehouse

Client = Callable[..., TestClient]
SECRET = "13800000001"

router = APIRouter()
_ERRORS = {
    "conflict": DecisionConflict("decision link", "it contradicts decisions in force", found="D1"),
    "gone": NotThere("case C9", "there is no such case"),
    "database": WarehouseError("SQLite database x", "the database refuses"),
    "account": AccountError("root", "it is the last admin"),
}


@router.get("/fails/{how}")
@router.get("/api/v1/fails/{how}")
def fails(how: str, caller: Viewer) -> None:
    """Raise what the test asks for."""
    if how in _ERRORS:
        raise _ERRORS[how]
    raise ValueError(f"unexpected, about {SECRET}")


@pytest.fixture
def app(home: Settings, wh: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    monkeypatch.setattr(routes, "ROUTERS", (*routes.ROUTERS, router))
    yield create_app(home, wh)


@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("conflict", 409, "D1"),
        ("gone", 404, "case C9"),
        ("database", 503, "the database refuses"),
        ("account", 422, "It is the last admin."),
    ],
)
def test_an_expected_error_is_a_page_and_a_problem(
    client: Client, how: str, status: int, said: str
) -> None:
    one = client("viewer")
    back = {"Referer": "http://127.0.0.1:3001/cases?band=3"}
    answer = one.get(f"/fails/{how}", headers=back)
    assert answer.status_code == status
    assert said in answer.text
    assert 'href="/cases?band=3"' in answer.text, "a way back"
    problem = one.get(f"/api/v1/fails/{how}")
    assert problem.status_code == problem.json()["status"] == status
    assert problem.headers["content-type"] == "application/problem+json"


def test_the_way_back_never_leaves_the_app(client: Client) -> None:
    answer = client("viewer").get("/fails/gone", headers={"Referer": "https://evil.example/x"})
    assert "evil" not in answer.text


def test_only_a_contradiction_is_told_as_one(client: Client) -> None:
    split = {"group:a:1": "1", "group:a:2": "2"}
    for language, said in (("en", "cannot be done as things stand"), ("zh", "无法这样操作")):
        one = client("steward")
        one.post("/preferences", data={"language": language})
        answer = one.post("/customers/G9/unmerge", data=split)
        assert answer.status_code == 409
        assert said in answer.text


def test_a_page_that_answers_a_write_leads_to_pages_and_never_to_the_write(client: Client) -> None:
    came_from = {"Referer": "http://127.0.0.1:3001/quarantine/Q1/repair?state=open"}
    split = {"group:a:1": "1", "group:a:2": "2"}
    answer = client("steward").post("/customers/G9/unmerge", data=split, headers=came_from)
    assert answer.status_code == 409
    assert 'name="next" value="/customers/G9"' in answer.text, "where the language is chosen"
    assert 'href="/quarantine/Q1?state=open"' in answer.text, "the way back"


def test_an_unexpected_error_shows_and_logs_no_values(
    client: Client, app: FastAPI, caplog: pytest.LogCaptureFixture
) -> None:
    one = client("viewer")
    quiet = TestClient(app, base_url=one.base_url, raise_server_exceptions=False)
    quiet.cookies = one.cookies
    for path in ("/fails/otherwise", "/api/v1/fails/otherwise"):
        answer = quiet.get(path)
        assert answer.status_code == 500
        assert SECRET not in answer.text
        assert "content-security-policy" in answer.headers
    assert "ValueError in GET /fails/{how}" in caplog.text
    assert SECRET not in caplog.text


def test_a_logged_traceback_names_places_and_no_words() -> None:
    try:
        fails("otherwise", None)  # type: ignore[arg-type]
    except ValueError:
        record = logging.getLogger("x").makeRecord(
            "x", logging.ERROR, __file__, 1, "failed", (), __import__("sys").exc_info()
        )
    text = WithoutWords("%(message)s").format(record)
    assert "in fails" in text
    assert "ValueError" in text
    assert SECRET not in text


def test_unknown_paths_and_methods_are_said_in_words_in_both_languages(client: Client) -> None:
    one = client("viewer")
    assert "There is nothing here" in one.get("/nowhere", headers={"Accept-Language": "en"}).text
    assert "这里什么也没有" in one.get("/nowhere", headers={"Accept-Language": "zh-CN"}).text
    assert one.delete("/health").status_code == 405
    assert one.get("/api/v1/nowhere").json()["status"] == 404

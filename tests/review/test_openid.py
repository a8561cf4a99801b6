"""Logging in through OpenID Connect, against a provider that signs, and one that lies."""

import importlib.util
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from httpx import Response

from onefold.settings import Settings
from review.app import create_app
from warehouse import accounts, audit
from warehouse.engine import Warehouse

BASE = "http://127.0.0.1:3001"


@cache
def _provider_module() -> ModuleType:
    path = Path(__file__).with_name("provider.py")
    spec = importlib.util.spec_from_file_location("openid_provider", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import sys

    module = _provider_module()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with module.running() as one:
        one.person = {
            "sub": "42",
            "preferred_username": "Li.Na",
            "name": "Li Na",
            "groups": ["crm-stewards", "others"],
        }
        yield one


Enter = Callable[..., TestClient]


@pytest.fixture
def browser(empty_home: Settings, wh: Warehouse, provider: Any) -> Iterator[Enter]:
    """``browser(role_claim=...)``: a client of an app with the provider as its section says."""
    opened: list[TestClient] = []

    def make(**changes: Any) -> TestClient:
        section = {
            "issuer": provider.issuer,
            "client_id": "onefold-test",
            "client_secret": "a secret of the test",
            "name": "Example",
            "role_claim": "groups",
            "roles": {"crm-stewards": "steward", "crm-admins": "admin"},
            **changes,
        }
        sections = {**empty_home.sections, "review": {"openid": section}}
        settings = empty_home.model_copy(update={"sections": sections})
        one = TestClient(create_app(settings, wh), base_url=BASE, follow_redirects=False)
        opened.append(one)
        return one

    yield make
    for one in opened:
        one.close()


def through(browser: TestClient, next: str = "/") -> Response:
    """Go to the provider and come back; the answer at the end of the way."""
    start = browser.get("/openid", params={"next": next})
    assert start.status_code == 303, start.text
    back = httpx.get(start.headers["location"])
    return browser.get(back.headers["location"])


def test_a_person_gets_an_account_and_a_session(browser: Enter, wh: Warehouse) -> None:
    one = browser()
    assert "Log in with Example" in one.get("/login").text
    answer = through(one, "/me?from=here")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me?from=here")
    assert one.get("/api/v1/me").json()["role"] == "steward"
    made = accounts.find(wh, "li.na")
    assert made is not None
    assert (made.full_name, made.has_password, made.created_by) == ("Li Na", False, "openid")
    assert [event.action for event in audit.show(wh)] == ["login_openid", "add_account"]
    through(one)
    assert len(accounts.everybody(wh)) == 1


def test_the_role_follows_the_claim_at_every_login(
    browser: Enter, provider: Any, wh: Warehouse
) -> None:
    one = browser()
    through(one)
    provider.person["groups"] = ["crm-admins", "crm-stewards"]
    through(one)
    assert accounts.find(wh, "li.na").role == "admin"  # type: ignore[union-attr]
    provider.person["groups"] = "crm-stewards"
    assert through(one).status_code == 303
    assert accounts.find(wh, "li.na").role == "admin", "it is the last one"  # type: ignore[union-attr]
    provider.person["groups"] = []
    assert through(one).status_code == 403


def test_who_has_no_role_is_not_let_in_unless_there_is_a_default(
    browser: Enter, provider: Any, wh: Warehouse
) -> None:
    provider.person["groups"] = ["others"]
    answer = through(browser())
    assert answer.status_code == 403
    assert "no role" in answer.text
    assert not accounts.everybody(wh)
    through(browser(default_role="viewer"))
    assert accounts.find(wh, "li.na").role == "viewer"  # type: ignore[union-attr]


def test_claims_may_be_nested_or_only_in_userinfo(
    browser: Enter, provider: Any, wh: Warehouse
) -> None:
    provider.more = {"realm_access": {"roles": ["crm-admins"]}, "email": "li@example.com"}
    through(browser(role_claim="realm_access.roles", login_claim="email"))
    assert accounts.find(wh, "li@example.com").role == "admin"  # type: ignore[union-attr]


def test_a_local_account_is_not_taken_over_by_its_name(browser: Enter, wh: Warehouse) -> None:
    accounts.add(wh, "li.na", full_name="Another", role="admin", created_by="test")
    answer = through(browser())
    assert answer.status_code == 403
    assert "Ask an admin" in answer.text
    assert accounts.find(wh, "li.na").full_name == "Another"  # type: ignore[union-attr]


def test_an_account_that_is_off_stays_out(browser: Enter, wh: Warehouse) -> None:
    one = browser()
    through(one)
    accounts.set_active(wh, "li.na", False, by="test")
    assert through(one).status_code == 403
    assert one.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "somebody-else"},
        {"aud": ["onefold-test", "somebody-else"]},
        {"azp": "somebody-else"},
        {"iss": "https://elsewhere.example"},
        {"exp": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"exp": None},
    ],
)
def test_an_id_token_that_is_not_for_this_login_is_refused(
    browser: Enter, provider: Any, wh: Warehouse, lies: dict[str, Any]
) -> None:
    provider.lies = lies
    answer = through(browser())
    assert answer.status_code == 401
    assert not accounts.everybody(wh)
    assert audit.show(wh)[0].action == "login_refused"


@pytest.mark.parametrize(("foreign", "algorithm"), [(True, "RS256"), (False, "none")])
def test_an_id_token_that_the_provider_did_not_sign_is_refused(
    browser: Enter, provider: Any, wh: Warehouse, foreign: bool, algorithm: str
) -> None:
    provider.foreign, provider.algorithm = foreign, algorithm
    assert through(browser()).status_code == 401
    assert not accounts.everybody(wh)


def test_userinfo_about_somebody_else_is_refused(
    browser: Enter, provider: Any, wh: Warehouse
) -> None:
    provider.more = {"sub": "43", "email": "li@example.com"}
    assert through(browser(login_claim="email")).status_code == 401
    assert not accounts.everybody(wh)


def test_a_new_key_of_the_provider_is_found(browser: Enter, provider: Any) -> None:
    one = browser()
    assert through(one).status_code == 303
    provider.rotate()
    assert through(one).status_code == 303
    assert provider.asked.count("/keys") == 2


def test_a_login_that_did_not_begin_in_this_browser_is_refused(browser: Enter) -> None:
    one = browser()
    start = one.get("/openid")
    back = httpx.get(start.headers["location"]).headers["location"]
    other = TestClient(one.app, base_url=BASE, follow_redirects=False)
    assert other.get(back).status_code == 401, "no cookie"
    other.get("/openid")
    assert other.get(back).status_code == 401, "another state"
    assert one.get(back + "x").status_code == 401, "state was changed"
    assert one.get(back).status_code == 303
    assert one.get(back).status_code == 401, "a code works once"


def test_a_provider_that_does_not_answer_is_said_in_words(browser: Enter) -> None:
    answer = browser(issuer="http://127.0.0.1:9").get("/openid")
    assert answer.status_code == 502
    assert "does not answer as it should" in answer.text


def test_a_provider_that_calls_itself_otherwise_is_refused(browser: Enter, provider: Any) -> None:
    assert (
        browser(issuer=provider.issuer.replace("127.0.0.1", "localhost")).get("/openid").status_code
        == 502
    )


def test_without_a_provider_there_is_no_such_page(client: Callable[..., TestClient]) -> None:
    assert client(None).get("/openid").status_code == 404

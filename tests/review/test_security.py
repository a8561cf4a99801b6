"""Logging in, sessions, passwords, throttle, CSRF, host and headers, through the app."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from onefold.errors import ConfigError
from onefold.settings import Settings
from review.app import create_app
from review.policy import ReviewPolicy, Throttle
from review.security import key as keys
from review.security import passwords, throttle
from review.security.headers import POLICY
from warehouse import accounts, audit
from warehouse.columns import REVIEW
from warehouse.engine import Warehouse
from warehouse.review_tables import login_attempt, session
from warehouse.sessions import Failures

PASSWORD = "seven quiet lakes"
Client = Callable[..., TestClient]
Make = Callable[..., str]


def token(client: TestClient, path: str = "/login") -> str:
    found = re.search(r'name="csrf_token" value="([\w-]+)"', client.get(path).text)
    assert found
    return found.group(1)


def log_in(client: TestClient, login: str, password: str = PASSWORD, next: str = "/"):
    form = {"login": login, "password": password, "next": next, "csrf_token": token(client)}
    return client.post("/login", data=form)


# ------------------------------------------------------------------ login and session
def test_the_right_password_logs_in_and_leads_on(client: Client, account: Make) -> None:
    account("steward", "li.na")
    one = client(None)
    assert one.get("/people?x=1").headers["location"] == "/login?next=/people%3Fx%3D1"
    answer = log_in(one, " Li.Na", next="/me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    assert "li.na" in one.get("/me").text
    assert one.get("/login").status_code == 303, "who is logged in needs no form"


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_login_leads_to_our_own_pages_only(client: Client, account: Make, next: str) -> None:
    account("steward")
    assert log_in(client(None), "steward", next=next).headers["location"] == "/"


def test_a_way_on_in_chinese_fits_the_header_that_htmx_reads(client: Client) -> None:
    chosen = {"language": "zh", "next": "/cases?source=客户"}
    answer = client("steward").post("/preferences", data=chosen, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/cases?source=%E5%AE%A2%E6%88%B7"


def test_the_store_holds_no_token_that_logs_in(
    client: Client, account: Make, app: FastAPI, wh: Warehouse
) -> None:
    account("steward")
    one = client(None)
    log_in(one, "steward")
    cookie = one.cookies[app.state.cookies.session]
    with wh.read(REVIEW) as connection:
        row = connection.execute(sa.select(session)).one()
    assert len(cookie) >= 43
    assert cookie not in str(row)
    other = client(None)
    other.cookies.set(app.state.cookies.session, row.session_hash)
    assert other.get("/api/v1/me").status_code == 401


def test_every_login_has_a_new_token_and_ends_the_one_before(
    client: Client, account: Make, app: FastAPI
) -> None:
    account("steward")
    one = client(None)
    name = app.state.cookies.session
    one.cookies.set(name, "chosen-by-somebody-else", domain="127.0.0.1", path="/")
    log_in(one, "steward")
    first = one.cookies[name]
    assert first != "chosen-by-somebody-else"
    one.post("/logout", data={"csrf_token": token(one, "/me")})
    assert name not in one.cookies
    one.cookies.set(name, first, domain="127.0.0.1", path="/")
    assert one.get("/api/v1/me").status_code == 401, "after the log out it is worth nothing"


def test_cookies_are_for_the_server_alone(client: Client, account: Make) -> None:
    account("steward")
    one = client(None)
    for line in one.get("/login").headers.get_list("set-cookie"):
        assert "HttpOnly" in line and "SameSite=Lax" in line and "Path=/" in line
    cookie = log_in(one, "steward").headers.get_list("set-cookie")[0]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Secure" not in cookie, "plain http on this machine"


def test_over_https_cookies_are_host_cookies(empty_home: Settings, wh: Warehouse) -> None:
    section = {"address": "https://crm.example.com"}
    sections = {**empty_home.sections, "review": section}
    app = create_app(empty_home.model_copy(update={"sections": sections}), wh)
    with TestClient(app, base_url="https://crm.example.com") as one:
        answer = one.get("/login")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-onefold-")
        assert "; Secure" in cookie
        assert "Domain" not in cookie
        assert answer.headers["strict-transport-security"]


# ------------------------------------------------------------------ guessing
def test_known_and_unknown_logins_get_the_same_answer(
    client: Client, account: Make, wh: Warehouse
) -> None:
    account("steward", "li.na")
    texts = []
    for login in ("li.na", "nobody"):
        answer = log_in(client(None), login, "wrong password")
        assert answer.status_code == 401
        texts.append(re.sub(r"li\.na|nobody|[\w-]{40,}", "", answer.text))
    assert texts[0] == texts[1]
    with wh.read(REVIEW) as connection:
        assert "li.na" not in str(connection.execute(sa.select(login_attempt)).all())
    refused = audit.show(wh, action="login_refused")
    assert [one.object_id for one in refused] == [None, "li.na"], "what nobody has is not kept"


def test_guessing_is_slowed_down_for_known_and_unknown_logins(
    client: Client, account: Make
) -> None:
    account("steward", "li.na")
    for login in ("li.na", "nobody"):
        one = client(None)
        for _ in range(5):
            assert log_in(one, login, "wrong password").status_code == 401
        answer = log_in(one, login)
        assert answer.status_code == 429, "even with the right password"
        assert 1 <= int(answer.headers["retry-after"]) <= 2


def test_a_login_that_gets_in_is_not_slowed_down_later(client: Client, account: Make) -> None:
    account("steward", "li.na")
    for _ in range(2):
        for _ in range(4):
            assert log_in(client(None), "li.na", "wrong password").status_code == 401
        assert log_in(client(None), "li.na").status_code == 303


def test_waits_double_up_to_the_longest() -> None:
    rule = Throttle(free=3, free_per_address=10, first_seconds=2, longest_seconds=60)
    now = datetime(2026, 3, 1, tzinfo=UTC)

    def seconds(by_login: int, by_address: int = 0) -> float:
        failures = Failures(by_login, now, by_address, now)
        return throttle.wait(rule, failures, now).total_seconds()

    assert [seconds(count) for count in (0, 2, 3, 4, 5, 8, 500)] == [0, 0, 2, 4, 8, 60, 60]
    assert [seconds(0, count) for count in (9, 10, 12)] == [0, 2, 8]
    for after, left in ((1, 1), (2, 0), (3, 0)):
        moment = now + timedelta(seconds=after)
        waiting = throttle.wait(rule, Failures(3, now, 0, None), moment)
        assert waiting.total_seconds() == left


# ------------------------------------------------------------------ passwords
def test_a_given_password_must_be_changed_before_anything_else(
    client: Client, wh: Warehouse
) -> None:
    given = passwords.one_time()
    accounts.add(
        wh,
        "li.na",
        full_name="Li Na",
        role="admin",
        created_by="test",
        password_hash=passwords.hashed(given),
    )
    one = client(None)
    log_in(one, "li.na", given)
    assert one.get("/people").headers["location"] == "/me"
    assert one.get("/api/v1/me").status_code == 403
    form = {"current": given, "new": PASSWORD, "again": PASSWORD}
    answer = one.post("/me", data={**form, "csrf_token": token(one, "/me")})
    assert answer.status_code == 303
    assert one.get("/people").status_code == 200
    assert log_in(client(None), "li.na", given).status_code == 401
    assert log_in(client(None), "li.na").status_code == 303


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"current": "wrong"}, "current password is not right"),
        ({"again": "another one here"}, "not typed alike"),
        ({"new": PASSWORD, "again": PASSWORD}, "is the old one"),
        ({"new": "short", "again": "short"}, "too short"),
        ({"new": "my li.na words", "again": "my li.na words"}, "holds the login"),
        ({"new": "aabbaabbaabb", "again": "aabbaabbaabb"}, "repeats"),
    ],
)
def test_a_password_that_does_not_do_is_refused_in_words(
    client: Client, form: dict[str, str], said: str
) -> None:
    good = {"current": PASSWORD, "new": "nine loud hills", "again": "nine loud hills"}
    answer = client("steward", "li.na").post("/me", data={**good, **form})
    assert answer.status_code == 422
    assert said in answer.text


def test_hashes_are_argon2id_and_do_not_hold_the_password() -> None:
    made = passwords.hashed(PASSWORD)
    assert made.startswith("$argon2id$")
    assert passwords.matches(made, PASSWORD)
    assert not passwords.matches(made, PASSWORD + " ")
    assert not passwords.matches(None, PASSWORD)
    assert not passwords.matches("not a hash", PASSWORD)
    assert len({passwords.one_time() for _ in range(20)}) == 20


# ------------------------------------------------------------------ CSRF, host, headers
def test_a_login_form_of_another_site_is_refused(client: Client, account: Make) -> None:
    account("steward")
    mine, attackers = client(None), client(None)
    stolen = token(attackers)
    mine.get("/login")
    form = {"login": "steward", "password": PASSWORD, "csrf_token": stolen}
    assert mine.post("/login", data=form).status_code == 403


def test_the_token_works_in_header_form_and_multipart(client: Client) -> None:
    one = client("admin", csrf=False)
    good = one.get("/api/v1/me").json()["csrf_token"]
    role = {"role": "steward"}
    make = {"login": "wang", **role}
    assert one.post("/people", data=make, headers={"X-CSRF-Token": good}).status_code == 200
    path = "/people/wang/role"
    assert one.post(path, data={**role, "csrf_token": good}).status_code == 303
    parts = {name: (None, value) for name, value in {**role, "csrf_token": good}.items()}
    assert one.post(path, files=parts).status_code == 303
    assert one.post(path, files={"role": (None, "steward")}).status_code == 403


def test_the_token_of_one_session_is_worth_nothing_in_another(client: Client) -> None:
    other = client("steward").headers["X-CSRF-Token"]
    one = client("admin", csrf=False)
    assert one.post("/logout", headers={"X-CSRF-Token": other}).status_code == 403


def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    answer = client("admin").post("/people", data={"login": "x" * 3_000_000})
    assert answer.status_code == 413


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:3001"])
def test_a_foreign_name_that_leads_here_is_refused(client: Client, host: str) -> None:
    answer = client("admin").get("/people", headers={"Host": host})
    assert answer.status_code == 400
    assert "Admin" not in answer.text, "whoever is logged in is not looked up for it"


@pytest.mark.parametrize("host", ["127.0.0.1:9999", "localhost", "LOCALHOST:3001", "[::1]:3001"])
def test_every_name_of_this_machine_is_served(client: Client, host: str) -> None:
    assert client(None).get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/login", "/nowhere", "/api/v1/me", "/static/review.css"])
def test_every_answer_carries_the_headers(client: Client, path: str) -> None:
    headers = client(None).get(path).headers
    assert headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert ("no-store" in headers["cache-control"]) == (not path.startswith("/static"))


# ------------------------------------------------------------------ the deployment's key
def test_sealed_values_cannot_be_changed_or_used_for_another_purpose_or_later(
    tmp_path: Path,
) -> None:
    key = keys.load(tmp_path)
    sealed = key.seal("flash", {"text": "好"}, 60)
    assert key.unseal("flash", sealed) == {"text": "好"}
    assert key.unseal("openid", sealed) is None
    body, mark = sealed.split(".")
    assert key.unseal("flash", f"{body[:-2]}xx.{mark}") is None
    assert key.unseal("flash", key.seal("flash", 1, -1)) is None
    for text in ("", ".", "x", "x.y", "é.é"):
        assert key.unseal("flash", text) is None


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = keys.load(tmp_path)
    assert keys.load(tmp_path).mark("a", "b") == first.mark("a", "b")
    assert (tmp_path / "review.key").stat().st_mode & 0o077 == 0
    (tmp_path / "review.key").write_text("nonsense")
    with pytest.raises(ConfigError, match="no key"):
        keys.load(tmp_path)


# ------------------------------------------------------------------ settings
@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"porto": 1}, "review.porto"),
        ({"port": 0}, "review.port"),
        ({"blind_share": 2}, "review.blind_share"),
        ({"openid": {"issuer": "x", "client_id": "y"}}, "review.openid.issuer"),
        ({"openid": {"issuer": "https://x.example", "client_id": "${NOT_SET}"}}, "NOT_SET"),
        ({"address": "crm.example.com"}, "review.address"),
        ([1], "a mapping was expected"),
    ],
)
def test_a_wrong_setting_is_named(section: object, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        ReviewPolicy.read(section)  # type: ignore[arg-type]


def test_secrets_come_from_the_environment_and_are_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENID_SECRET", "hush")
    openid = {"issuer": "https://x.example", "client_id": "y", "client_secret": "${OPENID_SECRET}"}
    policy = ReviewPolicy.read({"openid": openid})
    assert policy.openid is not None
    assert policy.openid.client_secret == "hush"
    assert "hush" not in repr(policy)

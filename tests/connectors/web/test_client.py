"""The HTTP client: it waits, tries again, gives up, and tells nobody what it should not."""

import email.utils
import gzip
import logging
import time

import pytest

from connectors.web import auth, client
from onefold.errors import (
    ConfigError,
    SourceError,
    SourceLayout,
    SourceMissing,
    SourceUnreachable,
)

ROWS = [{"id": 1, "name": "Ann Sample"}, {"id": 2, "name": "Bob Sample"}]
SECRET = "s3cret-Ümlaut"


@pytest.fixture
def url(server, reply):
    server.handle = lambda asked: reply(ROWS)
    return f"{server.url}/people"


@pytest.fixture
def waits(monkeypatch):
    """What the client slept, in seconds; it does not."""
    slept = []
    monkeypatch.setattr(client.time, "sleep", slept.append)
    return slept


def test_rate_limit_is_waited_for_as_long_as_it_asks(server, reply, read, url, waits):
    server.faults[1] = reply(status=429, headers={"Retry-After": "7"})
    server.faults[2] = reply(status=503, headers={"Retry-After": "3"})
    assert len(read(url)) == 2 and waits == [7, 3]


def test_date_of_retry_after_is_read_by_the_clock_of_the_service(server, reply, read, url, waits):
    skew = -86_400 * 3  # its clock is three days behind
    at = email.utils.formatdate(time.time() + skew + 20, usegmt=True)
    server.faults[1] = reply(status=429, headers={"Retry-After": at}, clock=skew)
    assert len(read(url)) == 2
    assert 18 <= waits[0] <= 21


def test_wait_longer_than_allowed_gives_up_at_once(server, reply, read, url, waits):
    server.faults[1] = reply(status=429, headers={"Retry-After": "3600"})
    with pytest.raises(SourceUnreachable, match="it asks to wait 3600 s") as error:
        read(url, api={"wait_at_most": 60})
    assert error.value.transient and waits == [] and "api.wait_at_most" in str(error.value)


def test_waits_of_one_sync_are_bounded_together(server, reply, read, waits):
    server.handle = lambda asked: reply(status=429, headers={"Retry-After": "25"})
    with pytest.raises(SourceUnreachable):
        read(f"{server.url}/x", api={"wait_at_most": 60})
    assert waits == [25, 25]


def test_limit_that_never_ends_is_given_up_though_it_asks_for_no_wait(server, reply, read, waits):
    server.handle = lambda asked: reply(status=429, headers={"Retry-After": "0"})
    with pytest.raises(SourceUnreachable, match="limits how often"):
        read(f"{server.url}/x")
    assert len(server.asked) <= 30


def test_server_that_stumbles_is_asked_again_ever_later(server, reply, read, url, waits):
    for number in (1, 2, 3):
        server.faults[number] = reply(b"<html>Oops</html>", status=500)
    assert len(read(url)) == 2
    base = client.FIRST_WAIT
    assert all(base * 2**n / 2 <= wait <= base * 2**n for n, wait in enumerate(waits))


def test_server_that_only_stumbles_is_unreachable(server, reply, read, url):
    server.handle = lambda asked: reply({"error": {"code": "SY_530", "message": "Ann"}}, 502)
    with pytest.raises(SourceUnreachable, match="status 502, SY_530") as error:
        read(url)
    assert len(server.asked) == client.TRIES and "Ann" not in str(error.value)


@pytest.mark.parametrize("chunked", [False, True])
def test_half_a_page_is_read_again(server, reply, read, url, chunked):
    server.faults[1] = reply(ROWS, cut=25, chunked=chunked)
    assert len(read(url)) == 2 and len(server.asked) == 2


def test_damaged_compression_is_read_again(server, reply, read, url):
    damaged = gzip.compress(b"[" + b" " * 99 + b"]")[:20] + b"no gzip at all"
    server.faults[1] = reply(damaged, headers={"Content-Encoding": "gzip"})
    assert len(read(url)) == 2


def test_json_that_is_none_is_an_error_without_its_values(server, reply, read):
    server.handle = lambda asked: reply(b'[{"id": 1, "name": "Ann Sample"')
    with pytest.raises(SourceLayout, match="31 bytes that are no JSON") as error:
        read(f"{server.url}/x")
    assert "Ann" not in str(error.value) and not error.value.transient


@pytest.mark.parametrize("body", [b"[NaN]", b'{"a":' * 100_000])
def test_json_beyond_the_standard_is_an_error(server, reply, read, body):
    server.handle = lambda asked: reply(body)
    with pytest.raises(SourceLayout, match="the service sends no data"):
        read(f"{server.url}/x")


def test_login_page_with_status_200_is_no_data(server, reply, read):
    server.handle = lambda asked: reply(b"<!DOCTYPE html><form>Sign in</form>")
    with pytest.raises(SourceLayout, match="a web page instead of data") as error:
        read(f"{server.url}/x")
    assert "api.auth" in str(error.value) and len(server.asked) == 1


def test_text_in_another_encoding_is_read_as_the_header_says(server, reply, read):
    body = '[{"id": 1, "name": "示例有限公司"}]'.encode("gb18030")
    kind = {"Content-Type": "application/json; charset=GBK"}
    server.handle = lambda asked: reply(body, headers=kind)
    assert read(f"{server.url}/x")["1"]["name"] == "示例有限公司"
    server.handle = lambda asked: reply(b"\xef\xbb\xbf" + '[{"id": 1, "name": "示"}]'.encode())
    assert read(f"{server.url}/x")["1"]["name"] == "示"


def test_half_a_character_and_zero_bytes_do_no_harm(server, reply, read):
    server.handle = lambda asked: reply(rb'[{"id": 1, "name": "Ann \ud83d\u0000 \ud83d\ude00"}]')
    assert read(f"{server.url}/x")["1"]["name"] == "Ann \ufffd 😀"


def test_page_beyond_the_limit_is_not_read_to_its_end(server, reply, read, monkeypatch):
    monkeypatch.setattr(client, "MOST_BYTES", 1_000_000)
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    server.handle = lambda asked: reply(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(SourceLayout, match="more than 1 MB") as error:
        read(f"{server.url}/x")
    assert "api.page_size" in str(error.value)


def test_nobody_listens(read):
    with pytest.raises(SourceUnreachable, match=r"ConnectError at http://127\.0\.0\.1:9/x"):
        read("http://127.0.0.1:9/x", api={"wait_at_most": 0})


def test_address_that_is_not_there(server, read):
    with pytest.raises(SourceMissing, match="status 404, nothing") as error:
        read(f"{server.url}/nowhere?key=geheim")
    assert "geheim" not in str(error.value)


# -- who asks


def _auth(server, **more):
    return {
        "auth": {
            "token_url": f"{server.url}/token",
            "client_id": "onefold",
            "client_secret": SECRET,
            **more,
        }
    }


@pytest.fixture
def guarded(server, reply, monkeypatch):
    """Tokens t1, t2, ...; each opens the door three times."""
    monkeypatch.setattr(auth, "_tokens", {})
    used = {}

    def handle(asked):
        if asked.path == "/token":
            if asked.form.get("client_secret") != SECRET:
                return reply({"error": "invalid_client", "error_description": SECRET}, 401)
            token = f"t{len(used) + 1}"
            used[token] = 0
            return reply({"access_token": token, "expires_in": 3600})
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in used or used[token] >= 3:
            return reply({"error": "expired"}, 401)
        used[token] += 1
        page = int(asked.query["p"])
        return reply({"data": [{"id": page, "name": "A"}] if page < 8 else []})

    server.handle = handle
    return f"{server.url}/people"


def test_token_that_ends_in_the_middle_is_fetched_anew(guarded, server, read):
    rows = read(guarded, api={"paging": {"page": "p"}, **_auth(server, scope="read")})
    assert sorted(rows) == ["1", "2", "3", "4", "5", "6", "7"]
    tokens = [asked for asked in server.asked if asked.path == "/token"]
    assert len(tokens) == 3 and tokens[0].form["scope"] == "read"
    assert tokens[0].form["grant_type"] == "client_credentials"


def test_token_is_shared_until_it_ends(guarded, server, read):
    for _ in range(2):
        read(f"{guarded}?p=7", api={"records": "data", **_auth(server)})
    assert [asked.path for asked in server.asked].count("/token") == 1


def test_wrong_secret_is_said_without_it(guarded, server, read):
    api = _auth(server)
    api["auth"]["client_secret"] = "wr0ng"
    with pytest.raises(SourceError, match="refuses the client") as error:
        read(guarded, api={"paging": {"page": "p"}, **api})
    assert "invalid_client" in str(error.value) and not error.value.transient
    assert "wr0ng" not in str(error.value) and SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("auth_section", "header", "value"),
    [
        ({"user": "ann", "password": "pä"}, "authorization", "Basic YW5uOnDDpA=="),
        ({"token": "abc"}, "authorization", "Bearer abc"),
        ({"key": "k1", "header": "X-API-Key"}, "x-api-key", "k1"),
    ],
)
def test_every_way_to_say_who_asks(server, read, url, auth_section, header, value):
    read(url, api={"auth": auth_section})
    assert server.asked[0].headers[header] == value


def test_key_as_parameter_goes_with_every_page(server, reply, read):
    def handle(asked):
        assert asked.query["apikey"] == "k1"
        link = {"1": None}.get(asked.query.get("p"), "?p=1")
        return reply({"data": [{"id": len(server.asked), "name": "A"}], "next": link})

    server.handle = handle
    api = {"auth": {"key": "k1", "parameter": "apikey"}, "paging": {"next": "next"}}
    assert len(read(f"{server.url}/x", api=api)) == 2


def test_wrong_password_is_said_at_once(server, reply, read):
    server.handle = lambda asked: reply({"error": "bad"}, 401)
    with pytest.raises(SourceError, match="refuses the credentials") as error:
        read(f"{server.url}/x", api={"auth": {"user": "ann", "password": SECRET}})
    assert len(server.asked) == 1 and SECRET not in str(error.value)


def test_secrets_come_from_the_environment(home, server, read, url, monkeypatch):
    with pytest.raises(ConfigError, match="CRM_KEY"):
        read(url, api={"auth": {"key": "${CRM_KEY}", "header": "X-Key"}})
    monkeypatch.setenv("CRM_KEY", "k9")
    read(url, api={"auth": {"key": "${CRM_KEY}", "header": "X-Key"}})
    assert server.asked[0].headers["x-key"] == "k9"
    config = home.config(
        connector="api",
        url=url,
        columns={"name": "name"},
        api={"auth": {"key": "${CRM_KEY}", "header": "X-Key"}},
    )
    assert "k9" not in repr(config) and "k9" not in config.model_dump_json()


def test_neither_key_nor_values_reach_the_log(server, reply, read, caplog):
    server.handle = lambda asked: reply(ROWS)
    server.faults[1] = reply({"message": "Ann Sample"}, 500)
    with caplog.at_level(logging.DEBUG):
        read(
            f"{server.url}/people?name=Ann",
            api={"auth": {"key": "k1-geheim", "parameter": "apikey"}},
        )
    assert "trying again" in caplog.text and "/people" in caplog.text
    assert "geheim" not in caplog.text and "Ann" not in caplog.text


# -- where it leads


def test_redirect_on_the_same_host_is_followed(server, reply, read):
    def handle(asked):
        if asked.path == "/old":
            return reply(status=308, headers={"Location": "/new?page=1"})
        assert asked.headers["authorization"] == "Bearer abc"
        return reply(ROWS)

    server.handle = handle
    assert len(read(f"{server.url}/old", api={"auth": {"token": "abc"}})) == 2


def test_credentials_follow_no_redirect_to_another_host(server, other_server, reply, read):
    server.handle = lambda asked: reply(
        status=302, headers={"Location": f"{other_server.url}/in?x=geheim"}
    )
    other_server.handle = lambda asked: reply(ROWS)
    with pytest.raises(SourceError, match="redirects to another host") as error:
        read(f"{server.url}/x", api={"auth": {"token": "abc"}})
    assert other_server.asked == [] and "geheim" not in str(error.value)


def test_next_page_is_asked_for_on_the_declared_host(server, other_server, reply, read):
    def handle(asked):
        link = None if asked.query else f"{other_server.url}/people?page=2"
        return reply({"data": [{"id": len(server.asked), "name": "A"}], "next": link})

    server.handle = handle
    api = {"auth": {"token": "abc"}, "paging": {"next": "next"}}
    assert len(read(f"{server.url}/people", api=api)) == 2
    assert other_server.asked == []


def test_circle_of_redirects_ends(server, reply, read):
    server.handle = lambda asked: reply(status=307, headers={"Location": "/x"})
    with pytest.raises(SourceError, match="redirects in a circle"):
        read(f"{server.url}/x")


def test_unknown_certificate_is_refused_until_its_ca_is_named(tls_server, certificate, reply, read):
    tls_server.handle = lambda asked: reply(ROWS)
    with pytest.raises(SourceError, match="certificate is not trusted") as error:
        read(f"{tls_server.url}/x")
    assert "self" in str(error.value) and "api.verify" in str(error.value)
    assert not error.value.transient and tls_server.asked == []
    assert len(read(f"{tls_server.url}/x", api={"verify": str(certificate)})) == 2


def test_verify_must_name_certificates(home, read, url):
    (home.folder / "ca.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match="no file of certificates"):
        read(url, api={"verify": "ca.pem"})


def test_pace_is_kept(server, read, url, waits, reply):
    server.handle = lambda asked: reply(
        {"data": [{"id": int(asked.query["p"])}] if asked.query["p"] < "4" else []}
    )
    api = {"requests_per_second": 0.01, "paging": {"page": "p"}}
    read(url, api=api, columns={"name": "id"})
    assert len(waits) == 3 and all(50 < wait <= 100 for wait in waits)

"""Texts that a database cannot keep are refused in words, wherever they come in."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from review.routes.forms import LONGEST
from review.security import csrf
from warehouse import accounts
from warehouse.engine import Warehouse

Client = Callable[..., TestClient]
HALF = '"\\ud83d"'
"""Half of a pair, as JSON can say it."""
JSON = {"Content-Type": "application/json"}


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path, with its placeholders, of every route."""
    return [
        (method, route.path)
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def test_every_route_refuses_nul_in_path_query_and_body_with_words(
    app: FastAPI, client: Client
) -> None:
    admin = client("admin")
    tried = 0
    for method, path in routes(app):
        plain, broken = (re.sub(r"{[^}]+}", by, path) for by in ("1", "a%00b"))
        asked: list[tuple[str, dict[str, Any]]] = [
            (f"{plain}?q=a%00b", {}),
            (f"{plain}?a%00b=1", {}),
        ]
        asked += [(broken, {})] if broken != plain else []
        if method not in csrf.SAFE:
            asked += [
                (plain, {"data": {"reason": "a\0b"}}),
                (plain, {"data": {"group:a\0": "1"}}),
                (plain, {"files": {"reason": (None, "a\0b")}}),
                (plain, {"json": {"said": ["x", {"y": "a\0b"}]}}),
                (plain, {"content": f'{{"a": {HALF}}}', "headers": JSON}),
                (plain, {"content": f"{{{HALF}: 1}}", "headers": JSON}),
            ]
        for to, more in asked:
            answer = admin.request(method, to, **more)
            assert answer.status_code == 400, (method, to, more)
            if path.startswith("/api/"):
                assert "cannot be kept" in answer.json()["detail"]
            elif method != "HEAD":
                assert "cannot be kept" in answer.text
            tried += 1
    assert tried > 200


def test_static_files_refuse_it_too(client: Client) -> None:
    assert client(None).get("/static/a%00b").status_code == 400


def test_a_form_in_another_encoding_cannot_bring_it_either(client: Client) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="login"\r\n\r\n+AAA-\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}
    answer = client("admin").post("/people", content=body, headers=kind)
    assert answer.status_code == 400


@pytest.mark.parametrize("text", ["100 %00", "\\u0000", "\\ud83d", "𠮷😀", "\ufffd", "\u0001\x7f"])
def test_what_only_looks_like_it_is_taken(client: Client, wh: Warehouse, text: str) -> None:
    admin = client("admin")
    body = {"login": "wang", "full_name": text, "role": "viewer"}
    assert admin.post("/people", data=body).status_code == 200
    found = accounts.find(wh, "wang")
    assert found is not None
    assert found.full_name == text.strip()
    assert admin.get("/customers", params={"q": text}).status_code == 200
    again = admin.post("/api/v1/people", content=json.dumps({**body, "login": "li"}), headers=JSON)
    assert again.status_code == 201, again.text


def test_a_body_that_cannot_be_read_is_for_the_route_to_refuse(client: Client) -> None:
    admin = client("admin")
    for content in ("{", "[" * 100_000, "\ud83d".encode(errors="surrogatepass")):
        answer = admin.post("/api/v1/people", content=content, headers=JSON)
        assert answer.status_code in (400, 422), content[:9]


@pytest.mark.parametrize(
    "path",
    ["/cases/C1/judge", "/customers/G1/unmerge", "/second/J1", "/customers/G1/set"],
)
def test_a_text_that_is_too_long_is_refused(client: Client, path: str) -> None:
    one = client("steward")
    form = {"kind": "link", "field": "name", "reason": "x" * (LONGEST + 1)}
    answer = one.post(path, data=form)
    assert answer.status_code == 422
    assert "too long" in answer.text


def test_the_refusal_is_in_the_readers_language(client: Client, wh: Warehouse) -> None:
    one = client("viewer")
    accounts.set_language(wh, "viewer", "zh")
    assert "无法保存" in one.get("/customers?q=%00").text

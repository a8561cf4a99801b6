"""A small OpenID Connect provider on 127.0.0.1: real HTTP, real signatures, one person.

It is as strict as a real one (client secret, redirect_uri, PKCE, a code works
once), and can be told to lie, so that the app's checks are seen to matter.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "onefold-test", "a secret of the test"
OWN_KEY = cache(lambda: RSAKey.generate_key(2048, auto_kid=True))
"""The key that a provider begins with, made once: only a changed or a foreign one is another."""


@dataclass
class Provider:
    """The provider's state.

    Attributes:
        issuer: its URL.
        person: claims about the person who logs in.
        lies: claims of the ID token that are said otherwise.
        algorithm: how ID tokens are signed.
    """

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "42"})
    more: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: RSAKey = field(default_factory=OWN_KEY)
    foreign: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.key = RSAKey.generate_key(2048, auto_kid=True)

    def configuration(self) -> dict[str, Any]:
        """What stands at /.well-known/openid-configuration."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def authorize(self, query: dict[str, str]) -> str:
        """The person says yes: where the browser is sent."""
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        return query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"]})

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """A code becomes tokens, if all is right."""
        given = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            given != f"{CLIENT}:{SECRET}"
            or asked is None
            or asked["redirect_uri"] != form["redirect_uri"]
            or asked["code_challenge"] != challenge
        ):
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            **self.person,
            **self.lies,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return {"access_token": "access", "token_type": "Bearer", "id_token": self._signed(claims)}

    def _signed(self, claims: dict[str, Any]) -> str:
        key = RSAKey.generate_key(2048) if self.foreign else self.key
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm == "none":
            parts = (json.dumps(one).encode() for one in (header, claims))
            coded = (base64.urlsafe_b64encode(one).decode().rstrip("=") for one in parts)
            return ".".join([*coded, ""])
        return jwt.encode(header, claims, key)


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that answers while the block runs."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            at = urlsplit(self.path)
            provider.asked.append(at.path)
            if at.path == "/.well-known/openid-configuration":
                self._json(provider.configuration())
            elif at.path == "/keys":
                self._json({"keys": [provider.key.as_dict(private=False)]})
            elif at.path == "/authorize":
                query = {name: one[0] for name, one in parse_qs(at.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorize(query))
                self.end_headers()
            elif at.path == "/userinfo" and self.headers["Authorization"] == "Bearer access":
                self._json({**provider.person, **provider.more})
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: one[0] for name, one in parse_qs(body).items()}
            tokens = provider.token(form, self.headers.get("Authorization", ""))
            self._json(tokens or {"error": "invalid_grant"}, 200 if tokens else 400)

        def _json(self, content: Any, status: int = 200) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

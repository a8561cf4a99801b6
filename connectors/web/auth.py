"""Who asks a web service: a bearer token, fetched where that is how it goes, a password, a key.

What belongs here: what a request carries, and the tokens of OAuth2 client credentials
(RFC 6749 4.4). Tokens are kept in memory only, shared by the sources of one process,
and fetched anew when they are about to end or the service refuses them.
"""

import base64
import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

from connectors.web.settings import Auth

_EARLY_SECONDS = 30
"""A token that ends within this is not used any more."""
_LASTS_SECONDS = 600
"""How long a token is used that does not say when it ends; a refused one is replaced anyway."""


class Fetch(Protocol):
    """Send a form to a token service."""

    def __call__(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str], /
    ) -> Mapping[str, Any]:
        """The answer as JSON; raises SourceError where there is none."""


@dataclass(frozen=True)
class _Token:
    text: str
    until: float
    """Of time.monotonic()."""


_tokens: dict[str, _Token] = {}
_one_at_a_time = threading.Lock()


class Credentials:
    """What requests carry so that the service knows who asks."""

    def __init__(self, auth: Auth | None, fetch: Fetch, token_url: str) -> None:
        """Nothing is fetched yet.

        Args:
            token_url: where tokens are fetched if ``auth`` does not say.
        """
        if auth is not None and auth.client_id and not auth.token_url:
            auth = auth.model_copy(update={"token_url": token_url})
        self._auth, self._fetch = auth, fetch

    def headers(self) -> dict[str, str]:
        """Headers of one request; may fetch a token.

        Raises:
            SourceError: there is no token to be had.
        """
        auth = self._auth
        if auth is None:
            return {}
        if auth.client_id:
            return {"Authorization": f"Bearer {self._token(auth)}"}
        if auth.user:
            return {"Authorization": _basic(auth.user, auth.password.get_secret_value())}
        if auth.header:
            return {auth.header: auth.key.get_secret_value()}
        if auth.parameter:
            return {}
        return {"Authorization": f"Bearer {auth.token.get_secret_value()}"}

    def parameters(self) -> dict[str, str]:
        """Parameters of one request."""
        if self._auth is None or not self._auth.parameter:
            return {}
        return {self._auth.parameter: self._auth.key.get_secret_value()}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token of a request that was refused; whether another try may help.

        Args:
            refused: the headers that the request had.
        """
        auth = self._auth
        if auth is None or not auth.client_id:
            return False
        with _one_at_a_time:
            name = _name(auth)
            kept = _tokens.get(name)
            if kept is not None and refused.get("Authorization") == f"Bearer {kept.text}":
                del _tokens[name]
        return True

    def _token(self, auth: Auth) -> str:
        name = _name(auth)
        with _one_at_a_time:
            kept = _tokens.get(name)
            if kept is None or kept.until <= time.monotonic():
                kept = _tokens[name] = self._fetched(auth)
            return kept.text

    def _fetched(self, auth: Auth) -> _Token:
        form = {"grant_type": "client_credentials", **auth.token_parameters}
        headers: dict[str, str] = {}
        secret = auth.client_secret.get_secret_value()
        if auth.client_in == "header":  # RFC 6749 2.3.1: both are form-encoded first
            headers["Authorization"] = _basic(quote(auth.client_id, ""), quote(secret, ""))
        else:
            form |= {"client_id": auth.client_id, "client_secret": secret}
        if auth.scope:
            form["scope"] = auth.scope
        answer = self._fetch(auth.token_url, form, headers)
        try:
            lasts = float(answer.get("expires_in") or _LASTS_SECONDS)
        except (TypeError, ValueError):
            lasts = _LASTS_SECONDS
        return _Token(str(answer["access_token"]), time.monotonic() + lasts - _EARLY_SECONDS)


def _name(auth: Auth) -> str:
    """One name for each client of each service, which tells nothing of the secret."""
    parts = auth.model_dump(mode="json") | {"secret": auth.client_secret.get_secret_value()}
    return hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

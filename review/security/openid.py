"""Logging in through an OpenID Connect provider: authorization code flow with PKCE.

What belongs here: asking the provider and believing nothing that it did not
sign. Which account a person gets is said in routes/openid.py.

Source: OpenID Connect Core 1.0, 3.1; RFC 7636 (PKCE); RFC 9700 (best practice).
"""

import secrets
import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import httpx
from authlib.common.errors import AuthlibBaseError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from review.errors import Refused
from review.language import N_
from review.policy import OpenID
from review.security.csrf import same

with warnings.catch_warnings(record=True):  # a hint at another HTTP library; nothing for users
    from authlib.integrations.httpx_client import OAuth2Client

SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""Signatures that only the provider can make; never "none", never a shared secret."""
TIMEOUT_SECONDS = 10.0
LEEWAY_SECONDS = 60
_KEPT_SECONDS = 3600
_CODE_LENGTH = 48


class ProviderFailed(Refused):
    """The provider does not answer, or not as it should."""

    def __init__(self, what: str = "") -> None:
        super().__init__(502, N_("The login provider does not answer as it should."))
        self.what = what


class LoginRefused(Refused):
    """The answer does not belong to a login that began here, or is not signed rightly."""

    def __init__(self, what: str = "") -> None:
        super().__init__(401, N_("This login did not succeed. Please begin again."))
        self.what = what


@dataclass(frozen=True)
class Begun:
    """What is remembered of a login until the provider sends the browser back."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    next: str

    def plain(self) -> dict[str, str]:
        """As a JSON object."""
        return asdict(self)


class Provider:
    """The provider of a deployment; what it says about itself is kept for an hour."""

    def __init__(self, settings: OpenID) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Any]] = {}

    def begin(self, redirect_uri: str, next: str) -> tuple[str, Begun]:
        """Where to send the browser, and what to remember.

        Raises:
            ProviderFailed: the provider does not say where.
        """
        begun = Begun(
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(24),
            secrets.token_urlsafe(_CODE_LENGTH),
            redirect_uri,
            next,
        )
        with self._client(redirect_uri) as client:
            url, _ = client.create_authorization_url(
                self._endpoint("authorization_endpoint"),
                state=begun.state,
                nonce=begun.nonce,
                code_verifier=begun.verifier,
            )
        return url, begun

    def finish(self, begun: Begun, state: str, code: str) -> dict[str, Any]:
        """The claims about the person whom the provider sent back.

        Raises:
            LoginRefused: the answer is not to this login, or not signed rightly.
            ProviderFailed: the provider does not answer as it should.
        """
        if not code or not same(state, begun.state):
            raise LoginRefused("state")
        endpoint = self._endpoint("token_endpoint")
        try:
            with self._client(begun.redirect_uri) as client:
                token = client.fetch_token(endpoint, code=code, code_verifier=begun.verifier)
                claims = self._claims(str(token.get("id_token", "")), begun.nonce)
                if self._lacks(claims) and "userinfo_endpoint" in self._metadata():
                    answer = client.get(self._endpoint("userinfo_endpoint")).raise_for_status()
                    more = answer.json()
                    if more.get("sub") != claims["sub"]:
                        raise LoginRefused("userinfo")
                    claims = {**more, **claims}
        except AuthlibBaseError as error:
            raise LoginRefused("token") from error
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderFailed("token") from error
        return claims

    def _client(self, redirect_uri: str) -> OAuth2Client:
        secret = self.settings.client_secret
        return OAuth2Client(
            client_id=self.settings.client_id,
            client_secret=secret or None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=" ".join(self.settings.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=TIMEOUT_SECONDS,
        )

    def _lacks(self, claims: Mapping[str, Any]) -> bool:
        wanted = [self.settings.login_claim, self.settings.role_claim]
        return any(name and claim(claims, name) is None for name in wanted)

    def _claims(self, id_token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token, checked as OpenID Connect Core 3.1.3.7 asks."""
        try:
            try:
                token = jwt.decode(id_token, self._keys(), algorithms=SIGNED_BY)
            except (JoseError, ValueError):  # perhaps signed by a key that is new
                token = jwt.decode(id_token, self._keys(fresh=True), algorithms=SIGNED_BY)
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self.settings.issuer},
                sub={"essential": True},
                aud={"essential": True, "value": self.settings.client_id},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            ).validate(token.claims)
        except (JoseError, ValueError) as error:
            raise LoginRefused("id_token") from error
        claims = dict(token.claims)
        party = claims.get("azp")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (party is not None or several) and party != self.settings.client_id:
            raise LoginRefused("azp")
        return claims

    def _endpoint(self, name: str) -> str:
        url = self._metadata().get(name)
        if not isinstance(url, str):
            raise ProviderFailed(name)
        return url

    def _metadata(self) -> dict[str, Any]:
        address = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found: dict[str, Any] = self._fetched(address)
        if found.get("issuer") != self.settings.issuer:
            raise ProviderFailed("issuer")
        return found

    def _keys(self, *, fresh: bool = False) -> KeySet:
        found = self._fetched(self._endpoint("jwks_uri"), fresh=fresh)
        try:
            return KeySet.import_key_set(found)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise ProviderFailed("jwks_uri") from error

    def _fetched(self, address: str, *, fresh: bool = False) -> Any:
        """A JSON object of the provider; asked for again after an hour, or when it must be fresh.

        Raises:
            ProviderFailed: it does not come.
        """
        with self._lock:
            at, kept = self._kept.get(address, (0.0, None))
            if kept is not None and not fresh and time.monotonic() - at < _KEPT_SECONDS:
                return kept
        try:
            answer = httpx.get(address, timeout=TIMEOUT_SECONDS).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderFailed(address) from error
        if not isinstance(answer, dict):
            raise ProviderFailed(address)
        with self._lock:
            self._kept[address] = (time.monotonic(), answer)
        return answer


def claim(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by a path with dots where it is nested; None if it is not there.

    >>> claim({"realm_access": {"roles": ["crm"]}, "a.b": 1}, "realm_access.roles")
    ['crm']
    >>> claim({"a.b": 1}, "a.b"), claim({}, "a.b")
    (1, None)
    """
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found

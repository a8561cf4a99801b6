"""One HTTP client for all web APIs: patient, bounded, and discreet.

What belongs here: sending a request until it is answered. Rate limits, servers that
stumble and broken connections are waited for and tried again, in one sync no longer
than ``wait_at_most`` in total. Credentials go to the declared host and to the token
service only, whatever an answer says. What is asked for is the caller's part.
"""

import functools
import logging
import random
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self, TypeVar
from urllib.parse import quote, unquote_plus

import certifi
import httpx

from connectors.web import answers
from connectors.web.answers import Answer, NotData
from connectors.web.auth import Credentials
from connectors.web.settings import ApiSettings
from onefold.errors import (
    ConfigError,
    SourceError,
    SourceLayout,
    SourceMissing,
    SourceUnreachable,
)

log = logging.getLogger("onefold.connectors")

_T = TypeVar("_T")

TRIES = 6
"""How often one request is sent at most; more often where the service says when to come back."""
_TRIES_WHEN_ASKED = 30
FIRST_WAIT = 1.0
"""Seconds before the second try, twice that before the third, and so on."""
LONGEST_WAIT = 60.0
MOST_BYTES = 64_000_000
"""Of one answer, unpacked."""
_CONNECT_SECONDS = 15.0
_SAFE = "$,()'/:*@!"
"""What stays as it is in a parameter's value; a blank is %20, which OData insists on."""
_REDIRECTS = 5
_TIMEOUTS = 10
"""An answer that takes so many times ``timeout`` is given up, though bytes still come."""
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LIMITS = frozenset({"REQUEST_LIMIT_EXCEEDED", "RATE_LIMITS", "RATE_LIMIT", "TooManyRequests"})
"""Codes of errors that mean a rate limit, where the status does not say so."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        url: with or without parameters; of the declared host.
        parameters: put to those that the url has.
        body: JSON to be sent; then it is a POST.
        headers: besides the usual ones.
    """

    url: str
    parameters: tuple[tuple[str, str], ...] = ()
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()

    def with_parameters(self, more: Mapping[str, str]) -> "Request":
        """The same with some parameters said anew."""
        kept = [(name, value) for name, value in self.parameters if name not in more]
        return replace(self, parameters=(*kept, *more.items()))


@dataclass
class _Troubled(Exception):
    """A try that failed in a way that may pass."""

    what: str
    wait: float | None = None
    found: str = ""
    layout: bool = field(default=False)
    """Whether it is the answer's content that is wrong."""


class Client:
    """Requests to one service. Used with ``with``.

    Attributes:
        began: the service's clock at its first answer, UTC; None before.
    """

    def __init__(self, name: str, file: str, url: str, settings: ApiSettings) -> None:
        """Nothing is sent yet.

        Args:
            name: of the source, for messages.
            file: where it is declared, for messages.
            url: an address on the declared host.

        Raises:
            ConfigError: ``api.verify`` is no file of certificates.
        """
        self._name, self._file, self._settings = name, file, settings
        self._base = httpx.URL(url)
        token_url = str(self._base.join("/services/oauth2/token"))  # of Salesforce
        self._credentials = Credentials(settings.auth, self._fetch_token, token_url)
        self._waited = 0.0
        self._last_sent = 0.0
        self.began: datetime | None = None
        self._http = httpx.Client(
            verify=_trusted(file, settings.verify),
            timeout=httpx.Timeout(settings.timeout, connect=_CONNECT_SECONDS),
            headers={"Accept": "application/json", "User-Agent": "onefold"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    # -- asking

    def ask(self, request: Request) -> Answer:
        """The answer to a request, however many tries that takes.

        Raises:
            SourceUnreachable: no answer within ``wait_at_most``; worth a retry.
            SourceMissing: there is nothing at that address.
            SourceLayout: what comes is no data, or the request is not understood.
            SourceError: credentials or certificate are refused, or the service leads away.
        """
        return self._asked(request, self._answer)

    def text(self, request: Request) -> bytes:
        """The same for what is no JSON: the body as it comes."""

        def body(response: httpx.Response, body: bytes) -> bytes:
            self._require_success(response, body)
            return body

        return self._asked(request, body)

    def _asked(self, request: Request, made: Callable[[httpx.Response, bytes], _T]) -> _T:
        url = self.at_home(request.url)
        renewed = False
        tried = 0
        while True:
            tried += 1
            headers = {**self._settings.headers, **dict(request.headers)}
            carried = self._credentials.headers()
            parameters = (*request.parameters, *self._credentials.parameters().items())
            try:
                response, body = self._send(
                    "GET" if request.body is None else "POST",
                    _merged(url, parameters),
                    {**headers, **carried},
                    json=request.body,
                )
                if response.status_code == 401 and not renewed and self._credentials.renew(carried):
                    renewed, tried = True, tried - 1
                    continue
                answer = made(response, body)
                date = answers.moment(response.headers.get("Date", ""))
                self.began = self.began or date or datetime.now(UTC)
                return answer
            except _Troubled as trouble:
                self._wait(trouble, tried)

    def at_home(self, url: str) -> httpx.URL:
        """An address, as a service names the next page, on the declared host.

        Services behind a proxy name themselves as they know themselves; credentials
        follow no name that an answer brings.
        """
        joined = self._base.join(url)
        return joined.copy_with(
            scheme=self._base.scheme, host=self._base.host, port=self._base.port, userinfo=b""
        )

    def _fetch_token(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> Mapping[str, Any]:
        tried = 0
        while True:
            tried += 1
            try:
                response, body = self._send("POST", httpx.URL(url), headers, data=dict(form))
                if response.status_code in (400, 401, 403):
                    raise SourceError(
                        self._name,
                        "the token service refuses the client",
                        found=_status(response, body),
                        do=f"Check client_id, client_secret and scope of api.auth in {self._file}.",
                    )
                answer = self._answer(response, body).body
            except _Troubled as trouble:
                self._wait(trouble, tried)
                continue
            if not isinstance(answer, Mapping) or not answer.get("access_token"):
                raise SourceLayout(
                    self._name,
                    "the token service sends no access_token",
                    found=answers.shown(url),
                    do=f"Mend api.auth.token_url in {self._file}.",
                )
            return answer

    # -- one try

    def _send(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], **content: Any
    ) -> tuple[httpx.Response, bytes]:
        """One request with its redirects on the same host, and the whole body."""
        for _ in range(_REDIRECTS):
            self._keep_pace()
            try:
                with self._http.stream(method, url, headers=headers, **content) as response:
                    body = self._body(response)
            except httpx.HTTPError as error:
                raise self._failed(url, error) from error
            except (httpx.InvalidURL, ValueError) as error:
                raise ConfigError(
                    f"{self._file}, api", "the request cannot be sent", do="Mend url and headers."
                ) from error
            if response.is_redirect:
                url = self._redirected(method, url, response)
                continue
            return response, body
        raise SourceError(
            self._name,
            "the service redirects in a circle",
            found=answers.shown(url),
            do=f"Mend 'url' in {self._file}.",
        )

    def _body(self, response: httpx.Response) -> bytes:
        parts, size, began = [], 0, time.monotonic()
        for part in response.iter_bytes():
            size += len(part)
            if time.monotonic() - began > _TIMEOUTS * self._settings.timeout:
                raise httpx.ReadTimeout("the answer comes too slowly")
            if size > MOST_BYTES:
                raise SourceLayout(
                    self._name,
                    "one page is too large",
                    found=f"more than {MOST_BYTES // 1_000_000} MB from "
                    f"{answers.shown(response.url)}",
                    do=f"Say a smaller api.page_size in {self._file}, or how pages are asked for.",
                )
            parts.append(part)
        return b"".join(parts)

    def _redirected(self, method: str, url: httpx.URL, response: httpx.Response) -> httpx.URL:
        target = url.join(response.headers.get("Location", ""))
        upgraded = target.host == url.host and (url.scheme, target.scheme) == ("http", "https")
        if _origin(target) != _origin(url) and not upgraded:
            raise SourceError(
                self._name,
                "the service redirects to another host, where no credentials are sent",
                found=f"{answers.shown(url)} to {target.scheme}://{target.netloc.decode()}",
                do=f"Mend 'url' in {self._file} if that is where the data is now.",
            )
        if method != "GET" and response.status_code not in (307, 308):
            raise SourceError(
                self._name,
                "the service redirects a request that carries something",
                found=f"{answers.shown(url)}, status {response.status_code}",
                do=f"Mend the address in {self._file}.",
            )
        return target

    def _require_success(self, response: httpx.Response, body: bytes) -> None:
        """Raise for every status but 2xx."""
        status, code = response.status_code, answers.error_code(body)
        asked = answers.wait_asked(response.headers)
        if status in _AGAIN or (status == 403 and (asked is not None or code in _LIMITS)):
            limited = status in (403, 429)
            what = "the service limits how often it is asked" if limited else "the service stumbles"
            raise _Troubled(what, asked, _status(response, body))
        if not response.is_success:
            raise self._refused(response, body)

    def _answer(self, response: httpx.Response, body: bytes) -> Answer:
        """What a response with JSON says."""
        self._require_success(response, body)
        try:
            data = answers.parsed(body, response.headers.get("Content-Type", ""))
        except NotData as wrong:
            found = f"{wrong}, from {answers.shown(response.url)}"
            if wrong.cut:
                raise _Troubled("the service sends no data", None, found, layout=True) from None
            raise SourceLayout(
                self._name,
                "the service sends no data",
                found=found,
                do=f"Check url and api.auth in {self._file}.",
            ) from None
        link = response.links.get("next", {}).get("url", "")
        return Answer(data, answers.shown(response.url), link)

    def _refused(self, response: httpx.Response, body: bytes) -> SourceError:
        status, found = response.status_code, _status(response, body)
        if status == 401:
            return SourceError(
                self._name,
                "the service refuses the credentials",
                found=found,
                do=f"Check api.auth in {self._file} and the variables that it names.",
            )
        if status == 403:
            return SourceError(
                self._name,
                "the service does not allow this user to read",
                found=found,
                do="Give the user or client the right to read these records.",
            )
        if status in (404, 410):
            return Gone(
                self._name,
                "there is nothing at this address",
                found=found,
                do=f"Mend 'url' in {self._file}.",
            )
        return NotUnderstood(
            self._name,
            "the service does not understand the request",
            found=found,
            do=f"Mend 'api' in {self._file}.",
        )

    # -- trouble

    def _failed(self, url: httpx.URL, error: httpx.HTTPError) -> Exception:
        """What a broken connection means."""
        where = answers.shown(url)
        reason = _certificate_problem(error)
        if reason:
            return SourceError(
                self._name,
                "the server's certificate is not trusted",
                found=f"{reason}, at {where}",
                do=f"Give the file of the CA that signed it as api.verify in {self._file}.",
            )
        if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
            return ConfigError(
                f"{self._file}, api", "the request cannot be sent", do="Mend url and headers."
            )
        kind = type(error).__name__
        return _Troubled("the service does not answer", None, f"{kind} at {where}")

    def _wait(self, trouble: _Troubled, tried: int) -> None:
        """Sleep before the next try, or give up.

        Raises:
            SourceUnreachable: too many tries, or too long to wait.
            SourceLayout: what came was no data each time.
        """
        backoff = min(FIRST_WAIT * 2 ** (tried - 1), LONGEST_WAIT)
        # A service that says when to come back is believed; all others get spread-out requests.
        wait = backoff * random.uniform(0.5, 1.0) if trouble.wait is None else trouble.wait  # noqa: S311
        left = self._settings.wait_at_most - self._waited
        tries = TRIES if trouble.wait is None else _TRIES_WHEN_ASKED
        if tried >= tries or wait > left:
            kind: type[SourceError] = SourceLayout if trouble.layout else SourceUnreachable
            if trouble.wait is not None and tried < tries:
                why = f"it asks to wait {wait:.0f} s"
            else:
                why = f"{tried} tries, {self._waited:.0f} s of waiting"
            raise kind(
                self._name,
                trouble.what,
                found=f"{trouble.found}, {why}",
                do="Sync again later; api.wait_at_most says how long a sync may wait.",
            )
        log.warning(
            "%s: %s (%s); trying again in %.1f s", self._name, trouble.what, trouble.found, wait
        )
        self._waited += wait
        time.sleep(wait)

    def _keep_pace(self) -> None:
        if self._settings.requests_per_second:
            pause = self._last_sent + 1 / self._settings.requests_per_second - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            self._last_sent = time.monotonic()


class Gone(SourceMissing):
    """Status 404 or 410."""


class NotUnderstood(SourceLayout):
    """Another status 4xx: the service does not accept the request."""


def _merged(url: httpx.URL, parameters: Iterable[tuple[str, str]]) -> httpx.URL:
    """An address with further parameters; of those that it has the others stay byte for byte.

    >>> _merged(httpx.URL("https://a.b/c?$skip=%20x&page=1"), [("page", "2"), ("$top", "a b")])
    URL('https://a.b/c?$skip=%20x&page=2&$top=a%20b')
    """
    new = dict(parameters)
    old = [part for part in url.query.decode("ascii", "replace").split("&") if part]
    kept = [part for part in old if unquote_plus(part.partition("=")[0]) not in new]
    added = [f"{quote(name, '$')}={quote(value, _SAFE)}" for name, value in new.items()]
    return url.copy_with(query="&".join([*kept, *added]).encode() or None)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, port


def _status(response: httpx.Response, body: bytes) -> str:
    code = answers.error_code(body)
    return f"status {response.status_code}{f', {code}' if code else ''}, from " + answers.shown(
        response.url
    )


def _trusted(file: str, verify: str | None) -> ssl.SSLContext:
    """Whom to believe that a server is the one that it says."""
    if verify is None:
        return _usual()
    try:
        return ssl.create_default_context(cafile=verify)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{file}, api.verify",
            "this is no file of certificates",
            found=error.strerror or type(error).__name__,
            do="Name a PEM file with the certificate of the CA.",
        ) from error


@functools.cache
def _usual() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _certificate_problem(error: BaseException) -> str:
    """What is wrong with a server's certificate, if that is why a connection failed."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message or "certificate verify failed"
        cause = cause.__cause__ or cause.__context__
    return ""


class _WithoutParameters(logging.Filter):
    """Takes the parameters, which may hold keys and values, out of httpx's own messages."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                answers.shown(part) if isinstance(part, httpx.URL) else part for part in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_WithoutParameters())

"""What a web service answered, and what may be said about it.

What belongs here: reading a body as JSON, telling a web page from data, and the parts
of an answer that a message may show. Messages show hosts, paths, status codes and the
service's own error codes; never parameters, values or credentials.
"""

import email.utils
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

_CODE = re.compile(r"(?!.*\d{9})[A-Za-z0-9][A-Za-z0-9_./:-]{1,59}")
_PAGE = re.compile(rb"\s*<(!doctype html|html|head|body)\b", re.IGNORECASE)
_CODES = ("error.code", "error", "errorCode", "code", "category", "type", "0.errorCode")


class NotData(ValueError):
    """The body is not what was asked for; the message says what it is instead.

    Attributes:
        cut: whether it may be the beginning of an answer whose rest was lost.
    """

    def __init__(self, what: str, *, cut: bool = False) -> None:
        super().__init__(what)
        self.cut = cut


@dataclass(frozen=True)
class Answer:
    """One answer with status 2xx.

    Attributes:
        body: JSON with every number as it was written, as text; None where there is none.
        url: what was asked, without what is secret.
        link: address of the next page, of the header ``Link``; '' without.
    """

    body: Any
    url: str
    link: str = ""

    def at(self, path: str) -> Any:
        """What stands at a place of the body: names with dots, numbers in lists; None if nothing.

        >>> Answer({"meta": {"next": "/b"}, "a.b": "1"}, "").at("meta.next")
        '/b'
        """
        return at(self.body, path)


def at(value: Any, path: str) -> Any:
    """What stands at a place of a JSON value; None if nothing.

    >>> at({"@odata.nextLink": "x"}, "@odata.nextLink"), at([{"a": "1"}], "0.a"), at({}, "a.b")
    ('x', '1', None)
    """
    if not path:
        return value
    if isinstance(value, Mapping):
        if path in value:
            return value[path]
        first, _, rest = path.partition(".")
        return at(value[first], rest) if rest and first in value else None
    if isinstance(value, list):
        first, _, rest = path.partition(".")
        if first.isdecimal() and int(first) < len(value):
            return at(value[int(first)], rest)
    return None


def parsed(body: bytes, content_type: str) -> Any:
    """A body as JSON; numbers are text as they were written. None for an empty body.

    Raises:
        NotData: it is a web page, XML, not text, or no JSON.
    """
    if not body.strip():
        return None
    kind = content_type.partition(";")[0].strip().casefold()
    if kind in ("text/html", "application/xhtml+xml") or _PAGE.match(body):
        raise NotData("a web page instead of data, as of a login or an error")
    if body.lstrip()[:1] == b"<":
        raise NotData("XML instead of JSON")
    try:
        text = body.decode(_encoding(body, content_type))
    except (UnicodeDecodeError, LookupError):
        raise NotData("bytes that are not text in the encoding that is said", cut=True) from None
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=_no_number)
    except RecursionError:
        raise NotData("JSON nested too deeply to be records") from None
    except ValueError:
        raise NotData(f"{len(body)} bytes that are no JSON", cut=True) from None


def _encoding(body: bytes, content_type: str) -> str:
    found = re.search(r"charset=\"?([\w.-]+)", content_type, re.IGNORECASE)
    if found and found.group(1).casefold() not in ("utf-8", "utf8"):
        return found.group(1)
    return json.detect_encoding(body)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def error_code(body: bytes) -> str:
    """The code that a service gives its error, such as INVALID_SESSION_ID; '' without.

    Only what looks like a code is shown: an explanation may hold values.

    >>> error_code(b'[{"message": "No Ann", "errorCode": "NOT_FOUND"}]')
    'NOT_FOUND'
    >>> error_code(b'{"error": {"code": "0x80040217", "message": "Ann"}}'), error_code(b"Oops")
    ('0x80040217', '')
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for path in _CODES:
        code = at(data, path)
        if isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return ""


def wait_asked(headers: httpx.Headers) -> float | None:
    """Seconds that ``Retry-After`` asks to wait; None if it says nothing that can be read.

    A date is compared with the service's own clock, so that a wrong one does no harm.
    """
    said = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", said):
        return float(said)
    until = moment(said)
    if until is None:
        return None
    now = moment(headers.get("Date", "")) or datetime.now(UTC)
    return max((until - now).total_seconds(), 0.0)


def moment(text: str) -> datetime | None:
    """A date as headers have it, UTC.

    >>> moment("Wed, 21 Oct 2015 07:28:00 GMT")
    datetime.datetime(2015, 10, 21, 7, 28, tzinfo=datetime.timezone.utc)
    """
    try:
        found = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def shown(url: httpx.URL | str) -> str:
    """An address without user, password, parameters and anchor.

    >>> shown("https://u:p@crm.example.com:8443/api/x?key=1#a")
    'https://crm.example.com:8443/api/x'
    """
    return str(httpx.URL(url).copy_with(query=None, fragment=None, userinfo=b""))

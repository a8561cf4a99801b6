"""Taking alerts to a hook: a webhook in the format of its kind, or a program.

What belongs here: one delivery, tried again where that may help. A URL holds a
token and an answer may hold anything, so neither is ever logged: only the host,
the status and the code that the service gives.

Sources: open.dingtalk.com, "Customize robot security settings" (signature) and
"message types"; developer.work.weixin.qq.com, document 91770 (group robots);
open.feishu.cn, "Custom bot usage guide"; docs.slack.dev, "Incoming webhooks".
"""

import base64
import hashlib
import hmac
import json
import logging
import os
import signal
import subprocess
import time
import urllib.parse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from onefold.errors import OnefoldError
from pipelines.alerting.policy import Hook

if TYPE_CHECKING:
    import httpx

logging.getLogger("httpx").setLevel(logging.WARNING)  # it says whole URLs, and so tokens

PAUSE_SECONDS = 1.0
"""Before the second try; doubled each time."""
LONGEST_PAUSE_SECONDS = 30.0
"""A service that asks for a longer pause gets this one."""
LIMITS = {"wecom": 2000, "dingtalk": 15_000, "feishu": 15_000, "slack": 15_000}
"""Bytes of text that a kind takes; the others take as much as there is."""
NO_LIMIT = 1_000_000


class NotDelivered(OnefoldError):
    """A hook did not take its alerts."""


class _Refused(Exception):
    """One try failed: why, whether another may succeed, and after how many seconds."""

    def __init__(self, why: str, *, again: bool, after: float = 0.0) -> None:
        super().__init__(why)
        self.why, self.again, self.after = why, again, after


def deliver(hook: Hook, text: str, plain: Mapping[str, Any]) -> None:
    """Take alerts to a hook.

    Args:
        hook: with its variables replaced.
        text: the alerts in words.
        plain: the same as plain values, for kind json and for programs.

    Raises:
        NotDelivered: it did not take them, however often it was tried.
    """
    once: Callable[[Hook, str, Mapping[str, Any]], None]
    once = _run if hook.kind == "command" else _post
    for number in range(1, hook.tries + 1):
        try:
            return once(hook, text, plain)
        except _Refused as refused:
            if refused.again and number < hook.tries:
                pause = max(refused.after, PAUSE_SECONDS * 2 ** (number - 1))
                time.sleep(min(pause, LONGEST_PAUSE_SECONDS))
                continue
            raise NotDelivered(
                f"onefold.yml, alerts, {hook.name}",
                "the alerts were not taken",
                found=refused.why,
                do="Mend the hook; they are sent again at the next occasion.",
            ) from None
    return None


def _post(hook: Hook, text: str, plain: Mapping[str, Any]) -> None:
    import httpx  # only an alert needs it

    url, content, headers = _request(hook, text, plain, time.time())
    try:
        answer = httpx.post(
            url, content=content, headers=headers, timeout=hook.timeout, follow_redirects=False
        )
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
        raise _Refused("a URL that is none", again=False) from None
    except httpx.HTTPError as error:
        raise _Refused(f"{_host(url)}: {type(error).__name__}", again=True) from None
    status = answer.status_code
    if status == 429 or status >= 500:
        after = answer.headers.get("Retry-After", "")
        raise _Refused(
            f"{_host(url)}: HTTP {status}",
            again=True,
            after=float(after) if after.isdecimal() else 0.0,
        )
    if not answer.is_success:
        raise _Refused(f"{_host(url)}: HTTP {status}", again=False)
    code = _code(hook, answer)
    if code:
        raise _Refused(f"{_host(url)}: code {code}", again=False)


def _request(
    hook: Hook, text: str, plain: Mapping[str, Any], now: float
) -> tuple[str, bytes, dict[str, str]]:
    """URL, body and headers of a webhook's POST.

    Args:
        now: the moment it is signed for, seconds since 1970.
    """
    url, body = hook.url, dict[str, Any]()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "onefold"}
    if hook.kind == "dingtalk":
        body = {"msgtype": "text", "text": {"content": text}}
        if hook.secret:
            stamp = str(round(now * 1000))
            signed = _hmac(hook.secret, f"{stamp}\n{hook.secret}".encode())
            query = urllib.parse.urlencode({"timestamp": stamp, "sign": _base64(signed)})
            url += ("&" if "?" in url else "?") + query
    elif hook.kind == "wecom":
        body = {"msgtype": "text", "text": {"content": text}}
    elif hook.kind == "feishu":
        body = {"msg_type": "text", "content": {"text": text}}
        if hook.secret:
            stamp = str(int(now))
            signed = _hmac(f"{stamp}\n{hook.secret}", b"")
            body |= {"timestamp": stamp, "sign": _base64(signed)}
    elif hook.kind == "slack":
        body = {"text": text}
    else:
        body = dict(plain)
    content = json.dumps(body, ensure_ascii=False).encode()
    if hook.kind == "json" and hook.secret:
        headers["X-Onefold-Signature"] = f"sha256={_hmac(hook.secret, content).hex()}"
    return url, content, headers | hook.headers


def _hmac(key: str, message: bytes) -> bytes:
    return hmac.new(key.encode(), message, hashlib.sha256).digest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or "no host"


def _code(hook: Hook, answer: "httpx.Response") -> int:
    """What a service says in its answer though HTTP says 200; 0: all is well."""
    name = {"dingtalk": "errcode", "wecom": "errcode", "feishu": "code"}.get(hook.kind)
    if name is None:
        return 0
    try:
        said = answer.json()
    except ValueError:
        return -1
    code = said.get(name, 0) if isinstance(said, dict) else -1
    return code if isinstance(code, int) else -1


def _run(hook: Hook, text: str, plain: Mapping[str, Any]) -> None:
    """Run the program with the alerts as JSON on its standard input."""
    try:
        process = subprocess.Popen(  # noqa: S603
            hook.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "a wrong name"
        raise _Refused(f"{hook.command[0]}: {why}", again=False) from None
    try:
        process.communicate(json.dumps(plain, ensure_ascii=False).encode(), hook.timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        why = f"{hook.command[0]}: no end after {hook.timeout:g} s"
        raise _Refused(why, again=True) from None
    if process.returncode:
        raise _Refused(f"{hook.command[0]}: ended with {process.returncode}", again=True)

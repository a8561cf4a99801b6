"""The deployment's own key: seals what browsers carry, and hides logins and addresses.

It stands in ``review.key`` of the home, readable by its owner only, and is made
at the first start. Whoever removes it only makes people open a page anew.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from onefold.errors import ConfigError

_BYTES = 32


class Key:
    """A secret, and what is done with it; every use names its purpose."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def mark(self, purpose: str, text: str) -> str:
        """Keyed hash of a text, in hex; different for every purpose."""
        return hmac.new(self._secret, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()

    def seal(self, purpose: str, value: Any, seconds: int) -> str:
        """A JSON value as text that a browser may keep and cannot change."""
        content = json.dumps([int(time.time()) + seconds, value], ensure_ascii=False)
        body = base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")
        return f"{body}.{self.mark(purpose, body)}"

    def unseal(self, purpose: str, text: str) -> Any | None:
        """The value of :meth:`seal`; None if it was changed, or its time is over."""
        body, _, mark = text.partition(".")
        if not body or not hmac.compare_digest(mark.encode(), self.mark(purpose, body).encode()):
            return None
        until, value = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return value if time.time() < until else None


def load(home: Path) -> Key:
    """The home's key; made if there is none.

    Raises:
        ConfigError: the file holds something else.
    """
    path = home / "review.key"
    if not path.exists():
        temporary = home / f"review.key.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
        try:
            os.link(temporary, path)  # whoever comes second uses the first one's
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        raise ConfigError(str(path), "this is no key", do="Remove the file; a new one is made.")
    return Key(secret)

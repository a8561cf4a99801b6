"""Passwords: hashed by argon2id, checked in the same time whether an account exists or not.

Source: RFC 9106 (argon2); NIST SP 800-63B 5.1.1.2: length counts, composition rules do not.
"""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from onefold.errors import AccountError

_HASHER = PasswordHasher()
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look like another."""
_LONGEST = 1024
_NOBODY = _HASHER.hash(secrets.token_hex(16))


def hashed(password: str) -> str:
    """The argon2id hash to keep."""
    return _HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password is the hashed one; takes as long where there is no hash."""
    if len(password) > _LONGEST:
        return False
    try:
        _HASHER.verify(password_hash or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


def is_old(password_hash: str) -> bool:
    """Whether it was hashed with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def one_time() -> str:
    """A password to be given to somebody and changed at once: 16 letters, 79 bits."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def require_good(password: str, login: str, length: int) -> None:
    """Refuse a password that is guessed early.

    Raises:
        AccountError: it is short, endless, holds the login or a single letter.
    """
    if len(password) < length:
        raise AccountError("password", "the password is too short")
    if len(password) > _LONGEST:
        raise AccountError("password", "the password is too long")
    if len(login) > 2 and login in password.lower():
        raise AccountError("password", "the password holds the login")
    if len(set(password)) < 5:
        raise AccountError("password", "the password repeats a few characters")

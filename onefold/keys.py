"""Section ``privacy:`` of onefold.yml: keys, what they encrypt and what they hash.

What belongs here: where keys come from, tokens (encrypted text), keyed hashes, and the
file ``privacy.json`` of a home. Which columns of which store follow from a setting stands
with the columns (rules/protection.py); rewriting stores stands in pipelines.

privacy:
  key: ${ONEFOLD_KEY}              # or key_command: [vault, read, -field=key, secret/onefold]
  old_keys: [${ONEFOLD_OLD_KEY}]   # while 'onefold key rotate' is at work
  encrypt: [national_id]           # columns of the canonical model

A key is 32 random bytes. Everything is derived from it by HKDF-SHA-256 (RFC 5869), one
derived key per use. Text is encrypted with AES-SIV (RFC 5297), deterministic and
authenticated: equal values are equal tokens, so comparing, joining and counting work on
tokens, and whoever reads tokens learns which are equal and how long they are, no more. A
token names its key, so both keys can be read while one replaces the other.

Keyed hashes are HMAC-SHA-256 with a secret of the home that is drawn once and kept in
``privacy.json``, encrypted with the key: hashes stay what they are when the key is
replaced, though the values they were made of are long gone.
"""

import base64
import binascii
import functools
import hashlib
import hmac
import json
import os
import re
import secrets
import subprocess
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field, model_validator

from onefold.errors import ConfigError
from onefold.settings import Settings, expand_environment, validated

FILE = "privacy.json"
"""In the home: the secret of the keyed hashes, encrypted, and what was encrypted with what."""
_TOKEN = re.compile(r"enc:([0-9a-f]{8}):([A-Za-z0-9_-]+)(?:~.*)?", re.DOTALL)
_PREFIX = "enc:"
_TOKENS = re.compile(r'"(enc:[0-9a-f]{8}:[A-Za-z0-9_-]+)"|enc:[0-9a-f]{8}:[A-Za-z0-9_-]+')
MASK = "~"
"""What parts a token from a mask that stands beside it, for who may see masks only."""
_KEY = re.compile(r"ofkey-([A-Za-z0-9_-]{43})")
_BYTES = 32
_SECONDS = 30
State = Literal["clear", "old", "current"]
_WHERE = "onefold.yml, privacy"


class PrivacyPolicy(BaseModel):
    """The section ``privacy`` of onefold.yml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(default="", repr=False)
    """The key, as ``${NAME}`` from the environment."""
    key_command: tuple[str, ...] = ()
    """Or: a program and its arguments that print it; no shell reads them."""
    old_keys: tuple[str | tuple[str, ...], ...] = Field(default=(), repr=False)
    """Keys that may still be in use until ``onefold key rotate`` is done; text or a command."""
    encrypt: tuple[str, ...] = ("national_id",)
    """Columns of the canonical model that are kept encrypted, if there is a key."""
    raw_keep_days: int | None = Field(default=None, ge=1)
    """How long raw snapshots are kept after the next one; None: for ever. A source may say its
    own."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.key and self.key_command:
            raise ValueError("name the key once: key or key_command")
        if "encrypt" in self.model_fields_set and self.encrypt and not self.has_key:
            raise ValueError("encrypt needs a key: say key or key_command")
        if self.old_keys and not self.has_key:
            raise ValueError("old_keys need a key that replaces them: say key or key_command")
        return self

    @property
    def has_key(self) -> bool:
        """Whether a key is declared."""
        return bool(self.key or self.key_command)

    @property
    def encrypted(self) -> tuple[str, ...]:
        """The columns that are kept encrypted, in one order; none without a key."""
        return tuple(sorted(set(self.encrypt))) if self.has_key else ()

    @classmethod
    def of(cls, settings: Settings) -> "PrivacyPolicy":
        """The section of a home.

        Raises:
            ConfigError: as :meth:`read`.
        """
        return cls.read(settings.sections.get("privacy"))

    @classmethod
    def read(cls, section: Any) -> "PrivacyPolicy":
        """Validate the section; no key is fetched.

        Raises:
            ConfigError: a setting is unknown, or two contradict each other.
        """
        return validated(cls, section, "privacy", do="See docs/privacy.md.")


def new() -> str:
    """A new key, as text."""
    return "ofkey-" + _base64(secrets.token_bytes(_BYTES))


class Key:
    """One key: its id, and text encrypted and decrypted with it.

    Attributes:
        id: eight hexadecimal digits that follow from the key and do not tell it.
    """

    def __init__(self, secret: bytes) -> None:
        self.id = _derived(secret, "key id")[:4].hex()
        self._cipher = AESSIV(_derived(secret, "values", 64))

    @classmethod
    def read(cls, text: str, where: str) -> "Key":
        """A key from its text.

        Raises:
            ConfigError: it is none; the message does not hold it.
        """
        match = _KEY.fullmatch(text.strip())
        if match is None:
            raise ConfigError(
                where,
                "this is no key of Onefold",
                found=f"{len(text.strip())} characters",
                do="A key is 'ofkey-' and 43 characters, as 'onefold key new' prints it.",
            )
        return cls(_unbase64(match.group(1)))

    def encrypt(self, text: str) -> str:
        """The token of a text; the same for the same text. Empty text stays empty."""
        if not text:
            return text
        return f"enc:{self.id}:{_base64(self._cipher.encrypt(text.encode(), None))}"

    def decrypt(self, body: str) -> str:
        """The text of a token's last part.

        Raises:
            ValueError: it was not made with this key, or is damaged.
        """
        try:
            return self._cipher.decrypt(_unbase64(body), None).decode()
        except (InvalidTag, binascii.Error) as error:
            raise ValueError("not a token of this key") from error


class Keys:
    """The keys of a home: what encrypts, decrypts and hashes.

    Made by :meth:`of` for any home. Without a key, encrypting nothing works, decrypting
    text that is no token works, and everything that needs a key raises ConfigError.

    Attributes:
        policy: the section.
        home: the folder with privacy.json.
    """

    def __init__(self, policy: PrivacyPolicy, home: Path) -> None:
        self.policy, self.home = policy, home

    @classmethod
    def of(cls, settings: Settings) -> "Keys":
        """The keys that a home's settings declare; they are fetched when first needed.

        Raises:
            ConfigError: the section cannot be understood.
        """
        return cls(PrivacyPolicy.of(settings), settings.home)

    @cached_property
    def key(self) -> Key:
        """The key that encrypts.

        Raises:
            ConfigError: there is none, the command failed, or what it gave is no key.
        """
        if not self.policy.has_key:
            raise ConfigError(
                _WHERE,
                "this needs a key, and none is declared",
                do="Make one with 'onefold key new', and write 'privacy:' and 'key: ${ONEFOLD_KEY}'"
                " into onefold.yml.",
            )
        if self.policy.key:
            where = f"{_WHERE}, key"
            return Key.read(expand_environment(self.policy.key, where), where)
        return _from_command(self.policy.key_command, f"{_WHERE}, key_command")

    @cached_property
    def all(self) -> Mapping[str, Key]:
        """Every key by its id: the one in use first, then old ones.

        Raises:
            ConfigError: as :attr:`key`, for any of them.
        """
        found = [self.key]
        where = f"{_WHERE}, old_keys"
        for old in self.policy.old_keys:
            if isinstance(old, str):
                found.append(Key.read(expand_environment(old, where), where))
            else:
                found.append(_from_command(old, where))
        return {one.id: one for one in reversed(found)} | {self.key.id: self.key}

    # -------------------------------------------------------------------------- one text
    def encrypt(self, text: str) -> str:
        """The token of a text.

        Raises:
            ConfigError: there is no key.
        """
        return self.key.encrypt(text)

    def decrypt(self, text: str) -> str:
        """What a token says; other text as it is.

        Raises:
            ConfigError: it is a token of a key that is not declared, or damaged.
        """
        match = _TOKEN.fullmatch(text)
        if match is None:
            return text
        if not self.policy.has_key:
            raise _missing(match.group(1), "none is declared")
        known = self.all.get(match.group(1))
        if known is None:
            raise _missing(match.group(1), ", ".join(self.all))
        try:
            return known.decrypt(match.group(2))
        except ValueError:
            raise ConfigError(
                f"key {known.id}",
                "a stored value is damaged, or was not encrypted with it",
                do="Restore the home and its database from a backup of one time.",
            ) from None

    def decrypt_all(self, text: str) -> str:
        """A text with every token in it decrypted: lists joined to one text, or JSON.

        Raises:
            ConfigError: as :meth:`decrypt`.
        """
        if not self.policy.has_key or _PREFIX not in text:
            return text
        return _TOKENS.sub(lambda found: self.decrypt(found.group(1) or found.group(0)), text)

    def state_of(self, text: str) -> State:
        """Whether a stored text is clear, a token of an old key, or of the key in use.

        Only what can be decrypted is a token: a source may hold text that looks like one.
        """
        match = _TOKEN.fullmatch(text)
        known = self.all.get(match.group(1)) if match else None
        if match is None or known is None:
            return "clear"
        try:
            known.decrypt(match.group(2))
        except ValueError:
            return "clear"
        return "current" if known is self.key else "old"

    # ---------------------------------------------------------------------- whole columns
    def encrypt_column(self, column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
        """Tokens of a column of text, or of every text of a column of lists; null stays null."""
        return _each(column, self.key.encrypt)

    @staticmethod
    def change_column(
        column: pa.ChunkedArray | pa.Array, change: Callable[[str], str]
    ) -> pa.ChunkedArray:
        """A column with every text changed; each different text once, null stays null."""
        return _each(column, change)

    def decrypt_column(self, column: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray:
        """What a column of tokens says, of text or of lists; other text as it is.

        Raises:
            ConfigError: as :meth:`decrypt`.
        """
        return _each(column, self.decrypt, starting=_PREFIX)

    # ---------------------------------------------------------------------- keyed hashes
    def keyed_hash(self, value: str, purpose: str) -> str:
        """The keyed hash of a text: 64 hexadecimal digits, the same for the life of a home.

        Hashes for one purpose say nothing about those for another. Whoever lacks the key
        cannot tell the value by trying all there are.

        Args:
            value: what is hashed; the caller brings it into one form first.
            purpose: what the hash is for, such as ``lookup`` or ``suppression``.

        Raises:
            ConfigError: there is no key, or privacy.json belongs to another.
        """
        return hmac.new(self._hashing(purpose), value.encode(), hashlib.sha256).hexdigest()

    def hash_key(self, purpose: str) -> bytes:
        """32 bytes for keyed hashes of a purpose that are made elsewhere.

        Raises:
            ConfigError: as :meth:`keyed_hash`.
        """
        return self._hashing(purpose)

    def hash_column(self, column: pa.ChunkedArray | pa.Array, purpose: str) -> pa.ChunkedArray:
        """The keyed hashes of a column of text, or of every text of a column of lists."""
        secret = self._hashing(purpose)
        return _each(
            column, lambda text: hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
        )

    def _hashing(self, purpose: str) -> bytes:
        return _derived(self._secret, f"hash {purpose}")

    @cached_property
    def _secret(self) -> bytes:
        """The secret of the keyed hashes; drawn when it is first needed."""
        stored = self.noted()
        if stored is None:
            self.key  # noqa: B018 - fails here if there is none
            drawn = self.encrypt(_base64(secrets.token_bytes(_BYTES)))
            self._first_note({"hash_secret": drawn})
            stored = self.noted() or {}
        return _unbase64(self.decrypt(str(stored["hash_secret"])))

    # ----------------------------------------------------------------------- privacy.json
    def check(self) -> None:
        """Refuse keys that are not those of the home; nothing is fetched where nothing is hidden.

        Raises:
            ConfigError: a key that stored values were encrypted with is not declared.
        """
        said = self.noted()
        if said is None:
            return
        applied = said.get("applied")
        if self.policy.has_key:
            self._secret  # noqa: B018 - fails if its key is not declared
            if applied and applied["key"] not in self.all:
                raise _missing(applied["key"], ", ".join(self.all))
        elif applied:
            raise _missing(applied["key"], "none is declared")

    def noted(self) -> dict[str, Any] | None:
        """What privacy.json says; None if there is none.

        Raises:
            ConfigError: it cannot be read.
        """
        path = self.home / FILE
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            said = None
        if not isinstance(said, dict) or not isinstance(said.get("hash_secret"), str):
            raise ConfigError(
                str(path), "this is not what Onefold wrote", do="Restore it from a backup."
            )
        return said

    def note(self, **changes: Any) -> None:
        """Change what privacy.json says; written whole, under a temporary name first.

        Raises:
            ConfigError: there is no key, or the file belongs to another.
        """
        self._secret  # noqa: B018 - makes the file, and fails if its key is not declared
        _replace(self.home / FILE, {**(self.noted() or {}), **changes})

    def rewrap(self) -> None:
        """Encrypt the secret of the keyed hashes with the key in use; the hashes stay."""
        self.note(hash_secret=self.encrypt(_base64(self._secret)))

    def _first_note(self, said: dict[str, Any]) -> None:
        """Write privacy.json unless somebody else was first."""
        path = self.home / FILE
        temporary = _written(path, said)
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()


def _missing(wanted: str, found: str) -> ConfigError:
    return ConfigError(
        _WHERE,
        f"stored values are encrypted with key {wanted}, which is not declared",
        found=found,
        do="Set the key they were encrypted with, or name it in old_keys.",
    )


@functools.cache
def _from_command(command: tuple[str, ...], where: str) -> Key:
    """The key that a program prints.

    Raises:
        ConfigError: it cannot be run, fails, takes too long, or prints no key.
    """
    program = [expand_environment(part, where) for part in command]
    try:
        done = subprocess.run(  # noqa: S603 - the program of the deployment's own settings
            program, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(where, f"the command gave no key within {_SECONDS} seconds") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(where, "the command cannot be run", found=type(error).__name__) from None
    if done.returncode:
        raise ConfigError(
            where,
            "the command failed",
            found=f"exit code {done.returncode}",
            do="Run it by hand; what it prints is not shown here.",
        )
    return Key.read(done.stdout, where)


def _derived(secret: bytes, use: str, length: int = _BYTES) -> bytes:
    """A key for one use, by HKDF-SHA-256."""
    return HKDF(SHA256(), length, salt=None, info=f"onefold {use}".encode()).derive(secret)


def _each(
    column: pa.ChunkedArray | pa.Array, change: Callable[[str], str], starting: str = ""
) -> pa.ChunkedArray:
    """A column with every text changed that starts so; each different text once."""
    if isinstance(column, pa.Array):
        column = pa.chunked_array([column])
    chunks = [_changed(chunk, change, starting) for chunk in column.chunks]
    return pa.chunked_array(chunks, column.type)


def _changed(array: pa.Array, change: Callable[[str], str], starting: str) -> pa.Array:
    if pa.types.is_list(array.type):
        lengths = pc.fill_null(pc.list_value_length(array), 0)
        ends = pc.cumulative_sum(lengths)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends.cast(pa.int32())])
        values = _changed(array.flatten(), change, starting)
        return pa.ListArray.from_arrays(offsets, values, mask=array.is_null())
    if starting and not pc.any(pc.starts_with(array, starting)).as_py():
        return array
    coded = array.dictionary_encode()
    texts = [change(text) for text in coded.dictionary.to_pylist()]
    return pa.array(texts, array.type).take(coded.indices)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _written(path: Path, said: dict[str, Any]) -> Path:
    """A temporary file beside ``path``, on disk, readable by its owner only."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(json.dumps(said, indent=1, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _replace(path: Path, said: dict[str, Any]) -> None:
    _written(path, said).replace(path)

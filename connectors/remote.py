"""Files elsewhere: HTTP, S3, SFTP and whatever else fsspec opens, by URL.

What belongs here: listing what a URL or a pattern means, saying cheaply whether a file is what
it was, and bringing a whole copy of it here. What is in a file is the connector's part.

Credentials come from the environment: ``${NAME}`` in the URL, AWS_ACCESS_KEY_ID and its kin
for S3, an SSH agent or key for SFTP. No message shows what stands before the '@' of a URL.
"""

import base64
import hashlib
import importlib
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from onefold.errors import (
    ConfigError,
    SourceError,
    SourceLocked,
    SourceMissing,
    SourceUnreachable,
)

ATTEMPTS, FIRST_PAUSE = 4, 1.0
"""How often a file is fetched at most, and seconds before the second time; then twice as many."""
_TIMEOUT, LOOK_TIMEOUT = 60, 10
"""Seconds that a server may say nothing, and where files are only looked at."""
_SETTLED = 60
"""A file changed less than these seconds ago may change again within the same second."""
_SCHEME = "://"
_Result = TypeVar("_Result")
_LOG = logging.getLogger("onefold.connectors")
_MOMENTS = ("mtime", "LastModified", "Last-Modified", "last_modified", "updated")
"""Where file systems say when a file changed."""
_PACKAGES = {
    "http": ("aiohttp", "web-files"),
    "https": ("aiohttp", "web-files"),
    "s3": ("s3fs", "s3"),
    "sftp": ("paramiko", "sftp"),
    "ssh": ("paramiko", "sftp"),
}
"""Scheme → package that it needs, and the extra of Onefold that installs it."""


@dataclass(frozen=True)
class RemoteFile:
    """One file elsewhere.

    Attributes:
        path: as its file system names it.
        name: its place below the folder that the pattern starts in.
        size: bytes, None if the server does not say.
        stamp: its ETag or its time of change, '' if the server says neither.
        version: the same, '' too if the file may yet change without another stamp.
        url: the pattern that found it, without credentials.
        system: the file system.
    """

    path: str
    name: str
    size: int | None
    stamp: str
    version: str
    url: str
    system: Any


def is_remote(pattern: str) -> bool:
    """Whether a path of a source is a URL."""
    return _SCHEME in pattern


def is_file_address(what: str) -> bool:
    """Whether something is the URL of files and not of a database."""
    return urlsplit(what).scheme in {*_PACKAGES, "gs", "gcs", "az", "abfs", "ftp", "smb", "webdav"}


def without_password(url: str, secret: str) -> tuple[str, str]:
    """A URL as it may be written down, and the environment variable that holds its password.

    >>> without_password("sftp://me:pw@host/a", "CRM_PASSWORD")
    ('sftp://me:${CRM_PASSWORD}@host/a', 'CRM_PASSWORD')
    >>> without_password("s3://bucket/a", "CRM_PASSWORD")
    ('s3://bucket/a', '')
    """
    found = re.match(r"(\w+://[^/@:]*:)([^/@]*)(@.*)", url)
    if not found:
        return url, ""
    variable = re.fullmatch(r"\$\{([A-Za-z_]\w*)\}", found.group(2))
    if variable:
        return url, variable.group(1)
    return f"{found.group(1)}${{{secret}}}{found.group(3)}", secret


def shown(url: str) -> str:
    """A URL without user, password and query.

    >>> shown("sftp://me:secret@host:22/in/*.csv"), shown("https://host/a.csv?sig=abc")
    ('sftp://host:22/in/*.csv', 'https://host/a.csv')
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def listed(pattern: str) -> list[RemoteFile]:
    """The files that a URL means: one, those of a folder, or those that a pattern finds.

    Raises:
        ConfigError: the scheme is not known, or its package is not installed.
        SourceMissing: there is no such file.
        SourceLocked: the server refuses.
        SourceUnreachable: the server does not answer.
    """
    where = shown(pattern)
    return _tried(where, lambda: _listed(pattern, where))


@contextmanager
def looked_at(pattern: str) -> Iterator[list[RemoteFile]]:
    """The same for a look from time to time: tried once, with little patience.

    No connection stays open after it.

    Raises:
        ConfigError, SourceError: as :func:`listed`.
    """
    where = shown(pattern)
    with _said_in_words(where):
        system, path = _system(pattern, LOOK_TIMEOUT)
    try:
        with _said_in_words(where):
            found = _found(system, path, where)
        yield found
    finally:
        if hasattr(system, "hang_up"):
            system.hang_up()


def _listed(pattern: str, where: str) -> list[RemoteFile]:
    with _said_in_words(where):
        system, path = _system(pattern)
        return _found(system, path, where)


def _found(system: Any, path: str, where: str) -> list[RemoteFile]:
    if "*" in path:
        base = _base(path)
        found = [one for one in system.glob(path, detail=True).values() if _is_file(one)]
    else:
        info = _info(system, path)
        if _is_file(info):
            base, found = str(PurePosixPath(path).parent), [info]
        else:
            base = path
            found = [one for one in system.ls(path, detail=True) if _is_file(one)]
    # A web page lists names only.
    found = [one if _stamp(one) else {**one, **_info(system, one["name"])} for one in found]
    if not found:
        raise SourceMissing(where, "no file fits", do="Mend 'path', or put the file there.")
    return [
        RemoteFile(
            path=one["name"],
            name=_name(one["name"], base),
            size=one.get("size"),
            stamp=_stamp(one),
            version=_version(one),
            url=where,
            system=system,
        )
        for one in found
    ]


def fetch(file: RemoteFile, to: Path) -> None:
    """Bring a whole copy of a file here, trying again where the connection breaks.

    The copy has as many bytes as the server says, the checksum that it says (Content-MD5), and
    the file is the same after as before.

    Raises:
        SourceMissing, SourceLocked, SourceUnreachable: as for :func:`listed`.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    where = f"{file.url}, {file.name}" if PurePosixPath(file.url).name != file.name else file.url

    def once() -> None:
        with _said_in_words(where):
            before = _info(file.system, file.path)
            file.system.get_file(file.path, str(to))
            _check(where, before, _info(file.system, file.path), to)

    _tried(where, once)


def companions(file: RemoteFile, endings: Iterable[str]) -> list[RemoteFile]:
    """The files beside a file that differ from it in their ending, in upper or lower case."""
    stem, dot, _ = file.path.rpartition(".")
    name = file.name.rpartition(".")[0]
    found: dict[str, RemoteFile] = {}
    for ending in sorted(endings):
        for written in (ending, ending.upper()):
            try:
                with _said_in_words(file.url):
                    info = _info(file.system, f"{stem}{written}")
            except SourceMissing:
                continue
            beside = replace(
                file, path=info["name"], name=f"{name}{written}", size=info.get("size"),
                stamp=_stamp(info), version=_version(info),
            )  # fmt: skip
            found.setdefault(ending, beside)
    return list(found.values()) if dot else []


def _check(where: str, before: dict[str, Any], after: dict[str, Any], copy: Path) -> None:
    """Refuse a copy that is not the whole file."""
    size, there = before.get("size"), copy.stat().st_size
    if size is not None and size != there:
        raise SourceUnreachable(
            where, "the copy is not whole", found=f"{there:,} of {size:,} bytes", do="Try again."
        )
    if (size, _stamp(before)) != (after.get("size"), _stamp(after)):
        raise SourceUnreachable(
            where, "the file changed while it was fetched", do="Try again when it is finished."
        )
    said = before.get("Content-MD5")
    if said:
        with copy.open("rb") as stream:
            digest = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))
        if base64.b64encode(digest.digest()).decode() != said:
            raise SourceUnreachable(
                where, "the copy has another checksum than the server says", do="Try again."
            )


# -- file systems


def _system(pattern: str, timeout: float = _TIMEOUT) -> tuple[Any, str]:
    """The file system of a URL and the path in it."""
    scheme = urlsplit(pattern).scheme
    package, extra = _PACKAGES.get(scheme, ("", ""))
    try:
        if package:
            importlib.import_module(package)
        if scheme in ("sftp", "ssh"):
            return _sftp(pattern, timeout)
        options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
        if scheme in ("http", "https"):
            import aiohttp

            options["headers"] = {"Accept-Encoding": "identity"}
            limits = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
            options["client_kwargs"] = {"timeout": limits}
        elif scheme == "s3":
            options["config_kwargs"] = {
                "connect_timeout": 10,
                "read_timeout": timeout,
                "retries": {"max_attempts": 3},
            }
        import fsspec  # takes as long as all the rest

        system, path = fsspec.core.url_to_fs(pattern, **options)
    except ImportError as error:
        raise SourceError(
            shown(pattern),
            f"files by {scheme}:// need a further package",
            found=f"no {package}" if package else "",
            do=f"pip install 'onefold[{extra}]'." if extra else "Install fsspec's package for it.",
        ) from error
    except ValueError as error:
        raise ConfigError(
            shown(pattern),
            "this scheme is not known",
            found=scheme,
            do="Use a path, http://, https://, s3:// or sftp://.",
        ) from error
    return system, path


def _sftp(pattern: str, timeout: float) -> tuple[Any, str]:
    """SFTP to a server whose key is known: fsspec would take any key."""
    import paramiko
    from fsspec.implementations.sftp import SFTPFileSystem

    class KnownHosts(SFTPFileSystem):
        """Refuses a server whose key does not stand in ~/.ssh/known_hosts."""

        cachable = False

        def _connect(self) -> None:
            self.client = paramiko.SSHClient()
            self.client.load_system_host_keys()
            self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
            self.client.connect(
                self.host, timeout=timeout, banner_timeout=timeout, auth_timeout=timeout,
                **self.ssh_kwargs,
            )  # fmt: skip
            self.ftp = self.client.open_sftp()
            channel = self.ftp.get_channel()
            if channel:
                channel.settimeout(timeout)

        def hang_up(self) -> None:
            """End the connection, whose thread would go on for ever."""
            self.client.close()

    parts = urlsplit(pattern)
    options: dict[str, Any] = {"host": parts.hostname, "port": parts.port or 22}
    if parts.username:
        options["username"] = unquote(parts.username)
    if parts.password:
        options["password"] = unquote(parts.password)
    return KnownHosts(**options), unquote(parts.path)


def _info(system: Any, path: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = system.info(path)
    except FileNotFoundError as error:
        # fsspec calls every answer of a web server "not found"; what it was stands behind.
        if error.__cause__ is not None and getattr(error.__cause__, "status", 404) != 404:
            raise error.__cause__ from None
        if error.__cause__ is not None and not hasattr(error.__cause__, "status"):
            raise error.__cause__ from None
        raise
    return found


def _is_file(info: dict[str, Any]) -> bool:
    return info.get("type", "file") != "directory" and not info["name"].endswith("/")


def _stamp(info: dict[str, Any]) -> str:
    """What changes when a file changes: its ETag or its time of change."""
    tag = info.get("ETag") or info.get("etag")
    if tag:
        return f"etag {tag}"
    for name in _MOMENTS:
        if info.get(name):
            return f"changed {info[name]}"
    return ""


def _version(info: dict[str, Any]) -> str:
    """The stamp, unless the file may yet change within the same second, and so without it."""
    stamp = _stamp(info)
    moment = next((info[name] for name in _MOMENTS if info.get(name)), None)
    if stamp.startswith("etag") or moment is None:
        return stamp
    if not isinstance(moment, datetime):
        try:
            moment = parsedate_to_datetime(str(moment))
        except ValueError:
            return stamp
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return "" if abs(time.time() - at.timestamp()) < _SETTLED else stamp


def _base(path: str) -> str:
    """The folder that a pattern starts in."""
    fixed = []
    for part in path.split("/")[:-1]:
        if "*" in part:
            break
        fixed.append(part)
    return "/".join(fixed)


def _name(path: str, base: str) -> str:
    """A file's place below a folder, as people read it.

    >>> _name("https://h/in/%E5%AE%A2%E6%88%B7.csv?sig=1", "https://h/in")
    '客户.csv'
    """
    path = path.removeprefix(base).lstrip("/")
    if _SCHEME in path:
        path = PurePosixPath(urlsplit(path).path).name
    return unquote(path.partition("?")[0]) or "file"


# -- what can go wrong


def _tried(where: str, once: Callable[[], _Result]) -> _Result:
    pause = FIRST_PAUSE
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return once()
        except SourceUnreachable as error:
            if attempt == ATTEMPTS:
                raise
            found = f" ({error.found})" if error.found else ""
            _LOG.warning("%s: %s%s; trying again in %.0f s", where, error.what, found, pause)
        time.sleep(pause)
        pause *= 2
    raise AssertionError(where)


@contextmanager
def _said_in_words(where: str) -> Iterator[None]:
    # What libraries raise may hold the URL with its password, so that it is not kept as the cause.
    try:
        yield
    except SourceError:
        raise
    except FileNotFoundError:
        raise SourceMissing(
            where, "there is no such file", do="Mend 'path', or put the file there."
        ) from None
    except PermissionError:
        raise _refused(where) from None
    except _errors() as error:
        if getattr(error, "status", None) in (401, 403, 407):
            raise _refused(where) from None
        name = type(error).__name__
        if name in ("AuthenticationException", "NoCredentialsError", "BadAuthenticationType"):
            raise _refused(where) from None
        if name == "BadHostKeyException" or "not found in known_hosts" in str(error):
            raise SourceLocked(
                where,
                "the server's key is not the one in ~/.ssh/known_hosts",
                do="Compare the key with what the server's owner says, then add it with "
                "ssh-keyscan.",
            ) from None
        status = getattr(error, "status", None)
        raise SourceUnreachable(
            where,
            "the file cannot be fetched",
            found=f"the server answers {status}" if status else name,
            do="Look whether the server is up.",
        ) from None


def _refused(where: str) -> SourceLocked:
    return SourceLocked(
        where,
        "the server refuses access",
        do="Look at the credentials in the environment, and what they may read.",
    )


def _errors() -> tuple[type[Exception], ...]:
    """What libraries raise whose fault is the connection or the server."""
    found: list[type[Exception]] = [OSError, TimeoutError, EOFError]
    for module, name in (
        ("aiohttp", "ClientError"),
        ("paramiko", "SSHException"),
        ("botocore.exceptions", "BotoCoreError"),
        ("botocore.exceptions", "ClientError"),
        ("fsspec.exceptions", "FSTimeoutError"),
    ):
        if sys.modules.get(module):
            found.append(getattr(sys.modules[module], name))
    return tuple(found)

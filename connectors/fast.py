"""The fast path of databases: connectorx in a process of its own, the same texts as without.

What belongs here: what connectorx is told, its process, and what comes from it. The query is
the one that connectors/sql.py would ask, every column cast to text by the server, in a session
set in the same way. Being a process, it can be cut off when the server falls silent, and
nothing that it does ends a sync: if it fails in any way, the source is read without it, and
what is wrong is told as always.
"""

import importlib.util
import io
import json
import os
import selectors
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa

from connectors.config import SourceConfig
from connectors.postgres_copy import as_texts
from connectors.reading import FastPathBroken
from onefold.errors import SourceError, SourceUnreachable

BATCH_ROWS = 20_000
_ROOM = 1 << 20
"""Bytes of what comes that are taken at once."""
_PROCESS = Path(__file__).with_name("fast_process.py")
_SCHEMES = {"postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
_FOLLOWED = {
    "host": (),
    "client_encoding": ("utf8", "utf-8", "unicode"),
    "charset": ("utf8mb4",),
}
"""What the query of a URL may say: which values, any if none are named."""


def check(config: SourceConfig, url: sa.URL) -> None:
    """Refuse what connectorx cannot do as Onefold itself would.

    Raises:
        SourceError: it is not installed, does not read this database, or cannot follow the URL.
    """
    backend, what, found, do = url.get_backend_name(), "", "", "Take 'fast' out."
    if backend not in _SCHEMES:
        what, found = "'fast' is for PostgreSQL, MySQL and MariaDB", backend
    elif not url.host and "host" not in url.query:
        what = "'fast' needs a host in the URL"
    elif importlib.util.find_spec("connectorx") is None:
        what, do = "'fast' needs connectorx", "Install it: pip install 'onefold[fast]'."
    for name, value in url.query.items():
        allowed = _FOLLOWED.get(name)
        if allowed is None or (allowed and str(value).casefold() not in allowed):
            what, found = "'fast' cannot do what the URL asks for", name
    if what:
        raise SourceError(config.file, what, found=found, do=do)


def address(url: sa.URL, *, encrypted: bool) -> str:
    """The URL as connectorx takes it; encrypted if Onefold's own connection is.

    >>> url = sa.make_url("postgresql+psycopg://ann:p%40ss@/erp?host=/run/pg")
    >>> address(url, encrypted=True)
    'postgresql://ann:p%40ss@%2Frun%2Fpg/erp?sslmode=require'
    """
    user = quote(url.username or "", safe="")
    password = f":{quote(str(url.password), safe='')}" if url.password else ""
    host = url.host or str(url.query.get("host", ""))
    host = f"[{host}]" if ":" in host else quote(host, safe="")
    port = f":{url.port}" if url.port else ""
    scheme = _SCHEMES[url.get_backend_name()]
    told = f"{scheme}://{user}{password}@{host}{port}/{quote(url.database or '', safe='')}"
    if scheme == "mysql":
        return f"{told}?prefer_socket=false"  # else it leaves the host given for a local socket
    return f"{told}?sslmode=require" if encrypted else told


def read(
    config: SourceConfig, url: str, query: str, before: Sequence[str]
) -> Generator[list[pa.Array]]:
    """Stream what a query of texts gives.

    Args:
        url: as :func:`address` writes it.
        before: statements of the same session, executed first.

    Raises:
        SourceUnreachable: nothing came for ``timeout`` seconds.
        FastPathBroken: connectorx gave up, for whatever reason.
    """
    told = {"url": url, "query": query, "before": list(before), "rows": BATCH_ROWS}
    child = subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", str(_PROCESS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert child.stdin and child.stdout
        with child.stdin as entry:
            entry.write(json.dumps(told).encode())
        heard = io.BufferedReader(_Heard(config, child.stdout.fileno()), _ROOM)
        with pa.ipc.open_stream(heard) as stream:
            for batch in stream:
                yield [_texts(column) for column in batch.columns]
        if child.wait(config.timeout):
            raise broken(config)
    except (pa.ArrowInvalid, OSError, subprocess.TimeoutExpired) as error:
        raise broken(config) from error
    finally:
        child.kill()
        child.wait()
        if child.stdout:
            child.stdout.close()


def broken(config: SourceConfig) -> FastPathBroken:
    """That connectorx gave up."""
    return FastPathBroken(
        config.name, "connectorx breaks off", do=f"Take 'fast' out of {config.file}."
    )


def _texts(column: pa.Array) -> pa.Array:
    """Text as the other paths give it; bytes as they read them."""
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return as_texts(column.cast(pa.binary()), "utf-8")
    return column.cast(pa.string())


class _Heard(io.RawIOBase):
    """What a process writes, as long as it writes anything."""

    def __init__(self, config: SourceConfig, pipe: int) -> None:
        self._config, self._pipe = config, pipe

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        seconds = self._config.timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            if not selector.select(seconds):
                raise SourceUnreachable(
                    self._config.name,
                    f"the database sends nothing for {seconds:g} seconds",
                    found="read by connectorx",
                    do="Check server and network; where a query takes longer than that to "
                    f"begin, raise 'timeout' in {self._config.file}.",
                )
        some = os.read(self._pipe, len(room))
        room[: len(some)] = some
        return len(some)

"""What drivers of databases complain of, in our words.

What belongs here: which of our errors an error of a driver is, by the code that the
server gives, else by the text. Messages carry neither passwords nor values.

Sources: PostgreSQL documentation, appendix A; MariaDB and MySQL, server error codes.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import exc

from connectors.config import SourceConfig
from connectors.silence import Watch
from onefold.errors import (
    SourceEncoding,
    SourceError,
    SourceLayout,
    SourceMissing,
    SourceUnreachable,
)

_REFUSED = re.compile(
    r"password|authentication|access denied|role .* does not exist|no pg_hba", re.IGNORECASE
)
_NO_DATABASE = re.compile(r"database .* does not exist|unknown database", re.IGNORECASE)
_NO_FILE = re.compile(r"not a database|malformed", re.IGNORECASE)
_LOCKED = re.compile(r"database (table )?is locked", re.IGNORECASE)

_CODES: dict[str, frozenset[str]] = {
    "no database": frozenset({"3D000", "1049"}),
    "refused": frozenset({"28000", "28P01", "1045", "1044", "1698"}),
    "no right": frozenset({"42501", "1142", "1143", "1227", "1370"}),
    "locked": frozenset({"55P03", "1205", "1213"}),
    "time is up": frozenset({"57014", "1969", "3024"}),
    "full": frozenset({"53300", "1040", "1203", "1226"}),
    "conflict": frozenset({"40001", "40P01"}),
    "text": frozenset({"22021", "22P05", "1366"}),
}
"""SQLSTATE of PostgreSQL, number of an error of MariaDB and MySQL."""
_KINDS = {code: kind for kind, codes in _CODES.items() for code in codes}


@contextmanager
def said_in_words(config: SourceConfig, url: sa.URL, watch: Watch) -> Iterator[None]:
    """Turn what drivers raise into our errors.

    Raises:
        SourceError: by its kind.
    """
    try:
        yield
    except exc.DBAPIError as error:
        raise in_words(config, url, error, watch) from error
    except UnicodeDecodeError as error:
        raise _not_text(config, shown(url)) from error


def in_words(config: SourceConfig, url: sa.URL, error: exc.DBAPIError, watch: Watch) -> SourceError:
    """Our error for one of a driver."""
    where = shown(url)
    if watch.silent or "timed out" in str(error.orig):
        return SourceUnreachable(
            config.name,
            f"the database sends nothing for {watch.seconds:g} seconds",
            found=where,
            do="Check server and network; where a query takes longer than that to begin, raise "
            f"'timeout' in {config.file}.",
        )
    kind = kind_of(error)
    if kind == "no database":
        return SourceMissing(
            config.name, "the server has no such database", found=where, do=f"Mend {config.file}."
        )
    if kind == "refused":
        return SourceError(
            config.name,
            "the server refuses the user",
            found=where,
            do="Check user name, password and rights.",
        )
    if kind == "no right":
        return SourceError(
            config.name,
            "the user may not read this",
            found=where,
            do="Grant it SELECT on the tables, and USAGE on their schema.",
        )
    if kind == "no file":
        return SourceLayout(
            config.name, "the file is no SQLite database, or damaged", found=where, do="Replace it."
        )
    if kind == "locked":
        return SourceUnreachable(
            config.name,
            "somebody else holds a lock on what is to be read",
            found=where,
            do="Sync when the table is not being rebuilt.",
        )
    if kind == "time is up":
        return SourceError(
            config.name,
            "the server stops the query because its time is up",
            found=where,
            do="Raise statement_timeout (PostgreSQL) or max_statement_time (MariaDB) for the user.",
        )
    if kind == "full":
        return SourceUnreachable(
            config.name, "the server has no connection left", found=where, do="Sync later."
        )
    if kind == "conflict":
        return SourceUnreachable(
            config.name,
            "the server stops the query for another transaction",
            found=where,
            do="Sync again; on a replica, raise max_standby_streaming_delay.",
        )
    if kind == "text":
        return _not_text(config, where)
    if kind == "gone":
        return SourceUnreachable(
            config.name,
            "the database does not answer",
            found=where,
            do="Check that it runs and can be reached from here.",
        )
    return SourceError(
        config.name,
        "the database breaks off",
        found=f"error {_code(error) or type(error.orig).__name__} from {where}",
        do="Ask its admin.",
    )


def kind_of(error: exc.DBAPIError) -> str:
    """What happened, in a word; "gone" if all that is known is that it is the server; ''."""
    code, message = _code(error), str(error.orig)
    if code in _KINDS:
        return _KINDS[code]
    for kind, pattern in (
        ("no database", _NO_DATABASE),
        ("refused", _REFUSED),
        ("no file", _NO_FILE),
        ("locked", _LOCKED),
    ):
        if pattern.search(message):
            return kind
    lost = isinstance(error, exc.OperationalError | exc.InterfaceError)
    return "gone" if lost or error.connection_invalidated else ""


def _code(error: exc.DBAPIError) -> str:
    """The server's own code; '' where there is none."""
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if isinstance(number, int):
        return str(number)
    return str(getattr(error.orig, "sqlstate", None) or "")


def _not_text(config: SourceConfig, where: str) -> SourceEncoding:
    return SourceEncoding(
        config.name,
        "the database sends text that is not in its encoding",
        found=where,
        do="Set the encoding in the URL (client_encoding or charset).",
    )


def shown(url: sa.URL) -> str:
    """A database without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or str(url.query.get("host", "a local socket"))
    return f"{url.get_backend_name()} database {url.database or ''} on {host}" + (
        f":{url.port}" if url.port else ""
    )

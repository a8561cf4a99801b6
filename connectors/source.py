"""Sources: loading their settings, reading them into the lake, checking them.

What belongs here: the way from a declared source to its snapshot, and which
connector reads which kind. How a kind is read stands in its own module.
"""

import hashlib
import importlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from connectors import (
    cron,
    declarations,
    drift,
    file_merging,
    fixed_width,
    mapping,
    merging,
    sealing,
    snapshot,
    switched_off,
)
from connectors import files as file_sets
from connectors.config import SourceConfig
from connectors.declarations import Declared
from connectors.holding import held
from connectors.reading import (
    RESERVED,
    FastPathBroken,
    FileFacts,
    Reading,
    Since,
    Withhold,
)
from connectors.snapshot import Extraction, Manifest
from onefold.errors import ConfigError, OnefoldError, SourceEmpty
from onefold.keys import Keys

__all__ = [
    "Declared",
    "Extraction",
    "Manifest",
    "SourceConfig",
    "check",
    "declared",
    "extract",
    "files",
    "load_one",
    "load_sources",
    "reread",
]


class Reader(Protocol):
    """How a connector is asked for rows."""

    def __call__(
        self, config: SourceConfig, since: Since | None = None, /, **asked: int
    ) -> AbstractContextManager[Reading]:
        """Open a source: everything, or what changed since (connectors/reading.py).

        Args:
            asked: ``limit``, of a server: rows to ask for at most.
        """


_MODULES = {
    "sql": "connectors.sql",
    "spreadsheet": "connectors.spreadsheet",
    "delimited": "connectors.delimited",
    "fixed_width": "connectors.fixed_width",
    "parquet": "connectors.parquet",
    "dbf": "connectors.legacy.dbf",
    "cobol": "connectors.legacy.cobol",
    "access": "connectors.legacy.access",
    "json": "connectors.nested.json_files",
    "xml": "connectors.nested.xml_files",
    "api": "connectors.web.api",
}
_ASKED = ("sql", "api")
"""Connectors of servers, which can be asked for some rows only; all others read files."""

_HOW_ONLY = {"auth", "verify", "timeout", "page_size", "requests_per_second", "wait_at_most"}
"""Settings of ``api`` that change nothing of what is read."""
_WITHOUT = "connectorx broke off, so everything was read without it ('fast')"
READER_VERSION = 2
"""Raised when a connector reads the same bytes differently than before, or rows are hashed so."""


def reader(config: SourceConfig) -> Reader:
    """What reads a source; imported when it is needed, for the libraries of all take a second."""
    read: Reader = importlib.import_module(_MODULES[config.connector]).read
    return read


def declared(
    home: Path, keys: Keys | None = None, encrypted: frozenset[str] = frozenset()
) -> Declared:
    """Read every ``sources/*.yml`` of a home; a wrong one does not keep the others back.

    What a layout file says about the values and date formats of its fields is
    added to ``values`` and ``formats``.

    Args:
        home: the home.
        keys: the home's keys, for who reads or writes values in the lake.
        encrypted: the columns of the canonical model that are kept encrypted with them
            (rules/protection.py says which a home names).
    """
    found = declarations.declared(home)
    sources = {
        name: fixed_width.with_layout(config) if config.connector == "fixed_width" else config
        for name, config in found.sources.items()
    }
    return Declared(
        {name: config.with_keys(keys, encrypted) for name, config in sources.items()}, found.broken
    )


def load_sources(home: Path) -> dict[str, SourceConfig]:
    """The sources of a home by name, if every one of them is declared rightly.

    Raises:
        ConfigError: of the first that is not; names file and field.
    """
    found = declared(home)
    for error in found.broken.values():
        raise error
    return found.sources


def load_one(home: Path, name: str) -> SourceConfig:
    """One source of a home; what is wrong with the others does not matter.

    Raises:
        ConfigError: it is not declared, or not rightly.
    """
    found = declared(home)
    if name in found.broken:
        raise found.broken[name]
    if name not in found.sources:
        raise ConfigError(
            name,
            "there is no such source",
            found=", ".join(found.names) or "none",
            do="Name one of them, or add it with 'onefold source add'.",
        )
    return found.sources[name]


def extract(
    config: SourceConfig,
    lake: Path,
    previous: Manifest | None,
    withhold: Withhold | None = None,
) -> Extraction:
    """Read a source into a new snapshot, unless nothing changed.

    Files whose bytes are those of the last time are not even parsed. Nothing but
    a finished snapshot is ever left in the lake.

    Args:
        previous: the manifest of the last good snapshot, None at the first sync.
        withhold: says which rows may not land; None: all may.

    Raises:
        SourceError: missing, locked, unreachable, not as declared, empty, or shrunk.
    """
    with held(config) as config:
        return _extract(config, lake, previous, withhold)


def _extract(
    config: SourceConfig,
    lake: Path,
    previous: Manifest | None,
    withhold: Withhold | None,
    *,
    whole: bool = False,
) -> Extraction:
    settings_hash = _settings_hash(config)
    facts: list[FileFacts] = []
    if config.held:
        facts = config.held.facts(previous.files if previous else ())
        if previous and settings_hash == previous.settings_hash:
            old = snapshot.path_of(lake, previous)
            if tuple(facts) == previous.files and old.is_file():
                return Extraction("unchanged", old, previous)
        if previous and config.mode == "files" and snapshot.path_of(lake, previous).is_file():
            merged = partial(
                file_merging.merge,
                partial(reader(config), config),
                partial(_prepare, config, withhold=withhold),
                config,
                lake,
                previous,
                facts,
                settings_hash=settings_hash,
            )
            done = merged() if settings_hash == previous.settings_hash else None
            done = done or merged(again=True)
            if done is not None:
                return done
    since, compare = (None, True) if whole else _since(config, lake, previous, settings_hash)
    landed = partial(
        _landed,
        lake=lake,
        previous=previous,
        facts=facts,
        settings_hash=settings_hash,
        withhold=withhold,
    )
    try:
        done = landed(config, since, compare=compare) if since else None
        done = done or landed(config, None)
    except FastPathBroken:
        done = landed(config.model_copy(update={"fast": False}), None, note=_WITHOUT)
    assert done is not None  # everything can always be read
    return done


def _landed(
    config: SourceConfig,
    since: Since | None,
    *,
    lake: Path,
    previous: Manifest | None,
    facts: list[FileFacts],
    settings_hash: str,
    withhold: Withhold | None,
    compare: bool = False,
    note: str = "",
) -> Extraction | None:
    """Read what changed, or everything; None: what changed is not enough."""
    with reader(config)(config, since) as reading:
        reading.report.files = facts
        if note:
            reading.report.note(note)
        _compare(config, reading, lake, previous)
        key = _prepare(config, reading, withhold)
        if previous is None or reading.changes is None:
            done: Extraction | None = snapshot.write(
                reading, config, lake, previous, key=tuple(key), settings_hash=settings_hash
            )
        else:
            done = merging.merge(
                reading, config, lake, previous, settings_hash=settings_hash, compare=compare
            )
        if done is not None:
            reading.release()
        return done


def reread(
    config: SourceConfig,
    lake: Path,
    previous: Manifest,
    begin: str,
    end: str,
    withhold: Withhold | None = None,
) -> Extraction:
    """Read the rows of a range of the cursor again and put them over the last snapshot.

    New and changed rows come in, and rows leave that the last snapshot has in the range and the
    source has nowhere any more. How far the source was read does not change. Where very many rows
    would have to be looked up, or the settings changed, everything is read.

    Args:
        previous: the manifest of the last good snapshot.
        begin: where the range begins, written as the cursor is.
        end: where it ends, exclusive.
        withhold: as for :func:`extract`.

    Raises:
        ConfigError: the source has no cursor, or the range does not suit it.
        SourceError: as :func:`extract`.
    """
    if config.mode != "cursor" or config.connector != "sql":
        raise ConfigError(
            config.file,
            "only a database with mode: cursor has ranges to read again",
            found=f"mode: {config.mode}",
            do="Sync it; mode: snapshot and mode: files read everything that changed.",
        )
    settings_hash = _settings_hash(config)
    with reader(config)(config, Since(mark=begin, until=end)) as reading:
        _prepare(config, reading, withhold)
        reading.mark = snapshot.progress(lake, previous).mark
        done = None
        if previous.settings_hash == settings_hash:
            done = merging.merge(
                reading, config, lake, previous, settings_hash=settings_hash, compare=False
            )
    return done or _extract(config, lake, previous, withhold, whole=True)


def _since(
    config: SourceConfig, lake: Path, previous: Manifest | None, settings_hash: str
) -> tuple[Since | None, bool]:
    """Where changes begin, None if everything is to be read; and whether to compare all keys."""
    if config.mode not in ("cursor", "changes") or previous is None:
        return None, False
    progress = snapshot.progress(lake, previous)
    if not progress.mark or previous.settings_hash != settings_hash:
        return None, False
    if not snapshot.path_of(lake, previous).is_file() or not previous.rows:
        return None, False
    return Since(mark=progress.mark), _is_due(config, progress.compared_at)


def _is_due(config: SourceConfig, last: datetime | None) -> bool:
    """Whether all keys are compared now; cron lines go by the clock of the source's zone."""
    every, now = config.full_every, datetime.now(UTC)
    if every == "never" or last is None:
        return every != "never"
    if isinstance(every, timedelta):
        return now >= last + every
    came = cron.latest(every, now.astimezone(ZoneInfo(config.time_zone)))
    return came is not None and came > last


def _compare(config: SourceConfig, reading: Reading, lake: Path, previous: Manifest | None) -> None:
    """Hold a source back whose columns are not those of its last snapshot.

    Raises:
        SourceHeld: one that is used is gone, or of another type, and nobody accepted it.
    """
    if not (previous and previous.rows and reading.columns):
        return
    if drift.is_accepted(snapshot.folder(lake, config.name), previous.sync_id):
        return
    same = previous.mapped_as == drift.mapped_as(config)
    drift.check_columns(
        config,
        reading,
        previous.columns,
        previous.key,
        previous.types if same else {},
        snapshot.path_of(lake, previous),
    )


def _prepare(config: SourceConfig, reading: Reading, withhold: Withhold | None = None) -> list[int]:
    """Refuse what cannot be used before any row is read, and say which rows may not land.

    Returns:
        where the key's columns are.
    """
    if not reading.columns:
        raise SourceEmpty(
            config.name,
            "there is nothing to read, not even headings",
            found=reading.origin,
            do="Mend the source; its last good records stay in use.",
        )
    reading.columns = [f"{name}_" if name in RESERVED else name for name in reading.columns]
    mapping.resolve(config, reading.columns)
    if (
        config.mode == "cursor"
        and mapping.find_column(reading.columns, config.cursor or "") is None
    ):
        raise mapping.missing_column(config, config.cursor or "", reading.columns, "cursor")
    key = key_columns(config, reading)
    switched_off.leave_out(reading, config, key)
    reading.seal = sealing.of(config, reading.columns)
    if reading.seal:
        reading.seal.check_key(config, [reading.columns[place] for place in key])
    reading.withhold = withhold
    return key


def key_columns(config: SourceConfig, reading: Reading) -> list[int]:
    """Where the key's columns are; one that ends in ``?`` may be missing if another is there."""
    names = config.key or reading.key
    found = {name: mapping.find_column(reading.columns, name.removesuffix("?")) for name in names}
    there = [column for column in found.values() if column is not None]
    for name, column in found.items():
        if column is None and (not there or not name.endswith("?")):
            raise mapping.missing_column(config, name, reading.columns, "key")
    return [reading.columns.index(column) for column in dict.fromkeys(there)]


def _settings_hash(config: SourceConfig) -> str:
    """Of everything that shapes a reading: settings, layout, words for headings."""
    parts = config.model_dump_json(
        include={
            "connector",
            "table",
            "query",
            "template",
            "only",
            "database_schema",
            "mode",
            "cursor",
            "changes",
            "deleted",
            "sheets",
            "hidden_sheets",
            "header_row",
            "encoding",
            "delimiter",
            "members",
            "record",
            "count",
            "lists",
            "memos",
            "check_counts",
            "key",
            "columns",
            "headings",
            "country",
            "api",
        },
        exclude={"api": _HOW_ONLY},
    )
    digest = hashlib.sha256(f"{READER_VERSION} {parts}".encode())
    digest.update(mapping.words_hash().encode())
    if config.connector == "sql":
        from connectors import database_connections

        digest.update(database_connections.database_of(config).encode())
    for path in layouts(config):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def layouts(config: SourceConfig) -> list[Path]:
    """The layout files of a source that are there, a copybook too."""
    if not config.layout or not Path(config.layout).is_file():
        return []
    path = Path(config.layout)
    if config.connector != "cobol":
        return [path]
    from connectors.legacy import cobol_layout

    book = cobol_layout.copybook_of(path)
    return [path] if book in (None, path) or not book.is_file() else [path, book]


def files(config: SourceConfig) -> list[tuple[str, int, int]]:
    """Path, size and time of change (ns) of every file, cheap enough for a sensor.

    Empty for a database server, for files elsewhere and for files that are not there.
    """
    if config.connector == "api":
        return []
    if config.connector == "sql":
        from connectors import database_connections

        paths = database_connections.database_files(config)
    else:
        try:
            found = file_sets.on_disk(config)
            paths = [path for file in found for path in (file.path, *file.beside)]
        except OnefoldError:
            return []
        paths += layouts(config)
    result = []
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        result.append((str(path), status.st_size, status.st_mtime_ns))
    return result


@contextmanager
def opened(config: SourceConfig, rows: int) -> Iterator[Reading]:
    """Open a source of which no more than some rows will be read; a server is asked for those."""
    if config.connector in _ASKED:
        with reader(config)(config, limit=rows) as reading:
            yield reading
    else:
        with held(config) as config, reader(config)(config) as reading:
            yield reading


def check(config: SourceConfig) -> str:
    """Say in words that a source can be reached and read as declared.

    Raises:
        SourceError: it cannot; the message says why and what to do.
    """
    with opened(config, 1) as reading:
        _prepare(config, reading)
        fields = mapping.resolve(config, reading.columns)
        what = reading.origin
        return f"{what} can be read; {len(reading.columns)} columns, mapped: {', '.join(fields)}"

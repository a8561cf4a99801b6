"""How the last sync of each source and the last publish went: ``operations/outcomes.json``.

What belongs here: that one file of a home. It says what no table can, as a sync
of unchanged records writes nothing to the warehouse: that it was tried, and was
good. Losing the file loses nothing else; the tables then speak for themselves
(warehouse/health.py).
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

FOLDER = "operations"
"""Folder of a home with what is known of its running."""
DATA_DOCS = f"{FOLDER}/data-docs"
"""Below the home: Great Expectations' Data Docs as they were last asked for."""
FIRST_PAGE = "index.html"
"""Of the Data Docs."""
_FILE = "outcomes.json"


@dataclass(frozen=True)
class SourceOutcome:
    """The last sync of a source.

    Attributes:
        status: changed, unchanged, failed or held.
        message: why it failed or was held; no customer values.
        tried_at: when it ended, UTC, ISO 8601.
        good_at: when the last good one ended; empty if there was none.
        since: when ``status`` became good, or bad, first in a row.
        read, staged, quarantined, findings: of the last good sync: rows read, records live,
            records kept out whole, open findings.
        added, changed, deleted: records that the last sync brought, changed and took away.
        newest_at: latest ``updated_at`` of its records; empty if they have none.
        fresh_for: how old, in seconds, the last good sync may be; 0: nobody said.
        files: names the state of its files that the last good sync read; empty for what is no file.
    """

    status: str
    message: str = ""
    tried_at: str = ""
    good_at: str = ""
    since: str = ""
    read: int = 0
    staged: int = 0
    quarantined: int = 0
    findings: int = 0
    added: int = 0
    changed: int = 0
    deleted: int = 0
    newest_at: str = ""
    fresh_for: int = 0
    files: str = ""

    @property
    def good(self) -> bool:
        """Whether the source could be read and staged."""
        return self.status in ("changed", "unchanged")


@dataclass(frozen=True)
class GoldenOutcome:
    """The last run, as far as the golden table is concerned.

    Attributes:
        status: published, held (a check held it back) or failed (a stage did not end).
        message: why not published; no customer values.
        tried_at: when, UTC, ISO 8601.
        good_at: when it was last up to date with the staged records.
        since: when ``status`` became good, or bad, first in a row.
    """

    status: str
    message: str = ""
    tried_at: str = ""
    good_at: str = ""
    since: str = ""

    @property
    def good(self) -> bool:
        """Whether the golden table was up to date then."""
        return self.status == "published"


@dataclass(frozen=True)
class Outcomes:
    """What the file says."""

    sources: Mapping[str, SourceOutcome] = field(default_factory=dict)
    golden: GoldenOutcome | None = None


_Kind = TypeVar("_Kind", SourceOutcome, GoldenOutcome)


def read(home: Path) -> Outcomes:
    """What is known; nothing where there is no file, or one that is not ours."""
    found = read_json(home / FOLDER / _FILE)
    sources = found.get("sources") or {}
    golden = found.get("golden")
    return Outcomes(
        {name: _known(SourceOutcome, values) for name, values in sorted(sources.items())},
        _known(GoldenOutcome, golden) if golden else None,
    )


def note_source(home: Path, source: str, outcome: SourceOutcome) -> SourceOutcome:
    """Keep how a sync of a source went; gives it with ``tried_at``, ``good_at`` and ``since``."""
    with _changing(home) as found:
        sources = found.setdefault("sources", {})
        sources[source] = _following(asdict(outcome), sources.get(source), outcome.good)
        return _known(SourceOutcome, sources[source])


def note_golden(home: Path, outcome: GoldenOutcome) -> GoldenOutcome:
    """Keep how a run left the golden table, unless a later one is known already."""
    with _changing(home) as found:
        before = found.get("golden")
        if not before or not outcome.tried_at or outcome.tried_at > before["tried_at"]:
            found["golden"] = _following(asdict(outcome), before, outcome.good)
        return _known(GoldenOutcome, found["golden"])


def forget(home: Path, source: str) -> None:
    """Drop what is known of a source that is there no more."""
    with _changing(home) as found:
        found.get("sources", {}).pop(source, None)


def read_json(path: Path) -> dict[str, Any]:
    """A file of operations/; empty where it is missing or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file of operations/ whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    text = json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)


@contextmanager
def alone(home: Path, name: str) -> Iterator[None]:
    """Hold a lock of operations/ (the kernel's; a killed process gives it up by dying)."""
    folder = home / FOLDER
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _changing(home: Path) -> Iterator[dict[str, Any]]:
    path = home / FOLDER / _FILE
    with alone(home, "outcomes"):
        found = read_json(path)
        yield found
        write_json(path, found)


def _following(values: dict[str, Any], before: dict[str, Any] | None, good: bool) -> dict[str, Any]:
    """The new outcome with its moments, which follow from the one before."""
    now = values["tried_at"] or datetime.now(UTC).isoformat(timespec="seconds")
    was = _is_good((before or {}).get("status", ""))
    same = before is not None and was == good
    return values | {
        "tried_at": now,
        "good_at": now if good else (before or {}).get("good_at", ""),
        "since": (before or {}).get("since", now) if same else now,
    }


def _is_good(status: str) -> bool:
    return status in ("changed", "unchanged", "published")


def _known(kind: type[_Kind], values: Mapping[str, Any]) -> _Kind:
    names = {one.name for one in fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names})

"""What every connector hands to the snapshot writer: columns, rows and a report.

What belongs here: the shape of a reading and the columns that every snapshot
has. How rows are found in a source is the connector's part; how they are kept
is connectors/snapshot.py.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

SOURCE_KEY, POSITION, ROW_HASH, PROBLEM = "_source_key", "_position", "_row_hash", "_problem"
RESERVED = (SOURCE_KEY, POSITION, ROW_HASH, PROBLEM)
"""Columns that a snapshot adds to the source's own."""


class Row(NamedTuple):
    """One source record.

    Attributes:
        position: where it stands: ``file|sheet|row``, ``file|line``, ``file|byte offset``
            or the table.
        values: one per column, text exactly as read; None where there is nothing.
        problem: why the record as a whole cannot be trusted, or None. Never a value.
    """

    position: str
    values: Sequence[str | None]
    problem: str | None = None


class FileFacts(BaseModel):
    """One file as it was read."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Relative to the folder that the glob starts in; as in positions."""
    size: int
    """Bytes."""
    sha256: str
    """Of its bytes, hexadecimal."""


class Skipped(BaseModel):
    """Something in a source that is no record and was left out."""

    model_config = ConfigDict(frozen=True)

    where: str
    """File, or file and sheet."""
    what: str
    """empty row, totals row, hidden sheet, ..."""
    count: int


@dataclass
class Report:
    """What a connector notices while its rows are read; complete after the last row."""

    files: list[FileFacts] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    _skipped: Counter[tuple[str, str]] = field(default_factory=Counter)

    def skip(self, where: str, what: str, count: int = 1) -> None:
        """Count something left out."""
        if count:
            self._skipped[where, what] += count

    def note(self, text: str, count: int = 1) -> None:
        """Count something worth a look; ``text`` names no values."""
        self.notes[text] += count

    @property
    def skipped(self) -> list[Skipped]:
        """Everything left out, in a lasting order."""
        return [
            Skipped(where=where, what=what, count=count)
            for (where, what), count in sorted(self._skipped.items())
        ]

    @property
    def lines(self) -> list[str]:
        """The notes as lines, with how often where it was more than once."""
        return [
            text if count == 1 else f"{text} ({count} times)"
            for text, count in sorted(self.notes.items())
        ]


@dataclass
class Reading:
    """An opened source: columns now, rows as they come."""

    columns: list[str]
    rows: Iterator[Row]
    report: Report
    origin: str
    """What was opened, in words, for people."""
    key: tuple[str, ...] = ()
    """Key columns that the source itself declares (a layout), used if the YAML has none."""

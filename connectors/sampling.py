"""A bounded sample of a source, read as a sync would read it, and kept nowhere.

What belongs here: how many rows of which files are looked at. What they say
about a source stands in connectors/recognition.py and rules/onboarding.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from connectors import columnar, files, snapshot, source, switched_off
from connectors.config import SourceConfig
from connectors.holding import held, only
from connectors.reading import RESERVED, Skipped
from onefold.errors import SourceEmpty, SourceLayout

_Item = TypeVar("_Item")
ROWS = 20_000
"""Rows that are read of a source at most."""
FILES = 12
"""Files of a glob that are read at most: the first and the last by name, and some between."""


@dataclass(frozen=True)
class Sample:
    """Some records of a source.

    Attributes:
        table: as a snapshot: ``_source_key``, ``_position``, ``_row_hash``, ``_problem``, and
            the source's columns as text.
        origin: what was read, in words.
        key: key columns that the source itself declares (a layout, a primary key).
        complete: whether these are all records.
        headings: whether there are headings; without, columns are ``column 1``, ...
        skipped: what was left out as no record.
        notes: what else is worth a look; no values.
    """

    table: pa.Table
    origin: str
    key: tuple[str, ...]
    complete: bool
    headings: bool
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """The source's own columns."""
        return [name for name in self.table.column_names if name not in RESERVED]


def unmapped(config: SourceConfig, rows: int = ROWS) -> tuple[Sample, ...]:
    """One sample for every file of a source that is not mapped yet; one for a database.

    A file whose first row is a record has no headings.

    Raises:
        SourceError: as the connector; SourceEmpty if there are no records.
    """
    # A name that is filled in keeps no sheet out because nothing in it is called a name.
    config = config.model_copy(update={"headings": "auto", "defaults": {"name": ""}})
    with held(config) as config:
        parts: Sequence[SourceConfig] = [config]
        if config.held:
            parts = [only(config, file) for file in spread(files.find(config))]
        samples = tuple(_unmapped(part, max(rows // len(parts), 1)) for part in parts)
    if not any(sample.table.num_rows for sample in samples):
        raise SourceEmpty(config.name, "there are no records", do="Give a source with some.")
    return samples


def spread(found: Sequence[_Item]) -> list[_Item]:
    """Some of many files, from the first to the last.

    >>> len(spread(range(100))), len(spread([1]))
    (12, 1)
    """
    if len(found) <= FILES:
        return list(found)
    return [found[i * (len(found) - 1) // (FILES - 1)] for i in range(FILES)]


def _unmapped(config: SourceConfig, rows: int) -> Sample:
    sample = read(config, rows)
    if config.connector not in ("spreadsheet", "delimited") or config.header_row is not None:
        return sample
    if not columnar.is_record(sample.columns):
        return sample
    without = read(config.model_copy(update={"header_row": 0}), rows)
    return replace(without, headings=False)


def read(config: SourceConfig, rows: int = ROWS) -> Sample:
    """The first records of a source as a sync would land them.

    Raises:
        SourceError: missing, locked, unreachable, or not as declared.
    """
    with source.opened(config, rows) as reading, tempfile.TemporaryDirectory() as lake:
        reading.columns = [f"{name}_" if name in RESERVED else name for name in reading.columns]
        if not reading.columns:
            raise SourceEmpty(
                config.name, "there is nothing to read", found=reading.origin, do="Mend it."
            )
        key = source.key_columns(config, reading)
        switched_off.leave_out(reading, config, key)
        landed = snapshot.write(
            replace(reading, rows=reading.batches(rows)),
            config,
            Path(lake),
            None,
            key=tuple(key),
            settings_hash="",
        )
        manifest = landed.manifest
        return Sample(
            table=snapshot.read(landed.path),
            origin=reading.origin,
            key=tuple(reading.key),
            complete=manifest.rows < rows,
            headings=config.header_row != 0,
            skipped=manifest.skipped,
            notes=manifest.notes,
        )


def require_columns(samples: Sequence[Sample], what: str, *, is_table: bool) -> None:
    """Refuse what has one column: a text that is cut wrongly, or no table of customers.

    Args:
        is_table: of a database or an Access file.

    Raises:
        SourceLayout: no sample has more than one column.
    """
    if all(len(sample.columns) < 2 for sample in samples):
        raise SourceLayout(
            what,
            "there is one column only",
            do="Name another one with --table TABLE."
            if is_table
            else "Give the layout of a fixed-width file with --layout FILE.",
        )

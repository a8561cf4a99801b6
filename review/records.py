"""A record as its source wrote it, and what it would become with a repair.

What belongs here: the record's row in the newest snapshot of the lake, and
reading it again by the field rules. The expectations of a source's YAML are
checked when it is staged, not here. Where the lake or the source's YAML is not
at hand, there is nothing to show and nothing to try.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors import sealing, snapshot
from connectors.config import SourceConfig
from connectors.mapping import resolve
from connectors.source import declared
from onefold.errors import SourceError
from onefold.keys import Keys
from onefold.settings import Settings
from rules import protection, standardize
from rules.cells import staged_fields
from rules.quarantine import Problem
from rules.repairs import REPAIRS_SCHEMA, raw_hash
from warehouse import repairs
from warehouse.engine import Warehouse
from warehouse.findings import Finding


@dataclass(frozen=True)
class Cell:
    """A cell of a record: the source's column, its text, the staged field it feeds or None."""

    column: str
    text: str
    field: str | None


@dataclass(frozen=True)
class Source:
    """A record in the newest snapshot of its source.

    Attributes:
        row: the snapshot's row, one.
        config: the source as declared.
        country: where its numbers are from, where they do not say.
        path: the snapshot.
        sealed: which of its columns are encrypted.
    """

    row: pa.Table
    config: SourceConfig
    country: str
    path: Path
    sealed: tuple[str, ...] = ()

    def among_others(self) -> pa.Table:
        """The record, and after it others that tell in what order its dates are written."""
        with pq.ParquetFile(self.path) as file:
            others = pa.Table.from_batches([next(file.iter_batches(_OTHERS))])
            others = sealing.opened(others, self.sealed, self.config.keys)
        same = pc.equal(others["_source_key"], self.row["_source_key"][0])
        return pa.concat_tables([self.row, others.filter(pc.invert(same))])


@dataclass(frozen=True)
class Tried:
    """What a record would become with a repair.

    Attributes:
        found: whether the value is still there to be mended.
        value: the field's staged value then.
        before: its staged value without the repair.
        problems: what the field's rules would say that they do not say without it.
    """

    found: bool
    value: Any
    before: Any
    problems: list[Problem]

    @property
    def passes(self) -> bool:
        """Whether the value would be used without a word."""
        return self.found and not self.problems


def find(settings: Settings, source: str, key: str) -> Source | None:
    """A record as its source wrote it last; None where it is not at hand."""
    config = protection.declared(settings.home, Keys.of(settings)).sources.get(source)
    if config is None or "://" in settings.lake.removeprefix("file://"):
        return None
    lake = Path(settings.lake.removeprefix("file://"))
    try:
        manifest = snapshot.latest(lake, source)
        if manifest is None:
            return None
        path = snapshot.path_of(lake, manifest)
        row = _row(path, key)
    except (SourceError, OSError, pa.ArrowInvalid):  # damaged, or cleared away meanwhile
        return None
    if row is None:
        return None
    row = sealing.opened(row, manifest.sealed, config.keys)
    return Source(row, config, config.country or settings.country, path, manifest.sealed)


def is_declared(settings: Settings, source: str) -> bool:
    """Whether a source is still declared, be it wrongly: else it is never staged again."""
    known = declared(settings.home)
    return source in known.sources or source in known.broken


def _row(path: Path, key: str) -> pa.Table | None:
    """The row of a snapshot with a key, of which one row group is read in full."""
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            keys = file.read_row_group(number, columns=["_source_key"])["_source_key"]
            at = pc.index(keys, key).as_py()
            if at >= 0:
                return file.read_row_group(number).slice(at, 1)
    return None


def cells(record: Source | None) -> list[Cell]:
    """The filled cells of a record; empty where it is not at hand."""
    if record is None:
        return []
    names = [name for name in record.row.column_names if name[:1] != "_"]
    try:
        mapped = resolve(record.config, names)
    except SourceError:
        mapped = {}
    feeds = {
        column: staged_fields(field)[0] for field, columns in mapped.items() for column in columns
    }
    [values] = record.row.to_pylist()
    return [Cell(name, str(values[name]), feeds.get(name)) for name in names if values[name]]


def attempt(
    wh: Warehouse, record: Source | None, finding: Finding, kind: repairs.Kind, value: str = ""
) -> Tried | None:
    """Read a finding's record again with a repair, by the field rules; nothing is kept.

    Returns:
        what it would become; None where the record is not at hand.
    """
    if record is None:
        return None
    new = {
        "repair_id": _NEW,
        "source_key": finding.source_key,
        "field": finding.field,
        "rule": finding.rule,
        "kind": kind,
        "value": value.strip(),
        "raw_hash": raw_hash(finding.raw_value),
    }
    in_force = repairs.in_force(wh, finding.source, finding.source_key).to_pylist()
    try:
        rows = record.among_others() if finding.field in _DATED else record.row
        before = _read(record, rows, in_force)
        after = _read(record, rows, [*in_force, new])
    except (SourceError, OSError, pa.ArrowInvalid):
        return None
    problems = [
        Problem(rule, text, "error" if severity == "error" else "warning")
        for _, rule, text, severity in sorted(
            _said(after, finding.field) - _said(before, finding.field)
        )
    ]
    gained, without = (
        read.staged[finding.field][0].as_py() if finding.field else None for read in (after, before)
    )
    found = kind == "accept" or _NEW not in after.repairs.overtaken
    return Tried(found, gained, without, problems)


_NEW = "~"
"""Id of a repair that is tried: after those in force."""
_DATED = frozenset({"birth_date", "created_at", "updated_at"})
"""Staged fields whose rules look at the other dates of their column."""
_OTHERS = 500


def _read(
    record: Source, rows: pa.Table, mending: list[dict[str, Any]]
) -> standardize.Standardized:
    table = pa.Table.from_pylist(mending, schema=REPAIRS_SCHEMA)
    return standardize.standardize(rows, record.config, record.country, table)


def _said(read: standardize.Standardized, field: str | None) -> frozenset[tuple[str, ...]]:
    """What the rules say of a field and nobody accepted: raw value, rule, reason, severity."""
    found = set()
    for one in read.problems.to_pylist():
        of = (one["source_key"], one["field"], one["rule"], one["raw_value"])
        if one["row"] == 0 and one["field"] == field and not read.repairs.accepts(*of):
            found.add((one["raw_value"] or "", one["rule"], one["reason"], one["severity"]))
    return frozenset(found)

"""A source described column by column, with what each is taken for.

What belongs here: statistics and readings side by side. How the report looks
stands in onefold/cli/profile_page.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connectors import mapping, recognition
from connectors.column_reading import Column
from connectors.config import SourceConfig
from connectors.sampling import Sample
from rules.onboarding import statistics
from rules.onboarding.statistics import Statistics


@dataclass(frozen=True)
class Described:
    """One column.

    Attributes:
        statistics: what stands in it.
        taken_for: input field, ``key``, or '' where it is nothing of a customer's.
        confidence: 0..1; how sure that is.
        reason: why, without values.
    """

    statistics: Statistics
    taken_for: str
    confidence: float
    reason: str


@dataclass(frozen=True)
class Profile:
    """A source.

    Attributes:
        name: the source's name.
        origin: what was read, in words: files with their encodings.
        rows: records read.
        complete: whether these are all.
        headings: the row of the headings as far as known, in words.
        skipped: what was left out as no record, in words.
        notes: what else is worth a look; no values.
        columns: one per column, in the source's order.
    """

    name: str
    origin: str
    rows: int
    complete: bool
    headings: str
    skipped: tuple[str, ...]
    notes: tuple[str, ...]
    columns: tuple[Described, ...]


def profile(config: SourceConfig, samples: Sequence[Sample]) -> Profile:
    """Describe the columns of a source.

    Args:
        config: as declared; what it maps is shown as such.
        samples: records of it.
    """
    tables = [sample.table for sample in samples]
    found = recognition.recognize(tables, whole=True)
    declared = _declared(config, [column.name for column in found.columns])
    return Profile(
        name=config.name,
        origin="; ".join(sample.origin for sample in samples),
        rows=sum(table.num_rows for table in tables),
        complete=all(sample.complete for sample in samples),
        headings="found" if all(sample.headings for sample in samples) else "there are none",
        skipped=tuple(
            f"{one.where}: {one.count:,} {one.what}" for sample in samples for one in sample.skipped
        ),
        notes=tuple(note for sample in samples for note in sample.notes),
        columns=tuple(
            _described(statistics.describe(column.name, tables), column, declared)
            for column in found.columns
        ),
    )


def _declared(config: SourceConfig, columns: Sequence[str]) -> dict[str, str]:
    """Column → what the source's YAML says it is; empty where nothing is declared."""
    if not config.columns:
        return {}
    found = {
        column: field
        for field, names in mapping.resolve(config, columns).items()
        for column in names
    }
    keys = (mapping.find_column(columns, name) for name in config.key)
    return found | {column: "key" for column in keys if column and column not in found}


def _described(found: Statistics, column: Column, declared: dict[str, str]) -> Described:
    if column.name in declared:
        return Described(found, declared[column.name], 1.0, "declared")
    if declared:
        return Described(found, "", 1.0, "not declared")
    taken = column.field if column.role == "field" else "key" if column.role == "key" else ""
    reason = "no input field is like it" if column.role == "text" else column.reason
    return Described(found, taken, column.confidence, reason)

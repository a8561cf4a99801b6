"""A sample of a source sent through the rules, and kept nowhere.

What belongs here: raw and staged side by side, what went to quarantine, which
expectations failed. How it looks on a terminal stands in onefold/cli.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors import mapping, sampling
from connectors.config import SourceConfig
from connectors.sampling import Sample
from onefold.errors import SourceEmpty
from rules import suites
from rules.customer import FIELDS
from rules.standardize import standardize
from rules.suites import Check, Validated

SHOWN = 10
_FIELDS = [field.name for field in FIELDS if not field.key]


@dataclass(frozen=True)
class Value:
    """One field of one record.

    Attributes:
        field: column of the canonical model, or of the source where nothing came of it.
        raw: what the source has, ' | ' between several columns.
        staged: what became of it; '' if nothing did.
        finding: why it went to quarantine, or ''.
    """

    field: str
    raw: str
    staged: str
    finding: str


@dataclass(frozen=True)
class Record:
    """One record, raw and staged.

    Attributes:
        position: where it stands in the source.
        values: its fields that hold something, in the order of the canonical model.
        rejected: why the record as a whole was kept out, or ''.
    """

    position: str
    values: tuple[Value, ...]
    rejected: str


@dataclass(frozen=True)
class Trial:
    """What became of a sample.

    Attributes:
        sample: what was read.
        mapped: input field → columns.
        records: the first ones.
        staged: records that would be staged.
        rejected: records that would be kept out.
        findings: values that would go to quarantine.
        flagged: records with at least one finding.
        failed: expectations that some record or value does not meet, most failures first.
    """

    sample: Sample
    mapped: dict[str, list[str]]
    records: tuple[Record, ...]
    staged: int
    rejected: int
    findings: int
    flagged: int
    failed: tuple[Check, ...]

    @property
    def rows(self) -> int:
        """Records that were read."""
        return self.sample.table.num_rows


def run(
    config: SourceConfig, country: str, *, rows: int = sampling.ROWS, shown: int = SHOWN
) -> Trial:
    """Read a sample of a source, clean and check it.

    Args:
        country: ISO 3166 code of the home.
        rows: records to read at most.
        shown: records to show side by side.

    Raises:
        SourceError: the source cannot be read as declared; SourceEmpty without records.
        ConfigError: an expectation of the source is wrong.
    """
    sample = sampling.read(config, rows)
    if not sample.table.num_rows:
        raise SourceEmpty(config.name, "there are no records", do="Look at the source.")
    mapped = mapping.resolve(config, sample.columns)
    standardized = standardize(sample.table, config, country)
    validated = suites.validate(standardized, config)
    findings = validated.quarantine
    failed = [check for check in validated.checks if check.failed]
    return Trial(
        sample=sample,
        mapped=mapped,
        records=_side_by_side(sample.table, standardized.inputs, validated, shown),
        staged=validated.staged.num_rows,
        rejected=validated.rejected,
        findings=findings.num_rows,
        flagged=len(set(findings["record_id"].to_pylist())),
        failed=tuple(sorted(failed, key=lambda check: (-check.failed, check.name))),
    )


def _side_by_side(
    raw: pa.Table, inputs: Mapping[str, Sequence[str]], validated: Validated, shown: int
) -> tuple[Record, ...]:
    source_keys = raw["_source_key"].to_pylist()[:shown]
    staged = {row["source_key"]: row for row in _rows(validated.staged, source_keys)}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(validated.quarantine, source_keys):
        found.setdefault(str(row["source_key"]), []).append(row)
    records = []
    for row in raw.slice(0, shown).to_pylist():
        key = row["_source_key"]
        findings = found.get(key, [])
        whole = [str(one["reason"]) for one in findings if one["field"] is None]
        values = _values(row, staged.get(key, {}), inputs, findings)
        records.append(Record(row["_position"], tuple(values), " ".join(whole)))
    return tuple(records)


def _rows(table: pa.Table, keys: list[str]) -> list[dict[str, Any]]:
    return list(table.filter(pc.is_in(table["source_key"], pa.array(keys))).to_pylist())


def _values(
    raw: Mapping[str, str | None],
    staged: Mapping[str, Any],
    inputs: Mapping[str, Sequence[str]],
    findings: Sequence[Mapping[str, Any]],
) -> list[Value]:
    reasons: dict[str, str] = {}
    for one in findings:
        if one["field"] is not None:
            reasons.setdefault(one["field"], one["reason"])
    fields = dict.fromkeys([*_FIELDS, *sorted(reasons)])
    values = []
    read = {
        name: [cell for column in inputs.get(name, ()) if (cell := raw.get(column))]
        for name in fields
    }
    used = {cell for name, cells in read.items() if _shown(staged.get(name)) for cell in cells}
    for name in fields:
        before, after = " | ".join(read[name]), _shown(staged.get(name))
        elsewhere = not after and set(read[name]) <= used  # a number of the other kind
        if name in reasons or after or (before and not elsewhere):
            values.append(Value(name, before, after, reasons.get(name, "")))
    return values


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_shown, value)))
    return "" if value is None else str(value)

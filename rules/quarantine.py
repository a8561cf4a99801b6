"""What a rule says about a value that fails it, and the table those rows land in.

What belongs here: the shape of a finding. Which values fail is decided by the
field rules and by the suites (rules/suites.py).
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One finding of a field rule on one value.

    Attributes:
        rule: short lasting name, such as ``phone_scientific_notation``.
        reason: a sentence for the person who mends it: what is wrong, what to do.
        severity: error (the value is not used) or warning (used, but look at it).
    """

    rule: str
    reason: str
    severity: Severity = "error"


QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("record_id", pa.string()),
        pa.field("source", pa.string()),
        pa.field("source_key", pa.string()),
        pa.field("position", pa.string()),
        pa.field("field", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("severity", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("raw_value", pa.string()),
        pa.field("whole_record", pa.bool_()),
    ]
)
"""One row per finding; ``whole_record`` rows name records kept out of staged."""

PROBLEMS_SCHEMA = pa.schema(
    [field for field in QUARANTINE_SCHEMA if field.name != "whole_record"]
    + [pa.field("row", pa.int32())]
)
"""One row per finding of standardize; ``row`` counts the rows of its staged table from 0.

``field`` is null when the record itself fails, not one value of it.
"""

RAW_VALUE_LIMIT = 1000
"""No more characters of a raw value than this are kept; the snapshot in the lake has them all."""


def shorten(raw_value: str | None) -> str | None:
    """A raw value as the quarantine keeps it: cut after :data:`RAW_VALUE_LIMIT` characters.

    >>> shorten("x" * 1005)[-20:]
    'x… (1005 characters)'
    """
    if raw_value is None or len(raw_value) <= RAW_VALUE_LIMIT:
        return raw_value
    return f"{raw_value[:RAW_VALUE_LIMIT]}… ({len(raw_value)} characters)"


class Findings:
    """Collects findings by row; one rule speaks once of one value.

    >>> findings = Findings()
    >>> findings.add(0, "phones", Problem("phone_too_short", "Too short."), "123")
    >>> findings.add(0, "phones", Problem("phone_too_short", "Too short."), "123")
    >>> len(findings)
    1
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[int, str | None, str, str | None], tuple[Severity, str]] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def add(self, row: int, field: str | None, problem: Problem, raw_value: str | None) -> None:
        """Note a finding on a field of a row, or on the whole record (``field`` None)."""
        key = (row, field, problem.rule, shorten(raw_value))
        self._seen.setdefault(key, (problem.severity, problem.reason))

    def table(
        self, record_id: list[str], source_key: list[str], position: list[str], source: str
    ) -> pa.Table:
        """The findings as :data:`PROBLEMS_SCHEMA`, in order of rows.

        Args:
            record_id: of every row.
            source_key: of every row.
            position: of every row.
            source: the source's name.
        """
        found = sorted(self._seen.items(), key=lambda item: item[0][0])  # stable within a row
        rows = [key[0] for key, _ in found]
        return pa.table(
            {
                "record_id": [record_id[row] for row in rows],
                "source": [source] * len(rows),
                "source_key": [source_key[row] for row in rows],
                "position": [position[row] for row in rows],
                "field": [key[1] for key, _ in found],
                "rule": [key[2] for key, _ in found],
                "severity": [value[0] for _, value in found],
                "reason": [value[1] for _, value in found],
                "raw_value": [key[3] for key, _ in found],
                "row": rows,
            },
            schema=PROBLEMS_SCHEMA,
        )

"""What a rule says about a value that fails it, and the table those rows land in.

What belongs here: the shape of a finding, and taking failing values and records
out of a staged table. Which values fail is decided by the field rules and by
the suites (rules/suites.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from rules.repairs import Repairs

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

    def table(self, identity: Mapping[str, pa.Array]) -> pa.Table:
        """The findings as :data:`PROBLEMS_SCHEMA`, in order of rows.

        Args:
            identity: record_id, source, source_key and position of every row.
        """
        found = sorted(self._seen.items(), key=lambda item: item[0][0])  # stable within a row
        rows = pa.array([key[0] for key, _ in found], pa.int32())
        return pa.table(
            {
                "record_id": identity["record_id"].take(rows),
                "source": identity["source"].take(rows),
                "source_key": identity["source_key"].take(rows),
                "position": identity["position"].take(rows),
                "field": [key[1] for key, _ in found],
                "rule": [key[2] for key, _ in found],
                "severity": [value[0] for _, value in found],
                "reason": [value[1] for _, value in found],
                "raw_value": [key[3] for key, _ in found],
                "row": rows,
            },
            schema=PROBLEMS_SCHEMA,
        )


class Quarantine:
    """Takes failing values and records out of a staged table and keeps them with their reasons.

    Rows are numbers of rows of the staged table, from 0.

    Args:
        staged: ``rules.customer.STAGED_SCHEMA``.
        problems: :data:`PROBLEMS_SCHEMA`, what standardize noted.
        raw: the raw table, row for row.
        inputs: staged field → the raw columns it was read from.
        repairs: what stewards accepted; None: nothing.
    """

    def __init__(
        self,
        staged: pa.Table,
        problems: pa.Table,
        raw: pa.Table,
        inputs: Mapping[str, Sequence[str]],
        repairs: "Repairs | None" = None,
    ) -> None:
        self._repairs = repairs if repairs is not None and repairs.accepts_any else None
        self._staged, self._problems, self._raw, self._inputs = staged, problems, raw, inputs
        self._noted: dict[tuple[str | None, str, int], list[int]] = {}
        columns = [problems[name].to_pylist() for name in ("field", "severity", "row")]
        for number, noted in enumerate(zip(*columns, strict=True)):
            self._noted.setdefault(noted, []).append(number)
        self._taken: list[int] = []
        self._written: list[tuple[int, str, str, str, str]] = []
        self._blank: dict[str, set[int]] = {}
        self._rejected: set[int] = set()

    def take(self, rows: Iterable[int], field: str | None, severity: Severity) -> None:
        """Quarantine what standardize noted on a field (None: the record)."""
        for row in rows:
            self._taken += self._noted[field, severity, row]

    def standing_noted(
        self, rows: Iterable[int], field: str | None, severity: Severity
    ) -> list[int]:
        """Those of the rows for which standardize noted what no steward accepted."""
        repairs = self._repairs
        if repairs is None:
            return list(rows)
        names = ("source_key", "field", "rule", "raw_value")
        columns = [self._problems[name] for name in names]
        return [
            row
            for row in rows
            if not all(
                repairs.accepts(*(column[number].as_py() for column in columns))
                for number in self._noted[field, severity, row]
            )
        ]

    def standing(self, rows: Sequence[int], fields: Sequence[str], rule: str) -> list[int]:
        """Those of the rows of which no steward accepted the finding on each of the fields."""
        repairs = self._repairs
        if repairs is None:
            return list(rows)
        accepted = {
            field: [
                repairs.accepts(self._staged["source_key"][row].as_py(), field, rule, value)
                for row, value in zip(rows, self._as_written(rows, field), strict=True)
            ]
            for field in fields
        }
        found = zip(*accepted.values(), strict=True)
        return [row for row, all_of in zip(rows, found, strict=True) if not all(all_of)]

    def write(
        self, rows: Sequence[int], field: str, rule: str, severity: Severity, reason: str
    ) -> None:
        """Quarantine a field of these rows under a rule."""
        self._written += [(row, field, rule, severity, reason) for row in rows]

    def blank(self, rows: Iterable[int], columns: Iterable[str]) -> None:
        """Make staged columns null in these rows."""
        rows = set(rows)
        for column in columns:
            self._blank.setdefault(column, set()).update(rows)

    def reject(self, rows: Iterable[int]) -> None:
        """Keep whole records out."""
        self._rejected.update(rows)

    def accepted(self) -> pa.Table:
        """Staged without the rejected records and without the values that failed."""
        staged, count = self._staged, self._staged.num_rows
        for name, rows in self._blank.items():
            place = staged.schema.get_field_index(name)
            field = staged.schema.field(place)
            mask = pa.array([row in rows for row in range(count)], pa.bool_())
            kept = pc.if_else(mask, pa.scalar(None, field.type), staged[name])
            staged = staged.set_column(place, field, kept)
        if not self._rejected:
            return staged
        return staged.filter(pa.array([row not in self._rejected for row in range(count)]))

    def table(self) -> pa.Table:
        """The quarantine as :data:`QUARANTINE_SCHEMA`, in order of records."""
        taken = self._problems.take(pa.array(self._taken, pa.int64()))
        rows = pa.array([entry[0] for entry in self._written], pa.int32())
        named = self._staged.select(["record_id", "source", "source_key", "position"]).take(rows)
        for place, name in enumerate(("field", "rule", "severity", "reason"), 1):
            values = [entry[place] for entry in self._written]
            named = named.append_column(name, pa.array(values, pa.string()))
        named = named.append_column("raw_value", pa.array(self._raw_values(), pa.string()))
        named = named.append_column("row", rows).cast(PROBLEMS_SCHEMA)
        found = pa.concat_tables([taken, named]).sort_by("row")
        whole = [row in self._rejected for row in found["row"].to_pylist()]
        found = found.append_column("whole_record", pa.array(whole, pa.bool_()))
        return found.select(QUARANTINE_SCHEMA.names).cast(QUARANTINE_SCHEMA)

    def accepted_of(self, table: pa.Table) -> pa.Array:
        """For each row of :meth:`table` whether a steward accepted it."""
        repairs = self._repairs
        if repairs is None:
            return pa.array([False] * table.num_rows, pa.bool_())
        names = ("source_key", "field", "rule", "raw_value")
        columns = (table[name].to_pylist() for name in names)
        return pa.array([repairs.accepts(*one) for one in zip(*columns, strict=True)], pa.bool_())

    def _raw_values(self) -> list[str | None]:
        """Of each written finding: what the source wrote, or staged if it came from elsewhere."""
        rows_of: dict[str, list[int]] = {}
        for row, field, *_ in self._written:
            rows_of.setdefault(field, []).append(row)
        known = {
            (row, field): value
            for field, rows in rows_of.items()
            for row, value in zip(rows, self._as_written(rows, field), strict=True)
        }
        return [known[row, field] for row, field, *_ in self._written]

    def _as_written(self, rows: Sequence[int], field: str) -> list[str | None]:
        """A field of these rows: what the source wrote, or staged if it came from elsewhere."""
        places = pa.array(rows, pa.int64())
        names = self._inputs.get(field, ())
        cells = [self._raw[name].take(places).to_pylist() for name in names]
        staged = self._staged[field].take(places).to_pylist()
        values: list[str | None] = []
        for number, value in enumerate(staged):
            written = " | ".join(str(column[number]) for column in cells if column[number])
            values.append(shorten(written or (None if value is None else str(value))))
        return values

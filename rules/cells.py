"""The cells of a raw table by input field: which column holds what, and what stands in it.

What belongs here: picking columns, the ``values`` and ``defaults`` of the
source's YAML, what makes any cell unusable (a formula error, a text of
megabytes), and noting what a rule found in a cell. What a name, a phone or a
date is stands in the field rules.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from connectors.config import SourceConfig
from connectors.mapping import resolve
from rules.placeholder import is_placeholder
from rules.quarantine import Findings, Problem

Cell = str | None

CELL_LIMIT = 2000
"""No value of a customer is longer, in characters; notes and attributes may be."""
TEXT_LIMIT = 32767
"""No note is longer: what a spreadsheet's cell can hold, in characters."""

STAGED_FIELDS: dict[str, tuple[str, ...]] = {
    "name": ("name",),
    "family_name": ("name",),
    "given_name": ("name",),
    "organization_name": ("name", "employer_name"),
    "short_name": ("other_names",),
    "national_id": ("national_id", "tax_id"),
    "tax_id": ("tax_id", "national_id"),
    "identifier": ("national_id", "tax_id"),
    "phone": ("phones",),
    "mobile": ("phones",),
    "email": ("emails",),
    "address": ("address_line",),
    "note": ("attributes",),
}
"""Input field → the staged fields it feeds; the first one names its findings. Others: itself."""

_FORMULA_ERROR = re.compile(
    r"\s*#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|GETTING_DATA)\s*", re.I
)
_BROKEN_FORMULA = Problem(
    "formula_error", "The cell holds a spreadsheet's error, not a value; mend the formula."
)
_LOST_CHARACTERS = Problem(
    "characters_lost",
    "Characters were lost when the text was converted (�); read it from the original.",
    "warning",
)


class Cells:
    """Reads a raw table's cells by input field and row, and keeps what is found in them.

    Args:
        raw: the raw table; columns that start with ``_`` are not the source's.
        config: the source.

    Attributes:
        columns: input field → its source columns, as the source's YAML and headings map them.
        findings: what was noted so far.

    Raises:
        SourceLayout: a mapped column is not there.
    """

    def __init__(self, raw: pa.Table, config: SourceConfig) -> None:
        names = [name for name in raw.column_names if not name.startswith("_")]
        self.columns: dict[str, list[str]] = resolve(config, names)
        self.findings = Findings()
        self._raw, self._config = raw, config
        self._firsts: dict[str, Sequence[Cell]] = {}
        self._everies: dict[str, Sequence[tuple[str, ...]]] = {}
        self._codes: dict[tuple[str, str], tuple[Any, bool]] = {}
        for field in [*self.columns, *config.defaults]:
            default = config.defaults.get(field) or None
            cells = [self._read(raw[name], field) for name in self.columns.get(field, ())]
            if not cells:
                cells = [[None] * raw.num_rows]
            self._firsts[field] = (
                cells[0]
                if len(cells) == 1 and default is None
                else [next(filter(None, row), default) for row in zip(*cells, strict=True)]
            )
            otherwise = (default,) if default else ()
            if len(cells) == 1:
                self._everies[field] = [(cell,) if cell else otherwise for cell in cells[0]]
            else:
                self._everies[field] = [
                    tuple(filter(None, row)) or otherwise for row in zip(*cells, strict=True)
                ]
            self.columns.setdefault(field, [])

    def first(self, field: str, row: int) -> Cell:
        """The first filled cell of a row, or the field's default."""
        cells = self._firsts.get(field)
        return cells[row] if cells is not None else None

    def every(self, field: str, row: int) -> tuple[str, ...]:
        """The filled cells of a row, in order of the columns, or the field's default."""
        cells = self._everies.get(field)
        return cells[row] if cells is not None else ()

    def column(self, field: str) -> Sequence[Cell]:
        """The first filled cell of every row; empty if the field is not mapped."""
        return self._firsts.get(field, ())

    def is_list(self, field: str) -> bool:
        """Whether the source's YAML itself names several columns for a field."""
        return len(self._config.columns.get(field, ())) > 1

    def code(self, field: str, row: int, read: Callable[[str], Any], unknown: Problem) -> Any:
        """A value out of a closed list; None if there is none or it is not known."""
        cell = self.first(field, row)
        if not cell:
            return None
        known = self._codes.get((field, cell))
        if known is None:
            found = read(cell)
            known = found, found is None and not is_placeholder(cell)
            self._codes[field, cell] = known
        if known[1]:
            self.note(row, field, unknown, cell)
        return known[0]

    def note(
        self, row: int, field: str, problem: Problem, raw_value: Cell, read_from: str | None = None
    ) -> bool:
        """Keep a finding on an input field; whether the value may still be used.

        The source's ``severity`` counts, by rule first, then by field. A warning
        made an error by it forbids the value.

        Args:
            row: counted from 0.
            field: the input field; a staged field where several input fields feed one another's.
            problem: the finding.
            raw_value: the cell.
            read_from: the input field that held the cell, if it is not ``field``.
        """
        staged = staged_fields(field)[0]
        wanted = self._config.severity
        severity = (
            wanted.get(problem.rule)
            or wanted.get(staged)
            or wanted.get(field)
            or wanted.get(read_from or field)
            or problem.severity
        )
        usable = severity == "warning" or problem.severity == "error"
        if severity != problem.severity:
            problem = Problem(problem.rule, problem.reason, severity)
        self.findings.add(row, staged, problem, raw_value)
        return usable

    def usable(
        self,
        row: int,
        field: str,
        problems: Sequence[Problem],
        raw_value: Cell,
        read_from: str | None = None,
    ) -> bool:
        """Keep all findings on a value; whether what the rule made of it may be used."""
        if not problems:
            return True
        verdicts = [self.note(row, field, problem, raw_value, read_from) for problem in problems]
        return all(verdicts)

    def reject(self, row: int, problem: Problem) -> None:
        """Keep a finding on the whole record, with the record as read."""
        names = [name for name in self._raw.column_names if not name.startswith("_")]
        cells = {name: self._raw[name][row].as_py() for name in names}
        written = json.dumps({k: v for k, v in cells.items() if v}, ensure_ascii=False)
        self.findings.add(row, None, problem, written)

    def _read(self, column: pa.ChunkedArray, field: str) -> list[Cell]:
        """The cells of one column, usable ones only; each distinct text is looked at once."""
        values = self._config.values.get(field, {})
        folded = {key.strip().casefold(): to for key, to in values.items()}
        known: dict[str, tuple[Cell, Problem | None]] = {}
        cells: list[Cell] = []
        for row, text in enumerate(column.to_pylist()):
            if text is None:
                cells.append(None)
                continue
            if text not in known:
                problem = _problem(text, field)
                cell = values.get(text, folded.get(text.strip().casefold(), text))
                if not text.strip() or (problem and problem.severity == "error"):
                    cell = ""
                known[text] = (cell or None, problem)
            cell, problem = known[text]
            if problem and not self.note(row, field, problem, text):
                cell = None
            cells.append(cell)
        return cells


def staged_fields(field: str) -> tuple[str, ...]:
    """The staged fields that an input field feeds.

    >>> staged_fields("mobile"), staged_fields("attributes.code"), staged_fields("city")
    (('phones',), ('attributes',), ('city',))
    """
    if field.startswith("attributes."):
        return ("attributes",)
    return STAGED_FIELDS.get(field, (field,))


def _problem(text: str, field: str) -> Problem | None:
    """What is wrong with a text in whatever field it stands."""
    limit = TEXT_LIMIT if field == "note" or field.startswith("attributes.") else CELL_LIMIT
    if len(text) > limit:
        return Problem(
            "value_too_long", f"The text is longer than {limit} characters; no such value exists."
        )
    if "#" in text and _FORMULA_ERROR.fullmatch(text):
        return _BROKEN_FORMULA
    if "�" in text:
        return _LOST_CHARACTERS
    return None

"""The cells of a raw table by input field: which column holds what, and what stands in it.

What belongs here: picking columns, the ``values`` and ``defaults`` of the
source's YAML, and what makes any cell unusable (a formula error, a text of
megabytes). What a name, a phone or a date is stands in the field rules.
"""

import re
from collections.abc import Callable, Sequence

import pyarrow as pa

from connectors.config import SourceConfig
from connectors.mapping import resolve
from rules.quarantine import Problem

Cell = str | None
Report = Callable[[int, str, Problem, str], object]
"""Takes row, input field, problem and raw value."""

CELL_LIMIT = 2000
"""No value of a customer is longer, in characters; notes and attributes may be."""
TEXT_LIMIT = 32767
"""No note is longer: what a spreadsheet's cell can hold, in characters."""

_FORMULA_ERROR = re.compile(
    r"\s*#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|SPILL!|CALC!|FIELD!|GETTING_DATA)\s*", re.I
)
_BROKEN_FORMULA = Problem(
    "formula_error", "The cell holds a spreadsheet's error, not a value; mend the formula."
)
_LOST_CHARACTERS = Problem(
    "characters_lost",
    "Characters were lost when the text was converted (� or ??); read it from the original.",
    "warning",
)


def _too_long(limit: int) -> Problem:
    return Problem(
        "value_too_long", f"The text is longer than {limit} characters; no such value exists."
    )


class Cells:
    """Reads a raw table's cells by input field.

    Args:
        raw: the raw table; columns that start with ``_`` are not the source's.
        config: the source.
        report: told about cells that cannot be used.

    Attributes:
        columns: input field → its source columns, as the source's YAML and headings map them.
    """

    def __init__(self, raw: pa.Table, config: SourceConfig, report: Report) -> None:
        names = [name for name in raw.column_names if not name.startswith("_")]
        self.columns: dict[str, list[str]] = resolve(config, names)
        self._rows = raw.num_rows
        self._report = report
        self._cells: dict[str, list[list[Cell]]] = {
            field: [self._read(raw[column], field, config) for column in columns]
            for field, columns in self.columns.items()
        }
        self._defaults = {field: value for field, value in config.defaults.items() if value}
        for field in self._defaults:
            self.columns.setdefault(field, [])

    def __contains__(self, field: str) -> bool:
        return field in self.columns

    def firsts(self, field: str) -> Sequence[Cell]:
        """The first filled cell of every row, or the default."""
        default = self._defaults.get(field)
        columns = self._cells.get(field, ())
        if len(columns) == 1 and default is None:
            return columns[0]
        if not columns:
            return [default] * self._rows
        return [
            next((cell for cell in cells if cell), default) for cells in zip(*columns, strict=True)
        ]

    def every(self, field: str) -> Sequence[tuple[str, ...]]:
        """The filled cells of every row, in order of the columns, or the default."""
        default = (self._defaults[field],) if field in self._defaults else ()
        columns = self._cells.get(field, ())
        if not columns:
            return [default] * self._rows
        return [
            tuple(cell for cell in cells if cell) or default for cells in zip(*columns, strict=True)
        ]

    def _read(self, column: pa.ChunkedArray, field: str, config: SourceConfig) -> list[Cell]:
        """The cells of one column, usable ones only; each distinct text is looked at once."""
        values = config.values.get(field, {})
        folded = {key.strip().casefold(): to for key, to in values.items()}
        encoded = column.combine_chunks().cast(pa.string()).dictionary_encode()
        problems: dict[int, Problem] = {}
        texts: list[Cell] = []
        distinct = encoded.dictionary.to_pylist()
        for number, text in enumerate(distinct):
            problem = _problem(text, field)
            if problem:
                problems[number] = problem
            if not text.strip() or (problem and problem.severity == "error"):
                texts.append(None)
            else:
                texts.append(values.get(text, folded.get(text.strip().casefold(), text)) or None)
        indices = encoded.indices.to_pylist()
        if problems:
            for row, index in enumerate(indices):
                if index in problems:
                    self._report(row, field, problems[index], distinct[index])
        return [None if index is None else texts[index] for index in indices]


def _problem(text: str, field: str) -> Problem | None:
    limit = TEXT_LIMIT if field == "note" or field.startswith("attributes.") else CELL_LIMIT
    if len(text) > limit:
        return _too_long(limit)
    if "#" in text and _FORMULA_ERROR.fullmatch(text):
        return _BROKEN_FORMULA
    if "�" in text:
        return _LOST_CHARACTERS
    return None

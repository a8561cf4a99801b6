"""The cells of a raw table by input field: which column holds what, and what stands in it.

What belongs here: picking columns, the ``values`` and ``defaults`` of the
source's YAML, what makes any cell unusable (a formula error, a text of
megabytes), and noting what a rule found in a cell. What a name, a phone or a
date is stands in the field rules.
"""

import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.config import SourceConfig
from connectors.fields import ATTRIBUTE, VERIFIED
from connectors.mapping import resolve
from connectors.reading import RESERVED
from rules.placeholder import is_placeholder
from rules.quarantine import Findings, Problem
from rules.whole import texts as whole

if TYPE_CHECKING:
    from rules.repairs import Repairs

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
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_STRANGE = r"\x{FFFD}|^[^\x21-\x7E\x{3400}-\x{9FFF}]"
"""Where a character was lost, or what does not begin with a visible one of ASCII or a Han one."""
_BROKEN_FORMULA = Problem(
    "formula_error", "The cell holds a spreadsheet's error, not a value; mend the formula."
)
_LOST_CHARACTERS = Problem(
    "characters_lost",
    "Characters were lost when the text was converted (�); read it from the original.",
    "warning",
)


class Cells:
    """Reads a raw table's cells by input field, and keeps what is found in them.

    Columns are asked for as Arrow arrays, or as lists with one entry per row, which are made
    when they are asked for; callers must not change them.

    Args:
        raw: the raw table; columns that start with ``_`` are not the source's.
        config: the source.
        repairs: what stewards accepted; None: nothing.
        columns: input field → its source columns, where only some are to be read; None: all,
            as the source's YAML and headings map them.

    Attributes:
        rows: how many records there are.
        columns: input field → its source columns, as the source's YAML and headings map them.
        findings: what was noted so far.
        accepted: row, staged field and raw value of the findings that a steward accepted.

    Raises:
        SourceLayout: a mapped column is not there.
    """

    def __init__(
        self,
        raw: pa.Table,
        config: SourceConfig,
        repairs: "Repairs | None" = None,
        columns: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        if columns is None:
            columns = resolve(config, raw.column_names)
        self.rows = raw.num_rows
        self.columns: dict[str, list[str]] = {field: list(own) for field, own in columns.items()}
        self.findings = Findings()
        self.accepted: list[tuple[int, str, Cell]] = []
        self._raw, self._config = raw, config
        self._repairs = repairs if repairs is not None and repairs.accepts_any else None
        self._read_cells: dict[str, list[pa.Array]] = {}
        self._columns: dict[str, pa.Array] = {}
        self._firsts: dict[str, list[Cell]] = {}
        self._everies: dict[str, list[tuple[str, ...]]] = {}
        for field in [*self.columns, *config.defaults]:
            own = self.columns.setdefault(field, [])
            self._read_cells[field] = [self._read(raw[name], field) for name in own]

    def has(self, field: str) -> bool:
        """Whether any column or default feeds the field."""
        return field in self._read_cells

    def column(self, field: str) -> pa.Array:
        """:meth:`first` as an Arrow array."""
        if field not in self._columns:
            columns = self._read_cells.get(field, [])
            default = self._config.defaults.get(field) or None
            if len(columns) == 1 and default is None:
                found = columns[0]
            elif field == "birth_date" and columns:
                rows = zip(*map(_listed, columns), strict=True)
                found = pa.array([_date_in_parts(row) or default for row in rows], pa.string())
            elif columns:
                found = pc.coalesce(*map(_or_null, columns), pa.scalar(default, pa.string()))
            else:
                found = pa.array([default], pa.string()).take(pa.repeat(0, self.rows))
            self._columns[field] = found
        return self._columns[field]

    def only(self, field: str) -> tuple[pa.Array, whole.Ints]:
        """The first of :meth:`every` of each row, or null, and how many there are."""
        columns = [_or_null(column) for column in self._read_cells.get(field, [])]
        counts = np.sum([c.is_valid() for c in columns], axis=0, dtype=np.int64) + np.zeros(
            self.rows, dtype=np.int64
        )
        if self._config.defaults.get(field):
            counts = np.maximum(counts, 1)
        return _or_null(self.column(field)), counts

    def joined(self, field: str) -> pa.Array:
        """The cells of :meth:`every` of each row with a blank between them; empty if none."""
        columns = [_or_null(column) for column in self._read_cells.get(field, [])]
        if not columns or self._config.defaults.get(field):
            return pa.array([" ".join(cells) for cells in self.every(field)], pa.string())
        found = columns[0]
        for column in columns[1:]:  # Arrow leaves out rows of which it skips everything
            both = pc.binary_join_element_wise(found, column, " ")
            found = pc.coalesce(both, found, column)
        return found.fill_null("")

    def first(self, field: str, rows: whole.Ints | None = None) -> list[Cell]:
        """The first filled cell of every row, or of some rows, or the field's default.

        A birth date may stand in three columns: year, month and day, or day, month and year.
        """
        if rows is not None and field not in self._firsts:
            if self.has(field):
                return _listed(self.column(field).take(pa.array(rows)))
            return [None] * len(rows)
        if field not in self._firsts:
            self._firsts[field] = _listed(self.column(field))
        found = self._firsts[field]
        return found if rows is None else [found[row] for row in rows.tolist()]

    def every(self, field: str, rows: whole.Ints | None = None) -> list[tuple[str, ...]]:
        """The filled cells of every row, or of some rows, in order of the columns, or the
        field's default."""
        if rows is not None and field not in self._everies:
            places = pa.array(rows)
            return self._every(field, len(rows), lambda column: column.take(places))
        if field not in self._everies:
            self._everies[field] = self._every(field, self.rows, lambda column: column)
        found = self._everies[field]
        return found if rows is None else [found[row] for row in rows.tolist()]

    def _every(
        self, field: str, rows: int, taken: Callable[[pa.Array], pa.Array]
    ) -> list[tuple[str, ...]]:
        columns = [_listed(taken(column)) for column in self._read_cells.get(field, [])]
        default = self._config.defaults.get(field)
        otherwise: tuple[str, ...] = (default,) if default else ()
        if len(columns) == 1:
            return [(cell,) if cell else otherwise for cell in columns[0]]
        if columns:
            return [tuple(filter(None, row)) or otherwise for row in zip(*columns, strict=True)]
        return [otherwise] * rows

    def is_list(self, field: str) -> bool:
        """Whether the source's YAML itself names several columns for a field."""
        return len(self._config.columns.get(field, ())) > 1

    def code(self, field: str, read: Callable[[str], Any], unknown: Problem) -> list[Any]:
        """Values out of a closed list; None where there is none or it is not known."""
        if not self.has(field):
            return [None] * self.rows
        cells = self.first(field)
        known: dict[Cell, Any] = {}
        strange = set()
        for cell in set(cells):
            known[cell] = read(cell) if cell else None
            if cell and known[cell] is None and not is_placeholder(cell):
                strange.add(cell)
        if strange:
            for row, cell in enumerate(cells):
                if cell in strange:
                    self.note(row, field, unknown, cell)
        return [known[cell] for cell in cells]

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
        if self._repairs is not None and self._repairs.accepts(
            self._raw["_source_key"][row].as_py(), staged, problem.rule, raw_value
        ):
            self.accepted.append((row, staged, raw_value))
            return True
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
        names = [name for name in self._raw.column_names if name not in RESERVED]
        cells = {name: self._raw[name][row].as_py() for name in names}
        written = json.dumps({k: v for k, v in cells.items() if v}, ensure_ascii=False)
        self.findings.add(row, None, problem, written)

    def _read(self, column: pa.ChunkedArray, field: str) -> pa.Array:
        """The cells of one column, usable ones only."""
        texts = whole.as_array(column)
        cells = texts
        if field in self._config.html:
            cells = whole.mapped(cells, _without_markup)
        if values := self._config.values.get(field):
            folded = {key.strip().casefold(): to for key, to in values.items()}
            cells = whole.mapped(
                cells,
                lambda text: values.get(text, folded.get(text.strip().casefold(), text)) or None,
            )
        unusable = []
        rows = _odd(texts, _limit(field))
        for row, text in zip(rows.tolist(), texts.take(pa.array(rows)).to_pylist(), strict=True):
            problem = _problem(text, _limit(field))
            if not text.strip() or (problem and problem.severity == "error"):
                unusable.append(row)
            if problem and not self.note(row, field, problem, text):
                unusable.append(row)
        if not unusable:
            return cells
        gone = np.zeros(len(cells), dtype=bool)
        gone[unusable] = True
        return pc.if_else(pa.array(gone), pa.scalar(None, pa.string()), cells)


def _listed(cells: pa.Array) -> list[Cell]:
    """The cells as a list; equal ones are one object."""
    known, places = whole.distinct(cells)
    found: list[Cell] = np.array(known, dtype=object)[places].tolist()
    return found


def _or_null(cells: pa.Array) -> pa.Array:
    """The cells, null where nothing stands."""
    filled = whole.filled(cells)
    if filled.all() or cells.null_count == len(cells) - np.count_nonzero(filled):
        return cells
    return pc.if_else(pa.array(filled), cells, pa.scalar(None, pa.string()))


def _date_in_parts(row: tuple[Cell, ...]) -> Cell:
    """A date whose year, month and day stand in columns of their own; else the first cell.

    >>> _date_in_parts(("1967", "9", "27")), _date_in_parts(("27.0", "9.0", "1967.0"))
    ('1967-9-27', '1967-9-27')
    >>> _date_in_parts((None, "1967-09-27")), _date_in_parts(("1967", None, "27"))
    ('1967-09-27', '1967')
    """
    filled = [cell for cell in row if cell]
    first = next(iter(filled), None)
    parts = [cell.strip().removesuffix(".0") for cell in filled]
    if not all(part.isdigit() and len(part) <= 4 for part in parts):
        return first
    years = [place for place, part in enumerate(parts) if len(part) == 4]
    if len(parts) == len(row) == 3 and years in ([0], [2]):
        return "-".join(parts if years == [0] else reversed(parts))
    return parts[years[0]] if years else first


def _without_markup(text: str) -> str:
    """The text of a piece of HTML.

    >>> _without_markup("O&#039;Sample &amp; Sons"), _without_markup("<p>VIP<br/>since 2020</p>")
    ("O'Sample & Sons", ' VIP since 2020 ')
    """
    return html.unescape(_TAG.sub(" ", text)) if "<" in text or "&" in text else text


def staged_fields(field: str) -> tuple[str, ...]:
    """The staged fields that an input field feeds.

    >>> staged_fields("mobile"), staged_fields("attributes.code"), staged_fields("city")
    (('phones',), ('attributes',), ('city',))
    >>> staged_fields("verified.mobile")
    ('verified',)
    """
    if field.startswith(VERIFIED):
        return ("verified",)
    if field.startswith(ATTRIBUTE):
        return ("attributes",)
    return STAGED_FIELDS.get(field, (field,))


def _limit(field: str) -> int:
    """No text of the field may be longer, in characters."""
    return TEXT_LIMIT if field == "note" or field.startswith(ATTRIBUTE) else CELL_LIMIT


def _odd(texts: pa.Array, limit: int) -> whole.Ints:
    """The rows whose text may be empty or have a problem of :func:`_problem`, ascending."""
    own = whole.Bytes(texts)
    sizes = own.ends - own.starts
    odd = np.asarray(texts.is_valid()) & ((sizes == 0) | (sizes > limit))
    some = np.flatnonzero(sizes)
    first = own.data[own.starts[some]]
    odd[some[(first <= 0x20) | (first == 0x7F)]] = True
    beyond = own.data >= 0x80
    odd[own.rows_with(own.data == ord("#"))] = True
    if beyond.any():
        rows = own.rows_with(beyond)
        marked = pc.match_substring_regex(texts.take(pa.array(rows)), _STRANGE)
        odd[rows[np.asarray(marked)]] = True
    return np.flatnonzero(odd)


def _problem(text: str, limit: int) -> Problem | None:
    """What is wrong with a text in whatever field it stands."""
    if len(text) > limit:
        return Problem(
            "value_too_long", f"The text is longer than {limit} characters; no such value exists."
        )
    if "#" in text and _FORMULA_ERROR.fullmatch(text):
        return _BROKEN_FORMULA
    if "�" in text:
        return _LOST_CHARACTERS
    return None

"""What a source's YAML should say: the columns, the key, the codes, the country.

What belongs here: from recognized columns to settings, and what is too unsure
to be taken without asking. How a column is recognized stands in
connectors/recognition.py, how codes are read in code_values.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from connectors import fixed_width, mapping, recognition
from connectors.column_reading import Column, Guess
from connectors.config import SourceConfig
from connectors.fields import NAME_FIELDS
from connectors.locating import Place
from connectors.sampling import Sample
from connectors.templates import load
from onefold.errors import ConfigError, SourceLayout
from rules.onboarding import code_values

SURE = 0.75
"""Confidence from which a column is mapped without asking."""
LEAVE = ""
"""What an answer says of a column that stays unmapped."""

_ROW_NUMBERS = frozenset(
    map(
        mapping.normalize,
        ("序号", "行号", "番号", "no", "nr", "row", "index", "seq", "line", "s/n"),
    )
)
"""Headings of numbers that change when a row is put in or taken out."""
_DATES = ("updated_at", "created_at")


@dataclass(frozen=True)
class Line:
    """What is proposed for one column.

    Attributes:
        column: its heading.
        state: mapped, asked (unsure: left out unless somebody says so), left (not mapped).
        field: the input field, '' if left.
        confidence: 0..1.
        reason: why, without values.
        others: further readings.
        unknown: codes whose meaning must be said before the column can be mapped.
    """

    column: str
    state: Literal["mapped", "asked", "left"]
    field: str
    confidence: float
    reason: str
    others: tuple[Guess, ...] = ()
    unknown: tuple[str, ...] = ()


FILLED = 0.9
"""Share of rows, 0..1, that must fill a cursor: the others are read by every sync."""


@dataclass(frozen=True)
class Proposal:
    """The settings of a source, and why.

    Attributes:
        place: where the source is.
        lines: one per column, in the source's order.
        columns: input field → columns, as the YAML shall have it; columns that some files of
            the source lack end in ``?``.
        values: input field → code → meaning.
        value_reasons: input field → how the meanings were found.
        key: key columns; empty: made of the content.
        key_reason: why.
        cursor: the column that says when a record changed, or ''.
        cursor_filled: share of the rows that fill it, 0..1.
        country: ISO 3166 code, if it is not the home's; else None.
        country_reason: why.
        customer_type: ``person`` if all customers are, else None.
        header_row: 0 where there are no headings, else None.
        headings: whether further files may have other headings: ``headings: auto``.
        rows: rows that were read.
        more: whether the source has more.
    """

    place: Place
    lines: tuple[Line, ...]
    columns: Mapping[str, tuple[str, ...]]
    values: Mapping[str, Mapping[str, str]]
    value_reasons: Mapping[str, str]
    key: tuple[str, ...]
    key_reason: str
    cursor: str
    cursor_filled: float
    country: str | None
    country_reason: str
    customer_type: str | None
    header_row: int | None
    headings: bool
    rows: int
    more: bool

    @property
    def mode(self) -> str:
        """How the source can be synced: by its cursor, by its files, or only as a whole.

        Without a key only a whole sync knows an edited row again.
        """
        connector = self.place.settings.get("connector", self.place.config.connector)
        if connector == "sql" and self.cursor and self.key and self.cursor_filled >= FILLED:
            return "cursor"
        paths = self.place.config.path
        several = any(set(path) & set("*?[") for path in paths) or len(paths) > 1
        return "files" if several and self.key else "snapshot"

    @property
    def asked(self) -> tuple[Line, ...]:
        """The columns about which somebody should say something."""
        return tuple(line for line in self.lines if line.state == "asked")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the YAML, in its order; only what differs from the defaults."""
        found: dict[str, Any] = {"name": self.place.name, **self.place.settings}
        if self.place.template:
            return found
        if self.header_row is not None:
            found["header_row"] = str(self.header_row)
        if self.country:
            found["country"] = self.country
        if self.customer_type:
            found["customer_type"] = self.customer_type
        if self.key:
            found["key"] = list(self.key)
        if self.headings:
            found["headings"] = "auto"
        found["columns"] = {name: list(columns) for name, columns in self.columns.items()}
        if self.values:
            found["values"] = {name: dict(codes) for name, codes in self.values.items()}
        return {name: value for name, value in found.items() if value not in ({}, [])}


def propose(
    place: Place,
    samples: Sequence[Sample],
    home_country: str,
    *,
    said: Mapping[str, str] | None = None,
    codes: Mapping[str, Mapping[str, str]] | None = None,
) -> Proposal:
    """What a source's YAML should say.

    Args:
        place: where the source is.
        samples: of :func:`connectors.sampling.unmapped`.
        home_country: ISO 3166 code of the home.
        said: column → input field, or LEAVE, as somebody answered.
        codes: column → code → meaning, as somebody answered.

    Raises:
        SourceLayout: no column can hold the customer's name.
        ConfigError: an answer names a column or field that is not there.
    """
    if place.template:
        if said:
            raise ConfigError(
                "--map",
                f"the template {place.template} says what the columns are",
                do="Add the column to the YAML, or give --template ''.",
            )
        return _of_template(place, samples)
    said, codes = said or {}, codes or {}
    tables = [sample.table for sample in samples]
    found = recognition.recognize(
        tables,
        fields={column: field for column, field in said.items() if field},
        ignore=[column for column, field in said.items() if not field],
        whole=True,
    )
    names = [column.name for column in found.columns]
    declared = _declared_values(place.config, found, names)
    lines, values, reasons = _lines(found, tables, said, codes, declared)
    taken = {line.column for line in lines if line.state == "mapped"}
    kept = replace(found, columns=tuple(_kept(c, taken) for c in found.columns))
    mapped = kept.mapped(names)
    if not any(field in mapped for field in NAME_FIELDS):
        raise SourceLayout(
            place.name,
            "no column holds the customer's name",
            found=mapping.shown(names),
            do="Name it with --map 'COLUMN=name', or give another table or file.",
        )
    columns, headings = _written(place.config, mapped, samples)
    key, key_reason = _key(place, found, samples)
    cursor, filled = _cursor(mapped, tables)
    country = None if found.country == home_country else found.country
    if not found.country_reason or found.country_reason.startswith("nothing"):
        country = None
    return Proposal(
        place=place,
        lines=tuple(lines),
        columns=columns,
        values=values,
        value_reasons=reasons,
        key=key,
        key_reason=key_reason,
        cursor=cursor,
        cursor_filled=filled,
        country=country,
        country_reason=found.country_reason,
        customer_type=kept.customer_type(names),
        header_row=None if all(sample.headings for sample in samples) else 0,
        headings=headings,
        rows=sum(table.num_rows for table in tables),
        more=not all(sample.complete for sample in samples),
    )


def _of_template(place: Place, samples: Sequence[Sample]) -> Proposal:
    """The template of a known system says everything."""
    columns = list(dict.fromkeys(name for sample in samples for name in sample.columns))
    tables = [sample.table for sample in samples]
    mapped = mapping.resolve(place.config, columns)
    fields = {name: field for field, names in mapped.items() for name in names}
    lines = [
        Line(name, "mapped", fields[name], 1.0, "the template says so")
        if name in fields
        else Line(name, "left", "", 1.0, "the template leaves it out")
        for name in columns
    ]
    cursor, filled = _cursor({field: tuple(names) for field, names in mapped.items()}, tables)
    if place.config.connector == "sql":
        cursor = load(place.template).cursor  # it moves whenever updated_at does
    return Proposal(
        place=place,
        lines=tuple(lines),
        columns={},
        values={},
        value_reasons={},
        key=place.config.key,
        key_reason="the template says so",
        cursor=cursor,
        cursor_filled=filled,
        country=None,
        country_reason="",
        customer_type=None,
        header_row=None,
        headings=False,
        rows=sum(table.num_rows for table in tables),
        more=not all(sample.complete for sample in samples),
    )


def _kept(column: Column, taken: set[str]) -> Column:
    return column if column.name in taken else replace(column, role="none")


def _declared_values(
    config: SourceConfig, found: recognition.Recognition, names: Sequence[str]
) -> Mapping[str, Mapping[str, str]]:
    """What the layout of a fixed-width file says about codes, by input field."""
    if config.connector != "fixed_width":
        return {}
    mapped = config.model_copy(update={"columns": found.mapped(names)})
    return fixed_width.with_layout(mapped).values


def _lines(
    found: recognition.Recognition,
    tables: Sequence[pa.Table],
    said: Mapping[str, str],
    codes: Mapping[str, Mapping[str, str]],
    declared: Mapping[str, Mapping[str, str]],
) -> tuple[list[Line], dict[str, dict[str, str]], dict[str, str]]:
    """A line for every column, and the codes of those that are mapped."""
    named = [c.name for c in found.columns if c.role == "field" and c.field in NAME_FIELDS]
    values: dict[str, dict[str, str]] = {}
    reasons: dict[str, str] = {}
    lines = []
    for column in found.columns:
        line = _line(column)
        if line.state != "left" and line.field in code_values.CHOICES:
            given = codes.get(column.name, {})
            known = {**declared.get(line.field, {}), **given}
            read = code_values.read(line.field, column.name, tables, named, known)
            if read is None:
                line = replace(line, state="asked", reason="too many different codes")
            elif read.unknown and column.name not in codes:
                line = replace(line, state="asked", reason=read.reason, unknown=read.unknown)
            elif line.state == "mapped" and (read.values or given):
                values.setdefault(line.field, {}).update({**read.values, **given})
                reasons[line.field] = read.reason or "as you said"
        lines.append(line)
    return lines, values, reasons


def _line(column: Column) -> Line:
    if column.role == "field":
        state: Literal["mapped", "asked"] = "mapped" if column.confidence >= SURE else "asked"
        return Line(
            column.name, state, column.field, column.confidence, column.reason, column.others
        )
    reason = "no input field is like it" if column.role == "text" else column.reason
    return Line(column.name, "left", "", column.confidence, reason, column.others)


def _written(
    config: SourceConfig, mapped: Mapping[str, tuple[str, ...]], samples: Sequence[Sample]
) -> tuple[dict[str, tuple[str, ...]], bool]:
    """``columns`` as the YAML shall have it, and whether ``headings: auto`` does the rest.

    People's lists have headings of their own: where the files differ, columns whose headings
    say the same are left to them, so that the next file is read as well.
    """
    everywhere = set.intersection(*(set(sample.columns) for sample in samples))
    everything = list(dict.fromkeys(name for sample in samples for name in sample.columns))
    alike = all(set(sample.columns) == set(everything) for sample in samples)
    if alike or config.connector != "spreadsheet" or len(samples) < 2:
        return {
            field: tuple(name if name in everywhere else f"{name}?" for name in names)
            for field, names in mapped.items()
        }, False
    auto = config.model_copy(update={"headings": "auto", "columns": {}, "defaults": {"name": ""}})
    by_heading = mapping.resolve(auto, everything)
    fields = [*mapped, *(field for field in by_heading if field not in mapped)]
    return {
        field: tuple(f"{name}?" for name in mapped.get(field, ()))
        for field in fields
        if set(mapped.get(field, ())) != set(by_heading.get(field, ()))
    }, True


def _key(
    place: Place, found: recognition.Recognition, samples: Sequence[Sample]
) -> tuple[tuple[str, ...], str]:
    """The key columns, and why these; a key is filled and different in every record."""
    tables = [sample.table for sample in samples]
    declared = [(place.key, "the table's primary key")]
    declared += [(sample.key, "the layout names it") for sample in samples[:1]]
    for names, reason in declared:
        if names and _identifies(names, tables):
            return names, reason
    for column in sorted(found.columns, key=lambda c: -c.confidence):
        if column.role != "key" or mapping.normalize(column.name) in _ROW_NUMBERS:
            continue
        if _identifies((column.name,), tables):
            return (column.name,), column.reason
    return (), "no column is filled and different in every row"


def _identifies(names: Sequence[str], tables: Sequence[pa.Table]) -> bool:
    """Whether columns are there, filled and nearly always different in all tables together."""
    seen: set[tuple[str, ...]] = set()
    rows = 0
    for table in tables:
        if not set(names) <= set(table.column_names):
            return False
        columns = [table[name] for name in names]
        if any(column.null_count for column in columns):
            return False
        rows += table.num_rows
        seen.update(zip(*(column.to_pylist() for column in columns), strict=True))
    return len(seen) >= 0.99 * rows


def _cursor(mapped: Mapping[str, tuple[str, ...]], tables: Sequence[pa.Table]) -> tuple[str, float]:
    for field in _DATES[:1]:
        for name in mapped.get(field, ()):
            columns = [table[name] for table in tables if name in table.column_names]
            rows = sum(table.num_rows for table in tables)
            filled = sum((pc.sum(pc.is_valid(column)).as_py() or 0) for column in columns)
            return name, filled / max(rows, 1)
    return "", 0.0

"""Raw to staged: in which order a record is read, and what it becomes.

What belongs here: the way of one record through the rules. How names,
identifiers, and what reaches a customer fit together stands in
rules/record_*.py; how one value is read in the field rules; what happens to
records and values that fail, in rules/suites.py.

No record is lost: staged has one row per raw row, in the same order. A value
that cannot be used is null, with a row in ``problems``; a record that cannot be
used has a row without ``field`` there.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_of
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.config import SourceConfig
from connectors.fields import VERIFIED
from rules import (
    codes,
    dates,
    habits,
    moments,
    record_country,
    record_identity,
    record_names,
    record_reach,
    text,
)
from rules.cells import Cell, Cells, Columns, staged_fields
from rules.collection import no_collection
from rules.customer import ALL, FIELDS, HEAD_OF, PERSON, STAGED_SCHEMA
from rules.habits import Habits
from rules.quarantine import Problem
from rules.repairs import Repairs, use_as_written
from rules.slices import Slices, of_table

_UNKNOWN = "The value is not known; add it to 'values' in the source's YAML or correct it."
_TYPE_UNKNOWN = Problem("customer_type_unknown", _UNKNOWN)
_STATUS_UNKNOWN = Problem("status_unknown", _UNKNOWN)
_FLAG_UNKNOWN = Problem("yes_no_unknown", _UNKNOWN)
_NO_NAME = Problem(
    "name_missing", "The record names nobody; find out whose it is and add the name."
)
_NOBODY = Problem(
    "record_without_identity",
    "The record has no name, number, phone or e-mail that can be used; "
    "complete it in the source or delete it there.",
)
_TO_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
_MAY_BE_EMPTY = {field.name for field in FIELDS if field.kind in ("text", "list", "json")}
_FLAGS = ("consent_marketing", "do_not_contact")
_MOMENTS = tuple(name for name in habits.DATES if name != "birth_date")


@dataclass(frozen=True)
class Standardized:
    """A source's records, cleaned and typed, and what was found wrong.

    Attributes:
        staged: ``rules.customer.STAGED_SCHEMA``, one row per raw row, in the same order.
        problems: ``rules.quarantine.PROBLEMS_SCHEMA``.
        raw: the raw table, with the values that stewards mended.
        inputs: staged field → the raw columns it was read from, for the fields that are mapped.
        repairs: what stewards mended and accepted.
    """

    staged: pa.Table
    problems: pa.Table
    raw: pa.Table
    inputs: Mapping[str, Sequence[str]]
    repairs: Repairs = field_of(default_factory=Repairs)


def standardize(
    raw: pa.Table, config: SourceConfig, country: str, repairs: pa.Table | None = None
) -> Standardized:
    """Clean and type every record of a source, all at once.

    Args:
        raw: ``_source_key``, ``_position``, ``_row_hash``, perhaps ``_problem``, then the
            source's columns as text.
        config: the source.
        country: ISO 3166 code of the home, for a source that declares none.
        repairs: ``rules.repairs.REPAIRS_SCHEMA``, those in force for the source.

    Raises:
        SourceLayout: a mapped column is not there.
    """
    (only,) = in_slices(of_table(raw, max(raw.num_rows, 1)), config, country, Repairs(repairs))
    return only


def in_slices(
    slices: Slices,
    config: SourceConfig,
    country: str,
    repairs: Repairs | None = None,
    found: Habits | None = None,
) -> Iterator[Standardized]:
    """Clean and type the records of a source slice by slice: the same for slices of any size.

    Args:
        slices: of a raw table as in :func:`standardize`; gone through several times.
        config: the source.
        country: ISO 3166 code of the home, for a source that declares none.
        repairs: those in force for the source; None: none.
        found: how the source writes, where the slices are some of its records; None: as they do.

    Raises:
        SourceLayout: a mapped column is not there.
    """
    repairs = repairs or Repairs()
    found = found or habits.of(slices, config, country, repairs)
    start = 0
    for part in slices(None):
        raw = repairs.apply(habits.mark(part, found.again, start), config)
        with no_collection():
            made = _standardize(raw, config, country, repairs, found)
        yield made
        start += part.num_rows


def _standardize(
    raw: pa.Table, config: SourceConfig, country: str, repairs: Repairs, found: Habits
) -> Standardized:
    cells = Cells(raw, config, repairs)
    staged = _read(cells, config, country, found)
    identity = _identity(raw, config.name)
    _reject_marked(raw, cells)
    return Standardized(
        staged=_table(staged, identity),
        problems=cells.findings.table(identity),
        raw=raw,
        inputs=inputs(cells.columns),
        repairs=repairs,
    )


def _identity(raw: pa.Table, source: str) -> dict[str, pa.Array]:
    """The columns by which a record is known, made of whole columns."""
    named = raw.select(["_source_key", "_position", "_row_hash"]).combine_chunks()
    columns = (column.cast(pa.string()) for column in named.itercolumns())
    key, position, row_hash = (pa.concat_arrays(column.chunks) for column in columns)
    key = pc.fill_null(key, "")
    return {
        "record_id": pc.binary_join_element_wise(pa.scalar(source), key, ":"),
        "source": pa.repeat(source, raw.num_rows),
        "source_key": key,
        "position": position,
        "row_hash": row_hash,
    }


def _table(staged: Columns, identity: Mapping[str, pa.Array]) -> pa.Table:
    """The staged columns as a table; texts and lists without anything in them are null."""
    columns = []
    for field in STAGED_SCHEMA:
        if field.name in identity:
            columns.append(identity[field.name])
            continue
        column = pa.array(staged[field.name], field.type)
        if field.name in _MAY_BE_EMPTY and column.null_count < len(column):
            size = pc.list_value_length if pa.types.is_list(field.type) else pc.binary_length
            empty = pc.equal(size(column), 0)
            if pc.any(empty).as_py():
                column = pc.if_else(empty, pa.scalar(None, field.type), column)
        columns.append(column)
    return pa.table(columns, schema=STAGED_SCHEMA)


def inputs(columns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Staged field → the raw columns it is read from.

    Args:
        columns: input field → its raw columns.
    """
    found: dict[str, list[str]] = {}
    for name, names in columns.items():
        for fed in staged_fields(name):
            found.setdefault(fed, []).extend(names)
    return found


def _reject_marked(raw: pa.Table, cells: Cells) -> None:
    """Reject what the connector found broken, and keys that came before."""
    for row, sentence in enumerate(raw["_problem"].to_pylist()):
        if sentence:
            cells.reject(row, Problem(_rule_of(sentence), f"{sentence[:1].upper()}{sentence[1:]}."))


def _rule_of(sentence: str) -> str:
    """Name of the rule behind a connector's sentence."""
    if "key occurs" in sentence or sentence == habits.AGAIN:
        return "duplicate_key"
    return "empty_key" if "key is empty" in sentence else "record_damaged"


def _read(cells: Cells, config: SourceConfig, home: str, found: Habits) -> Columns:
    """The staged values of all records, step by step.

    The country helps to read numbers and phones, identifiers help to find the
    country and the type, and the type decides how names are read.
    """
    everybody = range(cells.rows)
    default = config.country or home
    staged: Columns = {field.name: [None] * cells.rows for field in ALL}
    declared = cells.code("customer_type", codes.customer_type, _TYPE_UNKNOWN)
    declared = [kind or config.customer_type for kind in declared]
    stated = record_country.stated(cells)
    countries = [country or default for country in stated]
    places: list[record_reach.Place] = [None] * cells.rows
    record_reach.read_addresses(cells, everybody, countries, places)
    silent = [row for row, country in enumerate(stated) if not country]
    inferred = record_country.infer(cells, silent, default, places)
    for row, country in zip(silent, inferred, strict=True):
        countries[row] = country
    abroad = [row for row in silent if countries[row] != default]
    record_reach.read_addresses(cells, abroad, countries, places)
    ids: list[record_identity.Numbers] = [()] * cells.rows
    record_identity.numbers(cells, everybody, countries, declared, ids)
    birth_dates = _birth_dates(cells, config, found)
    kinds = [kind or PERSON for kind in declared]
    unknown = [row for row, kind in enumerate(declared) if not kind]
    born = [
        day or next((number.found.birth_date for number in own if number.found.birth_date), None)
        for day, own in zip(birth_dates, ids, strict=True)
    ]
    types = record_identity.infer_types(cells, unknown, countries, ids, born, found.usual_type)
    for row, kind in zip(unknown, types, strict=True):
        kinds[row] = kind
    record_identity.numbers(cells, unknown, countries, kinds, ids)
    remarks = record_names.read(cells, kinds, countries, staged)
    record_identity.take_numbers(cells, kinds, ids, staged)
    record_identity.take_persons(cells, kinds, birth_dates, ids, staged)
    record_reach.take_addresses(cells, places, staged)
    record_reach.take_phones_and_emails(cells, countries, remarks.phones, staged)
    staged["customer_type"], staged["country"] = kinds, countries
    staged["type_basis"] = ["declared" if kind else "inferred" for kind in declared]
    staged["attributes"] = _attributes(cells, remarks.notes)
    staged["status"] = cells.code("status", codes.status, _STATUS_UNKNOWN)
    for flag in _FLAGS:
        staged[flag] = cells.code(flag, codes.yes_no, _FLAG_UNKNOWN)
    for field in _MOMENTS:
        staged[field] = _moments(cells, field, config, found)
    staged["verified"] = _verified(cells, config)
    use_as_written(staged, cells.accepted)
    _require_identity(cells, staged)
    return staged


def _require_identity(cells: Cells, staged: Columns) -> None:
    """Reject records that nobody could tell apart; note missing names."""
    for row, name in enumerate(staged["name"]):
        if name:
            continue
        if not any(staged[field][row] for field in ("id_keys", "phone_keys", "emails")):
            cells.reject(row, _NOBODY)
        elif not any(
            cells.first(field)[row]
            for field in ("name", "organization_name", "family_name", "given_name")
        ):
            cells.note(row, "name", _NO_NAME, None)


def _birth_dates(cells: Cells, config: SourceConfig, found: Habits) -> list[date | None]:
    column = cells.first("birth_date")
    read = partial(
        dates.parse,
        formats=tuple(config.formats.get("birth_date", ())),
        day_first=found.day_first["birth_date"],
        latest=datetime.now(UTC).date(),
        earliest=found.earliest,
    )
    return _values(cells, "birth_date", column, read)


def _moments(
    cells: Cells, field: str, config: SourceConfig, found: Habits
) -> list[datetime | None] | pa.Array:
    column = cells.first(field)
    formats = tuple(config.formats.get(field, ()))
    plain = not formats and config.time_zone == "UTC"
    known = moments.read_iso(column if plain else [None] * len(column))
    others = [
        None if is_known else cell
        for cell, is_known in zip(column, known.is_valid().to_pylist(), strict=True)
    ]
    if not any(others):
        return known
    day_first = found.day_first[field]

    def read(cell: str) -> dates.Moment:
        if formats:
            day = dates.parse(cell, formats=formats, day_first=day_first)
            if day.value and not day.problems:
                cell = day.value.isoformat()
        return dates.parse_timestamp(cell, day_first=day_first, zone=config.time_zone)

    return pc.coalesce(known, pa.array(_values(cells, field, others, read), known.type))


def _values(
    cells: Cells,
    field: str,
    column: Sequence[Cell],
    read: Callable[[str], dates.Dated | dates.Moment],
) -> list[Any]:
    """What a rule makes of every cell, each distinct text read once; findings are noted."""
    known = {cell: read(cell) for cell in set(column) if cell}
    values: dict[Cell, Any] = {cell: found.value for cell, found in known.items()}
    values[None] = None
    result = [values[cell] for cell in column]
    faulty = {cell for cell, found in known.items() if found.problems}
    for row, cell in enumerate(column if faulty else ()):
        if cell in faulty and not cells.usable(row, field, known[cell].problems, cell):
            result[row] = None
    return result


def _verified(cells: Cells, config: SourceConfig) -> list[list[str]] | list[None]:
    """The fields in which each record is verified: a column says yes, or when that was."""
    names = sorted(name for name in cells.columns if name.startswith(VERIFIED))
    if not names:
        return [None] * cells.rows
    found: list[list[str]] = [[] for _ in range(cells.rows)]
    for name in names:
        read = partial(_is_verified, formats=tuple(config.formats.get(name, ())))
        column = cells.first(name)
        known = {cell: read(cell) for cell in set(column) if cell}
        field = staged_fields(name.removeprefix(VERIFIED))[0]
        head = HEAD_OF.get(field, field)
        for row, cell in enumerate(column):
            if cell and known[cell] is None:
                cells.note(row, "verified", _FLAG_UNKNOWN, cell)
            elif cell and known[cell] and head not in found[row]:
                found[row].append(head)
    return found


def _is_verified(cell: str, formats: tuple[str, ...]) -> bool | None:
    """Whether a cell says yes, or when; None if it cannot be understood."""
    said = codes.yes_no(cell)
    if said is not None:
        return said
    return (
        True
        if dates.parse_timestamp(cell).value or dates.parse(cell, formats=formats).value
        else None
    )


def _attributes(cells: Cells, remarks: Mapping[int, Sequence[str]]) -> list[str | None]:
    """Attributes as JSON, with all notes under ``note``."""
    named = sorted(
        (field.removeprefix("attributes."), cells.first(field))
        for field in cells.columns
        if field.startswith("attributes.")
    )
    notes = cells.every("note")
    found: list[str | None] = []
    for row, own in enumerate(notes):
        attributes = {name: text.clean(cell) for name, column in named if (cell := column[row])}
        written = [*own, *remarks.get(row, ())]
        if written and (note := dict.fromkeys(filter(None, map(text.clean, written)))):
            attributes["note"] = "; ".join(note)
        found.append(_TO_JSON(attributes) if attributes else None)
    return found

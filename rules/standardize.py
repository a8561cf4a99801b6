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
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.config import SourceConfig
from connectors.fields import ATTRIBUTE, VERIFIED
from rules import (
    codes,
    dates,
    habits,
    record_country,
    record_identity,
    record_names,
    record_reach,
    text,
)
from rules.cells import Cells, staged_fields
from rules.collection import no_collection
from rules.columns import Columns
from rules.customer import HEAD_OF, PERSON, STAGED_SCHEMA
from rules.habits import Habits
from rules.quarantine import Problem
from rules.repairs import Repairs, use_as_written
from rules.slices import Slices, of_table
from rules.whole import dates as whole_dates
from rules.whole.texts import Ints, filled

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
_CODES = (
    ("status", codes.status, _STATUS_UNKNOWN),
    ("consent_marketing", codes.yes_no, _FLAG_UNKNOWN),
    ("do_not_contact", codes.yes_no, _FLAG_UNKNOWN),
)
"""Field, what reads a cell of it, and what is said of a cell that it does not know."""
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
    columns = {name: staged.array(name) for name in STAGED_SCHEMA.names if name not in identity}
    _require_identity(cells, columns)
    _reject_marked(raw, cells)
    return Standardized(
        staged=pa.table({**identity, **columns}).select(STAGED_SCHEMA.names).cast(STAGED_SCHEMA),
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
    if raw["_problem"].null_count == raw.num_rows:
        return
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
    staged = Columns(cells.rows)
    declared = cells.code("customer_type", codes.customer_type, _TYPE_UNKNOWN)
    declared = [kind or config.customer_type for kind in declared]
    stated = record_country.stated(cells)
    countries = [country or default for country in stated]
    plain = record_reach.plain(cells, default)
    silent = np.array([not country for country in stated], dtype=bool)
    at_home = silent & record_country.at_home(cells, plain)
    told = at_home | np.array([country == default for country in stated], dtype=bool)
    places: list[record_reach.Place] = [None] * cells.rows
    closely = np.flatnonzero(~(told & plain.is_addressed))
    record_reach.read_addresses(cells, closely, countries, places)
    unsure = np.flatnonzero(silent & ~at_home)
    inferred = record_country.infer(cells, unsure, default, places)
    for row, country in zip(unsure.tolist(), inferred, strict=True):
        countries[row] = country
    abroad = np.array([row for row in unsure.tolist() if countries[row] != default], dtype=np.int64)
    record_reach.read_addresses(cells, abroad, countries, places)
    ids: list[record_identity.Numbers] = [()] * cells.rows
    record_identity.numbers(cells, everybody, countries, declared, ids)
    birth_dates = _birth_dates(cells, config, found)
    kinds = [kind or PERSON for kind in declared]
    unknown = [row for row, kind in enumerate(declared) if not kind]
    born = (
        [
            day
            or next((number.found.birth_date for number in own if number.found.birth_date), None)
            for day, own in zip(birth_dates.to_pylist(), ids, strict=True)
        ]
        if unknown
        else []
    )
    types = record_identity.infer_types(cells, unknown, countries, ids, born, found.usual_type)
    for row, kind in zip(unknown, types, strict=True):
        kinds[row] = kind
    record_identity.numbers(cells, unknown, countries, kinds, ids)
    remarks = record_names.read(cells, kinds, countries, staged)
    record_identity.take_numbers(cells, kinds, ids, staged)
    record_identity.take_persons(cells, kinds, birth_dates, ids, staged)
    record_reach.take_addresses(cells, places, plain, told, staged)
    cities = staged.array("city")
    record_reach.take_phones_and_emails(cells, countries, remarks.phones, cities, plain, staged)
    all_rows = np.arange(cells.rows)
    basis = ["declared" if kind else "inferred" for kind in declared]
    staged.give(all_rows, {"customer_type": kinds, "country": countries, "type_basis": basis})
    _take_attributes(cells, remarks.notes, staged)
    for field, read, unknown_code in _CODES:
        if cells.has(field):
            staged.give(all_rows, {field: cells.code(field, read, unknown_code)})
    for field in filter(cells.has, _MOMENTS):
        staged.give(all_rows, {field: _moments(cells, field, config, found)})
    if any(name.startswith(VERIFIED) for name in cells.columns):
        staged.give(all_rows, {"verified": _verified(cells, config)})
    use_as_written(staged, cells.accepted)
    return staged


def _require_identity(cells: Cells, columns: Mapping[str, pa.Array]) -> None:
    """Reject records that nobody could tell apart; note missing names."""
    nameless = np.flatnonzero(columns["name"].is_null())
    reach = [columns[name].is_valid() for name in ("id_keys", "phone_keys", "emails")]
    reached = np.any([np.asarray(one)[nameless] for one in reach], axis=0)
    named = np.zeros(len(nameless), dtype=bool)
    for field in ("name", "organization_name", "family_name", "given_name"):
        named |= filled(cells.column(field).take(pa.array(nameless)))
    for row in nameless[~reached].tolist():
        cells.reject(row, _NOBODY)
    for row in nameless[reached & ~named].tolist():
        cells.note(row, "name", _NO_NAME, None)


def _birth_dates(cells: Cells, config: SourceConfig, found: Habits) -> pa.Array:
    column = cells.column("birth_date")
    latest = datetime.now(UTC).date()
    formats = tuple(config.formats.get("birth_date", ()))
    if formats:
        known = pa.nulls(cells.rows, pa.date32())
    else:
        known = whole_dates.read(column, found.earliest, latest)
    others = np.flatnonzero(np.asarray(known.is_null()) & filled(column))
    if not len(others):
        return known
    read = partial(
        dates.parse,
        formats=formats,
        day_first=found.day_first["birth_date"],
        latest=latest,
        earliest=found.earliest,
    )
    values = pa.array(_values(cells, "birth_date", others, read), known.type)
    return _put(known, others, values)


def _moments(cells: Cells, field: str, config: SourceConfig, found: Habits) -> pa.Array:
    column = cells.column(field)
    formats = tuple(config.formats.get(field, ()))
    plain = not formats and config.time_zone == "UTC"
    known = whole_dates.read_moments(column if plain else pa.nulls(cells.rows, pa.string()))
    others = np.flatnonzero(np.asarray(known.is_null()) & filled(column))
    if not len(others):
        return known
    day_first = found.day_first[field]

    def read(cell: str) -> dates.Moment:
        if formats:
            day = dates.parse(cell, formats=formats, day_first=day_first)
            if day.value and not day.problems:
                cell = day.value.isoformat()
        return dates.parse_timestamp(cell, day_first=day_first, zone=config.time_zone)

    return _put(known, others, pa.array(_values(cells, field, others, read), known.type))


def _put(column: pa.Array, rows: Ints, values: pa.Array) -> pa.Array:
    """The column with other values in some rows."""
    mask = np.zeros(len(column), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), values)


def _values(
    cells: Cells, field: str, rows: Ints, read: Callable[[str], dates.Dated | dates.Moment]
) -> list[Any]:
    """What a rule makes of the filled cells of some rows, each distinct text read once; findings
    are noted."""
    column = cells.first(field, rows)
    known = {cell: read(cell) for cell in set(column) if cell}
    result = [known[cell].value if cell else None for cell in column]
    faulty = {cell for cell, found in known.items() if found.problems}
    for place, (row, cell) in enumerate(zip(rows.tolist(), column, strict=True)):
        if cell in faulty and cell and not cells.usable(row, field, known[cell].problems, cell):
            result[place] = None
    return result


def _verified(cells: Cells, config: SourceConfig) -> list[list[str]]:
    """The fields in which each record is verified: a column says yes, or when that was."""
    names = sorted(name for name in cells.columns if name.startswith(VERIFIED))
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


def _take_attributes(cells: Cells, remarks: Mapping[int, Sequence[str]], staged: Columns) -> None:
    """Fill attributes as JSON, with all notes under ``note``."""
    fields = sorted(field for field in cells.columns if field.startswith(ATTRIBUTE))
    filled_rows = cells.only("note")[1] > 0
    filled_rows[list(remarks)] = True
    for field in fields:
        filled_rows |= filled(cells.column(field))
    rows = np.flatnonzero(filled_rows)
    names = [field.removeprefix(ATTRIBUTE) for field in fields]
    columns = [cells.first(field, rows) for field in fields]
    every = zip(*columns, strict=True) if columns else [()] * len(rows)
    attributes_of = staged["attributes"]
    for row, own, cells_ in zip(rows.tolist(), cells.every("note", rows), every, strict=True):
        attributes = {
            name: text.clean(cell) for name, cell in zip(names, cells_, strict=True) if cell
        }
        written = [*own, *remarks.get(row, ())]
        if written and (note := dict.fromkeys(filter(None, map(text.clean, written)))):
            attributes["note"] = "; ".join(note)
        if attributes:
            attributes_of[row] = _TO_JSON(attributes)

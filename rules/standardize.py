"""Raw to staged: in which order a record is read, and what it becomes.

What belongs here: the way of one record through the rules. How names,
identifiers, and what reaches a customer fit together stands in
rules/record_*.py; how one value is read in the field rules; what happens to
records and values that fail, in rules/suites.py.

No record is lost: staged has one row per raw row, in the same order. A value
that cannot be used is null, with a row in ``problems``; a record that cannot be
used has a row without ``field`` there.
"""

import gc
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from connectors.config import SourceConfig
from rules import codes, dates, record_country, record_identity, record_names, record_reach, text
from rules.cells import Cell, Cells, staged_fields
from rules.customer import ALL, FIELDS, STAGED_SCHEMA
from rules.quarantine import Problem

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
_DUPLICATE_KEY = Problem(
    "duplicate_key",
    "Another record of the source has the same key; give each record one of its own.",
)
LEAST_OLD = 20
"""Dates of other centuries from which a column can be one of people of the past."""
_FIRST_RECORDED = date(1000, 1, 1)
_OLD_DATE = re.compile(r"\s*(?:(?:\d{1,2}[-/.]){2})?1(?:[0-7]\d\d|8[0-4]\d)(?:[-/.]\d|\d{4}$|\s*$)")
_DAY_MONTH = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.](?:\d{4}|\d{2})(?:\D.*)?")
_MONTH_FIRST = frozenset({"US", "CN", "TW", "HK", "MO", "PH", "CA"})
_TO_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode
_AT_ONCE = 256
"""Records turned into columns together: as many as fit into a processor's cache."""
_MAY_BE_EMPTY = ("text", "list", "json")
_FLAGS = ("consent_marketing", "do_not_contact")


@dataclass(frozen=True)
class Standardized:
    """A source's records, cleaned and typed, and what was found wrong.

    Attributes:
        staged: ``rules.customer.STAGED_SCHEMA``, one row per raw row, in the same order.
        problems: ``rules.quarantine.PROBLEMS_SCHEMA``.
        raw: the raw table.
        inputs: staged field → the raw columns it was read from, for the fields that are mapped.
    """

    staged: pa.Table
    problems: pa.Table
    raw: pa.Table
    inputs: Mapping[str, Sequence[str]]


def standardize(raw: pa.Table, config: SourceConfig, country: str) -> Standardized:
    """Clean and type every record of a source.

    Args:
        raw: ``_source_key``, ``_position``, ``_row_hash``, perhaps ``_problem``, then the
            source's columns as text.
        config: the source.
        country: ISO 3166 code of the home, for a source that declares none.

    Raises:
        SourceLayout: a mapped column is not there.
    """
    cells = Cells(raw, config)
    reader = _Reader(cells, config, config.country or country)
    keys = [key or "" for key in raw["_source_key"].to_pylist()]
    columns: dict[str, list[Any]] = {field.name: [] for field in ALL}
    with _no_collection():
        for start in range(0, raw.num_rows, _AT_ONCE):
            rows = range(start, min(start + _AT_ONCE, raw.num_rows))
            records = [reader.record(row) for row in rows]
            for model_field in FIELDS:
                name = model_field.name
                if model_field.kind in _MAY_BE_EMPTY:
                    columns[name] += [record.get(name) or None for record in records]
                else:
                    columns[name] += [record.get(name) for record in records]
    columns["record_id"] = [f"{config.name}:{key}" for key in keys]
    columns["source"], columns["source_key"] = [config.name] * len(keys), keys
    columns["position"], columns["row_hash"] = (
        raw[name].to_pylist() for name in ("_position", "_row_hash")
    )
    _check_keys(raw, keys, cells)
    inputs: dict[str, list[str]] = {}
    for field, names in cells.columns.items():
        for staged in staged_fields(field):
            inputs.setdefault(staged, []).extend(names)
    return Standardized(
        staged=pa.table(columns, schema=STAGED_SCHEMA),
        problems=cells.findings.table(columns["record_id"], keys, columns["position"], config.name),
        raw=raw,
        inputs=inputs,
    )


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the search for cyclic garbage: records make many objects and no cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _check_keys(raw: pa.Table, keys: Sequence[str], cells: Cells) -> None:
    """Reject what the connector found broken, and keys that came before."""
    marked: list[str | None] = [None] * len(keys)
    if "_problem" in raw.column_names:
        marked = raw["_problem"].to_pylist()
    seen: set[str] = set()
    for row, (key, sentence) in enumerate(zip(keys, marked, strict=True)):
        if sentence:
            cells.reject(row, Problem(_rule_of(sentence), f"{sentence[:1].upper()}{sentence[1:]}."))
        elif key in seen:  # connectors make keys unique; a table from elsewhere may not
            cells.reject(row, _DUPLICATE_KEY)
        else:
            seen.add(key)


def _rule_of(sentence: str) -> str:
    """Name of the rule behind a connector's sentence."""
    if "key occurs" in sentence:
        return "duplicate_key"
    return "empty_key" if "key is empty" in sentence else "record_damaged"


class _Reader:
    """Reads the records of one source.

    Args:
        cells: the source's cells.
        config: the source.
        country: ISO 3166 code of a record that shows no other.
    """

    def __init__(self, cells: Cells, config: SourceConfig, country: str) -> None:
        self._cells, self._config, self._country = cells, config, country
        self._today = datetime.now(UTC).date()
        self._attributes = [
            (field.removeprefix("attributes."), field)
            for field in cells.columns
            if field.startswith("attributes.")
        ]
        self._formats = {
            field: tuple(config.formats.get(field, ()))
            for field in ("birth_date", "created_at", "updated_at")
        }
        self._day_first = {
            field: _day_first(cells.column(field), config, country)
            for field in ("birth_date", "created_at", "updated_at")
        }

        self._earliest = _earliest(cells.column("birth_date"))

    def record(self, row: int) -> dict[str, Any]:
        """The staged values of one row; missing ones may be left out.

        The country helps to read numbers and phones, identifiers help to find the
        country and the type, and the type decides how names are read.
        """
        cells = self._cells
        declared = cells.code("customer_type", row, codes.customer_type, _TYPE_UNKNOWN)
        declared = declared or self._config.customer_type
        stated = record_country.stated(cells, row)
        place = record_reach.read_address(cells, row, stated or self._country)
        country = stated or record_country.infer(cells, row, self._country, place)
        if country != (stated or self._country):
            place = record_reach.read_address(cells, row, country)
        ids = record_identity.numbers(cells, row, country, declared)
        birth_date = self._birth_date(row)
        born = birth_date or next((n.found.birth_date for n in ids if n.found.birth_date), None)
        kind = declared
        if not kind:
            kind = record_identity.infer_type(cells, row, country, ids, born)
            ids = record_identity.numbers(cells, row, country, kind)
        names = record_names.read(cells, row, kind, country)
        record: dict[str, Any] = {
            "customer_type": kind,
            "type_basis": "declared" if declared else "inferred",
            "country": country,
            **names.record,
            **record_identity.take_numbers(cells, row, kind, ids),
            **record_identity.take_person(cells, row, kind, birth_date, ids),
            **record_reach.take_address(cells, row, place),
        }
        record |= record_reach.take_phones_and_emails(
            cells, row, country, record.get("city"), names.phones
        )
        record["attributes"] = self._other(row, names.notes)
        record["status"] = cells.code("status", row, codes.status, _STATUS_UNKNOWN)
        for flag in _FLAGS:
            record[flag] = cells.code(flag, row, codes.yes_no, _FLAG_UNKNOWN)
        for field in ("created_at", "updated_at"):
            record[field] = self._moment(row, field)
        self._require_identity(row, record)
        return record

    def _require_identity(self, row: int, record: Mapping[str, Any]) -> None:
        """Reject a record that nobody could tell apart; note a missing name."""
        if record.get("name"):
            return
        if not any(record.get(field) for field in ("id_keys", "phone_keys", "emails")):
            self._cells.reject(row, _NOBODY)
        elif not any(
            self._cells.first(field, row)
            for field in ("name", "organization_name", "family_name", "given_name")
        ):
            self._cells.note(row, "name", _NO_NAME, None)

    def _birth_date(self, row: int) -> date | None:
        cell = self._cells.first("birth_date", row)
        if not cell:
            return None
        found = dates.parse(
            cell,
            formats=self._formats["birth_date"],
            day_first=self._day_first["birth_date"],
            latest=self._today,
            earliest=self._earliest,
        )
        usable = self._cells.usable(row, "birth_date", found.problems, cell)
        return found.value if usable else None

    def _moment(self, row: int, field: str) -> datetime | None:
        cell = self._cells.first(field, row)
        if not cell:
            return None
        day_first = self._day_first[field]
        if formats := self._formats[field]:
            day = dates.parse(cell, formats=formats, day_first=day_first)
            if day.value and not day.problems:
                return datetime(day.value.year, day.value.month, day.value.day, tzinfo=UTC)
        found = dates.parse_timestamp(cell, day_first=day_first)
        usable = self._cells.usable(row, field, found.problems, cell)
        return found.value if usable else None

    def _other(self, row: int, remarks: Sequence[str]) -> str | None:
        """Attributes as JSON, with all notes under ``note``."""
        attributes = {}
        for name, field in self._attributes:
            if cell := self._cells.first(field, row):
                attributes[name] = text.clean(cell)
        written = [*self._cells.every("note", row), *remarks]
        if written and (note := dict.fromkeys(filter(None, map(text.clean, written)))):
            attributes["note"] = "; ".join(note)
        return _TO_JSON(attributes) if attributes else None


def _earliest(cells: Sequence[Cell]) -> date:
    """The first birth date that a column may hold: people of earlier centuries have their own.

    A few old dates among living customers are slips and fillers; where a tenth
    of a column is older than any customer can be, its people are of the past.
    """
    dated = [cell for cell in cells if cell]
    old = sum(_OLD_DATE.match(cell) is not None for cell in dated)
    return _FIRST_RECORDED if old >= LEAST_OLD and old * 10 >= len(dated) else dates.EARLIEST


def _day_first(cells: Sequence[Cell], config: SourceConfig, country: str) -> bool:
    """Whether 3/4/2020 is the third of April in this column, by its other dates.

    A day over 12 tells; the more frequent order wins. A column that does not
    tell follows its source's ``day_first``, then its country's habit.
    """
    if config.day_first:
        return True
    day = month = 0
    for cell in cells:
        if cell and (match := _DAY_MONTH.fullmatch(cell)):
            first, second = int(match[1]), int(match[2])
            day += first > 12 >= second
            month += second > 12 >= first
    return day > month if day or month else country not in _MONTH_FIRST

"""Raw to staged: which rule reads which cell, and what a record becomes.

What belongs here: the order of reading a record, and how the answers of the
field rules fit together: its type, its country, which cell is its own name,
what an identifier says about a birth date. How one value is read stands in the
field rules, how a cell is found in rules/cells.py; what happens to records and
values that fail, in rules/suites.py.

No record is lost: staged has one row per raw row, in the same order. A value
that cannot be used is null, with a row in ``problems``; a record that cannot be
used has a row without ``field`` there.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from connectors.config import SourceConfig
from rules import (
    address,
    codes,
    customer_type,
    dates,
    email,
    identifier,
    notes,
    organization_name,
    person_name,
    phone,
    record_country,
    text,
)
from rules.cells import Cell, Cells
from rules.customer import ALL, ORGANIZATION, PERSON, STAGED_SCHEMA
from rules.placeholder import is_placeholder
from rules.quarantine import Findings, Problem

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

_CODE = "The value is not known; add it to 'values' in the source's YAML or correct it."
_TYPE_UNKNOWN = Problem("customer_type_unknown", _CODE)
_COUNTRY_UNKNOWN = Problem("country_unknown", _CODE)
_SEX_UNKNOWN = Problem("sex_unknown", _CODE)
_STATUS_UNKNOWN = Problem("status_unknown", _CODE)
_FLAG_UNKNOWN = Problem("yes_no_unknown", _CODE)
_NO_NAME = Problem(
    "name_missing", "The record names nobody; find out whose it is and add the name."
)
_NOBODY = Problem(
    "record_without_identity",
    "The record has no name, number, phone or e-mail that can be used; "
    "complete it in the source or delete it there.",
)
_BIRTH_DATE_DIFFERS = Problem(
    "birth_date_differs_from_id",
    "The birth date is not the one in the identity number; the number's is used. Check both.",
    "warning",
)
_SEX_DIFFERS = Problem(
    "sex_differs_from_id",
    "The sex is not the one in the identity number; the column's is used. Check both.",
    "warning",
)
_ORGANIZATION_BORN = Problem(
    "birth_date_of_organization", "An organization has no birth date; check its type.", "warning"
)
_DUPLICATE_KEY = Problem(
    "duplicate_key",
    "Another record of the source has the same key; give each record one of its own.",
)

_INTERNATIONAL = re.compile(r"[\s(（'\"]*(?:\+|＋|00)")
_DIGITS_ONLY = re.compile(r"[\d\s()（）+.\-—转ext/]{7,}")
_E_MAIL = re.compile(r"[^\s,;，；/]+@[^\s,;，；/]+")
_DAY_MONTH = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.](?:\d{4}|\d{2})(?:\D.*)?")
_MONTH_FIRST = frozenset({"US", "CN", "TW", "HK", "MO", "PH", "CA"})

_Identifier = tuple[str, str, identifier.Identifier]
"""Input field, cell, and what the cell says."""


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
    reader = _Reader(raw, config, config.country or country)
    columns = reader.read()
    keys, positions = columns["source_key"], columns["position"]
    return Standardized(
        staged=pa.table(columns, schema=STAGED_SCHEMA),
        problems=reader.findings.table(columns["record_id"], keys, positions, config.name),
        raw=raw,
        inputs=reader.inputs(),
    )


class _Reader:
    """Reads the records of one source, row by row over lists of cells."""

    def __init__(self, raw: pa.Table, config: SourceConfig, country: str) -> None:
        self.findings = Findings()
        self._raw, self._config, self._country = raw, config, country
        self._severity = config.severity
        self._today = datetime.now(UTC).date()
        cells = self._cells = Cells(raw, config, self._note)
        self._first = {field: cells.firsts(field) for field in cells.columns}
        self._every = {field: cells.every(field) for field in cells.columns}
        self._attributes = [field for field in cells.columns if field.startswith("attributes.")]
        self._joins_address = len(config.columns.get("address", ())) > 1
        self._dates = {
            field: (
                config.formats.get(field, ()),
                _day_first(self._first[field], config, self._country),
            )
            for field in ("birth_date", "created_at", "updated_at")
            if field in cells
        }

    def inputs(self) -> dict[str, list[str]]:
        """Staged field → raw columns."""
        found: dict[str, list[str]] = {}
        for field, columns in self._cells.columns.items():
            for staged in _staged_fields(field):
                if staged in STAGED_SCHEMA.names:
                    found.setdefault(staged, []).extend(columns)
        return found

    def read(self) -> dict[str, list[Any]]:
        """Every staged column as a list."""
        keys = [key or "" for key in self._raw["_source_key"].to_pylist()]
        positions = self._raw["_position"].to_pylist()
        hashes = self._raw["_row_hash"].to_pylist()
        source = self._config.name
        self._check_keys(keys)
        names = [field.name for field in ALL]
        columns: dict[str, list[Any]] = {name: [] for name in names}
        appends = [(name, columns[name].append) for name in names]
        for row, key in enumerate(keys):
            record = self._record(row)
            record["record_id"], record["source"] = f"{source}:{key}", source
            record["source_key"], record["position"] = key, positions[row]
            record["row_hash"] = hashes[row]
            for name, append in appends:
                append(record.get(name) or None)
        for flag in ("consent_marketing", "do_not_contact"):
            columns[flag] = self._flags(flag)
        return columns

    # --- findings

    def _note(self, row: int, field: str, problem: Problem, raw: Cell) -> bool:
        """Keep a finding on an input field; whether the value may still be used."""
        staged = _staged_fields(field)[0]
        severity = (
            self._severity.get(problem.rule)
            or self._severity.get(staged)
            or self._severity.get(field)
            or problem.severity
        )
        usable = not (severity == "error" and problem.severity == "warning")
        if severity != problem.severity:
            problem = Problem(problem.rule, problem.reason, severity)
        self.findings.add(row, staged, problem, raw)
        return usable

    def _usable(self, row: int, field: str, problems: Iterable[Problem], raw: Cell) -> bool:
        """Keep all findings on a value; whether it may still be used."""
        verdicts = [self._note(row, field, problem, raw) for problem in problems]
        return all(verdicts)

    def _reject(self, row: int, problem: Problem) -> None:
        """Keep a finding on the whole record, with the record as read."""
        columns = [name for name in self._raw.column_names if not name.startswith("_")]
        cells = {name: self._raw[name][row].as_py() for name in columns}
        written = json.dumps({k: v for k, v in cells.items() if v}, ensure_ascii=False)
        self.findings.add(row, None, problem, written)

    def _check_keys(self, keys: list[str]) -> None:
        """Reject what the connector found broken, and keys that came before."""
        seen: set[str] = set()
        marked: list[str | None] = [None] * len(keys)
        if "_problem" in self._raw.column_names:
            marked = self._raw["_problem"].to_pylist()
        for row, (key, sentence) in enumerate(zip(keys, marked, strict=True)):
            if sentence:
                self._reject(row, Problem(_rule_of(sentence), sentence))
            elif key in seen:  # connectors make keys unique; a table from elsewhere may not
                self._reject(row, _DUPLICATE_KEY)
            else:
                seen.add(key)

    # --- one record

    def _cell(self, field: str, row: int) -> Cell:
        cells = self._first.get(field)
        return cells[row] if cells is not None else None

    def _cells_of(self, field: str, row: int) -> tuple[str, ...]:
        cells = self._every.get(field)
        return cells[row] if cells is not None else ()

    def _record(self, row: int) -> dict[str, Any]:
        """The staged values of one row, missing ones left out."""
        record: dict[str, Any] = {}
        extra: dict[str, list[str]] = {"phones": [], "notes": [], "other_names": []}
        declared = self._declared_type(row)
        stated = self._code(row, "country", codes.country, _COUNTRY_UNKNOWN)
        country = stated or self._country
        ids = self._identifiers(row, country, declared)
        if not stated:
            hint = next(
                filter(None, (record_country.from_identifier(i.kind) for _, _, i in ids)), None
            )
            postal_code = self._cell("postal_code", row)
            country = (
                hint
                or record_country.from_postal_code(postal_code, country)
                or record_country.from_address(self._cell("address", row) or "", country)
                or country
            )
        place = self._address(row, country)
        if not stated:
            if place is not None and place.country and place.country != country:
                country = place.country
            elif country == self._country and (place is None or not place.region):
                country = self._country_of_phones(row, country)
        birth_date = self._birth_date(row)
        born = birth_date or next((i.birth_date for _, _, i in ids if i.birth_date), None)
        kind = declared or self._inferred_type(row, ids, born)
        if country != (stated or self._country) or not declared:
            ids = self._identifiers(row, country, kind)
        record["customer_type"] = kind
        record["type_basis"] = "declared" if declared else "inferred"
        self._names(row, kind, country, record, extra)
        self._take_identifiers(row, kind, ids, record)
        self._personal(row, kind, birth_date, ids, record)
        self._take_address(row, place, country, record)
        record["country"] = country
        self._reach(row, country, record, extra)
        self._more(row, record, extra)
        for field in ("created_at", "updated_at"):
            record[field] = self._moment(row, field)
        self._require_identity(row, record)
        return record

    def _require_identity(self, row: int, record: dict[str, Any]) -> None:
        """Reject a record that nobody could tell apart; note a missing name."""
        if record.get("name"):
            return
        if any(record.get(field) for field in ("id_keys", "phone_keys", "emails")):
            if not any(self._cell(field, row) for field in ("name", "family_name", "given_name")):
                self._note(row, "name", _NO_NAME, None)
        else:
            self._reject(row, _NOBODY)

    def _declared_type(self, row: int) -> str | None:
        kind = self._code(row, "customer_type", codes.customer_type, _TYPE_UNKNOWN)
        return kind or self._config.customer_type

    def _inferred_type(self, row: int, ids: Sequence[_Identifier], birth_date: date | None) -> str:
        name = self._cell("name", row)
        organization = self._cell("organization_name", row)
        if not name and (self._cell("family_name", row) or self._cell("given_name", row)):
            return PERSON
        kinds: dict[bool, str] = {}
        for field, cell, found in ids:
            if found.kind and found.is_personal is not None and self._tells(field, cell, found):
                kinds[found.is_personal] = found.kind
        return customer_type.infer(
            name or organization,
            contact_name=self._cell("contact_name", row),
            employer_name=organization if name else None,
            national_id_kind=kinds.get(True),
            tax_id_kind=kinds.get(False),
            birth_date=birth_date,
        )

    def _tells(self, field: str, cell: str, found: identifier.Identifier) -> bool:
        """Whether a number says by its own form whose kind it is: nine digits in the US do not."""
        if field == "national_id":
            return found.value is not None
        other = ORGANIZATION if found.is_personal else PERSON
        answer = identifier.parse(cell, country=self._country, customer_type=other)
        return answer.is_personal == found.is_personal

    def _code(self, row: int, field: str, read: Callable[[str], Any], unknown: Problem) -> Any:
        """A value out of a closed list; None if there is none or it is not known."""
        cell = self._cell(field, row)
        if not cell:
            return None
        code = read(cell)
        if code is None and not is_placeholder(cell):
            self._note(row, field, unknown, cell)
        return code

    def _flags(self, field: str) -> list[bool | None]:
        rows = range(self._raw.num_rows)
        return [self._code(row, field, codes.yes_no, _FLAG_UNKNOWN) for row in rows]

    # --- names

    def _names(
        self, row: int, kind: str, country: str, record: dict[str, Any], extra: dict[str, list[str]]
    ) -> None:
        """The record's own name, its employer, contact and representative."""
        names = self._cells_of("name", row)
        organization = self._cell("organization_name", row)
        family, given = self._cell("family_name", row), self._cell("given_name", row)
        own = names[0] if names else None
        extra["other_names"] += names[1:]
        if kind == PERSON:
            if not (own or family or given):
                own, organization = organization, None
            elif own and (family or given) and not organization and _is_organization(own):
                own, organization = None, own
            self._person(row, own, family, given, country, record, extra)
            if organization:
                employer = organization_name.parse(organization, country=country)
                if self._usable(row, "employer_name", employer.problems, organization):
                    record["employer_name"] = employer.name
                extra["phones"] += employer.phones
        else:
            if own and organization and text.fold(own) != text.fold(organization):
                extra["other_names"].append(organization)
            self._organization(row, own or organization, country, record, extra)
        for field in ("contact_name", "legal_representative"):
            cell = self._cell(field, row)
            if not cell and field == "contact_name" and kind == ORGANIZATION:
                cell = " ".join(part for part in (given, family) if part) or None
            if cell:
                self._other_person(row, field, cell, country, record, extra)

    def _person(
        self,
        row: int,
        full: Cell,
        family: Cell,
        given: Cell,
        country: str,
        record: dict[str, Any],
        extra: dict[str, list[str]],
    ) -> None:
        raw = full or " | ".join(part for part in (family, given) if part)
        if not raw:
            return
        name = person_name.parse(full, family=family, given=given, country=country)
        extra["phones"] += name.phones
        extra["notes"] += name.notes
        extra["other_names"] += name.other_names
        if self._usable(row, "name", name.problems, raw) and name.name:
            record |= {
                "name": name.name,
                "name_key": name.key,
                "name_readings": name.readings,
                "family_name": name.family_name,
                "given_name": name.given_name,
                "middle_name": name.middle_name,
                "name_suffix": name.suffix,
            }
        elif not name.problems:
            self._note(row, "name", _NO_NAME, raw)

    def _organization(
        self,
        row: int,
        raw: Cell,
        country: str,
        record: dict[str, Any],
        extra: dict[str, list[str]],
    ) -> None:
        if not raw:
            return
        name = organization_name.parse(raw, country=country)
        extra["phones"] += name.phones
        extra["notes"] += name.notes
        extra["other_names"] += name.other_names
        if self._usable(row, "name", name.problems, raw) and name.name:
            record |= {
                "name": name.name,
                "name_key": name.key,
                "name_readings": name.readings,
                "org_region": name.region,
                "org_brand": name.brand,
                "org_industry": name.industry,
                "org_legal_form": name.legal_form,
                "org_branch": name.branch,
            }
        elif not name.problems:
            self._note(row, "name", _NO_NAME, raw)

    def _other_person(
        self,
        row: int,
        field: str,
        cell: str,
        country: str,
        record: dict[str, Any],
        extra: dict[str, list[str]],
    ) -> None:
        """Contact or representative; a number that stands there is kept."""
        if sum(c.isdigit() for c in cell) >= 7 and not any(c.isalpha() for c in cell):
            extra["phones"].append(cell)
            return
        name = person_name.parse(cell, country=country)
        extra["phones"] += name.phones
        if self._usable(row, field, name.problems, cell) and name.key != record.get("name_key"):
            record[field] = name.name

    # --- identity numbers, birth date, sex

    def _identifiers(self, row: int, country: str, kind: str | None) -> list[_Identifier]:
        """Input field, cell and what it says, for every filled identifier column."""
        found = []
        for field, expected in (
            ("national_id", PERSON),
            ("tax_id", kind or ORGANIZATION),
            ("identifier", kind),
        ):
            cell = self._cell(field, row)
            if cell:
                answer = identifier.parse(cell, country=country, customer_type=expected)
                found.append((field, cell, answer))
        return found

    def _take_identifiers(
        self, row: int, kind: str, ids: list[_Identifier], record: dict[str, Any]
    ) -> None:
        keys: dict[str, None] = {}
        for _, cell, found in ids:
            personal = kind == PERSON if found.is_personal is None else found.is_personal
            column = "national_id" if personal else "tax_id"
            if not self._usable(row, column, found.problems, cell):
                continue
            keys |= dict.fromkeys(found.keys)
            if found.value and not record.get(column):
                record[column], record[f"{column}_kind"] = found.value, found.kind
            record["org_code"] = record.get("org_code") or found.org_code
            record["license_no"] = record.get("license_no") or found.license_no
        record["id_keys"] = list(keys)

    def _birth_date(self, row: int) -> date | None:
        """The birth date column's date."""
        cell = self._cell("birth_date", row)
        if not cell:
            return None
        formats, day_first = self._dates["birth_date"]
        found = dates.parse(cell, formats=formats, day_first=day_first, latest=self._today)
        usable = self._usable(row, "birth_date", found.problems, cell)
        return found.value if usable else None

    def _personal(
        self,
        row: int,
        kind: str,
        birth_date: date | None,
        ids: list[_Identifier],
        record: dict[str, Any],
    ) -> None:
        """Birth date and sex, from their columns and from a checked identity number."""
        stated = self._code(row, "sex", codes.sex, _SEX_UNKNOWN)
        if kind != PERSON:
            if birth_date:
                self._note(row, "birth_date", _ORGANIZATION_BORN, self._cell("birth_date", row))
            return
        checked = next((i for _, _, i in ids if i.is_personal and i.value), None)
        damaged = next((i for _, _, i in ids if i.is_personal and i.birth_date), None)
        from_id = checked or damaged
        if from_id is not None and from_id.birth_date:
            if birth_date is None:
                birth_date = from_id.birth_date
            elif birth_date != from_id.birth_date:
                cell = self._cell("birth_date", row)
                if checked and self._note(row, "birth_date", _BIRTH_DATE_DIFFERS, cell):
                    birth_date = from_id.birth_date
        record["birth_date"] = birth_date
        record["sex"] = stated or (checked.sex if checked else None)
        if stated and checked and checked.sex and checked.sex != stated:
            self._note(row, "sex", _SEX_DIFFERS, self._cell("sex", row))

    # --- address, phones, e-mails

    def _address(self, row: int, country: str) -> address.Address | None:
        if self._joins_address:
            line: Cell = " ".join(self._cells_of("address", row))
        else:
            line = self._cell("address", row)
        parts = {
            field: self._cell(field, row) for field in ("region", "city", "district", "postal_code")
        }
        if not line and not any(parts.values()):
            return None
        return address.parse(line, **parts, country=country)

    def _take_address(
        self, row: int, place: address.Address | None, country: str, record: dict[str, Any]
    ) -> None:
        if place is None:
            return
        cells = [self._cell(field, row) for field in ("address", "district", "city", "region")]
        raw = " | ".join(cell for cell in cells if cell) or self._cell("postal_code", row)
        if not self._usable(row, "address", place.problems, raw):
            return
        record |= {
            "address_line": place.address_line,
            "street": place.street,
            "house_number": place.house_number,
            "unit": place.unit,
            "district": place.district,
            "city": place.city,
            "region": place.region,
            "postal_code": place.postal_code,
            "address_key": place.key,
        }

    def _country_of_phones(self, row: int, country: str) -> str:
        """The country that all numbers of the record name, if they are written with it."""
        cells = [*self._cells_of("mobile", row), *self._cells_of("phone", row)]
        if not any(_INTERNATIONAL.match(cell) for cell in cells):
            return country
        numbers = [n.e164 for cell in cells for n in phone.parse(cell, country=country).numbers]
        return record_country.from_phones(numbers, country) or country

    def _reach(
        self, row: int, country: str, record: dict[str, Any], extra: dict[str, list[str]]
    ) -> None:
        """Phones and e-mails, mobile first, each once; one found in the other's column counts."""
        city = record.get("city")
        numbers: dict[str, tuple[int, phone.Phone]] = {}
        keys: dict[str, None] = {}
        addresses: dict[str, None] = {}
        texts = [("mobile", cell) for cell in self._cells_of("mobile", row)]
        texts += [("phone", cell) for cell in self._cells_of("phone", row)]
        texts += [("phone", found) for found in extra["phones"]]
        for cell in self._cells_of("email", row):
            if "@" not in cell and _DIGITS_ONLY.fullmatch(cell):
                texts.append(("phone", cell))
                continue
            mails = email.parse(cell)
            if self._usable(row, "email", mails.problems, cell):
                addresses |= dict.fromkeys(mails.addresses)
        for field, cell in texts:
            numeral = cell
            if "@" in cell:
                addresses |= dict.fromkeys(email.parse(cell).addresses)
                numeral = _E_MAIL.sub(" ", cell)
                if not any(c.isdigit() for c in numeral):
                    continue
            found = phone.parse(numeral, country=country, city=city)
            if not self._usable(row, field, found.problems, cell):
                continue
            keys |= dict.fromkeys(found.keys)
            for number in found.numbers:
                rank = 0 if number.kind == "mobile" else 1 if field == "mobile" else 2
                if number.e164 not in numbers or rank < numbers[number.e164][0]:
                    numbers[number.e164] = (rank, number)
        ordered = [number for _, number in sorted(numbers.values(), key=lambda item: item[0])]
        record["phones"] = [number.e164 for number in ordered]
        record["phone_kinds"] = [number.kind for number in ordered]
        record["phone_extensions"] = [number.extension for number in ordered]
        record["phone_keys"] = list(keys)
        record["emails"] = list(addresses)

    # --- the rest

    def _more(self, row: int, record: dict[str, Any], extra: dict[str, list[str]]) -> None:
        """Other names, notes, attributes and status."""
        names: dict[str, str] = {}
        written = list(self._cells_of("note", row))
        for cell in written:
            extra["other_names"] += notes.split(cell).other_names
        for name in [*self._cells_of("short_name", row), *extra["other_names"]]:
            shown = text.to_simplified(text.clean(name))
            if shown and not is_placeholder(shown):
                names.setdefault(text.fold(shown), shown)
        names.pop(record.get("name_key") or "", None)
        names.pop(text.fold(record.get("name") or ""), None)
        record["other_names"] = list(names.values())
        attributes = {
            field.removeprefix("attributes."): text.clean(cell)
            for field in self._attributes
            if (cell := self._cell(field, row))
        }
        note = dict.fromkeys(filter(None, map(text.clean, [*written, *extra["notes"]])))
        if note:
            attributes["note"] = "; ".join(note)
        if attributes:
            record["attributes"] = json.dumps(attributes, ensure_ascii=False, sort_keys=True)
        record["status"] = self._code(row, "status", codes.status, _STATUS_UNKNOWN)

    def _moment(self, row: int, field: str) -> datetime | None:
        cell = self._cell(field, row)
        if not cell:
            return None
        formats, day_first = self._dates[field]
        if formats:
            day = dates.parse(cell, formats=formats, day_first=day_first)
            if day.value and not day.problems:
                return datetime(day.value.year, day.value.month, day.value.day, tzinfo=UTC)
        found = dates.parse_timestamp(cell, day_first=day_first)
        usable = self._usable(row, field, found.problems, cell)
        return found.value if usable else None


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


def _staged_fields(field: str) -> tuple[str, ...]:
    """The staged fields that an input field feeds."""
    if field.startswith("attributes."):
        return ("attributes",)
    return STAGED_FIELDS.get(field, (field,))


def _is_organization(name: str) -> bool:
    return customer_type.infer(name) == ORGANIZATION


def _rule_of(sentence: str) -> str:
    """Name of the rule behind a sentence of a connector."""
    if "key occurs" in sentence:
        return "duplicate_key"
    return "empty_key" if "key is empty" in sentence else "record_damaged"

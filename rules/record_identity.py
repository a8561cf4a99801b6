"""What a record is and which numbers it bears: its type, identifiers, birth date and sex.

What belongs here: how identifier columns, the type column and what an identity
number says fit together. How one number is read stands in rules/identifier.py,
how a type is inferred in rules/customer_type.py.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from rules import codes, customer_type, identifier
from rules.cells import Cell, Cells
from rules.columns import Columns
from rules.customer import ORGANIZATION, PERSON
from rules.quarantine import Problem

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
    "birth_date_of_organization",
    "An organization has no birth date; it is not used. Check the customer's type.",
    "warning",
)
_SEX_UNKNOWN = Problem(
    "sex_unknown", "The value is not known; add it to 'values' in the source's YAML or correct it."
)
_COLUMNS = ("national_id", "tax_id")
_NAMES = ("name", "organization_name", "family_name", "given_name", "contact_name")


class Number(NamedTuple):
    """A filled identifier column of a record: input field, cell, and what the cell says."""

    field: str
    cell: str
    found: identifier.Identifier


Numbers = Sequence[Number]
"""The numbers of one record."""


def numbers(
    cells: Cells,
    rows: Iterable[int],
    countries: Sequence[str],
    kinds: Sequence[str | None],
    ids: list[Numbers],
) -> None:
    """Read the filled identifier columns of some records.

    Args:
        rows: which records.
        countries: ISO 3166 code of every record.
        kinds: type of every record; None if it is not known yet.
        ids: the numbers of every record, written for these.
    """
    columns = [
        (field, cells.first(field))
        for field in ("national_id", "tax_id", "identifier")
        if cells.has(field)
    ]
    for row in rows if columns else ():
        ids[row] = [
            _number(field, cell, countries[row], kinds[row])
            for field, column in columns
            if (cell := column[row])
        ]


def _number(field: str, cell: str, country: str, kind: str | None) -> Number:
    expected = PERSON if field == "national_id" else kind
    if field == "tax_id" and not kind:
        expected = ORGANIZATION
    return Number(field, cell, identifier.parse(cell, country=country, customer_type=expected))


def infer_types(
    cells: Cells,
    rows: Iterable[int],
    countries: Sequence[str],
    ids: Sequence[Numbers],
    born: Sequence[date | None],
    usual: float,
) -> list[str]:
    """``person`` or ``organization`` of these records, by their own columns.

    Args:
        usual: ``customer_type.usual`` of the source's names.
    """
    chosen = np.fromiter(rows, np.int64)
    written = zip(*(cells.first(field, chosen) for field in _NAMES), strict=True)
    return [
        _infer_type(names, countries[row], ids[row], born[row], usual)
        for row, names in zip(chosen.tolist(), written, strict=True)
    ]


def _infer_type(
    names: Sequence[Cell], country: str, ids: Numbers, birth_date: date | None, usual: float
) -> str:
    name, organization, family, given, contact = names
    if not name and (family or given):
        return PERSON
    if name and family and not given and not organization:
        name = name if family in name else f"{name} {family}"
    kinds = {
        number.found.is_personal: number.found.kind
        for number in ids
        if number.found.kind and _tells(number, country)
    }
    return customer_type.infer(
        name or organization,
        contact_name=contact,
        employer_name=organization if name else None,
        national_id_kind=kinds.get(True),
        tax_id_kind=kinds.get(False),
        birth_date=birth_date,
        usual=usual,
    )


def _tells(number: Number, country: str) -> bool:
    """Whether a number says by its own form whose kind it is: nine digits in the US do not."""
    found = number.found
    if found.is_personal is None or number.field == "national_id":
        return found.value is not None and found.is_personal is not None
    other = ORGANIZATION if found.is_personal else PERSON
    answer = identifier.parse(number.cell, country=country, customer_type=other)
    return answer.is_personal == found.is_personal


def take_numbers(
    cells: Cells, kinds: Sequence[str], ids: Sequence[Numbers], staged: Columns
) -> None:
    """Fill the staged columns of identifiers. A number stands where its kind belongs.

    A sole trader's identity number is a ``national_id`` though the customer is an
    organization. A damaged number has keys for matching but no value.
    """
    values = {column: (staged[column], staged[f"{column}_kind"]) for column in _COLUMNS}
    org_codes, license_numbers, all_keys = (
        staged[name] for name in ("org_code", "license_no", "id_keys")
    )
    for row, numbers_ in enumerate(ids):
        if not numbers_:
            continue
        keys: tuple[str, ...] = ()
        for field, cell, found in numbers_:
            personal = found.is_personal
            if personal is None:
                personal = kinds[row] == PERSON
            column = _COLUMNS[0] if personal else _COLUMNS[1]
            if found.problems and not cells.usable(row, column, found.problems, cell, field):
                continue
            keys = tuple(dict.fromkeys(keys + found.keys)) if keys else found.keys
            numbers_of, kinds_of = values[column]
            if found.value and numbers_of[row] is None:
                numbers_of[row], kinds_of[row] = found.value, found.kind
            if found.org_code and not org_codes[row]:
                org_codes[row] = found.org_code
            if found.license_no and not license_numbers[row]:
                license_numbers[row] = found.license_no
        if keys:
            all_keys[row] = keys


def take_persons(
    cells: Cells,
    kinds: Sequence[str],
    birth_dates: pa.Array,
    ids: Sequence[Numbers],
    staged: Columns,
) -> None:
    """Fill birth date and sex, from their columns and from the identity number.

    A checked number is trusted over the birth date column, and fills what the
    columns do not say; a damaged one fills a missing birth date only.
    """
    sexes = cells.code("sex", codes.sex, _SEX_UNKNOWN)
    plain = np.fromiter(
        (kind == PERSON and not own for kind, own in zip(kinds, ids, strict=True)), bool, len(ids)
    )
    rows = np.flatnonzero(plain)
    staged.give(rows, {"birth_date": birth_dates.take(pa.array(rows))})
    staged.give(rows, {"sex": [sexes[row] or None for row in rows]} if cells.has("sex") else {})
    others = np.flatnonzero(~plain)
    dates_written, sexes_written = (cells.first(name, others) for name in ("birth_date", "sex"))
    staged_dates, staged_sexes = staged["birth_date"], staged["sex"]
    for row, birth_date, date_written, sex_written in zip(
        others.tolist(),
        birth_dates.take(pa.array(others)).to_pylist(),
        dates_written,
        sexes_written,
        strict=True,
    ):
        if kinds[row] != PERSON:
            if birth_date:
                cells.note(row, "birth_date", _ORGANIZATION_BORN, date_written)
            continue
        sex = sexes[row]
        personal = [number.found for number in ids[row] if number.found.is_personal]
        checked = next((found for found in personal if found.value and found.birth_date), None)
        if checked is not None and checked.birth_date:
            if birth_date is not None and birth_date != checked.birth_date:
                cells.note(row, "birth_date", _BIRTH_DATE_DIFFERS, date_written)
            birth_date = checked.birth_date
            if sex and checked.sex and sex != checked.sex:
                cells.note(row, "sex", _SEX_DIFFERS, sex_written)
            sex = sex or checked.sex
        birth_date = birth_date or next((f.birth_date for f in personal if f.birth_date), None)
        if birth_date:
            staged_dates[row] = birth_date
        if sex:
            staged_sexes[row] = sex

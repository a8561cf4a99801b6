"""What a record is and which numbers it bears: its type, identifiers, birth date and sex.

What belongs here: how identifier columns, the type column and what an identity
number says fit together. How one number is read stands in rules/identifier.py,
how a type is inferred in rules/customer_type.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rules import codes, customer_type, identifier
from rules.cells import Cells
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


@dataclass(slots=True)
class Number:
    """A filled identifier column of a record: input field, cell, and what the cell says."""

    field: str
    cell: str
    found: identifier.Identifier


def numbers(cells: Cells, row: int, country: str, kind: str | None) -> list[Number]:
    """The filled identifier columns, read for a customer of that type (None: not known yet)."""
    expected = {"national_id": PERSON, "tax_id": kind or ORGANIZATION, "identifier": kind}
    return [
        Number(field, cell, identifier.parse(cell, country=country, customer_type=type_))
        for field, type_ in expected.items()
        if (cell := cells.first(field, row))
    ]


def infer_type(
    cells: Cells, row: int, country: str, ids: Sequence[Number], birth_date: date | None
) -> str:
    """``person`` or ``organization``, by the record's own columns."""
    name = cells.first("name", row)
    organization = cells.first("organization_name", row)
    if not name and (cells.first("family_name", row) or cells.first("given_name", row)):
        return PERSON
    kinds = {
        number.found.is_personal: number.found.kind
        for number in ids
        if number.found.kind and _tells(number, country)
    }
    return customer_type.infer(
        name or organization,
        contact_name=cells.first("contact_name", row),
        employer_name=organization if name else None,
        national_id_kind=kinds.get(True),
        tax_id_kind=kinds.get(False),
        birth_date=birth_date,
    )


def _tells(number: Number, country: str) -> bool:
    """Whether a number says by its own form whose kind it is: nine digits in the US do not."""
    found = number.found
    if found.is_personal is None or number.field == "national_id":
        return found.value is not None and found.is_personal is not None
    other = ORGANIZATION if found.is_personal else PERSON
    answer = identifier.parse(number.cell, country=country, customer_type=other)
    return answer.is_personal == found.is_personal


def take_numbers(cells: Cells, row: int, kind: str, ids: Sequence[Number]) -> dict[str, Any]:
    """The staged columns of identifiers. A number stands where its kind belongs.

    A sole trader's identity number is a ``national_id`` though the customer is an
    organization. A damaged number has keys for matching but no value.
    """
    record: dict[str, Any] = {}
    keys: dict[str, None] = {}
    for number in ids:
        found = number.found
        personal = kind == PERSON if found.is_personal is None else found.is_personal
        column = "national_id" if personal else "tax_id"
        if not cells.usable(row, column, found.problems, number.cell, number.field):
            continue
        keys |= dict.fromkeys(found.keys)
        if found.value and column not in record:
            record[column], record[f"{column}_kind"] = found.value, found.kind
        for part in ("org_code", "license_no"):
            if value := getattr(found, part):
                record.setdefault(part, value)
    record["id_keys"] = list(keys)
    return record


def take_person(
    cells: Cells, row: int, kind: str, birth_date: date | None, ids: Sequence[Number]
) -> dict[str, Any]:
    """Birth date and sex, from their columns and from the identity number.

    A checked number is trusted over the birth date column, and fills what the
    columns do not say; a damaged one fills a missing birth date only.
    """
    sex = cells.code("sex", row, codes.sex, _SEX_UNKNOWN)
    if kind != PERSON:
        if birth_date:
            cells.note(row, "birth_date", _ORGANIZATION_BORN, cells.first("birth_date", row))
        return {}
    personal = [number.found for number in ids if number.found.is_personal]
    checked = next((found for found in personal if found.value and found.birth_date), None)
    if checked is not None and checked.birth_date:
        differs = birth_date is not None and birth_date != checked.birth_date
        if differs:
            cells.note(row, "birth_date", _BIRTH_DATE_DIFFERS, cells.first("birth_date", row))
        birth_date = checked.birth_date
        if sex and checked.sex and sex != checked.sex:
            cells.note(row, "sex", _SEX_DIFFERS, cells.first("sex", row))
        sex = sex or checked.sex
    birth_date = birth_date or next((f.birth_date for f in personal if f.birth_date), None)
    return {"birth_date": birth_date, "sex": sex}

"""Whose record it is: its own name, and the names of those around it.

What belongs here: which of the name columns holds the customer, and which its
employer, contact or legal representative. How one name is read stands in
rules/person_name.py and rules/organization_name.py.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from rules import customer_type, notes, organization_name, person_name, text
from rules.cells import Cell, Cells
from rules.customer import ORGANIZATION, PERSON
from rules.placeholder import is_placeholder
from rules.quarantine import Problem

_NO_NAME = Problem(
    "name_missing", "The cell names nobody; find out whose record it is and correct the name."
)
_NOTE_PARTS = re.compile(r"[;,，；。\n]|\.\s")
_NAME_WORD = re.compile(
    r"曾用名|原名|原公司名|前身|旧名|又名|别名|简称|英文名|formerly|former name|f/?k/?a\b|a/?k/?a\b"
    r"|also known as|trading as|d/?b/?a\b|doing business as|previously known as",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Names:
    """What the name columns of a record gave.

    Attributes:
        record: staged column → value.
        phones: telephone numbers that stood in name cells, as written.
        notes: remarks that stood there.
        others: further names of the customer, as written.
    """

    record: dict[str, Any] = field(default_factory=dict)
    phones: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def take(self, name: person_name.PersonName | organization_name.OrganizationName) -> None:
        """Keep what stood in the cell besides the name."""
        self.phones += name.phones
        self.notes += name.notes
        self.others += name.other_names


def read(cells: Cells, row: int, kind: str, country: str) -> Names:
    """Read the name columns of a record.

    ``organization_name`` is the customer where it is an organization and ``name``
    is empty. Of a person it is the employer, unless nothing else names the person.
    """
    names = Names()
    written = cells.every("name", row)
    own = written[0] if written else None
    names.others += written[1:]
    organization = cells.first("organization_name", row)
    family, given = cells.first("family_name", row), cells.first("given_name", row)
    contact = cells.first("contact_name", row)
    if kind == PERSON:
        if not (own or family or given):
            own, organization = organization, None
        elif own and (family or given) and not organization and _is_organization(own):
            own, organization = None, own
        _person(cells, row, own, family, given, country, names)
        if organization:
            _employer(cells, row, organization, country, names)
    else:
        if own and organization and text.fold(own) != text.fold(organization):
            names.others.append(organization)
        _organization(cells, row, own or organization, country, names)
        contact = contact or " ".join(part for part in (given, family) if part) or None
    _other_person(cells, row, "contact_name", contact, country, names)
    legal = cells.first("legal_representative", row)
    _other_person(cells, row, "legal_representative", legal, country, names)
    for cell in cells.every("note", row):
        names.others += _names_in_note(cell)
    names.others += cells.every("short_name", row)
    names.record["other_names"] = _distinct(names)
    return names


def _is_organization(name: str) -> bool:
    return customer_type.infer(name) == ORGANIZATION


def _person(
    cells: Cells, row: int, full: Cell, family: Cell, given: Cell, country: str, names: Names
) -> None:
    raw = full or " | ".join(part for part in (family, given) if part)
    if not raw:
        return
    name = person_name.parse(full, family=family, given=given, country=country)
    names.take(name)
    usable = cells.usable(row, "name", name.problems, raw)
    if usable and name.name and name.key:
        names.record |= {
            "name": name.name,
            "name_key": name.key,
            "name_readings": name.readings,
            "family_name": name.family_name,
            "given_name": name.given_name,
            "middle_name": name.middle_name,
            "name_suffix": name.suffix,
        }
    elif not name.problems:
        cells.note(row, "name", _NO_NAME, raw)


def _organization(cells: Cells, row: int, raw: Cell, country: str, names: Names) -> None:
    if not raw:
        return
    name = organization_name.parse(raw, country=country)
    names.take(name)
    usable = cells.usable(row, "name", name.problems, raw)
    if usable and name.name and name.key:
        names.record |= {
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
        cells.note(row, "name", _NO_NAME, raw)


def _employer(cells: Cells, row: int, raw: str, country: str, names: Names) -> None:
    employer = organization_name.parse(raw, country=country)
    names.phones += employer.phones
    if cells.usable(row, "employer_name", employer.problems, raw):
        names.record["employer_name"] = employer.name


def _other_person(
    cells: Cells, row: int, column: str, raw: Cell, country: str, names: Names
) -> None:
    """Contact or representative; a telephone number that stands there is kept as one."""
    if not raw or is_placeholder(raw):
        return
    if not raw[0].isalpha() and _is_number(raw):
        names.phones.append(raw)
        return
    person = person_name.parse(raw, country=country)
    names.phones += person.phones
    usable = cells.usable(row, column, person.problems, raw)
    if usable and person.key != names.record.get("name_key"):
        names.record[column] = person.name


def _is_number(raw: str) -> bool:
    """Whether there are digits enough for a telephone number and no letters."""
    return sum(c.isdigit() for c in raw) >= 7 and not any(c.isalpha() for c in raw)


def _names_in_note(note: str) -> list[str]:
    """Former and other names that a note gives with a word that says so.

    >>> _names_in_note("月结30天；曾用名：上海曙光商行"), _names_in_note("now pays cash")
    (['上海曙光商行'], [])
    """
    parts = _NOTE_PARTS.split(text.clean(note)) if _NAME_WORD.search(note) else ()
    found = (notes.former_name(part.strip()) for part in parts if _NAME_WORD.match(part.strip()))
    return [name for name in found if name]


def _distinct(names: Names) -> list[str]:
    """The further names in shown form, each once and not the name itself."""
    found: dict[str, str] = {}
    if not names.others:
        return []
    for name in names.others:
        shown = text.to_simplified(text.clean(name))
        if not is_placeholder(shown):
            found.setdefault(text.fold(shown), shown)
    for own in (names.record.get("name_key"), text.fold(names.record.get("name") or "")):
        found.pop(own or "", None)
    return list(found.values())

"""Whose record it is: its own name, and the names of those around it.

What belongs here: which of the name columns holds the customer, and which its
employer, contact or legal representative. How one name is read stands in
rules/person_name.py and rules/organization_name.py.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa

from rules import customer_type, notes, organization_name, person_name, plain_name, text
from rules.cells import Cell, Cells
from rules.columns import Columns
from rules.customer import ORGANIZATION, PERSON
from rules.latin_name import CHINESE_COUNTRIES
from rules.placeholder import is_placeholder
from rules.quarantine import Problem
from rules.whole import han_names
from rules.whole import names as whole_names
from rules.whole.texts import Ints, filled

_NO_NAME = Problem(
    "name_missing", "The cell names nobody; find out whose record it is and correct the name."
)
_SHARED = {"name": "name", "name_key": "key", "name_readings": "readings"}
_PERSON = _SHARED | {
    "family_name": "family_name",
    "given_name": "given_name",
    "middle_name": "middle_name",
    "name_suffix": "suffix",
}
"""Staged column → part of a person's name."""
_ORGANIZATION = _SHARED | {
    "org_region": "region",
    "org_brand": "brand",
    "org_industry": "industry",
    "org_legal_form": "legal_form",
    "org_branch": "branch",
}
"""Staged column → part of an organization's name."""
_NOTE_PARTS = re.compile(r"[;,，；。\n]|\.\s")
_NAME_WORD = re.compile(
    r"曾用名|原名|原公司名|前身|旧名|又名|别名|简称|英文名|formerly|former name|f/?k/?a\b|a/?k/?a\b"
    r"|also known as|trading as|d/?b/?a\b|doing business as|previously known as",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Remarks:
    """What stood in name cells besides the names: row → telephone numbers and notes, as written."""

    phones: dict[int, list[str]] = field(default_factory=dict)
    notes: dict[int, list[str]] = field(default_factory=dict)


def read(cells: Cells, kinds: Sequence[str], countries: Sequence[str], staged: Columns) -> Remarks:
    """Read the name columns of all records into the staged columns.

    ``organization_name`` is the customer where it is an organization and ``name``
    is empty. Of a person it is the employer, unless nothing else names the person.
    Several columns of the source's YAML for ``given_name`` are its parts (a middle name).

    Args:
        kinds: ``person`` or ``organization``, of every record.
        countries: ISO 3166 code of every record.
        staged: the columns to fill.
    """
    reader = _Reader(cells, countries, staged)
    given_names = cells.joined("given_name") if cells.is_list("given_name") else None
    rows = _take_plain(cells, kinds, countries, given_names, staged)
    written = cells.every("name", rows)
    fields = ("organization_name", "family_name", "given_name", "contact_name")
    columns = [cells.first(field, rows) for field in (*fields, "legal_representative")]
    if given_names is not None:
        columns[2] = [cell or None for cell in given_names.take(pa.array(rows)).to_pylist()]
    notes_, short_names = cells.every("note", rows), cells.every("short_name", rows)
    others_of = staged["other_names"]
    for row, names, organization, family, given, contact, legal, notes_of, shorts in zip(
        rows.tolist(), written, *columns, notes_, short_names, strict=True
    ):
        kind = kinds[row]
        own = names[0] if names else None
        others = [*names[1:]]
        if kind == PERSON:
            if not (own or family or given):
                own, organization = organization, None
            elif (
                own and (family or given) and not organization and _is_employer(own, family, given)
            ):
                own, organization = None, own
            elif own and family and not given and not _shares_word(own, family):
                own, given = None, own
            reader.person(row, own, family, given, others)
            if organization:
                reader.employer(row, organization)
        else:
            if own and organization and text.fold(own) != text.fold(organization):
                others.append(organization)
            reader.organization(row, own or organization, others)
            if not contact and (family or given):
                contact = " ".join(part for part in (given, family) if part)
        if contact:
            reader.other_person(row, "contact_name", contact)
        if legal:
            reader.other_person(row, "legal_representative", legal)
        for cell in notes_of:
            others += _names_in_note(cell)
        others += shorts
        if others:
            others_of[row] = _distinct(others, staged["name"][row], staged["name_key"][row])
    return reader.remarks


def _take_plain(
    cells: Cells,
    kinds: Sequence[str],
    countries: Sequence[str],
    given_names: pa.Array | None,
    staged: Columns,
) -> Ints:
    """Fill the names of persons of whom nothing is said but a plain name; the other records."""
    alone = np.array([kind == PERSON for kind in kinds], dtype=bool)
    for name in ("organization_name", "contact_name", "legal_representative"):
        alone &= ~filled(cells.column(name))
    for name in ("note", "short_name"):
        alone &= cells.only(name)[1] == 0
    alone &= cells.only("name")[1] <= 1
    given = cells.column("given_name") if given_names is None else given_names
    columns = [cells.column("name"), cells.column("family_name"), given]
    is_abroad = np.array([country not in CHINESE_COUNTRIES for country in countries], dtype=bool)
    rows = np.flatnonzero(alone)
    full, family, given = (column.take(pa.array(rows)) for column in columns)
    western = whole_names.read(full, family, given, is_abroad[rows])
    others = np.delete(rows, western.rows)
    full, family, given = (column.take(pa.array(others)) for column in columns)
    chinese = han_names.read(full, family, given)
    left = np.ones(cells.rows, dtype=bool)
    for taken, found in ((rows[western.rows], western), (others[chinese.rows], chinese)):
        staged.give(taken, found.columns)
        left[taken] = False
    return np.flatnonzero(left)


def _is_employer(name: str, family: Cell, given: Cell) -> bool:
    """Whether a name beside a family and a given name is that of an organization.

    A name that holds the words of those two is the person's own, however it looks.

    >>> _is_employer("Harbor Tools Ltd", "Smith", "Ann")
    True
    >>> _is_employer("Rick Lodge", "Lodge", "Rick")
    False
    """
    words = text.fold_words(name).split()
    parts = [word for part in (family, given) if part for word in text.fold_words(part).split()]
    return not all(word in words for word in parts) and customer_type.infer(name) == ORGANIZATION


def _shares_word(name: str, family: str) -> bool:
    """Whether a name holds a family name; if not, the name beside it is the given name.

    >>> _shares_word("Ann Smith", "Smith"), _shares_word("ANN", "Smith"), _shares_word("张伟", "张")
    (True, False, True)
    """
    one, other = text.fold_words(name), text.fold_words(family)
    if text.has_han(other):
        return "".join(other.split()) in "".join(one.split())
    return not set(one.split()).isdisjoint(other.split())


class _Reader:
    """Reads name cells into the staged columns.

    Args:
        cells: the source's cells.
        countries: ISO 3166 code of every record.
        staged: the columns to fill.
    """

    def __init__(self, cells: Cells, countries: Sequence[str], staged: Columns) -> None:
        self._cells, self._countries, self._staged = cells, countries, staged
        self._person = _columns(staged, _PERSON)
        self._plain = [staged[column] for column in _PERSON if column != "name_suffix"]
        self._organization = _columns(staged, _ORGANIZATION)
        self.remarks = Remarks()

    def person(self, row: int, full: Cell, family: Cell, given: Cell, others: list[str]) -> None:
        """Read the customer's own name; what else it is called goes into ``others``."""
        if not (full or family or given):
            return
        cells = full or "", family or "", given or ""
        if plain := plain_name.read(*cells):
            names, keys, readings, families, givens, middles = self._plain
            families[row], givens[row], middle, readings[row], names[row], keys[row] = plain
            if middle:
                middles[row] = middle
        else:
            name = person_name.closely(*cells, self._countries[row])
            raw = full or " | ".join(part for part in (family, given) if part)
            self._take(row, name, raw, others, self._person)

    def organization(self, row: int, raw: Cell, others: list[str]) -> None:
        """Read the customer's own name; what else it is called goes into ``others``."""
        if raw:
            name = organization_name.parse(raw, country=self._countries[row])
            self._take(row, name, raw, others, self._organization)

    def _take(
        self,
        row: int,
        name: person_name.PersonName | organization_name.OrganizationName,
        raw: str,
        others: list[str],
        columns: list[tuple[dict[int, Any], Callable[[Any], Any]]],
    ) -> None:
        self._keep_phones(row, name.phones)
        if name.notes:
            self.remarks.notes.setdefault(row, []).extend(name.notes)
        others += name.other_names
        usable = self._cells.usable(row, "name", name.problems, raw)
        if usable and name.name and name.key:
            for column, part in columns:
                if value := part(name):
                    column[row] = value
        elif not name.problems:
            self._cells.note(row, "name", _NO_NAME, raw)

    def _keep_phones(self, row: int, phones: Sequence[str]) -> None:
        if phones:
            self.remarks.phones.setdefault(row, []).extend(phones)

    def employer(self, row: int, raw: str) -> None:
        """Read the name of the organization that a person works at."""
        employer = organization_name.parse(raw, country=self._countries[row])
        self._keep_phones(row, employer.phones)
        if self._cells.usable(row, "employer_name", employer.problems, raw):
            self._staged["employer_name"][row] = employer.name or None

    def other_person(self, row: int, column: str, raw: str) -> None:
        """Read contact or representative; a telephone number that stands there is kept as one."""
        if is_placeholder(raw):
            return
        if not raw[0].isalpha() and _is_number(raw):
            self._keep_phones(row, [raw])
            return
        if plain := plain_name.read(raw, "", ""):
            if plain.key != self._staged["name_key"][row]:
                self._staged[column][row] = plain.shown
            return
        person = person_name.closely(raw, "", "", self._countries[row])
        self._keep_phones(row, person.phones)
        usable = self._cells.usable(row, column, person.problems, raw)
        if usable and person.key != self._staged["name_key"][row]:
            self._staged[column][row] = person.name or None


def _columns(
    staged: Columns, parts: Mapping[str, str]
) -> list[tuple[dict[int, Any], Callable[[Any], Any]]]:
    """Staged columns, each with what gets its value from a parsed name."""
    return [(staged[column], attrgetter(part)) for column, part in parts.items()]


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


def _distinct(others: Sequence[str], own: Cell, own_key: Cell) -> list[str] | None:
    """The further names in shown form, each once and not the name itself; None if none."""
    found: dict[str, str] = {}
    for name in others:
        shown = text.to_simplified(text.clean(name))
        if not is_placeholder(shown):
            found.setdefault(text.fold(shown), shown)
    for key in (own_key or "", text.fold(own or "")):
        found.pop(key, None)
    return list(found.values()) or None

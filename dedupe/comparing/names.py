"""The level of two records' names, of persons and of organizations.

What belongs here: from feature rows to the ways a record is named, each
distinct pair compared once. The rules stand in person_name and organization_name.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from dedupe.comparing import organization_form, organization_name, person_name
from dedupe.comparing.columns import Levels, Mask, Rows, per_distinct_pair
from dedupe.comparing.organization_form import OrganizationForm
from dedupe.comparing.person_name import PersonForm
from dedupe.levels import MISSING
from rules import organization_name as organization_rule
from rules import person_name as person_rule
from rules import tables

_COLUMNS = (
    "name",
    "name_key",
    "name_readings",
    "other_names",
    "family",
    "given",
    "middle",
    "suffix",
    "org_region",
    "org_brand",
    "org_industry",
    "org_legal_form",
    "branch",
    "name_cut",
)


def levels(features: pa.Table, left: Rows, right: Rows, person: Mask, organization: Mask) -> Levels:
    """Name levels of pairs of rows; -1 where a record has no name or types differ.

    Args:
        features: rows of features.build.
        left, right: row numbers, one per pair.
        person, organization: which pairs are of two persons, of two organizations.
    """
    refs = np.asarray(features.column("name_ref"))
    result = np.full(len(left), MISSING, dtype=np.int8)
    for mask, make, compare in (
        (person, person_forms, person_name.compare_all),
        (organization, organization_forms, organization_name.compare_all),
    ):
        if not mask.any():
            continue
        left_refs, right_refs = refs[left[mask]], refs[right[mask]]
        forms = _forms(features, refs, np.union1d(left_refs, right_refs), make)

        def level(a: int, b: int, forms: Any = forms, compare: Any = compare) -> int:
            return compare(forms[a], forms[b]) if forms[a] and forms[b] else MISSING

        result[mask] = per_distinct_pair(left_refs, right_refs, level)
    return result


def _forms(features: pa.Table, refs: np.ndarray, used: np.ndarray, make: Any) -> dict[int, Any]:
    """The ways each of the used name numbers is named."""
    numbers, rows = np.unique(refs, return_index=True)
    rows = rows[np.searchsorted(numbers, used)]
    taken = features.select(list(_COLUMNS)).take(pa.array(rows)).to_pylist()
    return {int(ref): make(row) for ref, row in zip(used, taken, strict=True)}


def person_forms(row: Mapping[str, Any]) -> tuple[PersonForm, ...]:
    """Every way a person's record names it; none if it has no name."""
    forms = []
    if row["name_key"]:
        family, given = row["family"] or "", row["given"] or ""
        if not family and not given:
            given = row["name_key"]
        main = person_name.form(
            row["name_key"],
            family,
            given,
            row["middle"] or "",
            row["suffix"] or "",
            spellings(family),
            row["name_readings"] or (),
        )
        forms.append(main)
    for other in row["other_names"] or ():
        forms += _other_person(other)
    return tuple(forms)


@lru_cache(maxsize=1 << 16)
def _other_person(shown: str) -> tuple[PersonForm, ...]:
    parsed = person_rule.parse(shown)
    if not parsed.family_name or not parsed.given_name:
        return ()
    return (person_form(parsed),)


def person_form(parsed: person_rule.PersonName) -> PersonForm:
    """A parsed name, ready to compare."""
    family = person_name.split_words(parsed.family_name or "")
    return person_name.form(
        parsed.key,
        family,
        person_name.split_words(parsed.given_name or ""),
        person_name.split_words(parsed.middle_name or ""),
        person_name.split_words(parsed.suffix or ""),
        spellings(family),
        parsed.readings,
    )


@cache
def _spellings() -> dict[str, tuple[str, ...]]:
    return {row[0]: tuple(row[2].split()) for row in tables.rows("surnames") if len(row) > 2}


def spellings(family: str) -> tuple[str, ...]:
    """Other romanizations of a Chinese family name.

    >>> "cheung" in spellings("张"), spellings("smith")
    (True, ())
    """
    return _spellings().get(family, ())


def organization_forms(row: Mapping[str, Any]) -> tuple[OrganizationForm, ...]:
    """Every way an organization's record names it; none if it has no name.

    A further name that only repeats the start of the main one is left out.
    """
    return _organization_forms(
        row["name"] or "",
        row["org_region"] or "",
        row["org_brand"] or "",
        row["org_industry"] or "",
        row["org_legal_form"] or "",
        tuple(row["name_readings"] or ()),
        row["branch"] or "",
        bool(row["name_cut"]),
        tuple(row["other_names"] or ()),
    )


@lru_cache(maxsize=1 << 16)
def _organization_forms(
    name: str,
    region: str,
    brand: str,
    industry: str,
    legal_form: str,
    readings: tuple[str, ...],
    branch: str,
    cut: bool,
    other_names: tuple[str, ...],
) -> tuple[OrganizationForm, ...]:
    """As :func:`organization_forms`; remembered, because every chunk of pairs asks again."""
    others = [parsed_organization(other) for other in other_names]
    if not name:
        return tuple(others)
    main = organization_form.form(name, region, brand, industry, legal_form, readings, branch, cut)
    places = organization_form.with_other_place(main, branch)
    return main, *places, *(f for f in others if not organization_name.adds_nothing(f, main))


@lru_cache(maxsize=1 << 16)
def parsed_organization(shown: str) -> OrganizationForm:
    """An organization's name that is not parsed yet, ready to compare."""
    parsed = organization_rule.parse(shown)
    return organization_form.form(
        parsed.name,
        parsed.region or "",
        parsed.brand or "",
        parsed.industry or "",
        parsed.legal_form or "",
        parsed.readings,
        parsed.branch or "",
    )

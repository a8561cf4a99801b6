"""The level of two records' names, of persons and of organizations.

What belongs here: from feature rows to the ways a record is named, each
distinct pair compared once. The rules stand in person_name and organization_name.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing import organization_form, organization_name, person_forms, person_name
from dedupe.comparing.columns import Levels, Mask, Rows, as_array
from dedupe.comparing.measures import distinct_codes, distinct_pairs
from dedupe.comparing.organization_form import OrganizationForm
from dedupe.comparing.person_forms import PersonForms
from dedupe.comparing.ragged import Ragged
from dedupe.levels import MISSING
from rules import organization_name as organization_rule

_PERSON = ("name_key", "family", "given", "middle", "suffix", "name_readings", "other_names")
_ORGANIZATION = (
    "name",
    "name_readings",
    "other_names",
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
    named = np.asarray(features.column("name_ref"))
    result = np.full(len(left), MISSING, dtype=np.int8)
    for mask, compare in ((person, _persons), (organization, _organizations)):
        if mask.any():
            rows, place = distinct_codes(np.concatenate([left[mask], right[mask]]))
            _, first, refs = np.unique(named[rows], return_index=True, return_inverse=True)
            a, b, inverse = distinct_pairs(*refs[place].reshape(2, -1))
            used, place = distinct_codes(np.concatenate([a, b]))
            ends = place[: len(a)], place[len(a) :]
            result[mask] = compare(features, rows[first[used]], *ends)[inverse]
    return result


def _persons(features: pa.Table, rows: Rows, left: Rows, right: Rows) -> Levels:
    """The best level over all ways two persons are named; -1 where one has no name.

    Args:
        rows: of features, one per name number.
        left, right: places in rows, one per pair.
    """
    forms, ways = person_ways(features.select(list(_PERSON)).take(pa.array(rows)))
    result = np.full(len(left), MISSING, dtype=np.int8)
    cross = ways.cross(left, ways, right)
    np.maximum.at(result, cross.pair, person_name.compare(forms, cross.left, cross.right))
    return result


def person_ways(names: pa.Table) -> tuple[PersonForms, Ragged]:
    """Every way that records of persons name them.

    Returns:
        the names; which of them each record has: none if it has no name.
    """
    names = names.combine_chunks()
    key, family, given, middle, suffix = (
        as_array(pc.fill_null(names.column(name), "")) for name in _PERSON[:5]
    )
    nameless = pc.and_(pc.equal(family, ""), pc.equal(given, ""))
    parts = [key, family, pc.if_else(nameless, key, given), middle, suffix]
    own = pa.table([*parts, names.column("name_readings")], schema=person_forms.SCHEMA)
    own_rows = np.flatnonzero(np.asarray(pc.not_equal(key, "")))
    others = as_array(names.column("other_names"))
    shown = pc.list_flatten(others).dictionary_encode()
    further = person_forms.parsed(shown.dictionary.to_pylist())
    telling = np.asarray(
        pc.and_(
            pc.not_equal(further.column("family"), ""), pc.not_equal(further.column("given"), "")
        )
    )
    which = np.asarray(shown.indices, dtype=np.int64)
    owners = np.asarray(pc.list_parent_indices(others), dtype=np.int64)[telling[which]]
    row = np.concatenate([own_rows, owners])
    form = np.concatenate([own_rows, names.num_rows + which[telling[which]]])
    order = np.argsort(row, kind="stable")
    ways = Ragged.sized(np.bincount(row, minlength=names.num_rows), form[order])
    return PersonForms(pa.concat_tables([own, further])), ways


def _organizations(features: pa.Table, rows: Rows, left: Rows, right: Rows) -> Levels:
    """The best level over all ways two organizations are named; -1 where one has no name."""
    taken = features.select(list(_ORGANIZATION)).take(pa.array(rows)).to_pylist()
    forms = [organization_forms(row) for row in taken]
    sizes = np.array([len(ways) for ways in forms], dtype=np.int64)
    ways = Ragged.sized(sizes, np.arange(sizes.sum()))
    result = np.full(len(left), MISSING, dtype=np.int8)
    cross = ways.cross(left, ways, right)
    every = [form for of_record in forms for form in of_record]
    level = organization_name.compare(every, cross.left, cross.right)
    np.maximum.at(result, cross.pair, level)
    return result


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

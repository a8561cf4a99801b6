"""Records that tests compare, and the levels that two of them have."""

from typing import Any

import pyarrow as pa

from dedupe import comparisons, features
from dedupe.levels import FIELDS, LEVELS
from rules import organization_name, person_name
from rules.customer import STAGED_SCHEMA


def staged(*rows: dict[str, Any]) -> pa.Table:
    """Staged records a:1, a:2, ...; what a row does not give is null."""
    full = [
        {"record_id": f"a:{number}", "source": "a", "source_key": str(number), **row}
        for number, row in enumerate(rows, 1)
    ]
    columns = {field.name: [row.get(field.name) for row in full] for field in STAGED_SCHEMA}
    return pa.table(columns, schema=STAGED_SCHEMA)


def person(name: str = "", **rest: Any) -> dict[str, Any]:
    """A person's record, its name parsed as the pipeline does."""
    parsed = person_name.parse(name)
    return {
        "customer_type": "person",
        "name": parsed.name or None,
        "name_key": parsed.key or None,
        "name_readings": parsed.readings or None,
        "family_name": parsed.family_name,
        "given_name": parsed.given_name,
        "middle_name": parsed.middle_name,
        "name_suffix": parsed.suffix,
        "other_names": parsed.other_names or None,
        **rest,
    }


def organization(name: str = "", **rest: Any) -> dict[str, Any]:
    """An organization's record, its name given in parts by the test."""
    parsed = organization_name.parse(name)
    return {
        "customer_type": "organization",
        "name": parsed.name or None,
        "name_key": parsed.key or None,
        "org_brand": parsed.brand,
        **rest,
    }


ORGANIZATIONS = {
    "full": organization(
        "杭州星辰科技有限公司",
        org_region="杭州",
        org_brand="星辰",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "form": organization(
        "杭州星辰科技股份有限公司",
        org_region="杭州",
        org_brand="星辰",
        org_industry="科技",
        org_legal_form="股份有限公司",
    ),
    "regionless": organization(
        "星辰科技有限公司",
        org_region=None,
        org_brand="星辰",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "brand": organization("星辰", org_brand="星辰", org_industry=None, org_legal_form=None),
    "ningbo": organization(
        "宁波星辰科技有限公司",
        org_region="宁波",
        org_brand="星辰",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "food": organization(
        "杭州星辰食品有限公司",
        org_region="杭州",
        org_brand="星辰",
        org_industry="食品",
        org_legal_form="有限公司",
    ),
    "homophone": organization(
        "杭州星晨科技有限公司",
        org_region="杭州",
        org_brand="星晨",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "latin": organization("Hangzhou Xingchen Technology", org_brand="Hangzhou Xingchen Technology"),
    "other": organization(
        "杭州远山科技有限公司",
        org_region="杭州",
        org_brand="远山",
        org_industry="科技",
        org_legal_form="有限公司",
    ),
    "ridge": organization(
        "Blue Ridge Services Ltd",
        org_brand="Blue Ridge",
        org_industry="services",
        org_legal_form="Ltd",
    ),
    "ridge_llc": organization(
        "Blueridge Services LLC",
        org_brand="Blueridge",
        org_industry="services",
        org_legal_form="LLC",
    ),
    "ridge_brand": organization(
        "Blue Ridge", org_brand="Blue Ridge", org_industry=None, org_legal_form=None
    ),
    "ridge_food": organization(
        "Blue Ridge Food Ltd", org_brand="Blue Ridge", org_industry="food", org_legal_form="Ltd"
    ),
    "ridge_slip": organization(
        "Blue Rigde Services Ltd",
        org_brand="Blue Rigde",
        org_industry="services",
        org_legal_form="Ltd",
    ),
    "acronym": organization("BRS", org_brand="BRS"),
    "harbor": organization("Summit Harbor Ltd", org_brand="Summit Harbor", org_legal_form="Ltd"),
}


def branch(place: str | None, form: str | None = "有限公司") -> dict[str, Any]:
    """A record of one organization and its branch."""
    name = f"远山科技有限公司{place or ''}"
    return organization(
        name, org_brand="远山", org_industry="科技", org_legal_form=form, org_branch=place
    )


def phones(*numbers: str, kind: str = "mobile", local: str | None = None) -> dict[str, Any]:
    """Telephone columns of a record."""
    keys = [*numbers, *([f"local:{local}"] if local else [])]
    return {
        "phones": list(numbers) or None,
        "phone_keys": keys or None,
        "phone_kinds": [kind] * len(numbers) or None,
    }


def compare(*rows: dict[str, Any]) -> dict[str, Any]:
    """Levels by name, and the veto, of the first two records."""
    pairs = pa.table({"left_id": ["a:1"], "right_id": ["a:2"], "found_by": ["name"]})
    row = comparisons.compare(pairs, features.build(staged(*rows))).to_pylist()[0]
    known = LEVELS.get(row["customer_type"] or "", {})
    named = {
        field: known[field][row[f"{field}_level"]].name if row[f"{field}_level"] >= 0 else None
        for field in FIELDS
        if field in known
    }
    return {**named, "veto": row["veto"]}

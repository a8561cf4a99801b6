"""What the columns of a customer are called on pages, and in which order they stand."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from review.language import N_
from rules.customer import BY_NAME

LABELS: Mapping[str, str] = {
    "customer_type": N_("Type"),
    "name": N_("Name"),
    "other_names": N_("Other names"),
    "family_name": N_("Family name"),
    "given_name": N_("Given name"),
    "middle_name": N_("Middle name"),
    "name_suffix": N_("Suffix"),
    "sex": N_("Sex"),
    "org_region": N_("Region in the name"),
    "org_brand": N_("Brand"),
    "org_industry": N_("Line of business"),
    "org_legal_form": N_("Legal form"),
    "org_branch": N_("Branch"),
    "national_id": N_("Identity number"),
    "national_id_kind": N_("Kind of identity number"),
    "tax_id": N_("Tax number"),
    "tax_id_kind": N_("Kind of tax number"),
    "org_code": N_("Organization code"),
    "license_no": N_("Business license"),
    "birth_date": N_("Date of birth"),
    "phones": N_("Phones"),
    "phone_kinds": N_("Kinds of phones"),
    "phone_extensions": N_("Extensions"),
    "emails": N_("E-mail"),
    "address_line": N_("Address"),
    "street": N_("Street"),
    "house_number": N_("House number"),
    "unit": N_("Unit"),
    "district": N_("District"),
    "city": N_("City"),
    "region": N_("Province or state"),
    "postal_code": N_("Postal code"),
    "country": N_("Country"),
    "contact_name": N_("Contact"),
    "legal_representative": N_("Legal representative"),
    "employer_name": N_("Works at"),
    "status": N_("Status"),
    "consent_marketing": N_("Agreed to marketing"),
    "consent_marketing_at": N_("Agreed or refused marketing on"),
    "do_not_contact": N_("Do not contact"),
    "do_not_contact_at": N_("Contact allowed or refused on"),
    "attributes": N_("More"),
    "created_at": N_("Created"),
    "updated_at": N_("Changed at the source"),
}
"""Column → what it is called, in the order of pages."""

PARTS = frozenset(
    {
        "phone_kinds", "phone_extensions", "national_id_kind", "tax_id_kind", "street",
        "house_number", "unit", "type_basis", "family_name", "given_name", "middle_name",
        "org_region", "org_brand", "org_industry", "org_legal_form",
    }
)  # fmt: skip
"""Columns that say again what another one says: pages show them only on request."""

EDITABLE = tuple(
    name
    for name in LABELS
    if name not in PARTS | {"customer_type", "attributes"} and BY_NAME[name].kind != "timestamp"
)
"""Columns whose golden value a steward may set."""

VALUES: Mapping[str, str] = {
    "person": N_("Person"),
    "organization": N_("Organization"),
    "active": N_("active"),
    "closed": N_("closed"),
    "M": N_("male"),
    "F": N_("female"),
    "true": N_("yes"),
    "false": N_("no"),
}
"""Values that are words of ours and not of the customer."""
_OF_OURS = frozenset({"customer_type", "status", "sex", "consent_marketing", "do_not_contact"})


def in_words(field: str, value: Any) -> str | None:
    """The marked text for a value that is a word of ours; None for a customer's own."""
    if field not in _OF_OURS or value is None:
        return None
    return VALUES.get(str(value).lower() if isinstance(value, bool) else str(value))


def lines(field: str, value: Any) -> list[str]:
    """A value as the lines of a cell; empty where there is nothing.

    >>> lines("phones", ["+8613800138000", "+862154321000"])
    ['+8613800138000', '+862154321000']
    >>> lines("attributes", {"tier": "gold"}), lines("name", None)
    (['tier: gold'], [])
    """
    if value is None or value == "" or value == [] or value == {}:
        return []
    if isinstance(value, list):
        return [str(each) for each in value if each not in (None, "")]
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return [f"{aware.astimezone(UTC):%Y-%m-%d %H:%M} UTC"]
    if field == "attributes" and isinstance(value, str):
        value = json.loads(value)
    if isinstance(value, Mapping):
        return [f"{name}: {each}" for name, each in value.items()]
    return [str(value)]

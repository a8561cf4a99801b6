"""The input fields: what a source's columns can be mapped to.

What belongs here: the names, and which of them take several columns. Which
headings mean which field stands in connectors/resources/headings.yml.
"""

import difflib

INPUT_FIELDS: tuple[str, ...] = (
    "name",
    "family_name",
    "given_name",
    "organization_name",
    "short_name",
    "customer_type",
    "national_id",
    "tax_id",
    "identifier",
    "birth_date",
    "sex",
    "phone",
    "mobile",
    "email",
    "address",
    "district",
    "city",
    "region",
    "postal_code",
    "country",
    "contact_name",
    "legal_representative",
    "status",
    "consent_marketing",
    "consent_marketing_at",
    "do_not_contact",
    "do_not_contact_at",
    "created_at",
    "updated_at",
    "note",
)
"""Every field that ``columns`` may name, besides ``attributes.<name>`` and ``verified.<field>``."""

NAME_FIELDS = ("name", "organization_name", "family_name", "given_name")
"""The fields of which a source must have one: without a name no row is a customer."""

ATTRIBUTE = "attributes."
"""Prefix of the fields that a source may add."""
VERIFIED = "verified."
"""Prefix of a field: whether, or when, the source has verified what it says there."""

SEPARATOR = "; "
"""Stands between the values of a list in one column; e-mail and phone rules split there."""


def is_input_field(name: str) -> bool:
    """Whether ``columns`` may name it.

    >>> is_input_field("phone"), is_input_field("attributes.branch"), is_input_field("tel")
    (True, True, False)
    >>> is_input_field("verified.email"), is_input_field("verified.status_of")
    (True, False)
    """
    if name.startswith(ATTRIBUTE):
        return len(name) > len(ATTRIBUTE)
    return name.removeprefix(VERIFIED) in INPUT_FIELDS


def nearest_input_field(name: str) -> str:
    """The input field that someone who wrote ``name`` may have meant, or ''.

    >>> nearest_input_field("phones")
    'phone'
    """
    near = difflib.get_close_matches(name, INPUT_FIELDS, n=1)
    return near[0] if near else ""

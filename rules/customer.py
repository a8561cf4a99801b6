"""The canonical model: every column of a staged customer, once.

What belongs here: names, types, meaning, and which columns hold personal
data. Tables (warehouse/tables.py), masking, suites and the data dictionary
follow from this list. How a value is made stands in the field rules.
"""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

PERSON, ORGANIZATION = "person", "organization"

Kind = Literal["text", "list", "json", "date", "timestamp", "boolean"]
_ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "list": pa.list_(pa.string()),
    "json": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "boolean": pa.bool_(),
}


@dataclass(frozen=True)
class Field:
    """One column of the canonical model.

    Attributes:
        name: column name in staged and, if ``golden``, in the golden table.
        kind: text, list (of text), json (an object as text), date, timestamp (UTC), boolean.
        doc: one sentence; becomes the column comment and the data dictionary.
        personal: whether it can identify or describe a natural person.
        golden: whether the golden record carries it.
        key: whether it is a key form: for matching, never shown.
    """

    name: str
    kind: Kind
    doc: str
    personal: bool = False
    golden: bool = True
    key: bool = False

    @property
    def arrow(self) -> pa.Field:
        """The column as an Arrow field."""
        return pa.field(self.name, _ARROW[self.kind])


def _shown(name: str, kind: Kind, doc: str) -> Field:
    return Field(name, kind, doc, personal=True)


def _key(name: str, kind: Kind, doc: str) -> Field:
    return Field(name, kind, doc, personal=True, golden=False, key=True)


IDENTITY = (
    Field("record_id", "text", "source and source_key joined by a colon; unique.", golden=False),
    Field("source", "text", "The source that holds the record.", golden=False),
    Field("source_key", "text", "The record's key in its source.", golden=False),
    Field(
        "position",
        "text",
        "Where it stood when last read: file|sheet|row, file|line or byte offset.",
        golden=False,
    ),
    Field("row_hash", "text", "Hash of the raw record as read.", golden=False),
)

FIELDS = (
    Field("customer_type", "text", "person or organization."),
    Field(
        "type_basis",
        "text",
        "declared (by the source) or inferred (from the record).",
        golden=False,
    ),
    _shown("name", "text", "Full name as shown: cleaned, notes and titles removed."),
    _key(
        "name_key", "text", "Name folded for matching: simplified, no spaces or marks, lower case."
    ),
    _key(
        "name_readings",
        "list",
        "Latin forms of the name for matching: pinyin or folded words, family name first.",
    ),
    _shown("other_names", "list", "Short, former and foreign names the record also gives."),
    _shown("family_name", "text", "Family name of a person."),
    _shown("given_name", "text", "Given name of a person, without middle names."),
    _shown("middle_name", "text", "Middle names or initials of a person."),
    _shown("name_suffix", "text", "Jr, Sr, II and the like."),
    Field("sex", "text", "M or F, as the source says.", personal=True),
    Field("org_region", "text", "Region in an organization's name, as the division's short name."),
    Field("org_brand", "text", "The distinctive part of an organization's name."),
    Field("org_industry", "text", "Line of business in an organization's name."),
    Field("org_legal_form", "text", "Legal form, in one spelling per form."),
    Field("org_branch", "text", "Branch, office or shop within an organization, with its place."),
    _shown("national_id", "text", "Person's identity number in its full, checked form."),
    Field(
        "national_id_kind",
        "text",
        "Which number that is: cn_ric, hk_id, tw_id, us_ssn, gb_nino, ...",
    ),
    Field("tax_id", "text", "Organization's registration or tax number in its checked form."),
    Field(
        "tax_id_kind",
        "text",
        "Which number that is: cn_uscc, cn_tax_old, tw_ubn, us_ein, gb_crn, ...",
    ),
    Field("org_code", "text", "Chinese organization code, 9 characters."),
    Field("license_no", "text", "Chinese business license number, 15 digits."),
    _key(
        "id_keys",
        "list",
        "Every comparable form of every identifier, as kind:value (ric:, org:, uscc:, ...).",
    ),
    _shown("birth_date", "date", "Date of birth of a person."),
    _shown("emails", "list", "E-mail addresses, lower case, most direct first."),
    _shown("phones", "list", "Telephone numbers in E.164, most direct first."),
    Field(
        "phone_kinds", "list", "Kind of each of phones, in order: mobile, fixed, service, unknown."
    ),
    _shown("phone_extensions", "list", "Extension of each of phones, in order, empty where none."),
    _key(
        "phone_keys",
        "list",
        "Comparable forms: E.164, and local:DIGITS for numbers without an area code.",
    ),
    _shown("address_line", "text", "The address as one line, cleaned."),
    _shown("street", "text", "Road with its town or village, without the number."),
    _shown("house_number", "text", "Number in the road."),
    _shown("unit", "text", "Building, unit and room, joined by hyphens; apartment or suite."),
    Field("district", "text", "District or county, its current official name."),
    Field("city", "text", "City or prefecture, its current official name."),
    Field("region", "text", "Province, state or county, its current official name."),
    Field("postal_code", "text", "Postal code in its national form."),
    Field("country", "text", "ISO 3166 code, two letters."),
    _key("address_key", "text", "Road and number folded for matching."),
    _shown("contact_name", "text", "Person to ask for at an organization."),
    _shown("legal_representative", "text", "Legal representative of an organization."),
    _shown("employer_name", "text", "Organization a person works at."),
    Field("status", "text", "active or closed."),
    Field("consent_marketing", "boolean", "Whether the customer agreed to marketing."),
    Field("consent_marketing_at", "timestamp", "When that was said, UTC."),
    Field("do_not_contact", "boolean", "Whether the customer must not be contacted."),
    Field("do_not_contact_at", "timestamp", "When that was said, UTC."),
    Field(
        "verified",
        "list",
        "Fields in which the source has verified what the record says: emails, phones, ...",
        golden=False,
    ),
    _shown("attributes", "json", "Anything else that the source's YAML maps, by name."),
    Field("created_at", "timestamp", "When the source created the record, UTC."),
    Field("updated_at", "timestamp", "When the source last changed the record, UTC."),
)

ALL = IDENTITY + FIELDS
BY_NAME = {field.name: field for field in ALL}
STAGED_SCHEMA = pa.schema([field.arrow for field in ALL])
PERSONAL = frozenset(field.name for field in ALL if field.personal)
GOLDEN_FIELDS = tuple(field for field in FIELDS if field.golden)

GROUPS: dict[str, tuple[str, ...]] = {
    "name": (
        "name", "family_name", "given_name", "middle_name", "name_suffix", "org_region",
        "org_brand", "org_industry", "org_legal_form", "org_branch",
    ),
    "national_id": ("national_id", "national_id_kind"),
    "tax_id": ("tax_id", "tax_id_kind"),
    "address": (
        "address_line", "street", "house_number", "unit", "district", "city", "region",
        "postal_code", "country",
    ),
    "phones": ("phones", "phone_kinds", "phone_extensions"),
    "consent_marketing": ("consent_marketing", "consent_marketing_at"),
    "do_not_contact": ("do_not_contact", "do_not_contact_at"),
}  # fmt: skip
"""Fields chosen together; the first one must be there for a record to be chosen."""

HEAD_OF = {name: head for head, names in GROUPS.items() for name in names}
"""Field of a group → the group's name."""

"""What the rules of the quarantine are called: a name in words for each that is ours."""

from collections.abc import Mapping

from review.language import DEFAULT, N_, translations

RULES: Mapping[str, str] = {
    "address_contradiction": N_("Address contradicts the columns beside it"),
    "address_division_repaired": N_("Place name corrected by one character"),
    "address_division_unknown": N_("Place not known"),
    "address_placeholder": N_("Placeholder instead of an address"),
    "address_postal_code": N_("Postal code without its country's form"),
    "birth_date_differs_from_id": N_("Birth date differs from the identity number"),
    "birth_date_range": N_("Date out of range"),
    "birth_date_of_organization": N_("Organization with a birth date"),
    "characters_lost": N_("Characters lost in conversion"),
    "country_unknown": N_("Country not known"),
    "created_at_range": N_("Date out of range"),
    "customer_type_unknown": N_("Kind of customer not known"),
    "date_impossible": N_("Impossible date"),
    "date_in_future": N_("Date in the future"),
    "date_incomplete": N_("Incomplete date"),
    "date_placeholder": N_("Placeholder instead of a date"),
    "date_too_old": N_("Date too long ago"),
    "date_two_digit_year": N_("Year of two digits"),
    "date_unreadable": N_("Unreadable date"),
    "duplicate_key": N_("Key of another record"),
    "email_domain_corrected": N_("Misspelled mail domain, corrected"),
    "email_no_at": N_("Mail address without @"),
    "email_placeholder": N_("Placeholder instead of a mail address"),
    "email_syntax": N_("Malformed mail address"),
    "emails_address": N_("Malformed mail address"),
    "empty_key": N_("Record without a key"),
    "formula_error": N_("Error of a spreadsheet's formula"),
    "identifier_birth_date": N_("Impossible birth date in the number"),
    "identifier_checksum": N_("Wrong check digit"),
    "identifier_excel_damaged": N_("Number cut off by a spreadsheet"),
    "identifier_impossible": N_("Impossible identity number"),
    "identifier_inner_check": N_("Wrong check digit of the organization code"),
    "identifier_length": N_("Identity number of the wrong length"),
    "identifier_letters_repaired": N_("Letters in the number, replaced by digits"),
    "identifier_masked": N_("Masked identity number"),
    "identifier_never_issued": N_("Number that is not given out"),
    "identifier_placeholder": N_("Placeholder instead of an identity number"),
    "identifier_several": N_("Several identity numbers in one cell"),
    "identifier_unknown_kind": N_("Identity number of no known kind"),
    "identifier_unknown_place": N_("Identity number with an unknown place code"),
    "name_damaged_character": N_("Character of the name lost"),
    "name_missing": N_("Record without a name"),
    "name_placeholder": N_("Placeholder instead of a name"),
    "name_several_people": N_("Several people in one name"),
    "name_unreadable": N_("Unreadable name"),
    "phone_area_code": N_("Area code that does not exist"),
    "phone_length": N_("Phone number of the wrong length"),
    "phone_no_area_code": N_("Landline without area code"),
    "phone_not_a_number": N_("No phone number in the text"),
    "phone_placeholder": N_("Placeholder instead of a phone number"),
    "phone_scientific_notation": N_("Phone number in scientific notation"),
    "phone_short_number": N_("Short number of a public service"),
    "phone_unassigned": N_("Phone number that cannot exist"),
    "phones_e164": N_("Malformed phone number"),
    "postal_code_form": N_("Malformed postal code"),
    "record_damaged": N_("Record that could not be read"),
    "record_without_identity": N_("Record without anything to know it by"),
    "sex_differs_from_id": N_("Sex differs from the identity number"),
    "sex_unknown": N_("Sex not known"),
    "status_unknown": N_("Status not known"),
    "updated_at_range": N_("Date out of range"),
    "value_too_long": N_("Text too long"),
    "yes_no_unknown": N_("Neither yes nor no"),
}
"""Rule → its name in words."""
_REQUIRED = N_("Required value missing")


def rule_words(rule: str, language: str = DEFAULT) -> str:
    """What a rule is called; empty for one that a source's YAML calls by its own name.

    >>> rule_words("phone_length"), rule_words("phone_length", "zh"), rule_words("our_vips")
    ('Phone number of the wrong length', '电话号码位数不对', '')
    >>> rule_words("tax_id_required")
    'Required value missing'
    """
    words = RULES.get(rule, _REQUIRED if rule.endswith("_required") else "")
    return translations(language).gettext(words) if words else ""

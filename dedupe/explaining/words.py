"""Names of fields in words."""

from dedupe.explaining.messages import Message, message

_FIELD_NAMES = {
    "name": message("Name"),
    "id": message("Identity or registration number"),
    "birth_date": message("Birth date"),
    "phone": message("Telephone"),
    "email": message("E-mail"),
    "address": message("Address"),
    "employer": message("Employer"),
    "contact": message("Contact person"),
    "branch": message("Branch"),
    "source": message("Source"),
}


def field_name(field: str) -> Message:
    """A comparison in words; one that has no words of its own by its name.

    >>> field_name("birth_date").text, field_name("text:birth_place").values["name"]
    ('Birth date', 'birth place')
    """
    known = _FIELD_NAMES.get(field)
    if known is not None:
        return known
    return message("{name}", name=field.rpartition(":")[2].replace("_", " "))


_GOLDEN_NAMES = {
    "customer_type": message("Type"),
    "other_names": message("Other names"),
    "sex": message("Sex"),
    "national_id": message("Identity number"),
    "tax_id": message("Tax number"),
    "org_code": message("Organization code"),
    "license_no": message("Business license"),
    "emails": message("E-mail"),
    "phones": message("Telephone"),
    "contact_name": message("Contact person"),
    "legal_representative": message("Legal representative"),
    "employer_name": message("Employer"),
    "status": message("Status"),
    "consent_marketing": message("Agreed to marketing"),
    "do_not_contact": message("Do not contact"),
    "attributes": message("More"),
    "created_at": message("Created"),
    "updated_at": message("Changed at the source"),
}


def golden_name(head: str) -> Message:
    """A golden field, or some that are chosen together, in words.

    >>> golden_name("emails").text, golden_name("address").text
    ('E-mail', 'Address')
    """
    return _GOLDEN_NAMES.get(head) or field_name(head)


def signed(tenths: int) -> str:
    """Tenths of bits as a signed number.

    >>> signed(31), signed(-4), signed(0)
    ('+3.1', '−0.4', '0.0')
    """
    sign = "+" if tenths > 0 else "−" if tenths < 0 else ""
    return f"{sign}{abs(tenths) // 10}.{abs(tenths) % 10}"


def exact(bits: float) -> str:
    """Bits as a signed number to a hundredth, for what must be told from something close.

    >>> exact(-0.584)
    '−0.58'
    """
    return f"{bits:+.2f}".replace("-", "−")

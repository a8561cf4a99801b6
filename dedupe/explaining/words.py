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

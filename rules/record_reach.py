"""Where and how a record can be reached: its address, phones and e-mails.

What belongs here: how the columns that say so fit together. How one address,
phone or e-mail is read stands in the rules of these names.
"""

import re
from collections.abc import Iterable
from typing import Any

from rules import address, email, phone
from rules.cells import Cells

_DIGITS_ONLY = re.compile(r"[\d\s()（）+.\-—转ext/]{7,}")
_E_MAIL = re.compile(r"[^\s,;，；/]+@[^\s,;，；/]+")


def read_address(cells: Cells, row: int, country: str) -> address.Address | None:
    """The address with its division columns; None if all are empty.

    Several address columns named in the source's YAML are lines of one address; of
    those found by their headings the first filled one counts.

    Args:
        country: ISO 3166 code.
    """
    line = (
        " ".join(cells.every("address", row))
        if cells.is_list("address")
        else cells.first("address", row)
    )
    first = cells.first
    region, city = first("region", row), first("city", row)
    district, code = first("district", row), first("postal_code", row)
    if not (line or region or city or district or code):
        return None
    return address.parse(
        line, region=region, city=city, district=district, postal_code=code, country=country
    )


def take_address(cells: Cells, row: int, place: address.Address | None) -> dict[str, Any]:
    """The staged columns of an address."""
    if place is None:
        return {}
    usable = has_code = True
    raw = None
    if place.problems:
        written = [cells.first(name, row) for name in ("address", "district", "city", "region")]
        raw = " | ".join(cell for cell in written if cell) or cells.first("postal_code", row)
    for problem in place.problems:
        if "postal_code" in problem.rule:
            code_cell = cells.first("postal_code", row) or raw
            has_code = cells.note(row, "postal_code", problem, code_cell) and has_code
        else:
            usable = cells.note(row, "address", problem, raw) and usable
    if not usable:
        return {}
    return {
        "address_line": place.address_line,
        "street": place.street,
        "house_number": place.house_number,
        "unit": place.unit,
        "district": place.district,
        "city": place.city,
        "region": place.region,
        "postal_code": place.postal_code if has_code else None,
        "address_key": place.key,
    }


def take_phones_and_emails(
    cells: Cells, row: int, country: str, city: str | None, found_elsewhere: Iterable[str]
) -> dict[str, Any]:
    """Phones and e-mails, each once, mobile numbers first.

    A number in an e-mail column, and an e-mail in a phone column, count as what they are.

    Args:
        country: ISO 3166 code.
        city: completes numbers without area code.
        found_elsewhere: telephone numbers from name cells, as written.
    """
    written = [("mobile", cell) for cell in cells.every("mobile", row)]
    written += [("phone", cell) for cell in cells.every("phone", row)]
    written += [("phone", cell) for cell in found_elsewhere]
    addresses: dict[str, None] = {}
    for cell in cells.every("email", row):
        if "@" not in cell and _DIGITS_ONLY.fullmatch(cell):
            written.append(("phone", cell))
            continue
        mails = email.parse(cell)
        if cells.usable(row, "email", mails.problems, cell):
            addresses |= dict.fromkeys(mails.addresses)
    numbers: dict[str, tuple[int, phone.Phone]] = {}
    keys: dict[str, None] = {}
    for column, cell in written:
        numeral = cell
        if "@" in cell:
            addresses |= dict.fromkeys(email.parse(cell).addresses)
            numeral = _E_MAIL.sub(" ", cell)
            if not any(c.isdigit() for c in numeral):
                continue
        found = phone.parse(numeral, country=country, city=city)
        if not cells.usable(row, column, found.problems, cell):
            continue
        keys |= dict.fromkeys(found.keys)
        for number in found.numbers:
            rank = 0 if number.kind == "mobile" else 1 if column == "mobile" else 2
            if number.e164 not in numbers or rank < numbers[number.e164][0]:
                numbers[number.e164] = (rank, number)
    ordered = [number for _, number in sorted(numbers.values(), key=lambda item: item[0])]
    return {
        "phones": [number.e164 for number in ordered],
        "phone_kinds": [number.kind for number in ordered],
        "phone_extensions": [number.extension for number in ordered],
        "phone_keys": list(keys),
        "emails": list(addresses),
    }

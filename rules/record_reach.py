"""Where and how a record can be reached: its address, phones and e-mails.

What belongs here: how the columns that say so fit together. How one address,
phone or e-mail is read stands in the rules of these names.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from rules import address, email, phone
from rules.cells import Cell, Cells, Columns

Place = address.Address | None

_DIGITS_ONLY = re.compile(r"[\d\s()（）+.\-—转ext/]{7,}")
_COLUMNS = {
    "address_key" if part == "key" else part: place
    for place, part in enumerate(address.Address._fields)
    if part not in ("country", "problems")
}
"""Staged column → its place in an address."""
_NOWHERE = address.Address()
_E_MAIL = re.compile(r"[^\s,;，；/]+@[^\s,;，；/]+")


def read_addresses(
    cells: Cells, rows: Iterable[int], countries: Sequence[str], places: list[Place]
) -> None:
    """Read the addresses of some records with their division columns; None if all are empty.

    Several address columns named in the source's YAML are lines of one address; of
    those found by their headings the first filled one counts.

    Args:
        rows: which records.
        countries: ISO 3166 code of every record.
        places: the address of every record, written for these.
    """
    if cells.is_list("address"):
        lines: list[Cell] = [" ".join(written) for written in cells.every("address")]
    else:
        lines = cells.first("address")
    regions, cities = cells.first("region"), cells.first("city")
    districts, codes = cells.first("district"), cells.first("postal_code")
    for row in rows:
        line, region, city = lines[row], regions[row], cities[row]
        district, code = districts[row], codes[row]
        if line or region or city or district or code:
            places[row] = address.parse(
                line,
                region=region,
                city=city,
                district=district,
                postal_code=code,
                country=countries[row],
            )


def take_addresses(cells: Cells, places: Sequence[Place], staged: Columns) -> None:
    """Fill the staged columns of addresses."""
    usable: list[Place] = list(places)
    for row, place in enumerate(places):
        if place is not None and place.problems:
            usable[row] = _usable(cells, row, place)
    parts = list(zip(*(_NOWHERE if place is None else place for place in usable), strict=True))
    for column, part in _COLUMNS.items() if parts else ():
        staged[column][:] = parts[part]


def _usable(cells: Cells, row: int, place: address.Address) -> Place:
    """What may be used of an address with findings, which are noted."""
    usable = has_code = True
    written = [cells.first(name)[row] for name in ("address", "district", "city", "region")]
    raw = " | ".join(cell for cell in written if cell) or cells.first("postal_code")[row]
    for problem in place.problems:
        if "postal_code" in problem.rule:
            code_cell = cells.first("postal_code")[row] or raw
            has_code = cells.note(row, "postal_code", problem, code_cell) and has_code
        else:
            usable = cells.note(row, "address", problem, raw) and usable
    if not usable:
        return None
    return place if has_code else place._replace(postal_code=None)


def take_phones_and_emails(
    cells: Cells,
    countries: Sequence[str],
    found_elsewhere: Mapping[int, Sequence[str]],
    staged: Columns,
) -> None:
    """Fill phones and e-mails, each once, mobile numbers first.

    A number in an e-mail column, and an e-mail in a phone column, count as what they are.

    Args:
        countries: ISO 3166 code of every record.
        found_elsewhere: row → telephone numbers from name cells, as written.
        staged: its cities complete numbers without area code.
    """
    columns = zip(
        *(cells.every(field) for field in ("mobile", "phone", "email")),
        countries,
        staged["city"],
        strict=True,
    )
    phones, kinds, extensions, all_keys, emails = (
        staged[name]
        for name in ("phones", "phone_kinds", "phone_extensions", "phone_keys", "emails")
    )
    for row, (mobiles, others, mails, country, city) in enumerate(columns):
        written = [("mobile", cell) for cell in mobiles] if mobiles else []
        if others:
            written += [("phone", cell) for cell in others]
        if row in found_elsewhere:
            written += [("phone", cell) for cell in found_elsewhere[row]]
        addresses: dict[str, None] = {}
        for cell in mails:
            if "@" not in cell and _DIGITS_ONLY.fullmatch(cell):
                written.append(("phone", cell))
                continue
            read = email.parse(cell)
            if not read.problems or cells.usable(row, "email", read.problems, cell):
                addresses |= dict.fromkeys(read.addresses)
        numbers, keys = _numbers(cells, row, written, country, city, addresses)
        if numbers:
            phones[row] = [number.e164 for number in numbers]
            kinds[row] = [number.kind for number in numbers]
            extensions[row] = [number.extension for number in numbers]
        all_keys[row] = keys or None
        if addresses:
            emails[row] = list(addresses)


def _numbers(
    cells: Cells,
    row: int,
    written: Sequence[tuple[str, str]],
    country: str,
    city: str | None,
    addresses: dict[str, None],
) -> tuple[Sequence[phone.Phone], Sequence[str]]:
    """The numbers in a record's cells, mobile ones first, and all their keys.

    E-mail addresses that stand there are put into ``addresses``.
    """
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
        if found.problems and not cells.usable(row, column, found.problems, cell):
            continue
        told = _told(found.numbers) if column == "mobile" else found.numbers
        if len(written) == 1 and len(told) < 2:
            return told, found.keys
        keys |= dict.fromkeys(found.keys)
        for number in told:
            rank = 0 if number.kind == "mobile" else 1 if column == "mobile" else 2
            if number.e164 not in numbers or rank < numbers[number.e164][0]:
                numbers[number.e164] = (rank, number)
    ordered = sorted(numbers.values(), key=itemgetter(0))
    return [number for _, number in ordered], list(keys)


def _told(numbers: Sequence[phone.Phone]) -> Sequence[phone.Phone]:
    """The numbers of a cell for a mobile number: of one alone the cell tells the kind, where the
    numbering plan does not (+1)."""
    if len(numbers) == 1 and numbers[0].kind == "unknown":
        own = numbers[0]
        return (phone.Phone(own.e164, "mobile", own.extension, own.key),)
    return numbers

"""Where and how a record can be reached: its address, phones and e-mails.

What belongs here: how the columns that say so fit together. How one address,
phone or e-mail is read stands in the rules of these names.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules import address, email, phone
from rules.cells import Cells
from rules.columns import Columns
from rules.whole import addresses, emails, phones
from rules.whole.texts import Found, Ints, Mask

Place = address.Address | None

_DIGITS_ONLY = re.compile(r"[\d\s()（）+.\-—转ext/]{7,}")
_COLUMNS = {
    "address_key" if part == "key" else part: place
    for place, part in enumerate(address.Address._fields)
    if part not in ("country", "problems")
}
"""Staged column → its place in an address."""
_E_MAIL = re.compile(r"[^\s,;，；/]+@[^\s,;，；/]+")


@dataclass(frozen=True)
class Plain:
    """What whole columns say of how records of one country can be reached.

    Attributes:
        country: ISO 3166 code.
        addresses: the plain ones; a record without any address is among them.
        mobiles, phones: the plain numbers of records that have one cell in the column for
            mobile numbers, and in the other one.
        emails: the records with one usual address.
        mails: one cell of each record, for those of ``emails`` its address.
        mobile_counts, phone_counts, email_counts: how many cells each record has.
    """

    country: str
    addresses: Found
    mobiles: phones.Found
    phones: phones.Found
    emails: Ints
    mails: pa.Array
    mobile_counts: Ints
    phone_counts: Ints
    email_counts: Ints

    @property
    def is_addressed(self) -> Mask:
        """The records whose address is plain."""
        return _mask(self.addresses.rows, len(self.mails))

    @property
    def is_phoned(self) -> Mask:
        """The records whose numbers are all plain, and those that have none."""
        return self._all_among(self.mobiles.rows, self.phones.rows)

    @property
    def is_surely_phoned(self) -> Mask:
        """The records of :attr:`is_phoned` whose numbers are plainly of the country."""
        return self._all_among(*(one.rows[one.sure] for one in (self.mobiles, self.phones)))

    def _all_among(self, mobiles: Ints, others: Ints) -> Mask:
        """Whether all cells of a record are numbers of these records."""
        count = len(self.mails)
        found = _mask(mobiles, count) | (self.mobile_counts == 0)
        return found & (_mask(others, count) | (self.phone_counts == 0))

    @property
    def is_mailed(self) -> Mask:
        """The records whose e-mail address is usual, and those that have none."""
        return _mask(self.emails, len(self.mails)) | (self.email_counts == 0)


def plain(cells: Cells, country: str) -> Plain:
    """Read what is plain of the addresses, phones and e-mails of all records.

    Args:
        country: ISO 3166 code that the records are taken to be of.
    """
    region, city, district, code = (
        cells.column(name) for name in ("region", "city", "district", "postal_code")
    )
    mobile, mobiles = cells.only("mobile")
    other, others = cells.only("phone")
    mail, mails = cells.only("email")
    usual = emails.usual(mail)
    return Plain(
        country=country,
        addresses=addresses.read(_lines(cells), region, city, district, code, country),
        mobiles=phones.read(_alone(mobile, mobiles), country),
        phones=phones.read(_alone(other, others), country),
        emails=usual[mails[usual] == 1],
        mails=mail,
        mobile_counts=mobiles,
        phone_counts=others,
        email_counts=mails,
    )


def _alone(cells: pa.Array, counts: Ints) -> pa.Array:
    """The cells of records that have one; null for others."""
    if (counts <= 1).all():
        return cells
    return pc.if_else(pa.array(counts == 1), cells, pa.scalar(None, pa.string()))


def _mask(rows: Ints, count: int) -> Mask:
    found = np.zeros(count, dtype=bool)
    found[rows] = True
    return found


def _lines(cells: Cells) -> pa.Array:
    """The address lines.

    Several address columns named in the source's YAML are lines of one address; of
    those found by their headings the first filled one counts.
    """
    return cells.joined("address") if cells.is_list("address") else cells.column("address")


def read_addresses(cells: Cells, rows: Ints, countries: Sequence[str], places: list[Place]) -> None:
    """Read the addresses of some records with their division columns; None if all are empty.

    Args:
        rows: which records.
        countries: ISO 3166 code of every record.
        places: the address of every record, written for these.
    """
    lines = _lines(cells).take(pa.array(rows)).to_pylist()
    beside = (cells.first(name, rows) for name in ("region", "city", "district", "postal_code"))
    for row, line, region, city, district, code in zip(rows.tolist(), lines, *beside, strict=True):
        if line or region or city or district or code:
            places[row] = address.parse(
                line,
                region=region,
                city=city,
                district=district,
                postal_code=code,
                country=countries[row],
            )


def take_addresses(
    cells: Cells, places: Sequence[Place], found: Plain, told: Mask, staged: Columns
) -> None:
    """Fill the staged columns of addresses.

    Args:
        places: the addresses that are not plain.
        told: the records whose plain addresses are of the country that they were read for.
    """
    usable: dict[int, address.Address] = {}
    for row, place in enumerate(places):
        if place is not None and place.problems:
            place = _usable(cells, row, place)
        if place is not None:
            usable[row] = place
    parts = list(zip(*usable.values(), strict=True))
    rows = np.fromiter(usable, np.int64, len(usable))
    staged.give(rows, {column: parts[part] for column, part in _COLUMNS.items() if parts})
    kept = np.flatnonzero(told[found.addresses.rows])
    staged.give(found.addresses.rows[kept], found.addresses.columns, kept)


def _usable(cells: Cells, row: int, place: address.Address) -> Place:
    """What may be used of an address with findings, which are noted."""
    usable = has_code = True
    fields = ("address", "district", "city", "region", "postal_code")
    *written, code = (cells.column(name)[row].as_py() for name in fields)
    raw = " | ".join(cell for cell in written if cell) or code
    for problem in place.problems:
        if "postal_code" in problem.rule:
            has_code = cells.note(row, "postal_code", problem, code or raw) and has_code
        else:
            usable = cells.note(row, "address", problem, raw) and usable
    if not usable:
        return None
    return place if has_code else place._replace(postal_code=None)


def take_phones_and_emails(
    cells: Cells,
    countries: Sequence[str],
    found_elsewhere: Mapping[int, Sequence[str]],
    cities: pa.Array,
    found: Plain,
    staged: Columns,
) -> None:
    """Fill phones and e-mails, each once, mobile numbers first.

    A number in an e-mail column, and an e-mail in a phone column, count as what they are.

    Args:
        countries: ISO 3166 code of every record.
        found_elsewhere: row → telephone numbers from name cells, as written.
        cities: as staged; they complete numbers without area code.
    """
    is_plain = found.is_phoned & found.is_mailed
    is_plain &= np.array([country == found.country for country in countries], dtype=bool)
    is_plain[list(found_elsewhere)] = False
    _take_plain(found, is_plain, staged)
    rows = np.flatnonzero(~is_plain)
    columns = zip(
        rows.tolist(),
        *(cells.every(field, rows) for field in ("mobile", "phone", "email")),
        cities.take(pa.array(rows)).to_pylist(),
        strict=True,
    )
    phones, kinds, extensions, all_keys, emails = (
        staged[name]
        for name in ("phones", "phone_kinds", "phone_extensions", "phone_keys", "emails")
    )
    for row, mobiles, others, mails, city in columns:
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
        numbers, keys = _numbers(cells, row, written, countries[row], city, addresses)
        if numbers:
            phones[row] = [number.e164 for number in numbers]
            kinds[row] = [number.kind for number in numbers]
            extensions[row] = [number.extension for number in numbers]
        if keys:
            all_keys[row] = keys
        if addresses:
            emails[row] = list(addresses)


def _take_plain(found: Plain, is_plain: Mask, staged: Columns) -> None:
    """Fill phones and e-mails of records whose cells are all plain."""
    mobiles, others = found.mobiles, found.phones
    e164 = pa.concat_arrays([mobiles.e164, others.e164])
    told = pc.if_else(pc.equal(mobiles.kinds, "unknown"), "mobile", mobiles.kinds)
    kinds = pa.concat_arrays([told, others.kinds])
    places = np.full((len(is_plain), 2), -1, dtype=np.int64)
    places[mobiles.rows, 0] = np.arange(len(mobiles.rows))
    places[others.rows, 1] = np.arange(len(mobiles.rows), len(e164))
    rows = np.flatnonzero(is_plain & (places >= 0).any(axis=1))
    written = places[rows]
    both = np.flatnonzero((written >= 0).all(axis=1))
    first, second = (e164.take(pa.array(own)) for own in written[both].T)
    same = np.asarray(pc.equal(first, second))
    written[both[same], 1] = -1
    ordered, both = written.copy(), both[~same]
    is_mobile = np.asarray(pc.equal(kinds, "mobile"))
    swapped = both[~is_mobile[written[both, 0]] & is_mobile[written[both, 1]]]
    ordered[swapped] = written[swapped, ::-1]
    lists = {
        "phones": _lists(e164, ordered),
        "phone_kinds": _lists(kinds, ordered),
        "phone_extensions": _lists(pa.repeat("", len(e164)), ordered),
        "phone_keys": _lists(e164, written),
    }
    staged.give(rows, lists)
    mailed = found.emails[is_plain[found.emails]]
    mails = found.mails.take(pa.array(mailed))
    staged.give(mailed, {"emails": _lists(mails, np.arange(len(mailed))[:, None])})


def _lists(values: pa.Array, places: Ints) -> pa.Array:
    """One list per row, of the values at its places; -1: none."""
    there = places >= 0
    sizes = np.zeros(len(places) + 1, dtype=np.int32)
    np.cumsum(there.sum(axis=1), out=sizes[1:])
    return pa.ListArray.from_arrays(pa.array(sizes), values.take(pa.array(places[there])))


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

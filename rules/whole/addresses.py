"""Plain western addresses of whole columns, as rules/address.py reads each of them.

What belongs here: a line of a usual form, or none, with the columns beside it, of the
country that the record is taken for. All others are left to that module.

>>> columns = (pa.array([one, other]) for one, other in
...     [("7 Main St", "7, Main St"), ("NJ", "NJ"), ("YORK", "York"), (None, None), ("2121", "")])
>>> found = read(*columns, country="US")
>>> found.rows.tolist(), [found.columns[name][0].as_py() for name in ("city", "postal_code")]
([0], ['York', '02121'])
"""

from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules import address
from rules.addresses import postal
from rules.whole import streets, texts
from rules.whole.texts import Found, Mask


def read(
    lines: pa.Array,
    regions: pa.Array,
    cities: pa.Array,
    districts: pa.Array,
    codes: pa.Array,
    country: str,
) -> Found:
    """Read the addresses that are plain ones of a country.

    Args:
        lines, regions, cities, districts, codes: as in ``address.parse``; null for none.
        country: ISO 3166 code.
    """
    if country in address.CHINESE:
        return Found(np.empty(0, dtype=np.int64), {})
    found = streets.read(lines, country)
    postal_codes, good = _postal_codes(codes, country)
    place = np.full(len(lines), -1)
    place[found.rows] = np.arange(len(found.rows))
    good &= (place >= 0) | ~texts.filled(lines)
    rows = np.flatnonzero(good)
    at, of_line = pa.array(rows), pa.array(place[rows], mask=place[rows] < 0)
    columns = {name: column.take(of_line) for name, column in found.columns.items()}
    for name, column in (("region", regions), ("city", cities), ("district", districts)):
        own = partial(_shown, name, country)
        columns[name] = texts.mapped(column.take(at), own)
    columns["postal_code"] = postal_codes.take(at)
    return Found(rows, columns)


def _shown(name: str, country: str, cell: str) -> str | None:
    """A division as a western address shows it."""
    beside = {"region": None, "city": None, "district": None, "code": None, name: cell}
    found: str | None = getattr(address.look_beside(**beside, country=country), name)
    return found or None


def _postal_codes(codes: pa.Array, country: str) -> tuple[pa.Array, Mask]:
    """The codes in their national form, and which rows have a sound one of the country or none."""
    size = postal.digits(country)
    plain = np.zeros(len(codes), dtype=bool)
    if size:
        alike = pa.array([digit * size for digit in "0123456789"])
        form = pc.match_substring_regex(codes, f"^[0-9]{{{size}}}$")
        plain = np.asarray(pc.fill_null(pc.and_(form, pc.invert(pc.is_in(codes, alike))), False))
    others = pc.if_else(pa.array(plain), pa.scalar(None, pa.string()), codes)
    known, places = texts.distinct(others)
    found = [address.look_beside(None, None, None, code, country) for code in known]
    sound = [own.told == country and not own.problems for own in found]
    normal = pa.array([own.postal_code for own in found], pa.string()).take(pa.array(places))
    return pc.if_else(pa.array(plain), codes, normal), np.array(sound)[places]

"""Western lines of a usual form of a whole column, as rules/addresses/western.py reads each.

What belongs here: a number, a street that is read once for all its numbers, perhaps a
unit. All other lines are left to that module.

>>> found = read(pa.array(["1048 Bush Gdns #173", "7 Main St", "12 Main St Floor 3", None]), "US")
>>> found.rows.tolist(), found.columns["street"].to_pylist()
([0, 1], ['Bush Gardens', 'Main Street'])
>>> found.columns["unit"].to_pylist(), found.columns["address_key"].to_pylist()
(['173', None], ['bush gardens 1048', 'main street 7'])
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.addresses import western
from rules.whole.texts import Bytes, Ints, Mask, distinct

_ANY = "1"
"""Stands for any number: what is read of a street is the same for all."""
_LONGEST_UNIT = 6


class Found(NamedTuple):
    """The lines of a usual form among some.

    Attributes:
        rows: which ones, ascending.
        columns: staged field → one value per row.
    """

    rows: Ints
    columns: dict[str, pa.Array]


def read(lines: pa.Array, country: str) -> Found:
    """Read the lines of a usual form.

    Args:
        lines: one address each, as written; null for none.
        country: ISO 3166 code of all of them.
    """
    own = Bytes(lines)
    if not len(own.data):
        return Found(np.empty(0, dtype=np.int64), {})
    is_digit = (own.data >= ord("0")) & (own.data <= ord("9"))
    behind = own.first(own.data == ord(" "))
    sizes = behind - own.starts
    plain = (sizes > 0) & (behind < own.ends) & (own.count(is_digit, own.starts, behind) == sizes)
    plain[own.rows_with(own.data >= 0x80)] = False
    at = own.last((own.data == ord(" ")) | (own.data == ord("#")))
    has_unit = plain & (at > behind) & _is_unit(own, is_digit, at + 1)
    plain &= (at + 1 < own.ends) & (own.ends > behind + 1)
    # The street's words, and the 1 that stands for a unit.
    rows = np.flatnonzero(plain)
    starts, ends = behind[rows] + 1, np.where(has_unit, at + 1, own.ends)[rows]
    with_unit = has_unit[rows]
    streets = own.pieces(starts, ends)
    streets = pc.if_else(
        pa.array(with_unit), pc.binary_join_element_wise(streets, _ANY, ""), streets
    )
    known, places = distinct(streets)
    found = [street and _street(street, country) for street in known]
    good = np.array([bool(street) for street in found])[places]
    rows, places, with_unit = rows[good], places[good], with_unit[good]
    shown = pa.array([street[0] if street else None for street in found], pa.string())
    keys = pa.array([street[1] if street else None for street in found], pa.string())
    numbers = own.pieces(own.starts[rows], behind[rows])
    units = pc.ascii_upper(own.pieces(at[rows] + 1, own.ends[rows]))
    taken = pa.array(places)
    return Found(
        rows,
        {
            "address_line": lines.take(pa.array(rows)),
            "street": shown.take(taken),
            "house_number": numbers,
            "unit": pc.if_else(pa.array(with_unit), units, pa.scalar(None, pa.string())),
            "address_key": pc.binary_join_element_wise(keys.take(taken), numbers, " "),
        },
    )


@lru_cache(maxsize=32768)
def _street(words: str, country: str) -> tuple[str, str] | None:
    """The street in shown form and its key; None if a line with it is not of the usual form."""
    found = western.plain(f"{_ANY} {words}", country)
    return (found[1], found[3].removesuffix(f" {_ANY}")) if found else None


def _is_unit(own: Bytes, is_digit: Mask, starts: Ints) -> Mask:
    """Whether each text ends, from the place on, in a number of a unit: 4, 173, B12, 4b."""
    sizes = own.ends - starts
    some = (sizes > 0) & (sizes <= _LONGEST_UNIT)
    starts = np.where(some, starts, 0)
    ends = np.where(some, own.ends, np.minimum(1, len(own.data)))
    upper = own.data & 0xDF
    is_letter = (upper >= ord("A")) & (upper <= ord("Z"))
    last = np.maximum(ends - 1, 0)
    lead = is_letter[starts] & some
    tail = is_letter[last] & some & (ends - starts > 1)
    digits = own.count(is_digit, starts, ends)
    return some & (digits == ends - starts - lead - tail) & (digits >= 1) & (digits <= 4)

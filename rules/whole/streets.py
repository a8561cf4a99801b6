"""Western lines of a usual form of a whole column, as rules/addresses/western.py reads each.

What belongs here: a number, a street that is read once for all its numbers, perhaps a
unit. All other lines are left to that module.

>>> found = read(pa.array(["1048 Bush Gdns #173", "7 Main St", "12 Main St Floor 3", None]), "US")
>>> found.rows.tolist(), found.columns["street"].to_pylist()
([0, 1], ['Bush Gardens', 'Main Street'])
>>> found.columns["unit"].to_pylist(), found.columns["address_key"].to_pylist()
(['173', None], ['bush gardens 1048', 'main street 7'])
"""

from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.addresses import western
from rules.whole.texts import Bytes, Found, Ints, Mask
from rules.whole.vocabulary import Vocabulary

_ANY = "1"
"""Stands for any number: what is read of a street is the same for all."""
_LONGEST_UNIT = 6


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
    if country not in western.NO_CODE_OF_FOUR:
        plain &= ~has_unit
    rows = np.flatnonzero(plain)
    with_unit = has_unit[rows]
    words = own.pieces(behind[rows] + 1, np.where(with_unit, at[rows] + 1, own.ends[rows]))
    known, numbers = _streets(country).of(_without_unit_word(words, with_unit))
    good = known.good[numbers]
    rows, numbers, with_unit = rows[good], numbers[good], with_unit[good]
    streets, keys = (part.take(pa.array(numbers)) for part in (known.shown, known.keys))
    house_numbers = own.pieces(own.starts[rows], behind[rows])
    units = pc.ascii_upper(own.pieces(at[rows] + 1, own.ends[rows]))
    return Found(
        rows,
        {
            "address_line": lines.take(pa.array(rows)),
            "street": streets,
            "house_number": house_numbers,
            "unit": pc.if_else(pa.array(with_unit), units, pa.scalar(None, pa.string())),
            "address_key": pc.binary_join_element_wise(keys, house_numbers, " "),
        },
    )


class _Table(NamedTuple):
    """What is known of streets, by their numbers.

    Attributes:
        good: whether a number and the street are a line of the usual form.
        shown, keys: texts.
    """

    good: Mask
    shown: pa.Array
    keys: pa.Array

    def joined(self, more: "_Table") -> "_Table":
        """These streets and the next ones."""
        return _Table(
            np.concatenate([self.good, more.good]),
            pa.concat_arrays([self.shown, more.shown]),
            pa.concat_arrays([self.keys, more.keys]),
        )


@cache
def _streets(country: str) -> Vocabulary[_Table]:
    return Vocabulary(partial(_look, country))


def _look(country: str, streets: list[str]) -> _Table:
    found = [western.plain(f"{_ANY} {street}", country) for street in streets]
    keys = [parts[3].removesuffix(f" {_ANY}") if parts else None for parts in found]
    return _Table(
        np.array([parts is not None for parts in found]),
        pa.array([parts[1] if parts else None for parts in found], pa.string()),
        pa.array(keys, pa.string()),
    )


def _without_unit_word(words: pa.Array, with_unit: Mask) -> pa.Array:
    """Streets without what leads to the number of a unit.

    Args:
        words: what stands between the number and that of a unit, or up to the end.
        with_unit: whether one stands behind; without a word that leads to it, or another
            street than before it, the line is not of the usual form.
    """
    at = np.flatnonzero(with_unit)
    some = words.take(pa.array(at))
    streets = pc.replace_substring_regex(some, western.UNIT_WORD_AT_END, "")
    found = pc.not_equal(pc.binary_length(streets), pc.binary_length(some))
    streets = pc.if_else(found, streets, "")
    return pc.replace_with_mask(words, pa.array(with_unit), streets)


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

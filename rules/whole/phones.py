"""Plain telephone numbers of a whole column, as rules/phone.py reads each of them.

What belongs here: American numbers of ten digits. All others are left to that module.

>>> found = read(pa.array(["(212) 555-0123", "2125550123 x5", None, "1-800-356-9377"]), "US")
>>> found.rows.tolist(), found.e164.to_pylist(), found.kinds.to_pylist()
([0, 3], ['+12125550123', '+18003569377'], ['unknown', 'service'])
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules import numbering, phone
from rules.whole.texts import Bytes, Ints, built

_AMERICAN = r"^(\+?1[- .])?\(?[2-9][0-9]{2}\)?[- .]{0,2}[2-9][0-9]{2}[- .]?[0-9]{4}$"
_DIGITS, _LEADING = 10, 3
"""Digits of a number, and how many of them tell its kind."""
_ALIKE = 8
"""A number that ends in so many times one digit is a filler."""


class Found(NamedTuple):
    """The plain numbers among some cells.

    Attributes:
        rows: which cells, ascending.
        e164: "+" and digits.
        kinds: as of ``phone.Phone``.
    """

    rows: Ints
    e164: pa.Array
    kinds: pa.Array


def read(cells: pa.Array, country: str) -> Found:
    """Read the plain numbers of a country.

    Args:
        cells: one number each, perhaps; null for none.
        country: ISO 3166 code.
    """
    if country != "US":
        return Found(
            np.empty(0, dtype=np.int64), pa.array([], pa.string()), pa.array([], pa.string())
        )
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(cells, _AMERICAN), False))
    digits = _digits(cells.take(pa.array(rows)))
    alike = (digits[:, -_ALIKE:] == digits[:, -1:]).all(axis=1)
    lost = (digits[:, -4:] == ord("0")).all(axis=1)
    e164 = np.concatenate(
        [np.broadcast_to(np.frombuffer(b"+1", np.uint8), (len(rows), 2)), digits], axis=1
    )
    texts = built(e164.reshape(-1), np.full(len(rows), 2 + _DIGITS))
    kinds = _kinds(digits)
    good = ~alike & ~lost & np.asarray(pc.invert(pc.is_in(texts, value_set=_fillers())))
    good &= np.asarray(kinds.is_valid())
    kept = pa.array(good)
    return Found(rows[good], texts.filter(kept), kinds.filter(kept))


def _digits(cells: pa.Array) -> np.ndarray:
    """The last ten digits of each cell, as bytes."""
    own = Bytes(cells)
    is_digit = (own.data >= ord("0")) & (own.data <= ord("9"))
    sizes = own.count(is_digit, own.starts, own.ends)
    return Bytes(built(own.data[is_digit], sizes)).matrix(_DIGITS)


def _kinds(digits: np.ndarray) -> pa.Array:
    """The kind of each number; null where none is known to exist."""
    leading = digits[:, :_LEADING].astype(np.int32) @ np.array([100, 10, 1], np.int32)
    leading -= ord("0") * 111
    encoded = pa.array(leading).dictionary_encode()
    found = [
        numbering.kind("1", f"{start}5550123") or None for start in encoded.dictionary.to_pylist()
    ]
    return pa.array(found, pa.string()).take(encoded.indices)


@cache
def _fillers() -> pa.Array:
    """Numbers of placeholders that a plain number could be."""
    written = sorted(phone.FILLERS)
    return pa.array([f"+{start}{filler}" for filler in written for start in ("", "1")])

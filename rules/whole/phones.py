"""Plain telephone numbers of a whole column, as rules/phone.py reads each of them.

What belongs here: American numbers of ten digits and Chinese mobile numbers of eleven. All
others are left to that module.

>>> found = read(pa.array(["(212) 555-0123", "2125550123 x5", None, "1-800-356-9377"]), "US")
>>> found.rows.tolist(), found.e164.to_pylist(), found.kinds.to_pylist()
([0, 3], ['+12125550123', '+18003569377'], ['unknown', 'service'])
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rules import numbering, phone
from rules.whole.texts import Bytes, Ints, built

Digits = npt.NDArray[np.uint8]

_AMERICAN = r"^(\+?1[- .])?\(?[2-9][0-9]{2}\)?[- .]{0,2}[2-9][0-9]{2}[- .]?[0-9]{4}$"
_CHINESE_MOBILE = "^1[3-9][0-9]{9}$"
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
    plan = _PLANS.get(country)
    if plan is None:
        nothing = pa.array([], pa.string())
        return Found(np.empty(0, dtype=np.int64), nothing, nothing)
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(cells, plan.form), False))
    digits = _digits(cells.take(pa.array(rows)), plan.size)
    alike = (digits[:, -_ALIKE:] == digits[:, -1:]).all(axis=1)
    code = np.frombuffer(plan.code.encode(), np.uint8)
    whole = np.concatenate([np.broadcast_to(code, (len(rows), len(code))), digits], axis=1)
    e164 = built(whole.reshape(-1), np.full(len(rows), whole.shape[1]))
    kinds = plan.kinds(digits)
    is_filler = np.asarray(pc.is_in(e164, value_set=_fillers(plan.code)))
    good = ~alike & ~is_filler & np.asarray(kinds.is_valid())
    kept = pa.array(good)
    return Found(rows[good], e164.filter(kept), kinds.filter(kept))


def _digits(cells: pa.Array, size: int) -> Digits:
    """The last digits of each cell, as bytes."""
    own = Bytes(cells)
    is_digit = (own.data >= ord("0")) & (own.data <= ord("9"))
    sizes = own.count(is_digit, own.starts, own.ends)
    return Bytes(built(own.data[is_digit], sizes)).matrix(size)


def _american_kinds(digits: Digits) -> pa.Array:
    """The kind of each number; null where none is known to exist, or the last digits were lost."""
    lost = (digits[:, -4:] == ord("0")).all(axis=1)
    leading = (digits[:, :3].astype(np.int32) - ord("0")) @ np.array([100, 10, 1], np.int32)
    encoded = pa.array(leading, mask=lost).dictionary_encode()
    known = encoded.dictionary.to_pylist()
    found = [numbering.kind("1", f"{start}5550123") or None for start in known]
    return pa.array(found, pa.string()).take(encoded.indices)


def _all_mobile(digits: Digits) -> pa.Array:
    return pa.repeat("mobile", len(digits))


class _Plan(NamedTuple):
    """Numbers of a country: their form, how many digits they have, + and the calling code, and
    their kinds."""

    form: str
    size: int
    code: str
    kinds: Callable[[Digits], pa.Array]


_PLANS = {
    "US": _Plan(_AMERICAN, 10, "+1", _american_kinds),
    "CN": _Plan(_CHINESE_MOBILE, 11, "+86", _all_mobile),
}


@cache
def _fillers(code: str) -> pa.Array:
    """Numbers of placeholders that a plain number could be."""
    written = sorted(phone.FILLERS)
    return pa.array([f"{start}{filler}" for filler in written for start in ("+", code)])

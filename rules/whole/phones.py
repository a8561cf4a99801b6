"""Plain telephone numbers of a whole column, as rules/phone.py reads each of them.

What belongs here: American numbers of ten digits, Chinese mobile numbers of eleven and
landline numbers with their area code. All others are left to that module.

>>> found = read(pa.array(["(212) 555-0123", "2125550123 x5", None, "1-800-356-9377"]), "US")
>>> found.rows.tolist(), found.e164.to_pylist(), found.kinds.to_pylist()
([0, 3], ['+12125550123', '+18003569377'], ['unknown', 'service'])
>>> read(pa.array(["0571-87654321", "138 1234 5678"]), "CN").e164.to_pylist()
['+8657187654321', '+8613812345678']
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules import numbering, phone
from rules.whole.texts import Bytes, Ints, Mask, built, distinct

_AMERICAN = r"^(\+?1[- .])?\(?[2-9][0-9]{2}\)?[- .]{0,2}[2-9][0-9]{2}[- .]?[0-9]{4}$"
_MOBILE = "^1[3-9][0-9]{9}$"
_MOBILE_IN_GROUPS = (
    "^(\\+?86[- ]?1[3-9][0-9][- ]?|1[3-9][0-9][- ])[0-9]{4}[- ]?[0-9]{4}$"
    "|^1[3-9][0-9]{5}[- ][0-9]{4}$"
)
_LANDLINE = r"^(\(?0[1-9][0-9]{1,2}\)?|\+86[- ][1-9][0-9]{1,2})[- ]?[2-8][0-9]{6,7}$"


class Found(NamedTuple):
    """The plain numbers among some cells.

    Attributes:
        rows: which cells, ascending.
        e164: "+" and digits.
        kinds: as of ``phone.Phone``.
        sure: whether ``phone.is_plainly_of`` the country.
    """

    rows: Ints
    e164: pa.Array
    kinds: pa.Array
    sure: Mask


def read(cells: pa.Array, country: str) -> Found:
    """Read the plain numbers of a country.

    Args:
        cells: one number each, perhaps; null for none.
        country: ISO 3166 code.
    """
    nothing = pa.array([], pa.string())
    found = Found(np.empty(0, dtype=np.int64), nothing, nothing, np.empty(0, dtype=bool))
    for plan in _PLANS.get(country, ()):
        found = _together(found, _read(cells, plan))
    return found


def _together(one: Found, other: Found) -> Found:
    """The numbers of both, in the order of their rows."""
    if not (len(one.rows) and len(other.rows)):
        return one if len(one.rows) else other
    rows = np.concatenate([one.rows, other.rows])
    order = np.argsort(rows, kind="stable")
    e164, kinds = (
        pa.concat_arrays(both).take(pa.array(order))
        for both in ((one.e164, other.e164), (one.kinds, other.kinds))
    )
    return Found(rows[order], e164, kinds, np.concatenate([one.sure, other.sure])[order])


def _read(cells: pa.Array, plan: "_Plan") -> Found:
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(cells, plan.form), False))
    national = plan.national(_digits(cells.take(pa.array(rows))))
    last = Bytes(national).matrix(plan.alike)
    alike = (last == last[:, -1:]).all(axis=1)
    e164 = pc.binary_join_element_wise(plan.code, national, "")
    kinds = plan.kinds(national)
    is_filler = np.asarray(pc.is_in(e164, value_set=_fillers(plan.code)))
    good = ~alike & ~is_filler & np.asarray(kinds.is_valid())
    kept = pa.array(good)
    sure = np.full(np.count_nonzero(good), plan.is_sure)
    return Found(rows[good], e164.filter(kept), kinds.filter(kept), sure)


def _digits(cells: pa.Array) -> pa.Array:
    """The digits of each cell."""
    own = Bytes(cells)
    is_digit = (own.data >= ord("0")) & (own.data <= ord("9"))
    return built(own.data[is_digit], own.count(is_digit, own.starts, own.ends))


def _last(size: int) -> Callable[[pa.Array], pa.Array]:
    return lambda digits: built(Bytes(digits).matrix(size).reshape(-1), np.full(len(digits), size))


def _behind_trunk(digits: pa.Array) -> pa.Array:
    """The digits without the 0 or the 86 in front."""
    own = Bytes(digits)
    sizes = np.where(own.data[own.starts] == ord("0"), 1, 2)
    return own.pieces(own.starts + sizes, own.ends)


def _american_kinds(national: pa.Array) -> pa.Array:
    """The kind of each number; null where none is known to exist, or the last digits were lost."""
    digits = Bytes(national).matrix(10)
    lost = (digits[:, -4:] == ord("0")).all(axis=1)
    leading = (digits[:, :3].astype(np.int32) - ord("0")) @ np.array([100, 10, 1], np.int32)
    encoded = pa.array(leading, mask=lost).dictionary_encode()
    known = encoded.dictionary.to_pylist()
    found = [numbering.kind("1", f"{start}5550123") or None for start in known]
    return pa.array(found, pa.string()).take(encoded.indices)


def _mobile_kinds(national: pa.Array) -> pa.Array:
    return pa.repeat("mobile", len(national))


def _landline_kinds(national: pa.Array) -> pa.Array:
    """``fixed``; null where no area code stands in front of a number of its length."""
    own = Bytes(national)
    begins, places = distinct(own.pieces(own.starts, own.starts + 4))
    sizes = own.ends - own.starts
    known = np.zeros((len(begins), 12), dtype=bool)
    for place, size in np.unique(np.stack([places, sizes], axis=1), axis=0).tolist():
        sample = begins[place].ljust(size, "2")  # how a number goes on behind does not matter
        known[place, size] = numbering.landline(sample, international=True) is not None
    good = known[places, sizes]
    for size in (7, 8):  # of a number without its area code
        local = own.pieces(own.ends - size, own.ends)
        good &= ~np.asarray(pc.is_in(local, value_set=pa.array(sorted(phone.FILLERS))))
    return pc.if_else(pa.array(good), "fixed", pa.scalar(None, pa.string()))


class _Plan(NamedTuple):
    """Numbers of a country.

    Attributes:
        form: how they are written.
        code: + and the calling code.
        national: the number behind the calling code, of all digits of a cell.
        kinds: of national numbers; null for one that cannot be.
        alike: a number that ends in so many times one digit may be a filler.
        is_sure: whether ``phone.is_plainly_of`` the country.
    """

    form: str
    code: str
    national: Callable[[pa.Array], pa.Array]
    kinds: Callable[[pa.Array], pa.Array]
    alike: int = 8
    is_sure: bool = True


_PLANS = {
    "US": (_Plan(_AMERICAN, "+1", _last(10), _american_kinds),),
    "CN": (
        _Plan(_MOBILE, "+86", _last(11), _mobile_kinds),
        _Plan(_MOBILE_IN_GROUPS, "+86", _last(11), _mobile_kinds, is_sure=False),
        _Plan(_LANDLINE, "+86", _behind_trunk, _landline_kinds, alike=7, is_sure=False),
    ),
}


@cache
def _fillers(code: str) -> pa.Array:
    """Numbers of placeholders that a plain number could be."""
    written = sorted(phone.FILLERS)
    return pa.array([f"{start}{filler}" for filler in written for start in ("+", code)])

"""Dates and moments in ISO 8601 of a whole column, as rules/dates.py reads each of them.

What belongs here: which texts are read so. All others are left to that module.

>>> read(pa.array(["1967-09-27", "1967-02-30", "27/9/1967", None]), date(1850, 1, 1)).to_pylist()
[datetime.date(1967, 9, 27), None, None, None]
"""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules import dates
from rules.whole.texts import Bytes

_ISO = "^[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]$"
_ISO_MOMENT = f"{_ISO[:-1]}([ T]([01][0-9]|2[0-3])(:[0-5][0-9]){{2}}Z?)?$"
_MOMENT = pa.timestamp("us", tz="UTC")
_SIZE = 10


def read(cells: pa.Array, earliest: date, latest: date | None = None) -> pa.Array:
    """The dates of cells such as 2021-03-04; null for others, and for days outside the bounds.

    Args:
        cells: texts.
        earliest, latest: the first and the last day that can be right.
    """
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(cells, _ISO), False))
    digits = Bytes(cells.take(pa.array(rows))).matrix(_SIZE).astype(np.int64) - ord("0")
    years = digits[:, :4] @ np.array([1000, 100, 10, 1])
    months = (years - 1970) * 12 + digits[:, 5:7] @ np.array([10, 1]) - 1
    month = months.astype("datetime64[M]")
    days = month.astype("datetime64[D]") + (digits[:, 8:] @ np.array([10, 1]) - 1)
    good = (days.astype("datetime64[M]") == month) & (years > 0)
    good &= days >= np.datetime64(earliest)
    if latest is not None:
        good &= days <= np.datetime64(latest)
    found = np.zeros(len(cells), dtype="datetime64[D]")
    found[rows] = days
    missing = np.ones(len(cells), dtype=bool)
    missing[rows[good]] = False
    return pa.array(found, pa.date32(), mask=missing)


def read_moments(cells: pa.Array) -> pa.Array:
    """The moments of cells such as 2021-03-04 or 2021-03-04 05:06:07, in UTC; null for others.

    All are null where one names a day that does not exist.

    >>> read_moments(pa.array(["2021-03-04 05:06:07", "04/03/2021", None])).null_count
    2
    """
    plain = pc.if_else(pc.match_substring_regex(cells, _ISO_MOMENT), cells, None)
    try:
        found = pc.utf8_rtrim(plain, characters="Z").cast(pa.timestamp("us"))
    except pa.ArrowInvalid:  # a day that does not exist
        return pa.nulls(len(cells), _MOMENT)
    found = found.cast(_MOMENT)
    earliest = pa.scalar(dates.EARLIEST, pa.date32()).cast(pa.timestamp("us")).cast(_MOMENT)
    return pc.if_else(pc.greater_equal(found, earliest), found, None)

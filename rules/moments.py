"""Columns of moments: those in ISO 8601 are read as a whole, the others one by one.

What belongs here: which texts a column operation reads as rules/dates.py does.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from rules import dates

_ISO = r"^[0-9]{4}-(0[1-9]|1[0-2])-[0-3][0-9]([ T]([01][0-9]|2[0-3])(:[0-5][0-9]){2}Z?)?$"
_TYPE = pa.timestamp("us", tz="UTC")


def read_iso(cells: Sequence[str | None]) -> pa.Array:
    """The moments of cells such as 2021-03-04 or 2021-03-04 05:06:07, in UTC; null for others.

    All are null where one names a day that does not exist.

    >>> read_iso(["2021-03-04 05:06:07", "04/03/2021", None]).null_count
    2
    """
    texts = pa.array(cells, pa.string())
    plain = pc.if_else(pc.match_substring_regex(texts, _ISO), texts, None)
    try:
        found = pc.utf8_rtrim(plain, characters="Z").cast(pa.timestamp("us"))
    except pa.ArrowInvalid:  # a day that does not exist
        return pa.nulls(len(texts), _TYPE)
    found = found.cast(_TYPE)
    earliest = pa.scalar(dates.EARLIEST, pa.date32()).cast(pa.timestamp("us")).cast(_TYPE)
    return pc.if_else(pc.greater_equal(found, earliest), found, None)

"""Usual e-mail addresses of a whole column, as rules/email.py reads each of them.

What belongs here: which cells are one address in small letters that needs no mending.
All others are left to that module.

>>> usual(pa.array(["ann@mail.org", "wei@gmial.com", "a@b.de; c@d.fr", None])).tolist()
[0]
"""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules import email
from rules.placeholder import placeholder_words
from rules.whole.texts import Bytes, Ints, distinct

_USUAL = r"^[a-z0-9_]+([.+-][a-z0-9_]+)*@[a-z0-9]+([.-][a-z0-9]+)*\.[a-z]{2,18}$"
_BEGINS = np.isin(np.arange(256), list(b"x0-_."))
"""First bytes of a local part that may be a filler of one character."""


def usual(cells: pa.Array) -> Ints:
    """The rows of cells that are a usual address, ascending; the cell is the address."""
    rows = np.flatnonzero(pc.fill_null(pc.match_substring_regex(cells, _USUAL), False))
    texts = cells.take(pa.array(rows))
    own = Bytes(texts)
    at = own.last(own.data == ord("@"))
    domains, places = distinct(own.pieces(at + 1, own.ends))
    plain = np.array([domain is not None and email.is_usual_domain(domain) for domain in domains])
    good = plain[places] & ~_BEGINS[own.data[own.starts]]
    good &= np.maximum(at - own.starts, own.ends - at - 1) <= email.LONGEST
    good &= np.asarray(
        pc.invert(pc.is_in(own.pieces(own.starts, at), value_set=_texts(email.ALWAYS_FILLERS)))
    )
    good &= np.asarray(pc.invert(pc.is_in(texts, value_set=_texts(placeholder_words()))))
    return rows[good]


@cache
def _texts(words: frozenset[str]) -> pa.Array:
    return pa.array(sorted(words), pa.string())

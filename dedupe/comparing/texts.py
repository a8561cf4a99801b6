"""Attributes that are compared as plain text: birth place, trade, anything a source has.

What belongs here: their key form and their levels. Nothing is known about what
they mean, so three levels must do; what each is worth is learned per field.

>>> key("Newcastle  upon Tyne"), key("浙江·杭州"), key("N/A")
('newcastle upon tyne', '浙 江 杭 州', None)
"""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from dedupe.comparing.columns import Levels, Rows, as_array, encode
from dedupe.levels import MISSING, TEXT
from rules import text
from rules.placeholder import is_placeholder

DIFFERENT, SIMILAR, SAME = range(3)
SIMILAR_FROM = 0.92
"""Jaro-Winkler similarity from which two texts are similar."""
_HELD = 100.0
"""Token set ratio where all words of one text stand in the other."""
_LONGEST = 200


def key(shown: str) -> str | None:
    """Folded words; every Han character is a word. None if the text says nothing."""
    if is_placeholder(shown):
        return None
    folded = text.fold_words(shown[:_LONGEST])
    spaced = (f" {c} " if text.has_han(c) else c if c.isalnum() else " " for c in folded)
    return " ".join("".join(spaced).split()) or None


def keys(attributes: pa.Array, names: Sequence[str]) -> dict[str, pa.Array]:
    """The key forms of some attributes.

    Args:
        attributes: a JSON object per record as text, or null.
        names: attributes; one that no record has is null everywhere.

    Returns:
        ``text:<name>`` → one text per record.
    """
    if not names:
        return {}
    rows = [json.loads(written) if written else {} for written in attributes.to_pylist()]
    found: dict[str, pa.Array] = {}
    for name in dict.fromkeys(names):
        encoded = pa.array([row.get(name) for row in rows], pa.string()).dictionary_encode()
        folded = pa.array([key(shown) for shown in encoded.dictionary.to_pylist()], pa.string())
        found[TEXT + name] = folded.take(encoded.indices)
    return found


def levels(column: pa.ChunkedArray, left: Rows, right: Rows) -> Levels:
    """Levels of one text field for pairs of rows; -1 where either text is missing."""
    encoded = encode(as_array(column))
    codes, values = encoded.codes, encoded.objects
    a, b = codes[left].astype(np.int64), codes[right].astype(np.int64)
    measured = (a >= 0) & (b >= 0)
    result = np.where(measured, np.where(a == b, SAME, DIFFERENT), MISSING).astype(np.int8)
    unequal = np.flatnonzero(measured & (a != b))
    low, high = np.minimum(a[unequal], b[unequal]), np.maximum(a[unequal], b[unequal])
    distinct, inverse = np.unique(low * len(values) + high, return_inverse=True)
    firsts = values[distinct // max(len(values), 1)].tolist()
    seconds = values[distinct % max(len(values), 1)].tolist()
    near = process.cpdist(firsts, seconds, scorer=JaroWinkler.similarity) >= SIMILAR_FROM
    near |= process.cpdist(firsts, seconds, scorer=fuzz.token_set_ratio) >= _HELD
    result[unequal[near[inverse]]] = SIMILAR
    return result

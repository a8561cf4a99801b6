"""What kind of values stands in each column: numbers, text, dates of one form.

What belongs here: counting kinds while rows land, so that the next sync can tell that a
column holds something else now (connectors/drift.py). What a column means is
connectors/content.py's. Of large sources some thousand rows are looked at, those with the
smallest hashes: the order of rows changes nothing.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.row_hashes import SIZE

_MOST_ROWS = 4_096
"""Rows that are looked at."""
_FEWEST = 20
"""Filled values from which on a column has a kind."""
_NEARLY_ALL = 0.9
TEXT, NUMBERS = "text", "numbers"
_PATTERNS = (
    ("dates as 2024-12-31", r"^\d{4}-\d{1,2}-\d{1,2}(?:[T ].*)?$"),
    ("dates as 2024/12/31", r"^\d{4}/\d{1,2}/\d{1,2}(?: .*)?$"),
    ("dates as 2024年12月31日", r"^\d{4}年\d{1,2}月\d{1,2}日"),
    ("dates as 20241231", r"^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$"),
    ("dates as 31.12.2024", r"^\d{1,2}\.\d{1,2}\.\d{4}(?: .*)?$"),
    ("dates as 31/12/2024", r"^(?:1[3-9]|2\d|3[01])[/-]\d{1,2}[/-]\d{4}(?: .*)?$"),
    ("dates as 12/31/2024", r"^\d{1,2}[/-](?:1[3-9]|2\d|3[01])[/-]\d{4}(?: .*)?$"),
    ("", r"^\d{1,2}[/-]\d{1,2}[/-]\d{4}(?: .*)?$"),  # day or month first: others tell
    (NUMBERS, r"^[^\pL]*$"),
)
"""Kind, and what its values look like; the first that fits. Everything else is text."""


class Kinds:
    """Kinds per column of rows that come batch by batch."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._below = 1 << 16
        """Rows are looked at whose hash begins with a smaller number of two bytes."""
        self._looked_at: list[tuple[np.ndarray, list[pa.Array]]] = []

    def add(self, values: Sequence[pa.Array], hashes: bytes) -> None:
        """Take note of a batch.

        Args:
            values: text of every column.
            hashes: of its rows, as :func:`connectors.row_hashes.digests` gives them.
        """
        starts = np.frombuffer(hashes, ">u2")[:: SIZE // 2]
        self._looked_at.append(self._chosen(starts, values))
        while self._below and sum(len(starts) for starts, _ in self._looked_at) > _MOST_ROWS:
            self._below >>= 1
            self._looked_at = [self._chosen(*some) for some in self._looked_at]

    def _chosen(
        self, starts: np.ndarray, values: Sequence[pa.Array]
    ) -> tuple[np.ndarray, list[pa.Array]]:
        small = np.flatnonzero(starts < self._below)
        rows = pa.array(small)
        return starts[small], [column.take(rows) for column in values]

    def found(self) -> dict[str, str]:
        """Column → its kind; columns of mixed kinds and nearly empty ones have none."""
        columns = zip(*(values for _, values in self._looked_at), strict=True)
        # In one piece, for a pattern is made ready anew for every piece.
        pairs = ((n, of(pa.concat_arrays(c))) for n, c in zip(self._columns, columns, strict=False))
        return {name: kind for name, kind in pairs if kind}


def of(column: pa.Array | pa.ChunkedArray) -> str:
    """The kind of one column; '' if it has none.

    >>> of(pa.array([f"{day}/12/2024" for day in range(1, 31)]))
    'dates as 31/12/2024'
    >>> of(pa.array([f"+86 1380013800{i % 10}" for i in range(30)])), of(pa.array(["Ann"]))
    ('numbers', '')
    """
    return _kind(_counts(column))


def _counts(column: pa.Array | pa.ChunkedArray) -> Counter[str]:
    found: Counter[str] = Counter()
    left = pc.drop_null(pc.utf8_trim_whitespace(column))
    left = left.filter(pc.not_equal(left, ""))
    for kind, pattern in _PATTERNS:
        if not len(left):
            break
        fits = pc.match_substring_regex(left, pattern)
        found[kind] += pc.sum(fits).as_py() or 0
        left = left.filter(pc.invert(fits))
    found[TEXT] += len(left)
    return found


def _kind(counts: Counter[str]) -> str:
    filled = counts.total()
    if filled < _FEWEST:
        return ""
    either = counts[""]  # belongs to the form that the rest has
    known = {kind: count for kind, count in counts.items() if kind}
    kind, count = max(known.items(), key=lambda item: (item[1], item[0]))
    if kind in ("dates as 31/12/2024", "dates as 12/31/2024"):
        count += either
    return kind if count >= _NEARLY_ALL * filled else ""

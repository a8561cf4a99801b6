"""Texts of a column as one run of bytes, for what NumPy finds out about all of them at once.

What belongs here: rows that hold certain bytes, and pieces of texts as new texts.
What a piece means stands in the modules beside this one.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Mask = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.signedinteger[Any]]


class Found(NamedTuple):
    """The plain cells among some, as they were read.

    Attributes:
        rows: which ones, ascending.
        columns: staged field → one value per row.
    """

    rows: Ints
    columns: dict[str, pa.Array]


def as_array(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece, not copied if it is one."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


class Bytes:
    """The bytes of a column of texts; a null has none.

    Attributes:
        data: of all texts, one after another, uint8.
        starts, ends: of each text in ``data``.
    """

    def __init__(self, texts: pa.Array) -> None:
        rows = len(texts)
        texts = texts.fill_null("") if texts.null_count else texts
        _, offsets, data = texts.buffers()
        at = np.frombuffer(offsets, np.int32, rows + 1, 4 * texts.offset) if rows else _ZERO
        self.data = np.frombuffer(data or b"", np.uint8)[at[0] : at[-1]]
        at = at - at[0]
        self.starts, self.ends = at[:-1], at[1:]

    def rows_with(self, wanted: Mask) -> Ints:
        """The rows that have a wanted byte, ascending.

        Args:
            wanted: per byte of ``data``.
        """
        if np.count_nonzero(wanted) > len(self.ends):
            return np.flatnonzero(self.count(wanted, self.starts, self.ends))
        rows = np.searchsorted(self.ends, np.flatnonzero(wanted), side="right")
        return rows[np.diff(rows, prepend=-1) > 0]

    def count(self, wanted: Mask, starts: Ints, ends: Ints) -> Ints:
        """How many wanted bytes lie from each start to each end."""
        counted = np.zeros(len(self.data) + 1, dtype=np.int32)
        np.cumsum(wanted, dtype=np.int32, out=counted[1:])
        found: Ints = counted[ends] - counted[starts]
        return found

    def last(self, wanted: Mask) -> Ints:
        """The place of the last wanted byte of each text; -1 if it has none."""
        places = np.flatnonzero(wanted)
        before = np.searchsorted(places, self.ends) - 1
        found = np.append(places, -1)[before]
        return np.where(found >= self.starts, found, -1)

    def first(self, wanted: Mask) -> Ints:
        """The place of the first wanted byte of each text; its end if it has none."""
        places = np.flatnonzero(wanted)
        found = np.append(places, len(self.data))[np.searchsorted(places, self.starts)]
        return np.minimum(found, self.ends)

    def pieces(self, starts: Ints, ends: Ints) -> pa.Array:
        """Pieces of texts as texts, of one text at most one, in their order; no character may
        be cut."""
        edges = np.zeros(len(self.data) + 1, dtype=np.int8)
        some = ends > starts
        edges[starts[some]] += 1
        edges[ends[some]] -= 1
        kept = np.cumsum(edges[:-1], dtype=np.int8).view(bool)
        return built(self.data[kept], np.maximum(ends - starts, 0))

    def matrix(self, width: int) -> npt.NDArray[np.uint8]:
        """The last bytes of each text, one row per text; all are at least so long."""
        return self.data[(self.ends - width)[:, None] + np.arange(width)]


_ZERO = np.zeros(1, dtype=np.int32)


def built(data: npt.NDArray[np.uint8], sizes: Ints) -> pa.Array:
    """Texts of these lengths from bytes one after another.

    >>> built(np.frombuffer(b"anntom", np.uint8), np.array([3, 0, 3])).to_pylist()
    ['ann', '', 'tom']
    """
    offsets = np.zeros(len(sizes) + 1, dtype=np.int32)
    np.cumsum(sizes, out=offsets[1:])
    return pa.StringArray.from_buffers(
        len(sizes), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))
    )


def filled(texts: pa.Array) -> Mask:
    """Which texts are there and not empty.

    >>> filled(pa.array(["a", "", None])).tolist()
    [True, False, False]
    """
    own = Bytes(texts)
    return own.ends > own.starts


def ascii_only(texts: pa.Array) -> Mask:
    """Which texts are ASCII; nulls are."""
    own = Bytes(texts)
    found = np.ones(len(texts), dtype=bool)
    found[own.rows_with(own.data >= 128)] = False
    return found


def distinct(texts: pa.Array) -> tuple[list[Any], Ints]:
    """The distinct texts, and which one each row has; a null has the last, None."""
    encoded = texts.dictionary_encode()
    known = [*encoded.dictionary.to_pylist(), None]
    return known, encoded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)


def mapped(texts: pa.Array, read: Callable[[str], str | None]) -> pa.Array:
    """What a rule makes of each text, each distinct one read once; null of null.

    >>> mapped(pa.array(["a", None, "-"]), lambda s: s.upper() if s != "-" else None).to_pylist()
    ['A', None, None]
    """
    encoded = texts.dictionary_encode()
    found = [read(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(found, pa.string()).take(encoded.indices)

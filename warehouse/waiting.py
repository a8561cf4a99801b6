"""Rows on their way into a table: they wait in a file, and only what is compared is in memory.

What belongs here: text tables that are too many to hold, until it is known which of
their rows the database lacks. What is written of them is decided elsewhere.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from rules.slices import SLICE, Spill


class Waiting:
    """Text tables of some columns, one after the other.

    >>> with Waiting(["id", "name"], ["id"]) as waiting:
    ...     waiting.add(pa.table({"id": ["1", "2"], "name": ["a", "b"]}))
    ...     waiting.compared.to_pydict(), next(waiting.only(np.array([False, True]))).to_pylist()
    ({'id': ['1', '2']}, [{'id': '2', 'name': 'b'}])

    Args:
        columns: of every table, all of them text.
        compared: those that stay in memory.
        folder: where the file is made; None: where temporary files are.
    """

    def __init__(
        self, columns: Sequence[str], compared: Sequence[str], folder: Path | None = None
    ) -> None:
        self._spill = Spill(pa.schema([(name, pa.string()) for name in columns]), folder)
        self._empty = pa.schema([(name, pa.string()) for name in compared]).empty_table()
        self._compared: list[pa.Table] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spill.close()

    def add(self, text: pa.Table) -> None:
        """Add a text table."""
        self._spill.add(text)
        self._compared.append(text.select(self._empty.column_names))

    @property
    def num_rows(self) -> int:
        """Of all tables."""
        return self._spill.num_rows

    @property
    def compared(self) -> pa.Table:
        """The compared columns of all rows."""
        return pa.concat_tables([self._empty, *self._compared])

    def only(self, mask: np.ndarray) -> Iterator[pa.Table]:
        """The rows for which a mask over all rows is true, some at a time."""
        if not mask.any():
            return
        start, held = 0, list[pa.Table]()
        for text in self._spill.tables():
            own = mask[start : start + text.num_rows]
            start += text.num_rows
            if own.any():
                held.append(text.filter(pa.array(own)))
            if sum(one.num_rows for one in held) >= SLICE:
                yield pa.concat_tables(held)
                held = []
        if held:
            yield pa.concat_tables(held)

"""The staged columns while they are filled: some rows by whole columns, the others one by one.

What belongs here: putting both together. What stands in a column is found out in
rules/record_*.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.customer import BY_NAME, Field
from rules.whole.texts import Ints

_SIZES = {"text": pc.binary_length, "json": pc.binary_length, "list": pc.list_value_length}


class Columns:
    """Staged columns of some records; null where nothing was found.

    >>> columns = Columns(3)
    >>> columns.give(np.array([0, 2]), {"city": pa.array(["Rome", "Oslo"])})
    >>> columns["city"][1] = "Bonn"
    >>> columns.array("city").to_pylist(), columns.array("region").null_count
    (['Rome', 'Bonn', 'Oslo'], 3)

    Args:
        rows: how many records there are.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._lists: dict[str, list[Any]] = {}
        self._given: dict[str, list[tuple[Ints, pa.Array]]] = {}

    def __getitem__(self, name: str) -> list[Any]:
        """A column to be filled row by row, without what was given as a whole."""
        return self._lists.setdefault(name, [None] * self.rows)

    def __setitem__(self, name: str, values: list[Any]) -> None:
        self._lists[name] = values

    def give(self, rows: Ints, values: Mapping[str, pa.Array | Sequence[Any]]) -> None:
        """Fill some rows of columns, for good: what is filled row by row counts elsewhere only.

        Args:
            rows: numbers of the records, ascending.
            values: staged field → one value per number; in an Arrow array no text or list is
                empty.
        """
        for name, own in values.items() if len(rows) else ():
            array = own if isinstance(own, pa.Array) else _array(own, BY_NAME[name])
            self._given.setdefault(name, []).append((rows, array))

    def array(self, name: str) -> pa.Array:
        """A column as it stands; texts and lists without anything in them are null."""
        field = BY_NAME[name]
        kind = field.arrow.type
        given = self._given.get(name, [])
        if not given and name not in self._lists:
            return pa.nulls(self.rows, kind)
        if len(given) == 1 and len(given[0][0]) == self.rows:
            return given[0][1].cast(kind)
        found = _array(self._lists[name], field) if name in self._lists else pa.nulls(1, kind)
        if not given:
            return found
        from_row = np.arange(self.rows) if name in self._lists else np.zeros(self.rows, np.int64)
        start = len(found)
        for rows, _ in given:
            from_row[rows] = np.arange(start, start + len(rows))
            start += len(rows)
        parts = [found, *(array.cast(kind) for _, array in given)]
        return pa.concat_arrays(parts).take(pa.array(from_row))


def _array(values: Sequence[Any], field: Field) -> pa.Array:
    """Values of a field; texts and lists without anything in them are null."""
    found = pa.array(values, field.arrow.type)
    if field.kind not in _SIZES or found.null_count == len(found):
        return found
    empty = pc.equal(_SIZES[field.kind](found), 0)
    if not pc.any(empty).as_py():
        return found
    return pc.if_else(empty, pa.scalar(None, found.type), found)

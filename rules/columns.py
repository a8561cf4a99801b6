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
        self._single: dict[str, _Single] = {}
        self._given: dict[str, list[tuple[Ints, pa.Array, Ints | None]]] = {}

    def __getitem__(self, name: str) -> "_Single":
        """A column to be filled row by row, without what was given as a whole."""
        if name not in self._single:
            self._single[name] = _Single()
        return self._single[name]

    def give(
        self,
        rows: Ints,
        values: Mapping[str, pa.Array | Sequence[Any]],
        places: Ints | None = None,
    ) -> None:
        """Fill some rows of columns, for good: a value given so counts before a single one.

        Args:
            rows: numbers of the records.
            values: staged field → one value per number; in an Arrow array no text or list is
                empty.
            places: where in these each number's value stands, if there are more.
        """
        for name, own in values.items() if len(rows) else ():
            array = own if isinstance(own, pa.Array) else _array(own, BY_NAME[name])
            self._given.setdefault(name, []).append((rows, array, places))

    def array(self, name: str) -> pa.Array:
        """A column as it stands; texts and lists without anything in them are null."""
        field = BY_NAME[name]
        kind = field.arrow.type
        parts = self._given.get(name, [])
        single = self._single.get(name, _Single())
        if not (parts or single):
            return pa.nulls(self.rows, kind)
        if len(parts) == 1 and not single and self._is_whole(*parts[0]):
            return parts[0][1].cast(kind)
        place = np.full(self.rows, -1, dtype=np.int64)
        place[np.fromiter(single, np.int64, len(single))] = np.arange(len(single))
        joined = [_array(list(single.values()), field)]
        start = len(single)
        for rows, array, places in parts:
            at = np.arange(len(rows)) if places is None else places
            if single and array.null_count:
                there = np.asarray(array.is_valid())[at]
                rows, at = rows[there], at[there]
            place[rows] = start + at
            start += len(array)
            joined.append(array.cast(kind))
        return pa.concat_arrays(joined).take(pa.array(place, mask=place < 0))

    def _is_whole(self, rows: Ints, array: pa.Array, places: Ints | None) -> bool:
        """Whether the values are those of all records, in their order."""
        return places is None and len(array) == self.rows and bool((np.diff(rows) == 1).all())


class _Single(dict[int, Any]):
    """The values of single rows; None in others."""

    def __missing__(self, row: int) -> None:
        return None


def _array(values: Sequence[Any], field: Field) -> pa.Array:
    """Values of a field; texts and lists without anything in them are null."""
    found = pa.array(values, field.arrow.type)
    if field.kind not in _SIZES or found.null_count == len(found):
        return found
    empty = pc.equal(_SIZES[field.kind](found), 0)
    if not pc.any(empty).as_py():
        return found
    return pc.if_else(empty, pa.scalar(None, found.type), found)

"""What each source says of each customer, field by field, for learning whom to trust.

What belongs here: which record speaks for a source, and when two values are the
same for this purpose: as they are matched, not as they are shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.survivorship_policy import HEADS, LISTS, PROHIBITS
from dedupe.trust import Claims, strengths

COMPARED = {"name": "name_key", "address": "address_key"}
"""Field → the column by which its values are told apart; others: their own, in lower case."""
SHOWN = {"address": "address_line"}
"""Field → the column that shows its value; others: their own."""
_NOT_LEARNED = {"attributes", "other_names", "created_at", "updated_at", *PROHIBITS}
LEARNED = tuple(head for head in HEADS if head not in _NOT_LEARNED)
"""Fields in which trust can be learned: those that can be right or wrong."""


@dataclass(frozen=True)
class Said:
    """One field's claims and where they stand.

    Attributes:
        claims: as :func:`dedupe.trust.learn` takes them.
        record_id: of every claim.
        golden_id: of every claim.
    """

    claims: Claims
    record_id: np.ndarray
    golden_id: np.ndarray


def of(staged: pa.Table, crosswalk: pa.Table) -> Iterator[tuple[str, Said]]:
    """Every learned field with what the sources say in it.

    Where several records of a customer are of one source, the newest one that says something
    speaks for it.

    Args:
        staged: STAGED_SCHEMA.
        crosswalk: record_id, golden_id.
    """
    where = pc.index_in(staged["record_id"], value_set=crosswalk["record_id"].combine_chunks())
    golden = crosswalk["golden_id"].combine_chunks().take(where.combine_chunks())
    table = staged.append_column("golden_id", golden).filter(pc.is_valid(golden))
    order = [("golden_id", "ascending"), ("source", "ascending"), ("updated_at", "descending")]
    table = table.sort_by([*order, ("record_id", "ascending")])
    coded = table["source"].combine_chunks().dictionary_encode()
    names = coded.dictionary.to_pylist()
    by_name = np.argsort(np.argsort(np.array(names, dtype=object)))
    sources = by_name[np.asarray(coded.indices)] if names else np.zeros(0, dtype=np.int64)
    items = np.asarray(table["golden_id"].combine_chunks().dictionary_encode().indices)
    for head in LEARNED:
        column = table[COMPARED.get(head, head)].combine_chunks()
        if head in LISTS:
            values, said, share = _of_lists(column, items)
        else:
            values, said, share = _of_texts(column)
        at = np.flatnonzero(said)
        pairs = items[at].astype(np.int64) * max(len(names), 1) + sources[at]
        first = np.unique(pairs, return_index=True)[1]
        at = at[np.sort(first)]
        claims = Claims(tuple(sorted(names)), items[at], sources[at], values[at], share)
        rows = pa.array(at)
        yield (
            head,
            Said(
                claims,
                np.array(table["record_id"].take(rows).to_pylist(), dtype=object),
                np.array(table["golden_id"].take(rows).to_pylist(), dtype=object),
            ),
        )


def same(one: object, other: object) -> bool:
    """Whether two values of a field are the same: lists that have a value in common are.

    >>> same("Hull", "hull "), same(["a", "b"], ["b"]), same("a", None)
    (True, True, False)
    """
    if one is None or other is None:
        return False
    if isinstance(one, list) and isinstance(other, list):
        return not {*one}.isdisjoint(other)
    return str(one).strip().casefold() == str(other).strip().casefold()


_Values = tuple[np.ndarray, np.ndarray, np.ndarray]


def _of_texts(column: pa.Array) -> _Values:
    text = pc.utf8_lower(column.cast(pa.string()))
    coded = text.dictionary_encode()
    said = np.asarray(pc.and_(text.is_valid(), pc.not_equal(pc.fill_null(text, ""), "")))
    values = np.asarray(pc.fill_null(coded.indices, 0)).astype(np.int64)
    return values, said, strengths(values[said], len(coded.dictionary))


def _of_lists(column: pa.Array, items: np.ndarray) -> _Values:
    """Records of a customer say the same where their lists have a value in common."""
    said = np.asarray(pc.fill_null(pc.greater(pc.list_value_length(column), 0), False))
    rows = np.asarray(pc.list_parent_indices(column)).astype(np.int64)
    coded = np.asarray(pc.list_flatten(column).dictionary_encode().indices).astype(np.int64)
    held = strengths(coded, int(coded.max(initial=-1)) + 1)
    values = np.arange(len(items))
    keys = items[rows].astype(np.int64) * (int(coded.max(initial=0)) + 1) + coded
    order = np.argsort(keys, kind="stable")
    parent = values.tolist()

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for before, after in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        if keys[before] == keys[after]:
            one, other = sorted((root(int(rows[before])), root(int(rows[after]))))
            parent[other] = one
    values = np.array([root(row) for row in range(len(items))], dtype=np.int64)
    share = np.zeros(len(items))
    np.maximum.at(share, values[rows], held[coded])
    return values, said, share

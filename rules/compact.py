"""Asks Great Expectations about distinct values instead of records: the same answer, sooner.

What belongs here: which values stand for which records. Rules of
rules/suite_rules.py look at one value, or at two of one record, so that two
records with the same ones fare alike; only ``expect_column_values_to_be_unique``
looks at several records, and a value that stands once cannot fail it.

Great Expectations takes 20 ms for each expectation, so that rules that ask the
same of several columns are one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from rules.expectations import Expectation, run
from rules.suite_rules import Rule

UNIQUE = "expect_column_values_to_be_unique"
_NAMES = ("column", "column_A", "column_B")

Column: TypeAlias = pa.Array | pa.ChunkedArray


@dataclass(frozen=True)
class _Asked:
    """One expectation on values that stand for records.

    Attributes:
        expectation: on columns of its own.
        values: of these columns, all of one length.
        of: rule, which number of the values each record has (-1: none), and where the
            rule's values begin.
    """

    expectation: Expectation
    values: list[pa.Array]
    of: list[tuple[Rule, np.ndarray, int]]


def failing(
    columns: Mapping[str, Column], rules: Sequence[Rule], rows: int
) -> dict[str, np.ndarray]:
    """Which records fail which rule.

    Args:
        columns: what the rules name, one value per record.
        rules: none of them ``together``.
        rows: how many records there are.

    Returns:
        by name of the rule: numbers of the records, ascending.

    Raises:
        ConfigError: an expectation cannot be computed.
    """
    found = {rule.expectation.name: np.empty(0, dtype=np.int64) for rule in rules}
    if not rules or not rows:
        return found
    asked = [_ask(number, same, columns) for number, same in enumerate(_alike(rules, columns))]
    length = max(1, *(len(one.values[0]) for one in asked))
    frame = {
        name: pa.concat_arrays([array, pa.nulls(length - len(array), array.type)])
        for one in asked
        for name, array in zip(_columns_of(one.expectation), one.values, strict=True)
    }
    results = run(pa.table(frame).to_pandas(), [one.expectation for one in asked])
    for one, result in zip(asked, results, strict=True):
        labels = np.array(result.failing, dtype=np.int64)
        for rule, codes, start in one.of if len(labels) else ():
            rows_of = np.flatnonzero(np.isin(codes, labels - start) & (codes >= 0))
            found[rule.expectation.name] = rows_of
    return found


def _columns_of(expectation: Expectation) -> list[str]:
    return [str(expectation.kwargs[name]) for name in _NAMES if name in expectation.kwargs]


def _alike(rules: Sequence[Rule], columns: Mapping[str, Column]) -> list[list[Rule]]:
    """The rules by what they ask."""
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        own = rule.expectation
        what = {name: value for name, value in own.kwargs.items() if name not in _NAMES}
        names = _columns_of(own)
        alone = own.name if len(names) > 1 or own.type == UNIQUE else ""
        asks = f"{own.type} {columns[names[0]].type} {sorted(what.items())!r} {alone}"
        groups.setdefault(asks, []).append(rule)
    return list(groups.values())


def _ask(number: int, rules: Sequence[Rule], columns: Mapping[str, Column]) -> _Asked:
    """One expectation for rules that ask the same."""
    first = rules[0].expectation
    parts = []
    for rule in rules:
        own = [columns[name] for name in _columns_of(rule.expectation)]
        parts.append(_repeated(own[0]) if first.type == UNIQUE else _distinct(own))
    starts = np.cumsum([0, *(len(values[0]) for values, _ in parts)]).tolist()
    named = {name: f"{value} ({number})" for name, value in first.kwargs.items() if name in _NAMES}
    return _Asked(
        replace(first, kwargs={**first.kwargs, **named}),
        [pa.concat_arrays(own) for own in zip(*(values for values, _ in parts), strict=True)],
        [
            (rule, codes, start)
            for rule, (_, codes), start in zip(rules, parts, starts, strict=False)
        ],
    )


def _distinct(columns: Sequence[Column]) -> tuple[list[pa.Array], np.ndarray]:
    """Distinct values of a column, or distinct rows of several, and which one each record has."""
    encoded = [_encoded(column) for column in columns]
    if len(encoded) == 1:
        return [encoded[0][0]], encoded[0][1]
    each = np.stack([codes for _, codes in encoded])
    distinct, codes = np.unique(each, axis=1, return_inverse=True)
    values = [
        dictionary.take(pa.array(own, mask=own < 0))
        for (dictionary, _), own in zip(encoded, distinct, strict=True)
    ]
    return values, codes.reshape(-1)


def _repeated(column: Column) -> tuple[list[pa.Array], np.ndarray]:
    """The values that stand more than once, each of them twice, and which one each record has."""
    dictionary, codes = _encoded(column)
    repeated = np.flatnonzero(np.bincount(codes[codes >= 0], minlength=1) > 1)
    place = np.full(len(dictionary) + 1, -1, dtype=np.int64)
    place[repeated] = np.arange(len(repeated))
    return [dictionary.take(pa.array(np.concatenate([repeated, repeated])))], place[codes]


def _encoded(column: Column) -> tuple[pa.Array, np.ndarray]:
    """The distinct values of a column, and which one each record has; -1: none."""
    chunked = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
    encoded = chunked.dictionary_encode().unify_dictionaries()
    indices = [chunk.indices.fill_null(-1).to_numpy() for chunk in encoded.chunks]
    dictionary = encoded.chunk(0).dictionary if indices else pa.array([], column.type)
    return dictionary, np.concatenate(indices) if indices else np.empty(0, dtype=np.int32)

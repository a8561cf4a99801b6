"""Distances of whole arrays of pairs, against one pair at a time."""

import numpy as np
import pyarrow as pa
import pytest
from rapidfuzz.distance import OSA

from dedupe.comparing.measures import (
    Texts,
    Vocabulary,
    distinct_codes,
    distinct_pairs,
    levels_of,
    list_sizes,
)

WORDS = [
    "",
    "a",
    "ann",
    "anna",
    "nan",
    "hannah",
    "星辰",
    "星晨",
    "hangzhou",
    "hangzou",
    "jo",
    "joe",
]
LEFT, RIGHT = (codes.ravel() for codes in np.meshgrid(np.arange(len(WORDS)), np.arange(len(WORDS))))
PAIRS = [(WORDS[a], WORDS[b]) for a, b in zip(LEFT, RIGHT, strict=True)]


def _in_order(short: str, long: str) -> bool:
    rest = iter(long)
    return all(letter in rest for letter in short)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (lambda t: t.within(LEFT, RIGHT, 1), lambda a, b: OSA.distance(a, b) <= 1),
        (lambda t: t.within(LEFT, RIGHT, 2), lambda a, b: OSA.distance(a, b) <= 2),
        (lambda t: t.starts(LEFT, RIGHT), str.startswith),
        (lambda t: t.ends(LEFT, RIGHT), str.endswith),
        (lambda t: t.in_order(LEFT, RIGHT), _in_order),
        (lambda t: t.contains(LEFT, RIGHT), str.__contains__),
    ],
)
def test_a_measure_of_arrays_is_that_of_each_pair(measure, expected) -> None:
    assert measure(Texts(WORDS)).tolist() == [expected(a, b) for a, b in PAIRS]


def test_a_vocabulary_knows_the_facts_of_texts_that_come_later() -> None:
    texts = Vocabulary()
    first = texts.codes(["ann", "lee"])
    assert texts.first[first].tolist() == [ord("a"), ord("l")]
    later = texts.codes(["星辰", "ann"])
    assert texts.first[later].tolist() == [ord("星"), ord("a")]
    assert texts.ascii[later].tolist() == [False, True]
    assert texts.length[later].tolist() == [2, 3]
    assert later[1] == first[0]


def test_columns_and_lists_of_missing_texts_are_empty() -> None:
    texts = Vocabulary(pa.array(["ann", None, ""]), pa.array([], pa.string()), pa.array(["lee"]))
    assert [texts.values[codes].tolist() for codes in texts.columns] == [
        ["ann", "", ""],
        [],
        ["lee"],
    ]
    assert texts.codes(["lee", "", "bo"]).tolist() == [*texts.columns[2], 0, len(texts.values) - 2]
    lists = pa.array([["ann", "lee"], None, []], pa.list_(pa.string()))
    assert list_sizes(lists).tolist() == [2, 0, 0]


def test_distinct_codes_are_those_of_sorting_for_few_and_for_far_apart_codes() -> None:
    for codes in (LEFT, LEFT * 10_000, LEFT[:0]):
        for found, expected in zip(
            distinct_codes(codes), np.unique(codes, return_inverse=True), strict=True
        ):
            assert found.tolist() == expected.tolist()


def test_a_level_is_asked_once_per_distinct_pair_and_not_where_a_code_is_missing() -> None:
    asked = []

    def level(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        asked.extend(zip(a.tolist(), b.tolist(), strict=True))
        return (a + b).astype(np.int8)

    left, right = np.array([0, 1, 1, -1, 2]), np.array([1, 0, 1, 1, 2])
    wanted = np.array([True, True, True, True, False])
    assert levels_of(left, right, wanted, level).tolist() == [1, 1, 2, -1, -1]
    assert asked == [(0, 1), (1, 1)]


def test_distinct_pairs_lead_back_to_every_pair() -> None:
    low, high, which = distinct_pairs(LEFT, RIGHT)
    assert low[which].tolist() == np.minimum(LEFT, RIGHT).tolist()
    assert high[which].tolist() == np.maximum(LEFT, RIGHT).tolist()
    assert len(low) == len(WORDS) * (len(WORDS) + 1) // 2


def test_what_is_derived_is_asked_once_per_text_of_texts_that_come_later_too() -> None:
    asked: list[str] = []

    def half(text: str) -> str:
        asked.append(text)
        return text[: len(text) // 2]

    texts = Vocabulary()
    found = []
    for some in (["hannah", "anna"], ["anna", "hangzhou"]):
        codes = texts.codes(some)
        halves = texts.derived(np.append(codes, codes), half)
        found += texts.values[halves].tolist()
    assert found == ["han", "an"] * 2 + ["an", "hang"] * 2
    assert sorted(asked) == ["anna", "hangzhou", "hannah"]

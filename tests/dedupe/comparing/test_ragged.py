"""What lists of codes have in common, against plain Python."""

from itertools import product

import numpy as np
import pytest

from dedupe.comparing.ragged import Ragged, joined

GENERATOR = np.random.default_rng(11)
LISTS = [GENERATOR.integers(0, 6, size).tolist() for size in GENERATOR.integers(0, 5, 40)]
LEFT, RIGHT = (GENERATOR.integers(0, len(LISTS), 300) for _ in range(2))


@pytest.fixture
def lists() -> Ragged:
    return Ragged.of(LISTS)


def test_lists_share_what_sets_share(lists: Ragged) -> None:
    expected = [bool(set(LISTS[a]) & set(LISTS[b])) for a, b in zip(LEFT, RIGHT, strict=True)]
    assert lists.share(LEFT, lists, RIGHT).tolist() == expected


def test_every_left_item_meets_every_right_one(lists: Ragged) -> None:
    cross = lists.cross(LEFT, lists, RIGHT)
    expected = [
        (pair, place, x, y)
        for pair, (a, b) in enumerate(zip(LEFT, RIGHT, strict=True))
        for (place, x), y in product(enumerate(LISTS[a]), LISTS[b])
    ]
    assert list(zip(*map(np.ndarray.tolist, cross), strict=True)) == expected


def test_all_of_a_left_list_is_in_the_right_one(lists: Ragged) -> None:
    cross = lists.cross(LEFT, lists, RIGHT)
    held = cross.all_left(cross.left == cross.right, lists.sizes[LEFT])
    expected = [set(LISTS[a]) <= set(LISTS[b]) for a, b in zip(LEFT, RIGHT, strict=True)]
    assert held.tolist() == expected


def test_a_list_has_its_codes_only(lists: Ragged) -> None:
    codes = GENERATOR.integers(0, 6, len(LEFT))
    expected = [code in LISTS[row] for row, code in zip(LEFT, codes, strict=True)]
    assert lists.has(LEFT, codes).tolist() == expected


def test_lists_are_joined_row_by_row_and_thinned_in_order(lists: Ragged) -> None:
    both = joined([lists, lists.take(np.arange(len(LISTS))[::-1])])
    thinned = both.only(both.values > 2)
    expected = [
        [x for x in [*one, *other] if x > 2] for one, other in zip(LISTS, LISTS[::-1], strict=True)
    ]
    rows = np.split(thinned.values, np.cumsum(thinned.sizes)[:-1])
    assert [row.tolist() for row in rows] == expected


def test_sums_are_those_of_each_list(lists: Ragged) -> None:
    shuffled = lists.take(LEFT)
    assert shuffled.sums(shuffled.values).tolist() == [sum(LISTS[row]) for row in LEFT]

"""The order of blocks, for blocks that differ in their lowest bits alone, too."""

from collections import Counter

import numpy as np
import pytest

from dedupe import groups

HIGH = 0xABCD << 40


@pytest.fixture
def blocks() -> np.ndarray:
    generator = np.random.default_rng(5)
    alike = HIGH + generator.integers(0, 40, 300)
    return generator.permutation(np.concatenate([alike, generator.integers(0, 1 << 62, 200)]))


def test_equal_blocks_follow_each_other_in_the_order_of_their_places(blocks: np.ndarray) -> None:
    blocks = blocks.astype(np.uint64)
    places = groups.order(blocks)
    assert sorted(places.tolist()) == list(range(len(blocks)))
    assert _runs(blocks[places]) == len(np.unique(blocks))
    same = blocks[places][1:] == blocks[places][:-1]
    assert (np.diff(places)[same] > 0).all()


def test_places_of_shared_blocks_are_all_there_in_the_same_order(blocks: np.ndarray) -> None:
    blocks = blocks.astype(np.uint64)
    places = groups.order_of_shared(blocks)
    counted = Counter(blocks.tolist())
    shared = [place for place in places.tolist() if counted[blocks[place]] > 1]
    assert sorted(shared) == [n for n, one in enumerate(blocks.tolist()) if counted[one] > 1]
    assert _runs(blocks[places]) == len(np.unique(blocks[places]))


def _runs(values: np.ndarray) -> int:
    return 1 + np.count_nonzero(values[1:] != values[:-1])

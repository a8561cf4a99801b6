"""The search for garbage rests in some places; garbage is found all the same."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from rules.collection import no_collection


@pytest.fixture(autouse=True)
def nothing_frozen() -> Iterator[None]:
    """What the whole run of tests has frozen is as everywhere else."""
    gc.unfreeze()
    yield
    gc.freeze()


class Node:
    """Two of them that know each other are garbage that only the search finds."""

    def __init__(self) -> None:
        self.other: Node | None = None


def circle() -> weakref.ref[Node]:
    one, two = Node(), Node()
    one.other, two.other = two, one
    return weakref.ref(one)


def test_garbage_made_while_the_search_rests_is_found_later() -> None:
    with no_collection():
        assert not gc.isenabled()
        made = circle()
    assert gc.isenabled() and gc.get_freeze_count() == 0
    assert made() is not None
    gc.collect()
    assert made() is None


def test_what_was_made_while_the_search_rests_is_not_looked_at_when_it_begins_again() -> None:
    with no_collection():
        kept = [[number] for number in range(100_000)]
    young = {id(one) for generation in (0, 1) for one in gc.get_objects(generation)}
    assert not young.intersection(map(id, kept))


def test_a_search_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()

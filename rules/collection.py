"""The search for cyclic garbage: seldom in general, and not at all in some places.

What belongs here: nothing else. The search looks at every living object again
and again; what Onefold makes is many objects and next to no cycles, and importing
its libraries makes little else.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 200_000
"""After so many the search looks at the newest. With Python's 700 it took a fifth of the CPU time
of a refresh, and it found next to nothing: the most memory was the same."""


def seldom() -> None:
    """Have this process search less often than Python does by itself."""
    gc.set_threshold(_NEW_OBJECTS, 20, 100)


@contextmanager
def no_collection() -> Iterator[None]:
    """Switch the search off, and on again if it was on.

    What was made meanwhile and is still there (values that are remembered, most of it) then
    counts as old, without a look at each: only a search of everything comes to it. Looking
    took a sixth of the CPU time of cleaning.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if not gc.get_freeze_count():  # together: all that lives is of the oldest generation
                gc.freeze()
                gc.unfreeze()
            gc.enable()

"""Without the search for cyclic garbage, where much is made and little thrown away.

What belongs here: nothing else. The search looks at every living object again
and again; cleaning makes many objects and no cycles, and importing Great
Expectations takes a quarter longer with it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collection() -> Iterator[None]:
    """Switch the search off, and on again if it was on."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

"""Memory that is free, back to the system: Arrow's pool and the C library keep what was let go.

What belongs here: what to call between steps that hold much for a while. Arrays of some megabytes
come from the C library's heap, where one that lives on keeps all that was below it.
"""

import ctypes
import sys

import pyarrow as pa


def give_back() -> None:
    """Give free memory back; where the C library is not glibc, only what Arrow's pool keeps."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)

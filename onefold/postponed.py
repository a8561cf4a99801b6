"""Modules that libraries import and Onefold seldom or never uses: they are loaded when they are.

What belongs here: the mechanism. Which modules it is for stands where the library is used.
"""

import importlib
import sys
from types import ModuleType
from typing import Any


def load_when_used(name: str) -> None:
    """Load a module when something of it is first used, not when it is imported.

    (The interpreter looks into a module that is imported again, so that
    ``importlib.util.LazyLoader`` would load it there.)
    """
    if name in sys.modules:
        return
    placeholder = ModuleType(name)

    def load(attribute: str) -> Any:
        if sys.modules.get(name) is placeholder:
            del sys.modules[name]
        return getattr(importlib.import_module(name), attribute)

    placeholder.__dict__["__getattr__"] = load
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(importlib.import_module(parent), own, placeholder)
    sys.modules[name] = placeholder

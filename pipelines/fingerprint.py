"""Names for results: the hash of all that a result depends on.

A stage's output is stored under the fingerprint of its inputs, settings and
code, so that the same input finds its output instead of computing it again,
and any change in one of them makes another name.
"""

import functools
import hashlib
import json
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

_LENGTH = 16
_CODE_SUFFIXES = {".py", ".tsv", ".yml", ".yaml", ".json", ".txt", ".csv"}
_LIBRARIES = (
    "great-expectations", "graspologic-native", "nicknames", "numpy", "opencc", "phonenumberslite",
    "python-stdnum", "rapidfuzz",
)  # fmt: skip
"""Libraries whose version can change what a rule or a comparison returns."""

_READERS = ("dedupe/explain.py", "dedupe/explaining/", "dedupe/evaluation.py")
"""Code that looks at results and changes none: another wording must not match everything again."""


def of(*parts: Any) -> str:
    """Fingerprint of plain values (text, numbers, lists, dicts with text keys).

    >>> of("a", 1) == of("a", 1), of("a", 1) == of("a", 2), len(of())
    (True, False, 16)
    """
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]


@functools.cache
def of_code(*packages: str) -> str:
    """Fingerprint of the source and reference data of packages of this project.

    The versions of libraries that can change a result are part of it.
    """
    digest = hashlib.sha256()
    for package in packages:
        folder = Path(import_module(package).__path__[0])
        for path in sorted(folder.rglob("*")):
            name = f"{package}/{path.relative_to(folder).as_posix()}"
            if path.suffix in _CODE_SUFFIXES and path.is_file() and not name.startswith(_READERS):
                digest.update(f"{name}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    for library in _LIBRARIES:
        digest.update(f"{library}={metadata.version(library)}\0".encode())
    return digest.hexdigest()[:_LENGTH]

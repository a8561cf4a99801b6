"""Texts that people type into a field when they have nothing to put there.

What belongs here: the words and patterns that mean "no value" in any field.
Placeholders of one kind of value only (13800138000, a@a.com) stand with that
kind. Source: resources/placeholders.tsv.

>>> is_placeholder("不详"), is_placeholder(" N/A "), is_placeholder("无锡市")
(True, True, False)
"""

import re
from functools import cache, lru_cache
from itertools import chain
from string import ascii_letters, digits
from unicodedata import normalize

from rules import tables

_NOISE = re.compile(r"[-–—_*#/\\.,，。、·?？!！~～\s]+")


@cache
def placeholder_words() -> frozenset[str]:
    """The words that say there is no value, in lower case and NFKC."""
    return frozenset(row[0] for row in tables.rows("placeholders"))


@cache
def _first_of_values() -> frozenset[str]:
    """The letters, digits and Han characters that no text without a value begins with."""
    plain = chain(map(ord, ascii_letters + digits), range(0x3400, 0x4DC0), range(0x4E00, 0xA000))
    # What NFKC may make of the first character and marks behind it begins with it in NFKD.
    begins = {normalize("NFKD", word)[0] for word in placeholder_words()}
    return frozenset(c for c in map(chr, plain) if c.isalnum() and c.lower() not in begins)


def is_placeholder(text: str) -> bool:
    """Whether the text is empty or says only that there is no value."""
    return text[:1] not in _first_of_values() and _says_nothing(text)


@lru_cache(maxsize=16384)
def _says_nothing(text: str) -> bool:
    if not text.isascii():
        text = normalize("NFKC", text)
    text = text.strip().casefold()
    if not text or text in placeholder_words():
        return True
    return not text[0].isalnum() and _NOISE.fullmatch(text) is not None

"""Lines of business in names of organizations, in Chinese and English.

What belongs here: finding them at the end of a name. Source:
resources/industries.tsv.

>>> trailing("映龙网络科技"), trailing("张三")
(('network technology', 2), None)
>>> trailing_words(["smith", "import", "and", "export"])
('import export', 1)
"""

from collections.abc import Iterable
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from rules import tables

_LONGEST_HAN, _LONGEST_WORDS = 12, 5


@cache
def _tables() -> tuple[dict[str, str], dict[tuple[str, ...], str]]:
    han: dict[str, str] = {}
    latin: dict[tuple[str, ...], str] = {}
    for code, chinese, english in tables.rows("industries"):
        han |= {word.replace("(", "").replace(")", ""): code for word in chinese.split("|")}
        latin |= {tuple(word.split()): code for word in english.split("|")}
    return han, latin


@cache
def han_words() -> frozenset[str]:
    """All Chinese words of business."""
    return frozenset(_tables()[0])


@cache
def single_words() -> frozenset[str]:
    """All English words of business that stand alone."""
    return frozenset(words[0] for words in _tables()[1] if len(words) == 1)


@lru_cache(maxsize=1 << 15)
def trailing(s: str) -> tuple[str, int] | None:
    """Code of the longest line of business at the end of Chinese text, and where it begins."""
    table = _tables()[0]
    size = len(s)
    for length in _han_lengths().get(s[-1:], ()):
        if length <= size and (code := table.get(s[size - length :])):
            return code, size - length
    return None


@cache
def _han_lengths() -> dict[str, tuple[int, ...]]:
    return lengths_by_end(word for word in _tables()[0] if len(word) <= _LONGEST_HAN)


def lengths_by_end(words: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The last character of words to the lengths of words that end so, longest first.

    >>> lengths_by_end(["公司", "有限公司", "厂"])
    {'司': (4, 2), '厂': (1,)}
    """
    lengths: dict[str, set[int]] = {}
    for word in filter(None, words):
        lengths.setdefault(word[-1], set()).add(len(word))
    return {end: tuple(sorted(found, reverse=True)) for end, found in lengths.items()}


@cache
def all_words() -> frozenset[str]:
    """All words that English lines of business consist of."""
    return frozenset(word for words in _tables()[1] for word in words)


def trailing_words(words: list[str]) -> tuple[str, int] | None:
    """Code of the longest line of business at the end of folded words, and where it begins."""
    table = _tables()[1]
    for length in range(min(_LONGEST_WORDS, len(words)), 0, -1):
        if code := table.get(tuple(words[-length:])):
            return code, len(words) - length
    return None


@cache
def _joined() -> dict[str, str]:
    """English words of business without blanks to their code."""
    return {"".join(words): code for words, code in _tables()[1].items()}


def misspelled(words: list[str]) -> tuple[str, int] | None:
    """As :func:`trailing_words`, for a word glued together, torn apart or with a typing error.

    >>> misspelled(["smith", "securitys", "ervices"]), misspelled(["lopez", "chemmicals"])
    (('security services', 1), ('chemicals', 1))
    """
    table = _joined()
    for length in range(min(3, len(words)), 0, -1):
        joined = "".join(words[-length:])
        if length > 1 and joined in table and len(joined) > 6:
            return table[joined], len(words) - length
        if len(joined) < 6 or (length > 1 and len(joined) < 10):
            continue
        if found := _nearest(joined):
            return table[found], len(words) - length
    return None


@lru_cache(maxsize=1 << 14)
def _nearest(joined: str) -> str | None:
    """The word of business, without blanks, that is at most one typing error away.

    Two words that are have a text in common that each becomes without one of its letters,
    or is itself, so that only few of the words need be measured.
    """
    near = _shortened()
    places = {place for text in _without_one(joined) for place in near.get(text, ())}
    words = _long_joined()
    found = ((OSA.distance(joined, words[place], score_cutoff=1), place) for place in places)
    distance, place = min(found, default=(2, 0))
    return words[place] if distance <= 1 else None


def _without_one(word: str) -> set[str]:
    """The word, and all that it becomes without one of its letters.

    >>> sorted(_without_one("abb"))
    ['ab', 'abb', 'bb']
    """
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


@cache
def _long_joined() -> tuple[str, ...]:
    return tuple(word for word in _joined() if len(word) > 5)


@cache
def _shortened() -> dict[str, tuple[int, ...]]:
    """Texts of :func:`_without_one` to the places of their words in :func:`_long_joined`."""
    found: dict[str, list[int]] = {}
    for place, word in enumerate(_long_joined()):
        for text in _without_one(word):
            found.setdefault(text, []).append(place)
    return {text: tuple(places) for text, places in found.items()}


@cache
def _beginnings() -> dict[str, str]:
    """Cut-off Chinese words (three characters of four or more) to their code, if only one."""
    codes: dict[str, set[str]] = {}
    for word, code in _tables()[0].items():
        for length in range(3, len(word)):
            codes.setdefault(word[:length], set()).add(code)
    return {word: found.pop() for word, found in codes.items() if len(found) == 1}


def cut_off(s: str) -> tuple[str, int] | None:
    """As :func:`trailing`, for a word whose end is missing (网络科)."""
    for length in range(min(6, len(s)), 2, -1):
        if code := _beginnings().get(s[-length:]):
            return code, len(s) - length
    return None


def completed(word: str) -> str | None:
    """The only English word of business that begins with a cut-off word; None if not one."""
    return _completions().get(word)


@cache
def _completions() -> dict[str, str]:
    """Cut-off English words (four letters and more) to their code, if only one."""
    codes: dict[str, set[str]] = {}
    for word in single_words():
        for length in range(4, len(word)):
            codes.setdefault(word[:length], set()).add(_tables()[1][(word,)])
    return {word: found.pop() for word, found in codes.items() if len(found) == 1}

"""Chinese names in Latin letters: which tokens are surnames, which are syllables.

What belongs here: the tables of surnames and syllables and their readings.
Which token of a name is what is decided in rules/latin_name.py.

Source: resources/surnames.tsv, pinyin.tsv, romanization.tsv, cantonese.tsv.

>>> surname_readings("cheung", "HK")[:2], surname_readings("wei")[0]
(['zhang', 'jiang'], 'wei')
>>> segment("xiaoming"), segment("smith")
(['xiao', 'ming'], None)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product

from rules import tables, text

CHINESE_ABROAD = frozenset({"HK", "MO", "TW", "SG", "MY", "ID", "TH", "PH"})
"""Where surnames are written by their southern or Wade-Giles sound."""


@dataclass(frozen=True)
class Surname:
    """One Chinese surname; ``weight`` falls with its rank, 1/3 for the commonest."""

    pinyin: tuple[str, ...]
    spellings: tuple[str, ...]
    weight: float


@cache
def surnames() -> dict[str, Surname]:
    """Simplified surname, of one or two characters and more, to its readings."""
    table: dict[str, Surname] = {}
    for rank, row in enumerate(tables.rows("surnames")):
        han = row[0]
        own = row[1].split() if len(row) > 1 else []
        pinyin = own or text.combine([text.syllables(c)[:1] for c in han])
        spellings = row[2].split() if len(row) > 2 else []
        table[han] = Surname(tuple(pinyin), tuple(spellings), 1 / (rank + 3))
    return table


@cache
def _latin_surnames() -> dict[str, dict[str, tuple[float, float]]]:
    """Spelling to pinyin to (weight as pinyin, weight as another spelling)."""
    table: dict[str, dict[str, tuple[float, float]]] = {}
    for surname in surnames().values():
        for place, pinyin in enumerate(surname.pinyin):
            readings = table.setdefault(pinyin, {})
            own, other = readings.get(pinyin, (0.0, 0.0))
            readings[pinyin] = (own + surname.weight * (1.0 if place == 0 else 0.1), other)
        for spelling in surname.spellings:
            if spelling in surname.pinyin:
                continue
            readings = table.setdefault(spelling, {})
            own, other = readings.get(surname.pinyin[0], (0.0, 0.0))
            readings[surname.pinyin[0]] = (own, other + surname.weight)
    return table


@lru_cache(maxsize=1 << 14)
def surname_weight(token: str, country: str = "CN") -> float:
    """How common a Latin token (lower case) is as a Chinese surname; 0 if it is none."""
    abroad = 1.0 if country in CHINESE_ABROAD else 0.3
    return sum(own + abroad * other for own, other in _latin_surnames().get(token, {}).values())


def is_surname(token: str) -> bool:
    """Whether a Latin token (lower case) can be a Chinese surname in any country."""
    return token in _latin_surnames()


@lru_cache(maxsize=1 << 14)
def surname_readings(token: str, country: str = "CN", limit: int = 3) -> list[str]:
    """Pinyin surnames that a Latin token may stand for, the likeliest first."""
    abroad = 1.0 if country in CHINESE_ABROAD else 0.05
    weights = {
        pinyin: own + abroad * other
        for pinyin, (own, other) in _latin_surnames().get(token, {}).items()
    }
    least = max(weights.values(), default=0.0) / 10
    likely = [pinyin for pinyin, weight in weights.items() if weight >= least]
    return sorted(likely, key=lambda pinyin: (-weights[pinyin], pinyin))[:limit]


@cache
def _syllables() -> frozenset[str]:
    readings = {s for row in tables.rows("pinyin") for s in row[0].split(" ")}
    rare = {
        "a",
        "e",
        "o",
        "m",
        "n",
        "ng",
        "yo",
        "lo",
        "ei",
        "dia",
        "den",
        "nou",
        "tei",
        "zhei",
        "rua",
    }
    return frozenset(readings - rare)


@cache
def _southern() -> frozenset[str]:
    return frozenset(tables.words("romanization", "southern"))


@cache
def _wade_giles() -> dict[str, str]:
    return dict(pair.split("=") for pair in tables.words("romanization", "wade_giles"))


@cache
def _cantonese() -> dict[str, tuple[str, ...]]:
    """Cantonese syllable to pinyin of the characters so spelled, the commonest first."""
    return {
        spelling: tuple(pinyin.split(" "))
        for spellings, pinyin in tables.rows("cantonese")
        for spelling in spellings.split("|")
    }


def is_cantonese_surname(token: str, country: str = "CN") -> bool:
    """Whether a Latin surname is likelier a Cantonese spelling than pinyin.

    >>> is_cantonese_surname("chan"), is_cantonese_surname("chen"), is_cantonese_surname("lin")
    (True, False, False)
    """
    found = surname_readings(token, country)
    return bool(found) and found[0] != token


def from_cantonese(families: Sequence[str], tokens: Sequence[str], limit: int = 6) -> list[str]:
    """Readings in pinyin of a name whose given name is written in Cantonese syllables.

    None at all if one syllable is not Cantonese, or there are more than two.

    >>> from_cantonese(["chen"], ["tai", "man"])[0], from_cantonese(["chen"], ["wei", "man"])
    ('chen dawen', [])
    >>> from_cantonese(["wang", "huang"], ["siuming"])[:2]
    ['wang xiaoming', 'wang shaoming']

    Args:
        families: pinyin of the surname, the likeliest first.
        tokens: syllables of the given name in lower case, or both in one.
        limit: no more readings than this, the likeliest first.
    """
    table = _cantonese()
    if len(tokens) == 1 and tokens[0] not in table:
        splits = [(tokens[0][:at], tokens[0][at:]) for at in range(2, len(tokens[0]) - 1)]
        tokens = next((two for two in splits if two[0] in table and two[1] in table), ())
    options = [families, *(table.get(token, ()) for token in tokens)]
    if not all(options) or not 1 < len(options) <= 3:
        return []
    choices = product(*(enumerate(option) for option in options))
    ranked = sorted(choices, key=lambda choice: sum(rank for rank, _ in choice))
    return [f"{c[0][1]} {''.join(part for _, part in c[1:])}" for c in ranked[:limit]]


@lru_cache(maxsize=1 << 14)
def segment(word: str) -> list[str] | None:
    """Pinyin syllables of a word in lower case, as few as possible; None if it is not pinyin.

    At most three syllables: longer words that happen to fit are not Chinese names.
    """
    best: dict[int, list[str]] = {0: []}
    table = _syllables()
    for start in range(len(word)):
        if start in best and len(best[start]) < 3:
            for end in range(start + 1, min(len(word), start + 6) + 1):
                if word[start:end] in table:
                    parts = [*best[start], word[start:end]]
                    if end not in best or len(best[end]) > len(parts):
                        best[end] = parts
    return best.get(len(word)) or None


def is_syllable(token: str) -> bool:
    """Whether a token is one syllable of some romanization."""
    return token in _syllables() or token in _southern() or token in _wade_giles()


def from_wade_giles(tokens: list[str]) -> str | None:
    """Wade-Giles syllables as joined pinyin; None if one of them is not Wade-Giles.

    >>> from_wade_giles(["chih", "wei"])
    'zhiwei'
    """
    pinyin = [_wade_giles().get(token) for token in tokens]
    return "".join(p for p in pinyin if p) if pinyin and all(pinyin) else None

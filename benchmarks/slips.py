"""What customer files make of a true value: gaps, other forms and slips of hand and eye.

Every function takes and returns arrays with one item per record, '' for missing,
and draws from the generator it is given, so that a seed decides everything.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from benchmarks.population import words

NEIGHBORS = {
    "a": "sqwz", "b": "vghn", "c": "xdfv", "d": "serfcx", "e": "wsdr", "f": "drtgvc",
    "g": "ftyhbv", "h": "gyujnb", "i": "ujko", "j": "huikmn", "k": "jiolm", "l": "kop",
    "m": "njk", "n": "bhjm", "o": "iklp", "p": "ol", "q": "wa", "r": "edft", "s": "awedxz",
    "t": "rfgy", "u": "yhji", "v": "cfgb", "w": "qase", "x": "zsdc", "y": "tghu", "z": "asx",
    **{str(digit): f"{(digit + 1) % 10}{(digit + 9) % 10}" for digit in range(10)},
}  # fmt: skip
"""Keys beside a key."""


def blank(values: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Leave a share of the values out."""
    return np.where(rng.random(len(values)) < share, "", values)


def change(
    values: np.ndarray, share: float, rng: np.random.Generator, how: Callable[..., str]
) -> np.ndarray:
    """Put how(value, draw, draw) in place of a share of the filled values; draws are 0..1."""
    chosen = np.flatnonzero((rng.random(len(values)) < share) & (values != ""))
    draws = rng.random((len(chosen), 2)).tolist()
    values = values.copy()
    values[chosen] = [how(value, a, b) for value, (a, b) in zip(values[chosen], draws, strict=True)]
    return values


def typo(value: str, where: float, what: float) -> str:
    """One key wrong, left out, doubled or in the wrong order.

    >>> typo("Martin", 0.5, 0.1), typo("Martin", 0.5, 0.6), typo("Martin", 0.5, 0.9)
    ('Marfin', 'Marin', 'Matrin')
    """
    at = int(where * len(value))
    letter = value[at]
    if what < 0.4:
        near = NEIGHBORS.get(letter.lower(), letter)
        other = near[int(what / 0.4 * len(near))]
        return value[:at] + (other.upper() if letter.isupper() else other) + value[at + 1 :]
    if what < 0.65:
        return value[:at] + value[at + 1 :] if len(value) > 1 else value
    if what < 0.8:
        return value[: at + 1] + letter.lower() + value[at + 1 :]
    at = max(at, 1)
    return value[: at - 1] + value[at : at + 1] + value[at - 1 : at] + value[at + 1 :]


def misread(value: str, where: float, what: float) -> str:
    """One slip of a machine that reads letters from paper, if the value has such a letter.

    >>> misread("Marnie", 0.0, 0.5)
    'Mamie'
    """
    pairs = [(seen, group) for seen, group in words("ocr") if seen in value]
    if not pairs:
        return value
    seen, group = pairs[int(where * len(pairs))]
    return value.replace(seen, group[int(what * len(group))], 1)


def short(value: str, where: float, what: float) -> str:
    """A short form of a given name, if there is one.

    >>> short("William", 0.5, 0.0)
    'Bill'
    """
    forms = _short_forms().get(value, (value,))
    return forms[int(what * len(forms))]


@cache
def _short_forms() -> dict[str, tuple[str, ...]]:
    return dict(words("short"))


def initial(value: str, where: float, what: float) -> str:
    """The first letter, with or without a dot."""
    return value[0] + ("." if what < 0.5 else "")


def digits(value: str, where: float, what: float) -> str:
    """One digit wrong, or two in the wrong order; ``value`` holds a digit."""
    places = [n for n, letter in enumerate(value) if letter.isdigit()]
    nth = int(where * len(places))
    at = places[nth]
    if what < 0.6 or nth + 1 == len(places):
        return value[:at] + str((int(value[at]) + 1 + int(what * 9)) % 10) + value[at + 1 :]
    then = places[nth + 1]
    letters = list(value)
    letters[at], letters[then] = letters[then], letters[at]
    return "".join(letters)


def date(value: str, where: float, what: float) -> str:
    """A wrong year, day and month swapped where that is a date, or the first of January.

    >>> date("1980-03-05", 0.5, 0.1), date("1980-03-05", 0.5, 0.5), date("1980-03-05", 0.5, 0.9)
    ('1979-03-05', '1980-05-03', '1980-01-01')
    """
    year, month, day = value.split("-")
    if what < 0.35:
        return f"{int(year) + (1 if where > 0.5 else -1)}-{month}-{day}"
    if what < 0.7:
        return f"{year}-{day}-{month}" if int(day) <= 12 else f"{year}-{month}-{int(day) - 1:02d}"
    if what < 0.85:
        return f"{year}-{month}-{(int(day) + int(where * 20)) % 28 + 1:02d}"
    return f"{year}-01-01"


def phone(value: str, where: float, what: float) -> str:
    """Ten digits as somebody types them.

    >>> phone("2125550147", 0.9, 0.1)
    '(212) 555-0147'
    """
    area, exchange, line = value[:3], value[3:6], value[6:]
    return (
        f"({area}) {exchange}-{line}",
        f"{area}-{exchange}-{line}",
        f"{area}.{exchange}.{line}",
        value,
        f"+1 {area} {exchange} {line}",
        f"1-{area}-{exchange}-{line}",
    )[min(int(what * 6), 3) if where > 0.15 else int(what * 6)]


def street(number: int, name: str, kind: int, unit: str, form: float, style: float) -> str:
    """An address line; ``form`` and ``style`` are 0..1 and choose how types and units are written.

    >>> street(12, "Oak", 0, "4B", 0.9, 0.1), street(12, "Oak", 0, "", 0.1, 0.1)
    ('12 Oak Street, Apt 4B', '12 Oak St')
    """
    full, forms = words("type")[kind]
    word = full if form > 0.6 else forms[int(form / 0.6 * len(forms))]
    line = f"{number} {name} {word}"
    if not unit or style > 0.93:
        return line
    label = ("Apt ", "Apt. ", "#", "Unit ", "Apartment ")[min(int(style / 0.93 * 6), 5) % 5]
    return f"{line}, {label}{unit}" if form > 0.8 else f"{line} {label}{unit}"

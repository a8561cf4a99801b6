"""Names of people in Latin letters: western, and Chinese in any romanization and order.

What belongs here: which words are family name, given name, middle name, suffix
and title, and how the name reads. Notes and Chinese characters are dealt with in
rules/person_name.py, which calls this module.

Method: every order that the words allow gets a score, log10 of how common each
word is as given and as family name (resources/western_names.tsv, surnames.tsv),
with a head start for the order that the cells, a comma or capitals say. Orders
that come close to the best one lend their reading.

>>> parse("ZHANG Wei").family, parse("Wei Zhang").readings[0]
('Zhang', 'zhang wei')
>>> name = parse("Page Jeffrey E.", country="US")
>>> name.family, name.given, name.middle
('Page', 'Jeffrey', 'E')
"""

import math
import re
from dataclasses import dataclass, field
from functools import cache, lru_cache

from nicknames import NickNamer

from rules import romanization, tables, text

READINGS_LIMIT = 8
CHINESE_COUNTRIES = frozenset({"CN", "HK", "MO", "TW", "SG", "MY"})

_GIVEN_UNKNOWN, _FAMILY_UNKNOWN = -4.0, -3.7
REVERSED = -1.3
"""Family name first without a comma: one western name in twenty."""
SWAPPED = -1.6
"""Family and given cells filled the wrong way round."""
_CAPITALS = 1.7
"""The only word in capitals is the family name."""
_RARE_CHINESE = -1.7
"""A Chinese name outside Chinese-speaking countries."""
CLOSE = 1.3
"""Readings of orders up to twenty times less likely than the best are kept."""

_SUFFIX = dict(pair.split("=") for pair in tables.words("latin_name", "suffix"))
_DEGREE = frozenset(tables.words("latin_name", "degree"))
_TITLE = frozenset(tables.words("latin_name", "title"))
_TITLE_BEHIND = frozenset(tables.words("latin_name", "title_behind"))
_ALONE = _TITLE.union(_SUFFIX)
"""Words that are no name though they stand alone."""
_PARTICLE = frozenset(tables.words("latin_name", "particle"))
TELLING = _ALONE.union(_DEGREE, _TITLE_BEHIND, _PARTICLE, ("and", "und", "et", "y"))
"""Words, in lower case, that are read otherwise than as a name of their own."""
_AND = re.compile(r"\s+(?:and|und|et|y)\s+|\s*[&/+]\s*", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)[\"']([A-Za-z][\w .-]*?)[\"'](?=\s|,|$)")
_CAMEL = re.compile(r"(?:([A-Z][a-z]+)|([A-Z]{2,}))([A-Z][a-z]+)")
_GLUED_DOT = re.compile(r"(?<=[^\W\d_]{2})[._](?=[^\W\d_]{2})")
_GLUED_INITIAL = re.compile(r"\b([^\W\d_])\.(?=[^\W\d_])")
_IRISH = re.compile(r"\b(Mc|[OD]')([a-z])")
_GENITIVE = re.compile(r"(?<=[a-z])'S\b")
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(slots=True)
class LatinName:
    """A name in parts, in shown form; ``readings`` family first, the likeliest first."""

    family: str = ""
    given: str = ""
    middle: str = ""
    suffix: str = ""
    title: str = ""
    readings: list[str] = field(default_factory=list)
    other_names: list[str] = field(default_factory=list)
    is_chinese: bool = False
    is_several: bool = False

    @property
    def shown(self) -> str:
        """The name in one line: family first if it is Chinese and not led by an English name."""
        if self.is_chinese:
            return f"{self.family} {self.given}".strip()
        return " ".join(p for p in (self.given, self.middle, self.family, self.suffix) if p)


@dataclass(slots=True)
class _Order:
    """One way to read the words, with its score."""

    score: float
    family: tuple[str, ...]
    given: tuple[str, ...]
    middle: tuple[str, ...] = ()
    english: str = ""
    is_chinese: bool = False


@cache
def _nicknamer() -> NickNamer:
    return NickNamer()


@cache
def _shares() -> tuple[dict[str, float], dict[str, float]]:
    """Log10 of the share in percent, of given and of family names."""
    given: dict[str, float] = {}
    family: dict[str, float] = {}
    for kind, share, names in tables.rows("western_names"):
        into = given if kind == "given" else family
        into.update(dict.fromkeys(names.split("|"), float(share)))
    for name in list(given):
        for nick in _nicknamer().nicknames_of(name):
            given.setdefault(nick, -2.5)
    return given, family


def given_share(word: str) -> float:
    """How common a word is as a western given name: log10 of the share in percent."""
    if len(word) == 1:
        return -1.0
    plain = word.isascii() and word.isalpha()
    key = word.lower() if plain else text.fold(word.split("-")[0])
    return _shares()[0].get(key, _GIVEN_UNKNOWN)


def family_share(word: str) -> float:
    """How common a word is as a western family name: log10 of the share in percent."""
    if len(word) == 1:
        return -5.0
    table = _shares()[1]
    if word.isascii() and word.isalpha():
        return table.get(word.lower(), _FAMILY_UNKNOWN)
    return max(table.get(text.fold(part), _FAMILY_UNKNOWN) for part in [word, word.split("-")[0]])


def shares(word: str) -> tuple[float, float]:
    """:func:`given_share` and :func:`family_share` of a word of small letters from a to z."""
    if len(word) == 1:
        return given_share(word), family_share(word)
    given, family = _shares()
    return given.get(word, _GIVEN_UNKNOWN), family.get(word, _FAMILY_UNKNOWN)


@cache
def _nicknames() -> frozenset[str]:
    """What may stand for another name."""
    return frozenset(_nicknamer().canonical_lookup)


def formal_names(given: str) -> tuple[str, ...]:
    """Formal given names that a folded nickname may stand for, the commonest first.

    >>> "william" in formal_names("bill")
    True
    """
    return _formal_names(given) if given in _nicknames() else ()


@lru_cache(maxsize=1 << 14)
def _formal_names(given: str) -> tuple[str, ...]:
    namer = _nicknamer()
    formal = [
        name
        for name in namer.canonicals_of(given)
        if len(name) >= len(given)
        and (given_share(name) > given_share(given) or given not in namer.canonicals_of(name))
    ]
    return tuple(sorted(formal, key=lambda name: (-given_share(name), name)))


def parse(
    full: str, *, family: str | None = None, given: str | None = None, country: str = "CN"
) -> LatinName:
    """Parse a name in Latin letters.

    Args:
        full: the name in one cell, without notes; empty if there are only the two cells.
        family: the cell for family names, if there are two cells.
        given: the cell for given names.
        country: ISO 3166 code; decides how likely Chinese names are.
    """
    name = LatinName()
    if full and family and given:
        orders = _orders_of_all(full, family, given, name, country)
    elif family and given:
        orders = _orders_of_cells(_words(family, name), _words(given, name), name, country, True)
    else:
        orders = _orders_of_full(full or family or given or "", name, country)
    if orders:
        _fill(name, orders, country)
    return name


def _orders_of_full(full: str, name: LatinName, country: str) -> list[_Order]:
    """Readings of one cell; quoted names, a second person and what is no name are taken out."""
    if "'" in full or '"' in full:
        name.other_names += [m.group(1) for m in _QUOTED.finditer(full)]
        full = _QUOTED.sub(" ", full)
    full = _one_person(full, name)
    head, comma, tail = full.partition(",")
    left, right = _words(head, name), _words(tail.replace(",", " "), name)
    if comma and left and right:
        return _orders_of_cells(left, right, name, country, False)
    return _orders(left + right, country)


def _orders_of_all(
    full: str, family: str, given: str, name: LatinName, country: str
) -> list[_Order]:
    """Readings of a whole name whose family and given name stand in further cells, too.

    What the whole name has more is the middle name. Cells that say something else, or
    hold no name (a title), count for nothing.

    >>> parse("mark john curry", family="curry", given="mark", country="US").middle
    'John'
    """
    words = _words(full.replace(",", " "), name)
    last, first = _words(family, LatinName()), _words(given, LatinName())
    lower, middle = [word.lower() for word in words], list(range(len(words)))
    for word in [*last, *first]:
        at = next((place for place in middle if lower[place] == word.lower()), None)
        if at is None:
            return _orders_of_full(full, name, country)
        middle.remove(at)
    if not (last and first):
        return _orders_of_full(full, name, country)
    given_words = [*first, *(words[place] for place in middle)]
    return _orders_of_cells(last, given_words, name, country, True)


def _one_person(full: str, name: LatinName) -> str:
    """The first of two people in a cell: ``John & Mary Smith`` is John Smith."""
    if not _AND.search(full):
        return full
    people = [person.strip() for person in _AND.split(full) if person.strip()]
    if len(people) < 2:
        return full
    name.is_several = True
    first = [w for w in people[0].split() if w.lower().strip(".") not in _TITLE]
    if len(first) < 2 and "," not in people[0]:
        return f"{people[0]} {people[-1].split()[-1]}"
    return people[0]


def _words(cell: str, name: LatinName) -> list[str]:
    """Words of a cell without titles, degrees and suffix, which go into ``name``."""
    if cell.isalpha() and cell.lower() not in _ALONE:
        return [cell]
    if "." in cell or "_" in cell:
        cell = _GLUED_INITIAL.sub(r"\1. ", _GLUED_DOT.sub(" ", cell))
    words = [w for w in (word.strip(".,;'\"") for word in cell.split()) if w and w != "-"]
    while words and words[0].lower() in _TITLE and (len(words) > 1 or not name.title):
        name.title = f"{name.title} {words.pop(0)}".strip()
    while words:
        last = words[-1].lower().replace(".", "")
        if last in _SUFFIX and (len(words) > 1 or name.family == ""):
            name.suffix = _SUFFIX[last]
        elif len(words) > 1 and (last in _DEGREE or last in _TITLE_BEHIND):
            name.title = f"{name.title} {words[-1]}".strip()
        else:
            break
        words.pop()
    return words


def _family_end(words: list[str], from_end: bool) -> int:
    """How many words the family name takes at that end: particles belong to it."""
    length = 1
    if from_end:
        while length < len(words) - 1 and words[-length - 1].lower() in _PARTICLE:
            length += 1
    else:
        while length < len(words) - 1 and words[length - 1].lower() in _PARTICLE:
            length += 1
    return length


def _capitals(words: list[str]) -> int | None:
    """The place of the only word in capitals, if the others are not."""
    places = [i for i, w in enumerate(words) if len(w) > 1 and w.isupper()]
    if len(places) != 1:
        return None
    return places[0] if any(len(w) > 1 and not w.isupper() for w in words) else None


# The orders -----------------------------------------------------------------------------------


def _orders(words: list[str], country: str) -> list[_Order]:
    """Readings of one cell without a comma."""
    if not words:
        return []
    if len(words) == 1:
        return _orders_of_one(words[0], country)
    capitals = _capitals(words)
    first, last = (_CAPITALS if capitals == at else 0.0 for at in (0, len(words) - 1))
    ends_in_initial = len(words) > 2 and len(words[-1]) == 1 and len(words[0]) > 1
    has_initial = len(words) > 2 and len(words[1]) == 1
    orders = [
        _western(words[: -_family_end(words, True)], words[-_family_end(words, True) :], last),
        _western(
            words[_family_end(words, False) :],
            words[: _family_end(words, False)],
            first
            + REVERSED
            + (2.5 if ends_in_initial else -4.0 if has_initial else 1.0 - min(len(words), 3) / 2),
        ),
    ]
    family_first = 0.1 if country in CHINESE_COUNTRIES else -1.0
    orders.append(_chinese(words[:1], words[1:], first + family_first, country))
    orders.append(_chinese(words[-1:], words[:-1], last, country))
    if len(words) > 2 and _is_english(words[0]):  # Peter Chan Tai Man
        orders.append(_chinese(words[1:2], [words[0], *words[2:]], 0.0, country))
    return [order for order in orders if order]


def _orders_of_cells(
    family: list[str], given: list[str], name: LatinName, country: str, cells: bool
) -> list[_Order]:
    """Readings of a family and a given cell, or of the words before and after a comma."""
    if not family or not given:
        return _orders(family or given, country)
    if family == given and len(family) > 1:  # both cells hold the full name
        return _orders(family, country)
    swapped = SWAPPED if cells else 1.5 * SWAPPED
    if len(family) > 1 and (len(family[-1]) == 1 or len(family[0]) == 1) and len(given) == 1:
        swapped += 3.0  # a family name has no initials
    capitals = _capitals([family[0], given[0]])
    orders = [
        _western(given, family, _CAPITALS if capitals == 0 else 0.0),
        _western(family, given, swapped + (_CAPITALS if capitals == 1 else 0.0)),
    ]
    if len(family) > 1 and all(_is_english(w) for w in given):  # Chan Tai Man, Peter
        orders.append(_chinese(family[:1], [*given, *family[1:]], 0.5, country))
    orders.append(_chinese(family, given, _CAPITALS if capitals == 0 else 0.0, country))
    orders.append(_chinese(given, family, swapped + (_CAPITALS if capitals == 1 else 0.0), country))
    return [order for order in orders if order]


def _orders_of_one(word: str, country: str) -> list[_Order]:
    """Readings of a single word: a glued Chinese name, a given or a family name."""
    given, family = given_share(word), family_share(word)
    folded = text.fold(word)
    orders: list[_Order | None] = [
        _Order(given, (), (word,)),
        _Order(family + 0.3, (word,), ()),
    ]
    if camel := _CAMEL.fullmatch(word):
        parts = [camel[1] or camel[2], camel[3]]
        orders.append(_chinese(parts[:1], parts[1:], 2.5, country))
        orders.append(_chinese(parts[1:], parts[:1], 2.0, country))
    elif max(given, family) < -2.5 and not romanization.surname_weight(folded, country):
        syllables = romanization.segment(folded) or []
        for count in range(1, len(syllables)):
            end = len("".join(syllables[:count]))
            orders.append(_chinese([word[:end]], [word[end:]], 0.5, country))
    weight = romanization.surname_weight(folded, country)
    if weight and country in CHINESE_COUNTRIES:
        orders.append(_Order(math.log10(weight) + 1.3, (word,), (), is_chinese=True))
    elif country in CHINESE_COUNTRIES and given < -3 and _is_romanized([word]):
        orders.append(_Order(-0.2, (), (word,), is_chinese=True))
    return [order for order in orders if order]


def _western(given: list[str], family: list[str], bonus: float) -> _Order | None:
    if not given or not family:
        return None
    if len(given) + len(family) > 2 and given[0].lower() in _PARTICLE:
        return None
    core = family[-1]
    if len(family) > 1:
        core = next((w for w in reversed(family) if w.lower() not in _PARTICLE), core)
    score = given_share(given[0]) + family_share(core) + bonus
    return _Order(score, tuple(family), tuple(given[:1]), tuple(given[1:]))


def _is_romanized(words: list[str]) -> bool:
    """Whether words can be a Chinese given name: one to three syllables in all."""
    count = 0
    for word in words:
        for part in _LETTERS.findall(text.fold_words(word)):
            if syllables := romanization.segment(part):
                count += len(syllables)
            elif romanization.is_syllable(part) or (part in "aeo" and len(words) + len(word) > 2):
                count += 1
            else:
                return False
    return 0 < count <= 3


def may_be_chinese(words: list[str]) -> bool:
    """Whether one of several plain words can be a Chinese surname.

    >>> may_be_chinese(["Wei", "Zhang"]), may_be_chinese(["Ruth", "Harper"])
    (True, False)
    """
    return any(romanization.surname_weight(spelling(word)) for word in words)


@lru_cache(maxsize=1 << 14)
def _is_english(word: str) -> bool:
    """Whether a word is a western given name and hardly a Chinese syllable."""
    folded, share = text.fold(word), given_share(word)
    if share <= -3.5 or len(folded) < 3:
        return False
    syllables = romanization.segment(folded)
    halves = word.lower().split("-")  # Ka-fai
    is_chinese = (
        (syllables and len(syllables) <= 2)
        or romanization.is_syllable(folded)
        or (len(halves) == 2 and all(map(romanization.is_syllable, halves)))
    )
    return not (is_chinese and share < -1.2)


def _chinese(family: list[str], given: list[str], bonus: float, country: str) -> _Order | None:
    """The name as a Chinese one; None if it cannot be."""
    if len(family) != 1 or not given or len(family[0]) < 2:
        return None
    weight = romanization.surname_weight(spelling(family[0]), country)
    if not weight:
        return None
    english = [w for w in given if _is_english(w)]
    rest = [w for w in given if w not in english and len(w) > 1]
    if len(english) > 1 or (rest and not _is_romanized(rest)):
        return None
    score = bonus + math.log10(weight) + 1.3
    if country not in CHINESE_COUNTRIES:
        score += _RARE_CHINESE
    if rest:
        # A word that is a common surname is hardly a given name; two syllables hardly are one.
        joined = spelling("".join(rest))
        as_surname = romanization.surname_weight(joined, country)
        score += -0.6 - math.log10(1 + 60 * as_surname)
        if len(rest) == 1 and len(joined) > 4 and not as_surname:
            score += 0.3
    else:
        score += given_share(english[0]) - 0.5 if english else -1.5
    return _Order(score, (family[0],), tuple(rest), (), english[0] if english else "", True)


def surname_bound(spelled: str) -> float:
    """No name with this word as its Chinese surname scores more, abroad, by the surname alone;
    minus infinity if it is none, as an initial is none.

    >>> surname_bound("harper"), surname_bound("e"), -3 < surname_bound("wang") < 0
    (-inf, -inf, True)
    """
    weight = romanization.surname_weight(spelled, "HK") if len(spelled) > 1 else 0.0
    return math.log10(weight) + 1.3 + _RARE_CHINESE if weight else -math.inf


@lru_cache(maxsize=1 << 15)
def beside_surname_bound(word: str) -> float:
    """No more is added to that by this word among the given names; minus infinity if it cannot
    stand there.

    >>> beside_surname_bound("Patterson"), beside_surname_bound("Wei")
    (-inf, -0.3)
    """
    if len(word) == 1:
        return -1.5
    if _is_english(word):
        return given_share(word) - 0.5
    return -0.3 if _is_romanized([word]) else -math.inf


def spelling(word: str) -> str:
    """Folded, with u-umlaut as v."""
    if word.isascii():
        return text.fold(word).replace("lyu", "lv")
    return _spelling(word)


@lru_cache(maxsize=1 << 15)
def _spelling(word: str) -> str:
    return text.fold(word.replace("ü", "v").replace("Ü", "V")).replace("lyu", "lv")


# The result -----------------------------------------------------------------------------------


def _fill(name: LatinName, orders: list[_Order], country: str) -> None:
    """Put the best order and the readings of the close ones into ``name``."""
    ranked = sorted(orders, key=lambda order: -order.score)
    best = ranked[0]
    name.family = show(best.family)
    name.is_chinese = best.is_chinese
    if best.is_chinese and best.given:
        name.given = show(best.given)
        if best.english:
            name.other_names.append(f"{show((best.english,))} {name.family}".strip())
    elif best.english:
        name.given, name.is_chinese = show((best.english,)), False
    else:
        name.given, name.middle = show(best.given), show(best.middle)
    readings: list[str] = []
    for order in ranked:
        if order.score >= best.score - CLOSE:
            readings += _readings(order, country)
    name.readings = list(dict.fromkeys(r for r in readings if r))[:READINGS_LIMIT]


def _readings(order: _Order, country: str) -> list[str]:
    family, given = spelling("".join(order.family)), spelling("".join(order.given))
    if not order.is_chinese:
        readings = [f"{family} {given}".strip()]
        if family and given:
            readings += [f"{family} {formal}" for formal in formal_names(given)[:5]]
        return readings
    families = romanization.surname_readings(family, country) or [family]
    if family not in families:
        families = [*families[:3], family]
    givens = [given] if given else []
    syllables = [p for w in order.given for p in _LETTERS.findall(text.fold_words(w))]
    other = romanization.from_wade_giles(syllables)
    if other and other != given:
        if not all(romanization.segment(s) for s in syllables):
            givens = [other, given]
        elif country == "TW":
            givens = [given, other]
    if order.english:
        givens.append(spelling(order.english))
    readings = [f"{f} {g}".strip() for f in families for g in givens or [""]]
    if romanization.is_cantonese_surname(family, country):
        # Chan Tai Man is 陈大文.
        own = romanization.surname_readings(family, country)
        readings += romanization.from_cantonese(own, syllables)
    return readings


def show(words: tuple[str, ...]) -> str:
    """Words as names are written: not all in capitals or in small letters."""
    shown = " ".join(words)
    if not (shown.isupper() or shown.islower()):
        return shown
    if len(shown) == 2 and shown.isupper() and shown[0] not in "AEIOU" and shown[1] in "JDTCPBMR":
        return shown  # initials such as JD
    if shown.isascii() and shown.isalpha():
        shown = shown.capitalize()
        return "Mc" + shown[2:].capitalize() if shown.startswith("Mc") else shown
    shown = _LETTERS.sub(lambda m: m.group().capitalize(), shown.lower())
    shown = _IRISH.sub(lambda m: m[1] + m[2].upper(), shown)
    return _GENITIVE.sub("'s", shown)

"""Characters: any written form to one shown form, one key form, and pinyin.

What belongs here: what holds for every text. Names, addresses and numbers have
rules of their own. ``clean`` keeps what a reader sees; ``fold`` is for
comparing only and is never shown.

Source: Unicode NFKC (UAX #15); opencc for traditional characters; pypinyin for
readings (resources/simplified.tsv, pinyin.tsv).

>>> clean("ＡＢＣ\u200b　公司（上海）—　２")
'ABC 公司(上海)- 2'
>>> fold("Café 鍾乾峯"), to_simplified("張偉")
('cafe钟干峰', '张伟')
>>> readings("单伟")
['danwei', 'chanwei', 'shanwei']
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import chain, product
from math import prod

import opencc

from rules import tables

READINGS_LIMIT = 8
"""No more readings than this for one text: the usual ones come first."""

_INVISIBLE = chain(
    (0xAD, 0x34F, 0x61C, 0x180E, 0x3164, 0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB),
    range(0x0, 0x9),
    range(0xE, 0x1C),
    range(0x7F, 0x85),
    range(0x86, 0xA0),
    range(0x200B, 0x2010),
    range(0x202A, 0x202F),
    range(0x2060, 0x2070),
    range(0xFE00, 0xFE10),
    range(0xE0000, 0xE01F0),
)
_DASHES = "‐‑‒–—―−⁃﹘﹣－─━"
_MIDDOTS = "·•‧∙⋅・･‣᛫·⸱"
_QUOTES = dict.fromkeys("‘’ʼ′`´", "'") | dict.fromkeys("“”〝〞", '"')
_CLEAN: dict[int, str | None] = (
    dict.fromkeys(_INVISIBLE, None)
    | {ord(c): "-" for c in _DASHES}
    | {ord(c): "·" for c in _MIDDOTS}
    | {ord(c): to for c, to in _QUOTES.items()}
    | {ord("〔"): "(", ord("〕"): ")", ord("［"): "[", ord("］"): "]"}
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_PLAIN = re.compile("[㐀-䶿一-鿿!-_a-~·]+")
"""Texts that clean leaves as they are; a backquote among Han characters is a quote to it."""
_HAN_ONLY = re.compile("[㐀-䶿一-鿿]+")
_HAN = re.compile("[〇㐀-䶿一-鿿豈-\ufaff\U00020000-\U000323af]")
# Python 3.11 does not know the newest Han characters as letters.
_MARKS = re.compile("(?:[^\\w\U00020000-\U000323af]|_)+")
_ASCII_MARKS = {code: None for code in range(128) if not chr(code).isalnum()}
_LETTERS = {
    "ø": "o",
    "æ": "ae",
    "œ": "oe",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ı": "i",
    "ħ": "h",
}
_DIACRITICS = re.compile("[\u0300-\u036f]+")
_LATIN = re.compile("[À-ɏḀ-ỿ]")


def clean(s: str) -> str:
    """The shown form: NFKC, invisible characters gone, dashes, dots, quotes and blanks unified."""
    if s.isascii():
        if not s.isprintable():
            return " ".join(_CONTROL.sub("", s).split())
        if "  " in s or s[:1] == " " or s[-1:] == " ":
            return " ".join(s.split())
        return s
    return s if _PLAIN.fullmatch(s) else _clean(s)


@lru_cache(maxsize=1 << 14)
def _clean(s: str) -> str:
    if not unicodedata.is_normalized("NFKC", s):
        s = s.translate(_CLEAN)
        s = unicodedata.normalize("NFKC", s)
    return " ".join(s.translate(_CLEAN).split())


@cache
def _fold_table() -> dict[int, str]:
    """Characters to their folded form: traditional and variant Han, special Latin letters."""
    table = {ord(c): row[0] for row in tables.rows("simplified") for c in row[1]}
    return table | {ord(c): to for c, to in _LETTERS.items()}


@cache
def _folded() -> re.Pattern[str]:
    """Texts with Han characters that fold leaves as they are."""
    han = map(chr, chain(range(0x3400, 0x4DC0), range(0x4E00, 0xA000)))
    same = "".join(c for c in han if c.isalnum() and c not in _foldable())
    return re.compile(f"[a-z0-9{same}]+")


def fold(s: str) -> str:
    """The key form: clean, simplified, lower case, letters and digits only, no diacritics."""
    if s.isascii():
        s = s.lower()
        return s if s.isalnum() or not s else s.translate(_ASCII_MARKS)
    return s if _folded().fullmatch(s) else _fold(s)


@lru_cache(maxsize=1 << 16)
def _fold(s: str) -> str:
    if _HAN_ONLY.fullmatch(s):  # neither case nor marks
        return s.translate(_fold_table())
    s = fold_words(s)
    return s if s.isalnum() else _MARKS.sub("", s)


@cache
def _foldable() -> frozenset[str]:
    """The characters that :func:`_fold_table` changes."""
    return frozenset(map(chr, _fold_table()))


@lru_cache(maxsize=1 << 16)
def fold_words(s: str) -> str:
    """As :func:`fold`, but marks and blanks stay, so that words can still be told apart."""
    s = clean(s)
    if s.isascii():
        return s.lower()
    s = s.casefold()
    if not _foldable().isdisjoint(s):
        s = s.translate(_fold_table())
    if _LATIN.search(s):
        s = "".join(
            _DIACRITICS.sub("", unicodedata.normalize("NFD", c)) if _LATIN.match(c) else c
            for c in s
        )
    return s


def has_han(s: str) -> bool:
    """Whether there is a Han character in it."""
    return not s.isascii() and _HAN.search(s) is not None


_OF_PHRASES = "坏藉覆沈彷么俱徵於瞭衹"
"""Characters that are traditional only within certain words."""


@cache
def _traditional() -> tuple[re.Pattern[str], frozenset[str]]:
    """Characters that a text has one of if it is to be converted; a pattern for all but few texts.

    (A pattern finds one of the first 65,536 characters at once, others one after another.)
    """
    compatible = map(chr, chain(range(0xF900, 0xFB00), range(0x2F800, 0x2FA20)))
    found = frozenset(_OF_PHRASES).union(compatible, *(r[1] for r in tables.rows("simplified")))
    common = "".join(sorted(c for c in found if c < "\U00010000"))
    return re.compile(f"[{common}\U00010000-\U0010ffff]"), found


def is_simplified(s: str) -> bool:
    """Whether no character can be a traditional one.

    >>> is_simplified("张伟"), is_simplified("張偉")
    (True, False)
    """
    if s.isascii():
        return True
    pattern, found = _traditional()
    return pattern.search(s) is None or found.isdisjoint(s)


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def to_simplified(s: str) -> str:
    """Traditional to simplified for showing; words stay as they are (積體電路 is not 集成电路)."""
    return s if is_simplified(s) else _simplify(s)


@lru_cache(maxsize=1 << 14)
def _simplify(s: str) -> str:
    return str(_converter().convert(s))


@cache
def _pinyin() -> dict[str, tuple[str, ...]]:
    """Character to its readings, the usual one first."""
    return {c: tuple(row[0].split(" ")) for row in tables.rows("pinyin") for c in row[1]}


def syllables(character: str) -> tuple[str, ...]:
    """Readings of one Han character, the usual one first; none if it has no known reading."""
    return _pinyin().get(character, ())


@cache
def usual_readings() -> dict[int, str]:
    """Han characters, as of str.translate, to their usual reading."""
    return {ord(c): found[0] for c, found in _pinyin().items()}


@cache
def _heteronyms() -> frozenset[str]:
    """The characters that have more than one reading."""
    return frozenset(c for c, found in _pinyin().items() if len(found) > 1)


def has_several_readings(folded: str) -> bool:
    """Whether a text in its key form has a character with more than one reading."""
    return not _heteronyms().isdisjoint(folded)


def combine(options: Iterable[Iterable[str]], limit: int = READINGS_LIMIT) -> list[str]:
    """Every way to take one option per place, joined; the first options first.

    >>> combine([["dan", "shan"], ["wei"]])
    ['danwei', 'shanwei']
    """
    places = [list(place) for place in options]
    size = prod(map(len, places))
    while size > limit:  # shorten the longest lists from their rare end
        longest = max(places, key=len)
        size = size // len(longest) * (len(longest) - 1)
        longest.pop()
    return list(dict.fromkeys("".join(choice) for choice in product(*places)))


@lru_cache(maxsize=1 << 16)
def readings(s: str) -> list[str]:
    """Pinyin without tones, in lower case and joined, of all readings; the usual one first.

    Letters and digits stay; a character without a known reading stands for itself.
    At most :data:`READINGS_LIMIT`. Callers must not change the list.
    """
    folded = fold(s)
    if not folded:
        return []
    if folded.isascii():
        return [folded]
    if _heteronyms().isdisjoint(folded):
        return [folded.translate(usual_readings())]
    table = _pinyin()
    return combine([table.get(c, c) for c in folded])

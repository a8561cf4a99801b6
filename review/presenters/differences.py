"""Two texts side by side: what differs, character by character, and how changed characters sound.

Small and capital letters, and narrow and wide ones, are alike: which of them a system
writes says nothing of the customer.

>>> [(one.text, one.changed) for one in pieces("张伟", "张玮")]
[('张', False), ('玮', True)]
>>> pieces("张伟", "张玮")[1].reading, pieces("张伟", "张玮")[1].same_sound
('wei', True)
>>> pieces("Anna Müller", "华东科技")
[Piece(text='华东科技', changed=True, reading='', same_sound=False)]
>>> [one.text for one in pieces("Green Bridge Pharma", "GREEN BRIDGE PROPERTY") if one.changed]
['ROPERTY']
>>> [one.text for one in pieces("+8613800138000", "+8613800138008") if one.changed]
['8']
"""

import re
import unicodedata
from dataclasses import dataclass

from rapidfuzz.distance import Indel, Levenshtein

from rules import text

ALIKE, ALIKE_NUMBERS = 0.4, 0.85
"""Similarity, 0 to 1, under which two texts, or two numbers, are different as wholes."""
_NUMBER = re.compile(r"[+\dA-Z-]+|\d{4}-\d\d-\d\d \d\d:\d\d UTC")
_LETTERS = re.compile(r"[^\W\d_⺀-鿿]+(?: [^\W\d_⺀-鿿]+)*|\s+")
ISLAND = 4
"""Letters in a row that must be alike between two changes; fewer are chance."""
LONGEST = 400
"""Characters up to which texts are compared character by character."""


@dataclass(frozen=True)
class Piece:
    """Characters in a row that are all as in the other text, or all not.

    Attributes:
        text: the characters; empty where the other text has some that are missing here.
        changed: whether they differ from the other text.
        reading: pinyin of changed Chinese characters that stand in the place of others.
        same_sound: whether these sound like the ones they stand for.
    """

    text: str
    changed: bool
    reading: str = ""
    same_sound: bool = False


def pieces(other: str, shown: str) -> list[Piece]:
    """The pieces of a text, compared with another one; none where nothing is shown."""
    if not shown:
        return []
    folded, other_folded = _folded(shown), _folded(other)
    if other_folded == folded:
        return [Piece(shown, False)]
    least = ALIKE_NUMBERS if _NUMBER.fullmatch(shown) else ALIKE
    if max(len(other), len(shown)) > LONGEST or _alike(other, shown) < least:
        return [Piece(shown, True)]
    found: list[Piece] = []
    for step in Levenshtein.opcodes(other_folded, folded):
        before = other[step.src_start : step.src_end]
        here = shown[step.dest_start : step.dest_end]
        if step.tag == "equal":
            found.append(Piece(here, False))
        elif step.tag == "replace":
            found.append(_replaced(before, here))
        else:
            found.append(Piece(here, True))
    return _joined(found)


def _joined(found: list[Piece]) -> list[Piece]:
    """The same text, with chance letters between two changes taken as changed, too."""
    last = len(found) - 1
    made: list[Piece] = []
    for number, one in enumerate(found):
        chance = (
            0 < number < last
            and not one.changed
            and len(one.text) < ISLAND
            and _LETTERS.fullmatch(one.text)
            and (found[number - 1].text or found[number + 1].text)
        )
        here = Piece(one.text, True) if chance else one
        if made and _joins(made[-1]) and _joins(here):
            made[-1] = Piece(made[-1].text + here.text, True)
        else:
            made.append(here)
    return made


def _joins(piece: Piece) -> bool:
    return piece.changed and not piece.reading


def _folded(shown: str) -> str:
    """A text of the same length, in small and narrow letters."""
    return "".join(_narrow(one) for one in shown)


def _narrow(character: str) -> str:
    narrow = unicodedata.normalize("NFKC", character).casefold()
    return narrow if len(narrow) == 1 else character


def nearest(others: list[str], shown: str) -> str:
    """Of several texts the one that is most like a text; empty if there are none."""
    if shown in others:
        return shown
    return max(others, key=lambda other: (_alike(other, shown), other), default="")


def _alike(other: str, shown: str) -> float:
    return float(Indel.normalized_similarity(_folded(other), _folded(shown)))


def _replaced(before: str, here: str) -> Piece:
    if not text.has_han(here):
        return Piece(here, True)
    said = [text.syllables(character) for character in here]
    reading = " ".join(one[0] for one in said if one)
    heard = [text.syllables(character) for character in before]
    same = len(said) == len(heard) and all(
        set(one) & set(other) for one, other in zip(said, heard, strict=True)
    )
    return Piece(here, True, reading, same)

"""Which pairs of Chinese characters are easily mistaken for each other, for whole arrays.

What belongs here: the facts of characters.py on code points, each distinct
character looked up once.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from dedupe.comparing import characters
from dedupe.comparing.columns import Mask
from dedupe.comparing.measures import Vocabulary
from rules import text

_POINTS = 1 << 21
"""More than there are code points."""


class Alike(NamedTuple):
    """Per pair of characters.

    Attributes:
        homophone: whether they share a reading (tones do not count).
        confusable: whether they are one, sound the same or nearly, or look alike.
    """

    homophone: Mask
    confusable: Mask


def alike(a: np.ndarray, b: np.ndarray) -> Alike:
    """Compare characters one by one.

    >>> x, y = (np.array([*map(ord, letters)]) for letters in ("伟伟伟", "玮纬强"))
    >>> alike(x, y).homophone.tolist(), alike(x, y).confusable.tolist()
    ([True, True, False], [True, True, False])
    """
    pairs, inverse = np.unique(a.astype(np.int64) * _POINTS + b, return_inverse=True)
    points, place = np.unique(np.stack([pairs // _POINTS, pairs % _POINTS]), return_inverse=True)
    first, second = place.reshape(2, -1)
    sounds = Vocabulary()
    letters = sounds.codes(map(chr, points.tolist()))
    syllables = sounds.derived_lists(letters, text.syllables)
    homophone = syllables.share(first, syllables, second)
    nearly = syllables._replace(values=sounds.derived(syllables.values, characters.fuzzy_syllable))
    confusable = homophone | (first == second) | np.isin(pairs, _lookalikes())
    rows = np.flatnonzero(~confusable)
    confusable[rows] = nearly.share(first[rows], nearly, second[rows])
    return Alike(homophone[inverse], confusable[inverse])


@cache
def _lookalikes() -> np.ndarray:
    """Pairs of characters that look alike, in both orders, as alike numbers them."""
    return np.array(
        [
            ord(x) * _POINTS + ord(y)
            for one, others in characters.lookalikes().items()
            for other in others
            for x, y in ((one, other), (other, one))
        ],
        dtype=np.int64,
    )

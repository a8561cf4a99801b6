"""Prepared names of organizations as columns of codes, for comparing whole arrays of pairs.

What belongs here: organization_form's names turned into columns.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain

import numpy as np

from dedupe.comparing.columns import Ints, Rows
from dedupe.comparing.measures import Vocabulary
from dedupe.comparing.organization_form import OrganizationForm, initials
from dedupe.comparing.ragged import Ragged


class OrganizationColumns:
    """Names of organizations, one row per name; see OrganizationForm.

    Attributes:
        texts: the text of every code.
        key, region, brand, industry, legal_form: codes of the parts, 0 where it has none.
        words: codes of Latin words; none of Chinese names.
        joined: code of the words without blanks.
        brand_words: how many of the words are the brand, 0 if unknown.
        han: whether the brand is written in Chinese characters.
        cut: whether the end may be missing.
    """

    def __init__(self, names: Sequence[OrganizationForm]) -> None:
        self.texts = texts = Vocabulary()
        self.key, self.region, self.brand, self.industry, self.legal_form = (
            texts.codes([getattr(name, part) for name in names])
            for part in ("key", "region", "brand", "industry", "legal_form")
        )
        self.words = Ragged.sized(
            np.array([len(name.words) for name in names], dtype=np.int64),
            texts.codes(word for name in names for word in name.words),
        )
        self._shown = [name.shown for name in names]
        self.joined = texts.codes(["".join(name.words) for name in names])
        self.brand_words = np.array([name.brand_words for name in names], dtype=np.int64)
        self.han = np.array([name.han for name in names], dtype=bool)
        self.cut = np.array([name.cut for name in names], dtype=bool)

    @cached_property
    def line(self) -> Ragged:
        """Words of the line of business as written."""
        place = np.arange(len(self.words.values)) - np.repeat(self.words.starts, self.words.sizes)
        return self.words.only(place >= self.brand_words[self.words.owners()])

    @cached_property
    def unfinished_from(self) -> Ints:
        """Letters of the brand, or of all words but the last: a name cut there is cut in a word."""
        place = np.arange(len(self.words.values)) - np.repeat(self.words.starts, self.words.sizes)
        owner = self.words.owners()
        most = np.where(self.brand_words > 0, self.brand_words, self.words.sizes - 1)[owner]
        length = np.where(place < most, self.texts.length[self.words.values], 0)
        return np.bincount(owner, length, minlength=len(self.key)).astype(np.int64)

    def initials(self, rows: Rows) -> Ragged:
        """First letters of the words of some Latin names."""
        distinct, inverse = np.unique(rows, return_inverse=True)
        ways = [initials(self._shown[row]) for row in distinct]
        sizes = np.array([len(way) for way in ways], dtype=np.int64)
        return Ragged.sized(sizes, self.texts.codes(chain(*ways))).take(inverse)

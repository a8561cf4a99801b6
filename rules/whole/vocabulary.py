"""Texts that come again from slice to slice: each is looked at once for all of them.

What belongs here: their numbers. What is known of them stands with those who ask.
"""

from collections.abc import Callable
from threading import Lock
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
import pyarrow as pa

from rules.whole.texts import Ints

MOST = 1 << 17
"""Texts that are kept: some 50 MB of names, all words of a million people."""


class Table(Protocol):
    """What is known of numbered texts, in arrays."""

    def joined(self, more: Self) -> Self:
        """These and the next ones."""


Known = TypeVar("Known", bound=Table)


class Vocabulary(Generic[Known]):
    """Texts by numbers, of which 0 is the empty text.

    Args:
        look: what is known of some texts.
        most: texts that are kept; then it begins anew.
    """

    def __init__(self, look: Callable[[list[str]], Known], most: int = MOST) -> None:
        self._look, self._most = look, most
        self._lock = Lock()
        self._begin()

    def _begin(self) -> None:
        self._numbers, self._table = {"": 0}, self._look([""])

    def of(self, texts: pa.Array) -> tuple[Known, Ints]:
        """What is known of the texts so far, and the number of each; of a null it is 0.

        Args:
            texts: of a slice.
        """
        encoded = texts.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        with self._lock:
            if len(self._numbers) + len(distinct) > self._most:
                self._begin()
            numbers = self._numbers
            codes = list(map(numbers.get, distinct))
            if None in codes:
                new = [text for text, code in zip(distinct, codes, strict=True) if code is None]
                self._table = self._table.joined(self._look(new))
                numbers.update(zip(new, range(len(numbers), len(numbers) + len(new)), strict=True))
                codes = list(map(numbers.get, distinct))
            table = self._table
        places = encoded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
        return table, np.array([*codes, 0], dtype=np.int32)[places]

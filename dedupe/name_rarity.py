"""How much agreeing on a person's name is worth: few namesakes more, many less.

Of the records with one name some are the person's own. What makes an agreement
weak are the others, so a name is weighed by the records it has beyond
:data:`OWN`. A name in Latin letters is also counted by
family name and initial, because nicknames, initials and slips make its exact
spelling look rare; a Chinese name varies less and is counted as it is: by its
characters where both records write the same ones, else with all names that
sound alike. Where only the family names can be compared, those count.

Of two spellings the more frequent one counts: the other is the slip or the
short form. Given that two records agree, a name with n others is expected with
probability proportional to n among chance agreements, so it adds
log2(mean n / n) bits, where the mean is over all records.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing.columns import halves
from dedupe.rarity import AGREES, RARE, Counted, Owned, Space
from rules import text

OWN = 1.5
"""Records with a name that are taken as one person's; a name of two that agree has others
for half a record at least."""


class NameRarity(NamedTuple):
    """Rarity of persons' names.

    Attributes:
        columns: columns of features with the names, whole: as written, and as they sound.
        limit: most bits that rarity may add or take.
        family_from: least agreement (``levels.Level.agreement``) from which the
            family names are the same; from :data:`dedupe.rarity.AGREES` the names are.
    """

    columns: tuple[str, ...] = ("name_key", "name_readings")
    limit: float = 4.0
    family_from: float = 0.3

    def forms(self, features: pa.Table) -> tuple[Owned, ...]:
        """The names of all records: whole and as they sound; family name and initial; family
        name; and, of Chinese ones, the characters.
        """
        whole, keys, read = Owned.of_each(features, self.columns)
        return (
            whole,
            read.renamed(surnames_and_initials(read.texts)),
            read.renamed(_surnames(read.texts)),
            keys.renamed(pc.if_else(pa.array(_han(keys.texts)), keys.texts, "")),
        )

    def spaces(self, forms: tuple[Owned, ...], mine: np.ndarray) -> tuple[Space, ...]:
        """Count the names of some records (persons), each form for itself.

        Args:
            forms: of :meth:`forms`.
            mine: per record whether it is one of them.
        """
        found = []
        for form in forms:
            counted = Counted.of(form.among(mine))
            most = _most(counted.owner, counted.counts[counted.value], len(mine))
            others = np.maximum(most[most > 0], RARE) - OWN
            found.append(counted.space(float(others.mean()) if len(others) else 1.0))
        return tuple(found)

    def frequencies(
        self, forms: tuple[Owned, ...], mine: np.ndarray, spaces: tuple[Space, ...]
    ) -> "NameFrequencies":
        """Look the names of some records (persons) up.

        Args:
            forms: of :meth:`forms`.
            mine: per record whether it is one of them.
            spaces: of :meth:`spaces`.
        """
        return NameFrequencies(forms, self, mine, spaces)


class NameFrequencies:
    """Others with each record's name, ready to adjust pairs of persons."""

    def __init__(
        self,
        forms: tuple[Owned, ...],
        rarity: NameRarity,
        mine: np.ndarray,
        spaces: tuple[Space, ...],
    ) -> None:
        """Look the names of some records up."""
        self._rarity = rarity
        self._whole, self._initial, self._family, self._written = (
            _others(form.among(mine), len(mine), space)
            for form, space in zip(forms, spaces, strict=True)
        )
        self._characters = np.full(len(mine), -1, dtype=np.int64)
        self._characters[forms[-1].owner] = forms[-1].code

    def bits(self, left: np.ndarray, right: np.ndarray, agreement: np.ndarray) -> np.ndarray:
        """Bits per pair of feature rows; 0 where not even the family names agree.

        Args:
            left, right: rows of features.
            agreement: of the pairs' levels.
        """
        whole, initial, family, written = (
            np.minimum(bits[left], bits[right])
            for bits in (self._whole, self._initial, self._family, self._written)
        )
        one, other = self._characters[left], self._characters[right]
        sounding = np.where((one >= 0) & (other >= 0), whole, (whole + initial) / 2)
        named = np.where((one >= 0) & (one == other), written, sounding)
        result = np.where(agreement >= AGREES, named, family)
        result[agreement < self._rarity.family_from] = 0.0
        return np.clip(result, -self._rarity.limit, self._rarity.limit)


def surnames_and_initials(readings: pa.Array) -> pa.Array:
    """The family name and the first letter of the given name of each reading; else ''.

    >>> surnames_and_initials(pa.array(["ouyang qinghan", "li"])).to_pylist()
    ['ouyang q', '']
    """
    family, given = halves(readings, " ")
    both = pc.binary_join_element_wise(family, pc.utf8_slice_codeunits(given, 0, 1), " ")
    return pc.if_else(pc.greater(pc.fill_null(pc.binary_length(given), 0), 0), both, "")


def _surnames(readings: pa.Array) -> pa.Array:
    return halves(readings, " ")[0]


def _han(texts: pa.Array) -> np.ndarray:
    """Which texts have a Chinese character."""
    found = np.zeros(len(texts), dtype=bool)
    others = np.flatnonzero(pc.invert(pc.string_is_ascii(texts)))
    found[others] = [text.has_han(one) for one in texts.take(pa.array(others)).to_pylist()]
    return found


def _most(owner: np.ndarray, counts: np.ndarray, size: int) -> np.ndarray:
    """By row of features the largest count of its values; 0 where it has none."""
    most = np.zeros(size, dtype=np.int64)
    np.maximum.at(most, owner, counts)
    return most


def _others(owned: Owned, size: int, space: Space) -> np.ndarray:
    """Bits by row of features, of the row's most frequent value; 0 where it has none.

    Args:
        owned: values of the rows looked up.
        size: rows of features.
        space: how many records have each value.
    """
    most = _most(owned.owner, space.count_of(owned.texts)[owned.code], size)
    return np.where(most > 0, np.log2(space.mean / (np.maximum(most, RARE) - OWN)), 0.0)

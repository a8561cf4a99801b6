"""How much agreeing on a person's name is worth: few namesakes more, many less.

Of the records with one name some are the person's own. What makes an agreement
weak are the others, so a name is weighed by the records it has beyond
:data:`OWN`. A name in Latin letters is also counted by
family name and initial, because nicknames, initials and slips make its exact
spelling look rare; a Chinese name varies less and is counted as it is. Where
only the family names can be compared, those count.

Of two spellings the more frequent one counts: the other is the slip or the
short form. Given that two records agree, a name with n others is expected with
probability proportional to n among chance agreements, so it adds
log2(mean n / n) bits, where the mean is over all records.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.rarity import AGREES, RARE, Counted, Space, among, exploded
from rules import text

OWN = 1.5
"""Records with a name that are taken as one person's; a name of two that agree has others
for half a record at least."""


class NameRarity(NamedTuple):
    """Rarity of persons' names.

    Attributes:
        columns: columns of features with the names, whole.
        limit: most bits that rarity may add or take.
        family_from: least agreement (``levels.Level.agreement``) from which the
            family names are the same; from :data:`dedupe.rarity.AGREES` the names are.
    """

    columns: tuple[str, ...] = ("name_key", "name_readings")
    limit: float = 4.0
    family_from: float = 0.3

    def spaces(self, features: pa.Table, rows: np.ndarray) -> tuple[Space, ...]:
        """Count the names of the given rows of features (persons): whole, by family name
        and initial, by family name."""
        found = []
        for owner, values in _forms(features, self.columns):
            keep = among(owner, rows, features.num_rows)
            counted = Counted.of(owner[keep], values.filter(pa.array(keep)))
            most = _most(counted.owner, counted.counts[counted.value], features.num_rows)
            others = np.maximum(most[most > 0], RARE) - OWN
            found.append(counted.space(float(others.mean()) if len(others) else 1.0))
        return tuple(found)

    def frequencies(
        self, features: pa.Table, rows: np.ndarray, spaces: tuple[Space, ...]
    ) -> "NameFrequencies":
        """Look the names of the given rows of features (persons) up.

        Args:
            spaces: of :meth:`spaces`.
        """
        return NameFrequencies(features, self, rows, spaces)


class NameFrequencies:
    """Others with each record's name, ready to adjust pairs of persons."""

    def __init__(
        self,
        features: pa.Table,
        rarity: NameRarity,
        rows: np.ndarray,
        spaces: tuple[Space, ...],
    ) -> None:
        """Look the names of the given rows of features up."""
        self._rarity = rarity
        keys = features.column("name_key")
        self._whole, self._initial, self._family = (
            _others(*form, rows, features.num_rows, space)
            for form, space in zip(_forms(features, rarity.columns), spaces, strict=True)
        )
        self._han = np.asarray(_han(keys), dtype=bool)

    def bits(self, left: np.ndarray, right: np.ndarray, agreement: np.ndarray) -> np.ndarray:
        """Bits per pair of feature rows; 0 where not even the family names agree.

        Args:
            left, right: rows of features.
            agreement: of the pairs' levels.
        """
        whole, initial, family = (
            np.minimum(bits[left], bits[right])
            for bits in (self._whole, self._initial, self._family)
        )
        both_han = self._han[left] & self._han[right]
        named = np.where(both_han, whole, (whole + initial) / 2)
        result = np.where(agreement >= AGREES, named, family)
        result[agreement < self._rarity.family_from] = 0.0
        return np.clip(result, -self._rarity.limit, self._rarity.limit)


def surnames_and_initials(readings: pa.Array) -> pa.Array:
    """The family name and the first letter of the given name of each reading; else ''.

    >>> surnames_and_initials(pa.array(["ouyang qinghan", "li"])).to_pylist()
    ['ouyang q', '']
    """
    return pc.replace_substring_regex(readings, r"^(?:([^ ]* .).*|[^ ]* ?)$", r"\1")


def _surnames(readings: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(readings, " .*$", "")


def _han(keys: pa.ChunkedArray) -> list[bool]:
    coded = pc.fill_null(keys, "").combine_chunks().dictionary_encode()
    known = [text.has_han(key) for key in coded.dictionary.to_pylist()]
    return np.array(known, dtype=bool)[np.asarray(coded.indices)]


def _mapped(
    owner: np.ndarray, values: pa.Array, function: Callable[[pa.Array], pa.Array]
) -> tuple[np.ndarray, pa.Array]:
    """Owners and values of a function of distinct values, without empty ones."""
    coded = values.dictionary_encode()
    found = function(coded.dictionary).take(coded.indices)
    filled = np.asarray(pc.not_equal(found, ""))
    return owner[filled], found.filter(pa.array(filled))


def _forms(features: pa.Table, columns: tuple[str, ...]) -> Iterator[tuple[np.ndarray, pa.Array]]:
    """Owners and names: whole, family name and initial, family name."""
    yield exploded(features, columns)
    read = exploded(features, ("name_readings",))
    yield _mapped(*read, surnames_and_initials)
    yield _mapped(*read, _surnames)


def _most(owner: np.ndarray, counts: np.ndarray, size: int) -> np.ndarray:
    """By row of features the largest count of its values; 0 where it has none."""
    most = np.zeros(size, dtype=np.int64)
    np.maximum.at(most, owner, counts)
    return most


def _others(
    owner: np.ndarray, values: pa.Array, rows: np.ndarray, size: int, space: Space
) -> np.ndarray:
    """Bits by row of features, of the row's most frequent value; 0 where it has none.

    Args:
        owner, values: row of features and value, one each.
        rows: those looked up.
        size: rows of features.
        space: how many records have each value.
    """
    keep = among(owner, rows, size)
    coded = values.filter(pa.array(keep)).dictionary_encode()
    counts = space.count_of(coded.dictionary)[np.asarray(coded.indices)]
    most = _most(owner[keep], counts, size)
    return np.where(most > 0, np.log2(space.mean / (np.maximum(most, RARE) - OWN)), 0.0)

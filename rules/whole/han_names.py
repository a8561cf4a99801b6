"""Plain Chinese names of a whole column, as rules/plain_name.py reads each of them.

What belongs here: names of two or three characters with one reading, of which each
distinct character is looked at once. All other names are left to the closer look.

>>> full = pa.array([None, "欧阳伟", "王总", None])
>>> family, given = pa.array(["张", None, None, "李"]), pa.array(["伟明", None, None, "小姐"])
>>> found = read(full, family, given)
>>> found.rows.tolist(), found.columns["family_name"].to_pylist()
([0, 1], ['张', '欧阳'])
>>> found.columns["name_readings"].to_pylist()
[['zhang weiming'], ['ouyang wei']]
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rules import han_name, plain_name, romanization, text
from rules.whole.texts import Found, Ints, Mask, filled
from rules.whole.vocabulary import Vocabulary

Floats = npt.NDArray[np.floating[Any]]


def read(full: pa.Array, family: pa.Array, given: pa.Array) -> Found:
    """Read cells that hold whole names, family and given cells, and whole names in one of these.

    Cells beside a whole name are left to the closer look.
    """
    whole, last, first = filled(full), filled(family), filled(given)
    both = ~whole & last & first
    cells = [column.fill_null("") for column in (full, family, given)]
    written = pc.binary_join_element_wise(*cells, "")
    size = np.asarray(pc.utf8_length(written))
    rows = np.flatnonzero((~whole | ~(last | first)) & (size > 1) & (size < 4))
    names, both, size = written.take(pa.array(rows)), both[rows], size[rows]
    table, codes = _characters(names)
    front, between, behind = codes
    ends = np.where(size == 3, behind, between)
    good = table.plain[front] & table.plain[between] & (table.plain[behind] | (size == 2))
    good &= table.opens[front] & table.closes[ends]
    for said in (names, pc.utf8_slice_codeunits(names, -2)):
        good &= ~np.asarray(pc.is_in(said, value_set=plain_name.nobodies()))
    compound = _compounds().find(pc.utf8_slice_codeunits(names, 0, 2))
    is_compound = compound >= 0
    good &= ~(is_compound & (size == 2))
    if both.any():
        own, its = (column.take(pa.array(rows)) for column in (family, given))
        good &= ~both | _are_apart(own, its, table.weight[front], compound)
    surname = pc.if_else(
        pa.array(is_compound),
        _compounds().reading.take(pa.array(compound, mask=~is_compound)),
        table.surname.take(pa.array(front)),
    )
    second = np.where(is_compound, 0, between)
    spelled = (table.syllable.take(pa.array(place)) for place in (second, behind))
    readings = pc.binary_join_element_wise(surname, pc.binary_join_element_wise(*spelled, ""), " ")
    good &= np.asarray(readings.is_valid())
    return Found(rows[good], _columns(names, is_compound, readings, good))


def _columns(
    names: pa.Array, is_compound: Mask, readings: pa.Array, good: Mask
) -> dict[str, pa.Array]:
    kept = pa.array(good)
    names, readings = names.filter(kept), readings.filter(kept)
    long = pa.array(is_compound[good])

    def part(start: tuple[int, int], stop: tuple[int | None, int | None]) -> pa.Array:
        """From which character to which, for a family name of one and of two characters."""
        short, compound = (
            pc.utf8_slice_codeunits(names, begin, end)
            for begin, end in zip(start, stop, strict=True)
        )
        return pc.if_else(long, compound, short)

    each = pa.array(np.arange(len(names) + 1, dtype=np.int32))
    return {
        "name": names,
        "name_key": names,
        "name_readings": pa.ListArray.from_arrays(each, readings),
        "family_name": part((0, 0), (1, 2)),
        "given_name": part((1, 2), (None, None)),
    }


def _are_apart(family: pa.Array, given: pa.Array, weight: Floats, compound: Ints) -> Mask:
    """Whether two cells hold a surname and a given name that are no part of each other."""
    is_long = np.asarray(pc.equal(pc.utf8_length(family), 2).fill_null(False))
    is_short = np.asarray(pc.equal(pc.utf8_length(family), 1).fill_null(False))
    weight = np.where(is_long, _compounds().weight[compound], np.where(is_short, weight, -1.0))
    is_rare = np.asarray(pc.equal(pc.utf8_length(given), 1).fill_null(False))
    good = (weight >= np.where(is_rare, han_name.RARE, 0.0)) & ~(is_long & (compound < 0))
    last, first = (pc.utf8_slice_codeunits(column, 0, 1) for column in (family, given))
    good &= ~np.asarray(pc.equal(last, first).fill_null(False))
    good &= ~np.asarray(pc.equal(pc.utf8_slice_codeunits(family, 1, 2), given).fill_null(False))
    for column in (family, given):
        good &= ~np.asarray(pc.is_in(column, value_set=plain_name.nobodies()))
    return good


class _Table(NamedTuple):
    """What is known of characters, by their numbers; 0 is none.

    Attributes:
        plain: whether it is its own shown and key form.
        opens, closes: whether a name may begin, or end, with it here.
        weight: as a surname; -1: it is none.
        surname, syllable: its reading as a surname and in a given name; null: it has several.
    """

    plain: Mask
    opens: Mask
    closes: Mask
    weight: Floats
    surname: pa.Array
    syllable: pa.Array

    def joined(self, more: "_Table") -> "_Table":
        """These characters and the next ones."""
        pairs = zip(self, more, strict=True)
        return _Table(
            *(
                pa.concat_arrays(pair) if isinstance(pair[0], pa.Array) else np.concatenate(pair)
                for pair in pairs
            )
        )


def _look(characters: list[str]) -> _Table:
    known = [romanization.surnames().get(character) for character in characters]
    spelled = [text.readings(character) or [""] for character in characters]
    families = [
        own.pinyin if own else readings for own, readings in zip(known, spelled, strict=True)
    ]
    return _Table(
        plain=np.array([plain_name.is_simplified(character) for character in characters]),
        opens=np.array([character not in han_name.BEFORE for character in characters]),
        closes=np.array([character not in han_name.titles() for character in characters]),
        weight=np.array([own.weight if own else -1.0 for own in known]),
        surname=_only(families),
        syllable=_only(spelled),
    )


def _only(readings: list[Any]) -> pa.Array:
    """The reading of those that have one."""
    return pa.array([own[0] if len(own) == 1 else None for own in readings], pa.string())


@cache
def _vocabulary() -> Vocabulary[_Table]:
    return Vocabulary(_look)


def _characters(names: pa.Array) -> tuple[_Table, list[Ints]]:
    """What is known of characters, and the first, second and third of each name."""
    split = [pc.utf8_slice_codeunits(names, place, place + 1) for place in range(3)]
    table, numbers = _vocabulary().of(pa.concat_arrays(split))
    return table, np.split(numbers, 3)


class _Compounds(NamedTuple):
    """Surnames of two characters; ``reading`` is null where there are several."""

    names: pa.Array
    weight: Floats
    reading: pa.Array

    def find(self, names: pa.Array) -> Ints:
        """Which one each name is; -1: none."""
        found: Ints = pc.index_in(names, value_set=self.names).fill_null(-1).to_numpy()
        return found


@cache
def _compounds() -> _Compounds:
    known = {name: own for name, own in romanization.surnames().items() if len(name) == 2}
    return _Compounds(
        pa.array(list(known), pa.string()),
        np.array([own.weight for own in known.values()]),
        _only([own.pinyin for own in known.values()]),
    )

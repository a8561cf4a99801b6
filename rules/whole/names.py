"""Plain western names of a whole column, as rules/plain_name.py reads each of them.

What belongs here: the names of two or three words, of which each distinct word is
looked at once. What is known of a word, and all other names, stand there. One of the words
may be a Chinese surname, too, where the name as a Chinese one is far less likely.

>>> full, family = pa.array([None, "Bob Harper", None]), pa.array(["Lee", None, "smith"])
>>> found = read(full, family, pa.array(["Ann", None, "bill J."]), np.zeros(3, dtype=bool))
>>> found.rows.tolist(), found.columns["name"].to_pylist()
([1, 2], ['Bob Harper', 'Bill J Smith'])
>>> found.columns["name_readings"].to_pylist()[1][:2]
['smith bill', 'smith robert']
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rules import latin_name, plain_name
from rules.text import READINGS_LIMIT
from rules.whole.texts import Bytes, Found, Ints, Mask, filled
from rules.whole.vocabulary import Vocabulary

Floats = npt.NDArray[np.floating[Any]]

_NAME = r"^[A-Za-z]+ ([A-Za-z]+\.? )?[A-Za-z]+$"


def read(full: pa.Array, family: pa.Array, given: pa.Array, is_abroad: Mask) -> Found:
    """Read cells that hold whole names, and family and given cells where the whole name is empty.

    Cells beside a whole name are left to the closer look.

    Args:
        full, family, given: as in ``plain_name.read``; null for none.
        is_abroad: of which cells the country is none where Chinese names are common.
    """
    whole, last, first = filled(full), filled(family), filled(given)
    own = Bytes(family)
    one_word = np.ones(len(full), dtype=bool)
    one_word[own.rows_with(own.data == ord(" "))] = False
    in_cells = ~whole & last & first & one_word
    alone = whole & ~last & ~first
    rows = np.flatnonzero(in_cells | alone)
    at = pa.array(rows)
    written = pc.if_else(
        pa.array(alone[rows]),
        full.take(at),
        pc.binary_join_element_wise(given.take(at), family.take(at), " "),
    )
    plain = np.asarray(pc.match_substring_regex(written, _NAME))
    rows, written = rows[plain], written.filter(pa.array(plain))
    if not len(rows):
        return Found(rows, {})
    table, front, between, behind = _words(written)
    cells = in_cells[rows]
    order = _order(table, front, between, behind, cells, is_abroad[rows])
    good = order.good & ~np.asarray(_is_nobody(written, ~cells))
    return Found(rows[good], _columns(table, order.only(good)))


class _Table(NamedTuple):
    """What is known of words, by their numbers; 0 is no word.

    Attributes:
        good: whether a name with it may be read here.
        given, family: logarithmic shares.
        capitals: 1 or 0; -1: an initial.
        nobody, leads: whether alone, or with a word behind it, it may name nobody.
        surname: as of ``latin_name.surname_bound``.
        words, shown, spelling: texts; nothing is shown of no word.
        sizes, starts, formal: its spelling and the formal names for which it may be short: how
            many, where they begin, all of them.
    """

    good: Mask
    given: Floats
    family: Floats
    capitals: Ints
    nobody: Mask
    leads: Mask
    surname: Floats
    words: pa.Array
    shown: pa.Array
    spelling: pa.Array
    sizes: Ints
    starts: Ints
    formal: pa.Array

    def joined(self, more: "_Table") -> "_Table":
        """These words and the next ones."""
        more = more._replace(starts=more.starts + len(self.formal))
        pairs = zip(self, more, strict=True)
        return _Table(
            *(
                pa.concat_arrays(pair) if isinstance(pair[0], pa.Array) else np.concatenate(pair)
                for pair in pairs
            )
        )


def _look(words: list[str]) -> _Table:
    known = [plain_name.look_up(word) for word in words]
    entries = [word or plain_name.NO_WORD for word in known]
    formal = [plain_name.with_formal(word.spelling) for word in entries]
    sizes = np.fromiter(map(len, formal), np.int64, len(formal))
    initials = (-1 if word.capitals is None else word.capitals for word in entries)
    return _Table(
        good=np.array([word is not None for word in known]),
        given=np.array([word.given for word in entries]),
        family=np.array([word.family for word in entries]),
        capitals=np.fromiter(initials, np.int8, len(entries)),
        nobody=np.array([word.is_nobody for word in entries]),
        leads=np.array([word.leads_to_nobody for word in entries]),
        surname=np.array([word.surname for word in entries]),
        words=pa.array(words, pa.string()),
        shown=pa.array([word.shown or None for word in entries], pa.string()),
        spelling=pa.array([word.spelling for word in entries], pa.string()),
        sizes=sizes,
        starts=np.cumsum(sizes) - sizes,
        formal=pa.array([name for names in formal for name in names], pa.string()),
    )


@cache
def _vocabulary() -> Vocabulary[_Table]:
    return Vocabulary(_look)


class _Order(NamedTuple):
    """Which word is which, one number per row; ``good`` if that is plain.

    ``other_family`` and ``other_given`` are those of another order, if ``close`` it is as good.
    """

    good: Mask
    family: Ints
    given: Ints
    middle: Ints
    close: Mask
    other_family: Ints
    other_given: Ints

    def only(self, rows: Mask) -> "_Order":
        """Some rows of it."""
        return _Order(
            good=self.good[rows],
            family=self.family[rows],
            given=self.given[rows],
            middle=self.middle[rows],
            close=self.close[rows],
            other_family=self.other_family[rows],
            other_given=self.other_given[rows],
        )


def _words(names: pa.Array) -> tuple[_Table, Ints, Ints, Ints]:
    """The distinct words, and the first, the middle and the last of each name."""
    split = pc.split_pattern(names, " ")
    table, numbers = _vocabulary().of(pc.ascii_rtrim(split.values, "."))
    at = split.offsets.to_numpy()
    starts, sizes = at[:-1] - at[0], np.diff(at)
    between = np.where(sizes == 3, numbers[starts + 1], 0)
    return table, numbers[starts], between, numbers[starts + sizes - 1]


def _order(
    table: _Table, front: Ints, between: Ints, behind: Ints, cells: Mask, is_abroad: Mask
) -> _Order:
    """As ``plain_name.read`` weighs the orders.

    Args:
        cells: whether the last word stands in a cell for family names.
        is_abroad: as in :func:`read`.
    """
    three = between != 0
    good = table.good[front] & (table.good[between] | ~three) & table.good[behind]
    for one, other in ((front, behind), (between, front), (between, behind)):
        mine, its = table.capitals[one], table.capitals[other]
        good &= ~((mine != its) & (mine >= 0) & (its >= 0))
    nobody = np.where(three, table.leads[front], table.nobody[front]) | table.nobody[behind]
    good &= ~(cells & nobody)
    best = table.given[front] + table.family[behind] + 0.0
    middle = np.where(three, between, front)
    swapped = table.given[behind] + table.family[middle] + latin_name.SWAPPED
    shown = np.where(table.capitals[between] < 0, -4.0, -0.5)
    initial_last = (table.capitals[behind] < 0) & (table.capitals[front] >= 0)
    shown = np.where(three, np.where(initial_last, 2.5, shown), 0.0)
    first_given = np.where(three, between, behind)
    reversed_ = table.given[first_given] + table.family[front] + (latin_name.REVERSED + shown)
    other = np.where(cells, swapped, reversed_)
    good &= ~(cells & three & (other >= best - latin_name.CLOSE))
    rows = np.flatnonzero(np.max(table.surname[[front, between, behind]], axis=0) > -np.inf)
    bound = _chinese_bound(table, front[rows], between[rows], behind[rows])
    western = np.maximum(best, other)[rows] - latin_name.CLOSE - _MARGIN
    good[rows] &= is_abroad[rows] & (bound < western)
    turned = other > best
    close = np.where(turned, best, other) >= np.where(turned, other, best) - latin_name.CLOSE
    one, other_one = (table.spelling.take(pa.array(words)) for words in (front, behind))
    good &= ~(close & np.asarray(pc.equal(one, other_one)))  # readings come twice
    turned_given = np.where(cells, behind, first_given)
    return _Order(
        good=good,
        family=np.where(turned, front, behind),
        given=np.where(turned, turned_given, front),
        middle=np.where(turned, np.where(three & ~cells, behind, 0), between),
        close=close,
        other_family=np.where(turned, behind, front),
        other_given=np.where(turned, front, first_given),
    )


_MARGIN = 1e-6
"""More than two sums of the same numbers in another order differ."""


def _chinese_bound(table: _Table, front: Ints, between: Ints, behind: Ints) -> Floats:
    """No reading of the words as a Chinese name, in whatever order, scores more abroad."""
    words, at = np.unique(np.concatenate([front, between, behind]), return_inverse=True)
    texts = table.words.take(pa.array(words)).to_pylist()
    beside = np.array([latin_name.beside_surname_bound(word) if word else 0.0 for word in texts])
    first, middle, last = beside[at].reshape(3, -1)
    no_middle = between == 0
    best = np.full(len(front), -np.inf)
    for surname, one, other, alone in (
        (front, last, middle, no_middle),
        (between, first, last, False),
        (behind, first, middle, no_middle),
    ):
        given = np.where(alone, one, np.maximum(one, other))
        possible = (one > -np.inf) & (alone | (other > -np.inf))
        best = np.maximum(best, table.surname[surname] + np.where(possible, given, -np.inf))
    return best


def _is_nobody(names: pa.Array, whole: Mask) -> Mask:
    """Which whole names name nobody."""
    said = pc.is_in(pc.ascii_lower(names), value_set=plain_name.nobodies_of_words())
    found: Mask = np.asarray(said) & whole
    return found


def _columns(table: _Table, order: _Order) -> dict[str, pa.Array]:
    family, given, middle = (
        table.shown.take(pa.array(words)) for words in (order.family, order.given, order.middle)
    )
    shown = pc.binary_join_element_wise(given, middle, family, " ", null_handling="skip")
    return {
        "name": shown,
        "name_key": pc.ascii_lower(pc.binary_join_element_wise(family, given, "")),
        "name_readings": _readings(table, order),
        "family_name": family,
        "given_name": given,
        "middle_name": middle,
    }


def _readings(table: _Table, order: _Order) -> pa.Array:
    """Family name and given name, or what it may be short for; then those of the other order."""
    own = table.sizes[order.given]
    more = np.where(order.close, table.sizes[order.other_given], 0)
    more = np.minimum(more, READINGS_LIMIT - own)
    ends = np.cumsum(own + more)
    row = np.repeat(np.arange(len(own)), own + more)
    place = np.arange(len(row)) - np.repeat(ends - own - more, own + more)
    is_more = place >= own[row]
    family = np.where(is_more, order.other_family[row], order.family[row])
    given = np.where(is_more, order.other_given[row], order.given[row])
    formal = table.starts[given] + np.where(is_more, place - own[row], place)
    texts = pc.binary_join_element_wise(
        table.spelling.take(pa.array(family)), table.formal.take(pa.array(formal)), " "
    )
    return pa.ListArray.from_arrays(pa.array(np.append(0, ends).astype(np.int32)), texts)

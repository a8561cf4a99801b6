"""How persons' names are prepared for comparing: columns of codes, one row per name.

What belongs here: the parts of names and what is derived from them, worked out
once per distinct text. Comparing stands in person_name, person_han,
person_latin and person_cross.
"""

from collections.abc import Callable, Iterable
from functools import cache, cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing.columns import Ints, Mask, Rows, as_array
from dedupe.comparing.measures import Vocabulary, distinct_codes, list_sizes
from dedupe.comparing.ragged import Ragged, joined
from rules import person_name as person_rule
from rules import tables, text

PARTS = ("key", "family", "given", "middle", "suffix")
SCHEMA = pa.schema([*((part, pa.string()) for part in PARTS), ("readings", pa.list_(pa.string()))])
"""Names to be prepared: all parts folded, words of a part separated by one blank; missing ones
null or empty. key is the full name without blanks, readings ``family given`` in Latin letters."""


class PersonForms:
    """Names of persons, one per row.

    Attributes:
        texts: the text of every code.
        key: the full name without blanks.
        family, given: family and given name without blanks.
        given_words: words of the given name (more than one for ``wei ming``).
        middle: middle names or initials.
        middle_key: all of them in one text.
        suffix: jr, sr, ii and the like.
        han: whether the name is written in Chinese characters.
        readings: ``family given`` in every romanization: numbers of their own, no codes of texts.
    """

    def __init__(self, names: pa.Table) -> None:
        """Prepare names.

        Args:
            names: of SCHEMA.
        """
        parts = {name: as_array(names.column(name)) for name in SCHEMA.names}
        split = {name: pc.split_pattern(parts[name], " ") for name in ("given", "middle")}
        self.texts = texts = Vocabulary(
            parts["key"],
            parts["suffix"],
            *(_closed(parts[name]) for name in ("family", "given")),
            parts["middle"],
            *(pc.list_flatten(words) for words in split.values()),
        )
        self.key, self.suffix, self.family, self.given, self.middle_key, *words = texts.columns
        self.given_words, self.middle = (
            _filled(list_sizes(lists), codes)
            for lists, codes in zip(split.values(), words, strict=True)
        )
        read = pc.list_flatten(parts["readings"]).dictionary_encode()
        self._read_as = read.dictionary
        self.readings = Ragged.sized(list_sizes(parts["readings"]), np.asarray(read.indices))
        named = np.where(self.family > 0, self.family, self.key)
        self.han: Mask = np.zeros(len(named), dtype=bool)
        letters = np.flatnonzero(~texts.ascii[named])
        self.han[letters] = texts.facts(named[letters], text.has_han)

    def __len__(self) -> int:
        return len(self.key)

    @cached_property
    def words(self) -> Ragged:
        """Given names, middle names and the family name."""
        family = Ragged.sized((self.family > 0).astype(np.int64), self.family[self.family > 0])
        return joined([self.given_words, self.middle, family])

    @cached_property
    def first_given(self) -> Ints:
        """The first word of the given name."""
        filled = self.given_words.sizes > 0
        result = np.zeros(len(self), dtype=np.int32)
        result[filled] = self.given_words.values[self.given_words.starts[filled]]
        return result

    @cached_property
    def letters(self) -> Ints:
        """Letters of the given and the middle names."""
        length = self.texts.length
        words = (self.given_words, self.middle)
        return sum((lists.sums(length[lists.values]) for lists in words), np.zeros(len(self), int))

    def given_and_middle(self, rows: Rows) -> Ints:
        """Given and middle names of some rows, without blanks."""
        used, place = distinct_codes(rows)
        words = joined([self.given_words.take(used), self.middle.take(used)])
        return self.texts.run_together(words)[place]

    @cached_property
    def family_readings(self) -> Ragged:
        """Pinyin of Chinese family names, none of Latin ones."""
        return self._read(self.family, lambda reading: reading.partition(" ")[0])

    @cached_property
    def given_readings(self) -> Ragged:
        """Pinyin of Chinese given names without blanks, none of Latin ones."""
        return self._read(self.given, lambda reading: reading.partition(" ")[2].replace(" ", ""))

    @cached_property
    def family_spellings(self) -> Ragged:
        """Other romanizations of Chinese family names."""
        return self.texts.derived_lists(self.family, spellings)

    def _read(self, part: Ints, of_reading: Callable[[str], str]) -> Ragged:
        """Readings of one part of Chinese names: as staged, else by the dictionary."""
        staged = self.readings.only(self.han[self.readings.owners()])
        distinct, inverse = distinct_codes(staged.values)
        shown = self._read_as.take(pa.array(distinct)).to_pylist()
        codes = self.texts.codes(map(of_reading, shown))[inverse]
        staged = _filled(staged.sizes, codes)
        silent = np.where(self.han & (self.readings.sizes == 0), part, 0)
        return joined([staged, self.texts.derived_lists(silent, text.readings)])


def _closed(part: pa.Array) -> pa.Array:
    return pc.replace_substring(part, " ", "")


def _filled(sizes: Ints, codes: Ints) -> Ragged:
    """Lists of codes, without empty texts."""
    lists = Ragged.sized(sizes, codes)
    return lists if codes.all() else lists.only(codes > 0)


def spellings(family: str) -> tuple[str, ...]:
    """Other romanizations of a Chinese family name.

    >>> "cheung" in spellings("张"), spellings("smith")
    (True, ())
    """
    return _spellings().get(family, ())


@cache
def _spellings() -> dict[str, tuple[str, ...]]:
    return {row[0]: tuple(row[2].split()) for row in tables.rows("surnames") if len(row) > 2}


def parsed(shown: Iterable[str]) -> pa.Table:
    """Names as shown, read by the field rule: one row of SCHEMA each."""
    return pa.Table.from_pylist([_parsed(name) for name in shown], schema=SCHEMA)


@lru_cache(maxsize=1 << 16)
def _parsed(shown: str) -> dict[str, object]:
    name = person_rule.parse(shown)
    parts = (name.family_name, name.given_name, name.middle_name, name.suffix)
    return dict(
        zip(
            SCHEMA.names,
            (name.key, *(split_words(p or "") for p in parts), name.readings),
            strict=True,
        )
    )


def split_words(shown: str) -> str:
    """Folded words of a name part, separated by one blank; apostrophes join.

    >>> split_words("Wei-Ming"), split_words("O'Brien"), split_words("張")
    ('wei ming', 'obrien', '张')
    """
    if shown.isascii() and shown.isalpha():
        return shown.lower()
    folded = text.fold_words(shown).replace("'", "").replace(".", " ")
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())

"""The levels of persons' names, and pairs of names.

What belongs here: what the comparisons of every script need.
"""

from typing import NamedTuple

import numpy as np

from dedupe.comparing import characters
from dedupe.comparing.columns import Ints, Mask, Rows
from dedupe.comparing.measures import Vocabulary, distinct_pairs
from dedupe.comparing.person_forms import PersonForms
from dedupe.levels import LEVELS
from rules.customer import PERSON

_LEVEL = {level.name: number for number, level in enumerate(LEVELS[PERSON]["name"])}
UNLIKE, CONFLICT, GIVEN_ONLY, FAMILY_ONLY, GIVEN_NEAR, ONE_CHARACTER = (
    _LEVEL[name]
    for name in ("unlike", "conflict", "given_only", "family_only", "given_near", "one_character")
)
NO_GIVEN, SUFFIX, BOTH_NEAR, INITIAL = (
    _LEVEL[name] for name in ("no_given", "suffix", "both_near", "initial")
)
CONFUSABLE, SHORT_FORM, SCRIPT, EQUAL, FULL = (
    _LEVEL[name] for name in ("confusable", "short_form", "script", "equal", "full")
)


class Pairs(NamedTuple):
    """Pairs of names.

    Attributes:
        forms: the names.
        a, b: rows of forms, one per pair.
    """

    forms: PersonForms
    a: Rows
    b: Rows

    def at(self, rows: Rows | Mask) -> "Pairs":
        """Some of the pairs."""
        return Pairs(self.forms, self.a[rows], self.b[rows])

    @property
    def both_given(self) -> Mask:
        """Where both have a given name."""
        return (self.forms.given[self.a] > 0) & (self.forms.given[self.b] > 0)

    @property
    def families(self) -> tuple[Ints, Ints]:
        """Codes of both family names."""
        return self.forms.family[self.a], self.forms.family[self.b]

    @property
    def givens(self) -> tuple[Ints, Ints]:
        """Codes of both given names."""
        return self.forms.given[self.a], self.forms.given[self.b]

    @property
    def keys(self) -> tuple[Ints, Ints]:
        """Codes of both whole names."""
        return self.forms.key[self.a], self.forms.key[self.b]


def near(texts: Vocabulary, a: Ints, b: Ints) -> Mask:
    """One slip (two in long words): a letter lost, doubled, swapped or changed."""
    result: Mask = (a > 0) & (b > 0)
    result[result] = texts.slips(a[result], b[result], 9)
    return result


def prefixed(texts: Vocabulary, a: Ints, b: Ints) -> Mask:
    """Where one text begins with the other."""
    result: Mask = texts.common_start(a, b) == texts.shorter(a, b)
    return result


def related(texts: Vocabulary, a: Ints, b: Ints) -> Mask:
    """Where two given names are nicknames of each other or of one name.

    >>> names = Vocabulary()
    >>> related(names, names.codes(["bill", "artie"]), names.codes(["william", "arthur"])).tolist()
    [True, True]
    >>> related(names, names.codes(["bill", "mary"]), names.codes(["james", "mark"])).tolist()
    [False, False]
    """
    low, high, inverse = distinct_pairs(a, b)
    known = [texts.derived_lists(codes, characters.given_set) for codes in (low, high)]
    every = np.arange(len(low))
    found = known[0].share(every, known[1], every)
    for short, name in ((low, high), (high, low)):
        stem = texts.derived(short, characters.diminutive_stem)
        rows = np.flatnonzero(~found & (stem > 0) & (texts.length[name] > texts.length[short]))
        found[rows] = texts.starts(name[rows], stem[rows])
    return found[inverse]

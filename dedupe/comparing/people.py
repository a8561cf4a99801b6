"""Contacts, employers and branches: two records to a level.

What belongs here: names inside a record other than its own.
"""

from functools import lru_cache

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import OSA

from dedupe.comparing import names, organization_level, organization_name, person_name
from dedupe.comparing.columns import (
    WIDTH,
    Levels,
    Mask,
    Rows,
    encode,
    encode_lists,
    per_distinct_pair,
)
from dedupe.levels import MISSING
from rules import person_name as person_rule
from rules import place_names, text

DIFFERENT, SIMILAR, AGREES = 0, 1, 2
BRANCH_OTHER, BRANCH_PARENT, BRANCH_SAME = 0, 1, 2


def contact_levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """The best level over contact persons and legal representatives; -1 where either has none."""
    contacts = encode_lists(features.column("contacts").combine_chunks(), WIDTH)
    initials = np.array([*map(_initials, contacts.values), 0], dtype=np.int64)
    result = np.full(len(left), MISSING, dtype=np.int8)

    def level(a: int, b: int) -> int:
        if a == b:
            return AGREES
        return _contact(contacts.values[a], contacts.values[b])

    for i in range(contacts.codes.shape[1]):
        for j in range(contacts.codes.shape[1]):
            a, b = contacts.codes[left, i], contacts.codes[right, j]
            both = (a >= 0) & (b >= 0)
            result[both] = np.maximum(result[both], DIFFERENT)
            alike = both & ((initials[a] & initials[b]) != 0)
            if alike.any():
                found = per_distinct_pair(a[alike], b[alike], level)
                result[alike] = np.maximum(result[alike], found)
    return result


def _initials(shown: str) -> int:
    """A bit per initial of a name's words; contacts without a common one are not compared.

    >>> _initials("王丽") & _initials("Wang Li") != 0, _initials("王丽") & _initials("赵强")
    (True, 0)
    """
    bits = 0
    for word in shown.split():
        for reading in text.readings(word[0]):
            bits |= 1 << (ord(reading[0]) % 31)
    return bits


@lru_cache(maxsize=1 << 16)
def _person(shown: str) -> person_name.PersonForm:
    return names.person_form(person_rule.parse(shown))


@lru_cache(maxsize=1 << 16)
def _contact(a: str, b: str) -> int:
    """Two contacts' names to a level.

    >>> _contact("王丽", "王丽"), _contact("王丽", "赵强")
    (2, 0)
    """
    if a.isascii() and b.isascii() and not _share_a_word(a, b):
        return DIFFERENT
    level = person_name.compare(_person(a), _person(b))
    if level >= person_name.SUFFIX:
        return AGREES
    return SIMILAR if level in (person_name.NO_GIVEN, person_name.GIVEN_NEAR) else DIFFERENT


def _share_a_word(a: str, b: str) -> bool:
    """Whether two Latin names have a word in common, or one that may be a slip of another.

    Without a family name in common contacts are different, whatever else they share.

    >>> _share_a_word("Ann Lee", "A. Leee"), _share_a_word("Ann Lee", "Abe Long")
    (True, False)
    """
    left, right = (
        {word for word in text.fold_words(name).split() if len(word) > 1} for name in (a, b)
    )
    if left & right:
        return True
    return any(
        OSA.distance(x, y, score_cutoff=2) <= (1 if min(len(x), len(y)) < 5 else 2)
        for x in left
        for y in right
    )


def employer_levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Levels of the organizations that persons work at; -1 where either names none."""
    employers = encode(features.column("employer").combine_chunks())
    a, b = employers.codes[left], employers.codes[right]
    result = np.full(len(left), MISSING, dtype=np.int8)
    both = (a >= 0) & (b >= 0)

    def level(x: int, y: int) -> int:
        return AGREES if x == y else _employer(employers.values[x], employers.values[y])

    if both.any():
        result[both] = per_distinct_pair(a[both], b[both], level)
    return result


def _employer(a: str, b: str) -> int:
    level = organization_name.compare(names.parsed_organization(a), names.parsed_organization(b))
    if level >= organization_level.SHORT_FORM:
        return AGREES
    return SIMILAR if level >= organization_level.NEAR else DIFFERENT


def source_levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Whether two records are from one source; -1 where all records are, or their types differ.

    A source lists most of its customers once, so two of its records are two
    customers more often than two records of two sources.
    """
    sources = encode(features.column("source").combine_chunks())
    if len(sources.values) < 2:
        return np.full(len(left), MISSING, dtype=np.int8)
    return (sources.codes[left] != sources.codes[right]).astype(np.int8)


def branch_levels(features: pa.Table, left: Rows, right: Rows) -> tuple[Levels, Mask]:
    """Levels of branches; -1 where neither is one, or a name may have lost its branch.

    Returns:
        the levels; and where one is a branch and the other's name, which was cut or
        is a short form without legal form, may be that of the branch or of the whole.
    """
    branches = encode(features.column("branch").combine_chunks())
    form = np.asarray(features.column("org_legal_form").combine_chunks().is_valid())
    silent = np.asarray(features.column("name_cut")) | ~form
    a, b = branches.codes[left], branches.codes[right]
    result = np.full(len(left), MISSING, dtype=np.int8)
    one = (a >= 0) != (b >= 0)
    regions = encode(features.column("org_region").combine_chunks())
    known = {region: code for code, region in enumerate(regions.values)}
    of_branch = np.array([*(known.get(place, -2) for place in branches.values), -2])
    branch_side, whole_side = np.where(a >= 0, left, right), np.where(a >= 0, right, left)
    place, its_own = of_branch[branches.codes[branch_side]], regions.codes[branch_side]
    called_so = (place == regions.codes[whole_side]) & (place != its_own)
    either = one & silent[whole_side]
    result[one & ~either] = BRANCH_PARENT
    result[either & called_so] = BRANCH_SAME
    either &= ~called_so
    both = (a >= 0) & (b >= 0)

    def level(x: int, y: int) -> int:
        return _branch(branches.values[x], branches.values[y])

    if both.any():
        result[both] = per_distinct_pair(a[both], b[both], level)
    return result, either


def _branch(a: str, b: str) -> int:
    """Two branches to a level.

    >>> _branch("杭州分公司", "杭州分公司"), _branch("杭州", "杭州分公司")
    (2, 2)
    >>> _branch("宁波分公司", "杭州分公司"), _branch("宁波", "宁海"), _branch("信阳", "信央")
    (0, 0, 2)
    """
    if a == b or a.startswith(b) or b.startswith(a):
        return BRANCH_SAME
    misspelled = not (place_names.short_name(a) and place_names.short_name(b))
    if misspelled and OSA.distance(a, b, score_cutoff=1) <= 1 and min(len(a), len(b)) > 1:
        return BRANCH_SAME
    return BRANCH_OTHER

"""Contacts, employers and branches: two records to a level.

What belongs here: names inside a record other than its own.
"""

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import OSA

from dedupe.comparing import (
    names,
    organization_level,
    organization_name,
    person_forms,
    person_level,
    person_name,
)
from dedupe.comparing.columns import (
    WIDTH,
    Ints,
    Levels,
    Mask,
    Rows,
    as_array,
    encode,
    encode_lists,
    per_distinct_pair,
)
from dedupe.comparing.measures import Vocabulary, distinct_pairs
from dedupe.comparing.person_forms import PersonForms
from dedupe.levels import MISSING
from rules import place_names, text

DIFFERENT, SIMILAR, AGREES = 0, 1, 2
BRANCH_OTHER, BRANCH_PARENT, BRANCH_SAME = 0, 1, 2


def contact_levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """The best level over contact persons and legal representatives; -1 where either has none."""
    contacts = encode_lists(as_array(features.column("contacts")), WIDTH)
    initials = np.array([*map(_initials, contacts.values), 0], dtype=np.int64)
    result = np.full(len(left), MISSING, dtype=np.int8)
    slots = range(contacts.codes.shape[1])
    found = []
    for i in slots:
        for j in slots:
            a, b = contacts.codes[left, i], contacts.codes[right, j]
            both = (a >= 0) & (b >= 0)
            result[both] = np.maximum(result[both], DIFFERENT)
            rows = np.flatnonzero(both & ((initials[a] & initials[b]) != 0))
            found.append((rows, a[rows], b[rows]))
    rows, a, b = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if len(rows):
        first, second, inverse = distinct_pairs(a, b)
        np.maximum.at(result, rows, _contacts(contacts.values, first, second)[inverse])
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


def _contacts(names: list[str], a: Ints, b: Ints) -> Levels:
    """Pairs of contacts' names to levels.

    >>> _contacts(["王丽", "赵强"], np.array([0, 0]), np.array([0, 1])).tolist()
    [2, 0]
    """
    result = np.where(a == b, AGREES, DIFFERENT).astype(np.int8)
    rows = np.flatnonzero((a != b) & _may_share_family(names, a, b))
    used, place = np.unique(np.concatenate([a[rows], b[rows]]), return_inverse=True)
    forms = PersonForms(person_forms.parsed(names[code] for code in used))
    level = person_name.compare(forms, place[: len(rows)], place[len(rows) :])
    similar = np.isin(level, [person_level.NO_GIVEN, person_level.GIVEN_NEAR])
    result[rows[similar]] = SIMILAR
    result[rows[level >= person_level.SUFFIX]] = AGREES
    return result


def _may_share_family(names: list[str], a: Ints, b: Ints) -> Mask:
    """Whether two Latin names have a word in common, or one that may be a slip of another.

    Without a family name in common contacts are different, whatever else they share.

    >>> names = ["Ann Lee", "A. Leee", "Abe Long"]
    >>> _may_share_family(names, np.array([0, 0]), np.array([1, 2])).tolist()
    [True, False]
    """
    texts = Vocabulary()
    whole = texts.codes(names)
    words = texts.derived_lists(whole, lambda name: text.fold_words(name).split())
    words = words.only(texts.length[words.values] > 1)
    latin = texts.ascii[whole]
    result = ~(latin[a] & latin[b])
    rows = np.flatnonzero(~result)
    cross = words.cross(a[rows], words, b[rows])
    slips = np.where(texts.shorter(cross.left, cross.right) < 5, 1, 2)
    result[rows[cross.pair[texts.within(cross.left, cross.right, slips)]]] = True
    return result


def employer_levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Levels of the organizations that persons work at; -1 where either names none."""
    employers = encode(as_array(features.column("employer")))
    a, b = employers.codes[left], employers.codes[right]
    result = np.full(len(left), MISSING, dtype=np.int8)
    both = (a >= 0) & (b >= 0)

    if both.any():
        first, second, inverse = distinct_pairs(a[both], b[both])
        result[both] = _employers(employers.values, first, second)[inverse]
    return result


def _employers(shown: list[str], a: Ints, b: Ints) -> Levels:
    """Pairs of employers' names to levels."""
    result = np.where(a == b, AGREES, DIFFERENT).astype(np.int8)
    rows = np.flatnonzero(a != b)
    used, place = np.unique(np.concatenate([a[rows], b[rows]]), return_inverse=True)
    parsed = [names.parsed_organization(shown[code]) for code in used]
    level = organization_name.compare(parsed, place[: len(rows)], place[len(rows) :])
    result[rows[level >= organization_level.NEAR]] = SIMILAR
    result[rows[level >= organization_level.SHORT_FORM]] = AGREES
    return result


def source_levels(features: pa.Table, left: Rows, right: Rows, several: bool) -> Levels:
    """Whether two records are from one source; -1 where all records are.

    A source lists most of its customers once, so two of its records are two
    customers more often than two records of two sources.

    Args:
        features: rows of features.build.
        left, right: row numbers, one per pair.
        several: whether all records there are are of several sources.
    """
    sources = encode(as_array(features.column("source")))
    if not several:
        return np.full(len(left), MISSING, dtype=np.int8)
    return (sources.codes[left] != sources.codes[right]).astype(np.int8)


def branch_levels(features: pa.Table, left: Rows, right: Rows) -> tuple[Levels, Mask]:
    """Levels of branches; -1 where neither is one, or a name may have lost its branch.

    Returns:
        the levels; and where one is a branch and the other's name, which was cut or
        is a short form without legal form, may be that of the branch or of the whole.
    """
    branches = encode(as_array(features.column("branch")))
    form = np.asarray(as_array(features.column("org_legal_form")).is_valid())
    silent = np.asarray(features.column("name_cut")) | ~form
    a, b = branches.codes[left], branches.codes[right]
    result = np.full(len(left), MISSING, dtype=np.int8)
    one = (a >= 0) != (b >= 0)
    regions = encode(as_array(features.column("org_region")))
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

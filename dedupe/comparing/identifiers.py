"""Identity and registration numbers, and birth dates: two records to a level.

What belongs here: what agreement of numbers means. Checking and repairing a
number stands in ``rules.identifier``, which gives every comparable form of it
as ``kind:value``.
"""

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from dedupe.comparing.columns import Ints, Levels, Mask, Rows, derive, encode_lists
from dedupe.levels import MISSING

CONFLICT, NEAR, PARTIAL, SAME = 0, 1, 2, 3
PARTIAL_KINDS = frozenset({"ricp15"})
"""Kinds that hold a part of a number: they agree for more than one holder."""
LOOSE_KINDS = frozenset({"bad", "id"})
"""Kinds that hold a damaged or unknown number: comparable with any, but never a conflict."""
DERIVED_KINDS = frozenset({"ric17", "ricp15"})
"""Kinds that say the same as another key of the number: no conflict of their own."""


def levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Number levels of pairs of rows; -1 where no two numbers can be compared."""
    keys = encode_lists(features.column("id_keys").combine_chunks(), width=8)
    kinds = derive(keys, lambda key: key.partition(":")[0])
    numbers = derive(keys, lambda key: key.partition(":")[2])
    texts = np.array([*numbers.values, ""], dtype=object)
    partial, loose, derived = (
        np.array([kind in which for kind in kinds.values] + [False])
        for which in (PARTIAL_KINDS, LOOSE_KINDS, DERIVED_KINDS)
    )
    a, b = numbers.codes[left], numbers.codes[right]
    kind_a, kind_b = kinds.codes[left], kinds.codes[right]
    unclear = _unclear(numbers.codes)
    clear = ~unclear[left] & ~unclear[right]
    same, near, part, conflict = (np.zeros(len(left), dtype=bool) for _ in range(4))
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            there = (a[:, i] >= 0) & (b[:, j] >= 0)
            one_kind = there & (kind_a[:, i] == kind_b[:, j])
            any_kind = there & (loose[kind_a[:, i]] | loose[kind_b[:, j]])
            equal = (one_kind | any_kind) & (a[:, i] == b[:, j])
            of_part = partial[kind_a[:, i]] | partial[kind_b[:, j]]
            same |= equal & ~of_part
            part |= equal & of_part
            strict = one_kind & ~equal & ~any_kind & ~derived[kind_a[:, i]] & clear
            rows = np.nonzero((strict | any_kind) & ~equal & ~of_part)[0]
            if not len(rows):
                continue
            x, y = texts[a[rows, i]].tolist(), texts[b[rows, j]].tolist()
            distance = np.asarray(cpdist(x, y, scorer=OSA.distance, score_cutoff=2))
            shorter = np.array([min(len(p), len(q)) for p, q in zip(x, y, strict=True)])
            slip = (distance <= 1) | ((distance <= 2) & any_kind[rows] & (shorter > 12))
            near[rows[slip & (shorter > 5)]] = True
            conflict |= strict
            begun = np.array([_begun(p, q) for p, q in zip(x, y, strict=True)])
            part[rows[begun & any_kind[rows]]] = True
    result = np.full(len(left), MISSING, dtype=np.int8)
    result[conflict] = CONFLICT
    result[part & ~conflict] = PARTIAL
    result[near] = NEAR
    result[same] = SAME
    return result


def _unclear(codes: Ints) -> Mask:
    """Which records give one number as two kinds: it may be either, so it contradicts none."""
    hit = np.zeros(len(codes), dtype=bool)
    for i in range(codes.shape[1]):
        for j in range(i):
            hit |= (codes[:, i] >= 0) & (codes[:, i] == codes[:, j])
    return hit


def _begun(a: str, b: str) -> bool:
    """Whether one number begins as the other, for three quarters and at least 8 characters.

    >>> _begun("430203197803233984", "4302031978032347"), _begun("91330100", "91330200")
    (True, False)
    """
    common = next(
        (place for place, (x, y) in enumerate(zip(a, b, strict=False)) if x != y),
        min(len(a), len(b)),
    )
    return common >= max(8, -(-max(len(a), len(b)) * 3 // 4))


def birth_levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Birth date levels of pairs of rows: same; one part off or swapped; different.

    The first of January is also what systems keep when they know the year only:
    it contradicts no other day of that year.
    """
    dates = features.column("birth_date").combine_chunks()
    known = np.asarray(dates.is_valid())
    days = np.asarray(dates.fill_null(0).cast(pa.int32())).astype("datetime64[D]")
    year = days.astype("datetime64[Y]").astype(np.int64)
    month = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    day = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    same_year, same_month, same_day = (part[left] == part[right] for part in (year, month, day))
    agreeing = same_year.astype(int) + same_month + same_day
    swapped = same_year & (day[left] == month[right]) & (month[left] == day[right])
    off = (agreeing == 2) & (
        same_year
        | (np.abs(year[left] - year[right]) % 10 == 0)
        | (np.abs(year[left] - year[right]) <= 1)
    )
    only_year = (month == 1) & (day == 1)
    off |= same_year & (only_year[left] | only_year[right])
    result = np.full(len(left), MISSING, dtype=np.int8)
    both = known[left] & known[right]
    result[both] = 0
    result[both & (swapped | off)] = 1
    result[both & (agreeing == 3)] = 2
    return result

"""Identity and registration numbers, and birth dates: two records to a level.

What belongs here: what agreement of numbers means. Checking and repairing a
number stands in ``rules.identifier``, which gives every comparable form of it
as ``kind:value``.
"""

import numpy as np
import pyarrow as pa
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from dedupe.comparing.columns import Codes, Levels, Rows, derive, encode_lists
from dedupe.levels import MISSING

CONFLICT, NEAR, PARTIAL, SAME = 0, 1, 2, 3
PARTIAL_KINDS = frozenset({"ric15"})
"""Kinds that hold only a part of a number: they agree for more than one holder."""


def levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Number levels of pairs of rows; -1 where no two numbers are of one kind."""
    keys = encode_lists(features.column("id_keys").combine_chunks(), width=8)
    kinds = derive(keys, lambda key: key.partition(":")[0])
    partial = _partial(keys)
    values = np.array([key.partition(":")[2] for key in keys.values] + [""], dtype=object)
    a, b = keys.codes[left], keys.codes[right]
    kind_a, kind_b = kinds.codes[left], kinds.codes[right]
    size = len(left)
    shared, part, near, compared, full = (np.zeros(size, dtype=bool) for _ in range(5))
    for i in range(a.shape[1]):
        for j in range(b.shape[1]):
            same_kind = (kind_a[:, i] == kind_b[:, j]) & (a[:, i] >= 0) & (b[:, j] >= 0)
            if not same_kind.any():
                continue
            equal = same_kind & (a[:, i] == b[:, j])
            is_part = partial[a[:, i]]
            shared |= equal & ~is_part
            part |= equal & is_part
            full |= same_kind & ~is_part
            compared |= same_kind
            rows = np.nonzero(same_kind & ~equal & ~is_part)[0]
            if len(rows):
                distance = cpdist(
                    values[a[rows, i]], values[b[rows, j]], scorer=OSA.distance, score_cutoff=1
                )
                near[rows[distance <= 1]] = True
    result = np.full(size, MISSING, dtype=np.int8)
    result[compared] = CONFLICT
    result[near] = NEAR
    result[part & ~full] = PARTIAL
    result[shared] = SAME
    return result


def _partial(keys: Codes) -> np.ndarray:
    return np.array([k.partition(":")[0] in PARTIAL_KINDS for k in keys.values] + [False])


def birth_levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Birth date levels of pairs of rows: same; one part off or swapped; different."""
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
    result = np.full(len(left), MISSING, dtype=np.int8)
    both = known[left] & known[right]
    result[both] = 0
    result[both & (swapped | off)] = 1
    result[both & (agreeing == 3)] = 2
    return result

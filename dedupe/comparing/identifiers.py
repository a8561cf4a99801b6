"""Identity and registration numbers, and birth dates: two records to a level.

What belongs here: what agreement of numbers means. Checking and repairing a
number stands in ``rules.identifier``, which gives every comparable form of it
as ``kind:value``.
"""

import re
from collections.abc import Sequence
from string import ascii_uppercase

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dedupe.comparing.columns import (
    Codes,
    Ints,
    Levels,
    Mask,
    Rows,
    as_array,
    encode_lists,
    halves,
    renamed,
)
from dedupe.comparing.measures import Texts
from dedupe.levels import MISSING

CONFLICT, OTHER, NEAR, PARTIAL, SAME = range(5)
BORN_DIFFERENT, BORN_OTHER_YEAR, BORN_PARTLY, BORN_YEAR, BORN_NEAR, BORN_SAME = range(6)
PARTIAL_KINDS = frozenset({"ricp15"})
"""Kinds that hold a part of a number: they agree for more than one holder."""
LOOSE_KINDS = frozenset({"bad", "id"})
"""Kinds that hold a damaged or unknown number: comparable with any, but never a conflict."""
DERIVED_KINDS = frozenset({"ric17", "ricp15"})
"""Kinds that say the same as another key of the number: no conflict of their own."""


def levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Number levels of pairs of rows; -1 where no two numbers can be compared."""
    keys = encode_lists(as_array(features.column("id_keys")), width=8)
    kinds = renamed(keys, pc.replace_substring_regex(keys.texts, "(?s):.*", ""))
    numbers = renamed(keys, pc.replace_substring_regex(keys.texts, "^[^:]*:?", ""))
    texts = Texts(numbers.objects)
    form = _forms(keys, numbers)
    partial, loose, derived = (
        np.array([kind in which for kind in kinds.values] + [False])
        for which in (PARTIAL_KINDS, LOOSE_KINDS, DERIVED_KINDS)
    )
    a, b = numbers.codes[left], numbers.codes[right]
    kind_a, kind_b = kinds.codes[left], kinds.codes[right]
    unclear = _unclear(numbers.codes)
    clear = ~unclear[left] & ~unclear[right]
    same, near, part, conflict, other = (np.zeros(len(left), dtype=bool) for _ in range(5))
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
            x, y = a[rows, i], b[rows, j]
            shorter = texts.shorter(x, y)
            slip = texts.within(x, y, np.where(any_kind[rows] & (shorter > 12), 2, 1))
            near[rows[slip & (shorter > 5)]] = True
            conflict |= strict
            other |= one_kind & ~equal & (form[a[:, i]] == form[b[:, j]]) & (form[a[:, i]] > 0)
            open_ = any_kind[rows]
            part[rows[open_][_begun(texts, x[open_], y[open_])]] = True
    result = np.full(len(left), MISSING, dtype=np.int8)
    result[other] = OTHER
    result[conflict] = CONFLICT
    result[part & ~conflict] = PARTIAL
    result[near] = NEAR
    result[same] = SAME
    return result


def _forms(keys: Codes, numbers: Codes) -> npt.NDArray[np.int64]:
    """Per number its form, digits and letters in their places; 0 unless its kind is unknown.

    Two numbers of an unknown kind but one form are most likely of one kind.
    """
    unknown = {key.partition(":")[2] for key in keys.values if key.startswith("id:")}
    forms = [number.translate(_FORM) if number in unknown else "" for number in numbers.values]
    distinct = {form: code for code, form in enumerate(sorted({"", *forms}))}
    return np.array([*map(distinct.__getitem__, forms), 0], dtype=np.int64)


_FORM = str.maketrans(dict.fromkeys("0123456789", "9") | dict.fromkeys(ascii_uppercase, "A"))


def _unclear(codes: Ints) -> Mask:
    """Which records give one number as two kinds: it may be either, so it contradicts none."""
    hit = np.zeros(len(codes), dtype=bool)
    for i in range(codes.shape[1]):
        for j in range(i):
            hit |= (codes[:, i] >= 0) & (codes[:, i] == codes[:, j])
    return hit


def _begun(texts: Texts, a: Ints, b: Ints) -> Mask:
    """Whether one number begins as the other, for three quarters and at least 8 characters.

    >>> numbers = Texts(["430203197803233984", "4302031978032347", "91330100", "91330200"])
    >>> _begun(numbers, np.array([0, 2]), np.array([1, 3])).tolist()
    [True, False]
    """
    longest = np.maximum(texts.length[a], texts.length[b])
    return texts.common_start(a, b) >= np.maximum(8, -(-longest * 3 // 4))


def birth_levels(features: pa.Table, left: Rows, right: Rows) -> Levels:
    """Birth date levels of pairs of rows.

    The first of January is also what systems keep when they know the year only:
    it contradicts no other day of that year, and two such dates agree in no more
    than the year. Many put their birth year into their e-mail address; it is
    compared where a date is missing.
    """
    dates = as_array(features.column("birth_date"))
    known = np.asarray(dates.is_valid())
    year, month, day = (
        np.asarray(part(dates).fill_null(0)).astype(np.int16)
        for part in (pc.year, pc.month, pc.day)
    )
    result = np.full(len(left), MISSING, dtype=np.int8)
    rows = np.flatnonzero(known[left] & known[right])
    found = _dates(year, month, day, left[rows], right[rows])
    result[rows] = found
    told = year.copy()
    without = np.flatnonzero(~known)
    told[without] = _mail_years(features.column("emails").take(pa.array(without)))
    open_ = (result == MISSING) & (told[left] > 0) & (told[right] > 0)
    result[open_] = BORN_OTHER_YEAR
    result[open_ & (told[left] == told[right])] = BORN_YEAR
    return result


def _dates(year: Ints, month: Ints, day: Ints, left: Rows, right: Rows) -> Levels:
    """Levels of pairs of known dates."""
    result = np.full(len(left), BORN_SAME, dtype=np.int8)
    number = day + 32 * (month + 16 * year.astype(np.int32))
    unequal = np.flatnonzero(number[left] != number[right])
    a, b = left[unequal], right[unequal]
    only_year = (month == 1) & (day == 1)
    agreeing = sum((part[a] == part[b]).astype(np.int8) for part in (year, month, day))
    same_year, apart = year[a] == year[b], np.abs(year[a] - year[b])
    loose = only_year[a] & only_year[b]
    swapped = same_year & (day[a] == month[b]) & (month[a] == day[b])
    slip = _one_digit_off(year, month, day, a, b)
    slip |= (agreeing == 2) & ((apart == 1) | (apart == 10))  # 1999 for 2000, 1989 for 1999
    found = np.full(len(a), BORN_DIFFERENT, dtype=np.int8)
    year_only = (apart <= 2) | slip
    found[np.where(loose, year_only, (agreeing == 2) & (apart < GENERATION[0]))] = BORN_PARTLY
    found[same_year & (only_year[a] | only_year[b])] = BORN_YEAR
    found[~loose & (swapped | slip)] = BORN_NEAR
    result[unequal] = found
    return result


_YEAR = r"(?:19[2-9]\d|200\d|201[0-5])"
_MAIL_YEAR = re.compile(rf"(?<!\d){_YEAR}(?!\d)")


def _mail_years(addresses: pa.ChunkedArray) -> Ints:
    """The one year of birth that each record's e-mail addresses tell, 0 if none or several."""
    emails = encode_lists(as_array(addresses))
    names = halves(emails.texts, "@")[0]
    may = np.flatnonzero(pc.match_substring_regex(names, _YEAR))
    year = np.zeros(len(names) + 1, dtype=np.int64)
    year[may] = [_year_of(name) for name in names.take(pa.array(may)).to_pylist()]
    told = year[emails.codes]
    most = told.max(axis=1)
    least = np.where(told > 0, told, 9999).min(axis=1)
    return np.where(most == least, most, 0)


def _year_of(name: str) -> int:
    """The one year in what stands before the @ of an e-mail address, 0 if none or several."""
    years = _MAIL_YEAR.findall(name)
    return int(years[0]) if len(years) == 1 else 0


def telling_year(emails: Sequence[str]) -> list[str]:
    """Those of a record's e-mail addresses that tell its year of birth; none where they differ.

    >>> telling_year(["ann1957@example.com", "ann@example.com"])
    ['ann1957@example.com']
    >>> telling_year(["ann1957@example.com", "ann1961@example.com"])
    []
    """
    years = {email: _year_of(email.partition("@")[0]) for email in emails}
    told = {email: year for email, year in years.items() if year}
    return list(told) if len(set(told.values())) == 1 else []


GENERATION = (15, 60)
"""Years between the birth dates of parents and children."""


def generation_apart(features: pa.Table, left: Rows, right: Rows) -> Mask:
    """Where two birth dates are as many years apart as those of a parent and a child."""
    dates = as_array(features.column("birth_date"))
    known = np.asarray(dates.is_valid())
    days = np.asarray(dates.fill_null(0).cast(pa.int32()))
    years = np.abs(days[left].astype(np.int64) - days[right]) / 365.25
    apart: Mask = known[left] & known[right] & (years >= GENERATION[0]) & (years <= GENERATION[1])
    return apart


def _one_digit_off(year: Ints, month: Ints, day: Ints, a: Rows, b: Rows) -> Mask:
    """Where two eight-digit dates differ in one digit, or in two neighbors that changed places."""
    digits = [day % 10, day // 10, month % 10, month // 10]
    digits += [year // 10**place % 10 for place in range(4)]
    written = np.stack(digits, axis=1).astype(np.int8)
    x, y = written[a], written[b]
    unequal = x != y
    count = np.bitwise_count(np.packbits(unequal, axis=1).ravel())
    off: Mask = count == 1
    two = np.flatnonzero(count == 2)
    x, y, unequal = x[two], y[two], unequal[two]
    crossed = (x[:, 1:] == y[:, :-1]) & (x[:, :-1] == y[:, 1:]) & unequal[:, 1:] & unequal[:, :-1]
    off[two] = crossed.any(axis=1)
    return off

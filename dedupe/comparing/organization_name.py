"""Names of organizations: two parsed names to a level.

What belongs here: which comparison serves which scripts, and what holds for
all: names that go on where another ends, several names of one record, and the
parts around one brand. Preparing a name stands in organization_form, the
scripts' own rules in organization_han, organization_latin, organization_cross.
Branches are compared apart (``branch_level``).

>>> from dedupe.comparing.organization_form import form
>>> full = form("杭州星辰科技有限公司", "杭州", "星辰", "科技", "有限公司")
>>> others = [
...     form("星辰科技", brand="星辰", industry="科技"),
...     form("宁波星辰科技有限公司", "宁波", "星辰", "科技", "有限公司"),
...     form("Hangzhou Xingchen Technology", brand="Hangzhou Xingchen Technology"),
... ]
>>> levels = compare([full, *others], np.array([0, 0, 0]), np.array([1, 2, 3]))
>>> [LEVELS["organization"]["name"][level].name for level in levels]
['no_region', 'other_region', 'script']
"""

from collections.abc import Sequence

import numpy as np

from dedupe.comparing import organization_cross, organization_han, organization_latin
from dedupe.comparing.columns import Levels, Mask, Rows
from dedupe.comparing.organization_columns import OrganizationColumns
from dedupe.comparing.organization_form import OrganizationForm
from dedupe.comparing.organization_level import (
    BRAND,
    BRAND_SCRIPT,
    CUT,
    EQUAL,
    NO_INDUSTRY,
    SCRIPT,
    SHORT_FORM,
    UNLIKE,
    regions_agree,
)
from dedupe.levels import LEVELS as LEVELS

LEAST_CUT_HAN, LEAST_CUT_LATIN = 7, 12
"""Characters from which a name that another begins with is that name cut short."""


def compare(names: Sequence[OrganizationForm], left: Rows, right: Rows) -> Levels:
    """The levels of pairs of names; of a name without letters it is the lowest.

    Args:
        names: prepared names.
        left, right: places in names, one per pair.
    """
    columns = OrganizationColumns(names)
    levels = np.full(len(left), UNLIKE, dtype=np.int8)
    rows = np.flatnonzero((columns.key[left] > 0) & (columns.key[right] > 0))
    same = columns.key[left[rows]] == columns.key[right[rows]]
    equal = rows[same]
    levels[equal] = _same_key(columns, left[equal], right[equal])
    rows = rows[~same]
    levels[rows] = _unequal(names, columns, left[rows], right[rows])
    cut = columns.cut[left] | columns.cut[right]
    levels[cut & (levels > CUT) & (levels != SCRIPT)] = CUT
    return levels


def _same_key(columns: OrganizationColumns, left: Rows, right: Rows) -> Levels:
    told = np.zeros(len(left), dtype=bool)
    for part in (columns.industry, columns.legal_form):
        told |= (part[left] > 0) | (part[right] > 0)
    short = np.where(columns.region[left] > 0, NO_INDUSTRY, BRAND)
    return np.where(told, EQUAL, short).astype(np.int8)


def _unequal(
    names: Sequence[OrganizationForm], columns: OrganizationColumns, left: Rows, right: Rows
) -> Levels:
    """The levels of names whose keys differ."""
    levels = np.full(len(left), UNLIKE, dtype=np.int8)
    for short, long in ((left, right), (right, left)):
        rows = np.flatnonzero((levels == UNLIKE) & _unfinished(columns, left, right))
        levels[rows] = _cut(columns, short[rows], long[rows])
    rows = np.flatnonzero(levels == UNLIKE)
    latin = ~columns.han[left[rows]] & ~columns.han[right[rows]]
    both = rows[latin]
    levels[both] = organization_latin.compare(columns, left[both], right[both])
    rows = rows[~latin]
    pairs = zip(left[rows].tolist(), right[rows].tolist(), strict=True)
    levels[rows] = np.array([_with_han(names[a], names[b]) for a, b in pairs], dtype=np.int8)
    return levels


def _with_han(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level of two names of which one is Chinese."""
    if a.han and b.han:
        return organization_han.compare(a, b) or _same_reading(a, b, SHORT_FORM)
    chinese, latin = (a, b) if a.han else (b, a)
    return organization_cross.compare(chinese, latin) or _same_reading(a, b, BRAND_SCRIPT)


def adds_nothing(other: OrganizationForm, main: OrganizationForm) -> bool:
    """Whether a further name of a record only repeats the start of its main name.

    Such a short form must not hide what the main name says: sister firms share it.

    >>> from dedupe.comparing.organization_form import form
    >>> main = form("杭州星辰科技有限公司", "杭州", "星辰", "科技", "有限公司")
    >>> adds_nothing(form("星辰", brand="星辰"), main), adds_nothing(form("远山"), main)
    (True, False)
    """
    if other.han != main.han:
        return False
    if other.han:
        return other.brand == main.brand or main.core.startswith(other.core)
    return main.words[: len(other.words)] == other.words


def _unfinished(columns: OrganizationColumns, left: Rows, right: Rows) -> Mask:
    """Where the end of a name may be missing."""
    ended = (columns.legal_form[left] > 0) & (columns.legal_form[right] > 0)
    return columns.cut[left] | columns.cut[right] | ~ended


def _cut(columns: OrganizationColumns, short: Rows, long: Rows) -> Levels:
    """The levels where a name goes on where the other ends, in the middle of a word; or UNLIKE."""
    levels = np.full(len(short), UNLIKE, dtype=np.int8)
    texts, han = columns.texts, columns.han[short]
    size = texts.length[columns.key[short]]
    parts = texts.length[columns.region[long]] + texts.length[columns.brand[long]]
    open_ = han & (columns.legal_form[short] == 0) & (size >= LEAST_CUT_HAN) & (size > parts + 1)
    open_ &= size < texts.length[columns.key[long]]
    rows = np.flatnonzero(open_)
    begun = texts.starts(columns.key[long[rows]], columns.key[short[rows]])
    levels[rows[begun]] = CUT
    latin = np.flatnonzero(~han)
    levels[latin] = _cut_latin(columns, short[latin], long[latin])
    return levels


def _cut_latin(columns: OrganizationColumns, short: Rows, long: Rows) -> Levels:
    """As :func:`_cut`, where the shorter name is a Latin one.

    >>> from dedupe.comparing.organization_form import form
    >>> columns = OrganizationColumns([
    ...     form("Smith & Cole Medical Supplies LLC", brand="Smith & Cole",
    ...         industry="medical instruments", legal_form="LLC"),
    ...     form("The Smith and Cole Medica"), form("SMITH & COLE MED"), form("Smith & Cole"),
    ... ])
    >>> levels = _cut_latin(columns, np.array([1, 2, 3]), np.array([0, 0, 0]))
    >>> levels.tolist() == [CUT, NO_INDUSTRY, UNLIKE]
    True
    """
    texts, words = columns.texts, columns.words
    size = texts.length[columns.key[short]]
    unfinished = (columns.legal_form[short] == 0) | columns.cut[short]
    rest = size - columns.unfinished_from[long]
    open_ = unfinished & (size < texts.length[columns.key[long]]) & (size >= LEAST_CUT_LATIN)
    open_ &= (rest > 0) & (words.sizes[short] > 0)
    rows = np.flatnonzero(open_)
    last = words.values[(words.starts + words.sizes - 1)[short[rows]]]
    rows = rows[~words.has(long[rows], last)]
    a, b = columns.key[short[rows]], columns.key[long[rows]]
    begun = texts.common_start(a, b)
    whole = begun == size[rows]
    slipped = np.flatnonzero(~whole & columns.cut[short[rows]] & (begun > 5))
    starts = texts.codes(
        texts.values[code][: texts.length[own]]
        for own, code in zip(a[slipped], b[slipped], strict=True)
    )
    whole[slipped] = texts.slips(starts, a[slipped], 10)
    levels = np.full(len(short), UNLIKE, dtype=np.int8)
    levels[rows[whole]] = np.where(rest[rows[whole]] > 3, CUT, NO_INDUSTRY)
    return levels


def _same_reading(a: OrganizationForm, b: OrganizationForm, level: int) -> int:
    """The level if brands that look unlike share a reading that is no single syllable."""
    shared = [reading for reading in a.brand_readings if reading in b.brand_readings]
    if not shared or (a.region and b.region and not regions_agree(a.region, b.region)):
        return UNLIKE
    latin = a.core if b.han else b.core
    return level if any(len(r) > 5 or r != latin != "" for r in shared) else UNLIKE

"""Names of organizations: two parsed names to a level.

What belongs here: which comparison serves which scripts, and what holds for
all: names that go on where another ends, several names of one record, and the
parts around one brand. Preparing a name stands in organization_form, the
scripts' own rules in organization_han, organization_latin, organization_cross.
Branches are compared apart (``branch_level``).

>>> from dedupe.comparing.organization_form import form
>>> def name_of(level): return LEVELS["organization"]["name"][level].name
>>> full = form("杭州星辰科技有限公司", "杭州", "星辰", "科技", "有限公司")
>>> name_of(compare(full, form("星辰科技", brand="星辰", industry="科技")))
'no_region'
>>> name_of(compare(full, form("宁波星辰科技有限公司", "宁波", "星辰", "科技", "有限公司")))
'other_region'
>>> latin = form("Hangzhou Xingchen Technology", brand="Hangzhou Xingchen Technology")
>>> name_of(compare(full, latin))
'script'
"""

from collections.abc import Iterable

from dedupe.comparing import organization_cross, organization_han, organization_latin
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
    slip,
)
from dedupe.levels import LEVELS as LEVELS

LEAST_CUT_HAN, LEAST_CUT_LATIN = 7, 12
"""Characters from which a name that another begins with is that name cut short."""


def compare(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level of two names, in either order."""
    if not a.key or not b.key:
        return UNLIKE
    level = _compare(a, b)
    return CUT if level > CUT and level != SCRIPT and (a.cut or b.cut) else level


def _compare(a: OrganizationForm, b: OrganizationForm) -> int:
    if a.key == b.key:
        if a.industry or b.industry or a.legal_form or b.legal_form:
            return EQUAL
        return NO_INDUSTRY if a.region else BRAND
    unfinished = a.cut or b.cut or not a.legal_form or not b.legal_form
    if unfinished and (cut := _cut(a, b) or _cut(b, a)):
        return cut
    if a.han and b.han:
        return organization_han.compare(a, b) or _same_reading(a, b, SHORT_FORM)
    if a.han or b.han:
        chinese, latin = (a, b) if a.han else (b, a)
        return organization_cross.compare(chinese, latin) or _same_reading(a, b, BRAND_SCRIPT)
    return organization_latin.compare(a, b)


def compare_all(left: Iterable[OrganizationForm], right: Iterable[OrganizationForm]) -> int:
    """The best level over all ways either organization is named."""
    left, right = tuple(left), tuple(right)
    if len(left) == 1 == len(right):
        return compare(left[0], right[0])
    return max(compare(a, b) for a in left for b in right)


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


def _cut(short: OrganizationForm, long: OrganizationForm) -> int:
    """The level if a name goes on where the other ends, in the middle of a word; or UNLIKE.

    >>> from dedupe.comparing.organization_form import form
    >>> long = form("Smith & Cole Medical Supplies LLC", brand="Smith & Cole",
    ...     industry="medical instruments", legal_form="LLC")
    >>> _cut(form("The Smith and Cole Medica"), long) == CUT
    True
    >>> _cut(form("SMITH & COLE MED"), long) == NO_INDUSTRY, _cut(form("Smith & Cole"), long)
    (True, 0)
    """
    size = len(short.key)
    if (short.legal_form and not short.cut) or size >= len(long.key):
        return UNLIKE
    if short.han:
        least = LEAST_CUT_HAN
        if short.legal_form or size < least or not long.key.startswith(short.key):
            return UNLIKE
        return CUT if size > len(long.region + long.brand) + 1 else UNLIKE
    if size < LEAST_CUT_LATIN or not short.words or short.words[-1] in long.words:
        return UNLIKE
    start = long.key[:size]
    if start != short.key and not (
        short.cut and start[:6] == short.key[:6] and slip(start, short.key)
    ):
        return UNLIKE
    rest = size - len("".join(long.words[: long.brand_words or len(long.words) - 1]))
    if rest <= 0:
        return UNLIKE
    return CUT if rest > 3 else NO_INDUSTRY


def _same_reading(a: OrganizationForm, b: OrganizationForm, level: int) -> int:
    """The level if brands that look unlike share a reading that is no single syllable."""
    shared = [reading for reading in a.brand_readings if reading in b.brand_readings]
    if not shared or (a.region and b.region and not regions_agree(a.region, b.region)):
        return UNLIKE
    latin = a.core if b.han else b.core
    return level if any(len(r) > 5 or r != latin != "" for r in shared) else UNLIKE

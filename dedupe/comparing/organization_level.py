"""The levels of organizations' names, and what their parts have in common.

What belongs here: what the comparisons of every script need.
"""

import re
from functools import lru_cache

from rapidfuzz.distance import OSA

from dedupe.comparing.organization_form import OrganizationForm
from dedupe.levels import LEVELS
from rules import place_names
from rules.customer import ORGANIZATION

_LEVEL = {level.name: number for number, level in enumerate(LEVELS[ORGANIZATION]["name"])}
UNLIKE = _LEVEL["unlike"]
OTHER_INDUSTRY = _LEVEL["other_industry"]
OTHER_REGION = _LEVEL["other_region"]
NEAR = _LEVEL["near"]
SHORT_FORM = _LEVEL["short_form"]
ACRONYM = _LEVEL["acronym"]
BRAND_SCRIPT = _LEVEL["brand_script"]
BRAND = _LEVEL["brand"]
NO_INDUSTRY = _LEVEL["no_industry"]
CONFUSABLE = _LEVEL["confusable"]
OTHER_FORM = _LEVEL["other_form"]
CUT = _LEVEL["cut"]
SCRIPT = _LEVEL["script"]
NO_REGION = _LEVEL["no_region"]
NO_FORM = _LEVEL["no_form"]
EQUAL = _LEVEL["equal"]
_WORD = re.compile(r"[^\W_]+")


def parts_level(a: OrganizationForm, b: OrganizationForm, same: int = EQUAL) -> int:
    """The level of two names of one brand, by their other parts; ``same`` at best."""
    if a.region and b.region and not regions_agree(a.region, b.region):
        return OTHER_REGION
    if a.industry and b.industry and not _same_line(a, b):
        return OTHER_INDUSTRY
    if bool(a.industry) != bool(b.industry):
        poor = b if a.industry else a
        return min(same, NO_INDUSTRY if poor.region or poor.legal_form else BRAND)
    if a.region != b.region:
        return min(same, NO_REGION)
    return min(same, form_level(a, b))


def _same_line(a: OrganizationForm, b: OrganizationForm) -> bool:
    """Whether two Chinese names' lines of business are one, by their codes or as written."""
    if same_industry(a.industry, b.industry):
        return True
    return a.core.startswith(b.core) or b.core.startswith(a.core)


def form_level(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level of two names that differ in nothing but the legal form."""
    if bool(a.legal_form) != bool(b.legal_form):
        return NO_FORM
    return EQUAL if a.legal_form == b.legal_form else OTHER_FORM


@lru_cache(maxsize=1 << 14)
def regions_agree(a: str, b: str) -> bool:
    """Whether two regions are the same, or one lies within the other.

    >>> regions_agree("杭州", "浙江"), regions_agree("杭州", "宁波")
    (True, False)
    """
    return a == b or place_names.contains(a, b) or place_names.contains(b, a)


@lru_cache(maxsize=1 << 14)
def same_industry(a: str, b: str) -> bool:
    """Whether one line of business is the other, or the other shortened or widened.

    >>> same_industry("electronics", "electronic technology"), same_industry("科技", "信息科技")
    (True, True)
    >>> same_industry("food", "hardware")
    False
    """
    if a == b:
        return True
    if not a.isascii() or not b.isascii():
        short, long = sorted((a, b), key=len)
        return is_subsequence(short, long)
    fewer, more = sorted((_WORD.findall(a), _WORD.findall(b)), key=len)
    return all(any(same_stem(x, y) for y in more) for x in fewer)


def same_stem(a: str, b: str) -> bool:
    """Whether two Latin words are forms, abbreviations or misspellings of one."""
    return a == b or a[:6] == b[:6] or abbreviates(a, b) or slip(a, b)


def is_subsequence(short: str, long: str) -> bool:
    """Whether the characters of one text stand in the other in the same order."""
    rest = iter(long)
    return all(character in rest for character in short)


@lru_cache(maxsize=1 << 16)
def abbreviates(a: str, b: str) -> bool:
    """Whether one Latin word is the other shortened: svcs for services, tech for technologies.

    >>> abbreviates("svcs", "services"), abbreviates("tech", "technologies"), abbreviates("a", "b")
    (True, True, False)
    """
    short, long = sorted((a, b), key=len)
    if len(short) < 2 or len(short) == len(long) or short[0] != long[0]:
        return False
    if long.startswith(short):
        return len(short) > 2
    return short[-1] == long[-1] and len(short) > 2 and is_subsequence(short, long)


def slip(a: str, b: str) -> bool:
    """Whether two texts differ by one slip, in long ones by two."""
    longest = max(len(a), len(b))
    if longest < 4:
        return False
    allowed = 2 if longest > 9 else 1
    return OSA.distance(a, b, score_cutoff=allowed) <= allowed

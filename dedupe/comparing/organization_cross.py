"""A Chinese and a Latin name of organizations to a level.

What belongs here: finding the reading of a Chinese brand among Latin words, and
what stands around it.
"""

from rapidfuzz.distance import OSA

from dedupe.comparing import characters
from dedupe.comparing.organization_form import OrganizationForm, words
from dedupe.comparing.organization_level import (
    BRAND_SCRIPT,
    OTHER_INDUSTRY,
    OTHER_REGION,
    SCRIPT,
    UNLIKE,
    regions_agree,
    same_industry,
)
from rules import text

_SHOPS = frozenset({"", "store", "stores", "shop"})


def compare(chinese: OrganizationForm, latin: OrganizationForm) -> int:
    """The level of a Chinese and a Latin name."""
    tokens = latin.words
    best = UNLIKE
    for start in range(min(3, len(tokens))):
        joined = ""
        for end in range(start, min(start + 5, len(tokens))):
            joined += tokens[end]
            if joined in chinese.brand_readings:
                best = max(best, _around(chinese, latin, start, end + 1))
            elif len(joined) > 6 and any(
                OSA.distance(joined, r, score_cutoff=1) <= 1 for r in chinese.brand_readings
            ):
                best = max(best, min(BRAND_SCRIPT, _around(chinese, latin, start, end + 1)))
    if best == UNLIKE and _spelled(chinese, latin):
        return BRAND_SCRIPT
    return best


def _spelled(chinese: OrganizationForm, latin: OrganizationForm) -> bool:
    """Whether a longer Latin brand is how part of the Chinese name is read."""
    brand = "".join(words(latin.brand))
    return len(brand) > 7 and any(brand in reading for reading in text.readings(chinese.key))


def _around(chinese: OrganizationForm, latin: OrganizationForm, start: int, end: int) -> int:
    """The level if the Latin words from start to end are the Chinese brand."""
    if chinese.industry and latin.industry and chinese.industry.isascii():
        if same_industry(chinese.industry, latin.industry):
            best = SCRIPT
        elif "公司" in chinese.legal_form or latin.legal_form not in _SHOPS:
            return OTHER_INDUSTRY
        else:  # what a shop is called abroad is loose about what it sells
            best = BRAND_SCRIPT
    else:
        best = SCRIPT if end < len(latin.words) or not chinese.region else BRAND_SCRIPT
    before = "".join(latin.words[:start])
    if not before:
        if latin.region and chinese.region:
            # One may name the city and the other its district: no contradiction by itself.
            return best if regions_agree(chinese.region, latin.region) else BRAND_SCRIPT
        return best
    if chinese.region_readings and before not in chinese.region_readings:
        return OTHER_REGION if characters.is_pinyin(before) else BRAND_SCRIPT
    return best

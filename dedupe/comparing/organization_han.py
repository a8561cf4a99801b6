"""Two Chinese names of organizations to a level.

What belongs here: slips, homophones and look-alikes in Chinese brands, short
forms, and names that a slip or a cut kept from being taken apart.
"""

from rapidfuzz.distance import OSA, Levenshtein

from dedupe.comparing import characters
from dedupe.comparing.organization_form import OrganizationForm
from dedupe.comparing.organization_level import (
    BRAND,
    CONFUSABLE,
    NEAR,
    NO_INDUSTRY,
    SHORT_FORM,
    UNLIKE,
    is_subsequence,
    parts_level,
    regions_agree,
)
from rules import text


def compare(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level of two Chinese names, in either order."""
    if a.brand == b.brand:
        return parts_level(a, b)
    if a.industry and b.industry and alike(a.brand, b.brand):
        level = parts_level(a, b, CONFUSABLE)
        return level if level >= BRAND or len(a.brand) > 2 else UNLIKE
    if a.region and b.region and not regions_agree(a.region, b.region):
        return UNLIKE
    if level := _slipped(a, b) or _placed(a, b):
        return level
    if not (a.industry and b.industry) and (level := _unparsed(a, b)):
        return level
    short, long = (a, b) if len(a.key) <= len(b.key) else (b, a)
    return SHORT_FORM if short_form(short, long) else UNLIKE


def _slipped(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level of names that are one slip apart, by where the slip is."""
    if not (_one_slip(a.core, b.core) or _one_slip(a.whole, b.whole)):
        return UNLIKE
    short, long = sorted((a.brand, b.brand), key=len)
    if long.startswith(short) or long.endswith(short) or alike(short, long):
        return CONFUSABLE  # the slip is in the region or the line of business
    both_full = a.industry == b.industry != "" or len(short) > 2
    return NEAR if both_full and (len(long) > 2) else UNLIKE


def _one_slip(a: str, b: str) -> bool:
    """Whether texts of some length differ by one slip, in long ones by two."""
    least = min(len(a), len(b))
    if least < 4:
        return False
    allowed = 2 if least > 11 else 1
    return OSA.distance(a, b, score_cutoff=allowed) <= allowed


def _placed(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level where a place that is not known, or is misspelled, stands before the brand."""
    if a.region and b.region:
        return UNLIKE
    long, short = (a, b) if len(a.brand) > len(b.brand) else (b, a)
    before = long.brand[: len(long.brand) - len(short.brand)]
    if long.region or len(short.brand) < 2 or not long.brand.endswith(short.brand):
        return UNLIKE
    if not 2 <= len(before) <= 8:
        return UNLIKE
    if short.region and OSA.distance(before[: len(short.region)], short.region) > 1:
        return UNLIKE
    return parts_level(long, short, SHORT_FORM)


def _unparsed(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level where a slip or a cut kept one name from being taken apart."""
    short, long = sorted((a.key, b.key), key=len)
    if len(short) > 4 and long.startswith(short) and 2 * len(short) > len(long):
        return NO_INDUSTRY
    allowed = 2 if len(short) > 11 else 1
    if len(short) > 4 and OSA.distance(short, long, score_cutoff=allowed) <= allowed:
        return CONFUSABLE
    if alike(a.brand, b.brand):
        return CONFUSABLE
    for whole, part in ((a, b), (b, a)):
        if not whole.industry and len(part.brand) > 1 and whole.brand.startswith(part.brand):
            return SHORT_FORM
    ratio = Levenshtein.normalized_similarity(a.key, b.key)
    return NEAR if len(short) > 3 and ratio >= 0.75 else UNLIKE


def alike(a: str, b: str) -> bool:
    """One slip in a Chinese brand: a confusable character; in longer ones any slip.

    >>> alike("星辰", "星晨"), alike("星辰", "星光"), alike("海王星", "海星王")
    (True, False, True)
    """
    if len(a) == len(b):
        unequal = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
        if len(unequal) == 1:
            return (len(a) > 3 or characters.confusable(*unequal[0])) and len(a) > 1
        if len(unequal) == 2 and sorted(a) == sorted(b):
            return len(a) > 2
        return len(a) > 1 and all(characters.homophone(x, y) for x, y in unequal)
    return min(len(a), len(b)) > 2 and OSA.distance(a, b, score_cutoff=1) <= 1


def short_form(short: OrganizationForm, long: OrganizationForm) -> bool:
    """Whether a short name takes characters of the long one in order, from each part's start.

    >>> from dedupe.comparing.organization_form import form
    >>> short_form(form("工行"), form("中国工商银行", region="中国", brand="工商银行"))
    True
    """
    key = short.key
    if not 2 <= len(key) <= 5 or len(key) >= len(long.key) or short.legal_form:
        return False
    if not text.has_han(key) or not is_subsequence(key, long.key):
        return False
    starts = [part[0] for part in (long.region, long.brand) if part]
    if key[0] not in starts:
        return False
    return short.brand[0] == long.brand[0] or key.startswith(long.region[:1] or "\0")

"""Two Latin names of organizations to a level.

What belongs here: words of brand and line of business against each other;
abbreviations, slips and acronyms.
"""

from rapidfuzz.distance import Levenshtein

from dedupe.comparing.organization_form import OrganizationForm
from dedupe.comparing.organization_level import (
    ACRONYM,
    BRAND,
    CONFUSABLE,
    NEAR,
    NO_FORM,
    NO_INDUSTRY,
    OTHER_INDUSTRY,
    OTHER_REGION,
    SHORT_FORM,
    UNLIKE,
    abbreviates,
    form_level,
    regions_agree,
    same_industry,
    same_stem,
    slip,
)


def compare(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level of two Latin names, in either order."""
    if not a.words or not b.words:
        return UNLIKE
    if a.region and b.region and not regions_agree(a.region, b.region):
        return OTHER_REGION if a.brand == b.brand else UNLIKE
    joined_a, joined_b = "".join(a.words), "".join(b.words)
    if joined_a == joined_b:
        level = form_level(a, b)
        return min(level, NO_FORM) if a.region != b.region else level
    if len(a.words) == len(b.words):
        pairs = list(zip(a.words, b.words, strict=True))
        if all(x == y or abbreviates(x, y) for x, y in pairs):
            return min(NO_FORM, form_level(a, b))
        if all(x == y or abbreviates(x, y) or slip(x, y) for x, y in pairs):
            return CONFUSABLE
    unparsed = not (a.industry and b.industry)
    if unparsed and min(len(a.key), len(b.key)) > 9 and slip(a.key, b.key):
        return CONFUSABLE
    if _acronym(a, b) or _acronym(b, a):
        return ACRONYM
    short, long = (a, b) if len(a.words) <= len(b.words) else (b, a)
    begun = _common_start(short.words, long.words)
    if begun == len(short.words):
        return NO_INDUSTRY if short.legal_form or short.brand_words else BRAND
    if a.brand_words and b.brand_words:
        if a.brand == b.brand:
            return min(NO_FORM, form_level(a, b)) if _same_line(a, b) else OTHER_INDUSTRY
        if slip(a.brand, b.brand):
            return CONFUSABLE if _same_line(a, b) else NEAR
    elif begun and (a.brand_words or b.brand_words):
        known, other = (a, b) if a.brand_words else (b, a)
        if begun >= known.brand_words:
            return OTHER_INDUSTRY if len(other.words) > known.brand_words else NO_INDUSTRY
    elif begun >= max(1, len(short.words) - 1) and len(long.words) == len(short.words):
        return OTHER_INDUSTRY
    if len(joined_a) > 7 and slip(joined_a, joined_b):
        return CONFUSABLE
    if len(short.words) > 1 and set(short.words) <= set(long.words):
        return SHORT_FORM
    if (
        joined_a[0] == joined_b[0]
        and Levenshtein.normalized_similarity(joined_a, joined_b, score_cutoff=0.8) >= 0.8
    ):
        return NEAR
    return UNLIKE


def _same_line(a: OrganizationForm, b: OrganizationForm) -> bool:
    """Whether two names of one brand are of one line of business as written.

    Their codes alone do not tell: a bakery and a food wholesaler of one name are two firms.
    """
    fewer, more = sorted((a.words[a.brand_words :], b.words[b.brand_words :]), key=len)
    written = all(any(same_stem(x, y) for y in more) for x in fewer)
    return written and same_industry(a.industry, b.industry)


def _common_start(a: tuple[str, ...], b: tuple[str, ...]) -> int:
    """How many words both begin with; slips and abbreviations count as the same word."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if not (x == y or abbreviates(x, y) or slip(x, y)):
            break
        count += 1
    return count


def _acronym(short: OrganizationForm, long: OrganizationForm) -> bool:
    """Whether a short name is the first letters of the other's words."""
    if len(short.words) != 1 or not 2 <= len(short.words[0]) <= 5:
        return False
    return any(way.startswith(short.words[0]) for way in long.initials)

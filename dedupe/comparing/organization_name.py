"""Names of organizations: two parsed names to a level.

What belongs here: region, brand, line of business and legal form against each
other; short forms, acronyms, other scripts. Branches are compared apart
(``branch_level``). Cutting a name into its parts stands in
``rules.organization_name``.

>>> from dedupe.levels import LEVELS
>>> def name_of(level): return LEVELS["organization"]["name"][level].name
>>> full = form("杭州星辰科技有限公司", "杭州", "星辰", "科技", "co")
>>> name_of(compare(full, form("星辰科技", brand="星辰", industry="科技")))
'no_region'
>>> name_of(compare(full, form("宁波星辰科技有限公司", "宁波", "星辰", "科技", "co")))
'other_region'
>>> latin = form("Hangzhou Xingchen Technology Co Ltd", brand="Hangzhou Xingchen Technology")
>>> name_of(compare(full, latin))
'script'
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA, Levenshtein

from dedupe.comparing import characters
from dedupe.levels import LEVELS
from rules import text
from rules.customer import ORGANIZATION

_LEVEL = {level.name: number for number, level in enumerate(LEVELS[ORGANIZATION]["name"])}
UNLIKE, OTHER_INDUSTRY, OTHER_REGION, NEAR, ACRONYM, SHORT_FORM = (
    _LEVEL[name]
    for name in ("unlike", "other_industry", "other_region", "near", "acronym", "short_form")
)
CONFUSABLE, BRAND_SCRIPT, SCRIPT, NO_REGION, NO_INDUSTRY, OTHER_FORM, EQUAL = (
    _LEVEL[name]
    for name in (
        "confusable",
        "brand_script",
        "script",
        "no_region",
        "no_industry",
        "other_form",
        "equal",
    )
)
_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SMALL = frozenset({"the", "and", "of", "a", "for"})


class OrganizationForm(NamedTuple):
    """One way an organization is named; all parts folded.

    Attributes:
        key: the full name without blanks.
        region, brand, industry, legal_form: its parts, empty where it has none.
        words: Latin words of brand and line of business, without small words.
        brand_words: how many of ``words`` are the brand, 0 if unknown.
        han: whether the brand is written in Chinese characters.
        brand_readings: Latin forms of the brand: pinyin, and what the field rule knows.
        region_readings: pinyin, if Chinese.
        initials: first letters of all Latin words, see :func:`initials`.
    """

    key: str
    region: str
    brand: str
    industry: str
    legal_form: str
    words: tuple[str, ...]
    brand_words: int
    han: bool
    brand_readings: tuple[str, ...]
    region_readings: tuple[str, ...]
    initials: tuple[str, ...]

    @property
    def core(self) -> str:
        """Brand and line of business."""
        return self.brand + self.industry


@lru_cache(maxsize=1 << 16)
def words(shown: str) -> tuple[str, ...]:
    """Latin words of a name, folded, without small words.

    >>> words("The Smith & O'Neil Co")
    ('smith', 'oneil', 'co')
    """
    found = _WORD.findall(text.fold_words(shown).replace("'", ""))
    return tuple(word for word in found if word not in _SMALL)


def initials(shown: str) -> tuple[str, ...]:
    """First letters of a Latin name's words, and of those that capitals show within words.

    >>> initials("Perry & Savage Ltd"), initials("GlobalStone Plastics")
    (('psl',), ('gp', 'gsp'))
    """
    ways = (words(shown), words(_CAMEL.sub(" ", shown)))
    return tuple(dict.fromkeys("".join(word[0] for word in way) for way in ways))


def form(
    name: str,
    region: str = "",
    brand: str = "",
    industry: str = "",
    legal_form: str = "",
    readings: Iterable[str] = (),
) -> OrganizationForm:
    """Prepare one name for comparing; parts in shown form, the brand empty if unknown.

    Args:
        readings: Latin forms of the brand that the field rule knows, such as
            those of a house's name in another language.
    """
    brand = brand or name
    han = text.has_han(brand)
    brand_words, industry_words = ((), ()) if han else (words(brand), words(industry))
    return OrganizationForm(
        text.fold(name),
        text.fold(region),
        text.fold(brand),
        text.fold_words(industry),
        text.fold(legal_form),
        brand_words + industry_words,
        len(brand_words) if industry_words else 0,
        han,
        tuple(dict.fromkeys([*(text.readings(brand) if han else ()), *readings])),
        tuple(text.readings(region)) if han and region else (),
        () if han else initials(name),
    )


def compare(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level of two names, in either order."""
    if not a.key or not b.key:
        return UNLIKE
    if a.key == b.key:
        return EQUAL
    if _cut(a, b) or _cut(b, a):
        return OTHER_FORM
    if a.han and b.han:
        return _chinese(a, b) or _same_reading(a, b, SHORT_FORM)
    if a.han or b.han:
        return (_cross(a, b) if a.han else _cross(b, a)) or _same_reading(a, b, BRAND_SCRIPT)
    return _latin(a, b)


def compare_all(left: Iterable[OrganizationForm], right: Iterable[OrganizationForm]) -> int:
    """The best level over all ways either organization is named."""
    right = tuple(right)
    return max(compare(a, b) for a in left for b in right)


def _cut(short: OrganizationForm, long: OrganizationForm) -> bool:
    """Whether a name goes on where the other ends, within or after its line of business.

    >>> _cut(form("Smith & Cole Medica"), form("Smith & Cole Medical Supplies LLC",
    ...     brand="Smith & Cole", industry="medical supplies"))
    True
    """
    least = LEAST_CUT_HAN if short.han else LEAST_CUT_LATIN
    return (
        not short.legal_form
        and least <= len(short.key) < len(long.key)
        and long.key.startswith(short.key)
        and len(short.key) > len(long.region + long.brand) + (1 if short.han else 3)
    )


LEAST_CUT_HAN, LEAST_CUT_LATIN = 7, 14
"""Characters from which a name that another begins with is that name cut short."""


def _same_reading(a: OrganizationForm, b: OrganizationForm, level: int) -> int:
    """The level if brands that look unlike share a reading that is no single syllable."""
    if a.region and b.region and not _same_region(a.region, b.region):
        return UNLIKE
    shared = set(a.brand_readings) & set(b.brand_readings)
    return level if any(len(reading) > 5 for reading in shared) else UNLIKE


def _parts(a: OrganizationForm, b: OrganizationForm, same: int = EQUAL) -> int:
    """The level of two names of one brand, by their other parts; ``same`` at best."""
    if a.region and b.region and not _same_region(a.region, b.region):
        return OTHER_REGION
    if a.industry and b.industry and not _same_industry(a.industry, b.industry):
        return OTHER_INDUSTRY
    if bool(a.industry) != bool(b.industry):
        return min(same, NO_INDUSTRY)
    if bool(a.region) != bool(b.region):
        return min(same, NO_REGION)
    if a.legal_form != b.legal_form or a.industry != b.industry:
        return min(same, OTHER_FORM)
    return same


def _same_region(a: str, b: str) -> bool:
    return a == b or a.startswith(b) or b.startswith(a) or a.endswith(b) or b.endswith(a)


def _same_industry(a: str, b: str) -> bool:
    """Whether one line of business is the other, or the other shortened or widened.

    >>> _same_industry("electronics", "electronic technology"), _same_industry("科技", "信息科技")
    (True, True)
    >>> _same_industry("food", "hardware")
    False
    """
    if a == b:
        return True
    if not a.isascii() or not b.isascii():
        short, long = sorted((a, b), key=len)
        return _subsequence(short, long)
    fewer, more = sorted((_WORD.findall(a), _WORD.findall(b)), key=len)
    return all(any(_same_stem(x, y) for y in more) for x in fewer)


def _same_stem(a: str, b: str) -> bool:
    return a == b or a[:6] == b[:6] or abbreviates(a, b) or slip(a, b)


def _subsequence(short: str, long: str) -> bool:
    rest = iter(long)
    return all(character in rest for character in short)


# -- Chinese with Chinese


def _chinese(a: OrganizationForm, b: OrganizationForm) -> int:
    if a.brand == b.brand:
        return _parts(a, b)
    known = bool(a.industry and b.industry)
    if known and _alike(a.brand, b.brand):
        level = _parts(a, b, CONFUSABLE)
        return level if level >= CONFUSABLE or len(a.brand) > 2 else UNLIKE
    if a.region and b.region and not _same_region(a.region, b.region):
        return UNLIKE
    if known and slip(a.key, b.key) and (a.brand.endswith(b.brand) or b.brand.endswith(a.brand)):
        return CONFUSABLE  # a slip in the region made it part of the brand
    if not known:
        level = _unparsed(a, b)
        if level > UNLIKE:
            return level
    short, long = (a, b) if len(a.key) <= len(b.key) else (b, a)
    return SHORT_FORM if _short_form(short, long) else UNLIKE


def _unparsed(a: OrganizationForm, b: OrganizationForm) -> int:
    """The level where a slip or a cut kept one name from being taken apart."""
    short, long = sorted((a.key, b.key), key=len)
    if len(short) > 4 and long.startswith(short) and 2 * len(short) > len(long):
        return NO_INDUSTRY
    allowed = 2 if len(short) > 11 else 1
    if len(short) > 4 and OSA.distance(short, long, score_cutoff=allowed) <= allowed:
        return CONFUSABLE
    if _alike(a.brand, b.brand):
        return CONFUSABLE
    for whole, part in ((a, b), (b, a)):
        if not whole.industry and len(part.brand) > 1 and whole.brand.startswith(part.brand):
            return SHORT_FORM
    ratio = Levenshtein.normalized_similarity(a.key, b.key)
    return NEAR if len(short) > 3 and ratio >= 0.75 else UNLIKE


def _alike(a: str, b: str) -> bool:
    """One slip in a Chinese brand: a confusable character; in longer ones any slip."""
    if len(a) == len(b):
        unequal = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
        if len(unequal) == 1:
            return (len(a) > 3 or characters.confusable(*unequal[0])) and len(a) > 1
        if len(unequal) == 2 and sorted(a) == sorted(b):
            return len(a) > 2
        return len(a) > 1 and all(characters.homophone(x, y) for x, y in unequal)
    return min(len(a), len(b)) > 2 and OSA.distance(a, b, score_cutoff=1) <= 1


def _short_form(short: OrganizationForm, long: OrganizationForm) -> bool:
    """Whether a short name takes characters of the long one in order, from each part's start.

    >>> _short_form(form("工行"), form("中国工商银行", region="中国", brand="工商银行"))
    True
    """
    key = short.key
    if not 2 <= len(key) <= 5 or len(key) >= len(long.key) or short.legal_form:
        return False
    if not text.has_han(key) or not _subsequence(key, long.key):
        return False
    starts = [part[0] for part in (long.region, long.brand) if part]
    if key[0] not in starts:
        return False
    return short.brand[0] == long.brand[0] or key.startswith(long.region[:1] or "\0")


# -- Chinese with Latin


def _cross(chinese: OrganizationForm, latin: OrganizationForm) -> int:
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
                best = max(best, min(CONFUSABLE, _around(chinese, latin, start, end + 1)))
    if best == UNLIKE and _spelled(chinese, latin):
        return BRAND_SCRIPT
    return best


def _spelled(chinese: OrganizationForm, latin: OrganizationForm) -> bool:
    """Whether a longer Latin brand is how part of the Chinese name is read."""
    brand = "".join(words(latin.brand))
    return len(brand) > 7 and any(brand in reading for reading in text.readings(chinese.key))


def _around(chinese: OrganizationForm, latin: OrganizationForm, start: int, end: int) -> int:
    """The level if the Latin words from start to end are the Chinese brand."""
    before = "".join(latin.words[:start])
    if not before and latin.region and chinese.region:
        # One may name the city and the other its district: no contradiction by itself.
        return SCRIPT if _same_region(chinese.region, latin.region) else BRAND_SCRIPT
    if before and chinese.region_readings and before not in chinese.region_readings:
        return OTHER_REGION if characters.is_pinyin(before) else BRAND_SCRIPT
    if chinese.industry.isascii() and chinese.industry and latin.industry:
        if not _same_industry(chinese.industry, latin.industry):
            return OTHER_INDUSTRY
        return SCRIPT
    if before and chinese.region_readings:
        return SCRIPT
    return BRAND_SCRIPT if end >= len(latin.words) or chinese.region else SCRIPT


# -- Latin with Latin


def _latin(a: OrganizationForm, b: OrganizationForm) -> int:
    if not a.words or not b.words:
        return UNLIKE
    if a.region and b.region and not _same_region(a.region, b.region):
        return OTHER_REGION if a.brand == b.brand else UNLIKE
    joined_a, joined_b = "".join(a.words), "".join(b.words)
    if joined_a == joined_b:
        same_form = a.legal_form == b.legal_form
        return EQUAL if same_form and a.region == b.region else OTHER_FORM
    if len(a.words) == len(b.words):
        pairs = list(zip(a.words, b.words, strict=True))
        if all(x == y or abbreviates(x, y) for x, y in pairs):
            return OTHER_FORM
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
        return NO_INDUSTRY
    if a.brand_words and b.brand_words:
        if a.brand == b.brand:
            return OTHER_FORM if _same_industry(a.industry, b.industry) else OTHER_INDUSTRY
        if slip(a.brand, b.brand):
            same = _same_industry(a.industry, b.industry)
            return CONFUSABLE if same else NEAR
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
    return short[-1] == long[-1] and len(short) > 2 and _subsequence(short, long)


def slip(a: str, b: str) -> bool:
    """Whether two texts differ by one slip, in long ones by two."""
    longest = max(len(a), len(b))
    if longest < 4:
        return False
    allowed = 2 if longest > 9 else 1
    return OSA.distance(a, b, score_cutoff=allowed) <= allowed


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

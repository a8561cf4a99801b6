"""How one name of an organization is prepared for comparing.

What belongs here: the parts of a name and what is derived from them once per
name. Comparing two names stands in organization_name, organization_han,
organization_latin and organization_cross.

>>> one = form("Perry & Savage Ltd", brand="Perry & Savage", legal_form="Ltd")
>>> one.words, initials(one.shown)
(('perry', 'savage'), ('psl',))
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from rules import han_organization, latin_organization, place_names, text

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HAN_FORM = re.compile("(?:集团|控股)*(?:股份)?有限(?:责任)?公司")
_PLAIN = re.compile("[A-Za-z& ]+")
_SMALL = frozenset({"the", "and", "of", "a", "for"})


class OrganizationForm(NamedTuple):
    """One way an organization is named; all parts folded.

    Attributes:
        key: the full name without blanks; a Latin one without small words.
        region, brand, industry, legal_form: its parts, empty where it has none.
        core: brand and line of business as written, without region and legal form.
        whole: as ``core``, with the region in front.
        words: Latin words of ``core``, without small words.
        brand_words: how many of ``words`` are the brand, 0 if unknown.
        han: whether the brand is written in Chinese characters.
        brand_readings: Latin forms of the brand: pinyin, and what the field rule knows.
        region_readings: pinyin, if Chinese.
        shown: the name as shown, for its :func:`initials`.
        cut: whether the end may be missing, because its source cuts names.
    """

    key: str
    region: str
    brand: str
    industry: str
    legal_form: str
    core: str
    whole: str
    words: tuple[str, ...]
    brand_words: int
    han: bool
    brand_readings: tuple[str, ...]
    region_readings: tuple[str, ...]
    shown: str
    cut: bool


@lru_cache(maxsize=1 << 16)
def words(shown: str) -> tuple[str, ...]:
    """Latin words of a name, folded, without small words.

    >>> words("The Smith & O'Neil Co")
    ('smith', 'oneil', 'co')
    """
    found = _WORD.findall(text.fold_words(shown).replace("'", ""))
    return tuple([word for word in found if word not in _SMALL])


def initials(shown: str) -> tuple[str, ...]:
    """First letters of a Latin name's words, and of those that capitals show within words.

    >>> initials("Perry & Savage Ltd"), initials("GlobalStone Plastics")
    (('psl',), ('gp', 'gsp'))
    """
    ways = [words(shown)]
    if _CAMEL.search(shown):
        ways.append(words(_CAMEL.sub(" ", shown)))
    return tuple(dict.fromkeys("".join([word[0] for word in way]) for way in ways))


def form(
    name: str,
    region: str = "",
    brand: str = "",
    industry: str = "",
    legal_form: str = "",
    readings: Iterable[str] = (),
    branch: str = "",
    cut: bool = False,
) -> OrganizationForm:
    """Prepare one name for comparing; parts in shown form, the brand empty if unknown.

    Args:
        readings: Latin forms of the brand that the field rule knows, such as
            those of a house's name in another language.
        branch: what the name says of a branch, empty if it says nothing.
        cut: whether the name reaches the length at which its source cuts.
    """
    brand = brand or name
    han = text.has_han(brand)
    folded_region, folded_brand = text.fold(region), text.fold(brand)
    if han:
        key = text.fold(name)
        core, whole = _han_core(name, key, folded_brand, legal_form, branch)
        core_words: tuple[str, ...] = ()
        brand_words = 0
    else:
        every = words(name)
        key = "".join(every)
        core_words, brand_words = _latin_core(name, every, region, words(brand), legal_form, branch)
        core = whole = "".join(core_words)
    return OrganizationForm(
        key,
        folded_region,
        folded_brand,
        text.fold_words(industry),
        text.fold(legal_form),
        core,
        whole,
        core_words,
        brand_words,
        han,
        tuple(dict.fromkeys([*text.readings(brand), *readings])) if han else tuple(readings),
        tuple(text.readings(region)) if han and region else (),
        name,
        cut,
    )


def with_other_place(main: OrganizationForm, branch: str) -> Iterator[OrganizationForm]:
    """Further ways to read or write a Chinese name, by the place in front of its brand.

    A brand may begin with a place whose name is also a word, and a branch is
    called by its own place too.

    >>> [(way.region, way.brand) for way in with_other_place(form("红河星辰"), "")]
    [('红河', '星辰')]
    >>> firm = form("临汾星辰科技有限公司红河分公司", "临汾", "星辰", "科技", "有限公司")
    >>> [(way.region, way.whole) for way in with_other_place(firm, "红河")]
    [('红河', '红河星辰科技')]
    """
    if not main.han:
        return
    size = place_names.may_lead(main.brand) if not main.region else 0
    if size and len(main.brand) - size > 1:
        place, brand = main.brand[:size], main.brand[size:]
        if not main.industry:
            brand = text.fold(han_organization.parse(brand).brand)
        yield main._replace(
            region=place,
            brand=brand,
            core=main.core[size:],
            brand_readings=tuple(text.readings(brand)),
            region_readings=tuple(text.readings(place)),
        )
    if branch and branch != main.region and (place_names.short_name(branch) == branch):
        yield main._replace(
            key=branch + main.core,
            region=branch,
            whole=branch + main.core,
            legal_form="",
            region_readings=tuple(text.readings(branch)),
        )


def _han_core(name: str, key: str, brand: str, legal_form: str, branch: str) -> tuple[str, str]:
    """Brand and line of business as written, without and with the region."""
    start = key.find(brand)
    end = _HAN_FORM.search(key)
    if start < 0 or "(" in name or (not end and (branch or legal_form)):
        parts = han_organization.parse(name)
        core, whole = text.fold(parts.core), text.fold(parts.whole)
        if not core.startswith(brand):  # a house's one name for its many
            core = brand
        return core, whole or core
    whole = key[: end.start()] if end and end.start() >= start + len(brand) else key
    return whole[start:], whole


def _latin_core(
    name: str,
    every: tuple[str, ...],
    region: str,
    brand: tuple[str, ...],
    legal_form: str,
    branch: str,
) -> tuple[tuple[str, ...], int]:
    """Words of brand and line of business as written, and how many are the brand."""
    written = every
    forms = latin_organization.form_words()
    plain = not (region or branch) and bool(every)
    if plain and legal_form and every[-1] in forms:
        while len(written) > len(brand) and written[-1] in forms:
            written = written[:-1]
    elif not plain or legal_form or len(every[-1]) < 4 or not _PLAIN.fullmatch(name):
        country = "CN" if region and text.has_han(region) else "US"
        written = words(latin_organization.parse(name, country).core) or every
    if written[: len(brand)] != brand:
        return written, 0
    return written, len(brand) if len(written) > len(brand) else 0

"""Names of organizations: region, brand, industry, legal form and branch.

What belongs here: the result and what holds for every script. Chinese names are
taken apart in rules/han_organization.py, others in rules/latin_organization.py,
remarks in rules/notes.py.

>>> name = parse("杭州映龙网络科技有限责任公司广州分公司（老客户）")
>>> name.region, name.brand, name.industry, name.legal_form, name.branch
('杭州', '映龙', 'network technology', '有限公司', '广州')
>>> other = parse("Hangzhou Yinglong Network Technology Co., Ltd.")
>>> other.region, other.brand, other.industry, other.legal_form
('杭州', 'Yinglong', 'network technology', 'Co Ltd')
>>> other.readings == name.readings
True
"""

from dataclasses import dataclass, field
from functools import cache, lru_cache

from rules import han_organization, latin_organization, notes, person_name, tables
from rules import text as characters
from rules.quarantine import Problem

TRUNCATED = "truncated"
"""The note of a name whose end a fixed width has cut off."""

_PLACEHOLDER = Problem(
    "name_placeholder", "The cell holds a placeholder instead of a name; enter the name."
)
_NOT_A_NAME = Problem("name_unreadable", "The cell holds no letters; enter the name.")


@dataclass(slots=True)
class OrganizationName:
    """A parsed name of an organization.

    Attributes:
        name: full name as shown, without notes; empty if the cell names nothing.
        key: folded name with its legal form in one spelling and its region in front.
        readings: the brand in Latin letters: pinyin readings, or the folded Latin brand.
        region: short name of the division in the name.
        brand: the distinctive part, in shown form.
        industry: line of business, one code per line, the same for Chinese and English.
        legal_form: in one spelling per form.
        branch: what tells a branch from its parent: place and number, or the kind of branch.
        notes: what was taken out of the cell, and the flag :data:`TRUNCATED`.
        phones: telephone numbers found in the cell, as written.
    """

    name: str = ""
    key: str = ""
    readings: list[str] = field(default_factory=list)
    region: str | None = None
    brand: str | None = None
    industry: str | None = None
    legal_form: str | None = None
    branch: str | None = None
    other_names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@lru_cache(maxsize=1 << 15)
def parse(text: str | None, *, country: str = "CN") -> OrganizationName:
    """Parse an organization's name from one cell.

    Args:
        text: the cell.
        country: ISO 3166 code; names in Latin letters have Chinese regions only where
            Chinese is spoken.

    Returns:
        The parts. The lists may be shared between calls: do not change them.
    """
    shown = characters.clean(text or "")
    if person_name.is_nobody(shown):
        return OrganizationName(problems=[_PLACEHOLDER] if shown else [])
    whole, cell = shown, notes.split(shown, han_organization.is_part)
    shown, other_names, remarks = cell.text, list(cell.other_names), list(cell.notes)
    if cell.text != whole and person_name.is_nobody(shown):
        return OrganizationName(
            other_names=other_names,
            notes=remarks,
            phones=cell.phones,
            problems=[_PLACEHOLDER],
        )
    if characters.has_han(shown):
        shown, latin = han_organization.part_scripts(characters.to_simplified(shown))
        if latin:
            other_names.append(latin)
        parts = han_organization.parse(shown)
    else:
        parts = latin_organization.parse(shown, country)
    if not parts.key:
        return OrganizationName(
            other_names=other_names, notes=remarks, phones=cell.phones, problems=[_NOT_A_NAME]
        )
    if parts.is_truncated:
        remarks.append(TRUNCATED)
    brand, readings, industry = parts.brand, parts.readings, parts.industry
    famous = _famous().get(characters.fold(parts.core))
    if not famous and parts.whole != parts.core:
        famous = _famous().get(characters.fold(parts.whole))
    if famous:
        if characters.has_han(shown) or not characters.has_han(famous):
            brand = famous
        readings = list(dict.fromkeys(characters.readings(famous) + readings))
        industry = None
    return OrganizationName(
        name=shown,
        key=parts.key,
        readings=readings,
        region=parts.region,
        brand=brand or None,
        industry=industry,
        legal_form=parts.legal_form,
        branch=parts.branch,
        other_names=other_names,
        notes=remarks,
        phones=cell.phones,
    )


@cache
def _famous() -> dict[str, str]:
    """Folded short, full and Latin names of large organizations to one brand."""
    names: dict[str, str] = {}
    for brand, written in tables.rows("famous_organizations"):
        for name in [brand, *written.split("|")]:
            names.setdefault(characters.fold(name), brand)
    return names


def is_famous(name: str) -> bool:
    """Whether a name is that of a large organization that everybody knows.

    >>> is_famous("工行"), is_famous("张三")
    (True, False)
    """
    return characters.fold(name) in _famous()

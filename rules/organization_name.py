"""Names of organizations: region, brand, industry, legal form and branch."""

from dataclasses import dataclass, field

from rules import text as characters
from rules.quarantine import Problem


@dataclass(frozen=True)
class OrganizationName:
    """A parsed name of an organization.

    Attributes:
        name: full name as shown, without notes; empty if the cell names nothing.
        key: folded name without legal form punctuation.
        readings: the brand in Latin letters: pinyin readings, or the folded Latin brand.
        region: short name of the division in the name.
        brand: the distinctive part, in shown form.
        industry: line of business, one spelling per line, the same for Chinese and English.
        legal_form: in one spelling per form.
        branch: branch, office or shop, with its place.
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


def parse(text: str | None, *, country: str = "CN") -> OrganizationName:
    """Parse an organization's name from one cell."""
    name = characters.to_simplified(characters.clean(text or ""))
    return OrganizationName(
        name=name,
        key=characters.fold(name),
        readings=characters.readings(name)[:1],
        brand=name or None,
    )

"""Names of people: any written form to family name, given name and readings."""

from dataclasses import dataclass, field

from rules import text
from rules.quarantine import Problem


@dataclass(frozen=True)
class PersonName:
    """A parsed name of a person; all text is in shown form but ``key`` and ``readings``.

    Attributes:
        name: full name as shown, without notes and titles; empty if the cell names nobody.
        key: folded name, family name first.
        readings: ``family given`` in Latin letters, the likeliest first.
        notes: what was taken out of the cell, and flags such as ``title_only``.
        phones: telephone numbers found in the cell, as written.
    """

    name: str = ""
    key: str = ""
    readings: list[str] = field(default_factory=list)
    family_name: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    suffix: str | None = None
    title: str | None = None
    other_names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def parse(
    full: str | None, *, family: str | None = None, given: str | None = None, country: str = "CN"
) -> PersonName:
    """Parse a person's name from one cell, or from family and given name cells."""
    name = text.clean(full or f"{family or ''} {given or ''}")
    if text.has_han(name):
        name = text.to_simplified(name).replace(" ", "")
        family_name, given_name = name[:1], name[1:]
    else:
        words = name.replace(",", " ").split()
        family_name, given_name = (words[-1:] or [""])[0], " ".join(words[:-1])
    readings = [
        f"{f} {g}".strip()
        for f in text.readings(family_name) or [""]
        for g in text.readings(given_name) or [""]
    ]
    return PersonName(
        name=name,
        key=text.fold(family_name + given_name),
        readings=readings if name else [],
        family_name=family_name or None,
        given_name=given_name or None,
    )

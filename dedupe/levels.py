"""Which levels each comparison has, and what contradicts a merge: one table for all stages.

A level is an int8 in a column ``<field>_level``: its index in the field's list,
0 for disagreement, higher for better agreement, :data:`MISSING` (-1) where
either record lacks the value or the two are not comparable. The sentence is
what a steward reads. How a level is decided stands in ``dedupe/comparing``;
what it weighs stands in the model.

>>> [level.name for level in LEVELS["person"]["birth_date"]]
['different', 'other_year', 'partly', 'year', 'near', 'same']
>>> sentence("organization", "phone", 9)
'Two or more telephone numbers are the same.'
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from rules.customer import ORGANIZATION, PERSON

MISSING = -1


class Level(NamedTuple):
    """One outcome of a comparison.

    Attributes:
        name: short name, stable: models and tables refer to it.
        sentence: what a steward reads.
        agreement: -1 (speaks against) to 1 (speaks for), a prior guess that only
            starts the training; weights are learnt.
    """

    name: str
    sentence: str
    agreement: float


class Veto(NamedTuple):
    """A contradiction: it keeps two records apart unless other evidence is stronger.

    Attributes:
        sentence: what a steward reads.
        field: the comparison whose level contradicts; it weighs nothing more by itself.
        overruled_at_bits: match weight (log2 odds, the contradiction in it) from
            which it no longer keeps apart; None where nothing overrules it.
        deniable: whether it is none in data where the other comparisons say that most
            of its pairs match: names there vary more than contradictions assume.
        at_home: whether its pairs share a telephone or a house. That is why they are compared,
            so their numbers, where they have any, tell how many of them match (checking.py).
    """

    sentence: str
    field: str = ""
    overruled_at_bits: float | None = 0.0
    deniable: bool = False
    at_home: bool = False


_PERSON_NAME = (
    Level("unlike", "The names are unlike.", -1.0),
    Level("conflict", "Same name, but middle name or suffix (Jr, Sr, II) contradict.", -0.5),
    Level("given_only", "Only the given names agree; the family names differ.", -0.5),
    Level("family_only", "Only the family names agree; the given names differ.", -1.0),
    Level("given_near", "Same family name; the given names are similar.", -0.2),
    Level("one_character", "Same family name; one of two given characters differs.", -0.3),
    Level("no_given", "Same family name; one record has no comparable given name.", 0.3),
    Level("suffix", "The names agree, but only one has a suffix (Jr, Sr, II).", 0.4),
    Level("both_near", "Family and given name each differ by a slip.", 0.4),
    Level("initial", "Of one given name there is only the initial.", 0.6),
    Level("confusable", "The names differ by a typing slip, a homophone or a look-alike.", 0.6),
    Level("short_form", "Two forms of one name: by nickname, spelling or order.", 0.7),
    Level("script", "The same name in another script, or a middle name is missing.", 0.8),
    Level("equal", "The names are the same.", 1.0),
    Level("full", "The names are the same, the middle name too.", 1.0),
)

_ORGANIZATION_NAME = (
    Level("unlike", "The names are unlike.", -1.0),
    Level("other_industry", "Same distinctive name, but another line of business.", -0.7),
    Level("other_region", "Same distinctive name, but another region.", -0.7),
    Level("near", "The distinctive names are similar.", 0.2),
    Level("whole", "The same name; one is a branch, the other may be the whole firm.", -0.2),
    Level("short_form", "One name is a short form of the other.", 0.6),
    Level("acronym", "One name is made of the other's initials.", 0.5),
    Level("brand_script", "The same distinctive name in another script.", 0.6),
    Level("brand", "The same distinctive name, and nothing else to compare.", 0.6),
    Level("no_industry", "The same distinctive name; the line of business is left out.", 0.6),
    Level("confusable", "The names differ by a typing slip, a homophone or a look-alike.", 0.7),
    Level("other_form", "The same name with another legal form.", 0.7),
    Level("cut", "The same name as far as it goes; one record's name is cut off.", 0.8),
    Level("script", "The same name in another script, line of business or region too.", 0.8),
    Level(
        "no_region", "The same name; one record leaves out the region or names a wider one.", 0.8
    ),
    Level("no_form", "The same name; one record leaves out the legal form.", 0.9),
    Level("equal", "The names are the same.", 1.0),
)

_ID = (
    Level("conflict", "The identity or registration numbers differ.", -1.0),
    Level("other", "Numbers of an unknown kind but one form differ.", -0.7),
    Level("near", "The numbers differ by a typing slip.", 0.7),
    Level("partial", "One number is cut or damaged; what is left of it agrees.", 0.8),
    Level("same", "The identity or registration numbers are the same.", 1.0),
)

_PHONE = (
    Level("all_differ", "Mobile and other telephone numbers all differ.", -0.9),
    Level("other_mobile", "Each has a mobile number of its own.", -0.8),
    Level("none", "No telephone number is the same.", -0.7),
    Level("other_kind", "No telephone number is the same, but their kinds differ.", -0.2),
    Level("household", "One number is the same, but each has another that differs.", 0.3),
    Level("line", "A landline number is the same.", 0.6),
    Level("near", "Two telephone numbers differ by a typing slip or the area code.", 0.5),
    Level("shared", "A telephone number is the same.", 0.8),
    Level("mobile", "A mobile number is the same.", 0.9),
    Level("two_shared", "Two or more telephone numbers are the same.", 1.0),
)

_EMAIL = (
    Level("different", "The e-mail addresses differ.", -0.5),
    Level("domain", "The e-mail addresses are of the same company domain.", 0.3),
    Level("local_part", "The e-mail addresses agree before the @ only.", 0.4),
    Level("near", "The e-mail addresses differ by a typing slip.", 0.8),
    Level("same", "An e-mail address is the same.", 1.0),
)

_ADDRESS = (
    Level("other_city", "The addresses are in different cities.", -0.8),
    Level("unlike", "Another road; not both records name the city.", -0.7),
    Level("elsewhere", "The same road and number, but in different cities.", -0.2),
    Level("other_road", "The same city, but another road.", -0.5),
    Level("city", "The same city; one record knows no more.", 0.1),
    Level("postal", "The same postal code; one record knows no more.", 0.3),
    Level("other_number", "The same road, but another number.", 0.0),
    Level("near", "The addresses are similar.", 0.4),
    Level("other_unit", "The same road and number, but another unit.", 0.3),
    Level("number", "The same road and number; not both say the unit.", 0.8),
    Level("same", "The addresses are the same.", 1.0),
)

_BIRTH_DATE = (
    Level("different", "The birth dates differ.", -1.0),
    Level("other_year", "The year in an e-mail address is not the other's birth year.", -0.7),
    Level("partly", "The birth dates agree in two of year, month and day.", 0.0),
    Level("year", "The same birth year; one record tells no more than the year.", 0.3),
    Level("near", "The birth dates differ in one digit, or day and month are swapped.", 0.6),
    Level("same", "The birth dates are the same.", 1.0),
)

_EMPLOYER = (
    Level("different", "The employers differ.", -0.3),
    Level("near", "The employers' names are similar.", 0.4),
    Level("same", "The employer is the same.", 0.8),
)

_CONTACT = (
    Level("different", "Contact person and legal representative differ.", -0.4),
    Level("near", "The contacts' names are similar or share the family name.", 0.3),
    Level("same", "Contact person or legal representative is the same.", 0.9),
)

_SOURCE = (
    Level("same", "Both records are of the same source.", -0.1),
    Level("other", "The records are of different sources.", 0.1),
)

_BRANCH = (
    Level("other", "They are different branches.", -1.0),
    Level("parent", "One is a branch, the other the organization itself.", -0.7),
    Level("same", "They are the same branch.", 0.8),
)

TEXT_LEVELS = (
    Level("different", "The texts in {name} differ.", -0.4),
    Level("similar", "The texts in {name} are similar, or one holds the other.", 0.3),
    Level("same", "The texts in {name} are the same.", 0.7),
)

LEVELS: dict[str, dict[str, tuple[Level, ...]]] = {
    PERSON: {
        "name": _PERSON_NAME,
        "id": _ID,
        "birth_date": _BIRTH_DATE,
        "phone": _PHONE,
        "email": _EMAIL,
        "address": _ADDRESS,
        "employer": _EMPLOYER,
        "source": _SOURCE,
    },
    ORGANIZATION: {
        "name": _ORGANIZATION_NAME,
        "id": _ID,
        "phone": _PHONE,
        "email": _EMAIL,
        "address": _ADDRESS,
        "contact": _CONTACT,
        "branch": _BRANCH,
        "source": _SOURCE,
    },
}
"""Customer type → field → its levels, worst first."""

VERSION: str = hashlib.sha256(
    json.dumps(
        {
            customer_type: {field: [level.name for level in levels] for field, levels in by.items()}
            for customer_type, by in LEVELS.items()
        },
        sort_keys=True,
    ).encode()
).hexdigest()[:16]
"""Fingerprint of the levels' names: a model trained on others does not fit."""

FIELDS: tuple[str, ...] = (
    "name",
    "id",
    "birth_date",
    "phone",
    "email",
    "address",
    "employer",
    "contact",
    "branch",
    "source",
)
"""Every built-in field, in the order of the columns; one that a type lacks is -1 there."""

NUMBERS = ("id", "birth_date")
"""Fields that hardly ever agree by chance nor differ within one customer: they tell whether the
others are right. Each names a contradiction, too."""

TEXT = "text:"
"""Before the name of an attribute that is compared as plain text (MatchingSettings.text_fields):
such fields follow the built-in ones, have the same levels for every customer type, and are
named by the model that learned them, so they are no part of VERSION."""

VETOES: dict[str, Veto] = {
    "type": Veto("One is a person, the other an organization.", overruled_at_bits=None),
    "branch": Veto(
        "One is a branch and the other is not, or they are different branches.", "branch"
    ),
    "id_at_home": Veto(
        "One telephone or address, but numbers of one kind that differ by more than a typing slip.",
        "id",
    ),
    "id": Veto("Their numbers of one kind differ by more than a typing slip.", "id"),
    "birth_date_at_home": Veto(
        "One telephone or address, but birth dates that differ clearly.",
        "birth_date",
        overruled_at_bits=1.0,
    ),
    "birth_date": Veto("Their birth dates differ clearly.", "birth_date", overruled_at_bits=1.0),
    "twins": Veto("One family name, birth date and home, but the given names differ.", "name"),
    "household": Veto(
        "Relatives of one household: one family name, one telephone or address, but another"
        " given name, or a suffix on one side.",
        "name",
        at_home=True,
    ),
    "given_name": Veto("Same family name, but the given names differ.", "name", deniable=True),
    "sibling": Veto(
        "One of two given characters differs and the two are unrelated.", "name", deniable=True
    ),
    "relative": Veto("Same name, but suffix or middle name contradict.", "name", deniable=True),
    "housemates": Veto(
        "Couples, housemates or colleagues: one telephone or address, but unlike names.",
        "name",
        at_home=True,
    ),
    "unlike": Veto(
        "Their names are unlike, and neither a number, an e-mail, nor birth date and place agree.",
        "name",
    ),
    "group": Veto(
        "Companies of one group: one distinctive name, one telephone or address, but another"
        " line of business or region.",
        "name",
        at_home=True,
    ),
    "sister": Veto("Same distinctive name, but another line of business or region.", "name"),
}
"""Values of the column ``veto``, the first that applies, in this order."""


@cache
def is_text(field: str) -> bool:
    """Whether a field is an attribute compared as plain text."""
    return field.startswith(TEXT)


def fields_of(columns: Iterable[str]) -> tuple[str, ...]:
    """The fields whose ``<field>_level`` is among the columns, in their lasting order.

    >>> fields_of(["text:trade_level", "left_id", "phone_level", "name_level"])
    ('name', 'phone', 'text:trade')
    """
    named = {column.removesuffix("_level") for column in columns if column.endswith("_level")}
    return (*(field for field in FIELDS if field in named), *sorted(filter(is_text, named)))


@cache
def levels_of(customer_type: str, field: str) -> tuple[Level, ...]:
    """The levels of a field, worst first; none if the type lacks it.

    >>> levels_of("person", "text:birth_place")[2].sentence, levels_of("person", "branch")
    ('The texts in birth_place are the same.', ())
    """
    if not is_text(field):
        return LEVELS[customer_type].get(field, ())
    name = field.removeprefix(TEXT)
    return tuple(level._replace(sentence=level.sentence.format(name=name)) for level in TEXT_LEVELS)


def sentence(customer_type: str, field: str, level: int) -> str:
    """What a steward reads for a level; for -1 that nothing could be compared.

    Raises:
        KeyError: the type has no such field.
        IndexError: the field has no such level.
    """
    levels = levels_of(customer_type, field)
    if not levels:
        raise KeyError(field)
    if level == MISSING:
        return "Nothing to compare: missing in one record, or of different kinds."
    return levels[level].sentence

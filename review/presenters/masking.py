"""Personal data as a viewer sees it: enough to recognize, not enough to use.

Which columns are personal stands in rules/customer.py; a role that may see all
gets the values as they are. Some more are masked that tell of a person together
with what is left: the last part of a postal code, which may be one street; the
domain of a mail address, which may be a family's or a firm's own.

>>> masked("name", "欧阳小明"), masked("name", "Anna Müller")
('欧＊＊＊', 'A*** M*****')
>>> masked("emails", ["anna@example.com"]), masked("phones", ["+8613800138000"])
(['a***@***'], ['+86…8000'])
>>> masked("city", "上海市")
'上海市'
"""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from dedupe.explaining.masking import masked as without_middle
from rules.customer import PERSONAL
from rules.masks import identity
from rules.text import has_han

_NAMES = frozenset(
    {
        "name", "other_names", "family_name", "given_name", "middle_name", "contact_name",
        "legal_representative", "employer_name",
    }
)  # fmt: skip
_OF_NAMES = frozenset({"org_brand"})
"""Not personal by themselves, but what a masked name hides."""
_NUMBERS = frozenset({"phones", "phone_extensions", "house_number", "unit"})
HIDDEN = PERSONAL | _OF_NAMES | {"postal_code"}
"""Columns of which a viewer sees a part only."""
_SHOWN_OF_POSTAL_CODE = 3
_TELLING = re.compile(r"[^\s@<>,;，；。]+@[^\s@<>,;，；。]+|\+?\d(?:[ ./()-]{0,2}\d){4,}[Xx]?")
"""In free text: mail addresses, and numbers of five digits and more."""


def seen(field: str, value: Any, may_see_all: bool) -> Any:
    """A value as somebody may see it."""
    return value if may_see_all else masked(field, value)


def masked(field: str, value: Any) -> Any:
    """A value of a column without what a viewer may not see; of the same shape.

    Args:
        field: a column of the canonical model.
        value: text, list of text, date, object or None.
    """
    if value is None or field not in HIDDEN:
        return value
    if isinstance(value, list):
        return [masked(field, each) for each in value]
    if field == "attributes" and isinstance(value, str):
        value = json.loads(value)
    if isinstance(value, Mapping):
        return dict.fromkeys(value, "…")
    if isinstance(value, date):
        return f"{value.year}-**-**"
    text = str(value)
    if field in _NAMES | _OF_NAMES:
        return name(text)
    if field == "emails":
        return f"{text[:1]}***@***"
    if field == "postal_code":
        return f"{text[:_SHOWN_OF_POSTAL_CODE]}…"
    if field == "birth_date":
        return f"{text[:4]}-**-**"
    if field == "national_id":
        return identity(text)
    if field in _NUMBERS:
        return without_middle(text)
    if field == "sex":
        return "*"
    return f"{text[:1]}***" if text else text


def name(text: str) -> str:
    """A name's first character, or the first of each word; the others as stars, one at least."""
    if has_han(text):
        return text[:1] + "＊" * max(len(text) - 1, 1)
    return " ".join(word[:1] + "*" * max(len(word) - 1, 1) for word in text.split())


def words(text: str, may_see_all: bool) -> str:
    """What stewards wrote in their own words, as somebody may see it.

    Numbers and mail addresses are masked; a name that they wrote cannot be told from a word.

    >>> words("same phone, 138 0013 8000, and anna@example.com", False)
    'same phone, …, and …'
    >>> words("see case 12", False), words("13800138000", True)
    ('see case 12', '13800138000')
    """
    return text if may_see_all else _TELLING.sub("…", text)

"""What may be kept encrypted, and what else holds a value that is: columns that are made of it.

What belongs here: from a column of the canonical model (``privacy: encrypt:``) to the
columns of records, staged, golden and in the lake, that say the same. What says one value
in several forms is protected together: naming one form names all. A birth date and a sex that
a number tells too are values of their own, and encrypted if they are named.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from connectors import source
from connectors.declarations import Declared
from onefold.errors import ConfigError
from onefold.keys import Keys
from rules.customer import PERSONAL

ALL_PERSONAL = "personal"
"""In ``encrypt``: every personal column."""

_NAMES = (
    "name", "name_key", "name_readings", "other_names", "family_name", "given_name",
    "middle_name", "name_suffix", "org_brand", "org_branch",
)  # fmt: skip
_NAME_FORMS = (
    "family", "given", "middle", "suffix", "brand_key", "branch", "brand_readings",
    "brand_starts", "brand_words", "initials", "acronym", "name_ref", "other_keys", "key",
)  # fmt: skip
_PHONES = ("phones", "phone_extensions", "phone_keys")
_ADDRESS = ("address_line", "street", "house_number", "unit", "address_key")
_ADDRESS_FORMS = ("road", "road_key")
_IDENTIFIERS = ("id_keys",)
_PLACES = ("district", "city", "region", "postal_code")
"""An address as one line names them, too."""
_TOGETHER: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (_NAMES, _NAME_FORMS),
    (_PHONES, ()),
    (("emails",), ()),
    (("birth_date",), ()),
    (("sex",), ()),
    (_ADDRESS, _ADDRESS_FORMS),
    (("contact_name",), ("contacts", "contact_key")),
    (("legal_representative",), ("contacts", "representative_key")),
    (("employer_name",), ("employer", "employer_key", "key")),
    (("attributes",), ()),
)
"""Columns of the canonical model that say one thing, and columns in the lake that do, too
(dedupe/features.py, dedupe/relations.py)."""

ALIKE: Mapping[str, tuple[str, ...]] = {
    **{
        name: tuple(one for one in (*columns, *forms) if one != name)
        for columns, forms in _TOGETHER
        for name in columns
    },
    "national_id": _IDENTIFIERS,
    "tax_id": ("org_code", "license_no", *_IDENTIFIERS),
    "org_code": _IDENTIFIERS,
    "license_no": _IDENTIFIERS,
    "id_keys": ("national_id", "tax_id", "org_code", "license_no"),
    **dict.fromkeys(_PLACES, (*_ADDRESS, *_ADDRESS_FORMS)),
}
"""Column of the canonical model → others that hold its values, whole or in part; also of tables
in the lake."""

PROTECTABLE = frozenset({*ALIKE, *(other for others in ALIKE.values() for other in others)})
"""All columns that can be encrypted."""

_OF_ATTRIBUTES = "text:"
"""What columns of features begin with that hold an attribute (dedupe/levels.py)."""


def named(encrypted: Iterable[str]) -> frozenset[str]:
    """The columns of the canonical model that a setting names.

    Raises:
        ConfigError: one of them cannot be encrypted.

    >>> "birth_date" in named(["personal"]), "tax_id" in named(["personal"])
    (True, False)
    """
    found: set[str] = set()
    for name in encrypted:
        if name == ALL_PERSONAL:
            found |= PERSONAL
        elif name in ALIKE:
            found.add(name)
        else:
            raise ConfigError(
                "onefold.yml, privacy, encrypt",
                "this column cannot be kept encrypted",
                found=name,
                do=f"Choose among {', '.join(ALIKE)}; or {ALL_PERSONAL}: every personal one.",
            )
    return frozenset(found)


def declared(home: Path, keys: Keys) -> Declared:
    """The sources of a home, for who reads or writes values in the lake.

    Raises:
        ConfigError: the settings name a column that cannot be encrypted.
    """
    return source.declared(home, keys, named(keys.policy.encrypted))


def hidden(encrypted: Iterable[str]) -> frozenset[str]:
    """All columns that are encrypted where these are.

    Raises:
        ConfigError: one of them cannot be.

    >>> sorted(hidden(["national_id"])), hidden([])
    (['id_keys', 'national_id'], frozenset())
    """
    names = named(encrypted)
    return frozenset({*names, *(other for name in names for other in ALIKE[name])})


def holds(column: str, names: frozenset[str]) -> bool:
    """Whether a column of a table in the lake holds values of encrypted columns.

    Args:
        column: its name.
        names: of :func:`hidden`.

    >>> holds("text:branch", frozenset({"attributes"})), holds("city", frozenset({"attributes"}))
    (True, False)
    """
    return column in names or (column.startswith(_OF_ATTRIBUTES) and "attributes" in names)

"""What else holds a value that is kept encrypted: columns that are made of it.

What belongs here: from a column of the canonical model (``privacy: encrypt:``) to the
columns of records, staged, golden and in the lake, that say the same. A birth date and a
sex that a number tells too are values of their own, and encrypted if they are named.
"""

from collections.abc import Iterable, Mapping

from onefold.errors import ConfigError

_IDENTIFIERS = ("id_keys",)
ALIKE: Mapping[str, tuple[str, ...]] = {
    "national_id": _IDENTIFIERS,
    "tax_id": ("org_code", "license_no", *_IDENTIFIERS),
    "org_code": _IDENTIFIERS,
    "license_no": _IDENTIFIERS,
    "address_line": ("street", "house_number", "unit", "address_key", "road", "road_key"),
    "contact_name": ("contacts", "contact_key"),
    "legal_representative": ("contacts", "representative_key"),
}
"""Column of the canonical model → others that hold its values, whole or in part; also of tables
in the lake (dedupe/features.py, dedupe/relations.py)."""

PROTECTABLE = frozenset({*ALIKE, *(other for others in ALIKE.values() for other in others)})
"""All columns that can be encrypted."""


def hidden(encrypted: Iterable[str]) -> frozenset[str]:
    """All columns that are encrypted where these are.

    Raises:
        ConfigError: one of them cannot be.

    >>> sorted(hidden(["national_id"])), hidden([])
    (['id_keys', 'national_id'], frozenset())
    """
    names = tuple(encrypted)
    for name in names:
        if name not in ALIKE:
            raise ConfigError(
                "onefold.yml, privacy, encrypt",
                "this column cannot be kept encrypted",
                found=name,
                do=f"Choose among {', '.join(ALIKE)}.",
            )
    return frozenset({*names, *(other for name in names for other in ALIKE[name])})

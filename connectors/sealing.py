"""Which columns of a source are kept encrypted in the lake, and how they are.

What belongs here: from columns of the canonical model (``privacy: encrypt:``) to the
source's own, and their values in snapshots. Protected are the columns that the source's
settings map to such fields; a number that stands in another column, a note or a name,
is kept there as it was read.

The hashes of records and of their order are keyed where a column is encrypted: whoever
knows all else of a record could try out the numbers there are against a plain one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from connectors import mapping, row_hashes
from connectors.config import SourceConfig
from connectors.fields import ATTRIBUTE, NAME_FIELDS
from onefold.errors import ConfigError
from onefold.keys import Keys

_NUMBERS = ("national_id", "tax_id", "identifier")
_PHONES = ("phone", "mobile", "email", *NAME_FIELDS)
_NAMES = (*NAME_FIELDS, "short_name")
_ADDRESS = ("address",)
FEEDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("national_id", "tax_id", "org_code", "license_no", "id_keys"), _NUMBERS),
    **dict.fromkeys(
        ("name", "name_key", "name_readings", "other_names", "family_name", "given_name",
         "middle_name", "name_suffix", "org_brand", "org_branch"),
        _NAMES,
    ),
    **dict.fromkeys(("phones", "phone_extensions", "phone_keys"), _PHONES),
    "emails": ("email", "phone", "mobile"),
    "birth_date": ("birth_date",),
    "sex": ("sex",),
    **dict.fromkeys(("address_line", "street", "house_number", "unit", "address_key"), _ADDRESS),
    **{name: (name, *_ADDRESS) for name in ("district", "city", "region", "postal_code")},
    "contact_name": ("contact_name", "family_name", "given_name"),
    "legal_representative": ("legal_representative",),
    "employer_name": ("organization_name", "name"),
    "attributes": (ATTRIBUTE, "note"),
}  # fmt: skip
"""Columns of the canonical model that can be kept encrypted, and the input fields they come from;
ATTRIBUTE is all that begin so. What may stand in the wrong column is encrypted there too: an
identity number where tax numbers are, a telephone number beside a name."""
_PURPOSE = "row"


@dataclass(frozen=True)
class Seal:
    """What is encrypted of a source's records.

    Attributes:
        keys: the home's keys.
        columns: of the source.
    """

    keys: Keys
    columns: frozenset[str]

    def sealed(self, names: Sequence[str], values: Sequence[pa.Array]) -> list[pa.Array]:
        """The values of columns as they are kept."""
        return [
            self.keys.encrypt_column(one).combine_chunks() if name in self.columns else one
            for name, one in zip(names, values, strict=True)
        ]

    def hashes(self, found: bytes) -> bytes:
        """Hashes of records, keyed; 16 bytes each."""
        size, key, hashed = row_hashes.SIZE, self._row_key, hashlib.blake2b
        return b"".join(
            [
                hashed(found[start : start + size], digest_size=size, key=key).digest()
                for start in range(0, len(found), size)
            ]
        )

    @cached_property
    def _row_key(self) -> bytes:
        return self.keys.hash_key(_PURPOSE)

    def check_key(self, config: SourceConfig, key: Sequence[str]) -> None:
        """Refuse a key that would carry an encrypted value into every table.

        Raises:
            ConfigError: a column of the key is encrypted.
        """
        both = sorted(self.columns.intersection(key))
        if both:
            raise ConfigError(
                config.file or config.name,
                "its key would carry values that are to be kept encrypted into every table",
                found=", ".join(both),
                do="Name another column as 'key', or 'key: []': then a record is known by all"
                " that it says.",
            )


def of(config: SourceConfig, columns: Sequence[str]) -> Seal | None:
    """What is encrypted of a source with these columns; None: nothing.

    Raises:
        SourceLayout: a mapped column is not there.
    """
    keys = config.keys
    if keys is None:
        return None
    fields = {field for name in config.encrypted for field in FEEDS[name]}
    mapped = mapping.resolve(config, columns)
    found = {column for field, used in mapped.items() if _fed(field) in fields for column in used}
    return Seal(keys, frozenset(found)) if found else None


def _fed(field: str) -> str:
    """As FEEDS names an input field."""
    return ATTRIBUTE if field.startswith(ATTRIBUTE) else field


def opened(table: pa.Table, sealed: Sequence[str], keys: Keys | None) -> pa.Table:
    """A snapshot's rows with their values in clear.

    Args:
        table: some columns of some rows.
        sealed: which of the snapshot's columns are encrypted.
        keys: the home's; None: the values are not looked at, and stay encrypted.

    Raises:
        ConfigError: the key they were encrypted with is not declared.
    """
    if keys is None:
        return table
    for name in sealed:
        place = table.schema.get_field_index(name)
        if place >= 0:
            clear = keys.decrypt_column(table.column(place))
            table = table.set_column(place, table.schema.field(place), clear)
    return table

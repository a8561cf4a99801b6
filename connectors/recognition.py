"""Which column of some tables holds what: an input field, plain text to compare, the key, or none.

What belongs here: what somebody said, what each column says by itself
(column_reading.py) and beside the others (columns_together.py), put together.
Nothing depends on the order of rows: what is looked at are the rows with the
smallest hashes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from connectors import column_reading, columns_together, headings, home_country, mapping
from connectors.column_reading import Column, Profile
from connectors.fields import ATTRIBUTE, INPUT_FIELDS, is_input_field, nearest_input_field
from onefold.errors import ConfigError

TEXT, KEY = "text", "key"
"""What --map may say besides an input field."""

_OF_ORGANIZATIONS = (
    *("customer_type", "organization_name", "tax_id", "identifier", "contact_name"),
    *("legal_representative", "short_name"),
)
"""Fields of a table that may list organizations."""


@dataclass(frozen=True)
class Recognition:
    """What the columns of some tables are.

    Attributes:
        columns: one per heading, in the order of their first appearance.
        country: ISO 3166 code for records that do not say theirs.
        country_reason: why.
        has_organizations: whether more than a few names are of organizations.
    """

    columns: tuple[Column, ...]
    country: str
    country_reason: str
    has_organizations: bool = False

    def key(self, names: Iterable[str]) -> str | None:
        """The key column of a table with these columns."""
        there = set(names)
        return next((c.name for c in self.columns if c.role == "key" and c.name in there), None)

    @property
    def text_fields(self) -> tuple[str, ...]:
        """Names of the attributes that are compared as plain text."""
        return tuple(column.name for column in self.columns if column.role == "text")

    def mapped(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Input field → columns, for ``columns`` of a source with these columns."""
        there = set(names)
        found: dict[str, list[str]] = {}
        for column in self.columns:
            if column.name in there and column.role == "field":
                found.setdefault(column.field, []).append(column.name)
            elif column.name in there and column.role == "text":
                found[f"{ATTRIBUTE}{column.name}"] = [column.name]
        if "address" in found:
            found["address"].sort(key=headings.place_in_address)
        if "birth_date" in found:
            parts = {c.name: c.part for c in self.columns}
            found["birth_date"].sort(key=lambda name: parts[name] or len(parts))
        if "given_name" in found:
            found["given_name"].sort(key=headings.is_middle_name)
        if "city" not in found and "district" in found and self.country not in ("CN", "TW"):
            found["city"] = found.pop("district")
        return {field: tuple(columns) for field, columns in found.items()}

    def customer_type(self, names: Iterable[str]) -> str | None:
        """``person`` if a table with these columns lists persons only, else None: their columns
        say so, and there is none for the kind or the name of an organization."""
        mapped = self.mapped(names)
        if any(field in mapped for field in _OF_ORGANIZATIONS) or self.has_organizations:
            return None
        parts = "family_name" in mapped and "given_name" in mapped
        return "person" if parts or ("birth_date" in mapped and "sex" in mapped) else None


def recognize(
    tables: Sequence[pa.Table],
    *,
    fields: Mapping[str, str] | None = None,
    ignore: Iterable[str] = (),
    country: str | None = None,
    whole: bool = False,
) -> Recognition:
    """Say what every column of some tables of one kind is.

    Columns of one heading are one column, whichever tables they are in.

    Args:
        tables: text columns; those that start with ``_`` are not looked at, but
            ``_row_hash`` chooses the sample.
        fields: column → what it is, said by somebody: an input field, ``text`` or ``key``.
        ignore: columns to leave out.
        country: ISO 3166 code; guessed where it is None.
        whole: name the fields that say nothing about who a customer is, too (dates of the
            record, its state, columns that are empty here): for the settings of a source.

    Raises:
        ConfigError: ``fields`` or ``ignore`` name a column or field that is not there.
    """
    names = list(dict.fromkeys(n for table in tables for n in table.column_names if n[:1] != "_"))
    said = _said(fields or {}, ignore, names)
    profiles = {name: column_reading.profile(name, tables) for name in names}
    columns = [
        _as_said(name, said[name])
        if name in said
        else column_reading.read(profiles[name], whole=whole)
        for name in names
    ]
    columns = columns_together.one_key(columns)
    columns = columns_together.less_sure_beside_headings(columns)
    columns = columns_together.dates_in_parts(columns, profiles, said)
    columns = columns_together.given_beside_family(columns, profiles)
    columns = columns_together.no_stray_names(columns, tables, profiles)
    columns = columns_together.one_each(columns, tables, said)
    columns = columns_together.no_repeats(columns, tables, said)
    columns = columns_together.not_too_many(columns, profiles, said)
    place = (country, "said") if country is not None else _country(columns, profiles)
    named = [profiles[c.name].shares for c in columns if c.field == "name"]
    firms = any(shares["organization"] > 0.05 for shares in named)
    return Recognition(tuple(columns), *place, has_organizations=firms)


def _said(fields: Mapping[str, str], ignore: Iterable[str], names: list[str]) -> dict[str, str]:
    """Column → what somebody said it is; '' for a column to leave out."""
    said: dict[str, str] = {}
    for option, pairs in (("--map", fields.items()), ("--ignore", [(n, "") for n in ignore])):
        for wanted, field in pairs:
            column = mapping.find_column(names, wanted)
            if column is None:
                raise ConfigError(
                    f"{option} {wanted}",
                    "there is no such column",
                    found=mapping.shown(names),
                    do="Write the heading as the file has it.",
                )
            if field and field not in (TEXT, KEY) and not is_input_field(field):
                near = nearest_input_field(field)
                raise ConfigError(
                    f"--map {wanted}={field}",
                    f"'{field}' is no field",
                    do=(f"Did you mean '{near}'? " if near else "")
                    + f"The fields are {', '.join(INPUT_FIELDS)}, {TEXT} and {KEY}.",
                )
            said[column] = field
    return said


def _as_said(name: str, field: str) -> Column:
    if not field:
        return Column(name, "none", "", 1.0, "ignored, as you said")
    if field == KEY:
        return Column(name, "key", "", 1.0, "as you said")
    if field == TEXT or field.startswith(ATTRIBUTE):
        return Column(name, "text", "", 1.0, "as you said")
    return Column(name, "field", field, 1.0, "as you said")


def _country(columns: list[Column], profiles: Mapping[str, Profile]) -> tuple[str, str]:
    by_field = {c.field: profiles[c.name] for c in reversed(columns) if c.role == "field"}
    return home_country.guess(by_field)

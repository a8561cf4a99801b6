"""What the Dagster UI may show of a table: its columns, its size, harmless columns' values.

Dagster keeps metadata for ever and shows it to whoever opens the page, so a
preview holds only columns whose values come from a closed list, are our own
(ids, counts) or are times of the record: never a source's text or number. A
sole trader's tax number is an identity card's, its brand a person's name.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from rules.customer import BY_NAME, PERSONAL

_HARMLESS = frozenset(
    {
        "golden_id", "source", "customer_type", "type_basis", "org_industry", "org_legal_form",
        "national_id_kind", "tax_id_kind", "phone_kinds", "country", "consent_marketing",
        "consent_marketing_at", "do_not_contact", "do_not_contact_at", "created_at", "updated_at",
        "record_count", "source_count", "sources",
    }
)  # fmt: skip

_DOCS = {
    "golden_id": "The customer's lasting id; never used again for another customer.",
    "record_count": "Source records that the customer is made of.",
    "source_count": "Sources that hold one of these records.",
    "sources": "Names of these sources.",
    "cluster_id": "The smallest record_id of the cluster.",
    "left_id": "Record of the pair whose id is smaller.",
    "right_id": "Record of the pair whose id is greater.",
    "found_by": "Blocking keys that the pair shares; closure: inside a component of others.",
    "veto": "What keeps the two apart whatever their weight, if anything does.",
    "veto_bits": "What a contradiction takes beside what it does to the other evidence.",
    "check_bits": "What pairs with numbers or birth dates say of such agreements, in bits.",
    "weight_bits": "Evidence that both are one customer: log2 odds, all comparisons and the prior.",
    "probability": "That both are one customer, 0 to 1.",
    "field": "Column of the rejected or doubtful value; empty: the record as a whole.",
    "rule": "The rule that it failed.",
    "severity": "error: rejected; warning: kept, but doubtful.",
    "reason": "Why, in words.",
    "raw_value": "As the source has it.",
    "whole_record": "Whether the record as a whole is kept out.",
}
"""Meaning of columns that are not of the canonical model."""
_ENDINGS = {
    "_rarity_bits": "More or fewer bits because the shared {} is rare or common.",
    "_level": "How well the {} agrees: a level of its comparison; -1 is not measured.",
    "_bits": "Evidence of the {} in bits; negative speaks against a match.",
}


def schema(fields: pa.Schema) -> dg.TableSchema:
    """The table's columns with type and meaning."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=str(field.type),
                description=_meaning(field.name),
                tags={"personal": ""} if field.name in PERSONAL else None,
            )
            for field in fields
        ]
    )


def _meaning(column: str) -> str | None:
    if column in BY_NAME:
        return BY_NAME[column].doc
    if column not in _DOCS:
        for ending, text in _ENDINGS.items():
            if column.endswith(ending):
                return text.format(column.removesuffix(ending).replace("_", " "))
    return _DOCS.get(column)


def harmless(names: Iterable[str]) -> list[str]:
    """The columns, of these, that a preview may show."""
    return [name for name in names if name in _HARMLESS]


def preview(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> dg.TableMetadataValue:
    """Rows as a table for the page; ``columns`` names what is shown, in order."""
    return dg.MetadataValue.table(
        records=[dg.TableRecord({name: _plain(row[name]) for name in columns}) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(name=name) for name in columns]),
    )


def _plain(value: Any) -> str | int | float | bool | None:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)

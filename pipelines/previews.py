"""What the Dagster UI may show of a table: its schema, its size, harmless columns.

Previews hold only columns that neither identify nor describe a natural person
(rules.customer.PERSONAL); ids are ours, not the sources'.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from rules.customer import BY_NAME, PERSONAL

_UNSAFE = frozenset({"source_key", "record_id", "position", "row_hash", "raw_value"})
"""Not personal by the model, but a source may use a phone or an e-mail as its key."""


def schema(fields: pa.Schema, docs: dict[str, str] | None = None) -> dg.TableSchema:
    """The table's columns with type and, where the canonical model has it, meaning."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=str(field.type),
                description=(docs or {}).get(field.name)
                or (BY_NAME[field.name].doc if field.name in BY_NAME else None),
                tags={"personal": ""} if field.name in PERSONAL else None,
            )
            for field in fields
        ]
    )


def harmless(names: Iterable[str]) -> list[str]:
    """The columns, of these, that a preview may show."""
    return [name for name in names if name not in PERSONAL and name not in _UNSAFE]


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

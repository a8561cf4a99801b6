"""Values of OData: as filters have them, and as records of version 2 write them.

Source: OASIS OData 4.01 URL Conventions 5.1.1 and JSON Format; OData.org 2.0 Overview 4
and JSON Format.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from connectors.reading import Key
from connectors.web.paging import Record

SHOWN = ".shown"
"""Ends the name of a column that holds what Dynamics shows people instead of a key or code."""
ANNOTATION = "OData.Community.Display.V1.FormattedValue"
"""What Dynamics calls that."""

_DATE = re.compile(r"/Date\((-?\d{1,15})([+-]\d{4})?\)/")
_TIME = re.compile(r"PT(?:(\d{1,2})H)?(?:(\d{1,2})M)?(?:(\d{1,2})(?:\.\d+)?S)?")
_MARKS = {"Edm.Guid": ("guid'", "'"), "Edm.Int64": ("", "L"), "Edm.Decimal": ("", "M")}
"""What version 2 puts around values of a type."""


def literal(version: int, kind: str, value: str) -> str:
    """A value as a filter has it.

    Args:
        version: 2 or 4.
        kind: type of the field.
        value: as records have it; moments in ISO 8601, without a zone in UTC.

    >>> literal(4, "Edm.String", "O'Neil"), literal(2, "Edm.Guid", "6f")
    ("'O''Neil'", "guid'6f'")
    >>> literal(2, "Edm.DateTime", "2026-01-31"), literal(4, "Edm.DateTimeOffset", "2026-01-31")
    ("datetime'2026-01-31T00:00:00'", '2026-01-31T00:00:00Z')
    """
    if kind == "Edm.String":
        quoted = value.replace("'", "''")
        return f"'{quoted}'"
    if kind in ("Edm.DateTime", "Edm.DateTimeOffset"):
        found = datetime.fromisoformat(value)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        plain = found.replace(tzinfo=None).isoformat()
        if kind == "Edm.DateTime":
            return f"datetime'{plain}'"
        return f"{plain}Z" if version == 4 else f"datetimeoffset'{plain}Z'"
    if kind == "Edm.Date":
        return value[:10]
    before, after = _MARKS.get(kind, ("", "")) if version == 2 else ("", "")
    return f"{before}{value}{after}"


def of_4(record: Record, shown: Collection[str] = ()) -> Record:
    """A record of version 4 without what is said about it, but for some of what people see.

    >>> of_4({"@odata.etag": "x", "a": 1, "a@Some.Thing": "y", "b": {"@odata.id": "z", "c": 2}})
    {'a': 1, 'b': {'c': 2}}
    """
    found: dict[str, Any] = {}
    for name, value in record.items():
        plain, _, said = name.partition("@")
        if not said:
            found[name] = _of_4_value(value)
        elif said == ANNOTATION and f"{plain}{SHOWN}" in shown:
            found[f"{plain}{SHOWN}"] = value
    return found


def _of_4_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return of_4(value)
    return [_of_4_value(one) for one in value] if isinstance(value, list) else value


def is_removed(record: Record) -> bool:
    """Whether an entry among changes says that a record was deleted, or fits no more."""
    context = record.get("@odata.context") or record.get("@context") or ""
    return (
        "@removed" in record
        or "@odata.removed" in record
        or (isinstance(context, str) and context.endswith("/$deletedEntity"))
    )


def removed(body: Any, key: Sequence[str]) -> list[Key]:
    """Keys of the records that an answer says were deleted.

    >>> removed({"value": [{"@odata.context": "#a/$deletedEntity", "id": "7"}, {"id": "8"}]}, ["n"])
    [('7',)]
    >>> removed({"value": [{"@removed": {}, "@id": "accounts(id=7,n='a')"}]}, ["id", "n"])
    [('7', 'a')]
    """
    found = []
    for record in body.get("value", []) if isinstance(body, Mapping) else []:
        if not is_removed(record):
            continue
        if all(name in record for name in key):
            found.append(tuple(str(record[name]) for name in key))
            continue
        said = next(
            (str(record[name]) for name in ("id", "@id", "@odata.id") if name in record), ""
        )
        inside = said[said.rfind("(") + 1 : -1] if said.endswith(")") else said
        parts = inside.split(",") if len(key) > 1 else [inside]
        found.append(tuple(part.partition("=")[2] or part for part in parts))
    return [tuple(part.strip("'") for part in one) for one in found]


def of_2(record: Record) -> Record:
    """A record of version 2 as version 4 would have it: lists, dates and times.

    >>> of_2({"__metadata": {}, "a": {"__deferred": {}}, "b": {"results": [{"c": "PT08H05M00S"}]}})
    {'b': [{'c': '08:05:00'}]}
    >>> of_2({"a": "/Date(1767139200000)/", "b": "/Date(0+0060)/", "c": "/Date(1767139200500)/"})
    {'a': '2025-12-31', 'b': '1970-01-01T01:00:00+01:00', 'c': '2025-12-31T00:00:00.500000'}
    """
    return {
        name: _of_2_value(value)
        for name, value in record.items()
        if name != "__metadata" and not (isinstance(value, Mapping) and "__deferred" in value)
    }


def _of_2_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        inside = value.get("results")
        if isinstance(inside, list) and set(value) <= {"results", "__count", "__next"}:
            return [_of_2_value(one) for one in inside]
        return of_2(value)
    if not isinstance(value, str):
        return value
    date = _DATE.fullmatch(value)
    if date:
        return _moment(int(date.group(1)), date.group(2))
    time = _TIME.fullmatch(value) if len(value) > 2 else None
    return ":".join(f"{int(part or 0):02d}" for part in time.groups()) if time else value


def _moment(milliseconds: int, zone: str | None) -> str:
    """A moment in ISO 8601; without its hours where it is the beginning of a day."""
    try:
        found = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return str(milliseconds)
    if zone:
        minutes = int(zone[1:])
        offset = timedelta(minutes=-minutes if zone[0] == "-" else minutes)
        return found.astimezone(timezone(offset)).isoformat()
    plain = found.replace(tzinfo=None)
    return plain.date().isoformat() if plain.time() == plain.min.time() else plain.isoformat()

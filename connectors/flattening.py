"""A nested record, as JSON has it, as one flat row of text.

What belongs here: names with dots for what lies inside, and what becomes of lists.
How records are found in a file or an answer is the connector's part.

Numbers stay as they were written if they come as text: read JSON with
``json.loads(text, parse_int=str, parse_float=str)``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from connectors.fields import SEPARATOR

Flat = dict[str, str | None]
_DEEPEST = 20
"""Levels below which a value stays JSON."""


class ListRule(BaseModel):
    """What becomes of a list of objects, such as the addresses of a customer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    take: Literal["first", "all"] = "first"
    """first: one object, as if it stood there alone; all: the values of all, joined."""
    prefer: dict[str, str] = {}
    """With first: the first object whose fields (names with dots) hold these values, else the
    first one."""

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {"take": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _prefers_one(self) -> Self:
        if self.prefer and self.take == "all":
            raise ValueError("'prefer' has no meaning with 'take: all'")
        return self


_ALL = ListRule(take="all")


def flatten(record: Mapping[str, Any], lists: Mapping[str, ListRule] | None = None) -> Flat:
    """One record as columns of text.

    A list of plain values is joined; so are the values of a list of objects, field by
    field, unless ``lists`` says to take one object. An object without fields and an empty
    list are no columns.

    Args:
        record: the object; its values as JSON has them: dict, list, text and so on.
        lists: column of a list, such as ``addresses`` or ``account.phones`` → what is taken.

    >>> flatten({"id": 7, "name": {"first": "Ann"}, "tags": ["a", "b"], "vip": True, "tel": None})
    {'id': '7', 'name.first': 'Ann', 'tags': 'a; b', 'vip': 'true', 'tel': None}
    >>> both = {"at": [{"city": "Ulm", "main": False}, {"city": "Bonn", "main": True}]}
    >>> flatten(both)
    {'at.city': 'Ulm; Bonn', 'at.main': 'false; true'}
    >>> flatten(both, {"at": ListRule(prefer={"main": "true"})})
    {'at.city': 'Bonn', 'at.main': 'true'}
    """
    found: Flat = {}
    _put(record, "", lists or {}, 1, found)
    return found


def _put(
    record: Mapping[str, Any], before: str, lists: Mapping[str, ListRule], depth: int, into: Flat
) -> None:
    """Put the columns of a record, or of what is inside one; what is filled stays."""
    for field, value in record.items():
        name = before + field if before else field
        if isinstance(value, dict):
            if depth < _DEEPEST:
                _put(value, f"{name}.", lists, depth + 1, into)
                continue
        elif isinstance(value, list | tuple):
            _put_list(value, name, lists, depth, into)
            continue
        if into.get(name) is None:
            into[name] = value if isinstance(value, str) else _text(value)


def _put_list(
    values: Sequence[Any], name: str, lists: Mapping[str, ListRule], depth: int, into: Flat
) -> None:
    filled = [value for value in values if value is not None]
    if depth >= _DEEPEST or not all(isinstance(value, dict) for value in filled):
        if into.get(name) is None:
            into[name] = _joined([_text(value) for value in filled])
        return
    rule, rows = lists.get(name, _ALL), list[Flat]()
    for value in filled:
        rows.append({})
        _put(value, f"{name}.", lists, depth + 1, rows[-1])
    if rule.take == "first" and rows:
        wanted = [(f"{name}.{field}", value) for field, value in rule.prefer.items()]
        fits = [row for row in rows if all(_holds(row.get(field), v) for field, v in wanted)]
        rows = (fits or rows)[:1]
    for column in dict.fromkeys(column for row in rows for column in row):
        if into.get(column) is None:
            into[column] = _joined([row.get(column) for row in rows])


def _holds(text: str | None, value: str) -> bool:
    return text is not None and value in text.split(SEPARATOR)


def _joined(texts: Sequence[str | None]) -> str | None:
    return SEPARATOR.join(text for text in texts if text) or None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return _json(value) if isinstance(value, dict | list | tuple) else str(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)

"""Facts in and out of JSON: kept without a language, said in one when they are shown.

``dumps(facts)`` keeps messages as text and values; ``restored(CaseFacts,
json)`` gives the facts back, for renderers; ``said(json, "zh")`` gives plain
values with every message as a sentence.
"""

import json
from collections.abc import Hashable, Mapping
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from dedupe.explaining.facts import plain
from dedupe.explaining.messages import Message, say

Fact = TypeVar("Fact")

VERSION = 3
"""Counts changes of form or wording: stored facts of another version are made again."""
_MESSAGE = {"text", "values", "many"}


def dumps(facts: Any) -> str:
    """Facts as JSON, messages untranslated; the same text for the same facts."""
    return json.dumps(plain(facts), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def said(stored: Any, language: str) -> Any:
    """Stored facts as plain values, with every message as a sentence of a language.

    >>> said({"says": {"text": "Name", "values": {}, "many": ""}, "bits": 1.5}, "zh")
    {'says': '名称', 'bits': 1.5}
    """
    if isinstance(stored, Mapping):
        if stored.keys() == _MESSAGE:
            return say(message_of(stored), language)
        return {name: said(value, language) for name, value in stored.items()}
    if isinstance(stored, list):
        return [said(one, language) for one in stored]
    return stored


def message_of(stored: Mapping[str, Any]) -> Message:
    """A stored message."""
    values = {name: _value(value) for name, value in stored["values"].items()}
    return Message(stored["text"], values, stored["many"])


def _value(stored: Any) -> Any:
    """What fills a message: a message, a list of such, text or a number."""
    if isinstance(stored, Mapping):
        return message_of(stored)
    return tuple(_value(one) for one in stored) if isinstance(stored, list) else stored


def restored(kind: type[Fact], stored: Mapping[str, Any]) -> Fact:
    """The facts that :func:`dumps` was given.

    Args:
        kind: a class of dedupe.explaining.facts.
        stored: its JSON, parsed.
    """
    hints = _hints(kind)  # type: ignore[arg-type]  # mypy takes a class for unhashable
    return kind(**{name: _typed(hint, stored[name]) for name, hint in hints.items()})


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(hint: Any, stored: Any) -> Any:
    if stored is None:
        return None
    if get_origin(hint) in (Union, UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is tuple:
        return tuple(_typed(get_args(hint)[0], one) for one in stored)
    if hint is Message:
        return message_of(stored)
    return restored(hint, stored) if hasattr(hint, "__dataclass_fields__") else stored

"""Sentences in more than one language: what is said, apart from the language it is said in.

A :class:`Message` is an English sentence with the values that fill it; it is
its own message id, as in gettext. The other languages stand in
``resources/<language>.po``, which gettext and babel read, too.

>>> say(message("{count} record", "{count} records", count=14), "en")
'14 records'
>>> say(message("A telephone number is the same."), "zh")
'有一个电话号码相同。'
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "zh")
_SEPARATORS = {"en": "; ", "zh": "；"}


@dataclass(frozen=True)
class Message:
    """A sentence, or a part of one, in any language.

    Attributes:
        text: in English, with ``{name}`` where a value goes.
        values: what fills it: texts, numbers, messages, or lists of these.
        many: in English, for any ``count`` but 1; empty where there is no count.
    """

    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    many: str = ""


def message(text: str, many: str = "", /, **values: Any) -> Message:
    """A message; ``many`` is its plural, for values with a ``count``."""
    return Message(text, values, many)


def say(said: Message, language: str = "en") -> str:
    """The sentence in a language; in English where the catalog lacks it.

    Raises:
        KeyError: there is no such language.
    """
    if language == "en":
        text = said.many if said.many and said.values.get("count") != 1 else said.text
    else:
        text = catalog(language).get(said.text) or said.text
    return text.format(**{name: _say(value, language) for name, value in said.values.items()})


def _say(value: Any, language: str) -> Any:
    if isinstance(value, Message):
        return say(value, language)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _SEPARATORS[language].join(str(_say(one, language)) for one in value)
    return value


@cache
def catalog(language: str) -> Mapping[str, str]:
    """English message → message of a language; of plural ones the singular is the key.

    Raises:
        KeyError: there is no such language.
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    if language == "en":
        return {}
    text = (files("dedupe.explaining") / "resources" / f"{language}.po").read_text("utf-8")
    return read_catalog(text)


def read_catalog(text: str) -> dict[str, str]:
    """Read the entries of a .po file; of plurals the first form, for languages that have one.

    >>> read_catalog('msgid "a"\\n"b"\\nmsgstr "c"\\n')
    {'ab': 'c'}
    """
    entries: dict[str, str] = {}
    parts: dict[str, str] = {}
    current = ""
    for line in [*text.splitlines(), 'msgid ""']:
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if not line.startswith('"'):
            current, _, line = line.partition(" ")
            if current == "msgid":
                _keep(parts, entries)
                parts = {}
        parts[current] = parts.get(current, "") + ast.literal_eval(line)
    return entries


def _keep(parts: Mapping[str, str], entries: dict[str, str]) -> None:
    translated = parts.get("msgstr") or parts.get("msgstr[0]")
    if parts.get("msgid") and translated:
        entries[parts["msgid"]] = translated

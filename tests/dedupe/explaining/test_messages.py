"""Every sentence of an explanation is there in every language, with the same blanks to fill."""

import ast
import string
from pathlib import Path

import pytest

from dedupe import blocking_keys, levels, suggestions
from dedupe.explaining.messages import LANGUAGES, catalog, message, read_catalog, say

ROOT = Path(__file__).parents[3]
SPEAKERS = (ROOT / "dedupe" / "explaining", ROOT / "onefold" / "cli")


def _written() -> set[str]:
    """The first argument of every call of ``message`` in the code."""
    found = set()
    for folder in SPEAKERS:
        for file in folder.glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "message":
                    first = node.args[0]
                    if isinstance(first, ast.Constant):
                        found.add(str(first.value))
    return found


def _tabled() -> set[str]:
    """The sentences of levels, contradictions, keys and suggestions."""
    found = {
        one.sentence for fields in levels.LEVELS.values() for f in fields.values() for one in f
    }
    found |= {level.sentence for level in levels.TEXT_LEVELS}
    found |= {veto.sentence for veto in levels.VETOES.values()} | set(blocking_keys.KINDS.values())
    found |= set(suggestions.REASONS.values())
    return found


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_every_sentence_is_translated(language: str) -> None:
    known = catalog(language)
    assert len(_written()) > 50 and len(_tabled()) > 80
    missing = sorted((_written() | _tabled()) - set(known))
    assert not missing, f"add to dedupe/explaining/resources/{language}.po: {missing}"


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
def test_a_translation_fills_the_same_blanks(language: str) -> None:
    for text, translated in catalog(language).items():
        blanks = [
            {name for _, name, _, _ in string.Formatter().parse(one) if name}
            for one in (text, translated)
        ]
        assert blanks[0] == blanks[1], text


def test_lists_and_messages_within_messages_are_said_in_the_language() -> None:
    said = message("{left} and {right}", left=message("Name"), right=[message("Address"), "x"])
    assert say(said, "en") == "Name and Address; x"
    assert say(said, "zh") == "名称 与 地址；x"


def test_one_and_many_differ_in_english() -> None:
    said = [say(message("{count} record", "{count} records", count=n)) for n in (0, 1, 2)]
    assert said == ["0 records", "1 record", "2 records"]


def test_a_sentence_without_translation_is_said_in_english() -> None:
    assert say(message("No catalog has {what}.", what="this"), "zh") == "No catalog has this."


def test_a_language_without_catalog_is_refused() -> None:
    with pytest.raises(KeyError):
        say(message("Name"), "xx")


def test_catalogs_are_read_as_gettext_writes_them() -> None:
    text = 'msgid ""\nmsgstr "Language: zh\\n"\n\n# note\n#: file.py:1\nmsgid ""\n"two "\n"lines"\n'
    text += 'msgstr "\\"两\\"行"\n\nmsgid "one"\nmsgid_plural "many"\nmsgstr[0] "都"\n'
    text += '\nmsgid "untranslated"\nmsgstr ""\n'
    assert read_catalog(text) == {"two lines": '"两"行', "one": "都"}

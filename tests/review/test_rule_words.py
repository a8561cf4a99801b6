"""Rules of the quarantine in words: every one that is ours has some, in both languages."""

import ast
import re
from pathlib import Path

import pytest

from review.presenters.rule_words import RULES, rule_words
from rules import standardize, suite_rules
from rules.customer import GOLDEN_FIELDS

FOLDER = Path(standardize.__file__).parent


def written() -> set[str]:
    """The rules that code names."""
    found = {"duplicate_key", "empty_key", "record_damaged"}
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                found |= {one.value for one in node.args[:1] if isinstance(one, ast.Constant)}
    every = [field.name for field in GOLDEN_FIELDS]
    return found | {one.expectation.name for one in suite_rules.value_rules(every, {})}


def test_every_rule_has_words_and_no_other() -> None:
    assert len(written()) > 50
    assert written() == RULES.keys()


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_words_of_a_rule_are_chinese_in_chinese(rule: str) -> None:
    assert re.fullmatch(r"[^A-Za-z]+", rule_words(rule, "zh"))


def test_a_rule_of_a_sources_yaml_keeps_its_name() -> None:
    assert rule_words("vip_lives_in_ulm", "zh") == ""

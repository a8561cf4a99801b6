"""Texts: every marked one is translated, none is stale, and both languages format alike."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from review.language import catalogs, extraction, translations
from review.language.formats import Formats
from review.pages import environment

HOW = "run python -m review.language.extraction and translate what it names"


@pytest.fixture(scope="module")
def expected() -> dict[str, list[str | tuple[str, str]]]:
    return extraction.expected()


def test_marked_texts_are_found_in_code_templates_and_errors(
    expected: dict[str, list[str | tuple[str, str]]],
) -> None:
    assert "The role is changed." in expected["people"]  # code
    assert "Log in" in expected["common"]  # a template
    assert "there is no such account" in expected["common"]  # what an error says
    assert any(isinstance(text, tuple) for text in expected["common"])


def test_every_marked_text_has_a_chinese_translation_and_none_is_stale(
    expected: dict[str, list[str | tuple[str, str]]],
) -> None:
    kept = catalogs("zh")
    assert kept.keys() == expected.keys(), HOW
    for part, catalog in kept.items():
        translated = {
            one.id
            for one in catalog
            if one.id and (one.string if isinstance(one.string, str) else all(one.string))
        }
        assert translated == set(expected[part]), f"{part}.po: {HOW}"


def test_the_same_text_is_translated_alike_in_every_part() -> None:
    seen: dict[object, object] = {}
    for catalog in catalogs("zh").values():
        for one in catalog:
            if one.id:
                assert seen.setdefault(one.id, one.string) == one.string, one.id


def test_translations_keep_every_placeholder() -> None:
    named = re.compile(r"%\((\w+)\)s")
    for catalog in catalogs("zh").values():
        for one in catalog:
            if not one.id:
                continue
            original = one.id if isinstance(one.id, str) else one.id[1]
            strings = [one.string] if isinstance(one.string, str) else one.string
            for string in strings:
                names = set(named.findall(original))
                assert set(named.findall(string)) == names, original
                assert string % dict.fromkeys(names, 0), "a percent sign of its own is doubled"


def test_the_english_catalog_only_overrides_texts_that_exist(
    expected: dict[str, list[str | tuple[str, str]]],
) -> None:
    for part, catalog in catalogs("en").items():
        assert {one.id for one in catalog if one.id} <= set(expected[part])


def test_undoing_has_one_word_in_each_language() -> None:
    others = re.compile(
        r"\b(take|takes|taken|taking|took)\b( [a-z]+){0,2} back\b|\brevers|\brevert"
    )
    undo = re.compile(r"\b(undo|undid|undone|undoing)\b", re.IGNORECASE)
    for catalog in catalogs("zh").values():
        for one in catalog:
            texts = [one.id] if isinstance(one.id, str) else list(one.id)
            assert not [text for text in texts if others.search(text)]
            string = one.string if isinstance(one.string, str) else one.string[0]
            assert not re.search("收回|撤回|撤消|取消决定", string), one.id
            if any(undo.search(text) for text in texts):
                assert "撤销" in string, one.id


def test_plural_follows_the_language() -> None:
    one = "Too many attempts. Try again in %(num)s second."
    many = "Too many attempts. Try again in %(num)s seconds."
    assert translations("en").ngettext(one, many, 1) == one
    assert translations("en").ngettext(one, many, 2) == many
    assert translations("zh").ngettext(one, many, 1) == translations("zh").ngettext(one, many, 2)


def test_moments_are_shown_in_the_deployments_time_zone() -> None:
    moment = datetime(2026, 3, 1, 17, 5, tzinfo=UTC)
    assert Formats("zh", ZoneInfo("Asia/Shanghai")).moment(moment) == "2026-03-02 01:05"
    assert Formats("en", ZoneInfo("UTC")).moment(moment) == "1 Mar 2026, 17:05"
    assert Formats("zh", ZoneInfo("UTC")).moment(moment.replace(tzinfo=None)).endswith("17:05")


def test_counts_inside_sentences_follow_the_language() -> None:
    for language, told in (("en", "12,345 golden customers"), ("zh", "12,345 个")):
        shown = environment(language, ZoneInfo("UTC")).from_string(
            "{{ ngettext('%(num)s golden customer would become %(after)s.',"
            " '%(num)s golden customers would become %(after)s.', 12345, after='7') }}"
        )
        assert told in shown.render()


def test_numbers_days_and_spans_follow_the_language() -> None:
    zh, en = (Formats(language, ZoneInfo("UTC")) for language in ("zh", "en"))
    assert en.number(1234567) == "1,234,567"
    assert en.number(0.5, 2) == "0.50"
    assert en.share(0.9871, 1) == "98.7%"
    assert zh.day(date(2026, 3, 1)) == "2026年3月1日"
    ago = datetime.now(UTC) - timedelta(days=3, minutes=1)
    assert en.ago(ago) == "3 days ago"
    assert zh.ago(ago) == "3天前"
    assert zh.moment(None) == en.number(None) == ""

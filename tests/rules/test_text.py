"""Shown form, key form and readings of text."""

import opencc
from hypothesis import given
from hypothesis import strategies as st

from rules import text


def test_width_invisible_characters_and_dashes_are_unified():
    assert text.clean("ＡＢＣ\u200b　公司（上海）—　２\ufeff") == "ABC 公司(上海)- 2"
    assert text.clean("a\x00b\tc \n d") == "ab c d"
    assert text.clean("买买提•吐尔逊") == text.clean("买买提・吐尔逊") == "买买提·吐尔逊"


def test_traditional_characters_and_variants_share_a_key():
    for variant, plain in ["乾干", "鍾钟", "锺钟", "峯峰", "於于", "昇升", "張张", "衞卫", "邨村"]:
        assert text.fold(variant) == text.fold(plain) == plain


def test_key_has_no_marks_case_or_diacritics():
    assert text.fold("Café-Müller & Sønner, ŁÓDŹ") == "cafemullersonnerlodz"
    assert text.fold("Straße") == "strasse"


def test_words_are_not_translated_for_showing():
    assert text.to_simplified("積體電路") == "积体电路"
    assert text.to_simplified("張偉") == "张伟"


@given(st.text(alphabet="张張伟偉乾坤隆覆沈沒彷徨金A 1（", max_size=8))
def test_text_that_counts_as_simplified_is_not_changed_by_opencc(s):
    if text.is_simplified(s):
        assert opencc.OpenCC("t2s").convert(s) == s


def test_every_traditional_character_is_known_to_be_one():
    points = (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000), *range(0xF900, 0xFB00))
    converter = opencc.OpenCC("t2s")
    missed = [c for c in map(chr, points) if text.is_simplified(c) and converter.convert(c) != c]
    assert missed == []


def test_all_readings_are_kept_the_usual_one_first():
    assert text.readings("单伟") == ["danwei", "chanwei", "shanwei"]
    assert text.readings("吕") == ["lv", "lu"]
    assert text.readings("𬭼") == ["sui"]
    assert len(text.readings("单行重长乐石" * 3)) <= text.READINGS_LIMIT


def test_latin_and_digits_stay_in_readings():
    assert text.readings("ABC科技3") == ["abckeji3"]


@given(st.text())
def test_cleaning_and_folding_twice_changes_nothing(s):
    assert text.clean(text.clean(s)) == text.clean(s)
    assert text.fold(text.fold(s)) == text.fold(s)
    assert text.fold(text.clean(s)) == text.fold(s)


@given(st.text(alphabet="单行重长乐石解查A1 ", max_size=40))
def test_readings_are_bounded_and_distinct(s):
    readings = text.readings(s)
    assert len(readings) == len(set(readings)) <= text.READINGS_LIMIT

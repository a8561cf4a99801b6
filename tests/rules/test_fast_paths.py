"""Usual forms are read on short ways; each must give what the long way gives.

A short way is closed by a pattern that matches nothing, so that the same call
takes the long one.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import process
from rapidfuzz.distance import OSA

from rules import (
    address,
    customer_type,
    email,
    identifier,
    industries,
    latin_name,
    notes,
    numbering,
    person_name,
    phone,
    placeholder,
    record_country,
    romanization,
    tables,
    text,
)
from rules.addresses import chinese, divisions, western
from rules.placeholder import is_placeholder, placeholder_words

NEVER, ALWAYS = re.compile("(?!)"), re.compile("")
many = settings(max_examples=200, deadline=None)


@contextmanager
def replaced(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for where, name, value in changes:
            patch.setattr(where, name, value)
        yield


def text_of(words: str, size: int = 8) -> st.SearchStrategy[str]:
    """Texts made of these words, separated by blanks; _ stands for a blank."""
    pieces = st.sampled_from([word.replace("_", " ") for word in words.split()])
    return st.lists(pieces, max_size=size).map("".join)


division_names = st.sampled_from(
    sorted({name for row in tables.rows("divisions") for name in (*row[1:4], *row[4].split("|"))})
)
division_heads = st.lists(
    st.one_of(
        division_names,
        division_names.map(divisions.stem),
        st.sampled_from(divisions.all_divisions()).map(lambda d: d.province + d.city + d.district),
        text_of("路 街 市 区 县 东 香港 九龙 中国 _ , 1", 2),
    ),
    max_size=4,
).map("".join)


@settings(max_examples=600, deadline=None)
@given(
    division_heads,
    st.one_of(
        text_of("和平 路 街 12号 大厦 村 朝阳 市 , _ 3"), division_names.map(lambda n: n[:2])
    ),
    text_of("和平 路 区 县 镇 3", 3),
    st.data(),
)
def test_divisions_by_look_up_are_those_of_the_closer_look(head, between, tail, data):
    hint = data.draw(st.one_of(st.none(), st.sampled_from(divisions.all_divisions())))
    quick = divisions.read(head + between + tail, hint)
    with replaced((divisions, "_FULL_NAMES", NEVER)):
        assert divisions.read(head + between + tail, hint) == quick
    with replaced(*CLOSER_LOOK):
        assert divisions.read(head + between + tail, hint) == quick


CLOSER_LOOK = (
    (divisions, "_FULL_NAMES", NEVER),
    (divisions, "_full_name", lambda *_: (1, None)),
)
LINE = (
    "丽景花园 14 2061708 302 7 A 0 幢 栋 座 号楼 单元 室 楼 层 房 门 铺 斋 舍 # - 之 附 _"
    " 号 号院 路 街 道 街道 大道 镇 乡 区 和平 开发区 弄 巷 一"
    " 三 东 村 苏木 ( ) , 、 B座 12号 3单元 501室"
)


heads = text_of(
    "莼湖 街道 镇 乡 开发区 和平 人民 一二 东 路 街 大道 弄 国道 村 段 中段 三段 路口", 5
)
estates = text_of("丽景 花园 大厦 号 楼 室 段 路 东", 3)
numbers = st.sampled_from(["1", "12", "375", "2061"])
usual_lines = st.tuples(
    *(heads, numbers, text_of("号 院 段 弄 楼 路 之", 2), estates),
    *(numbers, text_of("幢 号楼 4单元 单元 - -2-", 2), numbers, text_of("室 楼 -", 1)),
).map("".join)
short_lines = st.tuples(
    *(st.sampled_from(["和平路", "莼湖街道人民东路", "一二大道", "文三路东", "东村"]), numbers),
    *(st.sampled_from(["", "号", "号院", "-3", "甲", "之"]), estates),
    st.one_of(numbers, st.from_regex(r"\A[0-9]{1,5}(?:-[0-9]{1,3}){0,3}室?\Z"), st.just("")),
).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.one_of(text_of(LINE, 10), usual_lines, short_lines))
def test_the_parts_of_a_plain_line_are_those_of_the_long_way(line):
    quick = chinese.read(line)
    closed = [(chinese, name, NEVER) for name in ("_USUAL", "_PLAIN_NUMBER", "_PLAIN_UNIT")]
    opened = [(chinese, name, ALWAYS) for name in ("_TOWN_MARK", "_NOISE_MARK")]
    with replaced(*closed, *opened):
        assert chinese.read(line) == quick


@many
@given(division_heads, text_of(LINE + " 邮编 310000 200120", 8))
def test_an_address_is_that_of_the_long_ways(head, tail):
    read = partial(address.parse, head + tail)
    quick = read()
    closed = [(chinese, name, NEVER) for name in ("_USUAL", "_PLAIN_NUMBER", "_PLAIN_UNIT")]
    with replaced(
        *closed,
        (address, "_SIX_DIGITS", ALWAYS),
        *CLOSER_LOOK,
        (divisions, "_after_country", lambda line: divisions._HEAD.match(line).end()),
    ):
        assert read() == quick


han_names = st.one_of(
    st.tuples(
        st.sampled_from(sorted(romanization.surnames())),
        st.text("明娜伟张老小总经理先生兄女士工单不详测试客户偉張樂〇·?行", max_size=3),
    ).map("".join),
    st.sampled_from(
        [
            word
            for kind in ("nobody", "title", "title_short")
            for word in tables.words("person_words", kind)
        ]
        + [row[0] for row in tables.rows("placeholders")]
    ),
)


@many
@given(han_names)
def test_a_plain_chinese_name_is_that_of_the_long_way(name):
    quick = person_name.parse(name, country="CN")
    assert person_name.closely.__wrapped__(name, "", "", "CN") == quick


@settings(max_examples=400, deadline=None)
@given(han_names, st.integers(0, 4), st.sampled_from(["", "?", "伟", "张"]), st.booleans())
def test_plain_chinese_cells_are_those_of_the_long_way(name, cut, more, is_swapped):
    cells = name[:cut], name[cut:] + more
    family, given_name = reversed(cells) if is_swapped else cells
    quick = person_name.parse(None, family=family, given=given_name, country="CN")
    assert person_name.closely.__wrapped__("", family, given_name, "CN") == quick


@many
@given(text_of("Ann Lee formerly _ _formerly_ known as née fka T/A - _-_ , ltd", 7).map(text.clean))
def test_a_former_name_in_a_plain_cell_has_two_blanks_around_it(cell):
    if " " in cell and cell.count(" ") < 2 and not notes._SPECIAL.search(cell):
        assert not notes._FORMER_TAIL.search(cell)


latin_words = st.one_of(
    st.sampled_from(
        [
            *sorted(latin_name._TITLE | latin_name._SUFFIX.keys() | latin_name._DEGREE),
            *("Smith", "O'Neil", "Wei", "de", "J", "Müller", "n/a", "test", "Ann-Lee", "x"),
        ]
    ),
    st.text("aZ -.'éü7", max_size=5),
)


@many
@given(latin_words, st.sampled_from([str.lower, str.upper, str.title]))
def test_a_single_latin_word_is_read_as_among_others(word, case):
    word, quick, slow = case(word), latin_name.LatinName(), latin_name.LatinName()
    with replaced((latin_name, "_ALONE", Everything())):
        long_way = latin_name._words(word, slow)
    assert (latin_name._words(word, quick), quick) == (long_way, slow)


class Everything:
    def __contains__(self, _: object) -> bool:
        return True


@many
@given(latin_words, latin_words)
def test_two_latin_cells_are_those_of_the_long_way(family, given_name):
    def read() -> person_name.PersonName:
        return person_name.closely.__wrapped__("", family, given_name, "US")

    quick = read()
    with replaced((person_name, "_WORD", NEVER), (latin_name, "_ALONE", Everything())):
        assert read() == quick


western_words = st.one_of(
    st.sampled_from(
        re.findall(
            r"\S+",
            "Ann Bill Elizabeth Harper Smith O'Neil Wei Lee Zhang Jo J V Jr de van and y formerly"
            " nee aka Mr Dr MD Test Unknown Client MacDonald Mcleod Q Marie vip net closed Na",
        )
    ),
    st.sampled_from(sorted(latin_name.TELLING)),
    st.sampled_from([name for row in tables.rows("western_names") for name in row[2].split("|")]),
    st.text("abcdefgiklmnorstuvwxyzAEO", min_size=1, max_size=7),
)
cased_words = st.tuples(western_words, st.sampled_from([str.lower, str.upper, str.title, str])).map(
    lambda pair: pair[1](pair[0])
)
western_names = st.tuples(
    st.lists(cased_words, min_size=1, max_size=3),
    st.sampled_from(["{}", "{}.", "{} "]),
    st.sampled_from([" ", ", ", ". ", "  ", "-"]),
).map(
    lambda parts: parts[1].format(
        parts[2].join(parts[0][:2]) + "".join(f" {w}" for w in parts[0][2:])
    )
)


@settings(max_examples=400, deadline=None)
@given(western_names, st.sampled_from(["US", "CN", "HK"]))
def test_a_plain_western_name_is_that_of_the_long_way(name, country):
    quick = person_name.parse(name, country=country)
    assert person_name.closely.__wrapped__(name, "", "", country) == quick


words_of_business = st.sampled_from(
    re.findall(
        r"\S+",
        "Ltd Limitd Co Group Bakery Bakry Electronics Electronicss Branch The and Of Holdings"
        " Services Construct Summit Walmart Jr Sir Lim",
    )
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.one_of(cased_words, words_of_business), min_size=2, max_size=2))
def test_what_two_plain_words_tell_is_that_of_the_long_way(words):
    quick = customer_type.of_name.__wrapped__(" ".join(words))
    with replaced((customer_type, "_TWO_WORDS", NEVER)):
        assert customer_type.of_name.__wrapped__(" ".join(words)) == quick


@settings(max_examples=300, deadline=None)
@given(cased_words, western_names, st.sampled_from(["US", "CN"]))
def test_plain_western_cells_are_those_of_the_long_way(family, given_name, country):
    quick = person_name.parse(None, family=family, given=given_name, country=country)
    assert person_name.closely.__wrapped__("", family, given_name, country) == quick


@settings(max_examples=400, deadline=None)
@given(western_names, st.data(), st.sampled_from(["US", "CN"]))
def test_a_plain_name_beside_its_cells_is_that_of_the_long_way(name, data, country):
    words = st.sampled_from([*name.replace(",", " ").replace(".", "").split(), "Harper", "jo", ""])
    cells = words.flatmap(lambda word: st.sampled_from([word, word.upper(), word.lower()]))
    family, given_name = data.draw(cells), data.draw(cells)
    quick = person_name.parse(name, family=family, given=given_name, country=country)
    assert person_name.closely.__wrapped__(name, family, given_name, country) == quick


@settings(max_examples=300, deadline=None)
@given(
    st.from_regex(
        r"\A[0-9]{1,4} (?:[A-Za-z]|[A-Z][a-z']{1,3}\.?|5th|St\.?|No\.?|Fl|Bldg|apt|1)"
        r"(?: (?:Main|St|N|B|Rd\.|Box|Floor|floor|Ste|O'Hara's|4th|Unit|Tower|no|East)){0,3}"
        r"(?:,? (?:Apt\.? ?#?|#|suite |Unit|no |Fl |flat )[A-Za-z]?[0-9]{0,5}[A-Za-z]?)?\Z"
    ),
    st.sampled_from(["US", "GB", "CA", "AU", "DE", "IE"]),
)
def test_a_plain_street_line_is_that_of_the_long_way(line, country):
    quick = western.read.__wrapped__(line, country)
    with replaced((western, "_PLAIN", NEVER)):
        assert western.read.__wrapped__(line, country) == quick


numerals = st.one_of(
    text_of("1 13 138 0 86 +86 0086 44 +44 (0) 20 7946 0018 87654321 0571 ( ) - . _ / 1234 5555"),
    st.from_regex(r"\A(?:\+?(?:86|44|1|852) ?)?\(?0?[1-9]\d{1,3}\)?[- .]?\d{3,4}[- .]?\d{4}\Z"),
)


@many
@given(numerals)
def test_a_chinese_mobile_number_has_ten_digits_behind_its_1(cell):
    if phone._MOBILE_IN_TEXT.search(cell):
        assert "1" in re.sub(r"\D", "", cell)[:-10]


@many
@given(
    st.one_of(numerals, st.from_regex(r"\A(?:\+?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}\Z")),
    st.sampled_from(["CN", "HK", "TW"]),
)
def test_a_plain_chinese_mobile_number_is_that_of_the_long_way(cell, country):
    if cell:
        assert phone.parse(cell, country=country) == phone._parse.__wrapped__(cell, country, "")


@many
@given(numerals, st.sampled_from(["杭州市", "上海市", "昌都市"]))
def test_a_city_is_asked_only_for_what_it_can_tell(cell, city):
    if cell:
        assert phone.parse(cell, city=city) == phone._parse.__wrapped__(cell, "CN", city)


landline = st.one_of(
    numerals,
    st.from_regex(r"\A(?:\(?0|\+86[- ])(?:10|2\d|57\d|\d{3})\)?[- ]?[2-8][0-9]{6,7}\Z"),
    st.from_regex(r"\A0(?:10|57\d)-?[2-8][0-9]{6,7}(?: ext |-|转)[0-9]{1,5}\Z"),
    st.from_regex(r"\A[2-8][0-9]{6,7}\Z"),
)


@many
@given(landline, st.sampled_from(["", "杭州市", "上海市"]))
def test_a_plain_chinese_landline_number_is_that_of_the_long_way(cell, city):
    quick = phone._parse.__wrapped__(cell, "CN", city)
    with replaced((phone, "_CN_LANDLINE", NEVER), (phone, "_CN_LOCAL", NEVER)):
        assert phone._parse.__wrapped__(cell, "CN", city) == quick


american = st.one_of(
    numerals,
    text_of("1 +1 ( ) - . _ 212 555 0123 0000 333 3333 911 2 0", 9),
    st.from_regex(r"\A(?:\+?1[- .])?\(?[2-9]\d\d\)?[- .]?[2-9]\d\d[- .]?\d{4}\Z"),
)


@many
@given(american)
def test_a_plain_american_number_is_that_of_the_long_way(cell):
    quick = phone._parse.__wrapped__(cell, "US", "")
    with replaced((phone, "_AMERICAN_PLAIN", NEVER)):
        assert phone._parse.__wrapped__(cell, "US", "") == quick


@many
@given(
    st.lists(st.one_of(american, st.from_regex(r"\A1[3-9][0-9]{9}\Z")), max_size=2),
    st.lists(
        st.sampled_from(["Ann Lee", "Wei Zhang", "张伟", "張偉", "香港晨光公司", "J"]), max_size=2
    ),
    st.sampled_from(["", "12 Main St", "九龙弥敦道1号", "杭州市文三路1号", "台北市忠孝东路1号"]),
    st.sampled_from([None, "SW1A 1AA", "310000", "K1A 0B1"]),
    st.sampled_from([None, "London", "杭州市", "Hangzhou", "Hong Kong", "IL"]),
    st.sampled_from(["CN", "US", "GB", "HK"]),
)
def test_what_is_plainly_home_has_no_hint_of_another_country(
    phones, names, line, code, region, default
):
    place = None
    if line or region or code:
        place = address.parse(line, region=region, postal_code=code, country=default)
    foreign_code = record_country.from_postal_code(code, default)
    if not foreign_code and record_country._is_home(tuple(phones), names, line, default, place):
        found = record_country._infer((), tuple(phones), names, line, code, default, place)
        assert found == default


@many
@given(
    st.sampled_from([("1", 3, 10), ("44", 5, 9), ("44", 5, 10), ("852", 4, 8), ("886", 4, 9)]),
    st.text("0123456789", min_size=5, max_size=5),
)
def test_what_exists_is_what_libphonenumber_says(plan, digits):
    code, leading, size = plan
    national = (digits[:leading] + "2345678901")[:size]
    sample = phonenumbers.parse(f"+{code}{national}")
    kind = numbering.kind(code, national)
    is_own = code == "852" and kind == "mobile"  # see the docstring of rules/numbering.py
    assert bool(kind) == phonenumbers.is_valid_number(sample) or is_own
    if phonenumbers.is_valid_number(sample):
        expected = numbering._KINDS.get(phonenumbers.number_type(sample), "unknown")
        assert kind == expected


@many
@given(
    st.one_of(
        text_of("wei li . .. - _ + @ 163 qq gmial mail com con cn co uk xxx test a x0 , _ info A"),
        st.from_regex(r"\A[a-z0-9_.+-]{1,66}@(?:[a-z0-9-]{1,8}\.){1,3}[a-z]{1,20}\Z"),
        st.sampled_from([row[1] for row in tables.rows("placeholders_of_kind")]).flatmap(
            lambda word: st.sampled_from([f"{word}@{word}", f"{word}@mail.com", f"wei@{word}"])
        ),
    )
)
def test_a_usual_e_mail_address_is_that_of_the_long_way(cell):
    quick = email._parse.__wrapped__(cell)
    with replaced((email, "_USUAL", NEVER)):
        assert email._parse.__wrapped__(cell) == quick


@many
@given(
    text_of(
        "12 Main St Gardens , _ _ # Apt Unit Fl Floor Bldg No no B 4 4B . 3rd Box Suite é -", 9
    ),
    st.sampled_from(["US", "GB", "DE"]),
)
def test_a_line_that_ends_in_a_word_has_no_unit_there(line, country):
    quick = western.read.__wrapped__(line, country)
    with replaced((western, "_ends_in_a_word", lambda _: False)):
        assert western.read.__wrapped__(line, country) == quick


@given(st.text("0123", max_size=12))
def test_a_filler_repeats_one_digit(digits):
    repeats = len(set(digits)) <= 1 or len(set(digits[-8:])) == 1
    assert phone._is_filler(digits) == (repeats or digits in phone.FILLERS)


codes = st.one_of(
    st.sampled_from([row[0].upper() for row in tables.rows("placeholders")]),
    st.from_regex(r"\A[1-9]\d{5}(?:19|20)\d\d[01]\d[0-3]\d\d{3}[\dX]\Z"),
    st.from_regex(r"\A9[1-3]\d{6}[0-9A-Z]{10}\Z"),
    st.text("0123456789XABC-", max_size=19),
    st.from_regex(r"\A(?:\d{2}-\d{7}|\d{3}-\d{2}-\d{4}|\d{5,15})\Z"),
)


@many
@given(
    codes,
    st.sampled_from(["CN", "US", "GB", "HK", "TW"]),
    st.sampled_from([None, "person", "organization"]),
)
def test_a_plain_number_is_that_of_the_long_way(cell, country, customer_type):
    read: Callable[[], Any] = partial(identifier._parse.__wrapped__, cell, country, customer_type)
    quick = read()
    assert identifier.parse(cell, country=country, customer_type=customer_type) == quick
    with replaced((identifier, "_PLAIN", NEVER)):
        assert read() == quick


def typing_errors(word: str) -> st.SearchStrategy[str]:
    """The word with up to two letters gone, more, others or swapped."""

    def wrong(word: str, place: int, what: str, letter: str) -> str:
        at = place % len(word)
        pair = word[at : at + 2][::-1]
        new = {"gone": "", "more": letter + word[at], "other": letter, "swapped": pair}[what]
        return word[:at] + new + word[at + (2 if what == "swapped" else 1) :]

    kinds = st.sampled_from(["gone", "more", "other", "swapped"])
    letters = st.characters(min_codepoint=97, max_codepoint=122)
    once = st.builds(wrong, st.just(word), st.integers(0, 40), kinds, letters)
    return st.one_of(
        once,
        once.flatmap(lambda w: st.builds(wrong, st.just(w), st.integers(0, 40), kinds, letters)),
    )


@many
@given(st.sampled_from(industries._long_joined()).flatmap(typing_errors))
def test_the_nearest_word_of_business_is_that_of_a_look_at_all(joined: str) -> None:
    found = process.extractOne(
        joined, industries._long_joined(), scorer=OSA.distance, processor=None, score_cutoff=1
    )
    assert industries._nearest(joined) == (found[0] if found else None)


ANY_TEXT = st.one_of(
    st.text(max_size=6),
    st.text("abZ09 ·-`'/#路张偉鍾乾\u200b\u3000Ａéßıſ\u0301\u0307無详豈𠀀\U0002f800\t", max_size=8),
    st.sampled_from(sorted(placeholder_words())).flatmap(
        lambda word: st.sampled_from([word, word.upper(), f" {word}\u0307", f"{word}1"])
    ),
)


@many
@given(ANY_TEXT)
def test_plain_texts_are_cleaned_folded_and_simplified_as_others_are(words):
    quick = text.clean(words), text.fold(words), text.to_simplified(words), is_placeholder(words)
    changes = ((text, "_PLAIN", NEVER), (text, "_folded", lambda: NEVER))
    with replaced(*changes, (placeholder, "_first_of_values", frozenset)):
        slow = text.clean(words), text.fold(words), text.to_simplified(words)
        assert (*slow, is_placeholder(words)) == quick
    assert text.is_simplified(words) == text._traditional()[1].isdisjoint(words)

"""Names of people, by table and by claim."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import person_name
from rules.person_name import TITLE_ONLY, parse

CASES = list(
    csv.DictReader(
        (Path(__file__).parent.parent / "cases" / "person_names.csv").open(encoding="utf-8")
    )
)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda c: c["full"] or f"{c['family_cell']}+{c['given_cell']}"
)
def test_name_has_the_parts_of_the_table(case):
    name = parse(
        case["full"] or None,
        family=case["family_cell"] or None,
        given=case["given_cell"] or None,
        country=case["country"],
    )
    parts = (name.family_name, name.given_name, name.middle_name, name.suffix)
    wanted = tuple(case[part] or None for part in ("family", "given", "middle", "suffix"))
    assert (name.name, *parts) == (case["name"], *wanted)
    if case["reading"]:
        assert case["reading"] in name.readings
    assert ("title only" in case["note"]) <= (TITLE_ONLY in name.notes)


def test_pinyin_in_any_order_reads_like_the_characters():
    readings = parse("张晓明").readings
    for written in ("Zhang Xiaoming", "Xiaoming ZHANG", "ZHANG, Xiao Ming", "zhang xiao-ming"):
        assert parse(written).readings[0] == readings[0] == "zhang xiaoming"


def test_southern_surname_reads_like_the_characters():
    for characters, latin in [("陈伟", "Chan Wei"), ("谢伟", "Hsieh Wei"), ("张伟", "Cheung Wei")]:
        assert parse(characters).readings[0] in parse(latin, country="HK").readings


@pytest.mark.parametrize(
    ("characters", "latin"),
    [
        ("陈大文", "Chan Tai Man"),
        ("陈大文", "Tai Man CHAN"),
        ("陈大文", "Chan Taiman"),
        ("黄小明", "Wong Siu Ming"),
        ("张家辉", "Cheung Ka-fai"),
        ("李永欣", "Lee Wing Yan"),
    ],
)
def test_cantonese_name_reads_like_the_characters(characters, latin):
    for country in ("HK", "CN"):
        assert set(parse(characters).readings) & set(parse(latin, country=country).readings)


def test_pinyin_surname_keeps_its_given_name_as_written():
    assert not any("dawen" in r for r in parse("Chen Tai Man", country="CN").readings)
    assert len(parse("Chan Ching Yan", country="HK").readings) <= 8


def test_nickname_shares_a_reading_with_the_formal_name():
    formal = set(parse("William Hart", country="US").readings)
    assert formal & set(parse("Bill Hart", country="US").readings)
    assert not formal & set(parse("Walter Hart", country="US").readings)


@pytest.mark.parametrize(
    "written", ["无", "N/A", "不详", "test", "测试", "未知", "客户", "--", "先生", "?"]
)
def test_placeholder_is_no_name(written):
    name = parse(written)
    assert name.name == "" and name.readings == []
    assert [p.rule for p in name.problems] == ["name_placeholder"]


def test_empty_cell_is_no_problem():
    assert parse("").problems == parse(None).problems == []


def test_remarks_phones_and_former_names_are_kept_apart():
    name = parse("张三（原：李三）（VIP） 13900000000-已停用")
    assert (name.name, name.other_names, name.notes, name.phones) == (
        "张三",
        ["李三"],
        ["VIP", "已停用"],
        ["13900000000"],
    )


def test_name_in_the_other_script_is_another_name():
    assert parse("陈大文(Peter Chan)").other_names == ["Peter Chan"]
    assert parse("Peter Chan (陈大文)").other_names == ["陈大文"]
    assert parse("Chan Tai Man, Peter", country="HK").other_names == ["Peter Chan"]


@pytest.mark.parametrize("written", ["张三、李四", "张三/李四", "张三 李四", "John & Mary Smith"])
def test_second_person_is_reported(written):
    name = parse(written, country="US")
    assert [p.rule for p in name.problems] == ["name_several_people"]
    assert name.family_name in ("张", "Smith")


def test_lost_character_is_reported_and_stays_visible_in_the_key():
    name = parse("王?珍")
    assert name.key == "王?珍"
    assert [(p.rule, p.severity) for p in name.problems] == [("name_damaged_character", "warning")]


def test_key_is_the_same_for_every_writing_of_one_name():
    assert {parse(w).key for w in ("张晓明", "張曉明", "张 晓明", "张晓明先生")} == {"张晓明"}
    keys = {
        parse(w, country="US").key for w in ("Ann Lee", "LEE, ANN", "Lee, Ann B.", "Ms Ann Lee")
    }
    assert keys == {"leeann"}


@given(st.text(max_size=30), st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_parsed_without_error(full, family, given):
    for country in ("CN", "US"):
        name = parse(full, family=family, given=given, country=country)
        assert bool(name.name) >= bool(name.readings)
        assert parse(None, family=family, given=given, country=country) is not None


@given(st.sampled_from("王李张刘陈欧阳"), st.text(alphabet="伟芳娜明晓文", min_size=1, max_size=2))
def test_surname_and_given_name_make_the_name(surname, given_name):
    name = parse(surname + given_name)
    assert f"{name.family_name}{name.given_name}" == name.name == surname + given_name


def test_nobody_words_do_not_swallow_names():
    assert not any(map(person_name.is_nobody, ("吴用", "梅有", "Guest John", "王先生")))

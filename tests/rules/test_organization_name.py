"""Names of organizations, by table and by claim."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.organization_name import TRUNCATED, parse

CASES = list(
    csv.DictReader(
        (Path(__file__).parent.parent / "cases" / "organization_names.csv").open(encoding="utf-8")
    )
)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["text"])
def test_name_has_the_parts_of_the_table(case):
    name = parse(case["text"], country=case["country"])
    parts = {
        part: getattr(name, part) or ""
        for part in ("region", "brand", "industry", "legal_form", "branch")
    }
    assert parts == {part: case[part] for part in parts}
    if case["reading"]:
        assert case["reading"] in name.readings
    assert (case["note"] == "cut off") == (TRUNCATED in name.notes)


def test_one_key_for_every_writing_of_one_name():
    written = [
        "杭州映龙机械有限公司",
        "杭州市映龙机械有限责任公司",
        "映龙（杭州）机械有限公司",
        "杭州映龍機械有限公司（VIP）",
    ]
    assert len({parse(w).key for w in written}) == 1
    written = [
        "Smith & Hunt Foods, Inc.",
        "The Smith and Hunt Foods Incorporated",
        "SMITH & HUNT FOODS INC",
    ]
    assert len({parse(w, country="US").key for w in written}) == 1


def test_branch_and_parent_differ_in_key_and_branch():
    for parent, branch, country in [
        ("杭州映龙机械有限公司", "杭州映龙机械有限公司广州分公司", "CN"),
        ("Knight Pharma Inc.", "Knight Pharma Inc. - Chicago Branch", "US"),
        ("Knight Pharma Inc.", "Knight Pharma of Chicago Inc.", "US"),
    ]:
        left, right = parse(parent, country=country), parse(branch, country=country)
        assert left.branch is None and right.branch
        assert left.key != right.key
        assert left.brand == right.brand and left.industry == right.industry


def test_translation_shares_region_industry_and_reading():
    for chinese, english in [
        ("杭州映龙网络科技有限公司", "Hangzhou Yinglong Network Technology Co., Ltd."),
        ("重庆映龙进出口有限公司", "Chongqing Yinglong Import & Export Co., Ltd."),
        ("西安映龙餐饮管理有限公司", "Xi'an Yinglong Catering Management Co., Ltd."),
        ("上海映龙医疗器械有限公司", "Shanghai Yinglong Medical Instruments Co., Ltd."),
        ("香港映龙贸易有限公司", "Hong Kong Yinglong Trading Limited"),
    ]:
        left, right = parse(chinese), parse(english)
        assert left.region == right.region
        assert left.industry == right.industry
        assert set(left.readings) & set(right.readings)


def test_short_names_of_large_organizations_meet_the_full_ones():
    for short, full in [
        ("工行", "中国工商银行股份有限公司"),
        ("中石化", "中国石油化工股份有限公司"),
        ("Vanke", "万科企业股份有限公司"),
    ]:
        assert set(parse(short).readings) & set(parse(full).readings)


def test_place_is_no_region_where_it_is_the_brand():
    assert parse("平安保险股份有限公司").region is None
    assert parse("长安汽车有限公司").region is None
    assert parse("Paris Foods LLC", country="US").region is None


def test_former_names_remarks_and_phones_are_kept_apart():
    name = parse("杭州映龙科技有限公司（原：杭州映虎科技有限公司） 0571-87650000-已停用")
    assert name.name == "杭州映龙科技有限公司"
    assert name.other_names == ["杭州映虎科技有限公司"]
    assert name.notes == ["已停用"]
    assert name.phones == ["0571-87650000"]
    assert parse("Carter Foods LLC dba Carter's Kitchen").other_names == ["Carter's Kitchen"]


def test_latin_name_beside_the_chinese_one_is_another_name():
    name = parse("杭州映龙科技有限公司 Hangzhou Yinglong Technology Co., Ltd.")
    assert name.name == "杭州映龙科技有限公司"
    assert name.other_names == ["Hangzhou Yinglong Technology Co., Ltd."]


@pytest.mark.parametrize("written", ["无", "N/A", "不详", "test", "客户", "---"])
def test_placeholder_is_no_name(written):
    name = parse(written)
    assert name.name == "" and [p.rule for p in name.problems] == ["name_placeholder"]


@given(st.text(max_size=40))
def test_any_text_is_parsed_without_error(text):
    for country in ("CN", "US"):
        name = parse(text, country=country)
        assert name.brand is None or name.name


@given(st.text(alphabet="杭州映龙网络科技有限公司股份集团（）分第二店厂 -", max_size=24))
def test_any_chinese_fragments_are_parsed_without_error(text):
    assert parse(text) is not None

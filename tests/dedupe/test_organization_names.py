"""Levels of organizations' names as the rules parse them."""

from typing import Any

import numpy as np
import pytest

from dedupe.comparing import names, organization_name
from dedupe.levels import LEVELS
from rules import organization_name as rule

LEVEL = [level.name for level in LEVELS["organization"]["name"]]


def forms(name: str, *others: str, cut: bool = False) -> Any:
    """Every way a record so named is named, parsed as the pipeline does."""
    parsed = rule.parse(name)
    return names.organization_forms(
        {
            "name": parsed.name,
            "org_region": parsed.region,
            "org_brand": parsed.brand,
            "org_industry": parsed.industry,
            "org_legal_form": parsed.legal_form,
            "name_readings": parsed.readings,
            "other_names": [*parsed.other_names, *others],
            "branch": parsed.branch,
            "name_cut": cut,
        }
    )


def level(left: Any, right: Any) -> str:
    every = [*left, *right]
    one, other = np.divmod(np.arange(len(left) * len(right)), len(right))
    there = organization_name.compare(every, one, other + len(left)).max()
    back = organization_name.compare(every, other + len(left), one).max()
    assert there == back
    return LEVEL[there]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        # A city and its province, or the country, do not contradict.
        ("深圳远山科技有限公司", "广东远山科技有限公司", "no_region"),
        ("宁波远山科技有限公司", "广东远山科技有限公司", "other_region"),
        ("中国远山科技有限公司", "宁波远山科技有限公司", "no_region"),
        ("广东远山科技有限公司", "深圳远山", "no_industry"),
        # What is left of a name.
        ("杭州远山科技有限公司", "远山", "brand"),
        ("远山", "远山", "brand"),
        ("杭州远山", "杭州远山", "no_industry"),
        ("杭州远山科技有限公司", "杭州远山科技", "no_form"),
        ("杭州远山科技有限公司", "杭州远山科技股份有限公司", "other_form"),
        # Slips in the region, the line of business and the brand.
        ("长沙市远山广告有限公司", "詹沙市远山广告有限公司", "confusable"),
        ("杭州远山物流有限公司", "杭州远山污流有限公司", "confusable"),
        ("金华市思贝斯贸易有限公司", "金华市思斯贸易", "near"),
        ("杭州远山科技有限公司", "杭州远光科技有限公司", "unlike"),
        # Another line of business in the other script is another firm.
        ("常德市远山教育咨询有限公司", "Changde Yuanshan Textile Co., Ltd.", "other_industry"),
        ("常德市远山教育咨询有限公司", "Changde Yuanshan Education Co., Ltd.", "script"),
        # A shop's English name is loose about what it sells; a firm's is not.
        ("成都市郫都区远山汽修厂", "Chengdu Yuanshan Biotechnology Store", "brand_script"),
        # A longer line of business of which the other is the beginning.
        ("滨州远山广告传媒有限公司", "远山广告", "no_region"),
        # A place whose name is also a word stands in front; a branch is called by its place.
        ("红河远山", "Honghe Yuanshan Technology Co., Ltd.", "script"),
        ("红河远山科技有限公司", "远山", "brand"),
        ("临汾远山科技有限公司成都分公司", "Chengdu Yuanshan Technology", "script"),
        # Words of shops that belong to the name.
        ("杭州采蝶轩", "杭州采蝶轩文化传播有限公司", "no_industry"),
        # English: lines of business as written, legal forms that contradict.
        ("Metro Harbor Bakery Ltd", "Metro Harbor Foods Ltd", "other_industry"),
        ("Metro Harbor Software LLC", "Metro Harbor Software LLP", "other_form"),
        ("Metro Harbor Software LLC", "Metro Harbor Software", "no_form"),
        ("Metro Harbor Svcs Ltd", "Metro Harbor Services Ltd", "no_form"),
    ],
)
def test_organizations_names_have_the_level(left: str, right: str, expected: str) -> None:
    assert level(forms(left), forms(right)) == expected


@pytest.mark.parametrize(
    ("cut", "whole", "expected"),
    [
        ("THE CORDOVA & REYNOLDS H", "Cordova and Reynolds Hardware", "no_industry"),
        ("SIMPSON & ALLISON MEDCIA", "Simpson & Allison Medical Supplies", "cut"),
        ("CAMPBELL & JEFFERSON PRO", "Campbell & Jefferson Properties Inc.", "no_industry"),
        ("CAMPBELL & JEFFERSON PRO", "Campbell & Jefferson Hardware Inc.", "other_industry"),
    ],
)
def test_a_cut_name_agrees_with_what_it_begins(cut: str, whole: str, expected: str) -> None:
    assert level(forms(cut, cut=True), forms(whole)) == expected


def test_a_name_that_may_be_cut_is_equal_only_as_far_as_it_goes() -> None:
    cut = forms("杭州远山信息技术有限", cut=True)
    assert level(cut, forms("杭州远山信息技术有限公司")) == "cut"
    assert level(cut, cut) == "cut"


def test_a_short_name_that_sister_firms_share_does_not_make_them_equal() -> None:
    one = forms("普洱远山信息技术有限公司", "普洱远山")
    assert level(one, forms("普洱远山投资管理有限公司", "普洱远山")) == "other_industry"
    assert level(one, forms("普洱远山信息技术有限公司", "普洱远山")) == "equal"
    english = forms("White & Cole Construction LLC", "White & Cole")
    assert level(english, forms("White & Cole Media Inc", "White & Cole")) == "other_industry"


def test_a_former_name_makes_a_renamed_firm_equal() -> None:
    renamed = forms("杭州远山投资有限公司", "杭州海岳贸易有限公司")
    assert level(renamed, forms("杭州海岳贸易有限公司")) == "equal"

"""Closed lists: every spelling means one code, and unknown words mean nothing."""

import pytest

from rules import codes, tables


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *[("中国", "CN"), ("P.R. China", "CN"), ("ＣＮ", "CN"), ("臺灣", "TW"), ("Taiwan", "TW")],
        *[
            ("香港", "HK"),
            ("USA", "US"),
            ("United States", "US"),
            ("U.K.", "GB"),
            ("england", "GB"),
        ],
        *[("DEU", "DE"), ("Deutschland", "DE"), ("Atlantis", None), ("", None), ("-", None)],
    ],
)
def test_countries_are_known_by_code_and_name(written, code):
    assert codes.country(written) == code


def test_no_spelling_of_a_country_means_two():
    seen: dict[str, str] = {}
    for code, alpha3, names in tables.rows("countries"):
        assert len(code) == 2
        assert codes.country(code) == code
        for spelling in filter(None, [*alpha3.split("|"), *names.split("|")]):
            assert seen.setdefault(spelling, code) == code


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        (codes.customer_type, "个人客户", "person"),
        (codes.customer_type, "Company", "organization"),
        (codes.customer_type, "?", None),
        (codes.sex, "女", "F"),
        (codes.sex, "Male", "M"),
        (codes.sex, "未知", ""),
        (codes.sex, "q", None),
        (codes.status, "已注销", "closed"),
        (codes.status, "ENABLED", "active"),
        (codes.status, "7", None),
        (codes.yes_no, "是", True),
        (codes.yes_no, "N", False),
        (codes.yes_no, "perhaps", None),
    ],
)
def test_codes_are_read_in_chinese_and_english(read, written, value):
    assert read(written) == value

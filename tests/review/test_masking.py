"""What a viewer sees of personal values."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.presenters.masking import masked, seen, words
from rules.customer import PERSONAL

WORDS = st.text(st.sampled_from("abcXYZ01239张伟强李王北路号"), min_size=3, max_size=20)
LISTS = {"phones", "emails", "other_names", "phone_kinds", "phone_extensions"}
TEXTS = sorted(PERSONAL - LISTS - {"attributes", "birth_date"})


@given(st.sampled_from(TEXTS), WORDS)
def test_no_personal_text_is_shown_in_full(field: str, value: str) -> None:
    assert value not in masked(field, value)


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_lists_keep_their_length_and_none_is_shown_in_full(values: list[str]) -> None:
    for field in ("phones", "other_names"):
        shown = masked(field, values)
        assert len(shown) == len(values)
        assert all(value not in one for value, one in zip(values, shown, strict=True))


@given(WORDS, WORDS)
def test_an_address_of_mail_keeps_its_first_character_only(local: str, domain: str) -> None:
    (shown,) = masked("emails", [f"{local}@{domain}.example"])
    assert shown == f"{local[0]}***@***"


@given(st.dictionaries(WORDS, WORDS, max_size=4))
def test_other_attributes_keep_their_names_only(values: dict[str, str]) -> None:
    assert masked("attributes", json.dumps(values)) == dict.fromkeys(values, "…")
    assert masked("attributes", values) == dict.fromkeys(values, "…")


@given(st.dates(date(1900, 1, 1)))
def test_of_a_birth_date_the_year_is_left(born: date) -> None:
    assert masked("birth_date", born) == masked("birth_date", f"{born}") == f"{born.year}-**-**"


@pytest.mark.parametrize("field", ["city", "country", "customer_type", "status", "tax_id_kind"])
def test_what_is_not_personal_stays(field: str) -> None:
    assert masked(field, "上海市") == "上海市"


@pytest.mark.parametrize("short", ["李", "J", "A B"])
def test_a_name_of_one_letter_is_not_told_either(short: str) -> None:
    assert masked("name", short) != short
    assert masked("name", short).count("*") + masked("name", short).count("＊") >= 1


def test_of_a_postal_code_the_last_part_is_hidden() -> None:
    assert masked("postal_code", "SW1A 2AA") == "SW1…"


@pytest.mark.parametrize(
    "secret",
    [
        "13800138000",
        "138-0013-8000",
        "+49 (171) 555 0123",
        "li.na@example.com",
        "11010119900307003X",
    ],
)
def test_numbers_and_addresses_in_free_text_are_hidden_from_viewers(secret: str) -> None:
    said = f"她说 {secret}，对的"
    assert words(said, True) == said
    assert words(said, False) == "她说 …，对的"


def test_words_years_and_small_numbers_in_free_text_stay() -> None:
    said = "same shop, 2 records, since 2019"
    assert words(said, False) == said


def test_the_brand_does_not_tell_the_name_it_is_part_of() -> None:
    assert masked("org_brand", "华东科技") == "华＊＊＊"


def test_who_may_see_all_gets_the_value() -> None:
    assert seen("name", "张伟", may_see_all=True) == "张伟"
    assert seen("name", "张伟", may_see_all=False) == "张＊"
    assert masked("name", None) is None

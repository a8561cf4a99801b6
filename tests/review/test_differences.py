"""Marking what differs between two texts."""

from hypothesis import given
from hypothesis import strategies as st

from review.presenters import differences
from review.presenters.differences import pieces

TEXTS = st.text(st.sampled_from("abcdABCD Éß1234-,.张章伟玮科技ＡＢ"), max_size=30)


def marked(other: str, shown: str) -> list[str]:
    return [one.text for one in pieces(other, shown) if one.changed]


@given(TEXTS, TEXTS)
def test_the_pieces_are_the_text(other: str, shown: str) -> None:
    assert "".join(one.text for one in pieces(other, shown)) == shown


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(shown: str) -> None:
    assert marked(shown, shown.upper()) == [] or len(shown.upper()) != len(shown)
    assert not any(one.changed for one in pieces(shown, shown))


@given(TEXTS, TEXTS)
def test_what_differs_is_marked_somewhere(other: str, shown: str) -> None:
    if shown and differences._folded(other) != differences._folded(shown):
        assert any(one.changed for one in pieces(other, shown))


@given(st.lists(TEXTS, max_size=5), TEXTS)
def test_the_nearest_is_one_of_them(others: list[str], shown: str) -> None:
    assert differences.nearest(others, shown) in (others or [""])


def test_capitals_and_wide_letters_are_not_marked() -> None:
    assert marked("Green Bridge Ltd", "GREEN BRIDGE LTD") == []
    assert marked("Unit 5A", "Unit ５Ａ") == []


def test_chance_letters_between_two_changes_are_marked_with_them() -> None:
    assert marked("4508 Wright Drive", "8641 High Gardens") == ["8641 High Gardens"]
    assert marked("Green Bridge Pharma Ltd", "Green Bridge Properties Ltd") == ["roperties"]


def test_digits_are_marked_one_by_one() -> None:
    assert marked("+8613800138000", "+8613900238000") == ["9", "2"]


def test_another_day_is_marked_by_its_digit_and_another_date_as_a_whole() -> None:
    assert marked("1986-03-25", "1986-03-26") == ["6"]
    assert marked("2004-01-31 00:00 UTC", "2013-09-21 12:29 UTC") == ["2013-09-21 12:29 UTC"]


def test_a_changed_chinese_character_says_how_it_sounds() -> None:
    one = next(one for one in pieces("张伟强", "章伟强") if one.changed)
    assert (one.text, one.reading, one.same_sound) == ("章", "zhang", True)
    other = next(one for one in pieces("李伟强", "章伟强") if one.changed)
    assert (other.text, other.reading, other.same_sound) == ("章", "zhang", False)

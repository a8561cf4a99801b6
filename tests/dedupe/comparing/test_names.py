"""Levels of names of persons and organizations."""

from typing import Any

import numpy as np
import pytest

from dedupe.comparing import person_name
from dedupe.comparing.person_forms import PersonForms, parsed
from tests.dedupe.comparing.records import ORGANIZATIONS, branch, compare, person


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("张伟明", "张伟明", "equal"),
        ("張偉明", "张伟明", "equal"),
        ("张伟明", "Zhang Weiming", "script"),
        ("张伟明", "Weiming Zhang", "script"),
        ("张伟明", "ZHANG, Wei-Ming", "script"),
        ("单雄", "Shan Xiong", "script"),
        ("张伟明", "张玮明", "confusable"),
        ("张伟明", "张纬明", "confusable"),
        ("张伟明", "张明伟", "confusable"),
        ("章伟明", "张伟明", "confusable"),
        ("张伟", "张伟伟", "confusable"),
        ("张伟明", "Kevin Zhang", "no_given"),
        ("张经理", "张伟明", "no_given"),
        ("张伟明", "张伟芳", "one_character"),
        ("张伟", "张芳", "family_only"),
        ("李春强", "Li Chun", "family_only"),
        ("张伟明", "王伟明", "given_only"),
        ("张伟明", "李芳", "unlike"),
        ("John Smith", "Smith, John", "equal"),
        ("John A. Smith", "John Smith", "script"),
        ("John A Smith", "John Albert Smith", "full"),
        ("John Smith", "John Smith", "equal"),
        ("Artie Lloyd", "Arthur Lloyd", "short_form"),
        ("Marcus Nate Adler", "Marcus Nathan Adler", "full"),
        ("Julia Constance Fletcher", "Connie Fletcher", "short_form"),
        ("William Frohawk Frederick", "Frederick W Frohawk", "short_form"),
        ("John Smith Jr", "John Smith", "suffix"),
        ("Johm Smith Jr", "John Smith", "suffix"),
        ("Johnn Smithe", "John Smith", "both_near"),
        ("William Green", "Bill Green", "short_form"),
        ("William Green", "W. Green", "initial"),
        ("Katherine Miller", "Katherne Miller", "confusable"),
        ("Katherine Miller", "Katherine Millre", "confusable"),
        ("James Stone", "Jamea Stone", "confusable"),
        ("Jim Stone", "Jamea Stone", "given_near"),
        ("Anna Smith", "Robert Smith", "family_only"),
        ("Susan Burton", "Susan King", "given_only"),
        ("Robert Hill Jr", "Robert Hill Sr", "conflict"),
        ("David L Hill", "David M Hill", "conflict"),
        ("Anna Copeland", "Robert Miller", "unlike"),
        ("Copeland", "Anna Copeland", "no_given"),
        ("Anna", "Annie Copeland", "no_given"),
        ("Robert", "Anna Copeland", "unlike"),
    ],
)
def test_person_names(left: str, right: str, level: str) -> None:
    assert compare(person(left), person(right))["name"] == level
    assert compare(person(right), person(left))["name"] == level


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("full", "full", "equal"),
        ("full", "form", "other_form"),
        ("full", "regionless", "no_region"),
        ("full", "brand", "brand"),
        ("full", "ningbo", "other_region"),
        ("full", "food", "other_industry"),
        ("full", "homophone", "confusable"),
        ("full", "latin", "script"),
        ("full", "other", "unlike"),
        ("ridge", "ridge_llc", "other_form"),
        ("ridge", "ridge_brand", "brand"),
        ("ridge", "ridge_food", "other_industry"),
        ("ridge", "ridge_slip", "confusable"),
        ("ridge", "acronym", "acronym"),
        ("ridge", "harbor", "unlike"),
        ("full", "harbor", "unlike"),
    ],
)
def test_organization_names(left: str, right: str, level: str) -> None:
    assert compare(ORGANIZATIONS[left], ORGANIZATIONS[right])["name"] == level
    assert compare(ORGANIZATIONS[right], ORGANIZATIONS[left])["name"] == level


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (branch("杭州分公司"), branch(None, form=None), "whole"),
        (branch("杭州分公司"), branch("杭州分公司"), "equal"),
        (branch(None), branch(None), "equal"),
    ],
)
def test_a_branch_and_a_name_that_may_be_its_parents_are_no_equal_names(
    left: dict[str, Any], right: dict[str, Any], level: str
) -> None:
    assert compare(left, right)["name"] == level


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("John Lemire", "Tanya Lemrie"),
        ("Minnie Qyala", "Zachary Ayala"),
        ("James James James", "Andrew James Johnson"),
        ("Carl E Cooper", "Carol E Cogswell"),
        ("Smith", "Smithe"),
    ],
)
def test_two_names_agree_as_much_whichever_comes_first(first: str, second: str) -> None:
    forms = PersonForms(parsed([first, second]))
    one, other = np.array([0]), np.array([1])
    there, back = person_name.compare(forms, one, other), person_name.compare(forms, other, one)
    assert there.tolist() == back.tolist()

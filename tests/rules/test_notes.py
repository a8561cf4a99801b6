"""Remarks, numbers and other names in a name cell."""

import pytest

from rules.notes import split


@pytest.mark.parametrize(
    ("cell", "name", "notes"),
    [
        ("映龙公司(老客户)", "映龙公司", ["老客户"]),
        ("映龙公司-已停用", "映龙公司", ["已停用"]),
        ("映龙公司/款到发货", "映龙公司", ["款到发货"]),
        ("【重点】映龙公司*", "映龙公司", ["重点"]),
        ("映龙公司,已注销", "映龙公司", ["已注销"]),
        ("VIP-映龙公司", "映龙公司", ["VIP"]),
        ("映龙公司(月结", "映龙公司", ["月结"]),
        ("Carter Foods - old customer", "Carter Foods", ["old customer"]),
        ("Carter Foods **do not call**", "Carter Foods", ["do not call"]),
        ("Carter Foods [inactive]", "Carter Foods", ["inactive"]),
    ],
)
def test_remark_is_taken_out(cell, name, notes):
    found = split(cell)
    assert (found.text, found.notes) == (name, notes)


@pytest.mark.parametrize(
    "cell",
    [
        "Smith, John",
        "Jean-Paul Marat",
        "Lead, Anna",
        "Knight Ltd - Boston Branch",
        "58同城",
        "A/B Foods",
    ],
)
def test_part_of_a_name_stays(cell):
    assert split(cell).text == cell


@pytest.mark.parametrize(
    ("cell", "other"),
    [
        ("映龙公司(原：映虎公司)", "映虎公司"),
        ("映龙公司(曾用名映虎公司)", "映虎公司"),
        ("Ann Lee (née Smith)", "Smith"),
        ("Carter LLC, formerly Carver LLC", "Carver LLC"),
    ],
)
def test_former_name_is_another_name(cell, other):
    assert split(cell.replace("：", ":")).other_names == [other]


def test_brackets_of_the_name_are_kept():
    assert split("映龙(杭州)公司(新)", lambda content: content == "杭州").text == "映龙(杭州)公司"


@pytest.mark.parametrize(
    "number", ["13900000000", "0571-87650000", "+86 139 0000 0000", "503.555.0100"]
)
def test_telephone_number_is_kept_apart(number):
    found = split(f"Ann Lee {number}")
    assert (found.text, found.phones) == ("Ann Lee", [number])

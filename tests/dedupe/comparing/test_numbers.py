"""Levels of identity numbers and birth dates."""

from datetime import date

import pytest

from tests.dedupe.comparing.records import compare, person


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (["ssn:900123456"], ["ssn:900123456"], "same"),
        (["ssn:900123456"], ["ssn:900123465"], "near"),
        (["ssn:900123456"], ["ssn:911987654"], "conflict"),
        (["ssn:900123456"], ["ein:911987654"], None),
        (["uscc:91350100M000100Y43", "org:M000100Y4"], ["org:M000100Y4"], "same"),
        (["lic:110108000000016"], ["uscc:91350100M000100Y43"], None),
        (
            ["ric:11010519491231002X", "ric17:11010519491231002", "ricp15:110105194912310"],
            ["ricp15:110105194912310"],
            "partial",
        ),
        (["bad:11010519491231003X"], ["ric:11010519491231002X"], "near"),
        (["bad:990105194912310031"], ["ric:11010519491231002X"], None),
        (None, ["ssn:900123456"], None),
        (["tax15:131122187950283", "lic:131122187950283"], ["lic:131122999950283"], None),
    ],
)
def test_numbers(left: list[str] | None, right: list[str] | None, level: str | None) -> None:
    assert compare(person("张伟", id_keys=left), person("张伟", id_keys=right))["id"] == level


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (date(1980, 3, 4), date(1980, 3, 4), "same"),
        (date(1980, 3, 4), date(1980, 4, 3), "near"),
        (date(1980, 3, 4), date(1980, 3, 14), "near"),
        (date(1980, 3, 4), date(1980, 3, 27), "partly"),
        (date(1980, 3, 4), date(1986, 3, 4), "near"),
        (date(1989, 3, 4), date(1996, 3, 4), "partly"),
        (date(1980, 3, 14), date(1908, 3, 14), "near"),
        (date(1980, 3, 4), date(1981, 3, 4), "near"),
        (date(1980, 3, 4), date(1953, 3, 4), "different"),
        (date(1980, 3, 4), date(1977, 11, 20), "different"),
        (date(1980, 3, 4), None, None),
    ],
)
def test_birth_dates(left: date, right: date | None, level: str | None) -> None:
    assert (
        compare(person("张伟", birth_date=left), person("张伟", birth_date=right))["birth_date"]
        == level
    )


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        ("ann1957@example.com", "1957-02-03", "year"),
        ("ann1957@example.com", "1961-02-03", "other_year"),
        ("ann19570203@example.com", "1961-02-03", None),
        ("ann@example.com", "1961-02-03", None),
    ],
)
def test_a_year_in_an_e_mail_address_is_compared_with_the_birth_date(
    left: str, right: str, level: str | None
) -> None:
    pair = (
        person("Ann Lee", emails=[left]),
        person("Ann Lee", birth_date=date.fromisoformat(right)),
    )
    assert compare(*pair)["birth_date"] == level == compare(*pair[::-1])["birth_date"]


def test_numbers_of_an_unknown_kind_differ_only_in_one_form() -> None:
    def level(*keys: str) -> str | None:
        return compare(*(person("Ann Lee", id_keys=[key]) for key in keys))["id"]

    assert level("id:1804974", "id:6089216") == "other"
    assert level("id:1804974", "id:AB60892") is None
    assert level("id:1804974", "id:1804974") == "same"
    assert level("id:1804974", "id:1804947") == "near"


@pytest.mark.parametrize(
    ("left", "right", "level"),
    [
        (date(1857, 1, 1), date(1857, 11, 9), "year"),
        (date(1857, 1, 1), date(1857, 1, 1), "same"),
        (date(1857, 1, 1), date(1858, 1, 1), "partly"),
        (date(1857, 1, 1), date(1861, 1, 1), "different"),
        (date(1857, 1, 1), date(1827, 1, 1), "partly"),
        (date(1857, 1, 1), date(1859, 11, 9), "different"),
        (date(1857, 2, 1), date(1857, 11, 9), "different"),
    ],
)
def test_the_first_of_january_may_stand_for_the_year(left: date, right: date, level: str) -> None:
    pair = (person("Ann Lee", birth_date=left), person("Ann Lee", birth_date=right))
    assert compare(*pair)["birth_date"] == level

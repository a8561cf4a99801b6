"""Claims about rules/address.py; most stand as rows in tests/cases/addresses.csv."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import address
from rules.addresses import chinese, divisions, postal

CASES = Path(__file__).parents[1] / "cases" / "addresses.csv"
PARTS = ("region", "city", "district", "street", "house_number", "unit", "country", "key")
DISTRICTS = [d for d in divisions.all_divisions() if d.district and d.code[:2] < "70"]


def _rows() -> list[dict[str, str]]:
    with CASES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row["note"])
def test_written_form_becomes(row: dict[str, str]) -> None:
    found = address.parse(
        row["text"],
        region=row["region_in"] or None,
        city=row["city_in"] or None,
        district=row["district_in"] or None,
        country=row["country_in"],
    )
    assert {part: getattr(found, part) or "" for part in PARTS} == {p: row[p] for p in PARTS}
    assert "|".join(problem.rule for problem in found.problems) == row["rules"]


@given(st.sampled_from(DISTRICTS), st.integers(1, 999))
def test_every_district_is_found_by_its_full_names(division: divisions.Division, no: int) -> None:
    city = "" if division.city in (division.province, division.district) else division.city
    found = address.parse(f"{division.province}{city}{division.district}解放路{no}号")
    assert (found.region, found.city, found.district) == division[1:]
    assert (found.street, found.house_number) == ("解放路", str(no))


@given(st.sampled_from(DISTRICTS))
def test_columns_alone_give_the_same_division_as_the_text(division: divisions.Division) -> None:
    found = address.parse(
        "解放路5号", region=division.province, city=division.city, district=division.district
    )
    assert (found.region, found.city, found.district) == division[1:]


@given(
    st.integers(1, 40), st.integers(1, 6), st.integers(101, 2999),
    st.sampled_from(["{}幢{}单元{}室", "{}-{}-{}", "{}栋{}单元{}", "{}号楼{}门{}室"]),
)  # fmt: skip
def test_building_entrance_and_room_read_alike(b: int, e: int, room: int, form: str) -> None:
    line = chinese.read("文三路123号恒大苑" + form.format(b, e, room))
    assert (line.number, line.estate, line.unit) == ("123", "恒大苑", f"{b}-{e}-{room}")


@given(
    st.text(max_size=50),
    st.text(max_size=12),
    st.sampled_from(["CN", "HK", "TW", "MO", "US", "GB", "DE", ""]),
)
def test_any_text_is_read_without_raising(text: str, other: str, country: str) -> None:
    address.parse(text, region=other, city=other, postal_code=other, country=country)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("China", "CN"), ("中国", "CN"), ("CN", "CN"), ("P.R. China", "CN"), ("UK", "GB"),
        ("United States", "US"), ("USA", "US"), ("台湾", "TW"), ("香港", "HK"), ("无", None),
        ("", None), ("Atlantis", None),
    ],
)  # fmt: skip
def test_country_is_known_by_its_names(text: str, code: str | None) -> None:
    assert address.country_code(text) == code


@pytest.mark.parametrize(
    ("code", "country", "expected"),
    [
        ("310012", "CN", "310012"), ("30000", "CN", "030000"), ("99999", "CN", None),
        ("000000", "CN", None), ("310012.0", "CN", "310012"), ("2121", "US", "02121"),
        ("627041234", "US", "62704-1234"), ("62704-1234", "US", "62704-1234"),
        ("sw203jd", "GB", "SW20 3JD"), ("LS10 5", "GB", None), ("10115", "DE", "10115"),
        ("1115", "DE", "01115"), ("1234ab", "NL", "1234 AB"), ("k1a0b1", "CA", "K1A 0B1"),
        ("1000001", "JP", "100-0001"), ("106", "TW", "106"), ("999077", "HK", None),
    ],
)  # fmt: skip
def test_postal_code_gets_its_national_form(code: str, country: str, expected: str | None) -> None:
    assert postal.normalize(code, country) == expected


def test_postal_code_that_cannot_be_is_a_warning() -> None:
    found = address.parse("文三路1号", city="杭州市", postal_code="3100")
    assert [(p.rule, p.severity) for p in found.problems] == [("address_postal_code", "warning")]


def test_british_postal_code_tells_the_country() -> None:
    found = address.parse("12 High St", postal_code="m13 7jj", country="US")
    assert (found.country, found.postal_code) == ("GB", "M13 7JJ")

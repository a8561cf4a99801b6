"""What two records are shown to say: what was compared, numbers without their middle."""

from datetime import date

import pyarrow as pa
import pytest

from dedupe import features
from dedupe.explaining import shown
from rules.customer import STAGED_SCHEMA


def compared(*people: dict) -> list[str]:
    """What each is shown to say about its birth date beside the other; '' for its own date."""
    named = [
        {"record_id": f"crm:{n}", "source": "crm", "customer_type": "person", "name": "Ann Lee"}
        | one
        for n, one in enumerate(people)
    ]
    rows = features.build(pa.Table.from_pylist(named, STAGED_SCHEMA)).to_pylist()
    return [side.get("birth_date", "") for side in shown.compared(*rows)]


@pytest.mark.parametrize(
    ("emails", "born", "said"),
    [
        (["ann1957@example.com"], date(1961, 2, 3), ["ann1957@example.com", ""]),
        (["ann@example.com", "a.1957@example.com"], date(1961, 2, 3), ["a.1957@example.com", ""]),
        (["ann1957@example.com", "ann1961@example.com"], date(1961, 2, 3), ["", ""]),
        (["ann1957@example.com"], None, ["", ""]),
        (["ann@example.com"], date(1961, 2, 3), ["", ""]),
    ],
)
def test_the_address_whose_year_was_compared_stands_for_the_missing_birth_date(
    emails: list[str], born: date | None, said: list[str]
) -> None:
    pair = ({"emails": emails}, {"birth_date": born})
    assert compared(*pair) == said
    assert compared(*pair[::-1]) == said[::-1]


def test_two_addresses_whose_years_were_compared_both_stand() -> None:
    pair = ({"emails": ["ann1957@example.com"]}, {"emails": ["ann1961@example.com"]})
    assert compared(*pair) == ["ann1957@example.com", "ann1961@example.com"]

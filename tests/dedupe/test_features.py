"""Features of records: folded, split and read once per distinct value."""

from typing import Any

import pyarrow as pa
import pytest

from dedupe import features
from rules.customer import STAGED_SCHEMA


def staged(*rows: dict[str, Any]) -> pa.Table:
    """Staged records a:1, a:2, ...; what a row does not give is null."""
    base = {"source": "a", "customer_type": "organization"}
    full = [
        {"record_id": f"a:{number}", "source_key": str(number), **base, **row}
        for number, row in enumerate(rows, 1)
    ]
    columns = {field.name: [row.get(field.name) for row in full] for field in STAGED_SCHEMA}
    return pa.table(columns, schema=STAGED_SCHEMA)


def test_rows_are_sorted_by_record_id() -> None:
    table = staged({"record_id": "b:2"}, {"record_id": "a:9"}, {"record_id": "a:10"})
    assert features.build(table)["record_id"].to_pylist() == ["a:10", "a:9", "b:2"]


def test_row_order_changes_nothing() -> None:
    table = staged(
        {"name": "杭州星辰科技有限公司", "name_key": "杭州星辰科技有限公司", "org_brand": "星辰"},
        {"name": "星辰", "name_key": "星辰", "org_brand": "星辰"},
        {"name": "Blue Ridge Ltd", "name_key": "blueridgeltd", "org_brand": "Blue Ridge"},
    )
    shuffled = table.take(pa.array([2, 0, 1]))
    assert features.build(table).equals(features.build(shuffled))


def test_no_records_give_no_features() -> None:
    assert features.build(staged()).num_rows == 0


def test_missing_values_stay_missing() -> None:
    row = features.build(staged({})).to_pylist()[0]
    empty = {"name", "family", "brand_key", "road", "city", "contacts", "employer", "id_keys"}
    assert {name: row[name] for name in empty} == dict.fromkeys(empty)


def test_values_are_folded() -> None:
    row = features.build(
        staged({"family_name": "O'Brien", "given_name": "Wei-Ming", "city": "São Paulo"})
    ).to_pylist()[0]
    assert (row["family"], row["given"], row["city"]) == ("obrien", "wei ming", "saopaulo")


def test_one_number_stands_for_one_name() -> None:
    table = features.build(
        staged(
            {"name": "A Ltd"},
            {"name": "B Ltd"},
            {"name": "A Ltd"},
            {"name": "A Ltd", "org_region": "杭州"},
        )
    )
    first, second, third, fourth = table["name_ref"].to_pylist()
    assert first == third
    assert len({first, second, fourth}) == 3


def test_road_comes_from_the_address_key_where_there_is_one() -> None:
    table = features.build(
        staged(
            {"address_key": "chaohui 12", "street": "朝晖路"}, {"street": "莼湖街道和平大道"}, {}
        )
    )
    assert table["road_key"].to_pylist() == ["chaohui", "和平大道", None]


def test_contacts_are_contact_and_legal_representative_without_repetition() -> None:
    table = features.build(
        staged(
            {"contact_name": "王丽", "legal_representative": "王丽"},
            {"legal_representative": "Li Na"},
        )
    )
    assert table["contacts"].to_pylist() == [["王丽"], ["li na"]]


@pytest.mark.parametrize(("limit", "expected"), [(20, True), (60, False)])
def test_a_pile_up_at_the_longest_length_marks_cut_names(limit: int, expected: bool) -> None:
    names = [f"{'甲' * (4 + number % 12)}{number:02d}" for number in range(40)]
    cut = [name.encode("gb18030")[:limit].decode("gb18030", "ignore") for name in names]
    table = features.build(staged(*({"name": name} for name in cut)))
    longest = [len(name.encode("gb18030")) >= limit - 1 for name in table["name"].to_pylist()]
    assert table["name_cut"].to_pylist() == longest
    assert any(longest) is expected


def test_a_name_that_ends_within_its_legal_form_was_cut() -> None:
    names = ["远山科技有限公", "远山科技股份有", "远山科技有限公司", "远山科技"]
    table = features.build(staged(*({"name": name} for name in names)))
    assert table["name_cut"].to_pylist() == [True, True, False, False]

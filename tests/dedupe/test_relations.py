"""Persons beside organizations: linked where something shows it, never by a common name alone."""

import random
from typing import Any

import pyarrow as pa
import pytest

from dedupe.relations import BASES, COMMON, kin, kinships, relate
from rules.customer import STAGED_SCHEMA

PHONE = ["+8613800138000"]


def person(key: str, name: str, **values: Any) -> dict[str, Any]:
    return _record("crm", key, "person", name, values)


def organization(key: str, name: str, **values: Any) -> dict[str, Any]:
    return _record("erp", key, "organization", name, values)


def _record(source: str, key: str, kind: str, name: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "record_id": f"{source}:{key}",
        "source": source,
        "source_key": key,
        "customer_type": kind,
        "name": name,
        "name_key": name.casefold().replace(" ", ""),
        **values,
    }


def found(*records: dict[str, Any], together: dict[str, str] | None = None) -> list[tuple]:
    """(person, organization, kind, basis) for records that are customers of their own."""
    staged = pa.Table.from_pylist(list(records), schema=STAGED_SCHEMA)
    ids = [(together or {}).get(one["record_id"], one["record_id"]) for one in records]
    crosswalk = pa.table({"record_id": staged["record_id"], "golden_id": ids})
    columns = ("person_id", "organization_id", "kind", "basis")
    found = relate(kinships(kin(staged)), crosswalk)
    return [tuple(row[c] for c in columns) for row in found.to_pylist()]


def test_an_employer_that_is_one_organization_is_where_the_person_works() -> None:
    assert found(
        person("1", "王小明", employer_name="杭州星辰科技有限公司"),
        organization("2", "杭州星辰科技有限公司", org_brand="星辰"),
    ) == [("crm:1", "erp:2", "works_at", "employer")]


def test_an_employer_of_two_organizations_of_that_name_links_only_the_one_it_shares_reach_with():
    records = [
        person("1", "王小明", employer_name="星辰", phone_keys=PHONE),
        organization("2", "星辰"),
        organization("3", "星辰"),
    ]
    assert found(*records) == []
    records[2]["phone_keys"] = PHONE
    assert found(*records) == [("crm:1", "erp:3", "works_at", "employer")]


def test_a_contact_works_there_only_if_both_share_a_way_to_reach_them() -> None:
    records = [
        person("1", "王小明", phone_keys=PHONE),
        organization("2", "星辰", contact_name="王小明"),
    ]
    assert found(*records) == []
    records[1]["phone_keys"] = PHONE
    assert found(*records) == [("crm:1", "erp:2", "works_at", "contact")]


@pytest.mark.parametrize(
    "shared",
    [
        {"phone_keys": PHONE},
        {"emails": ["a@example.com"]},
        {"address_key": "chaohui 12", "city": "杭州市"},
    ],
)
def test_a_legal_representative_who_shares_reach_owns_it(shared: dict[str, Any]) -> None:
    assert found(
        person("1", "王小明", **shared),
        organization("2", "星辰", legal_representative="王小明", **shared),
    ) == [("crm:1", "erp:2", "owner_of", "legal_representative")]


def test_a_shop_named_after_a_person_at_the_same_number_is_theirs() -> None:
    assert found(
        person("1", "王小明", phone_keys=PHONE),
        organization("2", "王小明水果店", phone_keys=PHONE),
        organization("3", "李小龙水果店", phone_keys=PHONE),
    ) == [("crm:1", "erp:2", "owner_of", "named_after")]


def test_a_number_that_many_share_shows_nothing() -> None:
    others = [person(str(n), f"客户{n}", phone_keys=PHONE) for n in range(10, 10 + COMMON)]
    assert (
        found(
            person("1", "王小明", phone_keys=PHONE),
            organization("2", "星辰", contact_name="王小明", phone_keys=PHONE),
            *others,
        )
        == []
    )


def test_a_relation_is_said_once_per_customer_whatever_the_order_of_records() -> None:
    records = [
        person("1", "王小明", employer_name="星辰", phone_keys=PHONE),
        person("2", "王小明", employer_name="星辰", phone_keys=PHONE),
        organization("3", "星辰", contact_name="王小明", phone_keys=PHONE),
        organization("4", "星辰", phone_keys=PHONE),
    ]
    together = {"crm:2": "crm:1", "erp:4": "erp:3"}
    expected = [("crm:1", "erp:3", "works_at", "employer")]
    for seed in range(5):
        random.Random(seed).shuffle(records)
        assert found(*records, together=together) == expected


def test_every_basis_has_a_sentence() -> None:
    assert set(BASES) == {"employer", "contact", "legal_representative", "named_after"}


def test_no_records_give_no_relations() -> None:
    assert found() == []

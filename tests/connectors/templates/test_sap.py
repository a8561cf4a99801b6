"""SAP: customer master and business partners, replicated into SQLite."""

import json
from datetime import UTC, date, datetime

import pytest


@pytest.fixture
def sqlite_database(tmp_path):
    (tmp_path / "sap.db").touch()
    return f"sqlite:///{tmp_path / 'sap.db'}"


@pytest.fixture
def customers(sqlite_database, run_sql):
    run_sql(sqlite_database, schema="sap_ecc")
    return sqlite_database


@pytest.fixture
def partners(sqlite_database, run_sql):
    run_sql(sqlite_database, schema="sap_s4")
    return sqlite_database


def test_customers_are_read_and_one_time_accounts_are_not(customers, staged):
    found = staged(template="sap_ecc", url=customers)
    assert set(found) == {"100|0000001001", "100|KUNDE1", "100|0000001003", "200|0000001001"}
    found = staged(template="sap_ecc", url=customers, only={"MANDT": "100"})
    assert len(found) == 3


def test_chinese_version_of_an_address_is_read_beside_the_usual_one(customers, staged):
    row = staged(template="sap_ecc", url=customers)["100|0000001001"]
    names = {row["name"], *row.get("other_names", ())}
    assert "杭州示例贸易有限公司" in names
    assert any("Hangzhou Sample Trading" in name for name in names)
    assert (row["region"], row["city"], row["district"]) == ("浙江省", "杭州市", "西湖区")
    assert row["address_line"].count("100") == 1


def test_numbers_and_emails_of_the_address_are_read_and_those_of_contacts_are_not(
    customers, staged
):
    row = staged(template="sap_ecc", url=customers)["100|0000001001"]
    assert row["emails"] == ["office@example.com", "second@example.com"]
    assert row["phones"] == ["+8613800001111", "+8657187654321"]
    assert row["tax_id"] == "91330106MA27XU3LXL"


def test_customer_without_address_number_has_what_kna1_says(customers, staged):
    row = staged("DE", template="sap_ecc", url=customers)["100|KUNDE1"]
    assert (row["city"], row["postal_code"], row["country"]) == ("München", "80331", "DE")
    assert row["tax_id"] == "DE136695976" and row["phones"] == ["+4989123456"]


def test_marks_say_who_is_gone_and_who_is_a_person(customers, staged):
    found = staged("DE", template="sap_ecc", url=customers)
    assert found["100|KUNDE1"]["status"] == "closed"
    assert "status" not in found["100|0000001003"]  # a posting block is no deletion
    assert found["100|0000001003"]["customer_type"] == "person"
    assert "created_at" not in found["100|KUNDE1"]  # 00000000
    assert found["100|0000001003"]["created_at"] == datetime(2020, 1, 1, tzinfo=UTC)


def test_business_partners_with_a_customers_role_are_read(partners, staged):
    found = staged(template="sap_s4", url=partners)
    assert {key: (row["customer_type"], row["name"]) for key, row in found.items()} == {
        "100|0010000001": ("organization", "示例电子科技(苏州)有限公司"),
        "100|0010000002": ("person", "李小红"),
        "100|ABC": ("organization", "Old Sample GmbH"),
    }
    assert found["100|ABC"]["status"] == "closed" and "status" not in found["100|0010000002"]


def test_business_partner_has_its_standard_address_and_numbers(partners, staged):
    found = staged(template="sap_s4", url=partners)
    company, person = found["100|0010000001"], found["100|0010000002"]
    assert (company["city"], company["district"]) == ("苏州市", "吴中区")
    assert company["emails"] == ["info@example.com"] and company["phones"] == ["+8651266001234"]
    assert company["tax_id"] == "91320594MA1MX3YU9N"
    assert person["emails"] == ["li@example.com"]
    assert person["phones"] == ["+8613900002222"] and person["birth_date"] == date(1990, 3, 7)
    assert json.loads(person["attributes"])["grouping"] == "BP02"


def test_change_of_a_business_partner_has_day_and_time(partners, staged):
    found = staged(template="sap_s4", url=partners)
    assert found["100|0010000001"]["updated_at"] == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found["100|0010000002"]["updated_at"] == datetime(2021, 4, 5, 6, 7, 8, tzinfo=UTC)

"""ERPNext: tabCustomer with contacts and addresses on MariaDB."""

from datetime import UTC, datetime

import pytest


@pytest.fixture
def customers(mariadb_database, run_sql):
    run_sql(mariadb_database, schema="erpnext")
    return mariadb_database


def test_customers_are_read_and_cancelled_ones_are_not(customers, staged):
    found = staged("GB", template="erpnext", url=customers)
    assert {key: (row["customer_type"], row["status"]) for key, row in found.items()} == {
        "CUST-2024-00001": ("organization", "active"),
        "示例科技": ("organization", "active"),
        "Bob Muster": ("person", "closed"),
    }


def test_emails_and_phones_in_side_tables_come_with_the_primary_ones_first(customers, staged):
    row = staged("GB", template="erpnext", url=customers)["CUST-2024-00001"]
    assert row["emails"] == ["ann@example.com", "office@example.com", "stale@example.com"]
    assert row["phones"] == ["+4915123456789", "+442079460018"]
    assert row["contact_name"] == "Ann Sample" and row["country"] == "GB"


def test_customer_without_primary_contact_has_the_linked_ones(customers, staged):
    row = staged("CN", template="erpnext", url=customers)["示例科技"]
    assert row["contact_name"] == "钱二" and row["emails"] == ["qian@example.com"]
    assert (row["district"], row["city"], row["country"]) == ("南山区", "深圳市", "CN")
    assert row["phones"] == ["+8675526001234"]


def test_customer_changes_when_an_email_in_a_side_table_does(customers, staged):
    found = staged("GB", template="erpnext", url=customers)
    changed = datetime(2024, 6, 7, 8, 9, 10, 500000, tzinfo=UTC)
    assert found["CUST-2024-00001"]["updated_at"] == changed
    assert found["示例科技"]["updated_at"] == datetime(2024, 9, 1, tzinfo=UTC)


def test_release_10_without_side_tables_is_read(customers, staged, run_sql):
    run_sql(
        customers,
        "DROP TABLE `tabContact Email`",
        "DROP TABLE `tabContact Phone`",
        "ALTER TABLE tabCustomer DROP COLUMN customer_primary_contact,"
        " DROP COLUMN customer_primary_address, DROP COLUMN email_id, DROP COLUMN mobile_no",
    )
    row = staged("GB", template="erpnext", url=customers)["CUST-2024-00001"]
    assert row["emails"] == ["ann@example.com"] and row["city"] == "London"

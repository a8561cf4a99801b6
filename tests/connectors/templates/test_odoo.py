"""Odoo: customers of res_partner on PostgreSQL, releases 10, 17 and 19."""

import json
from datetime import UTC, datetime

import pytest


@pytest.fixture
def partners(postgres_database, run_sql):
    run_sql(postgres_database, schema="odoo")
    return postgres_database


def test_customers_and_their_contacts_are_read_and_nobody_else(partners, staged):
    found = staged(template="odoo", url=partners)
    assert {key: row["name"] for key, row in found.items()} == {
        "7": "杭州示例贸易有限公司",
        "8": "王小明",
        "10": "Muster Bau GmbH",
        "14": "Ann Sample",
    }
    assert found["7"]["customer_type"] == found["10"]["customer_type"] == "organization"
    assert found["8"]["employer_name"] == "杭州示例贸易有限公司"
    assert found["14"]["employer_name"] == "Sample Consulting"


def test_fields_of_a_company_are_read(partners, staged):
    row = staged(template="odoo", url=partners)["7"]
    assert row["emails"] == ["office@example.com"] and row["phones"] == ["+8657187654321"]
    assert "tax_id" not in row  # '/' says that there is none
    assert (row["region"], row["city"], row["country"]) == ("浙江省", "杭州市", "CN")
    assert (row["house_number"], row["unit"]) == ("100", "2-301")
    assert row["created_at"] == datetime(2023, 2, 1, 8, 0, 0, 123456, tzinfo=UTC)


def test_translated_names_are_read_in_one_language(partners, staged):
    found = staged(template="odoo", url=partners)
    assert json.loads(found["7"]["attributes"])["industry"] == "建筑业"
    assert json.loads(found["10"]["attributes"])["industry"] == "Energy"


def test_comment_is_read_without_its_markup(partners, staged):
    assert json.loads(staged(template="odoo", url=partners)["7"]["attributes"])["note"] == "VIP"


def test_archived_partner_is_closed(partners, staged):
    found = staged(template="odoo", url=partners)
    assert found["10"]["status"] == "closed" and found["7"]["status"] == "active"


def test_contact_changes_when_its_company_does(partners, staged):
    row = staged(template="odoo", url=partners)["8"]
    assert row["updated_at"] == datetime(2024, 1, 5, 9, 0, 0, 500000, tzinfo=UTC)


def test_release_19_without_mobile_is_read(partners, staged, run_sql):
    run_sql(partners, "ALTER TABLE res_partner DROP COLUMN mobile")
    found = staged(template="odoo", url=partners)
    assert len(found) == 4 and "phones" not in found["8"]


def test_release_10_with_flags_and_plain_names_is_read(partners, staged, run_sql):
    run_sql(
        partners,
        "ALTER TABLE res_partner ADD customer boolean, ADD supplier boolean",
        "UPDATE res_partner SET customer = customer_rank > 0, supplier = supplier_rank > 0",
        "ALTER TABLE res_partner DROP COLUMN customer_rank, DROP COLUMN supplier_rank,"
        " DROP COLUMN industry_id",
        "DROP TABLE res_partner_industry",
        "ALTER TABLE res_country ALTER name TYPE varchar USING name->>'en_US'",
    )
    assert set(staged(template="odoo", url=partners)) == {"7", "8", "10", "14"}


def test_one_company_of_several_can_be_chosen(partners, staged):
    assert set(staged(template="odoo", url=partners, only={"company_id": "1"})) == {"7", "8", "14"}


def test_own_columns_can_be_added_and_fields_taken_out(partners, staged, run_sql):
    run_sql(
        partners,
        "ALTER TABLE res_partner ADD x_grade varchar",
        "UPDATE res_partner SET x_grade = 'A 100%' WHERE id = 7",
    )
    columns = {"attributes.grade": "x_grade", "email": []}
    row = staged(template="odoo", url=partners, columns=columns)["7"]
    assert json.loads(row["attributes"])["grade"] == "A 100%" and "emails" not in row

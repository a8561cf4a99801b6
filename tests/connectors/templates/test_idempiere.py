"""iDempiere: business partners on PostgreSQL, in a schema that is not the user's own."""

import json
from datetime import UTC, datetime

import pytest

from onefold.errors import SourceMissing


@pytest.fixture
def partners(postgres_database, run_sql):
    run_sql(postgres_database, schema="idempiere")
    return postgres_database


def test_customers_are_read_and_vendors_and_summaries_are_not(partners, staged):
    found = staged("US", template="idempiere", url=partners)
    assert {key: row["name"] for key, row in found.items()} == {
        "1000000": "Sample Garden Supplies Inc",
        "1000001": "南京示例园艺有限公司",
        "1000004": "Other Tenant Corp",
    }
    assert found["1000001"]["status"] == "closed"


def test_address_that_bills_go_to_is_taken_before_the_first_one(partners, staged):
    found = staged("US", template="idempiere", url=partners)
    assert "Sample Road" in found["1000000"]["address_line"]
    assert found["1000000"]["phones"][-1] == "+18605550111"
    assert "+18605550100" in found["1000000"]["phones"]
    assert (found["1000001"]["region"], found["1000001"]["country"]) == ("江苏省", "CN")


def test_active_contacts_are_read_and_others_are_not(partners, staged):
    row = staged("US", template="idempiere", url=partners)["1000000"]
    assert row["emails"] == ["joe@example.com", "sue@example.com"]
    assert row["contact_name"] == "Joe Sample"


def test_partner_changes_when_an_address_is_switched_off(partners, staged):
    row = staged("US", template="idempiere", url=partners)["1000000"]
    assert row["updated_at"] == datetime(2024, 8, 1, 10, tzinfo=UTC)


def test_one_tenant_of_several_can_be_chosen(partners, staged):
    found = staged("US", template="idempiere", url=partners, only={"AD_Client_ID": "1000001"})
    assert json.loads(found["1000004"]["attributes"]) == {"client": "1000001", "number": "C1000"}
    assert len(found) == 1


def test_schema_has_to_be_said_where_two_have_the_tables(partners, staged, run_sql):
    run_sql(partners, "CREATE SCHEMA copy", "CREATE TABLE copy.c_bpartner (c_bpartner_id int)")
    with pytest.raises(SourceMissing, match="adempiere, copy"):
        staged("US", template="idempiere", url=partners)
    settings = {"template": "idempiere", "url": partners, "database_schema": "adempiere"}
    assert len(staged("US", **settings)) == 3

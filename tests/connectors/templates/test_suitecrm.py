"""SuiteCRM: accounts and contacts with e-mail addresses in side tables, on MariaDB."""

import json
from datetime import UTC, date, datetime

import pytest


@pytest.fixture
def crm(mariadb_database, run_sql):
    run_sql(mariadb_database, "SET SESSION sql_mode = ''")
    run_sql(mariadb_database, schema="suitecrm")
    return mariadb_database


def test_deleted_accounts_are_not_read(crm, staged):
    found = staged("US", template="suitecrm_accounts", url=crm)
    assert set(found) == {"a1", "a3"}
    assert found["a1"]["name"] == "O'Sample & Sons Ltd" and found["a3"]["city"] == "成都市"
    assert {row["customer_type"] for row in found.values()} == {"organization"}


def test_primary_email_comes_first_and_deleted_ones_do_not(crm, staged):
    found = staged("US", template="suitecrm_accounts", url=crm)
    assert found["a1"]["emails"] == ["office@example.com", "billing@example.com"]
    assert "emails" not in found["a3"]  # its link to the address is deleted


def test_account_changes_when_an_email_does_or_is_taken_away(crm, staged):
    found = staged("US", template="suitecrm_accounts", url=crm)
    assert found["a1"]["updated_at"] == datetime(2024, 4, 5, 6, 7, 8, tzinfo=UTC)
    assert found["a3"]["updated_at"] == datetime(2023, 7, 8, 9, 10, 11, tzinfo=UTC)


def test_opting_out_is_kept_and_not_opting_out_says_nothing(crm, staged):
    assert staged("US", template="suitecrm_accounts", url=crm)["a1"]["consent_marketing"] is False
    assert "consent_marketing" not in staged("US", template="suitecrm_contacts", url=crm)["c1"]


def test_own_fields_can_be_mapped(crm, staged):
    columns = {"attributes.vat": "custom.vat_no_c"}
    found = staged("US", template="suitecrm_accounts", url=crm, columns=columns)
    assert json.loads(found["a1"]["attributes"])["vat"] == "C-77"


def test_contact_has_its_account_that_is_not_deleted(crm, staged):
    found = staged("US", template="suitecrm_contacts", url=crm)
    assert set(found) == {"c1", "c2"}
    ann, wang = found["c1"], found["c2"]
    assert (ann["name"], ann["employer_name"]) == ("Ann Muster", "O'Sample & Sons Ltd")
    assert ann["emails"] == ["ann@example.com"] and ann["birth_date"] == date(1980, 5, 6)
    assert "employer_name" not in wang and wang["name"] == "王小明"
    assert wang["updated_at"] == datetime(2023, 3, 3, 3, 3, 3, tzinfo=UTC)


def test_zero_date_is_no_birth_date(crm, standardized):
    found = standardized("US", template="suitecrm_contacts", url=crm)
    assert "birth_date" not in found.problems["field"].to_pylist()
    assert found.raw.num_rows == 2

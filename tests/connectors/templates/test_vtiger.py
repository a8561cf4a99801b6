"""vtiger: organizations and contacts, whose entity says if they live, on MariaDB."""

import json
from datetime import UTC, date, datetime

import pytest


@pytest.fixture
def crm(mariadb_database, run_sql):
    run_sql(mariadb_database, "SET GLOBAL sql_mode = ''")
    run_sql(mariadb_database, schema="vtiger")
    yield mariadb_database
    run_sql(mariadb_database, "SET GLOBAL sql_mode = DEFAULT")


def test_organizations_that_live_are_read(crm, staged):
    found = staged("DE", template="vtiger_accounts", url=crm)
    assert set(found) == {"10"}
    row = found["10"]
    assert row["emails"] == ["info@example.org", "order@example.org"]
    assert (row["city"], row["region"], row["country"]) == ("München", "Bayern", "DE")
    assert row["consent_marketing"] is False
    assert json.loads(row["attributes"]) == {"industry": "Retail", "number": "ACC1"}


def test_contacts_that_live_are_read_with_all_their_numbers(crm, staged):
    found = staged("DE", template="vtiger_contacts", url=crm)
    assert set(found) == {"12", "13"}
    erika, zhang = found["12"], found["13"]
    assert (erika["name"], erika["employer_name"]) == ("Erika Beispiel", "Beispiel Handels GmbH")
    assert erika["phones"] == ["+4989123457", "+4989999999"]
    assert erika["emails"] == ["erika@example.org", "e.beispiel@example.net"]
    assert zhang["birth_date"] == date(1985, 10, 1) and "birth_date" not in erika


def test_deleted_organization_employs_nobody(crm, staged):
    assert "employer_name" not in staged("DE", template="vtiger_contacts", url=crm)["13"]


def test_contact_changes_when_its_organization_does(crm, staged):
    found = staged("DE", template="vtiger_contacts", url=crm)
    assert found["12"]["updated_at"] == datetime(2021, 6, 1, 12, tzinfo=UTC)
    assert found["13"]["updated_at"] == datetime(2021, 2, 1, tzinfo=UTC)


def test_utf8_that_was_stored_as_latin1_is_read_right(
    mariadb_database, run_sql, schema_text, staged
):
    parts = [part for part in schema_text("vtiger").split(";\n") if part.strip()]
    run_sql(
        mariadb_database,
        "ALTER DATABASE CHARACTER SET latin1",
        "SET NAMES latin1",  # what old versions did: the client goes on sending UTF-8
        "SET SESSION sql_mode = ''",
        *parts,
    )
    url = mariadb_database.replace("charset=utf8mb4", "charset=latin1&use_unicode=0")
    assert staged("DE", template="vtiger_accounts", url=url)["10"]["city"] == "München"
    assert staged("DE", template="vtiger_contacts", url=url)["13"]["name"] == "张伟"

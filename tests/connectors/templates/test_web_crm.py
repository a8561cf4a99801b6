"""Salesforce, Dynamics 365 and HubSpot: their exports as files, their replicas in databases."""

import csv
import json
from datetime import UTC, date, datetime

import pytest


@pytest.fixture
def export(home):
    """Write rows as the file that a web system exports; its path for a source's YAML."""

    def write(name, rows):
        with (home.data / name).open("w", newline="", encoding="utf-8-sig") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return f"data/{name}"

    return write


ACCOUNTS = """
CREATE TABLE "Account" ("Id" varchar(18), "IsDeleted" boolean, "MasterRecordId" varchar(18),
    "Name" varchar(255), "LastName" varchar(80), "FirstName" varchar(40), "IsPersonAccount" boolean,
    "BillingStreet" varchar(255), "BillingCity" varchar(40), "BillingState" varchar(80),
    "BillingPostalCode" varchar(20), "BillingCountry" varchar(80), "Phone" varchar(40),
    "PersonMobilePhone" varchar(40), "PersonEmail" varchar(80), "PersonBirthdate" date,
    "PersonHasOptedOutOfEmail" boolean, "CreatedDate" timestamptz, "SystemModstamp" timestamptz);
INSERT INTO "Account" VALUES
    ('001A0000000001aIAA', false, NULL, 'Sample Robotics, Inc.', NULL, NULL, false,
     E'1 Sample Road\\nSuite 5', 'Hartford', 'CT', '06101', 'United States', '(860) 555-0100', NULL,
     NULL, NULL, NULL, '2020-01-01 08:00:00+00', '2024-02-03 04:05:06+02'),
    ('001A0000000001AIAA', false, NULL, 'Ann Muster', 'Muster', 'Ann', true, NULL, NULL, NULL, NULL,
     NULL, NULL, '+49 1512 3456789', 'ann@example.com', '1990-03-07', true,
     '2020-01-01 08:00:00+00', '2020-01-01 08:00:00+00'),
    ('001A0000000002aIAA', true, '001A0000000001aIAA', 'Sample Robotics', NULL, NULL, false, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2020-01-01', '2024-02-03');
CREATE TABLE "Contact" ("Id" varchar(18), "AccountId" varchar(18), "IsDeleted" boolean,
    "LastName" varchar(80), "FirstName" varchar(40), "MailingStreet" varchar(255),
    "MailingCity" varchar(40), "MailingState" varchar(80), "MailingPostalCode" varchar(20),
    "MailingCountry" varchar(80), "Phone" varchar(40), "MobilePhone" varchar(40),
    "Email" varchar(80), "Birthdate" date, "CreatedDate" timestamptz, "SystemModstamp" timestamptz);
INSERT INTO "Contact" VALUES ('003A0000000001aIAA', '001A0000000001aIAA', false, 'Beispiel', 'Bob',
    NULL, NULL, NULL, NULL, NULL, '860-555-0111', NULL, 'bob@example.com', NULL, '2020-01-01',
    '2020-01-01');
"""


@pytest.fixture
def replica(postgres_database, run_sql):
    run_sql(postgres_database, *[part for part in ACCOUNTS.split(";\n") if part.strip()])
    return postgres_database


def test_replica_of_salesforce_has_companies_persons_and_no_losers_of_merges(replica, staged):
    found = staged("US", template="salesforce_accounts", url=replica)
    assert {key: (row["customer_type"], row["name"]) for key, row in found.items()} == {
        "001A0000000001aIAA": ("organization", "Sample Robotics, Inc."),
        "001A0000000001AIAA": ("person", "Ann Muster"),  # keys differ in case
    }
    person = found["001A0000000001AIAA"]
    assert person["birth_date"] == date(1990, 3, 7) and person["consent_marketing"] is False
    assert person["emails"] == ["ann@example.com"] and person["phones"] == ["+4915123456789"]
    changed = datetime(2024, 2, 3, 2, 5, 6, tzinfo=UTC)
    assert found["001A0000000001aIAA"]["updated_at"] == changed


def test_contact_of_salesforce_has_and_changes_with_its_account(replica, staged):
    row = staged("US", template="salesforce_contacts", url=replica)["003A0000000001aIAA"]
    assert (row["name"], row["employer_name"]) == ("Bob Beispiel", "Sample Robotics, Inc.")
    assert row["updated_at"] == datetime(2024, 2, 3, 2, 5, 6, tzinfo=UTC)


def test_replica_with_underscores_in_names_is_read(replica, staged, run_sql):
    run_sql(
        replica,
        'CREATE TABLE account AS SELECT "Id" AS id, "Name" AS name, "IsDeleted" AS is_deleted,'
        ' "BillingStreet" AS billing_street, "SystemModstamp" AS system_modstamp FROM "Account"',
        'DROP TABLE "Account"',
    )
    row = staged("US", template="salesforce_accounts", url=replica)["001A0000000001aIAA"]
    assert row["house_number"] == "1" and "Sample Road" in row["street"]


def test_export_of_data_loader_is_read(export, staged):
    path = export(
        "Account.csv",
        [
            {
                "Id": "001A0000000001aIAA",
                "IsDeleted": "false",
                "Name": "Sample Robotics, Inc.",
                "BillingStreet": "1 Sample Road\nSuite 5",
                "BillingPostalCode": "06101",
                "BillingCountry": "United States",
                "Phone": "(860) 555-0100",
                "SystemModstamp": "2024-02-03T04:05:06.000+0000",
            },
            {"Id": "001A0000000002aIAA", "IsDeleted": "TRUE", "Name": "Lost Merge Ltd"},
        ],
    )
    found = staged("US", template="salesforce_accounts", path=path)
    row = found["001A0000000001aIAA"]
    assert row["postal_code"] == "06101" and row["phones"] == ["+18605550100"]
    assert row["updated_at"] == datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert row["address_line"].count("Sample Road") == 1
    assert row["customer_type"] == "organization"
    assert found["001A0000000002aIAA"]["status"] == "closed"


def test_report_of_salesforce_is_read_by_its_labels(export, staged):
    path = export(
        "report.csv",
        [
            {
                "Contact ID": "003A0000000001a",
                "First Name": "Bob",
                "Last Name": "Beispiel",
                "Account Name": "Sample Robotics, Inc.",
                "Mailing Street": "1 Sample Road",
                "Mailing Zip/Postal Code": "06101",
                "Business Phone": "860-555-0111",
                "Email Opt Out": "1",
            }
        ],
    )
    row = staged("US", template="salesforce_contacts", path=path)["003A0000000001a"]
    assert (row["name"], row["employer_name"]) == ("Bob Beispiel", "Sample Robotics, Inc.")
    assert row["phones"] == ["+18605550111"] and row["consent_marketing"] is False


def test_excel_export_of_dynamics_is_read_with_its_hidden_columns(home, writers, staged):
    rows = [
        [
            "(Do Not Modify) Account",
            "(Do Not Modify) Row Checksum",
            "(Do Not Modify) Modified On",
            "Account Name",
            "Main Phone",
            "Address 1: Street 1",
            "Address 1: City",
            "Status",
        ],
        [
            "93c71621-bd9f-e711-8122-000d3a2ba2ea",
            "abc==",
            "2024-01-05 09:10:11",
            "Fabrikam Beispiel GmbH",
            "+49 89 123456",
            "Musterstraße 5",
            "München",
            "Inactive",
        ],
    ]
    (home.data / "accounts.xlsx").write_bytes(writers["xlsx"](rows))
    found = staged("DE", template="dynamics_accounts", path="data/accounts.xlsx")
    row = found["93c71621-bd9f-e711-8122-000d3a2ba2ea"]
    assert row["status"] == "closed" and row["phones"] == ["+4989123456"]
    assert (row["city"], row["house_number"]) == ("München", "5")
    assert row["updated_at"] == datetime(2024, 1, 5, 9, 10, 11, tzinfo=UTC)


def test_replica_of_dynamics_leaves_out_losers_of_merges(tmp_path, staged, run_sql):
    (tmp_path / "crm.db").touch()
    url = f"sqlite:///{tmp_path / 'crm.db'}"
    run_sql(
        url,
        "CREATE TABLE account (accountid text, name text, telephone1 text, address1_line1 text,"
        " statecode int, merged boolean, masterid text, modifiedon datetime)",
        "INSERT INTO account VALUES ('a1', 'Fabrikam Beispiel GmbH', '+49 89 123456', NULL, 0, 0,"
        " NULL, '2024-03-04 05:06:07'), ('a2', 'Fabrikam', NULL, NULL, 1, 1, 'a1', '2024-03-04'),"
        " ('a3', 'Closed Muster AG', NULL, NULL, 1, 0, NULL, '2023-03-04 00:00:00')",
        "CREATE TABLE contact (contactid text, fullname text, firstname text, lastname text,"
        " parentcustomerid text, mobilephone text, emailaddress1 text, birthdate date,"
        " statecode int, merged boolean, donotbulkemail boolean, modifiedon datetime)",
        "INSERT INTO contact VALUES ('c1', 'Bob Beispiel', 'Bob', 'Beispiel', 'a1',"
        " '+49 1512 3456789', 'bob@example.com', '1980-05-06', 0, 0, 1, '2023-01-01 00:00:00')",
    )
    found = staged("DE", template="dynamics_accounts", url=url)
    assert {key: row["status"] for key, row in found.items()} == {"a1": "active", "a3": "closed"}
    contact = staged("DE", template="dynamics_contacts", url=url)["c1"]
    assert contact["employer_name"] == "Fabrikam Beispiel GmbH"
    assert contact["birth_date"] == date(1980, 5, 6) and contact["consent_marketing"] is False
    assert contact["updated_at"] == datetime(2024, 3, 4, 5, 6, 7, tzinfo=UTC)


def test_exports_of_hubspot_are_read_by_their_labels(export, staged):
    path = export(
        "contacts.csv",
        [
            {
                "Record ID": "151",
                "First Name": "Ann",
                "Last Name": "Muster",
                "Email": "ann@example.com",
                "Additional email addresses": "a.muster@example.org;ann@example.net",
                "Phone Number": "+49 89 123456",
                "Date of birth": "1990-03-07",
                "Associated Company": "Muster Bau GmbH",
                "Unsubscribed from all email": "Yes",
                "Lifecycle Stage": "Customer",
                "Last Modified Date": "2024-01-05 09:10",
            }
        ],
    )
    row = staged("DE", template="hubspot_contacts", path=path)["151"]
    assert row["emails"] == ["ann@example.com", "a.muster@example.org", "ann@example.net"]
    assert (row["name"], row["employer_name"]) == ("Ann Muster", "Muster Bau GmbH")
    assert row["consent_marketing"] is False and row["birth_date"] == date(1990, 3, 7)
    assert json.loads(row["attributes"]) == {"lifecycle": "Customer"}
    path = export(
        "companies.csv",
        [
            {
                "Record ID": "9001",
                "Company name": "Muster Bau GmbH",
                "Company Domain Name": "example.org",
                "City": "München",
                "Country/Region": "Germany",
            }
        ],
    )
    company = staged("DE", template="hubspot_companies", path=path)["9001"]
    assert company["customer_type"] == "organization" and company["country"] == "DE"
    assert json.loads(company["attributes"]) == {"domain": "example.org"}


def test_template_for_files_maps_a_table_that_is_named(tmp_path, staged, run_sql):
    (tmp_path / "replica.db").touch()
    url = f"sqlite:///{tmp_path / 'replica.db'}"
    run_sql(
        url,
        "CREATE TABLE contact (hs_object_id text, first_name text, last_name text, email text,"
        " archived boolean, lastmodifieddate text)",
        "INSERT INTO contact VALUES ('151', 'Ann', 'Muster', 'ann@example.com', 'true',"
        " '2024-01-05T09:10:11.123Z')",
    )
    row = staged("DE", template="hubspot_contacts", url=url, table="contact")["151"]
    assert (row["name"], row["status"]) == ("Ann Muster", "closed")
    assert row["updated_at"] == datetime(2024, 1, 5, 9, 10, 11, 123000, tzinfo=UTC)
